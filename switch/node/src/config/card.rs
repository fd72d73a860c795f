//! `[card]` of `torap.toml`: the doors of card hosts, the links that this side opens, and the HSMs.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use serde::Deserialize;
use torap_domain::card::InstitutionId;
use torap_gateway::card::framing::{Framing, LengthHeader};

use super::within;

/// The card side of a switch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Card {
    /// The shared door: hosts that prove themselves with a MAC sign on here, in the national dialect. Left out, there is none.
    pub listen: Option<SocketAddr>,
    /// Length header of the shared door.
    pub header: Header,
    /// Whether a TPDU stands in front of every message at the shared door.
    pub tpdu: bool,
    /// The switch's own institution number: DE33 of what it sends.
    pub institution: Institution,
    /// Connections at once at the shared door, signed on or not.
    pub connections_max: usize,
    /// Messages that wait for one link before the oldest of them are dropped.
    pub waiting_max: usize,
    /// How long an HSM may take for one question, in milliseconds.
    pub hsm_timeout_ms: u64,
    /// HSMs that share the questions.
    pub hsm: Vec<CardHsm>,
    /// Doors and connections of single participants.
    pub link: Vec<CardLink>,
}

/// One HSM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardHsm {
    /// Where it listens.
    pub address: SocketAddr,
}

/// A door or a connection of one participant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardLink {
    /// The participant's code: nobody else can sign on here.
    pub participant: String,
    /// Here the participant's host connects to.
    pub listen: Option<SocketAddr>,
    /// Here the switch connects to.
    pub connect: Option<SocketAddr>,
    /// The addresses that may connect; without any, only a host that proves itself with a MAC may sign on.
    #[serde(default)]
    pub from: Vec<IpAddr>,
    #[serde(default)]
    pub header: Header,
    #[serde(default)]
    pub tpdu: bool,
    /// Seconds without a sent frame after which a keep-alive goes out; 0 sends none.
    #[serde(default = "keep_alive_s")]
    pub keep_alive_s: u64,
    /// Connections that are opened to `connect`.
    #[serde(default = "one")]
    pub connections: usize,
}

/// A length header by its name in docs/cards.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Header(pub LengthHeader);

/// An institution number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Institution(pub InstitutionId);

/// The institution number of a switch that has no other.
const OWN_INSTITUTION: &str = "900";

const fn keep_alive_s() -> u64 {
    15
}

const fn one() -> usize {
    1
}

impl Default for Card {
    fn default() -> Self {
        Card {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 7802))),
            header: Header::default(),
            tpdu: false,
            institution: Institution::default(),
            connections_max: 256,
            waiting_max: 65_536,
            hsm_timeout_ms: 1_000,
            hsm: Vec::new(),
            link: Vec::new(),
        }
    }
}

impl Default for Header {
    fn default() -> Self {
        Header(LengthHeader::Binary2)
    }
}

impl TryFrom<String> for Header {
    type Error = String;

    fn try_from(name: String) -> Result<Header, String> {
        LengthHeader::from_name(&name).map(Header).ok_or_else(|| {
            let known = LengthHeader::ALL.map(LengthHeader::name);
            format!("`{name}` is none of {}", known.join(", "))
        })
    }
}

impl Default for Institution {
    fn default() -> Self {
        Institution::try_from(OWN_INSTITUTION.to_string())
            .unwrap_or_else(|error| unreachable!("the switch's own institution number: {error}"))
    }
}

impl TryFrom<String> for Institution {
    type Error = String;

    fn try_from(text: String) -> Result<Institution, String> {
        InstitutionId::parse(&text)
            .map(Institution)
            .map_err(|error| format!("institution `{text}`: {error}"))
    }
}

impl Card {
    /// What the shared door's frames look like.
    pub fn framing(&self) -> Framing {
        Framing {
            header: self.header.0,
            tpdu: self.tpdu,
        }
    }

