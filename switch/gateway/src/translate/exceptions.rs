//! pacs.004, camt.056, camt.029, pacs.028: a payment given back, called back, or asked about.

use torap_domain::{CancellationId, Money, Reason, ReturnId};
use torap_engine::instant::{Recall, Resolution, Return, StatusRequest};
use torap_iso20022::{MessageType, view};

use super::{
    context::{Context, Sender, code, references_to, typed},
    keys,
    refusal::Breach,
};

impl Context<'_> {
    pub(super) fn payment_return<'m>(
        &self,
        view: &view::Return<'m>,
        sender: Option<Sender>,
        version: MessageType,
    ) -> Result<Return, Breach<'m>> {
        let sender = sender.ok_or_else(unbound)?;
        let references = references_to(view.message_id, version, &view.original)?;
        let amount = Money::kzt(view.tiyn);
        let key = keys::return_key(sender.owner, view.return_id);
        let transaction_id = references.transaction_id.as_str();
        Ok(Return {
            source: self.source,
            references,
            return_id: typed(
                ReturnId::parse(view.return_id),
                "/Document/PmtRtr/TxInf/RtrId",
            )?,
            key,
            fingerprint: keys::return_fingerprint(
                amount,
                &sender.agent,
                transaction_id,
                references.uetr,
            ),
            instructing_agent: sender.agent,
            amount,
            reason_code: code(view.reason),
            history: self.lookups.by_key(&key),
            original: self.lookups.by_uetr(&references.uetr),
        })
    }

    pub(super) fn recall<'m>(
        &self,
        view: &view::CancellationRequest<'m>,
        sender: Option<Sender>,
        version: MessageType,
    ) -> Result<Recall, Breach<'m>> {
        const CANCELLATION_ID: &str = "/Document/FIToFIPmtCxlReq/Undrlyg/TxInf/CxlId";
        let references = references_to(view.assignment.id, version, &view.original)?;
        Ok(Recall {
            source: self.source,
            references,
            cancellation_id: typed(CancellationId::parse(view.cancellation_id), CANCELLATION_ID)?,
            instructing_agent: sender.ok_or_else(unbound)?.agent,
            reason_code: code(view.reason),
            original: self.lookups.by_uetr(&references.uetr),
        })
    }

    pub(super) fn resolution<'m>(
        &self,
        view: &view::Resolution<'m>,
        sender: Option<Sender>,
        version: MessageType,
    ) -> Result<Resolution, Breach<'m>> {
        const REASON: &str = "/Document/RsltnOfInvstgtn/CxlDtls/TxInfAndSts/CxlStsRsnInf/Rsn/Cd";
        let text = "a recall is refused with a reason";
        let reason = view.reason.ok_or(Breach::of_profile(
            REASON,
            "reason-when-refused",
            text,
            "CH21",
        ))?;
        Ok(Resolution {
            source: self.source,
            references: references_to(view.assignment.id, version, &view.original)?,
            instructing_agent: sender.ok_or_else(unbound)?.agent,
            reason_code: code(reason),
        })
    }

    pub(super) fn status_request<'m>(
        &self,
        view: &view::StatusRequest<'m>,
        sender: Option<Sender>,
        version: MessageType,
    ) -> Result<StatusRequest, Breach<'m>> {
        let sender = sender.ok_or_else(unbound)?;
        let references = references_to(view.message_id, version, &view.original)?;
        let key = keys::payment_key(sender.owner, view.original.transaction_id);
        Ok(StatusRequest {
            source: self.source,
            references,
            key,
            instructing_agent: sender.agent,
            original: self.history(&key, &references.uetr),
        })
    }
}

fn unbound<'a>() -> Breach<'a> {
    Breach::of_reason(Reason::UnboundSender, "/Document")
}
