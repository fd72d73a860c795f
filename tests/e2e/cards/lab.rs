//! A switch with a card side, an HSM where it is wanted, and card hosts, as processes in one folder.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use torap_bank::{
    Request as BankRequest,
    card::{Order, Request, Seen, SentTransaction, WaitFor},
};
use torap_node::{
    control::{CardShow, Client, Request as ControlRequest},
    script::BankClient,
};

use crate::program::{program, stderr};

/// Longer than anything takes on a busy machine.
pub const PATIENCE_MS: u64 = 60_000;

/// Cards of the issuer, for which the switch stands in; and cards of a foreign scheme at the same issuer.
pub const LOCAL: &str = "99999912345";
pub const FOREIGN: &str = "99999854321";

const TORAP: &str = r#"
mode = "TEST"
[listen]
iso20022 = "127.0.0.1:0"
metrics = "127.0.0.1:0"
[journal]
segment_mib = 32
encrypt_evidence = false
"#;

const MEMBERS: &str = r#"
[[participant]]
code = "ACQB"
name = "Acquirer"
bics = ["ACQBKZKA"]
bank_codes = ["901"]
[[participant]]
code = "ISSB"
name = "Issuer"
bics = ["ISSBKZKA"]
bank_codes = ["902"]
[[participant]]
code = "SCHM"
name = "Scheme host"
bics = ["SCHMKZKA"]

[card.settings]
whole_within_ms = 4000
issuer_within_ms = 1500
queue_within_ms = 1000
queue_within_max_ms = 2000
cut_over_at = "none"
[[card.member]]
participant = "SCHM"
institutions = ["700001"]
roles = ["scheme"]
[[card.stand_in]]
number = 1
services = ["purchase"]
amount_max = "20000.00"
day_amount_max = "50000.00"
day_count_max = 50
floor = "10000.00"
[[card.scheme]]
number = 1
host = "SCHM"
within_ms = 500
[[card.bin]]
prefix = "999999"
issuer = "ISSB"
local = true
stand_in = 1
[[card.bin]]
prefix = "999998"
issuer = "ISSB"
scheme = 1
[[card.fee]]
service = "purchase"
interchange = { percent = "1.1", to = "issuer" }
switch_acquirer = { fixed = "2.00" }
"#;

/// Whether hosts and switch share keys of an HSM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Neither MAC nor PIN.
    None,
    /// PINs are translated, MACs are not agreed.
    Pins,
    /// Every message carries a MAC.
    Macs,
}

/// A child that ends with the test.
pub struct Process {
    child: Child,
    pub pid: u32,
}

