//! Statements of every account, against what the switch itself shows.

use std::collections::BTreeMap;

use torap_domain::{Date, ParticipantId, Time};
use torap_engine::reports::Account;
use torap_follower::Until;

use super::Line;
use crate::{
    control::{Request, RtgsShow},
    demo::day::{Day, Told},
    reconcile::Log,
};

pub(super) static PRINTED: Line = Line {
    title: "statements of every account, read from the log",
    rows: &[],
    run: printed,
};

fn printed(day: &mut Day) -> Result<Told, String> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    let today = Date::from_time(Time::from_nanos(u64::try_from(now.as_nanos()).unwrap_or(0)));
    let shown = balances(day)?;
    let log = Log::open(day.lab.folder(), None)?;
    let engine = log.state(Until::End)?.engine;
    let owners: BTreeMap<ParticipantId, String> = engine
        .participant_views()
        .map(|view| (view.id, view.code.as_str().to_owned()))
        .collect();
    let accounts: Vec<(ParticipantId, Account)> = owners
        .keys()
        .flat_map(|owner| [Account::Settlement, Account::Position].map(|account| (*owner, account)))
        .collect();
    let stated = log.statements(today, &accounts, &mut |_, _| ())?;
    let (mut entries, mut wrong) = (0, Vec::new());
    for statement in &stated.statements {
        entries += statement.sums.entries();
        let code = owners.get(&statement.owner).cloned().unwrap_or_default();
        let key = (code, statement.account.code());
        if shown.get(&key) != Some(&tenge(statement.balance)) {
            wrong.push(format!("{} {}", key.0, key.1));
        }
    }
    let told = Told::new(format!("{} accounts, {entries} entries", accounts.len()));
    Ok(told.check(
        "every balance agrees",
        match wrong.is_empty() {
            true => "every balance agrees".to_owned(),
            false => format!("wrong: {}", wrong.join(", ")),
        },
    ))
}

/// Balances of settlement accounts and positions, by participant and account, as the switch shows them.
fn balances(day: &Day) -> Result<BTreeMap<(String, &'static str), String>, String> {
    let settlement = day.ctl(&Request::Rtgs {
        what: RtgsShow::Status,
    })?;
    let positions = day.ctl(&Request::Positions)?;
    let mut all = BTreeMap::new();
    for (rows, account) in [
        (&settlement["accounts"], Account::Settlement),
        (&positions["positions"], Account::Position),
    ] {
        for row in rows.as_array().into_iter().flatten() {
            let text = |key: &str| row[key].as_str().map(String::from).unwrap_or_default();
            all.insert((text("participant"), account.code()), text("balance"));
        }
    }
    Ok(all)
}

fn tenge(tiyn: i128) -> String {
    let sign = if tiyn < 0 { "-" } else { "" };
    let size = tiyn.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}
