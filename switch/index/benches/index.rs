//! What the index on disk costs: `cargo bench -p torap-index -- [payments N] [import N]`, 200,000 of each without arguments.
//!
//! One line of JSON per figure. `payments`: events and outbound entries of whole payments, in batches as a busy follower
//! makes them, then look-ups of keys drawn at random, half of them unknown. `import`: directory entries with numbers drawn at
//! random, in commands of 4,096, the last tenth of them held already.

#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use torap_domain::{
    BankCode, Bic, Iban, IinBin, Money, ParticipantId, Phone, Position, Sequence, Service, Text,
    Time, Uetr,
};
use torap_engine::{
    Command, Effect, Event, Message, Outbound, Stamp, Status,
    directory::{IMPORT_MAX, ImportEntry},
    instant::{FinalOutcome, Fingerprint, Finished, PaymentKey},
};
use torap_index::{Changes, Index, RocksIndex, RocksOptions};

const PAYMENTS_PER_BATCH: u64 = 512;
const LOOK_UPS: u64 = 100_000;
const BANKS: u64 = 40;

fn main() -> io::Result<()> {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let plan: Vec<(&str, u64)> = match words.as_slice() {
        [] => vec![("payments", 200_000), ("import", 200_000)],
        words => words
            .chunks(2)
            .filter_map(|pair| Some((pair.first()?.as_str(), pair.get(1)?.parse().ok()?)))
            .collect(),
    };
    for (figure, count) in plan {
        let folder = tempfile::tempdir()?;
        match figure {
            "payments" => payments(folder.path(), count)?,
            "import" => import(folder.path(), count)?,
            other => eprintln!("no figure is called {other}; payments N, import N"),
        }
    }
    Ok(())
}

fn payments(folder: &Path, count: u64) -> io::Result<()> {
    let index = RocksIndex::open(folder, RocksOptions::default()).map_err(io::Error::other)?;
    index.caught_up().map_err(io::Error::other)?;
    let mut changes = Changes::new();
    let mut sequences = vec![0; BANKS as usize + 1];
    let (mut spent, cpu) = (Duration::ZERO, cpu_seconds());
    let mut position = 0;
    for first in (0..count).step_by(PAYMENTS_PER_BATCH as usize) {
        changes.clear();
        for number in first..count.min(first + PAYMENTS_PER_BATCH) {
            let finished = finished(number);
            let mut send = |to: ParticipantId, cause: u64, message: Message| {
                let sequence = &mut sequences[to.index()];
                *sequence += 1;
                let outbound = Outbound {
                    to,
                    sequence: Sequence(*sequence),
                    cause: Position(cause),
                    time: Time::from_nanos(cause),
                    expires: None,
                    message,
                };
                Effect {
                    outbound,
                    references: None,
                    amount: None,
                    resolved: None,
                }
            };
            let forward = send(
                finished.creditor_agent,
                position + 1,
                Message::Forward {
                    original: Position(position + 1),
                },
            );
            changes.push(
                stamp(position + 1),
                &Command::Tick,
                &mut Vec::new(),
                &[forward],
            );
            let status = Message::Status {
                original: Position(position + 1),
                status: Status::Settled,
                decided: Position(position + 2),
                decided_at: Time::from_nanos(position + 2),
                repeat: false,
            };
            let both = [finished.debtor_agent, finished.creditor_agent]
                .map(|to| send(to, position + 2, status));
            changes.push(
                stamp(position + 2),
                &Command::Tick,
                &mut vec![Event::PaymentFinished(finished)],
                &both,
            );
            position += 2;
        }
        let start = Instant::now();
        index
            .apply(&changes, Position(position))
            .map_err(io::Error::other)?;
        spent += start.elapsed();
    }
    let apply_cpu = cpu_seconds() - cpu;
    let start = Instant::now();
    let mut found = 0;
    for draw in 0..LOOK_UPS {
        let key = finished(scatter(draw) % (2 * count)).key;
        found += u64::from(
            index
                .payment_by_key(&key)
                .map_err(io::Error::other)?
                .value
                .is_some(),
        );
    }
    let look_up = start.elapsed();
    println!(
        "{{\"figure\":\"payments\",\"payments\":{count},\"apply_us_per_payment\":{:.2},\"process_cpu_us_per_payment\":{:.2},\
         \"look_up_us\":{:.2},\"found\":{found},\"disk_bytes_per_payment\":{},\"resident_bytes\":{}}}",
        micros(spent, count),
        apply_cpu * 1e6 / count as f64,
        micros(look_up, LOOK_UPS),
        {
            index.flush().map_err(io::Error::other)?;
            folder_bytes(folder)? / count
        },
        resident_bytes(),
    );
    Ok(())
}

