//! The card rail: members that acquire and issue through a running switch.

use std::{fs, net::SocketAddr, sync::atomic::AtomicBool, time::Duration};

use serde::Deserialize;
use torap_gateway::card::framing::Framing;
use torap_hsm_sim::{ceremony::bank_file, key_file::BankKeyFile};
use torap_load::{
    card::{CardMember, CardPlan},
    limits,
};

use super::{
    Arguments, RailName, answer, card_day, in_flight_max, measure,
    own_switch::{self, CONFIGURATION, OwnSwitch, Setup, placeholder},
    print_outcome,
    snapshots::Snapshots,
    usage,
};
use crate::{
    cli::{Ending, Failure},
    config::Config,
    control::{CardShow, Client, Request},
    folder::Folder,
};

/// Institution number of the first member of an own switch; the others follow.
const INSTITUTION: usize = 901;
/// The shared door; each member gets one of its own besides.
const CARD_SIDE: &str = "\n[card]\nlisten = \"127.0.0.1:0\"\n";
/// What an own switch charges for everything.
const TARIFF: &str = "\n[[card.fee]]\ninterchange = { percent = \"1.1\", to = \"issuer\" }\nswitch_acquirer = { fixed = \"2.00\" }\n";

/// Where a member connects to, and the frames there.
type Doors<'d> = &'d dyn Fn(&str) -> Result<(SocketAddr, Framing), String>;

/// A card member as the switch lists it.
#[derive(Clone, Debug, Deserialize)]
struct Row {
    participant: String,
    signed_on: bool,
    links: usize,
    roles: String,
    host: Option<String>,
    institutions: String,
    dialect: String,
    mac: bool,
    key_set: u32,
}

#[derive(Debug, Deserialize)]
struct Members {
    members: Vec<Row>,
}

/// A BIN range as the switch lists it.
#[derive(Clone, Debug, Deserialize)]
struct Bin {
    prefix: String,
    issuer: String,
    scheme: u8,
}

#[derive(Debug, Deserialize)]
struct Bins {
    bins: Vec<Bin>,
}

/// What can be wrong with the flags is refused before anything starts.
pub(super) fn check(arguments: &Arguments) -> Result<(), Failure> {
    let refuse = |text: &str| Err(Failure::Usage(text.into()));
    if arguments.rail != RailName::Card {
        return match arguments {
            Arguments { mac: true, .. } => refuse("--mac: only with --rail card"),
            Arguments { count: Some(_), .. } => refuse("--count: only with --rail card"),
            Arguments { links: Some(_), .. } => refuse("--links: only with --rail card"),
            Arguments {
                pin_percent: Some(_),
                ..
            } => refuse("--pin-percent: only with --rail card"),
            _ => Ok(()),
        };
    }
    if arguments.overload.is_some() {
        return refuse("--overload: not with --rail card");
    }
    if let Some(count) = arguments.count {
        card_day::check(count)?;
    }
    let members = (0..arguments.banks.min(limits::BANKS_MAX + 1)).map(own_member);
    let mut plan = plan(arguments, members.collect(), Framing::PLAIN);
    // Keys are there when the switch is.
    let percent = std::mem::take(&mut plan.pin_percent);
    plan.mac = false;
    usage(plan.check())?;
    if percent > 100 {
        return refuse("--pin-percent: more than 100");
    }
    Ok(())
}

