//! `torap certify`: the bench that a participant's host must pass, and its signed report.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand, ValueEnum};
use torap_bank::{
    Request as BankRequest,
    card::{Request as CardRequest, Security, WaitFor},
};
use torap_certify::{
    Choice, Outcome, Report, Verdict,
    card::CardBench,
    catalogue,
    peer::{
        Ask,
        socket::{Asking, SocketPeer},
    },
    signature::{self, Key},
    subject::{CardData, Subject},
};
use torap_gateway::card::framing::{Framing, LengthHeader};
use torap_hsm_sim::{key_file::BankKeyFile, soft::BankKeys};

mod instant;

use super::{Ending, Failure, bank_socket, print_line};
use crate::{
    folder::{Folder, random_bytes},
    script::BankClient,
    serve::wall_clock,
};

/// How long an answer may be on its way to a simulated host.
const ANSWER_ARRIVES_WITHIN_MS: u64 = 5_000;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a report's signature; status 0 only if it holds and no case failed
    Verify {
        report: PathBuf,
        /// The operator's public key, 64 hexadecimal digits; without it the file's own is taken
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
    },
    /// Print the catalogue as docs/certification.md has it
    Catalogue {
        #[arg(long, value_enum, default_value_t = RailName::Card)]
        rail: RailName,
    },
    /// Print the data of the card with which a host is asked to buy
    BenchCard,
    /// Print the data file of a simulated bank, as a pattern for a real one
    Data(Pattern),
}

#[derive(Debug, Args)]
struct Pattern {
    #[arg(long)]
    participant: String,
    #[arg(long, value_enum, default_value_t = RailName::Card)]
    rail: RailName,
    /// Cards: institution number
    #[arg(long, required_if_eq("rail", "card"))]
    institution: Option<String>,
    /// Cards: a prefix of its cards, 6 to 8 digits
    #[arg(long, required_if_eq("rail", "card"))]
    prefix: Option<String>,
    /// Instant payments: its BIC
    #[arg(long, required_if_eq("rail", "instant"))]
    bic: Option<String>,
    /// Instant payments: the three digits of its IBANs
    #[arg(long, required_if_eq("rail", "instant"))]
    bank_code: Option<String>,
}

#[derive(Debug, Args)]
struct Run {
    /// Participant code; its data is in --data
    #[arg(long, value_name = "CODE", required = true)]
    participant: Option<String>,
    /// What is certified
    #[arg(long, value_enum, default_value_t = RailName::Card)]
    rail: RailName,
    /// The participant's test data [default: DIR/certify/CODE.toml for cards, CODE-instant.toml for instant payments]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Where the host connects to, in place of the switch
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Cards: length header of its frames: binary-2, binary-4, ascii-4, bcd-2
    #[arg(long, default_value = "binary-2")]
    framing: String,
    /// Cards: a TPDU stands in front of every message
    #[arg(long)]
    tpdu: bool,
    /// The host is `torap bank` on this --dir, and is told by its script what to begin; otherwise a person is asked
    #[arg(long)]
    simulated: bool,
    /// Wait at least so long for what the host is asked to begin
    #[arg(long, default_value_t = 0, value_name = "MS")]
    patience: u64,
    /// Only cases whose identifier begins so; may be given more than once
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Leave out cases that wait for a clock of the host's own
    #[arg(long)]
    skip_slow: bool,
    /// Where the report goes: NAME.json and NAME.html [default: DIR/certify/CODE-RAIL]
    #[arg(long, value_name = "NAME")]
    report: Option<PathBuf>,
    /// The operator's signing key, made if it is not there [default: DIR/secrets/operator.pk8]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RailName {
    Card,
    Instant,
}

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let text = match arguments.command {
        None => return certify(folder, &arguments.run),
        Some(Command::Verify { report, key }) => return verify(&report, key.as_deref()),
        Some(Command::Catalogue { rail }) => match rail {
            RailName::Card => catalogue::read::<catalogue::card::Step>(catalogue::CARD)?.markdown(),
            RailName::Instant => {
                catalogue::read::<catalogue::instant::Step>(catalogue::INSTANT)?.markdown()
            }
        },
        Some(Command::BenchCard) => CardData::of_bench()?,
        Some(Command::Data(pattern)) => pattern.text()?,
    };
    print_line(text.trim_end())?;
    Ok(Ending::Done)
}

