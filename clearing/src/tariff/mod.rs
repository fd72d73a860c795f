//! Tariffs: what the switch charges its participants for what it did.
//!
//! A [`Table`] is rows and monthly minimums. For each side of what was done the first row that fits counts, and no other; a row
//! says which item, which side, whose, which amounts and which hours it is about, and what is charged. All is integer
//! arithmetic in minor units; the part by amount is rounded half up, once, for each transaction.
//!
//! [`Table::charges`] prices one [`Usage`]; [`Invoice`] sums a period up. Both are pure: the same usages in any order give the
//! same invoice.

mod invoice;

pub use invoice::{Due, Invoice, Line, LineKey};

use std::fmt;

use torap_domain::{Asset, Date, Money, ParticipantId, Position, Time};

/// Rows of a table, at most.
pub const ROWS_MAX: usize = 1024;
/// Monthly minimums of a table, at most.
pub const MINIMA_MAX: usize = 1024;
/// Services of one kind that are noted at once, at most.
pub const COUNT_MAX: u32 = 1_000_000;
/// The largest fixed part and bound of a rate, and the largest minimum: 10 billion tenge.
pub const FEE_MAX: u64 = 1_000_000_000_000;
/// The most that is charged for a kilobyte: 10 million tenge.
pub const PER_KB_MAX: u64 = 1_000_000_000;
/// Parts in a whole.
const MILLION: u128 = 1_000_000;
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 1440;
const KILOBYTE: u64 = 1024;

macro_rules! items {
    ($($(#[$meta:meta])* $variant:ident = $number:literal, $name:literal, $of:ident;)+) => {
        /// What is charged for. The number is stored; it is never used again for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Item {
            $($(#[$meta])* $variant = $number,)+
        }

        impl Item {
            /// Every item, by number.
            pub const ALL: &'static [Item] = &[$(Item::$variant,)+];

            /// Kebab-case name, as files and invoices have it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Item::$variant => $name,)+
                }
            }

            /// What is known of it, and so what may decide its price.
            pub const fn measure(self) -> Measure {
                match self {
                    $(Item::$variant => Measure::$of,)+
                }
            }
        }
    };
}

items! {
    /// A settled payment by phone number.
    C2cPhone = 1, "c2c-phone", Transfer;
    /// A settled payment by account.
    C2cAccount = 2, "c2c-account", Transfer;
    /// A settled payment between a customer's own accounts.
    Me2Me = 3, "me2me", Transfer;
    /// A settled QR purchase.
    Qr = 4, "qr", Transfer;
    /// A payment of the instant rail that was rejected.
    Rejected = 5, "rejected", Transfer;
    /// A settled return.
    Return = 6, "return", Transfer;
    /// A recall that was passed on: a cancellation of the instant rail.
    Recall = 7, "recall", Request;
    /// A look-up that was answered with a name.
    LookUp = 8, "look-up", Request;
    /// A status query.
    StatusQuery = 9, "status-query", Request;
    /// Every message on a participant's link, by its size.
    Message = 10, "message", Message;
    /// An item that a session settled.
    IcsItem = 11, "ics-item", Transfer;
    /// An item that a session left out.
    IcsLeftOut = 12, "ics-left-out", Transfer;
    /// An item that was withdrawn.
    IcsCancellation = 13, "ics-cancellation", Transfer;
    /// A settled payment in IMTS.
    RtgsPayment = 14, "rtgs-payment", Transfer;
    /// A payment that was withdrawn from the queue of IMTS.
    RtgsCancellation = 15, "rtgs-cancellation", Transfer;
    /// A transfer between settlement account and position.
    LiquidityTransfer = 16, "liquidity-transfer", Movement;
    /// A duplicate of a document.
    Duplicate = 17, "duplicate", Service;
    /// A statement on request.
    Statement = 18, "statement", Service;
    /// An extract from the archive.
    Archive = 19, "archive", Service;
}

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// An amount, a sender and a receiver.
    Transfer,
    /// An amount and one participant.
    Movement,
    /// One participant.
    Request,
    /// Bytes and one participant.
    Message,
    /// One participant, and how many; noted by the operator.
    Service,
}

/// Who is charged. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Whoever paid, asked, sent or ordered.
    Sender = 1,
    /// Whoever was paid.
    Receiver = 2,
}

/// What is charged: `fixed`, and a part of the amount, and for each kilobyte begun, but not below `least` nor above `most`.
/// Amounts in minor units of KZT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    pub fixed: u64,
    /// Of the amount: 1,000 is 0.1 %.
    pub millionths: u32,
    pub per_kb: u64,
    pub least: u64,
    pub most: Option<u64>,
}

/// One row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub item: Item,
    pub pays: Side,
    /// Only for this participant.
    pub participant: Option<ParticipantId>,
    /// Amounts it is about, both included, in minor units of KZT.
    pub amount_from: u64,
    pub amount_to: u64,
    /// Minutes of the day (UTC+5) it is about, the first included; from 0 to [`DAY_MINUTES`].
    pub minute_from: u16,
    pub minute_until: u16,
    pub rate: Rate,
}

