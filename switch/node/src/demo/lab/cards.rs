//! The card side of the laboratory: an HSM that knows everybody's keys, a card host beside each bank, the host of a foreign scheme.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::Stdio,
    time::Instant,
};

use serde_json::Value;

use super::{Lab, POLL, Process, START_WITHIN};
use crate::control::{CardShow, Request};

/// A card host.
#[derive(Clone, Copy, Debug)]
pub struct CardHostRow {
    pub code: &'static str,
    /// DE32 and DE33.
    pub institution: &'static str,
    /// Of its cards.
    pub prefix: &'static str,
    /// Every message carries a MAC, and the host comes to the shared door; without one it has a door of its own.
    mac: bool,
    header: &'static str,
    tpdu: bool,
    links: u8,
    /// Rows of its BIN range beside prefix and issuer.
    range: &'static str,
}

/// Card hosts of the banks: two at the shared door with MACs, two with frames and a door of their own.
pub const CARD_HOSTS: [CardHostRow; 4] = [
    CardHostRow {
        code: "CASP",
        institution: "722",
        prefix: "93987220",
        mac: true,
        header: "binary-2",
        tpdu: false,
        links: 2,
        range: "local = true",
    },
    CardHostRow {
        code: "HSBK",
        institution: "601",
        prefix: "93986010",
        mac: true,
        header: "binary-2",
        tpdu: false,
        links: 2,
        range: "local = true\nstand_in = 1",
    },
    CardHostRow {
        code: "IRTY",
        institution: "965",
        prefix: "93989650",
        mac: false,
        header: "ascii-4",
        tpdu: true,
        links: 1,
        range: "local = true",
    },
    // Its cards are a foreign scheme's.
    CardHostRow {
        code: "TSES",
        institution: "998",
        prefix: "93989980",
        mac: false,
        header: "binary-4",
        tpdu: false,
        links: 1,
        range: "scheme = 1",
    },
];

/// The host of the foreign scheme: it issues nothing and acquires nothing.
pub const SCHEME_HOST: CardHostRow = CardHostRow {
    code: "SCHM",
    institution: "920",
    prefix: "93989980",
    mac: false,
    header: "bcd-2",
    tpdu: false,
    links: 1,
    range: "",
};

/// The scheme is a participant that takes no part in instant payments.
const SCHEME_PARTICIPANT: &str = "\n[[participant]]\ncode = \"SCHM\"\nname = \"Foreign scheme\"\nbics = [\"SCHMKZKA\"]\nservices = []\n";

/// Short clocks, so that the day is short; stand-in for small purchases; what a transaction costs.
const RULES: &str = "
[card.settings]
issuer_within_ms = 2000
whole_within_ms = 5000
queue_within_ms = 1000
cut_over_at = \"none\"

