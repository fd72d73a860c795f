//! Commands of the card rail: one per kind of message a participant may send, links, and the configuration.
//!
//! A message of a participant has no [`Source`](crate::Source): card hosts number their messages by themselves and repeat them, so it is
//! the keys that make a message count once.

use torap_domain::{
    CardReason, Money, ParticipantId, Text,
    card::{ApprovalCode, InstitutionId, MonthDay, ResponseCode},
};

use super::{
    BinRange, Card, CardKey, ChipFact, Class, FeeRow, Fingerprint, KeyCommand, KeyUses,
    LifetimeRow, LinkNumber, MacFact, Origin, Original, PinFact, Present, Profile, References,
    Route, Scheme, Settings, Side, StandIn, TablePart, Totals, Trace, Transaction,
};
use crate::Source;

/// 0100 and 0200, and their repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub origin: Origin,
    pub repeat: bool,
    pub transaction: Transaction,
    pub pin: PinFact,
    pub chip: ChipFact,
    /// DE2 is a token, so that the scheme must be asked for the card behind it.
    pub token: bool,
    /// The acquirer can use an approval of a part.
    pub partial_supported: bool,
}

/// 0120 and 0220 of an acquirer, and their repeats: what was approved offline, and completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    pub origin: Origin,
    pub repeat: bool,
    pub transaction: Transaction,
    /// DE38
    pub approval: Option<ApprovalCode>,
    /// The authorisation it completes; none for what was approved offline.
    pub completes: Option<Original>,
}

/// 0400 and 0420 of an acquirer, and their repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversal {
    pub origin: Origin,
    pub repeat: bool,
    /// 0420 rather than 0400: it is answered with 0430 rather than 0410, and that is all.
    pub advice: bool,
    pub key: CardKey,
    pub fingerprint: Fingerprint,
    pub references: References,
    pub card: Card,
    pub mac: MacFact,
    pub original: Original,
    /// DE95: the amount that is to stand; none or zero reverses all of it.
    pub stands: Option<Money>,
}

/// 0110 and 0210 of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub origin: Origin,
    pub class: Class,
    /// As the switch sent them to this issuer.
    pub trace: Trace,
    pub mac: MacFact,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Approve {
        /// DE38
        approval: Option<ApprovalCode>,
        /// DE4, if it is a part of what was asked for.
        part: Option<Money>,
    },
    /// DE39, in the national dialect's codes.
    Decline { code: ResponseCode },
}

/// A scheme's answer to an enquiry; what it says stands in the message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemeAnswer {
    pub origin: Origin,
    /// As the switch sent them to this scheme.
    pub trace: Trace,
    pub mac: MacFact,
    /// The scheme forbids the transaction.
    pub declines: Option<ResponseCode>,
}

/// 0130, 0230, 0410, 0430, 0530, 0630 or 0810 to something that waited in the queue for this participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub origin: Origin,
    /// As the switch sent them to this participant.
    pub trace: Trace,
    pub mac: MacFact,
    pub code: ResponseCode,
}

/// 0302: an issuer's change of the stop list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileUpdate {
    pub origin: Origin,
    pub trace: Trace,
    pub mac: MacFact,
    pub card: Card,
    pub route: Option<Route>,
    pub action: StopAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopAction {
    /// Puts the card on the list, or changes why it is there.
    Stop { cause: StopCause },
    /// Takes the card from the list.
    Release,
}

/// Why a card is stopped. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StopCause {
    Lost = 1,
    Stolen = 2,
    Restricted = 3,
}

/// 0500 and 0520 of a participant: its totals of a session, to be compared with the switch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    pub origin: Origin,
    pub trace: Trace,
    pub mac: MacFact,
    /// 0520 rather than 0500.
    pub advice: bool,
    /// Whose totals, if the sender is the host of several members; none: its own.
    pub institution: Option<InstitutionId>,
    /// DE15
    pub session: MonthDay,
    pub side: Side,
    pub totals: Totals,
}

/// 0600 and 0620 of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Administrative {
    pub origin: Origin,
    pub trace: Trace,
    pub mac: MacFact,
    /// 0620 rather than 0600.
    pub advice: bool,
    /// DE100; none for the switch itself.
    pub to: Option<InstitutionId>,
}

