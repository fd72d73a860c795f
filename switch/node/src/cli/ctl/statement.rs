//! `torap ctl statement`: a participant's accounts on one day, read from the log.
//!
//! The log is read beside the running switch or without one, from the newest snapshot before the day: the switch is not asked and
//! nothing is written. Entries are printed as they are found, so memory does not grow with the day. The same log gives the same bytes.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use serde_json::json;
use torap_domain::{Bic, Date, ParticipantId, Span, Time};
use torap_engine::{
    Engine,
    reports::{Account, Line, PAGE_ENTRIES_MAX},
};
use torap_follower::{
    Rebuilt, Until, rebuild,
    statements::{self, Pages, Stated, Statement},
};
use torap_gateway::render::Statements;
use torap_iso20022::write::AccountReport;

use super::super::{Ending, Failure};
use crate::{
    cli::replay::{self, Log},
    folder::Folder,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Code of the participant, or `operator`
    #[arg(long, value_name = "CODE")]
    participant: String,
    /// IMTS, INST, CARD or FUND [default: every account that is open]
    #[arg(long, value_name = "ACCOUNT")]
    account: Vec<String>,
    /// As 2026-12-01, from midnight to midnight or the end of the log, UTC+5
    #[arg(long, value_name = "DATE")]
    day: String,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Use no snapshot: read the log from its first record
    #[arg(long)]
    from_genesis: bool,
    /// Folder of older segments [default: journal.archive_dir of DIR/torap.toml]
    #[arg(long, value_name = "PATH")]
    archive: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Csv,
    /// camt.053.001.10, one Document
    Xml,
    /// One object a line
    Json,
}

/// The day of a statement.
struct Day {
    date: Date,
    /// The last moment before it, and its own last.
    before: Time,
    last: Time,
}

/// What every form of a statement names.
struct Names {
    codes: Vec<(ParticipantId, String, Option<Bic>)>,
    owner: String,
    switch_bic: Bic,
}

pub(super) fn run(
    folder: &Folder,
    arguments: &Arguments,
    as_json: bool,
) -> Result<Ending, Failure> {
    let day = Day::parse(&arguments.day)?;
    let accounts = accounts(&arguments.account)?;
    let log = replay::open(folder, arguments.archive.clone(), arguments.from_genesis)?;
    let end = log.rebuilt(Until::Time(day.last))?;
    let (owner, names) = Names::of(&end.engine, &arguments.participant)?;
    let open: Vec<Account> = accounts
        .into_iter()
        .filter(|account| end.engine.account_balance(owner, *account).is_some())
        .collect();
    if open.is_empty() {
        return Err(Failure::Usage(format!(
            "--account: {} has no such account on {}",
            names.owner, day.date
        )));
    }
    let format = if as_json {
        Format::Json
    } else {
        arguments.format
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let next = end.recovered.last.position.next();
    let next = log.reader.read_record(next.value());
    let mut print = Print {
        out: &mut out,
        is_over: next.map_err(|error| log.failed(&error))?.is_some(),
        day: &day,
        names: &names,
        failed: None,
    };
    match format {
        Format::Csv => print.csv(&log, owner, &open)?,
        Format::Json => print.json(&log, owner, &open)?,
        Format::Text => {
            for account in open {
                print.text(&log, owner, account)?;
            }
        }
        Format::Xml => print.xml(&log, owner, &open)?,
    }
    let failed = print.failed.take();
    failed
        .map_or(Ok(()), Err)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Failed(format!("standard output: {error}")))?;
    Ok(Ending::Done)
}

fn accounts(codes: &[String]) -> Result<Vec<Account>, Failure> {
    if codes.is_empty() {
        return Ok(Account::ALL.to_vec());
    }
    let of = |code: &String| {
        Account::from_code(&code.to_ascii_uppercase()).ok_or_else(|| {
            Failure::Usage(format!(
                "--account: `{code}`: one of IMTS, INST, CARD, FUND"
            ))
        })
    };
    codes.iter().map(of).collect()
}

impl Day {
    fn parse(text: &str) -> Result<Day, Failure> {
        let date = Date::parse(text).map_err(|error| Failure::Usage(format!("--day: {error}")))?;
        let before = |date: Date| {
            let start = date.start()?;
            Some(start.saturating_sub(Span::from_nanos(1)))
        };
        let bounds = before(date).zip(before(date.add_days(1)));
        let (before, last) =
            bounds.ok_or_else(|| Failure::Usage(format!("--day: {date} is before 1970")))?;
        Ok(Day { date, before, last })
    }
}

impl Names {
    /// Whose code it is, and what the participants are called at the end of the day.
    fn of(engine: &Engine, code: &str) -> Result<(ParticipantId, Names), Failure> {
        let switch_bic = engine.settings().switch_bic;
        let views = engine.participant_views();
        let mut codes: Vec<(ParticipantId, String, Option<Bic>)> = views
            .map(|view| {
                let bic = view.bics.first().copied();
                (view.id, view.code.as_str().to_owned(), bic)
            })
            .collect();
        codes.push((ParticipantId::SWITCH, "operator".into(), Some(switch_bic)));
        let owner = codes.iter().find(|(_, known, _)| known == code);
        let id = owner.map(|(id, _, _)| *id).ok_or_else(|| {
            Failure::Usage(format!("--participant: `{code}`: no such participant"))
        })?;
        let names = Names {
            codes,
            owner: code.to_owned(),
            switch_bic,
        };
        Ok((id, names))
    }

