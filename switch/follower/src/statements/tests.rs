use torap_domain::{BankCode, Bic, Service, Time};
use torap_engine::{
    Command, Outcome, Output, Source,
    participants::{self, PositionMode, Profile},
    settlement::{self, Payment, Priority},
};

use super::*;

const ONE: ParticipantId = ParticipantId(1);
const TWO: ParticipantId = ParticipantId(2);

/// Two banks and the statements of their accounts since the first record.
struct Day {
    engine: Engine,
    stamp: Stamp,
    out: Output,
    statements: Vec<Statement>,
    lines: Vec<(usize, Line)>,
    /// Records whose events are kept from the statements.
    hidden: bool,
}

fn by() -> Source {
    Source::Operator {
        name: Text::truncated("a.operator"),
        reference: Text::truncated("ORDER-1"),
    }
}

impl Day {
    fn new() -> Day {
        let engine = Engine::new();
        let accounts = [ONE, TWO].into_iter().flat_map(|owner| {
            let own = Account::ALL.into_iter();
            own.map(move |account| (owner, account))
        });
        let statements = accounts
            .map(|(owner, account)| Statement::new(&engine, owner, account))
            .collect();
        let mut day = Day {
            engine,
            stamp: Stamp {
                position: Position::ZERO,
                time: Time::parse("2026-11-23T09:00:00+05:00").unwrap(),
            },
            out: Output::new(),
            statements,
            lines: Vec::new(),
            hidden: false,
        };
        for (code, bank_code) in [("CASPKZKA", 722), ("HSBKKZKX", 601)] {
            day.apply(Command::Participants(participants::Command::Add {
                source: by(),
                profile: Profile {
                    code: Text::truncated(&code[..4]),
                    name: Text::truncated(code),
                    bics: vec![Bic::parse(code).unwrap()],
                    bank_codes: vec![BankCode::from_value(bank_code).unwrap()],
                    sponsor: None,
                    technical_senders: Vec::new(),
                    services: Service::ALL.to_vec(),
                    floor: None,
                    ceiling: None,
                },
                mode: PositionMode::Prefunded,
            }));
        }
        for participant in [ONE, TWO] {
            day.apply(Command::Participants(participants::Command::SetState {
                source: by(),
                participant,
                state: participants::State::Active,
            }));
        }
        let until = day
            .stamp
            .time
            .saturating_add(torap_domain::Span::from_secs(3600));
        day.settlement(settlement::Command::Open {
            source: by(),
            cut_off: None,
            until,
        });
        day
    }

    fn apply(&mut self, command: Command) {
        let step = torap_domain::Span::from_millis(1);
        self.stamp = Stamp {
            position: self.stamp.position.next(),
            time: self.stamp.time.saturating_add(step),
        };
        self.engine.apply(self.stamp, &command, &mut self.out);
        assert_eq!(self.out.outcome, Outcome::Accepted, "{command:?}");
        let events: &[Event] = if self.hidden { &[] } else { &self.out.events };
        let lines = &mut self.lines;
        record(
            &mut self.statements,
            &self.engine,
            self.stamp,
            events,
            &mut |place, line| lines.push((place, *line)),
        );
        for statement in &self.statements {
            let stands = self
                .engine
                .account_balance(statement.owner, statement.account);
            assert_eq!(statement.balance, stands.unwrap_or(0), "{statement:?}");
        }
    }

    fn settlement(&mut self, command: settlement::Command) {
        self.apply(Command::Settlement(command));
    }

    fn fund(&mut self, participant: ParticipantId, amount: u64) {
        self.settlement(settlement::Command::Fund {
            source: by(),
            participant,
            direction: Direction::In,
            amount: Money::kzt(amount),
        });
    }

    fn pay(&mut self, from: ParticipantId, to: ParticipantId, amount: u64, reference: &str) {
        self.settlement(settlement::Command::Pay {
            source: by(),
            payment: Payment {
                from,
                to,
                amount: Money::kzt(amount),
                priority: Priority::Normal,
                reference: Text::truncated(reference),
                earliest: None,
                latest: None,
            },
        });
    }

