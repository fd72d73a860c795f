//! JSON commands (content type 2): the directory and dynamic QR codes. docs/wire.md lists them.
//!
//! A command is one flat object whose values are all texts, so a document can be neither deep nor ambiguous: a key that is
//! unknown, given twice, or of no use to the command is refused by its name.

mod fields;

use std::borrow::Cow;

use torap_domain::{Asset, ParticipantId};
use torap_domain::{Bic, Iban, IinBin, MessageId, Money, Phone, QrId, Reason, Text, Time};
use torap_engine::{
    Command, Source,
    directory::{self, Account, Action, Change, Found},
    links::Refusal,
    participants::View,
    qr,
};

use super::{Lookups, context::is_listed, payment::is_static, refusal::Breach};
use crate::network::Network;
use fields::{Fields, read};

/// Largest command, in bytes.
pub const JSON_COMMAND_BYTES_MAX: usize = 64 << 10;

/// The directory or QR command that `bytes` hold, asked by a bank's link or by the operator.
///
/// # Errors
/// The key at fault, the rule it breaks, and its code.
#[expect(
    clippy::result_large_err,
    reason = "a command is larger still, and a refusal becomes one"
)]
pub fn command_from_json(
    source: Source,
    bytes: &[u8],
    network: &Network,
    lookups: &dyn Lookups,
) -> Result<Command, Refusal> {
    command_of_session(source, bytes, network, lookups, None)
}

/// As [`command_from_json`], on a session that speaks for these BICs only.
#[expect(
    clippy::result_large_err,
    reason = "a command is larger still, and a refusal becomes one"
)]
pub(super) fn command_of_session(
    source: Source,
    bytes: &[u8],
    network: &Network,
    lookups: &dyn Lookups,
    bound: Option<&[Bic]>,
) -> Result<Command, Refusal> {
    if bytes.len() > JSON_COMMAND_BYTES_MAX {
        let text = "a command has at most 65536 bytes";
        return Err(Breach::of_profile("/", "command-too-large", text, "FF01").in_json());
    }
    let mut fields = read(bytes).map_err(|breach| breach.refusal())?;
    let reference = fields
        .get("reference")
        .and_then(|text| MessageId::parse(text).ok());
    let asked = Asked {
        source,
        network,
        lookups,
        bound,
    };
    asked.command(&mut fields).map_err(|breach| Refusal {
        reference,
        ..breach.refusal()
    })
}

/// What is wrong with a command. Texts of parsers are borrowed where they can be.
#[derive(Debug)]
struct JsonBreach<'a> {
    reason: Reason,
    key: Cow<'a, str>,
    rule: &'static str,
    text: Cow<'static, str>,
    code: Option<&'static str>,
}

impl<'a> JsonBreach<'a> {
    fn new(
        key: impl Into<Cow<'a, str>>,
        rule: &'static str,
        text: impl Into<Cow<'static, str>>,
    ) -> JsonBreach<'a> {
        JsonBreach {
            reason: Reason::ProfileViolation,
            key: key.into(),
            rule,
            text: text.into(),
            code: Some("CH16"),
        }
    }

    fn of_reason(reason: Reason, key: &'static str) -> JsonBreach<'a> {
        JsonBreach {
            reason,
            key: key.into(),
            rule: reason.name(),
            text: reason.text().into(),
            code: None,
        }
    }

    fn refusal(&self) -> Refusal {
        let breach = Breach {
            reason: self.reason,
            path: &self.key,
            rule: self.rule,
            text: &self.text,
            code: self.code,
        };
        breach.in_json()
    }
}

/// Who asks, and what may be looked up for the answer.
struct Asked<'a> {
    source: Source,
    network: &'a Network,
    lookups: &'a dyn Lookups,
    /// BICs that the session speaks for; none: every one that its participant may speak for.
    bound: Option<&'a [Bic]>,
}

/// A key's text read as one of the domain's types.
macro_rules! parsed {
    ($fields:expr, $key:literal, $parse:expr) => {
        $parse(&$fields.required($key)?)
            .map_err(|error| JsonBreach::new($key, error.rule(), error.to_string()))
    };
}

