//! acmt.023 and acmt.024 of the switch: it asks the payee's bank about an account, and answers banks about phones.

use std::borrow::Cow;

use torap_domain::{IinBin, PartyKind, Position, Reason, Text, Uetr};
use torap_engine::{
    Command,
    directory::{self, AliasKey, LookUp, LookUpFound},
};
use torap_iso20022::{
    view::{Party, PersonNumber, VerificationReport, VerificationRequest},
    write,
};

use super::{
    RenderError,
    entry::{Entry, resolved},
};
use crate::{codes, translate::resolution_id::ResolutionId};

/// Is the account of the Me2Me payment at `original` its payer's own?
pub(super) fn confirmation(
    entry: &Entry<'_>,
    original: Position,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let transfer = entry.credit_transfer(original)?;
    let (agent, account) = match resolved(&transfer) {
        Some((agent, account)) => (agent, Some(account)),
        None => (transfer.creditor_agent, transfer.creditor_account),
    };
    let id = identification(transfer.references.uetr);
    let digits = transfer.creditor.map(digits);
    let number = transfer
        .creditor
        .zip(digits.as_ref())
        .map(|(number, digits)| match number.kind() {
            PartyKind::Individual => PersonNumber::Iin(digits.as_str()),
            PartyKind::Business => PersonNumber::Bin(digits.as_str()),
        });
    let request = VerificationRequest {
        assignment: entry.assignment(),
        verification_id: id.as_str(),
        party: Party {
            name: None,
            number,
            phone: None,
        },
        iban: account.as_ref().map(|account| account.as_str()),
        phone: None,
        agent: Some(agent.as_str()),
    };
    write::verification_request(out, Some(&entry.header(entry.id())), &request);
    Ok(())
}

/// What the look-up at `original` found, or why it gets nothing.
pub(super) fn answer(
    entry: &Entry<'_>,
    original: Position,
    refusal: Option<Reason>,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let Command::Directory(directory::Command::LookUp(look_up)) = entry.records.facts(original)?
    else {
        return Err(RenderError::Facts {
            position: original,
            expected: "a look-up",
        });
    };
    let phone: Text<16> = Text::format(format_args!("{}", look_up.phone)).unwrap_or(Text::EMPTY);
    let mut report = VerificationReport {
        assignment: entry.assignment(),
        original_message_id: Some(look_up.message_id.as_str()),
        verification_id: look_up.verification_id.as_str(),
        verified: false,
        reason: None,
        name: None,
        resolution_id: None,
        phone: None,
        agent: None,
    };
    let resolution_id;
    match shown(&look_up, refusal) {
        Ok(hit) => {
            resolution_id = ResolutionId {
                alias: AliasKey::of(look_up.phone),
                changed_at: hit.changed_at,
            }
            .text();
            report.verified = true;
            report.name = Some(Cow::Borrowed(hit.name)).filter(|name| !name.is_empty());
            report.resolution_id = Some(resolution_id.as_str());
            report.phone = Some(phone.as_str());
            report.agent = Some(hit.agent);
        }
        Err(reason) => report.reason = Some(codes::verification(reason)),
    }
    write::verification_report(out, Some(&entry.header(entry.id())), &report);
    Ok(())
}

/// What a hit shows.
struct Hit<'a> {
    agent: &'a str,
    name: &'a str,
    changed_at: Position,
}

fn shown(look_up: &LookUp, refusal: Option<Reason>) -> Result<Hit<'_>, Reason> {
    match (&look_up.found, refusal) {
        (_, Some(reason)) => Err(reason),
        (
            LookUpFound::Hit {
                agent,
                masked_name,
                changed_at,
            },
            None,
        ) => Ok(Hit {
            agent: agent.as_str(),
            name: masked_name.as_str(),
            changed_at: *changed_at,
        }),
        (LookUpFound::Suspended, None) => Err(Reason::AliasSuspended),
        (LookUpFound::Miss, None) => Err(Reason::AliasUnknown),
    }
}

/// The UETR as an identification, which has at most 35 characters: its 32 digits.
fn identification(uetr: Uetr) -> Text<32> {
    Text::format(format_args!("{:032x}", u128::from_be_bytes(uetr.bytes()))).unwrap_or(Text::EMPTY)
}

fn digits(number: IinBin) -> Text<12> {
    Text::format(format_args!("{number}")).unwrap_or(Text::EMPTY)
}
