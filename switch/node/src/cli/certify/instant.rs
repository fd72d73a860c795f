//! The bench of the instant rail over TCP: data file, secret, where the last run ended, and how the host is asked.

use std::{
    fs,
    io::{self, BufRead},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use serde_json::{Value, json};
use torap_bank::Request;
use torap_certify::{
    Choice, Outcome, catalogue,
    instant::{InstantBench, Standing},
    peer::{
        Ask,
        stream::{Asking, TcpStreams},
    },
    subject::instant::Subject,
};
use torap_domain::{Asset, Money};

use super::{Run, certify_folder, show, tell};
use crate::{
    cli::{Failure, bank_socket, print_line},
    folder::{Folder, random_bytes, read_secret},
    script::BankClient,
};

/// The data file of a simulated bank.
pub(super) fn pattern(participant: &str, bic: &str, bank_code: &str) -> Result<Subject, Failure> {
    Subject::simulated(participant, bic, bank_code).map_err(Failure::Usage)
}

/// Goes through the catalogue.
pub(super) fn run(
    folder: &Folder,
    run: &Run,
    code: &str,
    choice: &Choice,
) -> Result<Vec<Outcome>, Failure> {
    let own = certify_folder(folder);
    let data = run.data.clone();
    let data = data.unwrap_or_else(|| own.join(format!("{code}-instant.toml")));
    let subject = read_subject(&data, code)?;
    let secret = data
        .parent()
        .unwrap_or(Path::new("."))
        .join(&subject.secret);
    let secret = read_secret(&secret).map_err(Failure::Usage)?;
    let held = own.join(format!("{code}-instant.held"));
    let standing = read_standing(&held)?;
    let mut streams = TcpStreams::listen(run.listen, asking(folder, code, run.simulated))
        .map_err(|error| format!("{}: {error}", run.listen))?;
    let address = streams.address().map_err(|error| error.to_string())?;
    print_line(&format!("listening on {address}"))?;
    let cases = catalogue::read(catalogue::INSTANT)?;
    let [
        seed @ ..,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = random_bytes()?;
    let seed = u64::from_le_bytes(seed);
    let mut bench = InstantBench::new(subject, secret, &mut streams, standing, seed)?;
    let outcomes = bench.run(&cases, choice, &mut show);
    let text = format!("{}\n", bench.standing().held);
    fs::create_dir_all(&own)
        .and_then(|()| fs::write(&held, text))
        .map_err(|error| format!("{}: {error}", held.display()))?;
    Ok(outcomes)
}

fn read_subject(path: &Path, code: &str) -> Result<Subject, Failure> {
    let at = |text: &dyn std::fmt::Display| Failure::Usage(format!("{}: {text}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| at(&error))?;
    let subject = Subject::parse(&text).map_err(|error| at(&error))?;
    match subject.participant == code {
        true => Ok(subject),
        false => {
            let text = format!("participant: is `{}`, and not {code}", subject.participant);
            Err(at(&text))
        }
    }
}

/// The host's stream goes on over runs, as it does at the switch.
fn read_standing(path: &PathBuf) -> Result<Standing, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::default()),
        Err(error) => return Err(Failure::Failed(format!("{}: {error}", path.display()))),
    };
    let held = text.trim().parse();
    let held = held.map_err(|_| Failure::Usage(format!("{}: is no sequence", path.display())))?;
    Ok(Standing { held })
}

/// How the host is asked: a simulated one over its script, a person on the terminal. The bench keeps the link alive meanwhile.
fn asking(folder: &Folder, code: &str, simulated: bool) -> Asking {
    let socket = bank_socket(folder, code);
    Box::new(move |ask: &Ask| {
        let (sender, answer) = mpsc::channel();
        if simulated {
            // Whoever asked may have given up.
            let _ = sender.send(ask_script(&socket, ask));
            return answer;
        }
        if !ask.say.is_empty() {
            tell(&format!("  please: {}", ask.say));
        }
        match ask.wants_amount {
            true => read_amount(sender),
            false => drop(sender.send(Ok(Value::Null))),
        }
        answer
    })
}

fn ask_script(socket: &Path, ask: &Ask) -> Result<Value, String> {
    let request: Request = serde_json::from_value(ask.request.clone())
        .map_err(|error| format!("catalogue: {error}"))?;
    BankClient::connect(socket)?.ask(&request)
}

/// A line of the terminal, read aside: a person takes longer than a link lives.
fn read_amount(sender: mpsc::Sender<Result<Value, String>>) {
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let told = match read {
            Ok(0) | Err(_) => Err("nobody is there to tell the balance".to_string()),
            Ok(_) => Money::parse(line.trim(), Asset::Kzt)
                .map(|money| json!({ "net_tiyn": money.minor() }))
                .map_err(|error| format!("`{}`: {error}", line.trim())),
        };
        // Whoever asked may have given up.
        let _ = sender.send(told);
    });
}
