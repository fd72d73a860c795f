//! Card nets in IMTS and the guarantee fund: contributions, calls, sessions that settle or default, and what is paid back.

use std::collections::BTreeMap;

use torap_domain::{Date, Money, ParticipantId, Span, Time};
use torap_engine::{
    Command, Engine, Event, Outcome, Stamp,
    ancillary::{self, FundMove, Method, Settings},
    cards,
    participants::Direction,
};
use torap_ledger::Book;

use super::{Turn, operator};
use crate::{draw::Draw, plan::Plan};

/// Card nets settle in IMTS from the beginning, and every bank has something to contribute.
pub(super) fn seed(plan: &Plan) -> Vec<Command> {
    let source = operator("dana", "fund");
    let mut draw = Draw::new(plan.node.seed ^ 0x6675_6e64);
    let mut commands = vec![ancillary::Command::SetSettings {
        source,
        settings: settings(&mut draw, Time::EPOCH),
    }];
    for bank in 0..plan.banks {
        commands.push(ancillary::Command::Require {
            source,
            participant: ParticipantId::new(bank as u16 + 1),
            amount: Money::kzt(draw.range(0, 3_000_000)),
        });
    }
    commands.into_iter().map(Command::Ancillary).collect()
}

fn settings(draw: &mut Draw, now: Time) -> Settings {
    let day = 24 * 3600;
    let second = Date::from_time(now)
        .start()
        .map_or(0, |start| (now.nanos() - start.nanos()) / 1_000_000_000);
    let interim = if now > Time::EPOCH && draw.chance(500) {
        let mut times: Vec<u64> = (0..draw.range(1, 6))
            .map(|_| second + draw.range(1, 120))
            .filter(|time| *time < day)
            .collect();
        times.sort_unstable();
        times.dedup();
        times.into_iter().map(Span::from_secs).collect()
    } else {
        Vec::new()
    };
    Settings {
        card_nets: Some(if draw.chance(500) {
            Method::DebitsFirst
        } else {
            Method::Simultaneous
        }),
        within: Span::from_secs(draw.range(1, 40)),
        interim,
        cap_percent: 0,
    }
}

/// Something of the operator.
pub(super) fn act(draw: &mut Draw, turn: &mut Turn<'_>, commands: &mut Vec<Command>) {
    let source = operator("aigerim", "fund");
    let engine = turn.node.follower().engine();
    let participant = super::participant(draw, turn.plan);
    let amount = Money::kzt(draw.range(1, 2_000_000));
    let command = match draw.weighted(&[7, 3, 2, 3, 5, 3, 4, 1]) {
        0 => ancillary::Command::Fund {
            source,
            participant,
            what: FundMove::Contribute(Direction::In),
            amount,
        },
        1 => ancillary::Command::Fund {
            source,
            participant,
            what: FundMove::Contribute(Direction::Out),
            amount,
        },
        2 => ancillary::Command::Require {
            source,
            participant,
            amount,
        },
        3 => ancillary::Command::Call { source },
        4 => {
            let sessions: Vec<Date> = engine
                .card_session_views()
                .map(|view| view.session)
                .collect();
            let back = sessions.len().min(2);
            let Some(place) = sessions.len().checked_sub(1 + draw.index(back)) else {
                return;
            };
            ancillary::Command::SettleCards {
                source,
                session: sessions[place],
            }
        }
        5 => {
            let defaults: Vec<_> = engine.card_defaults().collect();
            let Some(default) = defaults.get(draw.index(defaults.len())) else {
                return;
            };
            let most = default.left().max(1);
            ancillary::Command::Fund {
                source,
                participant: default.debtor,
                what: FundMove::Recover {
                    default: default.id,
                },
                amount: Money::kzt(if draw.chance(500) {
                    most
                } else {
                    draw.range(1, most + 1)
                }),
            }
        }
        6 => {
            commands.push(Command::Cards(cards::Command::CutOver { source }));
            return;
        }
        _ => ancillary::Command::SetSettings {
            source,
            settings: settings(draw, Time::from_nanos(turn.wall)),
        },
    };
    commands.push(Command::Ancillary(command));
}

/// What the log says of card nets in IMTS.
#[derive(Debug, Default)]
pub(super) struct Funds {
    /// What settlements have taken out of a session, by participant, in tiyn.
    settled: BTreeMap<(Date, ParticipantId), i128>,
    /// Sessions of which the operator said that they were settled elsewhere.
    elsewhere: Vec<Date>,
    pub(super) settlements: u64,
    pub(super) defaults: u64,
}

