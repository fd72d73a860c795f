//! `network.toml`: what an empty journal starts with. Once the journal holds anything, the file is left aside and `torap ctl` changes
//! things.
//!
//! ```toml
//! switch_bic = "TORPKZKA"
//!
//! [[participant]]
//! code = "HSBK"
//! name = "Halyk"
//! bics = ["HSBKKZKX"]
//! bank_codes = ["601"]
//! fund = "500000000.00"            # KZT, from the central bank's mirror account
//! floor = "1000000.00"             # notice when the available position falls below
//! # net_debit_cap = "1000000.00"   # instead of prefunded
//! # services = ["c2c-phone", "c2c-account", "me2me", "qr"]
//! # state = "active"
//!
//! [limits.c2c-phone]
//! payment_max = "1000000.00"
//! customer_day_amount_max = "5000000.00"
//! customer_day_count_max = 100
//! ```
//! The `[card]` tables are described in [`card`].

pub mod card;
mod trial;

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use torap_domain::{Asset, BankCode, Bic, Money, ParticipantId, Service, Text};
use torap_engine::{
    Command, Engine, RULES_NEWEST, Source,
    instant::{self, Limits},
    participants::{self, Direction, PositionMode, Profile, State},
};

use crate::folder::{Folder, random_bytes, write_secret};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    switch_bic: Option<String>,
    #[serde(default)]
    participant: Vec<ParticipantRow>,
    #[serde(default)]
    limits: BTreeMap<String, LimitRow>,
    card: Option<card::CardTables>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParticipantRow {
    code: String,
    name: String,
    bics: Vec<String>,
    #[serde(default)]
    bank_codes: Vec<String>,
    services: Option<Vec<String>>,
    state: Option<String>,
    net_debit_cap: Option<String>,
    fund: Option<String>,
    floor: Option<String>,
    ceiling: Option<String>,
    sponsor: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitRow {
    payment_max: Option<String>,
    customer_day_amount_max: Option<String>,
    customer_day_count_max: Option<u32>,
    participant_day_amount_max: Option<String>,
}

/// A checked network file.
#[derive(Clone, Debug)]
pub struct Plan {
    switch_bic: Option<Bic>,
    participants: Vec<Planned>,
    limits: Vec<(Service, Limits)>,
    cards: Vec<(String, torap_engine::cards::Command)>,
}

/// A command of the seed and the place in the file that asks for it.
#[derive(Clone, Debug)]
struct Placed {
    place: String,
    command: Command,
}

#[derive(Clone, Debug)]
struct Planned {
    profile: Profile,
    mode: PositionMode,
    state: State,
    fund: Option<Money>,
}

impl Plan {
    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// Names the file, the place in it and the rule.
    pub fn read(path: &Path) -> Result<Option<Plan>, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        Plan::parse(&text)
            .map(Some)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses and checks the text of the file.
    ///
    /// # Errors
    /// The place (line or key) and the rule.
    pub fn parse(text: &str) -> Result<Plan, String> {
        let file: File =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_string())?;
        let switch_bic = match &file.switch_bic {
            None => None,
            Some(text) => Some(Bic::parse(text).map_err(|error| format!("switch_bic: {error}"))?),
        };
        let codes: Vec<&str> = file
            .participant
            .iter()
            .map(|row| row.code.as_str())
            .collect();
        let mut participants = Vec::with_capacity(file.participant.len());
        for (number, row) in file.participant.iter().enumerate() {
            let planned = row.plan(&codes[..number]);
            participants.push(
                planned.map_err(|error| format!("participant[{number}] {}: {error}", row.code))?,
            );
        }
        let mut limits = Vec::with_capacity(file.limits.len());
        for (name, row) in &file.limits {
            let service = service(name).map_err(|error| format!("limits.{name}: {error}"))?;
            limits.push((
                service,
                row.limits()
                    .map_err(|error| format!("limits.{name}.{error}"))?,
            ));
        }
        let cards = match &file.card {
            None => Vec::new(),
            Some(tables) => tables.into_parts(&card::Ground {
                settings: torap_engine::cards::Settings::initial(),
                bins_version: 0,
                participant: &|code| {
                    let place = codes.iter().position(|known| *known == code)?;
                    u16::try_from(place + 1).ok().map(ParticipantId::new)
                },
            })?,
        };
        let cards = cards
            .into_iter()
            .map(|placed| (placed.place, placed.part.into_command(source())))
            .collect();
        Ok(Plan {
            switch_bic,
            participants,
            limits,
            cards,
        })
    }

    /// The switch's BIC once the plan is carried out.
    pub fn switch_bic(&self, engine: &Engine) -> Bic {
        self.switch_bic.unwrap_or(engine.settings().switch_bic)
    }

    /// Commands for an empty journal; makes the secrets that are not there yet. All of them are tried first, so that a row is either
    /// carried out or keeps the switch from starting.
    ///
    /// # Errors
    /// The row that the engine refuses, with key and rule; or a secret cannot be written.
    pub fn into_commands(self, folder: &Folder) -> Result<Vec<Command>, String> {
        let codes: Vec<Text<35>> = self
            .participants
            .iter()
            .map(|planned| planned.profile.code)
            .collect();
        let placed = self.placed();
        trial::run(&placed).map_err(|error| format!("{}: {error}", folder.network().display()))?;
        for code in codes {
            let secret = folder.secret(code.as_str());
            if !secret.exists() {
                write_secret(&secret, &random_bytes()?)?;
            }
        }
        Ok(placed.into_iter().map(|placed| placed.command).collect())
    }

    /// The commands in their order. The number of a participant is that of its row, because no row is left out.
    fn placed(self) -> Vec<Placed> {
        let source = source();
        let mut commands = Vec::new();
        let mut push = |place: String, command| commands.push(Placed { place, command });
        if let Some(switch_bic) = self.switch_bic {
            let settings = instant::Settings {
                switch_bic,
                ..instant::Settings::initial()
            };
            let command = instant::Command::SetSettings { source, settings };
            push("switch_bic".into(), Command::Instant(command));
        }
        for (service, limits) in self.limits {
            let command = instant::Command::SetLimits {
                source,
                service,
                participant: None,
                limits,
            };
            push(
                format!("limits.{}", service.name()),
                Command::Instant(command),
            );
        }
        for (number, planned) in (1..).zip(self.participants) {
            let participant = ParticipantId::new(number);
            let place = format!("participant[{}] {}", number - 1, planned.profile.code);
            let mut push = |place, command| push(place, Command::Participants(command));
            push(
                place.clone(),
                participants::Command::Add {
                    source,
                    profile: planned.profile,
                    mode: planned.mode,
                },
            );
            push(
                format!("{place}: state"),
                participants::Command::SetState {
                    source,
                    participant,
                    state: planned.state,
                },
            );
            if let Some(amount) = planned.fund {
                push(
                    format!("{place}: fund"),
                    participants::Command::Fund {
                        source,
                        participant,
                        direction: Direction::In,
                        amount,
                    },
                );
            }
        }
        for (place, command) in self.cards {
            push(place, Command::Cards(command));
        }
        // A new log begins with the newest rules; an older one keeps its own until the operator changes them.
        push(
            "rules".into(),
            Command::Rules {
                source,
                version: RULES_NEWEST,
            },
        );
        commands
    }
}

