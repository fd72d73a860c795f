//! Reasons of the switch as ISO 20022 external codes: one table, here at the edge.
//!
//! Why it exists: the engine speaks of reasons, banks read codes. A code is chosen from the external code set of the
//! element that carries it, so one reason has a code for each message that can give it. docs/outcomes.md shows the same
//! table, and a test keeps the two equal. It never decides anything.

use torap_domain::Reason;

/// Declares the table: every reason on one line, no line for anything else.
macro_rules! codes {
    ($($reason:ident $status:literal $cancellation:literal $verification:literal;)+) => {
        /// Code for `StsRsnInf/Rsn/Cd` of pacs.002 and `Rsn/RjctgPtyRsn` of admi.002 (ExternalStatusReason1Code).
        pub const fn status(reason: Reason) -> &'static str {
            match reason {
                $(Reason::$reason => $status,)+
            }
        }

        /// Code for `CxlStsRsnInf/Rsn/Cd` of camt.029 (ExternalPaymentCancellationRejection1Code).
        pub const fn cancellation(reason: Reason) -> &'static str {
            match reason {
                $(Reason::$reason => $cancellation,)+
            }
        }

        /// Code for `Rpt/Rsn/Cd` of acmt.024 (ExternalVerificationReason1Code).
        pub const fn verification(reason: Reason) -> &'static str {
            match reason {
                $(Reason::$reason => $verification,)+
            }
        }
    };
}

// Reason, pacs.002 and admi.002, camt.029, acmt.024. NARR and MS03 (reason not specified) are the last resort; the
// sentence of the reason stands beside the code wherever the message has room for it. The code of ReceiverRejected is
// the payee's bank's own; the one here is for a bank that gave none.
codes! {
    MalformedMessage        "FF01" "NARR" "FF01";
    ProfileViolation        "CH16" "NARR" "FF01";
    WrongMode               "DS28" "NARR" "DS28";
    UnboundSender           "AG08" "AGNT" "AGNT";
    UnknownParticipant      "RC02" "AGNT" "AGNT";
    NotTechnicalSender      "AG08" "AGNT" "AGNT";
    Overloaded              "ED06" "NARR" "NORR";
    RetryLater              "AB10" "NARR" "NORR";
    PieceOutOfOrder         "NARR" "NARR" "MS03";
    DuplicateMismatch       "AM05" "NARR" "DUPL";
    DuplicateReplay         "AM05" "NARR" "DUPL";
    Tombstoned              "AG09" "NOOR" "MS03";
    SenderNotActive         "DNOR" "AGNT" "BNOR";
    SenderSuspended         "AG10" "AGNT" "BNOR";
    ReceiverNotActive       "CNOR" "AGNT" "RC04";
    ReceiverSuspended       "AG11" "AGNT" "RC04";
    SameParticipant         "AG12" "NARR" "MS03";
    AcceptanceTooOld        "TM01" "NARR" "TM01";
    AcceptanceInFuture      "TM01" "NARR" "TM01";
    ValueDateNotAllowed     "DT01" "NARR" "MS03";
    ServiceNotAllowed       "AG03" "NARR" "BNOR";
    AliasUnknown            "BE23" "NARR" "AC01";
    AliasSuspended          "AC06" "NARR" "AG01";
    AliasChanged            "AC15" "NARR" "NORR";
    LookupRefused           "AG01" "NARR" "NR01";
    OwnAccountsMismatch     "BE01" "NARR" "PI01";
    AccountBankMismatch     "AGNT" "AGNT" "AGNT";
    PurposeAccountMismatch  "AC03" "NARR" "MS03";
    PurposeListMismatch     "RR07" "NARR" "MS03";
    AmountZero              "AM01" "NARR" "MS03";
    AmountAboveServiceLimit "AM02" "NARR" "MS03";
    CustomerDayLimit        "AM14" "NARR" "MS03";
    CustomerDayCount        "AM21" "NARR" "MS03";
    ParticipantDayLimit     "AM13" "NARR" "MS03";
    CustomerTableFull       "ED06" "NARR" "NORR";
    QrUnknown               "IRNR" "NARR" "MS03";
    QrExpired               "AEXR" "NARR" "MS03";
    QrAmountMismatch        "AM09" "NARR" "MS03";
    QrInProgress            "ALAC" "NARR" "MS03";
    QrAlreadyPaid           "APAR" "NARR" "MS03";
    QrMerchantMismatch      "BE01" "NARR" "MS03";
    OriginalUnknown         "AG09" "NOOR" "MS03";
    OriginalNotSettled      "FF12" "NARR" "MS03";
    OriginalMismatch        "NARR" "NARR" "MS03";
    ReturnNotAllowed        "AG13" "NARR" "MS03";
    ReturnAmountExceeds     "AM09" "NARR" "MS03";
    AlreadyReturned         "FF12" "ARDT" "MS03";
    ReturnWindowClosed      "DT05" "NARR" "MS03";
    RecallReasonUnknown     "CH16" "NARR" "MS03";
    RecallWindowClosed      "DT05" "NARR" "MS03";
    RecallInProgress        "DUPL" "NARR" "MS03";
    SessionClosed           "TM01" "PTNA" "MS03";
    ReceiverOffline         "AB08" "NARR" "NORR";
    InFlightFull            "ED06" "NARR" "NORR";
    InsufficientFunds       "AM04" "AM04" "MS03";
    ReceiverTimeout         "AB05" "NOAS" "NORR";
    SwitchTimeout           "AB06" "NOAS" "NORR";
    ReceiverRejected        "MS03" "AGNT" "NR01";
    ConfirmationRefused     "BE01" "NARR" "PI01";
    LatestTimePassed        "TM01" "NARR" "MS03";
    CutOffPassed            "TM01" "NARR" "MS03";
    NotReceived             "AG09" "NOOR" "MS03";
    ItemWithdrawn           "DS02" "ARDT" "MS03";
    OperatorRefused         "AG01" "NARR" "MS03";
    EntryNotOwned           "AG08" "NARR" "MS03";
    EntryExists             "DU03" "NARR" "DUPL";
    EntryUnknown            "BE23" "NARR" "AC01";
    ClaimOpen               "RCON" "NARR" "MS03";
    ClaimUnknown            "BE23" "NARR" "MS03";
    ConsentMissing          "CH21" "NARR" "MS03";
    ImtsClosed              "TM01" "NARR" "MS03";
    QueuedPaymentUnknown    "AG09" "NOOR" "MS03";
    ResolutionStale         "AB10" "NARR" "NORR";
    InternalLimit           "AB10" "NARR" "NORR";
}

#[cfg(test)]
mod tests;
