//! What the operator sets: clocks, bounds, members, BIN ranges, fees, stand-in rules, schemes, lifetimes.

use torap_domain::{
    CardService, Money, ParticipantId, Span, Text, Time,
    card::{Channel, InstitutionId, Mcc, Prefix},
};

use super::Side;

/// Rows of the BIN table.
pub const RANGES_MAX: usize = 65_536;
/// Rows of the fee table.
pub const FEE_ROWS_MAX: usize = 4_096;
/// Rows of the table of lifetimes.
pub const LIFETIME_ROWS_MAX: usize = 1_024;
/// The highest number of a stand-in rule.
pub const STAND_IN_NUMBER_MAX: u16 = 1_024;
/// The highest number of a foreign scheme.
pub const SCHEME_NUMBER_MAX: u8 = 15;
/// Institutions of one member.
pub const INSTITUTIONS_MAX: usize = 16;
/// Connections of one member at once.
pub const LINKS_MAX: usize = 16;
/// Sessions that are kept, settled or not.
pub const SESSIONS_MAX: usize = 400;

/// A set of services, by [`CardService::bit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Services(pub u16);

/// A set of channels, by [`Channel::bit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels(pub u8);

/// Clocks and rules of the rail; engine state, changed by command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A request from its record to its answer, whatever was asked meanwhile. 20 s.
    pub whole_within: Span,
    /// The issuer, from the record that sends to it. 12 s.
    pub issuer_within: Span,
    /// The first of a queue, until it is sent again. 15 s; it doubles with each repeat up to the next.
    pub queue_within: Span,
    /// 5 min.
    pub queue_within_max: Span,
    /// How far DE7 may lie ahead of the switch's clock. 5 min.
    pub transmission_ahead_max: Span,
    /// How old DE7 of a request may be. 1 h. Advices and reversals may be older.
    pub transmission_age_max: Span,
    /// When the session ends, from midnight UTC+5; none: by command only. 20:00.
    pub cut_over_at: Option<Span>,
    /// A member is told when its net debit reaches this part of its cap. 80.
    pub cap_alert_percent: u8,
    /// What is declined if it would take its issuer above the cap: requests of class 02 alone. Every service that debits.
    pub cap_declines: Services,
    pub bounds: Bounds,
}

/// How much the rail remembers, each a number of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Requests under way; more are refused with `InFlightFull`.
    pub in_flight_max: u32,
    /// Decided transactions, for repeats and reversals.
    pub window_entries: u32,
    /// Authorisations that may still be completed; more are refused with `AuthorisationsFull`.
    pub authorisations_max: u32,
    /// Letters that wait for one member.
    pub queue_max: u32,
    /// Cards on the stop list.
    pub stop_list_max: u32,
    /// Cards counted for stand-in in a day; there is no stand-in for more.
    pub stand_in_cards_max: u32,
}

/// What the operator sets about a participant of card traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub roles: Roles,
    /// DE32 of its own messages as acquirer; DE100 leads to it.
    pub institutions: Vec<InstitutionId>,
    /// The member whose connections and sign-on reach it, for a bank at a processing centre; none: its own.
    pub host: Option<ParticipantId>,
    /// Name of its dialect.
    pub dialect: Text<35>,
    /// Every message carries a MAC, both ways.
    pub mac: bool,
    /// Set of zone keys that messages to it are made with; those of the set before are still taken.
    pub key_set: u16,
    /// Services that it sends as acquirer and takes as issuer.
    pub services: Services,
    /// What its posted obligations may come to, net; none: no cap.
    pub cap: Option<Money>,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    pub acquirer: bool,
    pub issuer: bool,
    /// The host of a foreign scheme; it acquires and issues nothing.
    pub scheme: bool,
}

/// A row of the BIN table. Of rows that hold a card number the one with the longest prefix counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinRange {
    pub prefix: Prefix,
    pub issuer: ParticipantId,
    /// The operator's number of the product, for fees.
    pub product: u8,
    /// The foreign scheme that is asked for its data; 0: none.
    pub scheme: u8,
    /// Cards of the local instrument: no foreign scheme ever hears of them.
    pub local: bool,
    /// The rule by which the switch stands in; 0: it never does.
    pub stand_in: u16,
    /// The row holds from here, and up to but not at `until`.
    pub from: Time,
    pub until: Option<Time>,
}

/// By what the switch approves for an issuer that cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn {
    pub services: Services,
    pub channels: Channels,
    /// One transaction.
    pub amount_max: Money,
    /// One card in a day of UTC+5.
    pub day_amount_max: Money,
    pub day_count_max: u32,
    /// The HSM holds the keys to verify PINs of these cards. Without it nothing with a PIN and nothing at an ATM is approved.
    pub pin_delegated: bool,
    /// The HSM holds the keys to verify cryptograms of these cards. Without it chips are approved up to the floor limit.
    pub cryptogram_keys: bool,
    pub floor: Money,
}

/// A foreign scheme's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    pub host: ParticipantId,
    /// From the request's record. 800 ms.
    pub within: Span,
    /// It is asked about requests of these channels, and about every token.
    pub channels: Channels,
    /// Whether a transaction goes on when the host is away or silent.
    pub without: Without,
}

/// What a missing enrichment means. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Without {
    CarryOn = 1,
    Decline = 2,
}

/// A row of the fee table. What is not stated fits everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRow {
    pub product: Option<u8>,
    pub service: Option<CardService>,
    pub channel: Option<Channel>,
    /// Both included.
    pub mcc_from: Mcc,
    pub mcc_to: Mcc,
    /// Both included.
    pub amount_from: Money,
    pub amount_to: Money,
    /// By the date of the record: from here, and up to but not at `until`.
    pub from: Time,
    pub until: Option<Time>,
    pub tariff: Tariff,
}

/// What is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff {
    pub interchange: Rate,
    pub interchange_to: Side,
    pub switch_acquirer: Rate,
    pub switch_issuer: Rate,
}

/// `fixed + amount × millionths / 1,000,000`, half a tiyn rounded up, then at least `least` and at most `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub fixed: Money,
    pub millionths: u32,
    pub least: Money,
    pub most: Option<Money>,
}

/// A row of the table of lifetimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifetimeRow {
    /// Both included.
    pub mcc_from: Mcc,
    pub mcc_to: Mcc,
    pub within: Span,
    /// Completions together may pass the authorised amount by this part of it.
    pub above_percent: u8,
}

impl Services {
    /// Every service.
    pub const ALL: Services = Services((1 << CardService::ALL.len()) - 1);

    /// Whether the service is in the set.
    pub const fn has(self, service: CardService) -> bool {
        self.0 & service.bit() != 0
    }
}

impl Channels {
    /// Every channel.
    pub const ALL: Channels = Channels((1 << Channel::ALL.len()) - 1);

    /// Whether the channel is in the set.
    pub const fn has(self, channel: Channel) -> bool {
        self.0 & channel.bit() != 0
    }
}
