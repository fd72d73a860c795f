//! `--rail ics`: a day of the clearing system. Every bank submits its items as files do, piece by piece; then the session closes and
//! everybody is told.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use torap_domain::{Date, Uetr};

use super::{Bank, banks, by, customer};
use crate::{
    cli::{
        Ending, Failure,
        ctl::PIECE_ITEMS,
        load::{Arguments, Report, answer, memory::Memory, tell},
        print_line,
    },
    control::{ClearingItem, ClearingSettings, ClearingShow, Client, Request},
    folder::Folder,
    serve::wall_clock,
};

/// Items of a run, unless told otherwise.
const ITEMS: u64 = 100_000;
pub(super) const ITEMS_MAX: u64 = 2_000_000;
/// How often the switch is asked whether everybody has been told.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The report of a run.
#[derive(Debug, Serialize)]
struct Line {
    items: u64,
    accepted: u64,
    refused: u64,
    /// Accepted items, durable and answered, divided by the time from the first piece to the last answer.
    intake_per_s: f64,
    /// From the operator's order to its answer: everything is booked.
    close_ms: f64,
    /// From the close until sender and receiver of every item have been told.
    told_s: f64,
    settled: u64,
    left_out: u64,
    switch_cpu_us_per_item: f64,
    /// What the switch held before the first item, and the most that it held until everybody was told.
    memory_bytes_before: Option<u64>,
    memory_bytes_max: Option<u64>,
    conserved: bool,
}

/// The part of the clearing system's picture that matters here.
#[derive(Debug, Deserialize)]
struct Session {
    session: Option<String>,
    telling: bool,
}

