//! acmt.023 and acmt.024: a bank looks a phone up, and the payee's bank confirms an account.

use torap_domain::{Bic, MessageId, Phone, Reason, Uetr};
use torap_engine::{
    Command,
    directory::{self, LookUp, LookUpFound, Record, Resolved, mask_name},
    instant::ConfirmAnswer,
};
use torap_iso20022::{MessageType, view};

use super::{
    context::{Context, Sender, typed, version_number},
    payment::number,
    refusal::Breach,
};

const QUESTION: &str = "/Document/IdVrfctnReq/Vrfctn/PtyAndAcctId";

impl Context<'_> {
    pub(super) fn look_up<'m>(
        &self,
        view: &view::VerificationRequest<'m>,
        sender: Option<Sender>,
        version: MessageType,
    ) -> Result<Command, Breach<'m>> {
        const MESSAGE: &str = "/Document/IdVrfctnReq";
        let sender = sender.ok_or_else(|| Breach::of_reason(Reason::UnboundSender, "/Document"))?;
        let Some(phone) = view.phone else {
            let text =
                "the switch looks up phones; accounts are confirmed by the bank that keeps them";
            return Err(Breach::of_profile(
                QUESTION,
                "look-up-by-phone",
                text,
                "CH17",
            ));
        };
        let phone = typed(Phone::parse(phone), QUESTION)?;
        let person = number(view.party.number, QUESTION)?;
        let named = typed(view.agent.map(Bic::parse).transpose(), QUESTION)?;
        let chosen = named.filter(|bic| !self.network.is_switch(bic));
        let (as_of, record) = self.lookups.alias(phone);
        let resolved = record
            .as_ref()
            .map(|record| (record, record.resolve(person, chosen.as_ref())));
        Ok(Command::Directory(directory::Command::LookUp(LookUp {
            source: self.source,
            message_id: typed(MessageId::parse(view.assignment.id), MESSAGE)?,
            verification_id: typed(MessageId::parse(view.verification_id), MESSAGE)?,
            message_version: version_number(version)?,
            instructing_agent: sender.agent,
            phone,
            person,
            chosen,
            as_of,
            found: resolved.map_or(LookUpFound::Miss, |(record, resolved)| {
                found(record, resolved)
            }),
        })))
    }

    pub(super) fn confirm_answer<'m>(
        &self,
        view: &view::VerificationReport<'m>,
        version: MessageType,
    ) -> Result<ConfirmAnswer, Breach<'m>> {
        const ORIGINAL_ID: &str = "/Document/IdVrfctnRpt/Rpt/OrgnlId";
        let text = "OrgnlId repeats Vrfctn/Id of the switch's question";
        let uetr = uetr_of(view.verification_id);
        Ok(ConfirmAnswer {
            source: self.source,
            message_id: typed(
                MessageId::parse(view.assignment.id),
                "/Document/IdVrfctnRpt",
            )?,
            message_version: version_number(version)?,
            uetr: uetr.ok_or(Breach::of_profile(
                ORIGINAL_ID,
                "verification-id",
                text,
                "CH16",
            ))?,
            confirmed: view.verified,
        })
    }
}

/// Only the masked name goes into the log, so that nothing more can come out of it.
fn found(record: &Record, resolved: Resolved<'_>) -> LookUpFound {
    match resolved {
        Resolved::Found { account, .. } => LookUpFound::Hit {
            agent: account.agent,
            masked_name: mask_name(account.name.as_str()),
            changed_at: record.changed_at,
        },
        Resolved::Suspended => LookUpFound::Suspended,
        Resolved::Unknown => LookUpFound::Miss,
    }
}

/// The payment that a confirmation is about: the switch identifies its question by the 32 hexadecimal digits of the UETR,
/// because an identification has at most 35 characters.
fn uetr_of(verification_id: &str) -> Option<Uetr> {
    let is_plain = verification_id.len() == 32
        && verification_id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let value = u128::from_str_radix(verification_id, 16)
        .ok()
        .filter(|_| is_plain)?;
    Uetr::from_bytes(value.to_be_bytes())
}
