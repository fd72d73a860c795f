//! What comes through the operator's door: RTGS payments, and a day of the clearing system. Many control connections, each of which
//! asks, waits until the answer is durable, and asks the next.

mod clearing;
mod settlement;

use std::{sync::atomic::AtomicBool, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use torap_domain::{BankCode, Iban, IinBin, Time};
use torap_load::limits;

use super::{
    Arguments, Participant, RailName, answer,
    own_switch::{self, OwnSwitch, Setup},
};
use crate::{
    cli::{Ending, Failure},
    control::{By, Client, Request, RtgsChange, RtgsShow},
    folder::Folder,
    serve::wall_clock,
};

/// Money that each settlement account gets, in tenge: more than a run can move.
const FUND: &str = "50000000000000.00";
/// Control connections, unless told otherwise.
const CONNECTIONS: u32 = 64;
const CONNECTIONS_MAX: u32 = 256;
/// How long the business day is kept open that a run opens.
const DAY: Duration = Duration::from_secs(6 * 3600);

/// A bank that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bank {
    code: String,
    bank_code: BankCode,
}

/// What can be wrong with the flags is refused before anything starts.
pub(super) fn check(arguments: &Arguments) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::Usage(text));
    let of_operators = matches!(arguments.rail, RailName::Rtgs | RailName::Ics);
    if arguments.items.is_some() && arguments.rail != RailName::Ics {
        return refuse("--items: only with --rail ics".into());
    }
    if !of_operators {
        return Ok(());
    }
    if !(2..=limits::BANKS_MAX).contains(&arguments.banks) {
        let (banks, most) = (arguments.banks, limits::BANKS_MAX);
        return refuse(format!("--banks: {banks} is not between 2 and {most}"));
    }
    let connections = arguments.inflight.unwrap_or(CONNECTIONS);
    if !(1..=CONNECTIONS_MAX).contains(&connections) {
        return refuse(format!(
            "--inflight: {connections} is not between 1 and {CONNECTIONS_MAX}"
        ));
    }
    let fits = arguments.rate <= limits::RATE_MAX
        && (1..=limits::DURATION_S_MAX).contains(&arguments.duration);
    if !fits {
        return refuse(format!(
            "--rate: at most {}; --duration: 1 to {}",
            limits::RATE_MAX,
            limits::DURATION_S_MAX
        ));
    }
    if arguments.overload.is_some() || arguments.snapshot_every_s.is_some() {
        return refuse("--overload, --snapshot-every-s: only with --rail instant or card".into());
    }
    if arguments
        .items
        .is_some_and(|items| items == 0 || items > clearing::ITEMS_MAX)
    {
        return refuse(format!(
            "--items: not between 1 and {}",
            clearing::ITEMS_MAX
        ));
    }
    Ok(())
}

/// Runs the load against a switch of its own or one that is there.
pub(super) fn run(
    folder: &Folder,
    arguments: &Arguments,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    let load = |folder: &Folder| match arguments.rail {
        RailName::Ics => clearing::run(folder, arguments, stop),
        _ => settlement::run(folder, arguments, stop),
    };
    if !arguments.own_switch {
        return load(folder);
    }
    let setup = Setup {
        configuration: own_switch::CONFIGURATION.into(),
        network: own_switch::network(arguments.banks),
        key_holders: Vec::new(),
    };
    let mut own = OwnSwitch::start(arguments.work_dir.as_deref(), &setup)?;
    let ending = load(own.folder());
    match (ending, own.stop()) {
        (Ok(ending), Ok(())) => Ok(ending),
        (Err(failure), _) => Err(own.with_log(failure)),
        (Ok(_), Err(text)) => Err(own.with_log(Failure::Failed(text))),
    }
}

pub(super) fn by() -> By {
    By {
        operator: "load".into(),
        reference: "load run".into(),
    }
}

/// The first active direct participants with a bank code; each settlement account gets more money than a run can move.
fn banks(control: &mut Client, wanted: usize) -> Result<Vec<Bank>, Failure> {
    let participants: Vec<Participant> = answer(control, &Request::Participants)?;
    let fit = participants.iter().filter_map(|participant| {
        let code = participant.bank_codes.first()?;
        let is_fit = participant.state == "active" && participant.sponsor.is_none();
        let bank_code = BankCode::parse(code).ok().filter(|_| is_fit)?;
        Some(Bank {
            code: participant.code.clone(),
            bank_code,
        })
    });
    let chosen: Vec<Bank> = fit.take(wanted).collect();
    if chosen.len() < wanted {
        return Err(Failure::Failed(format!(
            "--banks {wanted}: only {} of {} participants are active, direct, and have a bank code",
            chosen.len(),
            participants.len()
        )));
    }
    for bank in &chosen {
        change(
            control,
            RtgsChange::Fund {
                code: bank.code.clone(),
                amount: FUND.into(),
                out: false,
            },
        )?;
    }
    Ok(chosen)
}

/// What the switch says to a change of IMTS.
pub(super) fn change(control: &mut Client, change: RtgsChange) -> Result<Value, String> {
    let by = by();
    control.must(&Request::RtgsChange { by, change })
}

/// Opens a business day of IMTS, unless one is open.
pub(super) fn open_day(control: &mut Client) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Status {
        open: bool,
    }
    let what = RtgsShow::Status;
    if !answer::<Status>(control, &Request::Rtgs { what })?.open {
        let until = Time::from_nanos(wall_clock().nanos().saturating_add(DAY.as_nanos() as u64));
        let (until, cut_off) = (until.to_string(), None);
        change(control, RtgsChange::Open { cut_off, until })?;
    }
    Ok(())
}

/// A person with an account at the bank.
fn customer(bank: &Bank, number: u64) -> Result<(String, String), Failure> {
    let account = format!("{:013}", number % 10_000_000_000_000);
    let iban = Iban::for_kz(bank.bank_code, &account)
        .map_err(|error| Failure::Failed(format!("account {account}: {error}")))?;
    // Eleven digits of which one in eleven has no check digit.
    let person =
        (number % 10_000..).find_map(|serial| IinBin::with_check(90_010_130_000 + serial % 10_000));
    let person = person.map(|person| person.to_string()).unwrap_or_default();
    Ok((iban.as_str().to_string(), person))
}
