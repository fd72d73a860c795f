//! Commands of the alias directory. The records live in the index (a projection of the log); each command carries the record
//! as the gateway found it, and the engine decides and emits the new record. A window of recent changes in the engine's state
//! refuses facts that are older than the alias' last change (`RetryLater`).

use torap_domain::{Bic, Iban, IinBin, MessageId, ParticipantId, Phone, Position, Text, Time};

use crate::Source;

/// A phone number in disguise: 64 bits, a fixed function of the number, different for different numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AliasKey(pub u64);

impl AliasKey {
    /// The key of a number. Every step can be undone, so two numbers never share a key; the mixing spreads neighbouring
    /// numbers over the whole range. The function is fixed for ever: keys are stored in the journal.
    pub const fn of(phone: Phone) -> AliasKey {
        let mut mixed = phone.value().wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        AliasKey(mixed ^ (mixed >> 31))
    }
}

/// Accounts that one person keeps under one number, at most.
pub const ACCOUNTS_MAX: usize = 8;
/// Persons that one number may be registered under at once (more than one = suspended), at most.
pub const PERSONS_MAX: usize = 3;

/// One account behind an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub participant: ParticipantId,
    pub agent: Bic,
    pub iban: Iban,
    /// Full name as the bank gave it; only a masked form ever leaves the switch.
    pub name: Text<96>,
}

/// One person's accounts behind a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub person: IinBin,
    /// In order of registration, at most `ACCOUNTS_MAX`.
    pub accounts: Vec<Account>,
    /// Index into `accounts`.
    pub default: u8,
    /// The last claim that moved the default, while it may be contested.
    pub claim: Option<Claim>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub at: Position,
    pub time: Time,
    pub gaining: ParticipantId,
    pub losing: ParticipantId,
    /// Reference of the customer's consent that the gaining bank holds.
    pub consent: Text<35>,
    /// Contested: the default went back; a new claim needs the operator's release.
    pub contested: bool,
}

/// Everything known of a number. A number under more than one person is suspended until released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub phone: Phone,
    pub persons: Vec<Person>,
    pub suspended: bool,
    /// Log position of the last change.
    pub changed_at: Position,
}

/// What the gateway found before queueing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub as_of: Position,
    pub record: Option<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Adds an account; the first one of a person becomes the default. Under another person's number: suspends it.
    Register {
        account: Account,
    },
    /// Replaces the bank's own account (IBAN or name).
    Change {
        account: Account,
    },
    Remove {
        participant: ParticipantId,
    },
    /// The gaining bank makes its account the default, by the customer's consent; the losing bank is told and may contest.
    Claim {
        gaining: ParticipantId,
        consent: Text<35>,
    },
    Contest {
        losing: ParticipantId,
    },
    /// Lifts a suspension (a bank gives up its person's entries, or the operator names the person who keeps the number).
    Release {
        participant: Option<ParticipantId>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub source: Source,
    /// The bank's own reference for the answer.
    pub reference: MessageId,
    pub phone: Phone,
    pub person: IinBin,
    pub action: Action,
    pub found: Found,
}

/// acmt.023 of a payer's bank. The answer shows a masked name and a resolution id (`changed_at` of the record).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    pub source: Source,
    pub message_id: MessageId,
    /// Identification of the single verification (Vrfctn/Id).
    pub verification_id: MessageId,
    pub message_version: u8,
    pub instructing_agent: Bic,
    pub phone: Phone,
    pub person: Option<IinBin>,
    /// Bank chosen by the payer; `None` = the default.
    pub chosen: Option<Bic>,
    pub as_of: Position,
    pub found: LookUpFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookUpFound {
    Hit {
        agent: Bic,
        masked_name: Text<96>,
        changed_at: Position,
    },
    Suspended,
    Miss,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Change(Change),
    LookUp(LookUp),
    /// New entries of one participant by the operator's bulk import; existing numbers are left alone and counted.
    /// At most `IMPORT_MAX` entries; `found` is not needed: the index keeps an existing record.
    Import {
        source: Source,
        participant: ParticipantId,
        entries: Vec<ImportEntry>,
    },
}

/// Entries of one import command, at most.
pub const IMPORT_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportEntry {
    pub phone: Phone,
    pub person: IinBin,
    pub iban: Iban,
    pub name: Text<96>,
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Change(change) => &change.source,
            Command::LookUp(look_up) => &look_up.source,
            Command::Import { source, .. } => source,
        }
    }
}