    /// # Errors
    /// The key and the rule.
    pub(super) fn check(&self, allow_plain_tcp: bool) -> Result<(), String> {
        let beyond = |address: SocketAddr| !address.ip().is_loopback() && !allow_plain_tcp;
        let plain = "not a loopback address; plain TCP beyond this machine needs listen.allow_plain_tcp = true";
        if self.listen.is_some_and(beyond) {
            return Err(format!("card.listen: {plain}"));
        }
        within(
            "card.connections_max",
            self.connections_max as u64,
            1,
            65_536,
        )?;
        within("card.waiting_max", self.waiting_max as u64, 16, 1_000_000)?;
        within("card.hsm_timeout_ms", self.hsm_timeout_ms, 1, 30_000)?;
        within("card.hsm: number of HSMs", self.hsm.len() as u64, 0, 16)?;
        if let Some(hsm) = self.hsm.iter().find(|hsm| beyond(hsm.address)) {
            return Err(format!("card.hsm {}: {plain}", hsm.address));
        }
        let mut doors: BTreeSet<SocketAddr> = self.listen.into_iter().collect();
        for (number, link) in self.link.iter().enumerate() {
            let key = format!("card.link[{number}] {}", link.participant);
            link.check(&key)?;
            let far = link.listen.into_iter().chain(link.connect).any(beyond);
            if far {
                return Err(format!("{key}: {plain}"));
            }
            if let Some(address) = link.listen
                && address.port() != 0
                && !doors.insert(address)
            {
                return Err(format!("{key}: listen: {address} is taken by another door"));
            }
        }
        Ok(())
    }
}

impl CardLink {
    /// What its frames look like.
    pub fn framing(&self) -> Framing {
        Framing {
            header: self.header.0,
            tpdu: self.tpdu,
        }
    }

    fn check(&self, key: &str) -> Result<(), String> {
        if self.listen.is_some() == self.connect.is_some() {
            return Err(format!("{key}: states either `listen` or `connect`"));
        }
        if self.connect.is_some() && !self.from.is_empty() {
            return Err(format!("{key}: `from` goes with `listen` only"));
        }
        within(&format!("{key}: keep_alive_s"), self.keep_alive_s, 0, 3_600)?;
        within(
            &format!("{key}: connections"),
            self.connections as u64,
            1,
            torap_engine::cards::LINKS_MAX as u64,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn refusal(text: &str) -> String {
        Config::parse(text).expect_err(text)
    }

    #[test]
    fn a_card_side_is_there_only_when_it_is_configured() {
        assert!(Config::parse("").unwrap().card.is_none());
        let card = Config::parse("[card]").unwrap().card.unwrap();
        assert_eq!(card.listen.unwrap().port(), 7802);
    }

    #[test]
    fn every_key_is_checked_by_name() {
        let cases = [
            ("[card]\nlisten = \"10.0.0.1:7802\"", "card.listen"),
            ("[card]\nheader = \"binary-3\"", "binary-3"),
            ("[card]\ninstitution = \"x\"", "institution"),
            ("[card]\nwaiting_max = 1", "card.waiting_max"),
            ("[card]\nhsm_timeout_ms = 0", "card.hsm_timeout_ms"),
            (
                "[[card.hsm]]\naddress = \"10.0.0.1:1\"",
                "card.hsm 10.0.0.1:1",
            ),
            ("[[card.link]]\nparticipant = \"A\"", "card.link[0] A"),
            (
                "[[card.link]]\nparticipant = \"A\"\nconnect = \"127.0.0.1:1\"\nfrom = [\"127.0.0.1\"]",
                "`from`",
            ),
            (
                "[card]\nlisten = \"127.0.0.1:5\"\n[[card.link]]\nparticipant = \"A\"\nlisten = \"127.0.0.1:5\"",
                "taken",
            ),
            (
                "[[card.link]]\nparticipant = \"A\"\nlisten = \"127.0.0.1:5\"\nconnections = 17",
                "connections",
            ),
        ];
        for (text, named) in cases {
            let refusal = refusal(text);
            assert!(refusal.contains(named), "{refusal}");
        }
    }
}