    /// Number, kind, counterparty, reference, amount and balance of each entry.
    fn shown(&self, owner: ParticipantId, account: Account) -> Vec<String> {
        let of = |place: &usize| {
            let statement = &self.statements[*place];
            (statement.owner, statement.account) == (owner, account)
        };
        let lines = self.lines.iter().filter(|(place, _)| of(place));
        lines
            .map(|(_, line)| {
                let entry = &line.entry;
                format!(
                    "{} {} {} {} {} {}",
                    line.number,
                    entry.kind.code(),
                    entry.counterparty.map_or(0, |id| id.value()),
                    entry.reference,
                    entry.signed(),
                    line.balance
                )
            })
            .collect()
    }
}

#[test]
fn entries_have_number_kind_counterparty_reference_and_balance() {
    let mut day = Day::new();
    day.fund(ONE, 1_000);
    day.pay(TWO, ONE, 300, "WAITS");
    day.pay(ONE, TWO, 400, "RELEASES");
    day.settlement(settlement::Command::Transfer {
        source: by(),
        participant: TWO,
        direction: Direction::In,
        amount: Money::kzt(60),
    });
    assert_eq!(
        day.shown(ONE, Account::Settlement),
        [
            "1 CBNK 0  1000 1000",
            "2 RPAY 2 RELEASES -400 600",
            "3 RPAY 2 WAITS 300 900"
        ]
    );
    assert_eq!(
        day.shown(TWO, Account::Settlement),
        [
            "1 RPAY 1 RELEASES 400 400",
            "2 RPAY 1 WAITS -300 100",
            "3 LIQT 0  -60 40"
        ]
    );
    assert_eq!(day.shown(TWO, Account::Position), ["1 LIQT 0  60 60"]);
    assert_eq!(day.shown(ONE, Account::Card), [""; 0]);
    let sums = day.statements[0].sums;
    assert_eq!((sums.debits, sums.debited), (1, 400));
    assert_eq!((sums.credits, sums.credited), (2, 1_300));
}

#[test]
fn what_no_event_tells_is_an_entry_of_its_own() {
    let mut day = Day::new();
    day.hidden = true;
    day.fund(ONE, 1_000);
    day.hidden = false;
    day.fund(ONE, 5);
    assert_eq!(
        day.shown(ONE, Account::Settlement),
        ["1 OTHR 0  1000 1000", "2 CBNK 0  5 1005"]
    );
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let mut day = Day::new();
    for amount in 1..=7 {
        day.fund(ONE, amount);
    }
    let check = |entries_max: usize, expect: &[(usize, bool)]| {
        let mut pages = Pages::new(0, entries_max);
        let mut all = Vec::new();
        for (_, line) in &day.lines {
            all.extend(pages.add(line));
        }
        all.push(pages.end());
        let shape: Vec<(usize, bool)> = all
            .iter()
            .map(|page| (page.entries.len(), page.is_last))
            .collect();
        assert_eq!(shape, expect);
        let (mut balance, mut number, mut so_far) = (0, 1, Sums::default());
        for (page, place) in all.iter().zip(1..) {
            assert_eq!(
                (page.number, page.before, page.first),
                (place, balance, number)
            );
            for line in page.lines() {
                assert_eq!(line.number, number);
                so_far.add(&line.entry);
                number += 1;
            }
            balance = page.after();
            assert_eq!(page.so_far, so_far);
        }
        assert_eq!(balance, 28);
    };
    check(3, &[(3, false), (3, false), (1, true)]);
    check(7, &[(7, true)]);
    check(6, &[(6, false), (1, true)]);
    let empty = Pages::new(-5, 3).end();
    assert_eq!(
        (empty.number, empty.is_last, empty.before, empty.after()),
        (1, true, -5, -5)
    );
    assert_eq!(empty.so_far.entries(), 0);
}
