//! IMTS and the clearing system: what the operator orders there, by drawn weights, and that every payment and item ends once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use torap_bank::customer;
use torap_clearing::Priority as ItemPriority;
use torap_domain::{
    Date, EndToEndId, Knp, MessageId, Money, ParticipantId, Position, SectorCode, Span, Text, Time,
    TransactionId, Uetr,
};
use torap_engine::{
    Command, Engine, Event, Outcome, Status,
    clearing::{self, FileKey, Line, Order, Party, Piece, Submit},
    participants::Direction,
    settlement::{self, Change, End, Payment, Priority, SolverOrder},
};
use torap_gateway::translate::{item_fingerprint, payment_key, submission_version};
use torap_settlement::lsm;

use crate::{
    draw::{Draw, uetr_of},
    host::Host,
    load::operator,
    plan::{Plan, SECOND},
};

/// Items of one piece, at most: a session's outcomes fill several records.
const PIECE_ITEMS: u64 = 12;
/// Orders in IMTS that come together, at most: queues are to grow.
const BURST: u64 = 12;
/// Payments that `bypass` looks at.
const STEPS_MAX: u64 = 500;

/// What the operator remembers of its orders.
#[derive(Debug)]
pub(crate) struct Orders {
    draw: Draw,
    number: u64,
    /// Items that were submitted.
    items: Vec<Uetr>,
    /// The piece before, which may come again.
    last: Option<Submit>,
    /// By participant: the piece that its file goes on with.
    files: BTreeMap<u16, u32>,
}

impl Orders {
    pub(crate) fn new(draw: Draw) -> Orders {
        Orders {
            draw,
            number: 0,
            items: Vec::new(),
            last: None,
            files: BTreeMap::new(),
        }
    }

    /// Some orders in IMTS. `engine` is the read side's: what is ordered by it may be out of date when it is decided.
    pub(crate) fn settle(&mut self, plan: &Plan, engine: &Engine, wall: u64) -> Vec<Command> {
        let count = self.draw.range(1, BURST);
        (0..count)
            .filter_map(|_| self.order(plan, engine, wall))
            .collect()
    }

    fn order(&mut self, plan: &Plan, engine: &Engine, wall: u64) -> Option<Command> {
        let source = operator("imts");
        let participant = self.participant(plan);
        let is_open = engine.imts_day().until.is_some();
        let command = match self.draw.weighted(&[4, 4, 30, 4, 2, 2, 2, 6, 2]) {
            0 => settlement::Command::Fund {
                source,
                participant,
                direction: self.direction(),
                amount: self.amount(20_000_000),
            },
            1 => settlement::Command::Transfer {
                source,
                participant,
                direction: self.direction(),
                amount: self.amount(5_000_000),
            },
            3 => settlement::Command::Change {
                source,
                id: self.waiting(engine)?,
                change: [
                    Change::Priority(Priority::High),
                    Change::Priority(Priority::Normal),
                    Change::ToHead,
                    Change::ToTail,
                    Change::Withdraw,
                ][self.draw.index(5)],
            },
            4 => settlement::Command::SetCreditLine {
                source,
                participant,
                amount: self.amount(10_000_000),
            },
            5 => settlement::Command::SetLimit {
                source,
                participant,
                towards: self.draw.chance(600).then(|| self.participant(plan)),
                amount: self.draw.chance(700).then(|| self.amount(30_000_000)),
            },
            6 => settlement::Command::Reserve {
                source,
                participant,
                amount: self.amount(5_000_000),
            },
            7 => settlement::Command::Resolve {
                source,
                payments: self.resolution(engine)?,
            },
            8 if is_open && self.draw.chance(300) => settlement::Command::Close { source },
            8 => self.open(wall),
            _ if !is_open && self.draw.chance(300) => self.open(wall),
            _ => settlement::Command::Pay {
                source,
                payment: self.payment(plan, participant, wall),
            },
        };
        Some(Command::Settlement(command))
    }

    /// Something in the clearing system.
    pub(crate) fn clear(
        &mut self,
        plan: &Plan,
        hosts: &[Host],
        engine: &Engine,
        wall: u64,
    ) -> Option<Command> {
        let source = operator("ics");
        let command = match self.draw.weighted(&[10, 2, 3, 2]) {
            1 => clearing::Command::Submit(self.last.clone()?),
            2 => {
                let place = self.draw.index(self.items.len());
                let uetr = *self.items.get(place)?;
                clearing::Command::Withdraw { source, uetr }
            }
            3 => clearing::Command::Close { source },
            _ => {
                let open = engine.clearing_view().open;
                let today = Date::from_time(Time::from_nanos(wall));
                let date = open.map_or(today, |(session, _)| session.date);
                let submit = self.submit(plan, hosts, date)?;
                self.last = Some(submit.clone());
                clearing::Command::Submit(submit)
            }
        };
        Some(Command::Clearing(command))
    }

