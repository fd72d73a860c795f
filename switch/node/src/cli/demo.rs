//! `torap demo`: a switch, four banks with their card hosts, a scripted day.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Ending, Failure, print_line};
use crate::{
    control::Request,
    demo::{BANKS, CARD_LINES, Day, LINES, Lab, Options, RTGS_LINES},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// End after the day; status 0 only if every line came out as expected
    #[arg(long)]
    exit: bool,
    /// Keep the folder of the demonstration at this place
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Only lines whose title contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Where the switch listens
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let dir = match &arguments.keep {
        Some(dir) => dir.clone(),
        None => std::env::temp_dir().join(format!("torap-demo-{}", std::process::id())),
    };
    if dir.join("data").exists() {
        return Err(Failure::Usage(format!(
            "{}: holds a switch already; choose another folder",
            dir.display()
        )));
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let options = Options {
        listen: arguments.listen,
        cards: true,
        ..Options::new(program, dir.clone())
    };
    print_line(
        "starting one switch, four banks with their card hosts, a scheme and an HSM as separate processes …",
    )?;
    let mut day = Day::new(Lab::start(options)?);
    print_line(&format!(
        "switch on {}, folder {}\n",
        day.lab.address(),
        dir.display()
    ))?;
    let wrong = run_lines(&mut day, arguments.only.as_deref())?;
    let differences = finish(&day)?;
    let ending = if wrong == 0 && differences == 0 {
        Ending::Done
    } else {
        Ending::Refused
    };
    if arguments.exit {
        drop(day);
        if arguments.keep.is_none() {
            // Left-over files in the temporary folder do no harm.
            let _ = std::fs::remove_dir_all(&dir);
        }
        return Ok(ending);
    }
    print_line(&how_to_go_on(&dir))?;
    day.lab.wait();
    Ok(ending)
}

/// Runs the lines, one printed line each; returns how many came out wrong.
fn run_lines(day: &mut Day, only: Option<&str>) -> Result<usize, Failure> {
    let mut wrong = 0;
    print_line(&format!(
        "{:>3}  {:<58} {:<36} {:<36} {:>8}",
        "", "sent", "expected", "came back", "ms"
    ))?;
    let lines = LINES.iter().chain(CARD_LINES).chain(RTGS_LINES);
    for (number, line) in lines.enumerate() {
        if only.is_some_and(|text| !line.title.contains(text)) {
            continue;
        }
        let report = day.run(line);
        let is_right = report.told.is_as_expected();
        wrong += usize::from(!is_right);
        let sent = if report.told.sent.is_empty() {
            line.title.to_string()
        } else {
            format!("{}: {}", line.title, report.told.sent)
        };
        let millis = report.took.as_secs_f64() * 1000.0;
        print_line(&format!(
            "{:>3}  {:<58} {:<36} {:<36} {millis:>8.1}  {}",
            number + 1,
            sent,
            report.told.expected(),
            report.told.got(),
            if is_right { "ok" } else { "WRONG" }
        ))?;
    }
    Ok(wrong)
}

/// Positions, conservation, and the banks' own books; returns the number of differences.
fn finish(day: &Day) -> Result<usize, Failure> {
    let positions = day.ctl(&Request::Positions)?;
    print_line("\npositions at the end of the day (KZT)")?;
    for row in positions["positions"].as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_string();
        print_line(&format!(
            "  {:<6} balance {:>18}   held {:>12}   available {:>18}",
            text("participant"),
            text("balance"),
            text("held"),
            text("available")
        ))?;
    }
    let differences = day.differences()?;
    for difference in &differences {
        print_line(&format!("  DIFFERENCE  {difference}"))?;
    }
    if differences.is_empty() {
        print_line(&format!(
            "conservation: debits = credits; the books of all {} banks equal their positions to the tiyn",
            BANKS.len()
        ))?;
    }
    Ok(differences.len())
}

fn how_to_go_on(dir: &std::path::Path) -> String {
    let program = std::env::current_exe().ok();
    let folder = program
        .as_deref()
        .and_then(std::path::Path::parent)
        .map(|folder| folder.display().to_string());
    format!(
        "\nThe switch and the banks stay up; Ctrl-C ends them. In another terminal:

  export TORAP_DIR={} PATH=$PATH:{}
  torap ctl status                                   who is up, what is queued
  torap bank customers HSBK                          customers to pay from and to (0 to 3 are registered)
  torap bank pay CASP --phone +7… --amount 1500.00   pay by phone
  torap bank card purchase CASP --card 93986010:3 --amount 1500.00
                                                     buy with a card of HSBK at a terminal of CASP
  torap bank card behave HSBK decline:05             break the next card transaction on purpose (silent, delay:3000, drop-link, …)
  torap ctl card status                              card hosts, links, HSM
  torap bank behave HSBK reject:AC04                 break the next payment on purpose (silent, delay:3000, drop-link, …)
  torap ctl payment <UETR>                           a payment's whole story
  torap ctl positions",
        dir.display(),
        folder.unwrap_or_default()
    )
}