impl Process {
    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub struct CardLab {
    dir: TempDir,
    keys: Keys,
    /// What hosts speak, in the order of `HOSTS`.
    dialects: [&'static str; 3],
    pub switch: Option<Process>,
    pub hsm: Option<Process>,
    hosts: Vec<(&'static str, Process)>,
    /// Doors as the switch told them: of everybody, then of each host in the order of `HOSTS`.
    pub doors: Vec<SocketAddr>,
    /// What the switch said when it was ready.
    pub ready: Value,
}

/// Hosts with their institution and what else they are started with.
const HOSTS: [(&str, &str, &[&str]); 3] = [
    (
        "ACQB",
        "601001",
        &["--links", "2", "--answer-within-ms", "8000"],
    ),
    (
        "ISSB",
        "602001",
        &["--links", "2", "--prefix", LOCAL, "--prefix", FOREIGN],
    ),
    ("SCHM", "700001", &["--scheme", "--local-prefix", LOCAL]),
];

impl CardLab {
    pub fn start(keys: Keys) -> CardLab {
        CardLab::start_speaking(keys, "national", "national")
    }

    /// A lab whose acquirer and issuer speak these dialects.
    pub fn start_speaking(keys: Keys, acquirer: &'static str, issuer: &'static str) -> CardLab {
        CardLab::start_with_pins(keys, acquirer, issuer, ["tdes", "tdes"])
    }

    /// The same, with these PIN keys of acquirer and issuer: `tdes`, or `aes` for PIN blocks of format 4.
    pub fn start_with_pins(
        keys: Keys,
        acquirer: &'static str,
        issuer: &'static str,
        pins: [&str; 2],
    ) -> CardLab {
        let dir = TempDir::new().expect("temporary folder");
        let mut lab = CardLab {
            dir,
            keys,
            dialects: [acquirer, issuer, "national"],
            switch: None,
            hsm: None,
            hosts: Vec::new(),
            doors: Vec::new(),
            ready: Value::Null,
        };
        let mac = keys == Keys::Macs;
        let member = |code: &str, institution: &str, dialect: &str| {
            format!(
                "[[card.member]]\nparticipant = \"{code}\"\ninstitutions = [\"{institution}\"]\nroles = [\"acquirer\", \"issuer\"]\nmac = {mac}\n\
                 dialect = \"{dialect}\"\n"
            )
        };
        let network = format!(
            "{MEMBERS}{}{}",
            member("ACQB", "601001", acquirer),
            member("ISSB", "602001", issuer)
        );
        fs::write(lab.path().join("network.toml"), network).expect("a file");
        let mut torap = format!("{TORAP}[card]\nlisten = \"127.0.0.1:0\"\nhsm_timeout_ms = 1000\n");
        if keys != Keys::None {
            for (code, pin) in ["ACQB", "ISSB"].into_iter().zip(pins) {
                let made = lab
                    .torap()
                    .args(["hsm-sim", "keys", "--participant", code, "--pin", pin])
                    .output()
                    .expect("torap runs");
                assert!(made.status.success(), "{}", stderr(&made));
            }
            let address = lab.start_hsm("127.0.0.1:0");
            torap.push_str(&format!("[[card.hsm]]\naddress = \"{address}\"\n"));
        }
        for (code, _, _) in HOSTS {
            torap.push_str(&format!(
                "[[card.link]]\nparticipant = \"{code}\"\nlisten = \"127.0.0.1:0\"\nfrom = [\"127.0.0.1\"]\n"
            ));
        }
        fs::write(lab.path().join("torap.toml"), torap).expect("a file");
        lab.start_switch();
        for (code, _, _) in HOSTS {
            lab.start_host(code);
        }
        lab
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn torap(&self) -> Command {
        let mut command = Command::new(program());
        command
            .arg("--end-with-parent")
            .arg("--dir")
            .arg(self.path())
            .env("TORAP_LOG", "trace");
        command
    }

    /// `torap ctl --json` with an input of its own.
    pub fn ctl_child(&self, words: &[&str], input: Stdio) -> Child {
        let mut command = self.torap();
        command.args(["ctl", "--json", "--reference", "T-1"]);
        command.args(words).stdin(input);
        command.env_remove("TORAP_LOG");
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("torap runs")
    }

    /// `torap ctl --json`, whatever comes of it.
    pub fn ctl_text(&self, words: &[&str]) -> std::process::Output {
        let child = self.ctl_child(words, Stdio::null());
        child.wait_with_output().expect("it ends")
    }

    /// Starts a child whose first line is waited for.
    fn spawn(&self, name: &str, arguments: &[&str], waits: bool) -> (Process, String) {
        let told = File::options()
            .create(true)
            .append(true)
            .open(self.path().join(format!("{name}.log")))
            .expect("a file");
        let mut child = self
            .torap()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(told)
            .spawn()
            .expect("torap runs");
        let mut line = String::new();
        if waits {
            let mut stdout = BufReader::new(child.stdout.take().expect("its output"));
            stdout.read_line(&mut line).expect("a line");
            // Whoever prints more must not be stopped by a full pipe.
            std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        }
        let pid = child.id();
        (Process { child, pid }, line)
    }

    /// Starts the HSM and tells where it listens.
    pub fn start_hsm(&mut self, address: &str) -> SocketAddr {
        let (hsm, line) = self.spawn("hsm", &["hsm-sim", "--listen", address], true);
        self.hsm = Some(hsm);
        let address = line.trim().strip_prefix("listening on ");
        address
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("the HSM says {line}"))
    }

    /// Starts the switch; the doors stay where they were.
    pub fn start_switch(&mut self) {
        let (switch, line) = self.spawn("switch", &["serve"], true);
        self.switch = Some(switch);
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            let told = fs::read_to_string(self.path().join("switch.log")).unwrap_or_default();
            panic!("{error}: {line}\n{told}")
        });
        let doors = ready["card"].as_array().expect("doors").iter();
        let doors: Vec<SocketAddr> = doors
            .map(|door| {
                door.as_str()
                    .and_then(|door| door.parse().ok())
                    .expect("address")
            })
            .collect();
        if self.doors.is_empty() {
            // After a crash hosts come back to the same doors.
            let path = self.path().join("torap.toml");
            let mut text = fs::read_to_string(&path).expect("a file");
            for door in &doors {
                text = text.replacen(
                    "listen = \"127.0.0.1:0\"",
                    &format!("listen = \"{door}\""),
                    1,
                );
            }
            fs::write(&path, text).expect("a file");
        }
        self.doors = doors;
        self.ready = ready;
    }

    pub fn start_host(&mut self, code: &'static str) {
        let place = HOSTS
            .iter()
            .position(|host| host.0 == code)
            .expect("a host");
        let (_, institution, more) = HOSTS[place];
        let macs = self.keys == Keys::Macs && code != "SCHM";
        let dialect = self.dialects[place];
        // Hosts with a MAC come by the door of everybody, the others by their own; so do those that speak another dialect.
        let shared = macs && dialect == "national";
        let door = self.doors[if shared { 0 } else { place + 1 }].to_string();
        let mut arguments = vec!["bank", "card", "run", code, "--card", &door];
        arguments.extend(["--institution", institution, "--dialect", dialect]);
        arguments.extend(more);
        if macs {
            arguments.push("--mac");
        }
        let (host, _) = self.spawn(code, &arguments, false);
        self.hosts.push((code, host));
        self.is_signed_on(code, true);
    }

    /// Ends a host's process, and waits until the switch knows.
    pub fn end_host(&mut self, code: &str) {
        self.hosts.retain(|host| host.0 != code);
        self.is_signed_on(code, false);
    }

    /// Waits until the read side says that a member is signed on, or is not.
    pub fn is_signed_on(&self, code: &str, wanted: bool) {
        let asked = std::time::Instant::now();
        loop {
            let status = self.show(CardShow::Status);
            let members = status["members"].as_array().expect("members");
            let member = members.iter().find(|member| member["participant"] == code);
            if member.expect("a member")["signed_on"] == wanted {
                return;
            }
            assert!(
                asked.elapsed().as_millis() < u128::from(PATIENCE_MS),
                "{code}: {status}"
            );
        }
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.path().join("control.sock")).expect("control socket")
    }

