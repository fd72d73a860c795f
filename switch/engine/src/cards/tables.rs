//! Tables of the card rail that are set together: all of them or none.
//!
//! Every part is checked as if the parts before it held already, and nothing is changed before the last one is found sound. The one
//! check serves the command, and whoever wants to know which part of a refused one breaks which rule.

use std::collections::BTreeSet;

use torap_domain::{ParticipantId, Reason, Span};

use super::{
    BinRange, BinTable, Command, FeeRow, LifetimeRow, Profile, SCHEME_NUMBER_MAX, Scheme, Settings,
    StandIn, authorisations, members::Members, stand_in,
};
use crate::{Event, Outcome, Output, Source, Stamp, engine};

/// Parts that one command may carry.
pub const TABLE_PARTS_MAX: usize = 4_096;

/// One table, or one row of those that are set row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TablePart {
    /// As [`Command::SetSettings`].
    Settings(Settings),
    /// As [`Command::SetMember`].
    Member {
        participant: ParticipantId,
        profile: Profile,
    },
    /// As [`Command::SetStandIn`].
    StandIn { number: u16, rule: Option<StandIn> },
    /// As [`Command::SetScheme`].
    Scheme { number: u8, scheme: Option<Scheme> },
    /// As [`Command::SetBins`].
    Bins { version: u32, ranges: Vec<BinRange> },
    /// As [`Command::SetFees`].
    Fees(Vec<FeeRow>),
    /// As [`Command::SetLifetimes`].
    Lifetimes(Vec<LifetimeRow>),
}

/// Why tables are refused: the first part that cannot be set, and the rule it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFault {
    /// Place of the part in the command, from 0.
    pub part: usize,
    pub rule: TableRule,
}

/// A rule of the operator's card tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableRule {
    PartsMissing,
    TooManyParts,
    SetTwice,
    SettingsUnsound,
    ParticipantUnknown,
    HostUnfit,
    InstitutionTaken,
    InstitutionMissing,
    InstitutionsTooMany,
    RolesApart,
    StandInNumber,
    SchemeNumber,
    SchemeHost,
    SchemeWithin,
    BinsVersion,
    BinsUnsound,
    FeesUnsound,
    LifetimesUnsound,
}

impl TablePart {
    /// The command that sets this part alone.
    pub fn into_command(self, source: Source) -> Command {
        match self {
            TablePart::Settings(settings) => Command::SetSettings { source, settings },
            TablePart::Member {
                participant,
                profile,
            } => Command::SetMember {
                source,
                participant,
                profile,
            },
            TablePart::StandIn { number, rule } => Command::SetStandIn {
                source,
                number,
                rule,
            },
            TablePart::Scheme { number, scheme } => Command::SetScheme {
                source,
                number,
                scheme,
            },
            TablePart::Bins { version, ranges } => Command::SetBins {
                source,
                version,
                ranges,
            },
            TablePart::Fees(rows) => Command::SetFees { source, rows },
            TablePart::Lifetimes(rows) => Command::SetLifetimes { source, rows },
        }
    }

    /// Name of the table, as files have it.
    pub const fn table(&self) -> &'static str {
        match self {
            TablePart::Settings(_) => "settings",
            TablePart::Member { .. } => "member",
            TablePart::StandIn { .. } => "stand_in",
            TablePart::Scheme { .. } => "scheme",
            TablePart::Bins { .. } => "bin",
            TablePart::Fees(_) => "fee",
            TablePart::Lifetimes(_) => "lifetime",
        }
    }

    /// What two parts of one command must not share.
    fn key(&self) -> (&'static str, u16) {
        let row = match self {
            TablePart::Member { participant, .. } => participant.0,
            TablePart::StandIn { number, .. } => *number,
            TablePart::Scheme { number, .. } => u16::from(*number),
            TablePart::Settings(_)
            | TablePart::Bins { .. }
            | TablePart::Fees(_)
            | TablePart::Lifetimes(_) => 0,
        };
        (self.table(), row)
    }
}

impl TableRule {
    /// Kebab-case name; stable, meant for machines.
    pub const fn name(self) -> &'static str {
        match self {
            TableRule::PartsMissing => "parts-missing",
            TableRule::TooManyParts => "too-many-parts",
            TableRule::SetTwice => "set-twice",
            TableRule::SettingsUnsound => "settings-unsound",
            TableRule::ParticipantUnknown => "participant-unknown",
            TableRule::HostUnfit => "host-unfit",
            TableRule::InstitutionTaken => "institution-taken",
            TableRule::InstitutionMissing => "institution-missing",
            TableRule::InstitutionsTooMany => "institutions-too-many",
            TableRule::RolesApart => "roles-apart",
            TableRule::StandInNumber => "stand-in-number",
            TableRule::SchemeNumber => "scheme-number",
            TableRule::SchemeHost => "scheme-host",
            TableRule::SchemeWithin => "scheme-within",
            TableRule::BinsVersion => "bins-version",
            TableRule::BinsUnsound => "bins-unsound",
            TableRule::FeesUnsound => "fees-unsound",
            TableRule::LifetimesUnsound => "lifetimes-unsound",
        }
    }

    /// The rule, for people.
    pub const fn text(self) -> &'static str {
        match self {
            TableRule::PartsMissing => "there is nothing to set",
            TableRule::TooManyParts => "4,096 parts at most are set at once",
            TableRule::SetTwice => "one table or row is set twice",
            TableRule::SettingsUnsound => {
                "clocks lie above 0 and within an hour, the issuer's within that of the whole request, the queue's within its own longest of a day; \
                 transmission ages within 150 days; the alert percent is 1 to 100"
            }
            TableRule::ParticipantUnknown => "there is no such participant",
            TableRule::HostUnfit => {
                "a host is another member without a host, and a member that is host of others has none itself"
            }
            TableRule::InstitutionTaken => "an institution belongs to another member",
            TableRule::InstitutionMissing => "an acquirer needs an institution",
            TableRule::InstitutionsTooMany => "there are too many institutions",
            TableRule::RolesApart => "a scheme's host is neither acquirer nor issuer",
            TableRule::StandInNumber => "a stand-in rule has a number from 1 on, up to its limit",
            TableRule::SchemeNumber => "a scheme has a number from 1 on, up to its limit",
            TableRule::SchemeHost => "the host of a scheme is a member with the role of one",
            TableRule::SchemeWithin => {
                "a scheme has more than no time, and less than a whole request"
            }
            TableRule::BinsVersion => "the BIN table has changed meanwhile",
            TableRule::BinsUnsound => {
                "two rows of one prefix hold at one time, a row holds never, a local one names a scheme, or there are too many"
            }
            TableRule::FeesUnsound => {
                "a fee row fits never or takes what it cannot, or there are too many"
            }
            TableRule::LifetimesUnsound => {
                "a lifetime is of no MCC, of no time or too long, or there are too many"
            }
        }
    }
}