    fn open(&mut self, wall: u64) -> settlement::Command {
        let later = |seconds: u64| Time::from_nanos(wall + seconds * SECOND);
        let lasts = self.draw.range(5, 120);
        let cut_off = self.draw.chance(500).then(|| self.draw.range(1, lasts));
        settlement::Command::Open {
            source: operator("imts"),
            cut_off: cut_off.map(later),
            until: later(lasts),
        }
    }

    fn payment(&mut self, plan: &Plan, from: ParticipantId, wall: u64) -> Payment {
        self.number += 1;
        let later = |seconds: u64| Time::from_nanos(wall + seconds * SECOND);
        // Now and then an identifier that was used before.
        let number = self.number - u64::from(self.draw.chance(50));
        Payment {
            from,
            to: self.participant(plan),
            amount: self.amount(15_000_000),
            priority: [Priority::CentralBank, Priority::High, Priority::Normal]
                [self.draw.weighted(&[1, 3, 8])],
            reference: Text::truncated(&format!("R-{number}")),
            earliest: self.draw.chance(100).then(|| later(self.draw.range(1, 20))),
            latest: self.draw.chance(150).then(|| later(self.draw.range(2, 60))),
        }
    }

    /// A payment that waits.
    fn waiting(&mut self, engine: &Engine) -> Option<Position> {
        let ids: Vec<Position> = engine
            .settlement_queue()
            .map(|waiting| waiting.id)
            .collect();
        ids.get(self.draw.index(ids.len())).copied()
    }

    /// What the solver finds in the queue as the read side has it.
    fn resolution(&mut self, engine: &Engine) -> Option<Vec<Position>> {
        let bypassed = self.draw.chance(400);
        let order = if bypassed {
            SolverOrder::Bypassed
        } else {
            SolverOrder::Kept
        };
        let gridlock = engine.gridlock(order)?;
        let settled = if bypassed {
            lsm::bypass(&gridlock.problem, STEPS_MAX).solution.settled
        } else {
            lsm::fifo(&gridlock.problem).settled
        };
        let ids = settled
            .iter()
            .filter_map(|place| gridlock.ids.get(*place as usize).copied());
        let mut payments: Vec<Position> = ids.collect();
        payments.sort_unstable();
        (!payments.is_empty()).then_some(payments)
    }

    fn submit(&mut self, plan: &Plan, hosts: &[Host], date: Date) -> Option<Submit> {
        let bank = self.draw.index(hosts.len());
        let host = &hosts[bank];
        let participant = bank as u16 + 1;
        let next = self.files.entry(participant).or_insert(1);
        let number = *next;
        *next += 1;
        let count = self.draw.range(1, PIECE_ITEMS);
        let items = (0..count)
            .map(|_| self.item(plan, hosts, bank, date))
            .collect::<Option<Vec<_>>>()?;
        self.items.extend(items.iter().map(|item| item.uetr));
        Some(Submit {
            source: operator("ics"),
            message_id: MessageId::parse(&format!("{number}/{}", host.code)).ok()?,
            message_version: submission_version(),
            instructing_agent: host.bic,
            piece: Some(Piece {
                file: FileKey([participant as u8; 16]),
                number,
                last: false,
            }),
            items,
            refused: Vec::new(),
        })
    }

    fn item(&mut self, plan: &Plan, hosts: &[Host], bank: usize, date: Date) -> Option<Order> {
        self.number += 1;
        let other = self.draw.index(hosts.len());
        let mut party = |host: &Host| {
            let customer = customer(
                host.bank_code,
                self.draw.range(1, u64::from(plan.customers)) as u32,
            );
            Some(Party {
                agent: host.bic,
                account: customer.iban,
                number: customer.person,
                name: Line::parse(&customer.name)?,
                sector: SectorCode::parse("19").ok()?,
            })
        };
        let (debtor, creditor) = (party(&hosts[bank])?, party(&hosts[other])?);
        let transaction_id = TransactionId::parse(&format!("I-{}", self.number)).ok()?;
        let amount = self.amount(4_000_000);
        let purpose = Knp::parse("911").ok()?;
        let (debtor_side, creditor_side) = (
            (&debtor.agent, &debtor.account),
            (&creditor.agent, &creditor.account),
        );
        let fingerprint = item_fingerprint(amount, date, debtor_side, creditor_side, purpose, None);
        Some(Order {
            key: payment_key(ParticipantId::new(bank as u16 + 1), transaction_id.as_str()),
            fingerprint,
            uetr: uetr_of(self.draw.next()),
            transaction_id,
            instruction_id: None,
            end_to_end_id: EndToEndId::parse("NOTPROVIDED").ok()?,
            amount,
            value_date: date,
            priority: if self.draw.chance(200) {
                ItemPriority::High
            } else {
                ItemPriority::Normal
            },
            debtor,
            creditor,
            purpose,
            remittance: None,
            list: None,
        })
    }