/// What a participant is charged for a month at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// Only for this participant.
    pub participant: Option<ParticipantId>,
    /// In minor units of KZT.
    pub amount: u64,
}

/// A sound tariff table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Row>,
    minima: Vec<Minimum>,
}

/// Why rows and minimums are no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableError {
    /// Which row, or which minimum; from 0.
    pub place: Place,
    pub rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Row(usize),
    Minimum(usize),
}

/// What a table must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// More rows, or more minimums, than may be.
    TooMany,
    /// `amount_from` is above `amount_to`.
    AmountOrder,
    /// The hours are empty, or pass the end of the day.
    Hours,
    /// A fixed part, bound, minimum or price of a kilobyte is larger than may be.
    TooLarge,
    /// More than the whole amount.
    AboveWhole,
    /// `most` is below `least`.
    BoundsOrder,
    /// The item has no amount, so no row may depend on one.
    NoAmount,
    /// The item has no size, so no row may charge for kilobytes.
    NoSize,
    /// The item has no receiver.
    NoReceiver,
    /// A row before it takes everything that it is about.
    Unreachable { before: usize },
}

/// Something that was done for participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The record that did it.
    pub position: Position,
    pub at: Time,
    pub item: Item,
    pub sender: ParticipantId,
    /// The switch, if there is none.
    pub receiver: ParticipantId,
    /// In minor units of KZT; 0 if there is none.
    pub amount: u64,
    /// 0 if there is no message.
    pub bytes: u32,
    /// 1, but for services: 1 to [`COUNT_MAX`].
    pub count: u32,
}

/// What one side of a usage is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    pub participant: ParticipantId,
    pub side: Side,
    /// The row that counted.
    pub row: u16,
    /// In minor units of KZT.
    pub fee: u64,
}

impl Item {
    /// The item of a stored number.
    pub fn from_number(number: u8) -> Option<Item> {
        Item::ALL.iter().copied().find(|item| *item as u8 == number)
    }

    /// The item of a name.
    pub fn from_name(name: &str) -> Option<Item> {
        Item::ALL.iter().copied().find(|item| item.name() == name)
    }
}

impl Measure {
    const fn has_amount(self) -> bool {
        matches!(self, Measure::Transfer | Measure::Movement)
    }
}

impl Side {
    pub const ALL: [Side; 2] = [Side::Sender, Side::Receiver];

    /// As files and invoices have it.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Sender => "sender",
            Side::Receiver => "receiver",
        }
    }

    /// The side of a stored number.
    pub fn from_number(number: u8) -> Option<Side> {
        Side::ALL.into_iter().find(|side| *side as u8 == number)
    }
}

impl Rate {
    /// The fee for one: in minor units of KZT.
    pub fn of(&self, amount: u64, bytes: u32) -> u64 {
        let part = u128::from(amount).saturating_mul(u128::from(self.millionths));
        let part = part.saturating_add(MILLION / 2) / MILLION;
        let kilobytes = u64::from(bytes).div_ceil(KILOBYTE);
        let size = u128::from(self.per_kb).saturating_mul(u128::from(kilobytes));
        let fee = u128::from(self.fixed)
            .saturating_add(part)
            .saturating_add(size)
            .max(u128::from(self.least));
        let fee = self.most.map_or(fee, |most| fee.min(u128::from(most)));
        // A fixed part, kilobytes and an amount, each far below half of it.
        u64::try_from(fee).unwrap_or(u64::MAX)
    }

    fn check(&self, measure: Measure) -> Result<(), Rule> {
        let bounds = [self.fixed, self.least, self.most.unwrap_or(0)];
        if bounds.into_iter().any(|fee| fee > FEE_MAX) || self.per_kb > PER_KB_MAX {
            return Err(Rule::TooLarge);
        }
        if u128::from(self.millionths) > MILLION {
            return Err(Rule::AboveWhole);
        }
        if self.most.is_some_and(|most| most < self.least) {
            return Err(Rule::BoundsOrder);
        }
        if self.millionths > 0 && !measure.has_amount() {
            return Err(Rule::NoAmount);
        }
        if self.per_kb > 0 && measure != Measure::Message {
            return Err(Rule::NoSize);
        }
        Ok(())
    }
}

impl Row {
    fn check(&self) -> Result<(), Rule> {
        let measure = self.item.measure();
        if self.amount_from > self.amount_to {
            return Err(Rule::AmountOrder);
        }
        if self.minute_from >= self.minute_until || self.minute_until > DAY_MINUTES {
            return Err(Rule::Hours);
        }
        let any_amount = self.amount_from == 0 && self.amount_to == u64::MAX;
        if !any_amount && !measure.has_amount() {
            return Err(Rule::NoAmount);
        }
        if self.pays == Side::Receiver && measure != Measure::Transfer {
            return Err(Rule::NoReceiver);
        }
        self.rate.check(measure)
    }

    /// Whether everything that `other` is about is about this row too.
    fn covers(&self, other: &Row) -> bool {
        self.item == other.item
            && self.pays == other.pays
            && (self.participant.is_none() || self.participant == other.participant)
            && self.amount_from <= other.amount_from
            && self.amount_to >= other.amount_to
            && self.minute_from <= other.minute_from
            && self.minute_until >= other.minute_until
    }

