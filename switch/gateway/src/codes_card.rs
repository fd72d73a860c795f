//! DE39 of the national dialect: one code per reason of the card rail, and what an issuer's code means.
//!
//! The engine decides and names a [`CardReason`]; hosts know two-character codes. `docs/outcomes-cards.md` shows the same table to banks,
//! and a test keeps both and the dialect's own table equal. Codes of the 1993 dialect are translated from these (`codes_action.rs`).

use torap_domain::CardReason;
use torap_domain::card::ResponseCode;

macro_rules! codes {
    ($($reason:ident $code:literal;)+) => {
        /// DE39 for a reason. For [`CardReason::IssuerDeclined`] and [`CardReason::SchemeDeclined`] the code of the other side stands
        /// in its place; the one here is for a host that gave none.
        pub const fn response(reason: CardReason) -> ResponseCode {
            let code = match reason {
                $(CardReason::$reason => $code,)+
            };
            match ResponseCode::digits(code / 10, code % 10) {
                Some(code) => code,
                None => panic!("a code of the table has two digits"),
            }
        }
    };
}

codes! {
    MalformedMessage      30;
    ProfileViolation      30;
    CheckDigitWrong       14;
    CurrencyNotAllowed    12;
    FunctionNotSupported  40;
    MacMissing            63;
    MacWrong              63;
    MacUnavailable        96;
    NotMember             58;
    NotSignedOn           58;
    AcquirerUnbound       31;
    SenderNotActive       58;
    SenderSuspended       58;
    RoleNotAllowed        58;
    TransmissionTime      12;
    Overloaded            96;
    DuplicateMismatch     94;
    Blocked               21;
    RouteOutdated         96;
    RouteUnknown          15;
    RouteMismatch         96;
    IssuerNotActive       92;
    IssuerSuspended       91;
    SameParticipant       12;
    ServiceNotAllowed     57;
    AmountNotAllowed      13;
    CardLost              41;
    CardStolen            43;
    CardRestricted        62;
    PinWrong              55;
    PinRefused            63;
    PinUnavailable        96;
    ChipWrong              5;
    NetDebitCap           91;
    InFlightFull          96;
    AuthorisationsFull    96;
    QueueFull             96;
    IssuerUnavailable     91;
    IssuerSilent          91;
    AnswerTooLate         68;
    AnswerUnverifiable    96;
    StandInAmount         61;
    StandInCount          65;
    StandInFloor          91;
    IssuerDeclined         5;
    PartialNotSupported    5;
    SchemeDeclined         5;
    SchemeUnavailable     91;
    Restarted             91;
    Reversed              21;
    OriginalUnknown       25;
    BeyondMemory          25;
    OriginalUndecided     96;
    OriginalMismatch      12;
    ReversalExceeds       13;
    AuthorisationUnknown  25;
    CompletionExceeds     13;
    SessionUnknown        95;
    SessionOpen           95;
    StopListFull          96;
    EntryUnknown          25;
    EntryNotOwned         58;
    RecipientUnknown      31;
    InternalLimit         96;
}

/// What an issuer says with DE39.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Approved in full: `00`, and `85` of an account verification.
    Approved,
    /// Approved for the part of the amount that DE4 states: `10`.
    Part,
    /// Everything else; the code goes to the acquirer as it is.
    Declined,
}

/// What an issuer's code means. A code that nobody knows declines.
pub fn meaning(code: ResponseCode) -> Meaning {
    match &code.bytes() {
        b"00" | b"85" => Meaning::Approved,
        b"10" => Meaning::Part,
        _ => Meaning::Declined,
    }
}

#[cfg(test)]
mod tests;
