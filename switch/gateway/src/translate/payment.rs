//! pacs.008 and pacs.002: a payment, and the payee's bank's answer to it.

use torap_domain::{
    Bic, EndToEndId, Iban, IinBin, InstructionId, MessageId, Money, Phone, Position, QrId, Reason,
    Service, Time, TransactionId, Uetr,
};
use torap_engine::{
    References,
    directory::{AliasKey, Record, Resolved},
    instant::{AliasFact, AliasResolution, Answer, CreditTransfer, PayeeFact, QrFact, Verdict},
};
use torap_iso20022::{
    MessageType,
    view::{self, PersonNumber, TransactionStatus, TransferService},
};

use super::{
    context::{Context, Sender, code, typed, version_number},
    keys::{self, PaymentFields},
    refusal::Breach,
    resolution_id::ResolutionId,
};

/// How the payer's bank marks a static QR code; what follows, after a hyphen, is the identifier of the code, if it has one.
/// A dynamic code can therefore not be registered under such an identifier.
pub(super) const STATIC_QR: &str = "STATIC";

const TRANSACTION: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf";
const CREDITOR_AGENT: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI";
const CREDITOR_PROXY: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct/Prxy/Id";
const RESOLUTION_ID: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/ClrSysRef";
const QR_REFERENCE: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/RmtInf/Strd/CdtrRefInf/Ref";

/// The payee as the message gives it: an account, or a phone that the directory resolves.
struct Payee {
    agent: Bic,
    account: Option<Iban>,
    number: Option<IinBin>,
    proxy: Option<Proxy>,
}

struct Proxy {
    phone: Phone,
    /// The bank that the payer chose among the payee's.
    chosen: Option<Bic>,
    /// When the entry last changed, as the look-up answer said.
    expected: Option<Position>,
}