fn import(folder: &Path, count: u64) -> io::Result<()> {
    let index = RocksIndex::open(folder, RocksOptions::default()).map_err(io::Error::other)?;
    index.caught_up().map_err(io::Error::other)?;
    let agent = Bic::parse("CASPKZKA").map_err(io::Error::other)?;
    let (mut changes, mut spent, mut most) = (Changes::new(), Duration::ZERO, 0);
    let fresh = count - count / 10;
    for (command, first) in (1..).zip((0..count).step_by(IMPORT_MAX)) {
        let numbers = first..count.min(first + IMPORT_MAX as u64);
        let entries = numbers
            .map(|number| {
                entry(if number < fresh {
                    number
                } else {
                    number - fresh
                })
            })
            .collect();
        changes.clear();
        let event = Event::DirectoryImported {
            participant: ParticipantId(1),
            agent,
            entries,
        };
        changes.push(stamp(command), &Command::Tick, &mut vec![event], &[]);
        let start = Instant::now();
        index
            .apply(&changes, Position(command))
            .map_err(io::Error::other)?;
        spent += start.elapsed();
        most = most.max(resident_bytes());
    }
    let start = Instant::now();
    for draw in 0..LOOK_UPS {
        let phone = entry(scatter(draw) % (2 * count)).phone;
        index.alias(phone).map_err(io::Error::other)?;
    }
    let look_up = start.elapsed();
    index.flush().map_err(io::Error::other)?;
    let counts = index.counts();
    println!(
        "{{\"figure\":\"import\",\"entries\":{count},\"added\":{},\"held\":{},\"seconds\":{:.1},\"entries_per_s\":{:.0},\
         \"look_up_us\":{:.2},\"disk_bytes_per_entry\":{},\"resident_bytes_max\":{most}}}",
        counts.import_added,
        counts.import_held,
        spent.as_secs_f64(),
        count as f64 / spent.as_secs_f64(),
        micros(look_up, LOOK_UPS),
        folder_bytes(folder)? / counts.aliases.max(1),
    );
    Ok(())
}

fn stamp(position: u64) -> Stamp {
    Stamp {
        position: Position(position),
        time: Time::from_nanos(position),
    }
}

fn finished(number: u64) -> Finished {
    let (high, low) = (scatter(number), scatter(!number));
    let bits = u128::from(high) << 64 | u128::from(low);
    Finished {
        key: PaymentKey(bits.to_be_bytes()),
        uetr: Uetr::from_random(bits.rotate_left(31).to_be_bytes()),
        fingerprint: Fingerprint(bits.rotate_left(57).to_be_bytes()),
        submitted: Position(2 * number + 1),
        decided: Position(2 * number + 2),
        decided_at: Time::from_nanos(1_700_000_000_000_000_000 + 50_000 * number),
        outcome: FinalOutcome::Settled,
        service: Service::C2cPhone,
        amount: Money::kzt(100 + low % 10_000_000),
        returned: Money::kzt(0),
        debtor_agent: ParticipantId((1 + high % BANKS) as u16),
        creditor_agent: ParticipantId((1 + (high + 1 + low % (BANKS - 1)) % BANKS) as u16),
    }
}

/// Numbers in an order without order, each once.
fn entry(number: u64) -> ImportEntry {
    // 77 thousand blocks of 1,000: an odd multiplier that shares no factor with 30 million visits every number once.
    let scattered = number.wrapping_mul(7_654_321) % 30_000_000;
    let prefix = [701, 702, 777]
        .get((scattered / 10_000_000) as usize)
        .copied()
        .unwrap_or(701);
    let phone = Phone::from_value(70_000_000_000 + prefix * 10_000_000 + scattered % 10_000_000);
    let person = (0..)
        .find_map(|more| IinBin::with_check(80_000_000_000 + 10 * (number % 1_000_000_000) + more));
    let account: Text<13> = Text::format(format_args!("{number:013}")).unwrap_or(Text::EMPTY);
    let iban = BankCode::from_value(722).and_then(|bank| Iban::for_kz(bank, account.as_str()).ok());
    match (phone, person, iban) {
        (Some(phone), Some(person), Some(iban)) => ImportEntry {
            phone,
            person,
            iban,
            name: Text::truncated("Нұрлан Серікұлы Ахметов"),
        },
        parts => unreachable!("entry {number} cannot be built: {parts:?}"),
    }
}

/// Spreads numbers over 64 bits, each to another one.
fn scatter(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (mixed >> 32)
}

fn micros(spent: Duration, count: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / count as f64
}

fn folder_bytes(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?
        .map(|file| Ok(file?.metadata()?.len()))
        .sum()
}

fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// CPU time of the whole process, the background threads of the storage included.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .skip(12)
        .take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
