use torap_domain::{BankCode, Bic, Money, Service, Text, Time};
use torap_engine::{
    Command, Outcome, Output, Source as By, Stamp,
    participants::{self, Direction, PositionMode, Profile},
    settlement::{self, Payment, Priority},
};

use super::*;

const ONE: ParticipantId = ParticipantId(1);
const TWO: ParticipantId = ParticipantId(2);

/// Two banks, and a reconciliation that began before they had anything.
struct Day {
    engine: Engine,
    stamp: Stamp,
    out: Output,
    day: Reconciliation,
}

fn by() -> By {
    By::Operator {
        name: Text::truncated("a.operator"),
        reference: Text::truncated("ORDER-1"),
    }
}

impl Day {
    fn new() -> Day {
        let engine = Engine::new();
        let day = Reconciliation::new(&engine);
        let mut this = Day {
            engine,
            stamp: Stamp {
                position: Position::ZERO,
                time: Time::parse("2026-11-23T09:00:00+05:00").expect("a time"),
            },
            out: Output::new(),
            day,
        };
        for (code, bank_code) in [("CASPKZKA", 722), ("HSBKKZKX", 601)] {
            this.apply(Command::Participants(participants::Command::Add {
                source: by(),
                profile: Profile {
                    code: Text::truncated(&code[..4]),
                    name: Text::truncated(code),
                    bics: vec![Bic::parse(code).expect("a BIC")],
                    bank_codes: vec![BankCode::from_value(bank_code).expect("a code")],
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
            this.apply(Command::Participants(participants::Command::SetState {
                source: by(),
                participant,
                state: participants::State::Active,
            }));
        }
        this
    }

    fn apply(&mut self, command: Command) {
        self.stamp = Stamp {
            position: self.stamp.position.next(),
            time: self.stamp.time.saturating_add(Span::from_millis(1)),
        };
        self.engine.apply(self.stamp, &command, &mut self.out);
        assert_eq!(self.out.outcome, Outcome::Accepted, "{command:?}");
        self.day.record(&self.engine, &self.out.events);
    }

    fn settlement(&mut self, command: settlement::Command) {
        self.apply(Command::Settlement(command));
    }

    fn run(&mut self) {
        let (source, participant, direction) = (by(), ONE, Direction::In);
        self.apply(Command::Participants(participants::Command::Fund {
            source,
            participant,
            direction,
            amount: Money::kzt(500),
        }));
        self.settlement(settlement::Command::Open {
            source,
            cut_off: None,
            until: self.stamp.time.saturating_add(Span::from_secs(60)),
        });
        self.settlement(settlement::Command::Fund {
            source,
            participant,
            direction,
            amount: Money::kzt(1_000),
        });
        self.settlement(settlement::Command::Transfer {
            source,
            participant,
            direction,
            amount: Money::kzt(300),
        });
        self.settlement(settlement::Command::Pay {
            source,
            payment: Payment {
                from: ONE,
                to: TWO,
                amount: Money::kzt(200),
                priority: Priority::Normal,
                reference: Text::truncated("R"),
                earliest: None,
                latest: None,
            },
        });
        self.day.end(&self.engine);
    }
}

#[test]
fn a_day_is_what_its_records_told() {
    let mut day = Day::new();
    day.run();
    let shown = day.day.shown(&|id| id.value().to_string());
    assert_eq!(shown["agrees"], true, "{shown}");
    let row = &shown["participants"][0];
    assert_eq!(row["central_bank"], "15.00");
    assert_eq!(row["rtgs"], "-2.00");
    assert_eq!(row["settlement_change"], "5.00");
    assert_eq!(row["position_change"], "8.00");
    assert_eq!(row["difference"], "0.00");
    assert_eq!(shown["central_bank_change"], "-15.00");
}

#[test]
fn what_no_record_told_is_a_difference_of_its_account() {
    let mut day = Day::new();
    day.run();
    // A payment that the log does not tell of.
    let telling = day.day.clone();
    day.settlement(settlement::Command::Pay {
        source: by(),
        payment: Payment {
            from: ONE,
            to: TWO,
            amount: Money::kzt(7),
            priority: Priority::Normal,
            reference: Text::truncated("UNTOLD"),
            earliest: None,
            latest: None,
        },
    });
    day.day = telling;
    day.day.end(&day.engine);
    let wrong = [(Account::Settlement, ONE), (Account::Settlement, TWO)];
    assert_eq!(day.day.differences(), wrong);
    let shown = day.day.shown(&|id| id.value().to_string());
    assert_eq!(shown["agrees"], false);
    assert_eq!(shown["proved"], true, "the sum is still right: {shown}");
    assert_eq!(shown["participants"][0]["difference"], "-0.07");
}
