//! What the bench remembers of a message: identifiers, parties, amount, verdict.

use serde_json::Value;
use torap_gateway::wire::ContentType;
use torap_iso20022::profile::Direction;
use torap_iso20022::view::{Body, CreditTransfer, Message, Original, PersonNumber};

use super::InstantBench;
use super::link::Received;
use crate::catalogue::instant::Await;

/// A message in brief.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// `pacs.008`, …, `json`.
    pub(super) kind: String,
    /// Its definition and version.
    pub(super) definition: String,
    pub(super) message_id: String,
    pub(super) service: String,
    pub(super) status: String,
    /// Why.
    pub(super) code: String,
    pub(super) transaction_id: String,
    pub(super) end_to_end_id: String,
    pub(super) uetr: String,
    /// MsgId of the message that it is about.
    pub(super) about: String,
    pub(super) tiyn: u64,
    /// RtrId, CxlId, CxlStsId, Vrfctn/Id, RltdRef, or the reference of a command.
    pub(super) reference: String,
    pub(super) resolution_id: String,
    pub(super) qr_id: String,
    pub(super) debtor_iban: String,
    pub(super) creditor_agent: String,
    pub(super) creditor_iban: String,
    pub(super) creditor_phone: String,
    pub(super) phone: String,
    pub(super) verified: Option<bool>,
    /// Of a JSON command.
    pub(super) command: String,
}

impl Facts {
    pub(super) fn of(message: &Message<'_>) -> Facts {
        let mut facts = Facts {
            kind: message.message_type.kind().as_str().into(),
            definition: message.message_type.as_str().into(),
            ..Facts::default()
        };
        match &message.body {
            Body::CreditTransfer(transfer) => facts.transfer(transfer),
            Body::StatusReport(report) => {
                facts.message_id = report.message_id.into();
                facts.status = report.status.as_str().into();
                facts.code = text(report.reason);
                facts.original(&report.original);
            }
            Body::Return(payment_return) => {
                facts.message_id = payment_return.message_id.into();
                facts.reference = payment_return.return_id.into();
                facts.tiyn = payment_return.tiyn;
                facts.code = payment_return.reason.into();
                facts.original(&payment_return.original);
            }
            Body::StatusRequest(request) => {
                facts.message_id = request.message_id.into();
                facts.original(&request.original);
            }
            Body::CancellationRequest(request) => {
                facts.message_id = request.assignment.id.into();
                facts.reference = request.cancellation_id.into();
                facts.code = request.reason.into();
                facts.original(&request.original);
            }
            Body::Resolution(resolution) => {
                facts.message_id = resolution.assignment.id.into();
                facts.reference = text(resolution.status_id);
                facts.status = resolution.status.as_str().into();
                facts.code = text(resolution.reason);
                facts.original(&resolution.original);
            }
            Body::VerificationRequest(request) => {
                facts.message_id = request.assignment.id.into();
                facts.reference = request.verification_id.into();
                facts.phone = text(request.phone);
            }
            Body::VerificationReport(report) => {
                facts.message_id = report.assignment.id.into();
                facts.reference = report.verification_id.into();
                facts.about = text(report.original_message_id);
                facts.verified = Some(report.verified);
                facts.code = text(report.reason);
            }
            Body::Reject(reject) => {
                facts.reference = reject.related.as_ref().into();
                facts.code = reject.reason.as_ref().into();
            }
            Body::EventNotice(_)
            | Body::EventAcknowledgement(_)
            | Body::SettlementTransfer(_)
            | Body::LiquidityTransfer(_)
            | Body::Receipt(_)
            | Body::AccountRequest(_)
            | Body::AccountQuery(_)
            | Body::PaymentQuery(_)
            | Body::PaymentChange(_)
            | Body::Other
            | Body::Clearing => {}
        }
        facts
    }

    fn transfer(&mut self, transfer: &CreditTransfer<'_>) {
        self.message_id = transfer.message_id.into();
        self.service = transfer.service.local_instrument().into();
        self.transaction_id = transfer.transaction_id.into();
        self.end_to_end_id = transfer.end_to_end_id.into();
        self.uetr = transfer.uetr.into();
        self.tiyn = transfer.tiyn;
        self.resolution_id = text(transfer.resolution_id);
        self.qr_id = text(transfer.qr_id);
        self.debtor_iban = transfer.debtor_iban.into();
        self.creditor_agent = transfer.creditor_agent.into();
        self.creditor_iban = text(transfer.creditor_iban);
        self.creditor_phone = text(transfer.creditor_phone);
    }

    fn original(&mut self, original: &Original<'_>) {
        self.about = text(original.message_id);
        self.end_to_end_id = text(original.end_to_end_id);
        self.transaction_id = original.transaction_id.into();
        self.uetr = original.uetr.into();
    }
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().into()
}

/// By its fifth digit, as the law has it.
pub(super) fn person_number(digits: &str) -> PersonNumber<'_> {
    match digits.as_bytes().get(4) {
        Some(b'4'..=b'6') => PersonNumber::Bin(digits),
        _ => PersonNumber::Iin(digits),
    }
}