    /// What the switch says of everything that is durable now: all that is shown comes from the read side.
    pub fn told(&self, request: &ControlRequest) -> Value {
        let mut client = self.client();
        let mut must = |request| client.must(request).expect("an answer");
        let asked = std::time::Instant::now();
        while must(&ControlRequest::Status)["follower_lag"] != 0 {
            let patient = asked.elapsed().as_millis() < u128::from(PATIENCE_MS);
            assert!(patient, "the read side is behind");
        }
        must(request)
    }

    /// What the switch shows of its card side.
    pub fn show(&self, what: CardShow) -> Value {
        self.told(&ControlRequest::Card { what })
    }

    /// Asks a host's script socket.
    pub fn ask(&self, code: &str, request: Request) -> Value {
        let path: PathBuf = self.path().join(format!("bank-{code}.sock"));
        let asked = BankClient::connect(&path).and_then(|mut client| {
            client.ask(&BankRequest::Card {
                request: request.clone(),
            })
        });
        asked.unwrap_or_else(|error| panic!("{code}: {request:?}: {error}"))
    }

    /// The next `count` messages to a host are treated so.
    pub fn behave(&self, code: &str, behaviour: &str, count: usize) {
        let behaviour = behaviour.to_string();
        self.ask(code, Request::Behave { behaviour, count });
    }

