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

/// The largest amount of a transaction, and of a fixed, least or greatest fee, in minor units: twelve digits, as DE4 has. Sums of
/// a session then stay far inside 64 bits.
pub const AMOUNT_MAX: u64 = 999_999_999_999;
/// The longest that an authorisation may live.
pub const LIFETIME_MAX: Span = Span::from_secs(400 * 86_400);

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

impl Settings {
    /// What holds as long as no command says otherwise.
    pub fn initial() -> Settings {
        Settings {
            whole_within: Span::from_secs(20),
            issuer_within: Span::from_secs(12),
            queue_within: Span::from_secs(15),
            queue_within_max: Span::from_secs(300),
            transmission_ahead_max: Span::from_secs(300),
            transmission_age_max: Span::from_secs(3600),
            cut_over_at: Some(Span::from_secs(20 * 3600)),
            cap_alert_percent: 80,
            cap_declines: Services::ALL,
            bounds: Bounds::DEFAULT,
        }
    }

    /// Whether every clock and bound makes sense.
    pub(super) fn are_sound(&self) -> bool {
        let clocks = [self.whole_within, self.issuer_within, self.queue_within];
        let clocks_sound = clocks
            .into_iter()
            .all(|clock| clock > Span::ZERO && clock <= CLOCK_MAX);
        clocks_sound
            && self.issuer_within <= self.whole_within
            && self.queue_within <= self.queue_within_max
            && self.queue_within_max <= Span::from_secs(86_400)
            && self.transmission_ahead_max <= CLOCK_MAX
            && self.transmission_age_max <= AGE_MAX
            && self
                .cut_over_at
                .is_none_or(|at| at < Span::from_secs(86_400))
            && (1..=100).contains(&self.cap_alert_percent)
            && self.bounds.are_sound()
    }
}

/// No clock of a request may be longer.
const CLOCK_MAX: Span = Span::from_secs(3600);
/// DE7 has no year: half of one is as far as its sense goes.
const AGE_MAX: Span = Span::from_secs(150 * 86_400);

impl Bounds {
    /// What holds as long as no command says otherwise.
    pub const DEFAULT: Bounds = Bounds {
        in_flight_max: 65_536,
        window_entries: 4_194_304,
        authorisations_max: 2_097_152,
        queue_max: 1_048_576,
        stop_list_max: 4_194_304,
        stand_in_cards_max: 1_048_576,
    };

    /// The largest that may be set.
    pub const MAX: Bounds = Bounds {
        in_flight_max: 1_048_576,
        window_entries: 33_554_432,
        authorisations_max: 33_554_432,
        queue_max: 16_777_216,
        stop_list_max: 33_554_432,
        stand_in_cards_max: 8_388_608,
    };

    fn are_sound(&self) -> bool {
        let pairs = [
            (self.in_flight_max, Self::MAX.in_flight_max),
            (self.window_entries, Self::MAX.window_entries),
            (self.authorisations_max, Self::MAX.authorisations_max),
            (self.queue_max, Self::MAX.queue_max),
            (self.stop_list_max, Self::MAX.stop_list_max),
            (self.stand_in_cards_max, Self::MAX.stand_in_cards_max),
        ];
        pairs
            .into_iter()
            .all(|(bound, most)| (1..=most).contains(&bound))
    }
}