/// 0800 of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub origin: Origin,
    pub trace: Trace,
    pub mac: MacFact,
    pub action: NetworkAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkAction {
    SignOn,
    SignOff,
    Echo,
    /// The switch alone cuts over; answered [`CardReason::FunctionNotSupported`].
    CutOver,
    /// The HSM has taken the new zone keys; from now on they are the newest of the participant.
    KeyChange {
        key_set: u16,
    },
    /// It asks the switch for new zone keys.
    KeyRequest {
        uses: KeyUses,
    },
}

/// A message that the gateway could not take: it is answered, and left in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub origin: Origin,
    /// What of the message could be read, if it is one that is answered at all.
    pub trace: Option<Trace>,
    pub reason: CardReason,
    /// The data element, 0 if none can be named; DE 129 and up are places inside private fields.
    pub field: u8,
    /// Kebab-case name of the broken rule.
    pub rule: Text<48>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Request(Request),
    Advice(Advice),
    Reversal(Reversal),
    Answer(Answer),
    SchemeAnswer(SchemeAnswer),
    Acknowledged(Acknowledged),
    FileUpdate(FileUpdate),
    Reconciliation(Reconciliation),
    Administrative(Administrative),
    Network(Network),
    /// Zone keys.
    Keys(KeyCommand),
    Malformed(Malformed),
    /// A TCP connection of the participant is there.
    LinkUp {
        participant: ParticipantId,
        link: LinkNumber,
    },
    /// It ended.
    LinkDown {
        participant: ParticipantId,
        link: LinkNumber,
    },
    SetSettings {
        source: Source,
        settings: Settings,
    },
    /// The whole table; `version` is one more than the last.
    SetBins {
        source: Source,
        version: u32,
        ranges: Vec<BinRange>,
    },
    /// The whole table; the first row that fits counts.
    SetFees {
        source: Source,
        rows: Vec<FeeRow>,
    },
    /// How long an authorisation lives, and how far a completion may pass it; the first row that fits counts.
    SetLifetimes {
        source: Source,
        rows: Vec<LifetimeRow>,
    },
    /// What BIN ranges name as their stand-in rule; none takes it away.
    SetStandIn {
        source: Source,
        number: u16,
        rule: Option<StandIn>,
    },
    /// What BIN ranges name as their foreign scheme; none takes it away.
    SetScheme {
        source: Source,
        number: u8,
        scheme: Option<Scheme>,
    },
    /// The card profile of a participant; it becomes a member with the first.
    SetMember {
        source: Source,
        participant: ParticipantId,
        profile: Profile,
    },
    /// The operator's change of the stop list.
    StopList {
        source: Source,
        card: Card,
        issuer: ParticipantId,
        action: StopAction,
    },
    /// Ends the session now rather than at its daily time.
    CutOver {
        source: Source,
    },
    /// A piece of an acquirer's presentment file.
    Present(Present),
    /// The nets of a closed session have been settled elsewhere: they leave the card accounts.
    SettleSession {
        source: Source,
        session: torap_domain::Date,
    },
    /// Several tables and rows in this order, all or none of them.
    SetTables {
        source: Source,
        parts: Vec<TablePart>,
    },
}

impl Command {
    /// The operator who asked; none for messages and links of participants.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Command::SetSettings { source, .. }
            | Command::SetBins { source, .. }
            | Command::SetFees { source, .. }
            | Command::SetLifetimes { source, .. }
            | Command::SetStandIn { source, .. }
            | Command::SetScheme { source, .. }
            | Command::SetMember { source, .. }
            | Command::StopList { source, .. }
            | Command::CutOver { source }
            | Command::SettleSession { source, .. }
            | Command::SetTables { source, .. }
            | Command::Keys(KeyCommand::Order { source, .. } | KeyCommand::Cancel { source, .. }) => {
                Some(source)
            }
            Command::Present(present) => Some(&present.source),
            Command::Request(_)
            | Command::Advice(_)
            | Command::Reversal(_)
            | Command::Answer(_)
            | Command::SchemeAnswer(_)
            | Command::Acknowledged(_)
            | Command::FileUpdate(_)
            | Command::Reconciliation(_)
            | Command::Administrative(_)
            | Command::Network(_)
            | Command::Keys(KeyCommand::Made { .. } | KeyCommand::Answer(_))
            | Command::Malformed(_)
            | Command::LinkUp { .. }
            | Command::LinkDown { .. } => None,
        }
    }
}

impl StopCause {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<StopCause> {
        match number {
            1 => Some(StopCause::Lost),
            2 => Some(StopCause::Stolen),
            3 => Some(StopCause::Restricted),
            _ => None,
        }
    }
}