impl Pattern {
    fn text(&self) -> Result<String, Failure> {
        let given = |value: &Option<String>| value.clone().unwrap_or_default();
        let text = match self.rail {
            RailName::Card => {
                let (institution, prefix) = (given(&self.institution), given(&self.prefix));
                Subject::simulated(&self.participant, &institution, &prefix)
                    .map_err(|text| Failure::Usage(format!("--prefix: {text}")))?
                    .to_toml()
            }
            RailName::Instant => instant::pattern(
                &self.participant,
                &given(&self.bic),
                &given(&self.bank_code),
            )?
            .to_toml(),
        };
        Ok(text?)
    }
}

fn certify(folder: &Folder, run: &Run) -> Result<Ending, Failure> {
    let code = run.participant.as_deref().unwrap_or_default();
    crate::serve::participant_code(code).map_err(Failure::Usage)?;
    let key = operator_key(folder, run.key.as_deref())?;
    let choice = Choice {
        only: run.only.clone(),
        skip_slow: run.skip_slow,
        patience: Duration::from_millis(run.patience),
    };
    let began = wall_clock();
    let (rail, catalogue, outcomes) = match run.rail {
        RailName::Card => (
            "card",
            catalogue::CARD,
            run_card(folder, run, code, &choice)?,
        ),
        RailName::Instant => (
            "instant",
            catalogue::INSTANT,
            instant::run(folder, run, code, &choice)?,
        ),
    };
    let times = (text(began), text(wall_clock()));
    let report = Report::new(code, rail, catalogue, times, outcomes);
    let name = run.report.clone();
    let name = name.unwrap_or_else(|| certify_folder(folder).join(format!("{code}-{rail}")));
    write_report(&name, &report, &key)?;
    tell(&format!(
        "{} passed, {} failed, {} left out",
        report.passed, report.failed, report.left_out
    ));
    print_line(&name.with_extension("json").display().to_string())?;
    Ok(if report.is_good() {
        Ending::Done
    } else {
        Ending::Refused
    })
}

fn certify_folder(folder: &Folder) -> PathBuf {
    folder.root().join("certify")
}

fn run_card(
    folder: &Folder,
    run: &Run,
    code: &str,
    choice: &Choice,
) -> Result<Vec<Outcome>, Failure> {
    let data = run.data.clone();
    let data = data.unwrap_or_else(|| certify_folder(folder).join(format!("{code}.toml")));
    let subject = read_subject(&data, code)?;
    let security = security(&subject, &data)?;
    let header = LengthHeader::from_name(&run.framing)
        .ok_or_else(|| Failure::Usage(format!("--framing: `{}` is none", run.framing)))?;
    let framing = Framing {
        header,
        tpdu: run.tpdu,
    };
    let mut peer = SocketPeer::listen(run.listen, framing, asking(folder, code, run.simulated))
        .map_err(|error| format!("{}: {error}", run.listen))?;
    let address = peer.address().map_err(|error| error.to_string())?;
    print_line(&format!("listening on {address}"))?;
    let cases = catalogue::read(catalogue::CARD)?;
    let [a, b, c, d, ..] = random_bytes()?;
    let seed = u32::from_le_bytes([a, b, c, d]);
    let mut bench = CardBench::new(subject, security, &mut peer, seed)?;
    Ok(bench.run(&cases, choice, &mut show))
}

