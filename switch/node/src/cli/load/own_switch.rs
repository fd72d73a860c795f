//! A switch for one run, with an HSM if it needs one: own folder, own processes, gone afterwards.

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

/// A running switch. Dropping it ends the processes and removes the folder.
#[derive(Debug)]
pub(super) struct OwnSwitch {
    // In this order: the processes end before their folder goes.
    process: Process,
    _hsm: Option<Process>,
    ready: Ready,
    log: PathBuf,
    folder: TemporaryFolder,
}

/// What a switch is to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Setup {
    /// `torap.toml`.
    pub(super) configuration: String,
    /// `network.toml`.
    pub(super) network: String,
    /// Participants that get zone keys, and the switch an HSM that knows them.
    pub(super) key_holders: Vec<String>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Held open: it may write to it.
    out: BufReader<ChildStdout>,
}

#[derive(Debug)]
struct TemporaryFolder(Folder);

/// The line that a switch prints when its doors are open.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Ready {
    pub(super) iso20022: SocketAddr,
    /// Of card hosts: the shared one first, then those of single participants as the configuration has them.
    #[serde(default)]
    pub(super) card: Vec<SocketAddr>,
}

impl OwnSwitch {
    /// Makes the folder, writes the configuration, starts this very program on it and waits until its doors are open.
    pub(super) fn start(work_dir: Option<&Path>, setup: &Setup) -> Result<OwnSwitch, Failure> {
        let folder = TemporaryFolder::create(work_dir)?;
        let mut configuration = setup.configuration.clone();
        let mut hsm = None;
        if !setup.key_holders.is_empty() {
            let (process, address) = start_hsm(folder.0.root(), &setup.key_holders)?;
            configuration.push_str(&format!("\n[[card.hsm]]\naddress = \"{address}\"\n"));
            hsm = Some(process);
        }
        write(&folder.0.configuration(), &configuration)?;
        write(&folder.0.network(), &setup.network)?;
        let log = folder.0.root().join("switch.log");
        let mut process = Process::start(folder.0.root(), &["serve"], &log)?;
        let ready = process.line().and_then(|line| {
            serde_json::from_str(&line)
                .map_err(|error| format!("the switch said `{}`: {error}", line.trim_end()))
        });
        match ready {
            Ok(ready) => Ok(OwnSwitch {
                process,
                _hsm: hsm,
                ready,
                log,
                folder,
            }),
            Err(text) => Err(with_log(&log, Failure::Failed(text))),
        }
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder.0
    }

    /// Where its doors are.
    pub(super) fn ready(&self) -> &Ready {
        &self.ready
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
        with_log(&self.log, failure)
    }
}

fn with_log(log: &Path, failure: Failure) -> Failure {
    let add = |text: String| {
        let text_of_log = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text_of_log.lines().collect();
        let end = lines.len().saturating_sub(LOG_LINES_MAX);
        format!(
            "{text}\nthe end of {}:\n{}",
            log.display(),
            lines.get(end..).unwrap_or_default().join("\n")
        )
    };
    match failure {
        Failure::Failed(text) => Failure::Failed(add(text)),
        Failure::Usage(text) => Failure::Usage(text),
    }
}

/// Holds the key ceremony for these participants, and starts the HSM that knows their keys.
fn start_hsm(root: &Path, codes: &[String]) -> Result<(Process, SocketAddr), Failure> {
    let mut words = vec!["hsm-sim", "keys", "--participant"];
    words.extend(codes.iter().map(String::as_str));
    let log = root.join("hsm.log");
    let ceremony = Process::start(root, &words, &log)?;
    let failed = |text: String| with_log(&log, Failure::Failed(text));
    ceremony.end("the key ceremony").map_err(failed)?;
    let mut hsm = Process::start(root, &["hsm-sim"], &log)?;
    let line = hsm.line().map_err(failed)?;
    let address = line.trim().strip_prefix("listening on ");
    let address = address.and_then(|address| address.parse().ok());
    let said = || failed(format!("the HSM said `{}`", line.trim_end()));
    Ok((hsm, address.ok_or_else(said)?))
}

impl Process {
    /// Starts this very program on a folder.
    fn start(root: &Path, words: &[&str], log: &Path) -> Result<Process, Failure> {
        let file = fs::OpenOptions::new().create(true).append(true).open(log);
        let program = std::env::current_exe()
            .map_err(|error| format!("cannot find this program: {error}"))?;
        let mut child = Command::new(&program)
            .arg("--end-with-parent")
            .arg("--dir")
            .arg(root)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.map_err(|error| at(log, &error))?)
            // An interrupt from the terminal is for the load run, which then stops the switch.
            .process_group(0)
            .spawn()
            .map_err(|error| at(&program, &error))?;
        let out = child.stdout.take().map(BufReader::new);
        let out = out.ok_or_else(|| Failure::Failed("a process has no output".into()))?;
        Ok(Process { child, out })
    }

    /// The next line that it says.
    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.out.read_line(&mut line) {
            Ok(0) => Err("it did not start".into()),
            Ok(_) => Ok(line),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits for its end.
    fn end(mut self, what: &str) -> Result<(), String> {
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{what} ended with {status}")),
            Err(error) => Err(format!("{what}: {error}")),
        }
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