/// Runs the load against a switch of its own or one that is there.
pub(super) fn run(
    folder: &Folder,
    arguments: &Arguments,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    if !arguments.own_switch {
        let config = Config::read(&folder.configuration())?;
        let doors = |code: &str| door(&config, code);
        return load(folder, arguments, &doors, stop);
    }
    let mut own = OwnSwitch::start(arguments.work_dir.as_deref(), &setup(arguments))?;
    let own_doors = own.ready().card.clone();
    let doors = |code: &str| {
        let mut places = 0..arguments.banks;
        let place = places.find(|place| placeholder(*place).code.as_str() == code);
        // The shared door comes first.
        let address = place.and_then(|place| own_doors.get(place + 1)).copied();
        address
            .map(|address| (address, Framing::PLAIN))
            .ok_or_else(|| format!("the switch has no door for {code}"))
    };
    let ending = load(own.folder(), arguments, &doors, stop);
    match (ending, own.stop()) {
        (Ok(ending), Ok(())) => Ok(ending),
        (Err(failure), _) => Err(own.with_log(failure)),
        (Ok(_), Err(text)) => Err(own.with_log(Failure::Failed(text))),
    }
}

fn load(
    folder: &Folder,
    arguments: &Arguments,
    doors: Doors<'_>,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    let mut control = Client::connect(&folder.control())?;
    let every = arguments.snapshot_every_s.map(Duration::from_secs);
    let _snapshots = every
        .map(|every| Snapshots::start(&folder.control(), every))
        .transpose()?;
    let (members, framing) = members(folder, &mut control, arguments, doors)?;
    let plan = plan(arguments, members, framing);
    if let Some(count) = arguments.count {
        return card_day::run(folder, &mut control, (plan, count), stop);
    }
    let (outcome, mut switch_use) = measure(&mut control, stop, |progress| {
        torap_load::run_cards(plan, progress)
    })?;
    // The switch counts finished payments of the other rail.
    switch_use.payments_finished = outcome.settled + outcome.rejected.values().sum::<u64>();
    print_outcome(&outcome, switch_use)
}

/// The first members that can take part: acquirer and issuer, in the national dialect, with cards of their own, with MACs as wanted, and
/// without a host that would share their traffic.
fn members(
    folder: &Folder,
    control: &mut Client,
    arguments: &Arguments,
    doors: Doors<'_>,
) -> Result<(Vec<CardMember>, Framing), Failure> {
    let show = |what| Request::Card { what };
    let rows: Members = answer(control, &show(CardShow::Status))?;
    let bins: Bins = answer(control, &show(CardShow::Bins { prefix: None }))?;
    let known = rows.members.len();
    let fit = rows.members.iter().filter_map(|row| {
        let is_fit = row.mac == arguments.mac
            && row.host.is_none()
            && !row.signed_on
            && row.links == 0
            && row.dialect == "national"
            && ["acquirer", "issuer"].map(|role| row.roles.contains(role)) == [true; 2];
        let institution = row.institutions.split(' ').next().unwrap_or_default();
        let mut bins = bins.bins.iter();
        let bin = bins.find(|bin| bin.issuer == row.participant && bin.scheme == 0)?;
        (is_fit && !institution.is_empty()).then_some((row, institution, &bin.prefix))
    });
    let chosen: Vec<_> = fit.take(arguments.banks).collect();
    if chosen.len() < arguments.banks {
        let text = format!(
            "--banks {}: of {known} card members only {} acquire and issue, speak the national dialect {} MACs, have a BIN range, and are not signed on",
            arguments.banks,
            chosen.len(),
            if arguments.mac { "with" } else { "without" },
        );
        return Err(Failure::Failed(text));
    }
    let mut framings = Vec::new();
    let members = chosen.into_iter().map(|(row, institution, prefix)| {
        let (door, framing) = doors(&row.participant)?;
        framings.push(framing);
        Ok(CardMember {
            code: row.participant.clone(),
            institution: institution.into(),
            prefix: prefix.clone(),
            door,
            keys: keys(folder, &row.participant)?,
            key_set: row.key_set,
        })
    });
    let members = members.collect::<Result<Vec<_>, String>>()?;
    let framing = framings.first().copied().unwrap_or(Framing::PLAIN);
    if framings.iter().any(|other| *other != framing) || framing.tpdu {
        let text = "the doors of the members have frames of different kinds, or with a TPDU";
        return Err(Failure::Failed(text.into()));
    }
    Ok((members, framing))
}