impl Context<'_> {
    pub(super) fn credit_transfer<'m>(
        &self,
        view: &view::CreditTransfer<'m>,
        sender: Option<Sender>,
        version: MessageType,
    ) -> Result<CreditTransfer, Breach<'m>> {
        let sender = sender.ok_or_else(|| Breach::of_reason(Reason::UnboundSender, "/Document"))?;
        let service = service(view.service);
        let references = references(view, version)?;
        let payee = self.payee(view)?;
        let amount = Money::kzt(view.tiyn);
        let debtor_agent = typed(Bic::parse(view.debtor_agent), TRANSACTION)?;
        let debtor_account = typed(Iban::parse(view.debtor_iban), TRANSACTION)?;
        let qr = view.qr_id.map(qr_fact).transpose()?;
        let key = keys::payment_key(sender.owner, view.transaction_id);
        let fingerprint = keys::payment_fingerprint(&PaymentFields {
            service,
            amount,
            debtor_agent: &debtor_agent,
            debtor_account: &debtor_account,
            creditor_agent: &payee.agent,
            creditor_account: payee.account.as_ref(),
            proxy: payee
                .proxy
                .as_ref()
                .map(|proxy| (proxy.phone, proxy.chosen.as_ref())),
            qr: qr.as_ref().map(|qr| &qr.id),
        });
        let alias = payee
            .proxy
            .as_ref()
            .map(|proxy| self.alias_fact(proxy, payee.number));
        self.check_congestion(&payee.agent, alias.as_ref())?;
        let payee_fact = match service {
            Service::Me2Me => Some(self.payee_fact(view, &payee, alias.as_ref())),
            Service::C2cPhone | Service::C2cAccount | Service::Qr => None,
        };
        Ok(CreditTransfer {
            source: self.source,
            service,
            references,
            key,
            fingerprint,
            amount,
            accepted: Time::from_nanos(view.accepted_ns),
            instructing_agent: sender.agent,
            debtor_agent,
            debtor_account,
            debtor: number(view.debtor.number, TRANSACTION)?.ok_or(Breach::of_profile(
                TRANSACTION,
                "debtor-number",
                "the payer has a number",
                "RR01",
            ))?,
            creditor_agent: payee.agent,
            creditor_account: payee.account,
            creditor: payee.number,
            alias,
            payee: payee_fact,
            qr,
            history: self.history(&key, &references.uetr),
        })
    }

    /// Reads the payee. By phone CdtrAgt is the switch, which finds the bank; by account it is the payee's bank.
    fn payee<'m>(&self, view: &view::CreditTransfer<'m>) -> Result<Payee, Breach<'m>> {
        let agent = typed(Bic::parse(view.creditor_agent), CREDITOR_AGENT)?;
        let number = number(view.creditor.number, TRANSACTION)?;
        let account = typed(view.creditor_iban.map(Iban::parse).transpose(), TRANSACTION)?;
        let by_switch = self.network.is_switch(&agent);
        let proxy = match (account, by_switch) {
            (Some(_), false) => None,
            (None, true) => Some(self.proxy(view)?),
            (Some(_), true) => {
                let text = "a payment by account names the payee's bank";
                return Err(Breach::of_profile(
                    CREDITOR_AGENT,
                    "creditor-agent-by-account",
                    text,
                    "RC04",
                ));
            }
            (None, false) => {
                let text = "a payment by phone names the switch, which finds the payee's bank";
                return Err(Breach::of_profile(
                    CREDITOR_AGENT,
                    "creditor-agent-by-phone",
                    text,
                    "RC04",
                ));
            }
        };
        Ok(Payee {
            agent,
            account,
            number,
            proxy,
        })
    }

    /// A payment whose bank could not answer it in time any more is better refused at once.
    fn check_congestion<'m>(
        &self,
        agent: &Bic,
        alias: Option<&AliasFact>,
    ) -> Result<(), Breach<'m>> {
        let agent = match alias.map(|alias| &alias.resolution) {
            Some(AliasResolution::Found { agent, .. }) => agent,
            Some(AliasResolution::Unknown | AliasResolution::Suspended) | None => agent,
        };
        match self.network.by_bic(agent) {
            Some(payee) if self.lookups.is_congested(payee.id) => {
                Err(Breach::of_reason(Reason::Overloaded, CREDITOR_AGENT))
            }
            _ => Ok(()),
        }
    }

    fn proxy<'m>(&self, view: &view::CreditTransfer<'m>) -> Result<Proxy, Breach<'m>> {
        let phone = typed(
            Phone::parse(view.creditor_phone.unwrap_or_default()),
            CREDITOR_PROXY,
        )?;
        let named = typed(
            view.instructed_agent.map(Bic::parse).transpose(),
            TRANSACTION,
        )?;
        let expected = match view.resolution_id.map(ResolutionId::parse) {
            None => None,
            Some(Some(id)) if id.alias == AliasKey::of(phone) => Some(id.changed_at),
            Some(_) => {
                let text =
                    "ClrSysRef is the resolution identifier that a look-up of this phone gave";
                return Err(Breach::of_profile(
                    RESOLUTION_ID,
                    "resolution-id",
                    text,
                    "BE23",
                ));
            }
        };
        let chosen = named.filter(|bic| !self.network.is_switch(bic));
        Ok(Proxy {
            phone,
            chosen,
            expected,
        })
    }

    /// What the directory says of the payee's phone.
    fn alias_fact(&self, proxy: &Proxy, creditor: Option<IinBin>) -> AliasFact {
        let (as_of, record) = self.lookups.alias(proxy.phone);
        let resolved = record
            .as_ref()
            .map(|record| record.resolve(creditor, proxy.chosen.as_ref()));
        let resolution = match resolved {
            Some(Resolved::Found { person, account }) => AliasResolution::Found {
                agent: account.agent,
                iban: account.iban,
                person,
            },
            Some(Resolved::Suspended) => AliasResolution::Suspended,
            Some(Resolved::Unknown) | None => AliasResolution::Unknown,
        };
        AliasFact {
            alias: AliasKey::of(proxy.phone),
            as_of,
            changed_at: record.map_or(Position::ZERO, |record| record.changed_at),
            expected: proxy.expected,
            resolution,
        }
    }

    /// Me2Me: whose the account is, as far as the directory knows. It is asked under every phone that the message gives.
    fn payee_fact(
        &self,
        view: &view::CreditTransfer<'_>,
        payee: &Payee,
        alias: Option<&AliasFact>,
    ) -> PayeeFact {
        if let Some(alias) = alias {
            // The search was narrowed to the payee's number, so an account that was found is that person's.
            return match alias.resolution {
                AliasResolution::Found { .. } => PayeeFact::Matched,
                AliasResolution::Unknown | AliasResolution::Suspended => PayeeFact::Unknown,
            };
        }
        let (Some(account), Some(number)) = (payee.account, payee.number) else {
            return PayeeFact::Unknown;
        };
        let written = [view.creditor_phone, view.creditor.phone, view.debtor.phone];
        let phones = written
            .into_iter()
            .flatten()
            .filter_map(|phone| Phone::parse(phone).ok());
        let mut asked: [Option<Phone>; 3] = [None; 3];
        for (phone, place) in phones.zip(0..) {
            if asked.contains(&Some(phone)) {
                continue;
            }
            if let Some(slot) = asked.get_mut::<usize>(place) {
                *slot = Some(phone);
            }
            let (_, record) = self.lookups.alias(phone);
            if let Some(fact) = record.and_then(|record| holder(&record, &account, number)) {
                return fact;
            }
        }
        PayeeFact::Unknown
    }

    pub(super) fn answer<'m>(
        &self,
        view: &view::StatusReport<'m>,
        version: MessageType,
    ) -> Result<Answer, Breach<'m>> {
        const STATUS: &str = "/Document/FIToFIPmtStsRpt/TxInfAndSts/TxSts";
        const MESSAGE: &str = "/Document/FIToFIPmtStsRpt";
        let verdict = match (view.status, view.reason) {
            (TransactionStatus::Acsp, _) => Verdict::Accept,
            (TransactionStatus::Rjct, Some(reason)) => Verdict::Reject {
                agent_code: code(reason),
            },
            (TransactionStatus::Rjct, None)
            | (TransactionStatus::Acsc | TransactionStatus::Pdng | TransactionStatus::Actc, _) => {
                let text = "a bank answers with ACSP, or with RJCT and a reason";
                return Err(Breach::of_profile(STATUS, "status-of-sender", text, "CH16"));
            }
        };
        Ok(Answer {
            source: self.source,
            message_id: typed(MessageId::parse(view.message_id), MESSAGE)?,
            message_version: version_number(version)?,
            uetr: typed(Uetr::parse(view.original.uetr), MESSAGE)?,
            transaction_id: typed(TransactionId::parse(view.original.transaction_id), MESSAGE)?,
            verdict,
        })
    }
}

