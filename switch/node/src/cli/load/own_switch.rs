//! A switch for one run: its own folder, its own process, gone afterwards.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde::Deserialize;
use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::{session::Secret, wire::Name};
use torap_load::LoadBank;

use super::super::Failure;
use crate::{
    control::{Client, Request},
    folder::Folder,
};

/// How long an orderly stop may take; the switch writes a snapshot.
const STOP_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// Lines of the switch's log that a failure shows.
const LOG_LINES_MAX: usize = 30;

/// A running switch. Dropping it ends the process and removes the folder.
#[derive(Debug)]
pub(super) struct OwnSwitch {
    // In this order: the process ends before its folder goes.
    process: Process,
    address: SocketAddr,
    log: PathBuf,
    folder: TemporaryFolder,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Held open: the switch may write to it.
    _out: BufReader<ChildStdout>,
}

#[derive(Debug)]
struct TemporaryFolder(Folder);

/// The line that a switch prints when its doors are open.
#[derive(Debug, Deserialize)]
struct Ready {
    iso20022: SocketAddr,
}

impl OwnSwitch {
    /// Makes the folder, writes the configuration, starts this very program on it and waits until its doors are open.
    pub(super) fn start(work_dir: Option<&Path>, banks: usize) -> Result<OwnSwitch, Failure> {
        let folder = TemporaryFolder::create(work_dir)?;
        let root = folder.0.root().to_path_buf();
        write(&folder.0.configuration(), CONFIGURATION)?;
        write(&folder.0.network(), &network(banks))?;
        let log = root.join("switch.log");
        let file = fs::File::create(&log).map_err(|error| at(&log, &error))?;
        let program = std::env::current_exe()
            .map_err(|error| format!("cannot find this program: {error}"))?;
        let mut child = Command::new(&program)
            .arg("--end-with-parent")
            .arg("--dir")
            .arg(&root)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            // An interrupt from the terminal is for the load run, which then stops the switch.
            .process_group(0)
            .spawn()
            .map_err(|error| at(&program, &error))?;
        let out = child.stdout.take().map(BufReader::new);
        let Some(out) = out else {
            return Err(Failure::Failed("the switch has no output".into()));
        };
        let process = Process { child, _out: out };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut own = OwnSwitch {
            process,
            address,
            log,
            folder,
        };
        match own.read_address() {
            Ok(address) => own.address = address,
            Err(text) => return Err(own.with_log(Failure::Failed(text))),
        }
        Ok(own)
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder.0
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the switch in an orderly way.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        Client::connect(&self.folder.0.control())?.must(&Request::Stop)?;
        let end = Instant::now() + STOP_WITHIN;
        loop {
            match self.process.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the switch ended with {status}")),
                Ok(None) if Instant::now() < end => std::thread::sleep(POLL),
                Ok(None) => return Err(format!("the switch did not stop within {STOP_WITHIN:?}")),
                Err(error) => return Err(format!("the switch: {error}")),
            }
        }
    }

    /// The failure with the end of the switch's log.
    pub(super) fn with_log(&self, failure: Failure) -> Failure {
        let add = |text: String| {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines.len().saturating_sub(LOG_LINES_MAX);
            format!(
                "{text}\nthe end of the switch's log:\n{}",
                lines.get(end..).unwrap_or_default().join("\n")
            )
        };
        match failure {
            Failure::Failed(text) => Failure::Failed(add(text)),
            Failure::Usage(text) => Failure::Usage(text),
        }
    }

    fn read_address(&mut self) -> Result<SocketAddr, String> {
        let mut line = String::new();
        let read = self
            .process
            ._out
            .read_line(&mut line)
            .map_err(|error| format!("the switch: {error}"))?;
        if read == 0 {
            return Err("the switch did not start".into());
        }
        let ready: Ready = serde_json::from_str(&line)
            .map_err(|error| format!("the switch said `{}`: {error}", line.trim_end()))?;
        Ok(ready.iso20022)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TemporaryFolder {
    fn create(work_dir: Option<&Path>) -> Result<TemporaryFolder, String> {
        let parent = match (
            work_dir,
            std::env::var_os("CARGO_TARGET_DIR"),
            std::env::current_exe(),
        ) {
            (Some(path), _, _) => path.to_path_buf(),
            (None, Some(path), _) if !path.is_empty() => PathBuf::from(path),
            (None, _, Ok(program)) => program.parent().map(Path::to_path_buf).unwrap_or_default(),
            (None, _, Err(error)) => {
                return Err(format!(
                    "no folder for the switch ({error}); name one with --work-dir"
                ));
            }
        };
        let root = parent.join(format!("torap-load-{}", std::process::id()));
        // Only a folder of our own making is removed at the end.
        fs::create_dir(&root).map_err(|error| {
            format!(
                "{}: cannot make the folder ({error}); name another place with --work-dir",
                root.display()
            )
        })?;
        let folder = TemporaryFolder(Folder::choose(Some(&root)));
        folder.0.create()?;
        Ok(folder)
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(self.0.root()) {
            tracing::warn!(folder = %self.0.root().display(), %error, "cannot remove the folder of the switch");
        }
    }
}

/// All ports are chosen by the system; everything else as in a real switch.
pub(super) const CONFIGURATION: &str =
    "mode = \"TEST\"\n\n[listen]\niso20022 = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n";

/// Banks without limits; their money comes from the load run, as on any other switch.
pub(super) fn network(banks: usize) -> String {
    let mut text = String::from("switch_bic = \"TORPKZKA\"\n");
    for place in 0..banks {
        let bank = placeholder(place);
        text.push_str(&format!(
            "\n[[participant]]\ncode = \"{}\"\nname = \"Load bank {}\"\nbics = [\"{}\"]\nbank_codes = [\"{}\"]\n",
            bank.code.as_str(),
            place + 1,
            bank.bic.as_str(),
            bank.bank_code,
        ));
    }
    text
}

/// Bank number `place`, below 99, without its secret.
pub(super) fn placeholder(place: usize) -> LoadBank {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    let (code, bic) = (
        format!("BNK{:02}", place + 1),
        format!("BN{}{}KZKA", letter(place / 26), letter(place)),
    );
    let bank_code = u16::try_from(901 + place)
        .ok()
        .and_then(BankCode::from_value);
    LoadBank {
        code: Name::parse(&code).unwrap_or_else(|| unreachable!("{code} is a name")),
        bic: Bic::parse(&bic).unwrap_or_else(|error| unreachable!("{bic}: {error}")),
        bank_code: bank_code
            .unwrap_or_else(|| unreachable!("bank {place} has a code of three digits")),
        secret: Secret::new([0; 32]),
        held: Sequence::ZERO,
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
