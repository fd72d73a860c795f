//! What banks are told of settlement and of disputes without asking (admi.004): it follows from the events of a command.
//!
//! A notice holds everything that its text says, so the text is written from the entry alone. It goes to exactly the banks concerned: who
//! settles a net (the sponsor of an indirect member), whoever bears a part of a default, the two parties of a case. Before version
//! [`RULES`] of the rules nobody is told, so that an older log comes to the same.

use torap_domain::{Date, Money, ParticipantId, Position, Time, Uetr};

use crate::{
    Command, Event, Message, Notice, Output, Stamp,
    ancillary::{self, Row},
    disputes::{self, End, Move, Role, Stage, Subject},
    engine,
    links::Letter,
    participants::Direction,
};

/// The first rules by which these notices are told.
pub(crate) const RULES: u32 = 2;

/// A settlement of a card session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardCycle {
    pub session: Date,
    pub cycle: u16,
}

/// What happened to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CaseStep {
    /// Event code DSPO.
    Opened = 1,
    /// A party or the operator acted. Event code DSPS, and DSPE if the case is over.
    Acted = 2,
    /// Nobody acted in time. Event code DSPX.
    Expired = 3,
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseSubject {
    Payment(Uetr),
    /// The record of a card transaction.
    Card(Position),
}

/// A case as one of its parties is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseNotice {
    pub case: Position,
    pub subject: CaseSubject,
    pub reason_code: [u8; 4],
    pub step: CaseStep,
    /// Whether the one who is told is the claimant.
    pub is_claimant: bool,
    pub stage: Stage,
    pub end: Option<End>,
    /// With the claimant now, in minor units of KZT.
    pub stands: u64,
    pub moved: Move,
    /// Of whoever must act next.
    pub deadline: Option<Time>,
}

impl CaseNotice {
    /// Who must act next.
    pub fn next(&self) -> Option<Role> {
        match self.stage {
            Stage::Retrieval | Stage::Chargeback | Stage::PreArbitration => Some(Role::Respondent),
            Stage::Answered | Stage::Represented => Some(Role::Claimant),
            Stage::Arbitration => Some(Role::Operator),
            Stage::Closed => None,
        }
    }
}

/// Tells the banks concerned what the command has brought about.
pub(crate) fn tell(state: &mut engine::State, stamp: Stamp, command: &Command, out: &mut Output) {
    if state.rules < RULES {
        return;
    }
    let events = std::mem::take(&mut out.events);
    for event in &events {
        match event {
            Event::Ancillary(ancillary::Event::CardNetsSettled { session, cycle }) => {
                let of = CardCycle {
                    session: *session,
                    cycle: *cycle,
                };
                settled(state, stamp, of, out);
            }
            Event::Ancillary(ancillary::Event::TopUpCalled {
                participant,
                missing,
            }) => {
                let required = state.ancillary.required(*participant);
                let notice = Notice::TopUpCalled {
                    missing: *missing,
                    required: Money::kzt(required),
                };
                send(state, stamp, *participant, notice, out);
            }
            Event::Dispute(event) => dispute(state, stamp, command, event, out),
            _ => {}
        }
    }
    out.events = events;
}

fn settled(state: &mut engine::State, stamp: Stamp, of: CardCycle, out: &mut Output) {
    for row in state.ancillary.rows_of(of.session, of.cycle) {
        if row.participant == ParticipantId::SWITCH {
            continue;
        }
        for notice in of_row(of, &row).into_iter().flatten() {
            send(state, stamp, row.participant, notice, out);
        }
    }
}

/// What a settlement came to for one participant: its net, and what a default cost it.
fn of_row(of: CardCycle, row: &Row) -> [Option<Notice>; 4] {
    let net = |direction, net, moved| Notice::CardNet {
        of,
        direction,
        net: Money::kzt(net),
        moved: Money::kzt(moved),
    };
    let settled = match (row.owes, row.owed) {
        (0, 0) => None,
        (0, owed) => Some(net(Direction::In, owed, row.received)),
        (owes, _) => Some(net(Direction::Out, owes, row.paid)),
    };
    let defaults = row.short > 0 || row.own_contribution > 0;
    let defaulted = defaults.then_some(Notice::Defaulted {
        of,
        contribution: Money::kzt(row.own_contribution),
        short: Money::kzt(row.short),
    });
    let used = (row.fund > 0).then_some(Notice::FundUsed {
        of,
        amount: Money::kzt(row.fund),
    });
    let lost = (row.lost > 0).then_some(Notice::NetLost {
        of,
        amount: Money::kzt(row.lost),
    });
    [settled, defaulted, used, lost]
}

fn dispute(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    event: &disputes::Event,
    out: &mut Output,
) {
    let Some(dispute) = state.disputes.get(event.case) else {
        return;
    };
    let step = match command {
        Command::Tick => CaseStep::Expired,
        _ if event.case == stamp.position => CaseStep::Opened,
        _ => CaseStep::Acted,
    };
    let notice = |is_claimant| CaseNotice {
        case: event.case,
        subject: match &dispute.subject {
            Subject::Payment(uetr) => CaseSubject::Payment(*uetr),
            Subject::Card(subject) => CaseSubject::Card(subject.submitted),
        },
        reason_code: dispute.reason_code,
        step,
        is_claimant,
        stage: event.stage,
        end: dispute.case.end,
        stands: event.stands,
        moved: event.moved,
        deadline: dispute.case.deadline,
    };
    let parties = [
        (dispute.claimant, notice(true)),
        (dispute.respondent, notice(false)),
    ];
    for (party, notice) in parties {
        let to = state.participants.successor(party);
        send(state, stamp, to, Notice::Case(notice), out);
    }
}

fn send(
    state: &mut engine::State,
    stamp: Stamp,
    to: ParticipantId,
    notice: Notice,
    out: &mut Output,
) {
    let message = Message::Notice { notice };
    state.links.send(out, stamp, to, Letter::new(message));
}

#[cfg(test)]
mod tests;