fn read_subject(path: &Path, code: &str) -> Result<Subject, Failure> {
    let at = |text: &dyn std::fmt::Display| Failure::Usage(format!("{}: {text}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| at(&error))?;
    let subject = Subject::parse(&text).map_err(|error| at(&error))?;
    if subject.participant != code {
        let text = format!("participant: is `{}`, and not {code}", subject.participant);
        return Err(at(&text));
    }
    Ok(subject)
}

/// The bench holds the participant's side of the keys, as a switch holds its own; a path is relative to the data file.
fn security(subject: &Subject, data: &Path) -> Result<Security, Failure> {
    let Some(keys) = &subject.keys else {
        return Ok(Security::new(None, false, subject.key_set));
    };
    let path = data.parent().unwrap_or(Path::new(".")).join(keys);
    let at = |text: &dyn std::fmt::Display| Failure::Usage(format!("{}: {text}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| at(&error))?;
    let file = BankKeyFile::parse(&text).map_err(|error| at(&error))?;
    let keys = BankKeys::open(&file, random_bytes()?).map_err(|error| at(&error))?;
    Ok(Security::new(Some(keys), subject.mac, subject.key_set))
}

/// How the host is asked to begin something.
fn asking(folder: &Folder, code: &str, simulated: bool) -> Asking {
    let socket = bank_socket(folder, code);
    Box::new(move |ask: &Ask| {
        if !simulated {
            tell(&format!("  please: {}", ask.say));
            return Ok(());
        }
        let request = serde_json::from_value(ask.request.clone());
        let request = request.map_err(|error| format!("catalogue: {error}"))?;
        let mut client = BankClient::connect(&socket)?;
        // The script may be faster than the link: what is asked about a transaction supposes that its answer has arrived.
        if let Some(reference) = ask.request["reference"].as_str() {
            let filter = WaitFor {
                reference: Some(reference.into()),
                is_answer: true,
                ..WaitFor::default()
            };
            let request = CardRequest::Wait {
                filter,
                within_ms: ANSWER_ARRIVES_WITHIN_MS,
            };
            client.ask(&BankRequest::Card { request })?;
        }
        client.ask(&BankRequest::Card { request }).map(|_| ())
    })
}

/// The operator's signing key, made at the first use.
fn operator_key(folder: &Folder, path: Option<&Path>) -> Result<Key, Failure> {
    let usual = folder.secrets().join("operator.pk8");
    let path = path.unwrap_or(&usual);
    let at = |text: &dyn std::fmt::Display| Failure::Failed(format!("{}: {text}", path.display()));
    match fs::read(path) {
        Ok(bytes) => return Key::from_pkcs8(&bytes).map_err(|error| at(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(&error)),
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| at(&error))?;
    }
    let bytes = Key::generate()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| at(&error))?;
    let key = Key::from_pkcs8(&bytes)?;
    tell(&format!(
        "made {}; its public key is {}",
        path.display(),
        key.public()
    ));
    Ok(key)
}

fn write_report(name: &Path, report: &Report, key: &Key) -> Result<(), Failure> {
    if let Some(parent) = name.parent() {
        fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    }
    let signed = key.sign(report)?;
    let words = format!(
        "Signed with Ed25519 by {}.\nThis page is for reading; the signature is on the JSON file: torap certify verify.\nSHA-256 of that file: {}",
        key.public(),
        signature::digest(signed.as_bytes())
    );
    for (path, text) in [
        (name.with_extension("json"), signed),
        (name.with_extension("html"), report.html(&words)),
    ] {
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn verify(path: &Path, key: Option<&str>) -> Result<Ending, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let (report, by) = match signature::verify(&text, key) {
        Ok(verified) => verified,
        Err(error) => {
            print_line(&format!("{}: {error}", path.display()))?;
            return Ok(Ending::Refused);
        }
    };
    print_line(&format!(
        "{}  {}  {} passed, {} failed, {} left out  signed by {by}",
        report.participant, report.rail, report.passed, report.failed, report.left_out
    ))?;
    Ok(if report.is_good() {
        Ending::Done
    } else {
        Ending::Refused
    })
}

fn show(outcome: &Outcome) {
    let (name, why) = outcome.verdict.words();
    let why = match &outcome.verdict {
        Verdict::Passed => String::new(),
        Verdict::Failed(_) | Verdict::LeftOut(_) => format!("  {why}"),
    };
    tell(&format!(
        "{:<5} {:<66} {:>6} ms  {name}{why}",
        outcome.id, outcome.title, outcome.took_ms
    ));
}

/// RFC 3339, local time.
fn text(time: torap_domain::Time) -> String {
    let mut out = Vec::new();
    time.write_local(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn tell(text: &str) {
    // Progress is no part of the result.
    let _ = writeln!(std::io::stderr(), "{text}");
}
