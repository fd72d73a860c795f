//! Processes of the demonstration: started from this very program, ended with it.

mod cards;

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use torap_bank::Request as BankRequest;

use self::cards::CardSide;
pub use self::cards::{CARD_HOSTS, CardHostRow, SCHEME_HOST};
use crate::{
    control::{By, Client, Request},
    folder::Folder,
    script::BankClient,
};

/// A bank of the demonstration.
#[derive(Clone, Copy, Debug)]
pub struct BankRow {
    pub code: &'static str,
    pub name: &'static str,
    pub bic: &'static str,
    pub bank_code: &'static str,
    /// Tenge on its position at the start.
    pub fund: &'static str,
}

pub const BANKS: [BankRow; 4] = [
    BankRow {
        code: "CASP",
        name: "Kaspi",
        bic: "CASPKZKA",
        bank_code: "722",
        fund: "500000000.00",
    },
    BankRow {
        code: "HSBK",
        name: "Halyk",
        bic: "HSBKKZKX",
        bank_code: "601",
        fund: "500000000.00",
    },
    BankRow {
        code: "IRTY",
        name: "ForteBank",
        bic: "IRTYKZKA",
        bank_code: "965",
        fund: "500000000.00",
    },
    // A small one, to run short of money.
    BankRow {
        code: "TSES",
        name: "Jusan",
        bic: "TSESKZKA",
        bank_code: "998",
        fund: "100000.00",
    },
];

/// How long a process may take to answer.
const START_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// What a laboratory needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program `torap`.
    pub program: PathBuf,
    /// An empty or new folder.
    pub dir: PathBuf,
    /// Address of the switch; port 0 lets the system choose.
    pub listen: SocketAddr,
    pub metrics: Option<SocketAddr>,
    /// Size of a journal segment.
    pub segment_mib: u64,
    /// Words before the program when the switch is started (a tracer, `env NAME=VALUE`); none to start it as it is. What they
    /// start must become the switch itself, so that ending it ends the switch.
    pub launcher: Vec<OsString>,
    /// An HSM, a card host beside each bank, and the host of a foreign scheme.
    pub cards: bool,
}

/// Size of the demonstration's journal segments.
const SEGMENT_MIB: u64 = 64;

impl Options {
    /// A laboratory on a port of the system's choice.
    pub fn new(program: PathBuf, dir: PathBuf) -> Options {
        Options {
            program,
            dir,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            metrics: None,
            segment_mib: SEGMENT_MIB,
            launcher: Vec::new(),
            cards: false,
        }
    }
}

/// A switch and four banks.
#[derive(Debug)]
pub struct Lab {
    options: Options,
    folder: Folder,
    switch: Option<Process>,
    banks: Vec<Process>,
    cards: Option<CardSide>,
    address: SocketAddr,
}