    fn participant(&mut self, plan: &Plan) -> ParticipantId {
        ParticipantId::new(self.draw.index(plan.banks) as u16 + 1)
    }

    fn direction(&mut self) -> Direction {
        if self.draw.chance(650) {
            Direction::In
        } else {
            Direction::Out
        }
    }

    fn amount(&mut self, most: u64) -> Money {
        Money::kzt(self.draw.range(1, most))
    }
}

/// The clearing system as a run has it: its session closes when the operator says, or at the end of the day.
pub(crate) fn seed() -> Command {
    Command::Clearing(clearing::Command::SetSettings {
        source: operator("seed"),
        settings: clearing::Settings {
            closes_at: vec![Span::from_secs(24 * 3600 - 60)],
            ..clearing::Settings::initial()
        },
    })
}

/// What a replay of the whole log says of IMTS and the clearing system.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// Payments that were taken, by their record.
    taken: BTreeSet<Position>,
    /// Those that ended, and how often.
    ended: BTreeMap<Position, Vec<End>>,
    /// Outcomes of sessions: net positions of one sum to nothing.
    nets: BTreeMap<String, i128>,
    /// Items that sessions settled.
    items: u64,
    /// Resolutions of which everything still held.
    resolutions: u64,
}

/// How much of it there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OrderCounts {
    /// RTGS payments that were taken, and of these those that settled.
    pub rtgs: u64,
    pub rtgs_settled: u64,
    /// Solver results that were carried out.
    pub resolutions: u64,
    /// Items that clearing sessions settled, and the sessions with items.
    pub items: u64,
    pub sessions: u64,
}

impl OrderCounts {
    /// Adds those of another run.
    pub(crate) fn add(&mut self, other: &OrderCounts) {
        self.rtgs += other.rtgs;
        self.rtgs_settled += other.rtgs_settled;
        self.resolutions += other.resolutions;
        self.items += other.items;
        self.sessions += other.sessions;
    }
}

impl Ends {
    pub(crate) fn command(&mut self, position: Position, command: &Command, outcome: Outcome) {
        let pays = matches!(
            command,
            Command::Settlement(
                settlement::Command::Pay { .. }
                    | settlement::Command::Instruct(_)
                    | settlement::Command::Return(_)
            )
        );
        if pays && outcome == Outcome::Accepted {
            self.taken.insert(position);
        }
        let resolves = matches!(
            command,
            Command::Settlement(settlement::Command::Resolve { .. })
        );
        self.resolutions += u64::from(resolves && outcome == Outcome::Accepted);
    }

    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Settlement(settlement::Event::Finished(done)) => {
                self.ended.entry(done.id).or_default().push(done.end);
            }
            Event::Clearing(clearing::Event::Net { session, row }) => {
                *self.nets.entry(session.to_string()).or_default() += row.net();
                self.items += u64::from(row.sent);
            }
            _ => {}
        }
    }

    pub(crate) fn counts(&self) -> OrderCounts {
        let settled = self
            .ended
            .values()
            .flatten()
            .filter(|end| **end == End::Settled);
        OrderCounts {
            rtgs: self.taken.len() as u64,
            rtgs_settled: settled.count() as u64,
            resolutions: self.resolutions,
            items: self.items,
            sessions: self.nets.len() as u64,
        }
    }

    /// Every payment that was taken has ended once or waits, nothing else has ended, and no session made or lost money.
    pub(crate) fn check(&self, engine: &Engine) -> Result<(), String> {
        let waiting: BTreeSet<Position> = engine
            .settlement_queue()
            .map(|waiting| waiting.id)
            .collect();
        for id in &self.taken {
            let ends = self.ended.get(id).map_or(0, Vec::len);
            let waits = usize::from(waiting.contains(id));
            if ends + waits != 1 {
                return Err(format!(
                    "RTGS payment {}: ended {ends} times, and {waits} of it waits",
                    id.value()
                ));
            }
        }
        let stray = self
            .ended
            .keys()
            .chain(&waiting)
            .find(|id| !self.taken.contains(id));
        if let Some(id) = stray {
            return Err(format!("RTGS payment {} was never taken", id.value()));
        }
        for (session, sum) in &self.nets {
            if *sum != 0 {
                return Err(format!("clearing session {session}: its nets sum to {sum}"));
            }
        }
        for item in engine.clearing_items() {
            if item.status == Status::Settled && item.session.is_none() {
                let record = item.submitted.value();
                return Err(format!("item of record {record}: settled by no session"));
            }
        }
        Ok(())
    }
}