/// What holds once the parts before are set, as far as a later one depends on it.
struct Draft {
    settings: Settings,
    members: Members,
}

/// The first part that cannot be set after those before it.
pub(super) fn fault(state: &engine::State, parts: &[TablePart]) -> Option<TableFault> {
    let at = |part, rule| Some(TableFault { part, rule });
    if parts.is_empty() {
        return at(0, TableRule::PartsMissing);
    }
    if parts.len() > TABLE_PARTS_MAX {
        return at(TABLE_PARTS_MAX, TableRule::TooManyParts);
    }
    let mut draft = Draft {
        settings: state.cards.settings,
        members: state.cards.members.clone(),
    };
    let mut seen = BTreeSet::new();
    for (place, part) in parts.iter().enumerate() {
        if !seen.insert(part.key()) {
            return at(place, TableRule::SetTwice);
        }
        if let Err(rule) = draft.take(state, part) {
            return at(place, rule);
        }
    }
    None
}

impl Draft {
    fn take(&mut self, state: &engine::State, part: &TablePart) -> Result<(), TableRule> {
        match part {
            TablePart::Settings(settings) => {
                demand(settings.are_sound(), TableRule::SettingsUnsound)?;
                self.settings = *settings;
                Ok(())
            }
            TablePart::Member {
                participant,
                profile,
            } => {
                let known = state.participants.get(*participant).is_some();
                demand(known, TableRule::ParticipantUnknown)?;
                self.members.accepts(*participant, profile)?;
                self.members.imagine(*participant, profile);
                Ok(())
            }
            TablePart::StandIn { number, .. } => {
                demand(stand_in::is_sound(*number), TableRule::StandInNumber)
            }
            TablePart::Scheme { number, scheme } => {
                is_scheme_sound(&self.members, &self.settings, *number, scheme.as_ref())
            }
            TablePart::Bins { version, ranges } => {
                are_bins_sound(state, *version, ranges).map(|_| ())
            }
            TablePart::Fees(rows) => demand(state.cards.fees.accepts(rows), TableRule::FeesUnsound),
            TablePart::Lifetimes(rows) => {
                demand(authorisations::are_sound(rows), TableRule::LifetimesUnsound)
            }
        }
    }
}

fn demand(holds: bool, rule: TableRule) -> Result<(), TableRule> {
    if holds { Ok(()) } else { Err(rule) }
}

/// A table follows the one that holds.
pub(super) fn are_bins_sound(
    state: &engine::State,
    version: u32,
    ranges: &[BinRange],
) -> Result<BinTable, TableRule> {
    let follows = state.cards.bins.current().version().checked_add(1) == Some(version);
    demand(follows, TableRule::BinsVersion)?;
    BinTable::new(version, ranges).ok_or(TableRule::BinsUnsound)
}

/// The host of a scheme is a member with that role, and has less time than a whole request.
pub(super) fn is_scheme_sound(
    members: &Members,
    settings: &Settings,
    number: u8,
    scheme: Option<&Scheme>,
) -> Result<(), TableRule> {
    let numbered = (1..=SCHEME_NUMBER_MAX).contains(&number);
    demand(numbered, TableRule::SchemeNumber)?;
    let Some(scheme) = scheme else {
        return Ok(());
    };
    let host = members.get(scheme.host);
    let is_scheme = host.is_some_and(|host| host.profile.roles.scheme);
    demand(is_scheme, TableRule::SchemeHost)?;
    let in_time = scheme.within > Span::ZERO && scheme.within < settings.whole_within;
    demand(in_time, TableRule::SchemeWithin)
}

/// Sets every part, in order, or none.
pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    parts: &[TablePart],
    out: &mut Output,
) -> Outcome {
    if source.by_operator().is_err() || fault(state, parts).is_some() {
        let reason = Reason::OperatorRefused;
        out.event(Event::Refused { reason });
        return Outcome::Refused(reason);
    }
    for part in parts {
        let outcome = super::apply(state, stamp, &part.clone().into_command(*source), out);
        assert!(
            outcome == Outcome::Accepted,
            "a part that was found sound is set: {outcome:?}"
        );
    }
    Outcome::Accepted
}

#[cfg(test)]
mod tests;