    pub fn send(&self, order: Order) -> SentTransaction {
        let sent = self.ask("ACQB", Request::Transact(order));
        serde_json::from_value(sent).expect("what was sent")
    }

    /// Waits for a message to a host.
    pub fn wait(&self, code: &str, filter: WaitFor) -> Seen {
        let seen = self.ask(
            code,
            Request::Wait {
                filter: filter.clone(),
                within_ms: PATIENCE_MS,
            },
        );
        serde_json::from_value(seen).unwrap_or_else(|error| panic!("{code}: {filter:?}: {error}"))
    }

    /// The acquirer's answer to a transaction.
    pub fn answer(&self, reference: &str) -> Seen {
        self.wait(
            "ACQB",
            WaitFor {
                reference: Some(reference.into()),
                is_answer: true,
                ..WaitFor::default()
            },
        )
    }

    /// Sends, and gives reference and code.
    pub fn transact(&self, order: Order) -> (String, String) {
        let sent = self.send(order);
        let seen = self.answer(&sent.reference);
        (sent.reference, seen.code.unwrap_or_default())
    }

    /// Waits for a message of this type about a transaction, from the next one on.
    pub fn hears(&self, code: &str, mti: &str, reference: &str) -> Seen {
        self.wait(
            code,
            WaitFor {
                mti: Some(mti.into()),
                reference: Some(reference.into()),
                ..WaitFor::default()
            },
        )
    }

    /// Messages of this type that a host received about a transaction.
    pub fn count(&self, code: &str, mti: &str, reference: &str) -> usize {
        let messages = self.ask(code, Request::Messages { since: 0 })["messages"].take();
        let messages: Vec<Seen> = serde_json::from_value(messages).expect("messages");
        let of = |seen: &&Seen| seen.mti == mti && seen.reference.as_deref() == Some(reference);
        messages.iter().filter(of).count()
    }

    /// The number of the next message to a host.
    pub fn next(&self, code: &str) -> u64 {
        let messages = self.ask(code, Request::Messages { since: u64::MAX });
        messages["next"].as_u64().expect("a number")
    }

    /// The acquirer sends a transaction again; gives the code of the answer.
    pub fn again(&self, reference: &str, repeat: bool, amount: Option<&str>) -> String {
        let since = self.next("ACQB");
        self.ask(
            "ACQB",
            Request::Again {
                reference: reference.into(),
                repeat,
                amount: amount.map(Into::into),
            },
        );
        let answer = self.wait(
            "ACQB",
            WaitFor {
                since,
                reference: Some(reference.into()),
                is_answer: true,
                ..WaitFor::default()
            },
        );
        answer.code.expect("a code")
    }

    /// Nothing is open, and no host has found anything wrong with the switch.
    pub fn has_no_complaint(&self) {
        for (code, _) in &self.hosts {
            let books = self.ask(code, Request::Books);
            assert_eq!(books["violations_count"], 0, "{code}: {books}");
        }
        let report = self
            .client()
            .must(&ControlRequest::Positions)
            .expect("positions");
        assert_eq!(report["conserved"], true, "{report}");
    }

    /// What the acquirer's books say of a transaction.
    pub fn transaction(&self, reference: &str) -> Value {
        let all = self.ask("ACQB", Request::Transactions);
        let found = all
            .as_array()
            .and_then(|rows| rows.iter().find(|row| row["reference"] == reference));
        found
            .cloned()
            .unwrap_or_else(|| panic!("{reference}: {all}"))
    }
}

/// A purchase at a terminal without a PIN.
pub fn purchase(card: u32, amount: &str) -> Order {
    Order {
        service: "purchase".into(),
        channel: "pos".into(),
        entry: Some("contactless".into()),
        prefix: LOCAL.into(),
        card,
        amount: amount.into(),
        ..Order::default()
    }
}