impl Asked<'_> {
    fn command<'a>(&self, fields: &mut Fields<'a>) -> Result<Command, JsonBreach<'a>> {
        let name = fields.required("command")?;
        let reference = parsed!(fields, "reference", MessageId::parse)?;
        let command = match &*name {
            "register" | "change" | "remove" | "claim" | "contest" | "release" => {
                self.directory(&name, reference, fields)?
            }
            "qr-register" => self.qr_register(reference, fields)?,
            "qr-cancel" => {
                self.optional_bank(fields)?;
                let id = parsed!(fields, "id", QrId::parse)?;
                Command::Qr(qr::Command::Cancel {
                    source: self.source,
                    reference,
                    id,
                })
            }
            _ => {
                let text = "the command is one of register, change, remove, claim, contest, release, qr-register, qr-cancel";
                return Err(JsonBreach::new("command", "command-unknown", text));
            }
        };
        fields.finish()?;
        Ok(command)
    }

    fn directory<'a>(
        &self,
        name: &str,
        reference: MessageId,
        fields: &mut Fields<'a>,
    ) -> Result<Command, JsonBreach<'a>> {
        let phone = parsed!(fields, "phone", Phone::parse)?;
        let person = parsed!(fields, "person", IinBin::parse)?;
        let action = match name {
            "register" => Action::Register {
                account: self.account(fields)?,
            },
            "change" => Action::Change {
                account: self.account(fields)?,
            },
            "remove" => Action::Remove {
                participant: self.bank(fields)?.0,
            },
            "claim" => Action::Claim {
                gaining: self.bank(fields)?.0,
                consent: short_text(fields, "consent")?,
            },
            "contest" => Action::Contest {
                losing: self.bank(fields)?.0,
            },
            // The operator names the person who keeps the number, a bank gives up its own entries.
            _ => Action::Release {
                participant: self.optional_bank(fields)?,
            },
        };
        let (as_of, record) = self.lookups.alias(phone);
        let found = Found { as_of, record };
        let change = Change {
            source: self.source,
            reference,
            phone,
            person,
            action,
            found,
        };
        Ok(Command::Directory(directory::Command::Change(change)))
    }

    fn account<'a>(&self, fields: &mut Fields<'a>) -> Result<Account, JsonBreach<'a>> {
        let (participant, agent) = self.bank(fields)?;
        let iban = parsed!(fields, "iban", Iban::parse)?;
        Ok(Account {
            participant,
            agent,
            iban,
            name: short_text(fields, "name")?,
        })
    }

    fn qr_register<'a>(
        &self,
        reference: MessageId,
        fields: &mut Fields<'a>,
    ) -> Result<Command, JsonBreach<'a>> {
        self.optional_bank(fields)?;
        let id = parsed!(fields, "id", QrId::parse)?;
        if is_static(id.as_str()) {
            let text = "an identifier that begins with STATIC marks a static code, which is not registered";
            return Err(JsonBreach::new("id", "qr-id-static", text));
        }
        Ok(Command::Qr(qr::Command::Register(qr::Register {
            source: self.source,
            reference,
            id,
            merchant_account: parsed!(fields, "iban", Iban::parse)?,
            amount: parsed!(fields, "amount", |text| Money::parse(text, Asset::Kzt))?,
            expires: parsed!(fields, "expires", Time::parse)?,
        })))
    }

    /// The bank that a command speaks for: the one it names, or the owner of the link.
    fn bank<'a>(&self, fields: &mut Fields<'a>) -> Result<(ParticipantId, Bic), JsonBreach<'a>> {
        let view: &View = match (self.named_bank(fields)?, self.source.link()) {
            (Some((view, bic)), _) => return Ok((view.id, bic)),
            (None, Some(link)) => {
                let view = self.network.by_id(self.network.successor(link));
                view.ok_or_else(|| JsonBreach::of_reason(Reason::UnknownParticipant, "bank"))?
            }
            (None, None) => return Err(fields::missing("bank")),
        };
        if view.bics.is_empty() {
            return Err(JsonBreach::of_reason(Reason::UnknownParticipant, "bank"));
        }
        let mut bics = view.bics.iter();
        match bics.find(|bic| is_listed(self.bound, bic)) {
            Some(bic) => Ok((view.id, *bic)),
            None => Err(JsonBreach::of_reason(Reason::UnboundSender, "bank")),
        }
    }

    /// As [`Asked::bank`], where the operator need not name one.
    fn optional_bank<'a>(
        &self,
        fields: &mut Fields<'a>,
    ) -> Result<Option<ParticipantId>, JsonBreach<'a>> {
        if self.source.link().is_none() && fields.get("bank").is_none() {
            return Ok(None);
        }
        self.bank(fields).map(|(participant, _)| Some(participant))
    }

    fn named_bank<'a>(
        &self,
        fields: &mut Fields<'a>,
    ) -> Result<Option<(&View, Bic)>, JsonBreach<'a>> {
        let Some(text) = fields.take("bank") else {
            return Ok(None);
        };
        let bic = Bic::parse(&text)
            .map_err(|error| JsonBreach::new("bank", error.rule(), error.to_string()))?;
        let view = self.network.by_bic(&bic);
        match (view, self.source.link()) {
            (Some(_), Some(link))
                if !self.network.may_send(link, &bic) || !is_listed(self.bound, &bic) =>
            {
                Err(JsonBreach::of_reason(Reason::UnboundSender, "bank"))
            }
            (Some(view), _) => Ok(Some((view, bic))),
            (None, _) => Err(JsonBreach::of_reason(Reason::UnknownParticipant, "bank")),
        }
    }
}

/// Free text of at most `N` bytes of UTF-8, without control characters.
fn short_text<'a, const N: usize>(
    fields: &mut Fields<'a>,
    key: &'static str,
) -> Result<Text<N>, JsonBreach<'a>> {
    let text = fields.required(key)?;
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().any(char::is_control) {
        return Err(JsonBreach::new(
            key,
            "text-form",
            "the text is empty or has control characters",
        ));
    }
    Text::try_from(trimmed).map_err(|error| {
        JsonBreach::new(
            key,
            error.rule(),
            format!("the text has more than {N} bytes"),
        )
    })
}