impl Funds {
    /// Takes a record; `engine` is the state after it.
    pub(super) fn record(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        events: &[Event],
    ) -> Result<(), String> {
        if let Command::Cards(cards::Command::SettleSession { session, .. }) = command
            && outcome == Outcome::Accepted
        {
            self.elsewhere.push(*session);
        }
        let is_ours = |event: &&Event| matches!(event, Event::Ancillary(_));
        let ours: Vec<&Event> = events.iter().filter(is_ours).collect();
        if ours.is_empty() {
            return Ok(());
        }
        technical(engine).map_err(|text| format!("record {}: {text}", stamp.position.value()))?;
        for event in ours {
            match event {
                Event::Ancillary(ancillary::Event::CardNetsSettled { session, cycle }) => {
                    self.settlement(engine, *session, *cycle).map_err(|text| {
                        format!("card session {session}, settlement {cycle}: {text}")
                    })?
                }
                Event::Ancillary(ancillary::Event::Defaulted { .. }) => self.defaults += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// A settlement is over: who owed has paid, was covered or is short, and nobody else lost anything before the fund was empty.
    fn settlement(&mut self, engine: &Engine, session: Date, cycle: u16) -> Result<(), String> {
        self.settlements += 1;
        let mut reports = engine.card_settlement_reports();
        let report = reports.find(|report| report.session == session && report.cycle == cycle);
        let Some(report) = report else {
            return Err("it has no report".into());
        };
        let sum = |of: fn(&ancillary::Row) -> u64| -> u128 {
            report.rows.iter().map(|row| u128::from(of(row))).sum()
        };
        for row in &report.rows {
            let who = row.participant.value();
            if row.owes != row.paid + row.own_contribution + row.short {
                return Err(format!(
                    "participant {who} owed {}: {} paid, {} of its contribution, {} short",
                    row.owes, row.paid, row.own_contribution, row.short
                ));
            }
            if row.owed != row.received + row.lost {
                return Err(format!(
                    "participant {who} was owed {}: {} received, {} lost",
                    row.owed, row.received, row.lost
                ));
            }
            let net = i128::from(row.owed) - i128::from(row.owes);
            *self.settled.entry((session, row.participant)).or_default() += net;
        }
        let (short, fund, lost) = (
            sum(|row| row.short),
            sum(|row| row.fund),
            sum(|row| row.lost),
        );
        if sum(|row| row.owes) != sum(|row| row.owed) || short != fund + lost {
            return Err(format!(
                "{short} were short, {fund} of the fund and {lost} lost"
            ));
        }
        let left: u128 = engine
            .guarantee_fund()
            .map(|row| u128::from(row.contribution))
            .sum();
        if lost > 0 && left > 0 {
            return Err(format!("{lost} were lost while the fund has {left}"));
        }
        Ok(())
    }

    /// What sessions came to is what was settled, what waits and what is left; technical accounts agree.
    pub(super) fn check(&self, engine: &Engine) -> Result<(), String> {
        technical(engine)?;
        for view in engine.card_session_views() {
            if self.elsewhere.contains(&view.session) {
                continue;
            }
            let mut sums: BTreeMap<ParticipantId, i128> = BTreeMap::new();
            for net in &view.nets {
                *sums.entry(net.participant).or_default() += net.balance();
            }
            for net in &view.left {
                *sums.entry(net.participant).or_default() -= net.balance();
            }
            for ((session, participant), settled) in &self.settled {
                if *session == view.session {
                    *sums.entry(*participant).or_default() -= settled;
                }
            }
            if let Some((participant, sum)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
                return Err(format!(
                    "card session {} ({}): {sum} of participant {} are neither settled nor left",
                    view.session,
                    view.stage,
                    participant.value()
                ));
            }
        }
        Ok(())
    }
}

/// The technical accounts hold what debtors have paid until creditors are paid, and nothing otherwise.
fn technical(engine: &Engine) -> Result<(), String> {
    let first = engine.card_settlements().next();
    let paid: i128 = first.map_or(0, |first| {
        let nets = first.nets.iter().filter(|(_, paid)| *paid);
        nets.map(|(net, _)| i128::from(net.owes)).sum()
    });
    for (book, wanted) in [(Book::CardTechnical, paid), (Book::ClearingTechnical, 0)] {
        let balance: i128 = engine.balances(book).map(|(_, balance)| balance).sum();
        if balance != wanted {
            return Err(format!("the account {book:?} has {balance}, not {wanted}"));
        }
    }
    Ok(())
}
