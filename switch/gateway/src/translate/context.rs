//! What every translation has at hand, and the checks that all messages share.

use torap_domain::{
    Bic, EndToEndId, InstructionId, MessageId, ParticipantId, Position, Reason, TransactionId, Uetr,
};
use torap_engine::{
    References, Source,
    instant::{History, PaymentKey},
};
use torap_iso20022::{
    MessageType,
    view::{Body, BusinessHeader, Message, Original},
};

use super::{Lookups, refusal::Breach};
use crate::{network::Network, versions};

pub(super) const HEADER_FROM: &str = "/AppHdr/Fr/FIId/FinInstnId/BICFI";
const HEADER_TO: &str = "/AppHdr/To/FIId/FinInstnId/BICFI";

/// Where a message came from, and what may be asked about the rest of the world.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) source: Source,
    /// Whose link.
    pub(super) participant: ParticipantId,
    pub(super) network: &'a Network,
    pub(super) lookups: &'a dyn Lookups,
    /// BICs that the session speaks for; none: every one that its participant may speak for.
    pub(super) bound: Option<&'a [Bic]>,
}

/// Whether a session that is bound to these BICs speaks for the institution of `bic`.
pub(super) fn is_listed(bound: Option<&[Bic]>, bic: &Bic) -> bool {
    bound.is_none_or(|listed| listed.iter().any(|one| one.same_institution(bic)))
}

/// The bank in whose name a message speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) agent: Bic,
    /// The participant whose own BIC it is; a merger does not change it.
    pub(super) owner: ParticipantId,
}

impl Context<'_> {
    /// Checks who speaks: the bank that the message names must be one that this link may speak for and that its session listed at
    /// sign-on, and so must the header's.
    /// A message that names no bank speaks for the header's, or for the owner of the link.
    pub(super) fn check_sender<'m>(
        &self,
        message: &Message<'m>,
    ) -> Result<Option<Sender>, Breach<'m>> {
        let sender = match named_sender(&message.body) {
            Some((agent, path)) => {
                let agent = typed(Bic::parse(agent), path)?;
                let owner = self
                    .network
                    .owner(&agent)
                    .filter(|_| self.network.may_send(self.participant, &agent))
                    .filter(|_| is_listed(self.bound, &agent));
                let owner = owner
                    .ok_or_else(|| Breach::of_reason(Reason::UnboundSender, path))?
                    .id;
                Some(Sender { agent, owner })
            }
            None => None,
        };
        if let Some(header) = &message.header {
            self.check_header(header, sender.as_ref())?;
        }
        Ok(sender)
    }

    fn check_header<'m>(
        &self,
        header: &BusinessHeader<'_>,
        sender: Option<&Sender>,
    ) -> Result<(), Breach<'m>> {
        let from = typed(Bic::parse(header.from), HEADER_FROM)?;
        let is_sender = sender.is_some_and(|sender| sender.agent.same_institution(&from));
        let is_link = self.network.by_bic(&from).map(|view| view.id)
            == Some(self.network.successor(self.participant));
        let is_bound = match sender {
            Some(_) => is_sender || is_link,
            None => self.network.may_send(self.participant, &from),
        };
        if !is_bound || !is_listed(self.bound, &from) {
            return Err(Breach::of_reason(Reason::UnboundSender, HEADER_FROM));
        }
        if !self
            .network
            .is_switch(&typed(Bic::parse(header.to), HEADER_TO)?)
        {
            let text = "messages to the switch are addressed to the switch";
            return Err(Breach::of_profile(
                HEADER_TO,
                "header-to-switch",
                text,
                "AGNT",
            ));
        }
        Ok(())
    }

    /// What is known of an identifier beyond the engine's window: by key, and by UETR if the key is not known.
    pub(super) fn history(&self, key: &PaymentKey, uetr: &Uetr) -> Option<History> {
        let by_key = self.lookups.by_key(key);
        let Some(History::Unknown { as_of }) = by_key else {
            return by_key;
        };
        match self.lookups.by_uetr(uetr) {
            Some(History::Unknown { as_of: other }) => Some(History::Unknown {
                as_of: as_of.min(other),
            }),
            Some(known) => Some(known),
            None => Some(History::Unknown {
                as_of: Position::ZERO,
            }),
        }
    }
}