/// Exit status 0 only if every item was accepted and settled, and the books balance.
pub(super) fn run(
    folder: &Folder,
    arguments: &Arguments,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    let mut control = Client::connect(&folder.control())?;
    let banks = banks(&mut control, arguments.banks)?;
    let items = arguments.items.unwrap_or(ITEMS);
    if arguments.own_switch {
        keep_open(&mut control)?;
    }
    let open: Session = session(&mut control)?;
    let session_name = open.session.ok_or_else(|| {
        Failure::Failed("no session is open: `torap ctl clearing timetable`".into())
    })?;
    let value_date = session_name.split('/').next().unwrap_or_default();
    let before: Report = answer(&mut control, &Request::Report)?;
    let memory = Memory::watch(folder)?;
    let seed = wall_clock().nanos();
    let (accepted, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..banks.len())
            .map(|place| {
                let share = share(items, banks.len() as u64, place as u64);
                let submitter = Submitter {
                    banks: &banks,
                    place,
                    seed,
                    value_date,
                    stop,
                };
                let (accepted, refused) = (&accepted, &refused);
                scope.spawn(move || submitter.submit(folder, share, accepted, refused))
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(ended) => ended,
                Err(_) => Err(Failure::Failed("a bank's thread panicked".into())),
            })
    })?;
    let intake = began.elapsed();
    let (accepted, refused) = (accepted.into_inner(), refused.into_inner());
    tell(&format!("{accepted} items taken in {intake:?}"));
    let closing = Instant::now();
    control.must(&Request::ClearingClose { by: by() })?;
    let close = closing.elapsed();
    while session(&mut control)?.telling {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Failed("stopped".into()));
        }
        thread::sleep(LOOK_EVERY);
    }
    let told = closing.elapsed();
    let memory_bytes_max = memory.finish();
    let after: Report = answer(&mut control, &Request::Report)?;
    let (settled, left_out) = outcome(&mut control, &session_name)?;
    let line = Line {
        items,
        accepted,
        refused,
        intake_per_s: (accepted as f64 / intake.as_secs_f64() * 10.0).round() / 10.0,
        close_ms: close.as_micros() as f64 / 1000.0,
        told_s: (told.as_secs_f64() * 100.0).round() / 100.0,
        settled,
        left_out,
        switch_cpu_us_per_item: after.cpu_us.saturating_sub(before.cpu_us) as f64 / items as f64,
        memory_bytes_before: before.memory_bytes,
        memory_bytes_max,
        conserved: before.conserved && after.conserved,
    };
    print_line(&serde_json::to_string(&line).map_err(|error| error.to_string())?)?;
    let is_good = accepted == items && settled >= items && left_out == 0 && line.conserved;
    Ok(if is_good {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// The session of an own switch is today's, whatever day that is, and closes by itself in the last minute of it: the operator closes none
/// whose date lies ahead.
fn keep_open(control: &mut Client) -> Result<(), Failure> {
    let settings = ClearingSettings {
        closes_at: vec!["23:59".into()],
        days_ahead: 3,
        amount_max: "5000000.00".into(),
        items_max: 2_097_152,
        closed: Vec::new(),
        worked: vec![Date::from_time(wall_clock()).to_string()],
    };
    control.must(&Request::ClearingSet { by: by(), settings })?;
    Ok(())
}

/// One bank's items.
struct Submitter<'s> {
    banks: &'s [Bank],
    place: usize,
    seed: u64,
    value_date: &'s str,
    stop: &'s AtomicBool,
}

impl Submitter<'_> {
    fn submit(
        &self,
        folder: &Folder,
        items: u64,
        accepted: &AtomicU64,
        refused: &AtomicU64,
    ) -> Result<(), Failure> {
        let mut client = Client::connect(&folder.control())?;
        let mut said = Counts::default();
        let pieces = items.div_ceil(PIECE_ITEMS as u64);
        for piece in 0..pieces {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Failure::Failed("stopped".into()));
            }
            let first = piece * PIECE_ITEMS as u64;
            let end = items.min(first + PIECE_ITEMS as u64);
            let request = Request::ClearingSubmit {
                by: by(),
                code: self.banks[self.place].code.clone(),
                file: format!("load-{:x}", self.seed),
                number: u32::try_from(piece + 1).unwrap_or(u32::MAX),
                last: piece + 1 == pieces,
                items: (first..end)
                    .map(|number| self.item(number))
                    .collect::<Result<_, _>>()?,
            };
            // Each answer counts the file so far.
            let counts: Counts = answer(&mut client, &request)?;
            accepted.fetch_add(counts.accepted - said.accepted, Ordering::Relaxed);
            refused.fetch_add(counts.refused - said.refused, Ordering::Relaxed);
            said = counts;
        }
        Ok(())
    }

    fn item(&self, number: u64) -> Result<ClearingItem, Failure> {
        let banks = self.banks.len();
        let payee = (self.place + 1 + number as usize % (banks - 1)) % banks;
        let (debtor_account, debtor) = customer(&self.banks[self.place], number)?;
        let (creditor_account, creditor) = customer(&self.banks[payee], number / 7)?;
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.seed.to_be_bytes());
        random[8..].copy_from_slice(&(number << 8 | self.place as u64).to_be_bytes());
        Ok(ClearingItem {
            transaction_id: format!("{:x}-{}-{number}", self.seed, self.place),
            uetr: Uetr::from_random(random).to_string(),
            end_to_end_id: "NOTPROVIDED".into(),
            amount: format!("{}.50", 1 + number % 4_999_999),
            value_date: self.value_date.into(),
            priority: if number.is_multiple_of(20) {
                "high"
            } else {
                ""
            }
            .into(),
            debtor_account,
            debtor,
            debtor_name: "АХМЕТОВ АЙДАР СЕРИКОВИЧ".into(),
            kod: "19".into(),
            creditor_account,
            creditor,
            creditor_name: "КИМ ВИКТОР ПЕТРОВИЧ".into(),
            kbe: "19".into(),
            purpose: "119".into(),
            remittance: format!("платёж {number}"),
        })
    }
}

/// What is said of a file.
#[derive(Debug, Default, Deserialize)]
struct Counts {
    accepted: u64,
    refused: u64,
}

fn session(control: &mut Client) -> Result<Session, Failure> {
    let what = ClearingShow::Session;
    answer(control, &Request::Clearing { what })
}

/// Items of the session that were settled and that were left out.
fn outcome(control: &mut Client, name: &str) -> Result<(u64, u64), Failure> {
    let what = ClearingShow::Report {
        session: Some(name.to_string()),
    };
    let report = control.must(&Request::Clearing { what })?;
    let rows = || report["participants"].as_array().into_iter().flatten();
    let sum = |key: &str| rows().filter_map(|row| row[key].as_u64()).sum();
    Ok((sum("paid"), sum("left_out")))
}

/// Part `place` of so many.
fn share(items: u64, parts: u64, place: u64) -> u64 {
    items / parts + u64::from(place < items % parts)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_shares_are_even_and_sum_to_the_whole() {
        for (items, parts) in [(10, 4), (1, 3), (100_000, 32), (7, 7)] {
            let shares: Vec<u64> = (0..parts).map(|place| share(items, parts, place)).collect();
            assert_eq!(shares.iter().sum::<u64>(), items);
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
    }
}
