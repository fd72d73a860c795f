//! How the log of a run begins.

use torap_bank::customer;
use torap_domain::{Money, ParticipantId, Service, Text};
use torap_engine::{
    Bounds, Command, RULES_NEWEST,
    directory::{self, ImportEntry},
    instant::{self, Limits, Settings},
    participants::{self, Direction, PositionMode, Profile, State},
};

use crate::{
    host::{BANKS, Host},
    load::operator,
    plan::Plan,
};

/// The commands that an empty journal starts with.
pub(crate) fn seed(plan: &Plan) -> Vec<Command> {
    let source = operator("seed");
    let mut commands = vec![
        Command::Instant(instant::Command::SetSettings {
            source,
            settings: Settings {
                switch_bic: plan.node.switch_bic,
                ..Settings::initial()
            },
        }),
        Command::Bounds {
            source,
            bounds: Bounds {
                duplicate_window_entries: plan.window_entries,
                in_flight_max: plan.in_flight_max,
                ..Bounds::DEFAULT
            },
        },
    ];
    if plan.newest_rules {
        let version = RULES_NEWEST;
        commands.push(Command::Rules { source, version });
    }
    if plan.tight_limits {
        for service in Service::ALL {
            commands.push(Command::Instant(instant::Command::SetLimits {
                source,
                service,
                participant: None,
                limits: Limits {
                    payment_max: Some(Money::kzt(plan.amount_max * 9 / 10 + 1)),
                    customer_day_amount_max: Some(Money::kzt(plan.amount_max * 5)),
                    customer_day_count_max: Some(40),
                    participant_day_amount_max: Some(Money::kzt(plan.amount_max * 100)),
                },
            }));
        }
    }
    for (number, (fund, cap)) in plan.funds.iter().enumerate() {
        let participant = ParticipantId::new(number as u16 + 1);
        let host = Host::new(number, 0, plan.node.switch_bic);
        let profile = Profile {
            code: Text::truncated(host.code),
            name: Text::truncated(BANKS[number].0),
            bics: vec![host.bic],
            bank_codes: vec![host.bank_code],
            sponsor: None,
            technical_senders: Vec::new(),
            services: Service::ALL.to_vec(),
            floor: Some(Money::kzt(500_000)),
            ceiling: Some(Money::kzt(10_000_000_000)),
        };
        let mode = cap.map_or(PositionMode::Prefunded, |cap| {
            PositionMode::NetDebitCap(Money::kzt(cap * 100))
        });
        let mut push = |command| commands.push(Command::Participants(command));
        push(participants::Command::Add {
            source,
            profile,
            mode,
        });
        push(participants::Command::SetState {
            source,
            participant,
            state: State::Active,
        });
        if *fund > 0 {
            push(participants::Command::Fund {
                source,
                participant,
                direction: Direction::In,
                amount: Money::kzt(fund * 100),
            });
        }
        let entries = (1..=plan.customers)
            .map(|number| {
                let customer = customer(host.bank_code, number);
                ImportEntry {
                    phone: customer.phone,
                    person: customer.person,
                    iban: customer.iban,
                    name: Text::truncated(&customer.name),
                }
            })
            .collect();
        commands.push(Command::Directory(directory::Command::Import {
            source,
            participant,
            entries,
        }));
    }
    commands.push(crate::orders::seed());
    let office = crate::office::seed(plan);
    if let Some(cards) = &plan.cards {
        commands.extend(crate::card::seed(plan, cards));
    }
    commands.extend(office);
    commands
}