    fn code(&self, id: Option<ParticipantId>) -> &str {
        let mut codes = self.codes.iter();
        let known = codes.find(|(known, _, _)| Some(*known) == id);
        known.map_or("", |(_, code, _)| code.as_str())
    }

    fn bic(&self, id: ParticipantId) -> Option<Bic> {
        let mut codes = self.codes.iter();
        codes.find(|(known, _, _)| *known == id)?.2
    }
}

impl Log {
    fn rebuilt(&self, until: Until) -> Result<Rebuilt, Failure> {
        let snapshots = self.snapshots.as_ref();
        let done = rebuild(&self.reader, snapshots, until, &mut replay::progress());
        done.map_err(|error| self.failed(&error))
    }
}

/// What a line of text names it by: the UETR, or else the payer's reference.
fn reference(line: &Line) -> String {
    let uetr = line.entry.uetr.map(|uetr| uetr.to_string());
    uetr.unwrap_or_else(|| line.entry.reference.as_str().to_owned())
}

/// A field of CSV; the text of a payer may hold anything.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn tenge(tiyn: i128) -> String {
    let sign = if tiyn < 0 { "-" } else { "" };
    format!("{sign}{}", minor(tiyn.unsigned_abs()))
}

fn minor(tiyn: u128) -> String {
    format!("{}.{:02}", tiyn / 100, tiyn % 100)
}

struct Print<'a, W: Write> {
    out: &'a mut W,
    /// The log goes on behind the day: nothing can be added to it any more.
    is_over: bool,
    day: &'a Day,
    names: &'a Names,
    failed: Option<std::io::Error>,
}