/// Who seeds a journal.
fn source() -> Source {
    Source::Operator {
        name: Text::truncated("network.toml"),
        reference: Text::truncated("seed"),
    }
}

impl ParticipantRow {
    /// `before`: codes of the rows above, the only ones that may be a sponsor.
    fn plan(&self, before: &[&str]) -> Result<Planned, String> {
        let sponsor = match &self.sponsor {
            None => None,
            Some(code) => {
                let place = before.iter().position(|known| known == code);
                let number = place.and_then(|place| u16::try_from(place + 1).ok());
                Some(ParticipantId::new(number.ok_or_else(|| {
                    format!("sponsor: `{code}` must stand above")
                })?))
            }
        };
        if before.contains(&self.code.as_str()) {
            return Err("code: is there already".into());
        }
        let services = match &self.services {
            None => Service::ALL.to_vec(),
            Some(names) => names
                .iter()
                .map(|name| service(name))
                .collect::<Result<_, _>>()
                .map_err(|error| format!("services: {error}"))?,
        };
        let bank_codes = self.bank_codes.iter().map(|code| {
            BankCode::parse(code).map_err(|error| format!("bank_codes: `{code}`: {error}"))
        });
        let profile = Profile {
            code: participant_code(&self.code)?,
            name: Text::try_from(self.name.as_str()).map_err(|error| format!("name: {error}"))?,
            bics: self
                .bics
                .iter()
                .map(|bic| Bic::parse(bic).map_err(|error| format!("bics: `{bic}`: {error}")))
                .collect::<Result<_, _>>()?,
            bank_codes: bank_codes.collect::<Result<_, _>>()?,
            sponsor,
            technical_senders: Vec::new(),
            services,
            floor: money("floor", self.floor.as_deref())?,
            ceiling: money("ceiling", self.ceiling.as_deref())?,
        };
        let mode = match money("net_debit_cap", self.net_debit_cap.as_deref())? {
            None => PositionMode::Prefunded,
            Some(cap) => PositionMode::NetDebitCap(cap),
        };
        let state = state(self.state.as_deref().unwrap_or("active"))?;
        Ok(Planned {
            profile,
            mode,
            state,
            fund: money("fund", self.fund.as_deref())?,
        })
    }
}