    fn fits(&self, usage: &Usage, side: Side, participant: ParticipantId, minute: u16) -> bool {
        self.item == usage.item
            && self.pays == side
            && self.participant.is_none_or(|only| only == participant)
            && (self.amount_from..=self.amount_to).contains(&usage.amount)
            && (self.minute_from..self.minute_until).contains(&minute)
    }
}

impl Table {
    /// The table of these rows and minimums, in their order.
    ///
    /// # Errors
    /// The first place that breaks a rule.
    pub fn new(rows: Vec<Row>, minima: Vec<Minimum>) -> Result<Table, TableError> {
        let at = |place| move |rule| TableError { place, rule };
        if rows.len() > ROWS_MAX {
            return Err(at(Place::Row(ROWS_MAX))(Rule::TooMany));
        }
        if minima.len() > MINIMA_MAX {
            return Err(at(Place::Minimum(MINIMA_MAX))(Rule::TooMany));
        }
        for (place, row) in rows.iter().enumerate() {
            row.check().map_err(at(Place::Row(place)))?;
            let before = rows.iter().take(place).position(|other| other.covers(row));
            if let Some(before) = before {
                return Err(at(Place::Row(place))(Rule::Unreachable { before }));
            }
        }
        for (place, minimum) in minima.iter().enumerate() {
            if minimum.amount > FEE_MAX {
                return Err(at(Place::Minimum(place))(Rule::TooLarge));
            }
            let covers = |other: &Minimum| {
                other.participant.is_none() || other.participant == minimum.participant
            };
            if let Some(before) = minima.iter().take(place).position(covers) {
                return Err(at(Place::Minimum(place))(Rule::Unreachable { before }));
            }
        }
        Ok(Table { rows, minima })
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn minima(&self) -> &[Minimum] {
        &self.minima
    }

    /// What both sides are charged, the sender first. Nobody is charged where no row fits, and the switch never.
    pub fn charges(&self, usage: &Usage) -> impl Iterator<Item = Charge> + '_ {
        let sides = [
            (Side::Sender, usage.sender),
            (Side::Receiver, usage.receiver),
        ];
        let usage = *usage;
        sides
            .into_iter()
            .filter(|(_, participant)| *participant != ParticipantId::SWITCH)
            .filter_map(move |(side, participant)| self.charge(&usage, side, participant))
    }

    /// What a participant is charged for a month at least, in minor units of KZT.
    pub fn minimum(&self, participant: ParticipantId) -> u64 {
        let fits = |minimum: &&Minimum| minimum.participant.is_none_or(|only| only == participant);
        self.minima
            .iter()
            .find(fits)
            .map_or(0, |minimum| minimum.amount)
    }

    fn charge(&self, usage: &Usage, side: Side, participant: ParticipantId) -> Option<Charge> {
        let minute = minute_of_day(usage.at);
        let fits = |row: &Row| row.fits(usage, side, participant, minute);
        let place = self.rows.iter().position(fits)?;
        let row = self.rows.get(place)?;
        let one = row.rate.of(usage.amount, usage.bytes);
        Some(Charge {
            participant,
            side,
            row: u16::try_from(place).unwrap_or(u16::MAX),
            fee: one.saturating_mul(u64::from(usage.count)),
        })
    }
}

/// Minutes since local midnight (UTC+5).
pub fn minute_of_day(at: Time) -> u16 {
    let midnight = Date::from_time(at).start().unwrap_or(Time::EPOCH);
    let minutes = at.saturating_since(midnight).secs() / 60;
    u16::try_from(minutes).unwrap_or(0)
}

/// What a fee is as money.
pub fn money(minor: u64) -> Money {
    Money::from_minor(minor, Asset::Kzt)
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Row(place) => write!(formatter, "charge[{place}]"),
            Place::Minimum(place) => write!(formatter, "minimum[{place}]"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::TooMany => write!(
                formatter,
                "at most {ROWS_MAX} charges and {MINIMA_MAX} minimums"
            ),
            Rule::AmountOrder => formatter.write_str("amount_from is above amount_to"),
            Rule::Hours => formatter.write_str("from is before until, and until is at most 24:00"),
            Rule::TooLarge => write!(
                formatter,
                "fixed, least, most and a minimum are at most {}, per_kb at most {}",
                FEE_MAX / 100,
                PER_KB_MAX / 100
            ),
            Rule::AboveWhole => formatter.write_str("millionths are at most 1000000"),
            Rule::BoundsOrder => formatter.write_str("most is below least"),
            Rule::NoAmount => {
                formatter.write_str("the item has no amount: no bands and no millionths")
            }
            Rule::NoSize => formatter.write_str("only `message` has a size: no per_kb"),
            Rule::NoReceiver => {
                formatter.write_str("the item has no receiver: only the sender pays")
            }
            Rule::Unreachable { before } => {
                write!(formatter, "it never counts: number {before} takes it all")
            }
        }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.rule)
    }
}

impl std::error::Error for TableError {}

#[cfg(test)]
mod tests;