/// A child that is killed when it is dropped; its log lies in a file.
#[derive(Debug)]
struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Lab {
    /// Writes the configuration and starts all processes; returns when every bank is signed on.
    ///
    /// # Errors
    /// Names the file or process, with the end of its log.
    pub fn start(options: Options) -> Result<Lab, String> {
        let folder = Folder::choose(Some(&options.dir));
        folder.create()?;
        let address = options.listen;
        let mut lab = Lab {
            options,
            folder,
            switch: None,
            banks: Vec::new(),
            cards: None,
            address,
        };
        let mut network = network();
        if lab.options.cards {
            network.push_str(&cards::network());
            lab.start_card_side()?;
        }
        write(&lab.folder.network(), &network)?;
        lab.write_configuration()?;
        lab.start_switch()?;
        for bank in &BANKS {
            lab.start_bank(bank)?;
        }
        lab.start_scheme()?;
        lab.wait_for_links()?;
        Ok(lab)
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Where the switch listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the switch (again) on the same folder and, after the first time, the same address.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_switch(&mut self) -> Result<(), String> {
        let launcher = &self.options.launcher;
        let mut process = self.spawn("switch", launcher, &["serve"], Stdio::piped())?;
        let out = process.child.stdout.take().ok_or("switch: no output")?;
        let mut line = String::new();
        let read = BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| format!("switch: {error}"))?;
        if read == 0 {
            return Err(process.story("did not start"));
        }
        let ready: Value =
            serde_json::from_str(&line).map_err(|error| format!("switch: `{line}`: {error}"))?;
        let address = ready["iso20022"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or("switch: no address")?;
        self.address = address;
        // The next start must listen where the banks look for it.
        self.options.listen = address;
        if let Some(cards) = &mut self.cards {
            cards.set_doors(&ready)?;
        }
        self.write_configuration()?;
        self.switch = Some(process);
        Ok(())
    }

    fn write_configuration(&self) -> Result<(), String> {
        let mut text = configuration(&self.options);
        if let Some(cards) = &self.cards {
            text.push_str(&cards.configuration());
        }
        write(&self.folder.configuration(), &text)
    }

    fn start_bank(&mut self, bank: &BankRow) -> Result<(), String> {
        let address = self.address.to_string();
        let host = self.host_arguments(bank.code)?;
        let mut arguments = vec![
            "bank",
            "run",
            bank.code,
            "--bic",
            bank.bic,
            "--bank-code",
            bank.bank_code,
            "--switch",
            &address,
        ];
        arguments.extend(host.iter().map(String::as_str));
        let process = self.spawn(bank.code, &[], &arguments, Stdio::null())?;
        self.banks.push(process);
        Ok(())
    }

    fn spawn(
        &self,
        name: &str,
        launcher: &[OsString],
        arguments: &[&str],
        out: Stdio,
    ) -> Result<Process, String> {
        let log = self.folder.root().join(format!("{name}.log"));
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|error| at(&log, &error))?;
        let program = self.options.program.as_os_str().to_owned();
        let mut words = launcher.iter().chain([&program]);
        let child = Command::new(words.next().unwrap_or(&program))
            .args(words)
            .arg("--end-with-parent")
            .arg("--dir")
            .arg(self.folder.root())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(file)
            .spawn()
            .map_err(|error| {
                format!("{}: cannot start: {error}", self.options.program.display())
            })?;
        Ok(Process {
            child,
            name: name.to_string(),
            log,
        })
    }

    /// Waits until every bank is signed on.
    ///
    /// # Errors
    /// It takes too long, or a process has ended.
    pub fn wait_for_links(&mut self) -> Result<(), String> {
        let end = Instant::now() + START_WITHIN;
        loop {
            let up = self.ctl(&Request::Status).ok().and_then(|status| {
                let rows = status["participants"].as_array()?.clone();
                let is_up = |bank: &BankRow| {
                    let mut rows = rows.iter();
                    rows.any(|row| row["code"] == bank.code && row["up"] == true)
                };
                Some(BANKS.iter().all(is_up))
            });
            if up == Some(true) && self.card_side_is_up() {
                return Ok(());
            }
            let mut processes = self.banks.iter_mut().chain(&mut self.switch);
            if let Some(process) =
                processes.find_map(|process| process.has_ended().then_some(process))
            {
                return Err(process.story("has ended"));
            }
            if Instant::now() > end {
                return Err("the banks did not sign on in time".into());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Ends the switch as a power cut would.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill_switch(&mut self) -> Result<(), String> {
        // Dropping kills and waits.
        self.switch
            .take()
            .map(drop)
            .ok_or_else(|| "the switch is not running".into())
    }

    /// Waits until the switch has ended by itself; gives its status and the end of its log.
    ///
    /// # Errors
    /// It is not running, or goes on for too long.
    pub fn wait_for_end(&mut self) -> Result<(ExitStatus, String), String> {
        let mut switch = self.switch.take().ok_or("the switch is not running")?;
        let end = Instant::now() + START_WITHIN;
        loop {
            match switch.child.try_wait() {
                Ok(Some(status)) => return Ok((status, switch.story("has ended"))),
                Ok(None) if Instant::now() < end => std::thread::sleep(POLL),
                Ok(None) => return Err(switch.story("goes on")),
                Err(error) => return Err(format!("switch: {error}")),
            }
        }
    }

    /// A connection to a bank's script.
    ///
    /// # Errors
    /// The bank has gone.
    pub fn bank_client(&self, code: &str) -> Result<BankClient, String> {
        BankClient::connect(&crate::cli::bank_socket(&self.folder, code))
    }

    /// A request of the operator.
    ///
    /// # Errors
    /// A refusal or a broken connection.
    pub fn ctl(&self, request: &Request) -> Result<Value, String> {
        Client::connect(&self.folder.control())?.must(request)
    }

    /// A request to a bank's script.
    ///
    /// # Errors
    /// The bank refuses, or has gone.
    pub fn bank(&self, code: &str, request: &BankRequest) -> Result<Value, String> {
        let answer = self
            .bank_client(code)
            .and_then(|mut client| client.ask(request));
        answer.map_err(|error| format!("{code}: {error}"))
    }

    /// The operator of the demonstration.
    pub fn by() -> By {
        By {
            operator: "demo".into(),
            reference: "scripted day".into(),
        }
    }

    /// Waits until the switch ends (a person works with it), or a signal ends this process.
    pub fn wait(&mut self) {
        if let Some(switch) = &mut self.switch {
            // Either way there is nothing left to wait for.
            let _ = switch.child.wait();
        }
    }
}

impl Process {
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn story(&self, what: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        let end: Vec<&str> = lines.into_iter().rev().collect();
        format!(
            "{} {what}; the end of {}:\n{}",
            self.name,
            self.log.display(),
            end.join("\n")
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(options: &Options) -> String {
    // Port 0: several laboratories may run at once.
    let metrics = options
        .metrics
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    format!(
        "# Written by `torap demo`; docs/operations.md lists all keys.\n[listen]\niso20022 = \"{}\"\nmetrics = \"{metrics}\"\n\n[journal]\nsegment_mib = {}\n",
        options.listen, options.segment_mib
    )
}

fn network() -> String {
    let mut text = String::from("switch_bic = \"TORPKZKA\"\n");
    for bank in &BANKS {
        text.push_str(&format!(
            "\n[[participant]]\ncode = \"{}\"\nname = \"{}\"\nbics = [\"{}\"]\nbank_codes = [\"{}\"]\nfund = \"{}\"\nfloor = \"50000.00\"\n",
            bank.code, bank.name, bank.bic, bank.bank_code, bank.fund
        ));
    }
    for service in ["c2c-phone", "c2c-account", "me2me", "qr"] {
        text.push_str(&format!(
            "\n[limits.{service}]\npayment_max = \"5000000.00\"\ncustomer_day_amount_max = \"10000000.00\"\ncustomer_day_count_max = 200\n"
        ));
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
