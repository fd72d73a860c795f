//! Why a payment or a request was refused: one numbered list, its order the order of precedence.
//!
//! A refusal is a value, not an error. When several reasons hold, the first in this list is the one given, so that
//! every implementation and every replay gives the same answer. Codes of a scheme (ISO 20022 status reasons, field
//! 39 of a card message) are not here: they are tables at the edge, one per dialect.

use std::fmt;

/// Who has to act on a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A participant: the sender of the message or the payee's bank.
    Peer,
    /// The operator of the switch.
    Operator,
    /// The switch itself and those who build it.
    Us,
}

impl Actor {
    /// Kebab-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Actor::Peer => "peer",
            Actor::Operator => "operator",
            Actor::Us => "us",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

reasons! {
    /// Why something was refused, in order of precedence: the smallest that holds is the one given. The number
    /// is written to the journal and never reused.
    Reason {
        MalformedMessage = 101, "malformed-message", Peer, "The message is not well-formed or not valid against its schema.";
        ProfileViolation = 102, "profile-violation", Peer, "The message breaks the national usage table.";
        WrongMode = 103, "wrong-mode", Peer, "The message's mode, test or live, is not the mode of the link.";
        UnboundSender = 111, "unbound-sender", Peer, "The sender named in the message is not bound to this session.";
        UnknownParticipant = 112, "unknown-participant", Peer, "An agent in the message is not a participant.";
        NotTechnicalSender = 113, "not-technical-sender", Peer, "The session's owner is not the technical sender of the instructing participant.";
        Overloaded = 121, "overloaded", Us, "The switch's intake is full; send the message again a little later.";
        RetryLater = 122, "retry-later", Us, "The facts gathered for this message are older than the state allows; send it again.";
        PieceOutOfOrder = 123, "piece-out-of-order", Peer, "The piece is not the next one of its file, or the file is complete.";
        DuplicateMismatch = 131, "duplicate-mismatch", Peer, "The identifier was used before with different content; the original is untouched.";
        DuplicateReplay = 132, "duplicate-replay", Peer, "The same payment was received before; its first answer applies.";
        Tombstoned = 133, "tombstoned", Peer, "A status query had this identifier declared never received, so it can no longer be used.";
        SenderNotActive = 141, "sender-not-active", Operator, "The sending participant is not active.";
        SenderSuspended = 142, "sender-suspended", Operator, "Payments from the sending participant are suspended.";
        ReceiverNotActive = 143, "receiver-not-active", Operator, "The receiving participant is not active.";
        ReceiverSuspended = 144, "receiver-suspended", Operator, "Payments to the receiving participant are suspended.";
        SameParticipant = 145, "same-participant", Peer, "Both sides of the payment are in one bank; settle it there.";
        AcceptanceTooOld = 151, "acceptance-too-old", Peer, "The acceptance time is too long ago for the payment to finish in time.";
        AcceptanceInFuture = 152, "acceptance-in-future", Peer, "The acceptance time is further ahead of the switch's clock than allowed.";
        ValueDateNotAllowed = 153, "value-date-not-allowed", Peer, "The value date is no business day, has been cleared, or lies too far ahead.";
        ServiceNotAllowed = 161, "service-not-allowed", Operator, "The participant may not use this service.";
        AliasUnknown = 162, "alias-unknown", Peer, "The phone number is not in the directory.";
        AliasSuspended = 163, "alias-suspended", Operator, "The phone number is suspended in the directory until it is released.";
        AliasChanged = 164, "alias-changed", Peer, "The directory entry changed since the look-up; look it up again.";
        LookupRefused = 165, "lookup-refused", Peer, "Too many look-ups in a short time; the participant must wait.";
        OwnAccountsMismatch = 166, "own-accounts-mismatch", Peer, "The two accounts do not belong to the same person.";
        AccountBankMismatch = 167, "account-bank-mismatch", Peer, "The bank code in the payee's account is not one of the payee's bank.";
        PurposeAccountMismatch = 168, "purpose-account-mismatch", Peer, "A payment of this purpose goes to other accounts, those of the Treasury or of a fund.";
        PurposeListMismatch = 169, "purpose-list-mismatch", Peer, "A payment of this purpose comes with a list of beneficiaries, or without one.";
        AmountZero = 171, "amount-zero", Peer, "The amount is zero.";
        AmountAboveServiceLimit = 172, "amount-above-service-limit", Peer, "The amount is above the limit for one payment of this service.";
        CustomerDayLimit = 173, "customer-day-limit", Peer, "The payment would take the customer above the limit of amounts for the day.";
        CustomerDayCount = 174, "customer-day-count", Peer, "The payment would take the customer above the number of payments for the day.";
        ParticipantDayLimit = 175, "participant-day-limit", Operator, "The payment would take the participant above its limit for the day.";
        CustomerTableFull = 176, "customer-table-full", Us, "The switch cannot count another customer today.";
        QrUnknown = 181, "qr-unknown", Peer, "The QR code is not known.";
        QrExpired = 182, "qr-expired", Peer, "The QR code has expired.";
        QrAmountMismatch = 183, "qr-amount-mismatch", Peer, "The amount is not the amount of the QR code.";
        QrInProgress = 184, "qr-in-progress", Peer, "Another payment of this QR code is under way.";
        QrAlreadyPaid = 185, "qr-already-paid", Peer, "The QR code has been paid.";
        QrMerchantMismatch = 186, "qr-merchant-mismatch", Peer, "The payee is not the merchant of the QR code.";
        OriginalUnknown = 201, "original-unknown", Peer, "The original payment is not known.";
        OriginalNotSettled = 202, "original-not-settled", Peer, "The original payment was not settled.";
        OriginalMismatch = 203, "original-mismatch", Peer, "The message does not agree with the parties or amount of the original payment.";
        ReturnNotAllowed = 204, "return-not-allowed", Peer, "A return of this kind is not allowed for this service.";
        ReturnAmountExceeds = 205, "return-amount-exceeds", Peer, "The returns together would be above the original amount.";
        AlreadyReturned = 206, "already-returned", Peer, "The original payment has been returned in full.";
        ReturnWindowClosed = 207, "return-window-closed", Peer, "The time in which the payment could be returned has passed.";
        RecallReasonUnknown = 208, "recall-reason-unknown", Peer, "The reason given for the recall is not in the table of recall reasons.";
        RecallWindowClosed = 209, "recall-window-closed", Peer, "The time in which the payment could be recalled for this reason has passed.";
        RecallInProgress = 210, "recall-in-progress", Peer, "A recall of this payment is waiting for its answer.";
        SessionClosed = 211, "session-closed", Peer, "The session of the item has closed, so it can no longer be withdrawn.";
        ReceiverOffline = 221, "receiver-offline", Peer, "The payee's bank has no link to the switch at the moment.";
        InFlightFull = 222, "in-flight-full", Us, "Too many payments are under way; send the message again a little later.";
        InsufficientFunds = 223, "insufficient-funds", Peer, "The payer's bank does not have enough on its position.";
        ReceiverTimeout = 231, "receiver-timeout", Peer, "The payment was delivered to the payee's bank, which did not answer in time.";
        SwitchTimeout = 232, "switch-timeout", Us, "The switch could not finish the payment before its own deadline.";
        ReceiverRejected = 233, "receiver-rejected", Peer, "The payee's bank rejected the payment with its own code.";
        ConfirmationRefused = 234, "confirmation-refused", Peer, "The payee's bank did not confirm the payee.";
        LatestTimePassed = 235, "latest-time-passed", Peer, "The payment was not settled before its latest time.";
        CutOffPassed = 236, "cut-off-passed", Peer, "The cut-off for payments of this priority has passed for the day.";
        NotReceived = 241, "not-received", Peer, "The payment asked about was never received; it can no longer arrive.";
        ItemWithdrawn = 242, "item-withdrawn", Peer, "The item was withdrawn before its session closed.";
        OperatorRefused = 251, "operator-refused", Operator, "The operator's rules refuse this request.";
        EntryNotOwned = 252, "entry-not-owned", Peer, "The directory entry belongs to another participant.";
        EntryExists = 253, "entry-exists", Peer, "The directory entry exists already.";
        EntryUnknown = 254, "entry-unknown", Peer, "There is no such directory entry.";
        ClaimOpen = 255, "claim-open", Peer, "A claim on this directory entry is open.";
        ClaimUnknown = 256, "claim-unknown", Peer, "There is no such claim.";
        ConsentMissing = 257, "consent-missing", Peer, "The customer's consent reference is missing.";
        ImtsClosed = 258, "imts-closed", Operator, "IMTS is closed: no business day is open.";
        QueuedPaymentUnknown = 259, "queued-payment-unknown", Peer, "No payment with this identifier waits in the queue.";
        ResolutionStale = 260, "resolution-stale", Us, "The queue has changed since the resolution was found; nothing was settled.";
        InternalLimit = 261, "internal-limit", Us, "A named limit of the switch was reached.";
    }
}

#[cfg(test)]
mod tests;