impl<W: Write> Print<'_, W> {
    /// Keeps the first error of the output; what follows is not printed.
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        if self.failed.is_none()
            && let Err(error) = writeln!(self.out, "{text}")
        {
            self.failed = Some(error);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.failed.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.failed = Some(error);
        }
    }

    fn read(
        &mut self,
        log: &Log,
        start: Rebuilt,
        owner: ParticipantId,
        accounts: &[Account],
        mut each: impl FnMut(&mut Self, usize, &Line),
    ) -> Result<Stated, Failure> {
        let wanted: Vec<(ParticipantId, Account)> =
            accounts.iter().map(|account| (owner, *account)).collect();
        let until = Until::Time(self.day.last);
        let mut each = |place: usize, line: &Line| each(self, place, line);
        let stated = statements::state(&log.reader, start, &wanted, until, &mut each);
        stated.map_err(|error| log.failed(&error))
    }

    fn text(&mut self, log: &Log, owner: ParticipantId, account: Account) -> Result<(), Failure> {
        let (date, sequence) = (self.day.date, self.day.date.days());
        let (code, name) = (account.code(), self.names.owner.clone());
        self.line(format_args!(
            "statement {name} {code} {date}, number {sequence}"
        ));
        let start = log.rebuilt(Until::Time(self.day.before))?;
        let opening = Statement::new(&start.engine, owner, account).opening;
        self.line(format_args!("opening balance {:>81}", tenge(opening)));
        let stated = self.read(log, start, owner, &[account], |print, _, line| {
            let entry = &line.entry;
            let time = entry.time.to_string();
            let time = time.get(11..23).unwrap_or(&time);
            let other = print.names.code(entry.counterparty).to_owned();
            print.line(format_args!(
                "{:>7}  {time}  {:<4}  {other:<8}  {:<36}  {:>18}  {:>18}",
                line.number,
                entry.kind.code(),
                reference(line),
                tenge(entry.signed()),
                tenge(line.balance),
            ));
        })?;
        let Some(statement) = stated.statements.first() else {
            return Ok(());
        };
        let sums = statement.sums;
        if sums.entries() == 0 {
            self.line(format_args!("no entries"));
        }
        self.line(format_args!(
            "debits  {:>7}  {:>79}",
            sums.debits,
            minor(sums.debited)
        ));
        self.line(format_args!(
            "credits {:>7}  {:>79}",
            sums.credits,
            minor(sums.credited)
        ));
        self.line(format_args!(
            "closing balance {:>81}",
            tenge(statement.balance)
        ));
        if !stated.complete {
            self.line(format_args!(
                "the day is not over: this is what the log holds of it"
            ));
        }
        self.line(format_args!(""));
        Ok(())
    }

    fn csv(&mut self, log: &Log, owner: ParticipantId, open: &[Account]) -> Result<(), Failure> {
        self.line(format_args!(
            "account,row,number,time,position,kind,counterparty,reference,uetr,amount,balance"
        ));
        let start = log.rebuilt(Until::Time(self.day.before))?;
        for account in open {
            let opening = Statement::new(&start.engine, owner, *account).opening;
            let code = account.code();
            self.line(format_args!("{code},opening,,,,,,,,,{}", tenge(opening)));
        }
        let stated = self.read(log, start, owner, open, |print, place, line| {
            let entry = &line.entry;
            let account = open.get(place).map_or("", |account| account.code());
            let other = print.names.code(entry.counterparty).to_owned();
            let uetr = entry.uetr.map(|uetr| uetr.to_string()).unwrap_or_default();
            print.line(format_args!(
                "{account},entry,{},{},{},{},{other},{},{uetr},{},{}",
                line.number,
                entry.time,
                entry.position,
                entry.kind.code(),
                quoted(entry.reference.as_str()),
                tenge(entry.signed()),
                tenge(line.balance),
            ));
        })?;
        for statement in &stated.statements {
            let (code, sums) = (statement.account.code(), &statement.sums);
            if sums.entries() == 0 {
                self.line(format_args!("{code},no-entries,,,,,,,,,"));
            }
            let (debits, credits) = (sums.debits, sums.credits);
            self.line(format_args!(
                "{code},debits,{debits},,,,,,,{},",
                minor(sums.debited)
            ));
            self.line(format_args!(
                "{code},credits,{credits},,,,,,,{},",
                minor(sums.credited)
            ));
            let row = if stated.complete { "closing" } else { "so-far" };
            self.line(format_args!(
                "{code},{row},,,,,,,,,{}",
                tenge(statement.balance)
            ));
        }
        Ok(())
    }

    fn json(&mut self, log: &Log, owner: ParticipantId, open: &[Account]) -> Result<(), Failure> {
        let start = log.rebuilt(Until::Time(self.day.before))?;
        let stated = self.read(log, start, owner, open, |print, place, line| {
            let entry = &line.entry;
            let other = print.names.code(entry.counterparty).to_owned();
            let value = json!({
                "account": open.get(place).map(|account| account.code()),
                "number": line.number,
                "time": entry.time.to_string(),
                "position": entry.position.value(),
                "kind": entry.kind.code(),
                "counterparty": other,
                "reference": entry.reference.as_str(),
                "uetr": entry.uetr.map(|uetr| uetr.to_string()),
                "amount": tenge(entry.signed()),
                "balance": tenge(line.balance),
            });
            print.line(format_args!("{value}"));
        })?;
        for statement in &stated.statements {
            let sums = &statement.sums;
            let value = json!({
                "account": statement.account.code(),
                "participant": self.names.owner,
                "day": self.day.date.to_string(),
                "sequence": self.day.date.days(),
                "complete": stated.complete,
                "no_entries": sums.entries() == 0,
                "opening": tenge(statement.opening),
                "debits": sums.debits,
                "debited": minor(sums.debited),
                "credits": sums.credits,
                "credited": minor(sums.credited),
                "closing": tenge(statement.balance),
                "upto": stated.end.recovered.last.position.value(),
            });
            self.line(format_args!("{value}"));
        }
        Ok(())
    }

    /// One Document; pages of different accounts may alternate in it.
    fn xml(&mut self, log: &Log, owner: ParticipantId, open: &[Account]) -> Result<(), Failure> {
        let start = log.rebuilt(Until::Time(self.day.before))?;
        let mut pages: Vec<Pages> = open
            .iter()
            .map(|account| {
                let opening = Statement::new(&start.engine, owner, *account).opening;
                Pages::new(opening, PAGE_ENTRIES_MAX)
            })
            .collect();
        let until = self.day.last.saturating_add(Span::from_nanos(1));
        let names = self.names;
        let bic = |id: ParticipantId| names.bic(id);
        let document = Statements {
            report: AccountReport::Statement,
            date: self.day.date,
            number: None,
            from: self.day.before.saturating_add(Span::from_nanos(1)),
            until,
            created: until,
            is_over: self.is_over,
            owner: names.bic(owner).unwrap_or(names.switch_bic),
            servicer: names.switch_bic,
        };
        let mut text = Vec::new();
        document.begin(
            &mut text,
            None,
            &format!("{}-{}", names.owner, self.day.date),
            None,
        );
        self.bytes(&text);
        let mut wrong = None;
        self.read(log, start, owner, open, |print, place, line| {
            let full = pages.get_mut(place).and_then(|pages| pages.add(line));
            if let (Some(page), Some(account)) = (full, open.get(place)) {
                text.clear();
                wrong = wrong
                    .take()
                    .or(document.page(&mut text, *account, &page, &bic).err());
                print.bytes(&text);
            }
        })?;
        for (pages, account) in pages.into_iter().zip(open) {
            text.clear();
            wrong = wrong
                .take()
                .or(document.page(&mut text, *account, &pages.end(), &bic).err());
            self.bytes(&text);
        }
        text.clear();
        document.end(&mut text, None);
        text.push(b'\n');
        self.bytes(&text);
        wrong.map_or(Ok(()), |wrong| Err(Failure::Failed(wrong.to_string())))
    }
}
