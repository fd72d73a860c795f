//! The lines of the day, in order. Each names the rows that it shows: of docs/outcomes.md, those about cards of docs/outcomes-cards.md,
//! those about presentments of docs/presentment.md, those about disputes of docs/disputes.md,
//! those about IMTS of docs/settlement.md, those about the clearing system of docs/clearing.md.

mod after;
mod ancillary;
mod cards;
mod clearing;
mod directory;
mod faults;
mod mass;
mod payments;
mod presentments;
mod qr;
mod rtgs;
mod statements;

use super::day::{Day, Told};

/// One line of the day.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub title: &'static str,
    /// Rows of docs/outcomes.md, or of docs/outcomes-cards.md.
    pub rows: &'static [&'static str],
    pub run: fn(&mut Day) -> Result<Told, String>,
}

/// All lines of instant payments.
pub const LINES: &[&Line] = &[
    &directory::REGISTER,
    &directory::LOOK_UP,
    &directory::LOOK_UP_MISS,
    &payments::BY_PHONE,
    &payments::BY_RESOLUTION,
    &payments::BY_ACCOUNT,
    &payments::CHOSEN_BANK,
    &payments::PHONE_UNKNOWN,
    &payments::SAME_BANK,
    &payments::WRONG_BANK_CODE,
    &payments::ABOVE_LIMIT,
    &payments::SHORT_OF_FUNDS,
    &payments::TOO_OLD,
    &payments::IN_FUTURE,
    &payments::REPEATED,
    &payments::REPEATED_DIFFERENTLY,
    &payments::OWN_ACCOUNTS,
    &payments::OWN_ACCOUNTS_DENIED,
    &payments::OWN_ACCOUNTS_OTHER,
    &mass::FILE,
    &faults::SHORT_CLOCKS,
    &faults::REJECTED,
    &faults::SLOW,
    &faults::REPEATED_IN_FLIGHT,
    &faults::SILENT,
    &faults::LATE,
    &faults::TWICE,
    &faults::WRONG_ID,
    &faults::GARBAGE,
    &faults::LINK_DOWN,
    &faults::LINK_DROPS,
    &faults::SUSPENDED,
    &faults::NOT_XML,
    &qr::STATIC,
    &qr::DYNAMIC,
    &qr::TWO_AT_ONCE,
    &qr::FREE_AGAIN,
    &qr::WRONG_AMOUNT,
    &qr::UNKNOWN,
    &qr::REFUND,
    &after::RETURNED,
    &after::RETURNED_TWICE,
    &after::RECALL_PAID_BACK,
    &after::RECALL_REFUSED,
    &after::RECALL_UNSETTLED,
    &after::STATUS_KNOWN,
    &after::STATUS_UNKNOWN,
    &directory::CLAIM,
    &directory::CONTEST,
    &directory::RECYCLED_NUMBER,
    &directory::FOREIGN_ENTRY,
    &faults::POWER_CUT,
    &directory::GUARD,
];

/// All lines of card traffic; they need a laboratory with a card side.
pub const CARD_LINES: &[&Line] = &[
    &cards::APPROVED,
    &cards::DECLINED,
    &cards::WRONG_PIN,
    &cards::SILENT,
    &cards::LATE,
    &cards::REPEATED,
    &cards::STAND_IN,
    &cards::PRE_AUTHORISED,
    &cards::PARTLY_REVERSED,
    &cards::REFUNDED,
    &cards::SCHEME_ASKED,
    &cards::SCHEME_CUT,
    &cards::HSM_STOPPED,
    &presentments::PRESENTED,
    &presentments::DISPUTED,
    &cards::CLOSED,
];

/// All lines of IMTS and of the clearing system, which settles in it; their rows are those of docs/settlement.md and docs/clearing.md.
pub const RTGS_LINES: &[&Line] = &[
    &rtgs::TRANSFER,
    &rtgs::RELEASED,
    &rtgs::GRIDLOCK,
    &clearing::SESSION,
    &ancillary::CARD_NETS,
    &ancillary::WEEKEND,
    &ancillary::RECONCILED,
    &statements::PRINTED,
];