[[card.stand_in]]
number = 1
services = [\"purchase\"]
amount_max = \"20000.00\"
day_amount_max = \"50000.00\"
day_count_max = 5
floor = \"100000.00\"

[[card.scheme]]
number = 1
host = \"SCHM\"
channels = [\"web\", \"mobile\"]
without = \"carry-on\"

[[card.fee]]
interchange = { percent = \"1.1\", to = \"issuer\" }
switch_acquirer = { fixed = \"2.00\" }
";

/// What runs beside the switch.
#[derive(Debug)]
pub(super) struct CardSide {
    hsm: Option<Process>,
    hsm_address: SocketAddr,
    /// The shared door, then the others in the order of [`own_doors`]; with port 0 until the switch has chosen.
    doors: Vec<SocketAddr>,
}

/// Hosts with a door of their own.
fn own_doors() -> impl Iterator<Item = CardHostRow> {
    let hosts = CARD_HOSTS.into_iter().chain([SCHEME_HOST]);
    hosts.filter(|host| !host.mac)
}

impl CardSide {
    /// Tables of `torap.toml`.
    pub(super) fn configuration(&self) -> String {
        let mut doors = self.doors.iter();
        let mut next = || doors.next().map(ToString::to_string).unwrap_or_default();
        let mut text = format!(
            "\n[card]\nlisten = \"{}\"\n\n[[card.hsm]]\naddress = \"{}\"\n",
            next(),
            self.hsm_address
        );
        for host in own_doors() {
            text.push_str(&format!(
                "\n[[card.link]]\nparticipant = \"{}\"\nlisten = \"{}\"\nfrom = [\"127.0.0.1\"]\nheader = \"{}\"\ntpdu = {}\n",
                host.code,
                next(),
                host.header,
                host.tpdu
            ));
        }
        text
    }

    /// Takes over the doors of the switch's first line.
    pub(super) fn set_doors(&mut self, ready: &Value) -> Result<(), String> {
        let doors = ready["card"].as_array().into_iter().flatten();
        let doors: Option<Vec<SocketAddr>> =
            doors.map(|text| text.as_str()?.parse().ok()).collect();
        let doors = doors.filter(|doors| doors.len() == self.doors.len());
        self.doors = doors.ok_or("switch: it has not opened every card door")?;
        Ok(())
    }

    fn door(&self, host: &CardHostRow) -> Option<SocketAddr> {
        let place = own_doors().position(|other| other.code == host.code);
        self.doors.get(place.map_or(0, |place| place + 1)).copied()
    }
}

/// Tables of `network.toml`.
pub(super) fn network() -> String {
    let mut text = format!("{SCHEME_PARTICIPANT}{RULES}");
    for host in CARD_HOSTS {
        let (code, institution, mac) = (host.code, host.institution, host.mac);
        text.push_str(&format!(
            "\n[[card.member]]\nparticipant = \"{code}\"\ninstitutions = [\"{institution}\"]\nroles = [\"acquirer\", \"issuer\"]\nmac = {mac}\n"
        ));
        text.push_str(&format!(
            "\n[[card.bin]]\nprefix = \"{}\"\nissuer = \"{code}\"\n{}\n",
            host.prefix, host.range
        ));
    }
    text.push_str(&format!(
        "\n[[card.member]]\nparticipant = \"{}\"\ninstitutions = [\"{}\"]\nroles = [\"scheme\"]\n",
        SCHEME_HOST.code, SCHEME_HOST.institution
    ));
    text
}

impl Lab {
    /// Makes the keys and starts the HSM.
    pub(super) fn start_card_side(&mut self) -> Result<(), String> {
        let mut words = vec!["hsm-sim", "keys", "--participant"];
        words.extend(CARD_HOSTS.map(|host| host.code));
        let mut ceremony = self.spawn("hsm", &[], &words, Stdio::null())?;
        let status = ceremony.child.wait();
        if !status.is_ok_and(|status| status.success()) {
            return Err(ceremony.story("could not make the keys"));
        }
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (hsm, hsm_address) = self.spawn_hsm(anywhere)?;
        self.cards = Some(CardSide {
            hsm: Some(hsm),
            hsm_address,
            doors: vec![anywhere; 1 + own_doors().count()],
        });
        Ok(())
    }

    fn spawn_hsm(&self, address: SocketAddr) -> Result<(Process, SocketAddr), String> {
        let words = ["hsm-sim", "--listen", &address.to_string()];
        let mut hsm = self.spawn("hsm", &[], &words, Stdio::piped())?;
        let out = hsm.child.stdout.take().ok_or("hsm: no output")?;
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        read.map_err(|error| format!("hsm: {error}"))?;
        let address = line.trim().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        match address {
            Some(address) => Ok((hsm, address)),
            None => Err(hsm.story("did not start")),
        }
    }

    /// What a bank's process needs to be its card host as well.
    pub(super) fn host_arguments(&self, code: &str) -> Result<Vec<String>, String> {
        let host = CARD_HOSTS.iter().find(|host| host.code == code);
        match (&self.cards, host) {
            (Some(cards), Some(host)) => arguments(cards, host),
            _ => Ok(Vec::new()),
        }
    }

    /// Starts the scheme's host.
    pub(super) fn start_scheme(&mut self) -> Result<(), String> {
        let Some(cards) = &self.cards else {
            return Ok(());
        };
        let mut words: Vec<String> = ["bank", "card", "run", SCHEME_HOST.code, "--scheme"]
            .map(String::from)
            .into();
        words.extend(arguments(cards, &SCHEME_HOST)?);
        let locals = CARD_HOSTS
            .iter()
            .filter(|host| host.range.contains("local"));
        words.extend(locals.flat_map(|host| ["--local-prefix".into(), host.prefix.into()]));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let process = self.spawn(SCHEME_HOST.code, &[], &words, Stdio::null())?;
        self.banks.push(process);
        Ok(())
    }

    /// Whether there is a card side.
    pub fn has_cards(&self) -> bool {
        self.cards.is_some()
    }

    /// Whether there is no card side, or every host of it is signed on and its HSM is up.
    pub(super) fn card_side_is_up(&self) -> bool {
        self.cards.is_none()
            || self.card_status().is_ok_and(|status| {
                let members = status["members"].as_array();
                members.is_some_and(|rows| rows.iter().all(|row| row["signed_on"] == true))
                    && status["hsms"][0]["up"] == true
            })
    }

    /// The card side as the operator sees it.
    ///
    /// # Errors
    /// There is none, or the switch has gone.
    pub fn card_status(&self) -> Result<Value, String> {
        self.ctl(&Request::Card {
            what: CardShow::Status,
        })
    }

    /// Waits until the card side looks as it should.
    ///
    /// # Errors
    /// It takes too long.
    pub fn wait_for_cards(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<(), String> {
        let end = Instant::now() + START_WITHIN;
        while !is_so(&self.card_status()?) {
            if Instant::now() > end {
                return Err(format!("card side: {what}: it takes too long"));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Waits until a host has signed on, or has not.
    ///
    /// # Errors
    /// It takes too long.
    pub fn wait_for_card_host(&self, code: &str, signed_on: bool) -> Result<(), String> {
        self.wait_for_cards(code, |status| {
            let mut rows = status["members"].as_array().into_iter().flatten();
            rows.any(|row| row["participant"] == code && row["signed_on"] == signed_on)
        })
    }

    /// Ends the HSM as a broken one would, or starts it again where it was; returns when the switch knows.
    ///
    /// # Errors
    /// There is no card side, or the HSM does not start.
    pub fn set_hsm(&mut self, up: bool) -> Result<(), String> {
        let address = self.cards.as_ref().map(|cards| cards.hsm_address);
        let address = address.ok_or("the laboratory has no card side")?;
        let hsm = match up {
            true => Some(self.spawn_hsm(address)?.0),
            false => None,
        };
        if let Some(cards) = &mut self.cards {
            // Dropping one kills it and waits.
            cards.hsm = hsm;
        }
        self.wait_for_cards("HSM", |status| status["hsms"][0]["up"] == up)
    }
}

fn arguments(cards: &CardSide, host: &CardHostRow) -> Result<Vec<String>, String> {
    let door = cards.door(host).ok_or("no door")?;
    let words = [
        "--card",
        &door.to_string(),
        "--institution",
        host.institution,
        "--prefix",
        host.prefix,
        "--framing",
        host.header,
        "--links",
        &host.links.to_string(),
    ];
    let mut words: Vec<String> = words.map(String::from).into();
    if host.mac {
        words.push("--mac".into());
    }
    if host.tpdu {
        words.push("--tpdu".into());
    }
    Ok(words)
}