impl InstantBench<'_> {
    /// Reads a message of the host's with the tables of the switch.
    pub(super) fn read(&mut self, received: &Received) -> Result<Facts, String> {
        if received.content_type == ContentType::CommandJson {
            return command(&received.body);
        }
        let message = self
            .reader
            .read(&received.body, Direction::ToSwitch)
            .map_err(|refusal| format!("message {} is refused: {refusal}", received.sequence))?;
        if let Some(header) = &message.header {
            wants("AppHdr/Fr", header.from, &self.subject.bic)?;
            wants("AppHdr/To", header.to, &self.subject.switch_bic)?;
        }
        let speaker = match &message.body {
            Body::CreditTransfer(transfer) => Some(transfer.instructing_agent),
            Body::StatusReport(report) => report.instructing_agent,
            Body::Return(payment_return) => Some(payment_return.instructing_agent),
            Body::StatusRequest(request) => Some(request.instructing_agent),
            Body::CancellationRequest(request) => Some(request.assignment.assigner),
            Body::Resolution(resolution) => Some(resolution.assignment.assigner),
            Body::VerificationRequest(request) => Some(request.assignment.assigner),
            Body::VerificationReport(report) => Some(report.assignment.assigner),
            Body::Reject(_)
            | Body::EventNotice(_)
            | Body::EventAcknowledgement(_)
            | Body::SettlementTransfer(_)
            | Body::LiquidityTransfer(_)
            | Body::Receipt(_)
            | Body::AccountRequest(_)
            | Body::AccountQuery(_)
            | Body::PaymentQuery(_)
            | Body::PaymentChange(_)
            | Body::Other
            | Body::Clearing => None,
        };
        if let Some(speaker) = speaker {
            wants("InstgAgt or Assgnr", speaker, &self.subject.bic)?;
        }
        Ok(Facts::of(&message))
    }

    /// Holds a message against what the step wants of it.
    pub(super) fn compare(&self, wanted: &Await, facts: &Facts) -> Result<(), String> {
        if let Some(name) = &wanted.of {
            is_about(facts, &self.kept(name)?.facts)?;
        }
        if let Some(name) = &wanted.same {
            is_same(facts, &self.kept(name)?.facts)?;
        }
        if let Some(amount) = &wanted.amount {
            let tiyn = u128::from(facts.tiyn);
            if crate::card::amount_of(amount)? != facts.tiyn {
                return Err(format!("its amount is {tiyn} tiyn, and not {amount} tenge"));
            }
        }
        if let Some(service) = &wanted.service {
            wants("LclInstrm", &facts.service, service)?;
        }
        if let Some(name) = &wanted.resolved_by {
            let found = self.kept(name)?.facts.resolution_id;
            wants("ClrSysRef", &facts.resolution_id, &found)?;
        }
        if let Some(status) = &wanted.status {
            wants("the status", &facts.status, status)?;
        }
        if let Some(codes) = &wanted.code
            && !codes.contains(&facts.code)
        {
            let codes = codes.join(" or ");
            return Err(format!("the reason is `{}`, and not {codes}", facts.code));
        }
        if let Some(verified) = wanted.verified
            && facts.verified != Some(verified)
        {
            return Err(format!("Vrfctn is not {verified}"));
        }
        if let Some(command) = &wanted.command {
            wants("command", &facts.command, command)?;
        }
        Ok(())
    }
}

fn command(body: &[u8]) -> Result<Facts, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "a command that is no JSON")?;
    let field = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    Ok(Facts {
        kind: "json".into(),
        reference: field("reference").into(),
        command: field("command").into(),
        qr_id: field("id").into(),
        ..Facts::default()
    })
}

/// The identifiers of the question come back. What an answer may leave out is held against the question only if it is there.
fn is_about(facts: &Facts, asked: &Facts) -> Result<(), String> {
    let optional = |place: &str, found: &str, wanted: &str| match found {
        "" => Ok(()),
        found => wants(place, found, wanted),
    };
    if facts.kind == "acmt.024" {
        wants("OrgnlId", &facts.reference, &asked.reference)?;
        return optional("OrgnlAssgnmt/MsgId", &facts.about, &asked.message_id);
    }
    wants("UETR", &facts.uetr, &asked.uetr)?;
    wants("TxId", &facts.transaction_id, &asked.transaction_id)?;
    optional("EndToEndId", &facts.end_to_end_id, &asked.end_to_end_id)?;
    if facts.kind == "pacs.002" {
        optional("OrgnlMsgId", &facts.about, &asked.message_id)?;
    }
    Ok(())
}

/// The payment again: whatever may not differ.
fn is_same(facts: &Facts, first: &Facts) -> Result<(), String> {
    wants("TxId", &facts.transaction_id, &first.transaction_id)?;
    wants("UETR", &facts.uetr, &first.uetr)?;
    wants("LclInstrm", &facts.service, &first.service)?;
    wants("DbtrAcct", &facts.debtor_iban, &first.debtor_iban)?;
    wants("CdtrAgt", &facts.creditor_agent, &first.creditor_agent)?;
    wants("CdtrAcct", &facts.creditor_iban, &first.creditor_iban)?;
    wants("phone", &facts.creditor_phone, &first.creditor_phone)?;
    match facts.tiyn == first.tiyn {
        true => Ok(()),
        false => Err("its amount is another".into()),
    }
}

/// Accounts and phones are compared, and never shown.
pub(super) fn wants(place: &str, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    match place {
        "DbtrAcct" | "CdtrAcct" | "phone" => Err(format!("{place} is another")),
        _ => Err(format!("{place} is `{found}`, and not `{wanted}`")),
    }
}