/// The bank that a message says it comes from, and where it says so.
fn named_sender<'m>(body: &Body<'m>) -> Option<(&'m str, &'static str)> {
    Some(match body {
        Body::CreditTransfer(view) => (
            view.instructing_agent,
            "/Document/FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI",
        ),
        Body::StatusReport(view) => (
            view.instructing_agent?,
            "/Document/FIToFIPmtStsRpt/GrpHdr/InstgAgt/FinInstnId/BICFI",
        ),
        Body::Return(view) => (
            view.instructing_agent,
            "/Document/PmtRtr/GrpHdr/InstgAgt/FinInstnId/BICFI",
        ),
        Body::StatusRequest(view) => (
            view.instructing_agent,
            "/Document/FIToFIPmtStsReq/GrpHdr/InstgAgt/FinInstnId/BICFI",
        ),
        Body::CancellationRequest(view) => (
            view.assignment.assigner,
            "/Document/FIToFIPmtCxlReq/Assgnmt/Assgnr/Agt/FinInstnId/BICFI",
        ),
        Body::Resolution(view) => (
            view.assignment.assigner,
            "/Document/RsltnOfInvstgtn/Assgnmt/Assgnr/Agt/FinInstnId/BICFI",
        ),
        Body::VerificationRequest(view) => (
            view.assignment.assigner,
            "/Document/IdVrfctnReq/Assgnmt/Assgnr/Agt/FinInstnId/BICFI",
        ),
        Body::VerificationReport(view) => (
            view.assignment.assigner,
            "/Document/IdVrfctnRpt/Assgnmt/Assgnr/Agt/FinInstnId/BICFI",
        ),
        Body::SettlementTransfer(view) => (
            view.instructing_agent,
            if view.accounts.is_some() {
                "/Document/FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI"
            } else {
                "/Document/FICdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI"
            },
        ),
        Body::LiquidityTransfer(view) => (
            view.agent,
            "/Document/LqdtyCdtTrf/LqdtyCdtTrf/Dbtr/FinInstnId/BICFI",
        ),
        Body::AccountRequest(view) => (
            view.owner,
            "/Document/AcctRptgReq/RptgReq/AcctOwnr/Agt/FinInstnId/BICFI",
        ),
        Body::AccountQuery(view) => (
            view.owner,
            "/Document/GetAcct/AcctQryDef/AcctCrit/NewCrit/SchCrit/AcctOwnr/Id/OrgId/AnyBIC",
        ),
        Body::Reject(_)
        | Body::Receipt(_)
        // They speak for the bank of the header.
        | Body::PaymentQuery(_)
        | Body::PaymentChange(_)
        | Body::EventNotice(_)
        | Body::EventAcknowledgement(_)
        | Body::Other
        | Body::Clearing => {
            return None;
        }
    })
}

/// A field that the profile has accepted, as its type. The profile used the same checks, so this holds; should it ever not,
/// the message is refused and not guessed at.
pub(super) fn typed<'a, T, E>(parsed: Result<T, E>, path: &'a str) -> Result<T, Breach<'a>> {
    parsed.map_err(|_| {
        Breach::of_profile(
            path,
            "format",
            "the content does not have its format",
            "CH16",
        )
    })
}

/// The number of a message version in the journal.
pub(super) fn version_number<'a>(version: MessageType) -> Result<u8, Breach<'a>> {
    let text = "the switch does not take this version";
    versions::number(version).ok_or(Breach::of_profile("/Document", "version", text, "FF03"))
}

/// An external code of one to four characters, filled up with blanks.
pub(super) fn code(text: &str) -> [u8; 4] {
    let mut code = [b' '; 4];
    for (place, byte) in code.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    code
}

/// References of a message about an earlier payment: its own identifier, and the payment's.
pub(super) fn references_to<'a>(
    message_id: &str,
    version: MessageType,
    original: &Original<'_>,
) -> Result<References, Breach<'a>> {
    let instruction_id = original
        .instruction_id
        .map(InstructionId::parse)
        .transpose();
    let end_to_end_id = original.end_to_end_id.map(EndToEndId::parse).transpose();
    Ok(References {
        message_id: typed(MessageId::parse(message_id), "/Document")?,
        instruction_id: typed(instruction_id, "/Document")?,
        end_to_end_id: typed(end_to_end_id, "/Document")?,
        transaction_id: typed(TransactionId::parse(original.transaction_id), "/Document")?,
        uetr: typed(Uetr::parse(original.uetr), "/Document")?,
        message_version: version_number(version)?,
    })
}