/// What a record says of an account: the person's own, somebody else's, or nothing. A suspended number tells nothing.
fn holder(record: &Record, account: &Iban, number: IinBin) -> Option<PayeeFact> {
    let mut holders = record.persons.iter().filter(|_| !record.suspended);
    let holder =
        holders.find(|person| person.accounts.iter().any(|known| known.iban == *account))?;
    Some(if holder.person == number {
        PayeeFact::Matched
    } else {
        PayeeFact::Mismatch
    })
}

fn service(service: TransferService) -> Service {
    match service {
        TransferService::C2cPhone => Service::C2cPhone,
        TransferService::C2cAccount => Service::C2cAccount,
        TransferService::Me2Me => Service::Me2Me,
        TransferService::Qr => Service::Qr,
    }
}

fn qr_fact<'a>(id: &str) -> Result<QrFact, Breach<'a>> {
    let id = typed(QrId::parse(id), QR_REFERENCE)?;
    Ok(QrFact {
        id,
        dynamic: !is_static(id.as_str()),
    })
}

/// Whether an identifier marks a static code: the mark alone, or followed by a hyphen and anything.
pub(super) fn is_static(qr_id: &str) -> bool {
    let rest = qr_id.strip_prefix(STATIC_QR);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// An IIN or BIN.
pub(super) fn number<'a>(
    number: Option<PersonNumber<'_>>,
    path: &'a str,
) -> Result<Option<IinBin>, Breach<'a>> {
    typed(
        number
            .map(|number| IinBin::parse(number.digits()))
            .transpose(),
        path,
    )
}

fn references<'a>(
    view: &view::CreditTransfer<'_>,
    version: MessageType,
) -> Result<References, Breach<'a>> {
    const PAYMENT_ID: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId";
    let instruction_id = view.instruction_id.map(InstructionId::parse).transpose();
    Ok(References {
        message_id: typed(
            MessageId::parse(view.message_id),
            "/Document/FIToFICstmrCdtTrf/GrpHdr/MsgId",
        )?,
        instruction_id: typed(instruction_id, PAYMENT_ID)?,
        end_to_end_id: Some(typed(EndToEndId::parse(view.end_to_end_id), PAYMENT_ID)?),
        transaction_id: typed(TransactionId::parse(view.transaction_id), PAYMENT_ID)?,
        uetr: typed(Uetr::parse(view.uetr), PAYMENT_ID)?,
        message_version: version_number(version)?,
    })
}