/// Where a member of a running switch connects to: its own door, or the shared one.
fn door(config: &Config, code: &str) -> Result<(SocketAddr, Framing), String> {
    let card = config
        .card
        .as_ref()
        .ok_or("torap.toml: the switch has no [card]")?;
    let mut links = card.link.iter();
    let own = links.find(|link| link.participant == code && link.listen.is_some());
    let door = match own {
        Some(link) => link.listen.map(|address| (address, link.framing())),
        None => card.listen.map(|address| (address, card.framing())),
    };
    door.filter(|(address, _)| address.port() != 0)
        .ok_or_else(|| format!("torap.toml: card: no door with a port of its own for {code}"))
}

/// A member's side of its keys, if the laboratory's HSM made some.
fn keys(folder: &Folder, code: &str) -> Result<Option<BankKeyFile>, String> {
    let path = bank_file(&folder.hsm(), code);
    if !path.exists() {
        return Ok(None);
    }
    let at = |error: String| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| at(error.to_string()))?;
    BankKeyFile::parse(&text).map(Some).map_err(at)
}

fn plan(arguments: &Arguments, members: Vec<CardMember>, framing: Framing) -> CardPlan {
    let seconds = match arguments.count {
        Some(count) => card_day::seconds(count, arguments.rate),
        None => arguments.duration,
    };
    let mut plan = CardPlan::new(members, arguments.rate, Duration::from_secs(seconds));
    plan.count_max = arguments.count;
    plan.framing = framing;
    plan.links = arguments.links.unwrap_or(plan.links);
    plan.mac = arguments.mac;
    plan.pin_percent = arguments.pin_percent.unwrap_or(plan.pin_percent);
    plan.warm_up = Duration::from_secs(arguments.warm_up);
    plan.in_flight_max = in_flight_max(arguments);
    plan.check_every = arguments.check_every;
    plan
}

/// Members that acquire and issue, each with a door of its own: without MACs the address says who comes.
fn setup(arguments: &Arguments) -> Setup {
    let mut configuration = format!("{CONFIGURATION}{CARD_SIDE}");
    let mut tables = String::new();
    let members: Vec<CardMember> = (0..arguments.banks).map(own_member).collect();
    for member in &members {
        let CardMember {
            code,
            institution,
            prefix,
            ..
        } = member;
        configuration.push_str(&format!(
            "\n[[card.link]]\nparticipant = \"{code}\"\nlisten = \"127.0.0.1:0\"\nfrom = [\"127.0.0.1\"]\n"
        ));
        tables.push_str(&format!(
            "\n[[card.member]]\nparticipant = \"{code}\"\ninstitutions = [\"{institution}\"]\nroles = [\"acquirer\", \"issuer\"]\nmac = {}\n\n[[card.bin]]\nprefix = \"{prefix}\"\nissuer = \"{code}\"\nlocal = true\n",
            arguments.mac
        ));
    }
    if arguments.count.is_some() {
        tables.push_str(&card_day::settings(arguments.window_entries));
    }
    let needs_keys = arguments.mac || arguments.pin_percent != Some(0);
    Setup {
        configuration,
        network: format!("{}{tables}{TARIFF}", own_switch::network(arguments.banks)),
        key_holders: members
            .into_iter()
            .map(|member| member.code)
            .filter(|_| needs_keys)
            .collect(),
    }
}

/// Member number `place` of an own switch, below 99; its keys and its door come with the switch.
fn own_member(place: usize) -> CardMember {
    CardMember {
        code: placeholder(place).code.as_str().into(),
        institution: (INSTITUTION + place).to_string(),
        prefix: format!("9398{:04}", INSTITUTION + place),
        door: SocketAddr::from(([127, 0, 0, 1], 0)),
        keys: None,
        key_set: 1,
    }
}

#[cfg(test)]
mod tests;
