//! Why a card transaction was declined or a card message refused. DE39 of a dialect is a table at the edge.

reasons! {
    /// Why a card transaction was declined or a card message refused, in order of precedence: the smallest that holds is the
    /// one given. The number is written to the journal and never reused, and no [`Reason`](crate::Reason) has it.
    CardReason {
        MalformedMessage = 501, "malformed-message", Peer, "The message does not follow its dialect.";
        ProfileViolation = 502, "profile-violation", Peer, "A field is missing, or one stands there that does not belong in this message.";
        CheckDigitWrong = 503, "check-digit-wrong", Peer, "The check digit of the card number is wrong.";
        CurrencyNotAllowed = 504, "currency-not-allowed", Peer, "The transaction is not in tenge.";
        FunctionNotSupported = 505, "function-not-supported", Peer, "The switch does not offer this function.";
        MacMissing = 511, "mac-missing", Peer, "The message has no MAC, which is agreed with this participant.";
        MacWrong = 512, "mac-wrong", Peer, "The MAC does not belong to this message.";
        MacUnavailable = 513, "mac-unavailable", Us, "The MAC could not be verified at the moment; send the message again.";
        NotMember = 521, "not-member", Operator, "The participant has no card profile.";
        NotSignedOn = 522, "not-signed-on", Peer, "The participant has not signed on.";
        AcquirerUnbound = 523, "acquirer-unbound", Peer, "The acquiring institution is not one of the sender's.";
        SenderNotActive = 524, "sender-not-active", Operator, "The sending participant is not active.";
        SenderSuspended = 525, "sender-suspended", Operator, "The sending participant is suspended.";
        RoleNotAllowed = 526, "role-not-allowed", Operator, "The participant does not have the role that sends this message.";
        TransmissionTime = 531, "transmission-time", Peer, "The transmission time is too long ago or ahead of the switch's clock.";
        Overloaded = 532, "overloaded", Us, "The switch's intake is full; send the message again a little later.";
        DuplicateMismatch = 533, "duplicate-mismatch", Peer, "The identifying fields were used before with different content; the first message stands.";
        Blocked = 534, "blocked", Peer, "A reversal of this transaction came before it.";
        RouteOutdated = 541, "route-outdated", Us, "The message was routed with a BIN table that no longer holds; send it again.";
        RouteUnknown = 542, "route-unknown", Peer, "No issuer is known for the card number.";
        RouteMismatch = 543, "route-mismatch", Us, "The card number is not in the range it was routed by.";
        IssuerNotActive = 551, "issuer-not-active", Operator, "The issuer is not active.";
        IssuerSuspended = 552, "issuer-suspended", Operator, "The issuer is suspended.";
        SameParticipant = 553, "same-participant", Peer, "Acquirer and issuer are one bank; decide it there.";
        ServiceNotAllowed = 561, "service-not-allowed", Operator, "The acquirer or the issuer does not take part in this service.";
        AmountNotAllowed = 562, "amount-not-allowed", Peer, "The amount is zero where it may not be, stands where it may not, or is less than its cash back.";
        CardLost = 571, "card-lost", Peer, "The issuer has the card on the stop list as lost.";
        CardStolen = 572, "card-stolen", Peer, "The issuer has the card on the stop list as stolen.";
        CardRestricted = 573, "card-restricted", Peer, "The issuer has the card on the stop list.";
        PinWrong = 581, "pin-wrong", Peer, "The PIN is wrong.";
        PinRefused = 582, "pin-refused", Peer, "The PIN block cannot be carried on: wrong key, wrong format, or a format that may not become another.";
        PinUnavailable = 583, "pin-unavailable", Us, "The PIN could not be processed at the moment; send the message again.";
        ChipWrong = 584, "chip-wrong", Peer, "The cryptogram of the chip is wrong.";
        NetDebitCap = 591, "net-debit-cap", Operator, "The issuer has reached its net debit cap.";
        InFlightFull = 601, "in-flight-full", Us, "Too many transactions are under way; send the message again a little later.";
        AuthorisationsFull = 602, "authorisations-full", Us, "No further authorisation can be remembered; send the message again later.";
        QueueFull = 603, "queue-full", Us, "Too much waits for the issuer already; send the message again later.";
        IssuerUnavailable = 611, "issuer-unavailable", Peer, "The issuer is signed off or has no link, and nobody may stand in for it.";
        IssuerSilent = 612, "issuer-silent", Peer, "The issuer did not answer in time, and nobody may stand in for it.";
        AnswerTooLate = 613, "answer-too-late", Peer, "The issuer answered too late for its answer to count.";
        AnswerUnverifiable = 614, "answer-unverifiable", Us, "The issuer's answer could not be verified.";
        StandInAmount = 621, "stand-in-amount", Peer, "The amount is above what the switch may approve for the issuer.";
        StandInCount = 622, "stand-in-count", Peer, "The card has reached the number or amount that the switch may approve for the issuer in a day.";
        StandInFloor = 623, "stand-in-floor", Peer, "The amount is above the floor limit of a chip whose cryptogram nobody can verify here.";
        IssuerDeclined = 631, "issuer-declined", Peer, "The issuer declined with its own code.";
        PartialNotSupported = 632, "partial-not-supported", Peer, "The issuer approved a part only, which the acquirer cannot use.";
        SchemeDeclined = 633, "scheme-declined", Peer, "The scheme declined with its own code.";
        SchemeUnavailable = 634, "scheme-unavailable", Peer, "The scheme's data are needed for this card and could not be had.";
        Restarted = 635, "restarted", Us, "The switch started again while the transaction was under way.";
        Reversed = 641, "reversed", Peer, "The acquirer reversed the transaction before it was decided.";
        OriginalUnknown = 651, "original-unknown", Peer, "The original transaction is not known.";
        BeyondMemory = 652, "beyond-memory", Peer, "The transaction is older than what the switch remembers; settle it by a dispute.";
        OriginalUndecided = 653, "original-undecided", Us, "The original transaction is not decided yet; send the message again.";
        OriginalMismatch = 654, "original-mismatch", Peer, "The message does not agree with the card or the service of the original transaction.";
        ReversalExceeds = 655, "reversal-exceeds", Peer, "The amount that is to stand is above what stands.";
        AuthorisationUnknown = 661, "authorisation-unknown", Peer, "There is no such authorisation, or its lifetime is over.";
        CompletionExceeds = 662, "completion-exceeds", Peer, "The completions together are above what was authorised.";
        SessionUnknown = 671, "session-unknown", Peer, "There is no such session, or it is no longer kept.";
        SessionOpen = 672, "session-open", Peer, "The session is still open; ask again after its cut-over.";
        StopListFull = 681, "stop-list-full", Us, "The stop list is full.";
        EntryUnknown = 682, "entry-unknown", Peer, "The card is not on the stop list.";
        EntryNotOwned = 683, "entry-not-owned", Peer, "The card is not one of the participant's.";
        RecipientUnknown = 691, "recipient-unknown", Peer, "The receiving institution is not a participant of card traffic.";
        InternalLimit = 701, "internal-limit", Us, "A named limit of the switch was reached.";
    }
}

#[cfg(test)]
mod tests;