impl LimitRow {
    fn limits(&self) -> Result<Limits, String> {
        Ok(Limits {
            payment_max: money("payment_max", self.payment_max.as_deref())?,
            customer_day_amount_max: money(
                "customer_day_amount_max",
                self.customer_day_amount_max.as_deref(),
            )?,
            customer_day_count_max: self.customer_day_count_max,
            participant_day_amount_max: money(
                "participant_day_amount_max",
                self.participant_day_amount_max.as_deref(),
            )?,
        })
    }
}

/// A participant's short code: it names a file, so letters, digits, `-` and `_` only.
///
/// # Errors
/// The rule.
pub fn participant_code(code: &str) -> Result<Text<35>, String> {
    let right = !code.is_empty()
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !right {
        return Err(format!(
            "code: `{code}` must be letters, digits, `-` or `_`"
        ));
    }
    Text::try_from(code).map_err(|error| format!("code: {error}"))
}

/// `active`, `certifying`, `closing`, `suspended`, `suspended-debits`, `suspended-credits`.
///
/// # Errors
/// The words that are allowed.
pub fn state(name: &str) -> Result<State, String> {
    match name {
        "active" => Ok(State::Active),
        "certifying" => Ok(State::Certifying),
        "closing" => Ok(State::Closing),
        "suspended" => Ok(State::Suspended {
            debits: true,
            credits: true,
        }),
        "suspended-debits" => Ok(State::Suspended {
            debits: true,
            credits: false,
        }),
        "suspended-credits" => Ok(State::Suspended {
            debits: false,
            credits: true,
        }),
        other => Err(format!(
            "state: `{other}` is none of active, certifying, closing, suspended, suspended-debits, suspended-credits"
        )),
    }
}

/// A service by its kebab-case name.
///
/// # Errors
/// The words that are allowed.
pub fn service(name: &str) -> Result<Service, String> {
    Service::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Service::ALL.iter().map(|service| service.name()).collect();
        format!("`{name}` is none of {}", known.join(", "))
    })
}

/// An amount in tenge with at most two decimals.
///
/// # Errors
/// The key and the rule.
pub fn money(key: &str, text: Option<&str>) -> Result<Option<Money>, String> {
    let parse =
        |text| Money::parse(text, Asset::Kzt).map_err(|error| format!("{key}: `{text}`: {error}"));
    text.map(parse).transpose()
}

#[cfg(test)]
mod tests;
