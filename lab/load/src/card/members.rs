//! One member: its links, its cards and prepared messages, its transactions.

use bytes::BytesMut;
use torap_bank::card::{EXPIRY, TestCard};
use torap_gateway::card::framing::Framing;
use torap_gateway::card::transport::{Framed, Transport, TransportConfig};
use torap_hsm::{KeyUsage, Mac, MacMethod, Padding, PinFormat};
use torap_hsm_sim::soft::BankKeys;
use torap_iso8583::{Dialect, Message, Mti, Writer, tlv};

use super::ledger::Ledger;
use super::plan::{CardMember, CardPlan};
use super::template::Template;
use super::terms::CARDS;
use crate::plan::Failure;

/// Reference of a template: twelve digits.
const NO_REFERENCE: [u8; 12] = [b'0'; 12];

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) details: CardMember,
    keys: Option<BankKeys>,
    mac: bool,
    /// 0200 without and with a PIN.
    requests: [Template; 2],
    /// 0210 as issuer, by acquirer.
    answers: Vec<Template>,
    /// Card numbers of its own cards.
    pub(crate) pans: Vec<[u8; 16]>,
    /// PIN blocks under its own key, by issuer and card.
    blocks: Vec<Vec<[u8; 8]>>,
    pub(crate) links: Vec<Wire>,
    pub(crate) ledger: Ledger,
    stan: u32,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    framing: Framing,
    transport: Option<Transport>,
    pub(crate) is_open: bool,
    scratch: Vec<u8>,
}

impl Member {
    /// A member with everything prepared; `pans` are the cards of all members.
    ///
    /// # Errors
    /// Its keys or its prefix are none.
    pub(crate) fn new(
        plan: &CardPlan,
        place: usize,
        cards: &[Vec<TestCard>],
        seed: [u8; 32],
    ) -> Result<Member, Failure> {
        let details = plan
            .members
            .get(place)
            .cloned()
            .ok_or_else(|| Failure::System("no such member".into()))?;
        let wrong = |text: String| Failure::Plan {
            place: "banks",
            rule: format!("{}: {text}", details.code),
        };
        let keys = details
            .keys
            .as_ref()
            .map(|file| BankKeys::open(file, seed))
            .transpose()
            .map_err(|error| wrong(error.to_string()))?;
        let control = |has_pin| control(keys.as_ref(), has_pin, plan.mac, details.key_set);
        let requests = [
            request(&details.institution, control(false), false, plan.mac)?,
            request(&details.institution, control(true), true, plan.mac)?,
        ];
        let answers = plan.members.iter();
        let answers =
            answers.map(|acquirer| answer(&acquirer.institution, control(false), plan.mac));
        let answers = answers.collect::<Result<_, _>>()?;
        let mut blocks = Vec::new();
        if let (Some(keys), true) = (&keys, plan.pin_percent > 0) {
            for cards in cards {
                let block = |card: &TestCard| {
                    let block = keys.encrypt_pin(PinFormat::Iso0, &card.pin(), card.pan_for_pin());
                    let block = block.map_err(|error| wrong(format!("PIN blocks: {error}")))?;
                    let bytes = <[u8; 8]>::try_from(block.as_bytes());
                    bytes.map_err(|_| wrong("PIN blocks: not of 8 bytes".into()))
                };
                blocks.push(cards.iter().map(block).collect::<Result<_, _>>()?);
            }
        }
        let wire = || Wire {
            framing: plan.framing,
            transport: None,
            is_open: false,
            scratch: Vec::new(),
        };
        Ok(Member {
            mac: plan.mac,
            requests,
            answers,
            pans: cards[place].iter().map(pan_bytes).collect(),
            blocks,
            links: (0..plan.links).map(|_| wire()).collect(),
            ledger: Ledger::default(),
            stan: 0,
            keys,
            details,
        })
    }

    pub(crate) fn next_stan(&mut self) -> u32 {
        self.stan = if self.stan >= 999_999 {
            1
        } else {
            self.stan + 1
        };
        self.stan
    }

    /// The PIN block of an issuer's card under this member's key.
    pub(crate) fn block(&self, issuer: usize, card: u32) -> Option<&[u8; 8]> {
        self.blocks.get(issuer)?.get(card as usize)
    }

    /// Whether a link would take a message at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.links.iter().any(Wire::has_room)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.links.iter().all(|link| link.is_open)
    }

    /// Sends a request on one of the links that have room; they take turns by `turn`.
    pub(crate) fn send_request(&mut self, turn: u64, has_pin: bool, values: &[(u8, &[u8])]) {
        let count = self.links.len();
        let start = (turn % count as u64) as usize;
        let mut places = (0..count).map(|step| (start + step) % count);
        let Some(place) = places.find(|place| self.links[*place].has_room()) else {
            return;
        };
        let template = &self.requests[usize::from(has_pin)];
        let keys = self.keys.as_ref().filter(|_| self.mac);
        self.links[place].send(|out| seal(template, values, keys, out));
    }

    /// Sends the approval of a request of `acquirer` on the link on which it came.
    pub(crate) fn send_answer(&mut self, link: usize, acquirer: usize, values: &[(u8, &[u8])]) {
        let keys = self.keys.as_ref().filter(|_| self.mac);
        if let (Some(template), Some(link)) = (self.answers.get(acquirer), self.links.get_mut(link))
        {
            link.send(|out| seal(template, values, keys, out));
        }
    }

    /// Sends any message: values as text. The slow way, for what is rare.
    pub(crate) fn send_plain(&mut self, link: usize, mti: u16, fields: &[(u8, Vec<u8>)]) {
        let mut fields = fields.to_vec();
        let purpose = fields.iter().find(|(field, _)| *field == 70);
        let is_exempt =
            purpose.is_some_and(|(_, value)| value == b"301" || (mti == 810 && value == b"002"));
        let keys = self.keys.as_ref().filter(|_| self.mac && !is_exempt);
        if let Some(keys) = keys {
            let set = self.details.key_set;
            fields.retain(|(field, _)| !matches!(field, 53 | 64 | 128));
            fields.push((
                53,
                control(Some(keys), false, true, set).unwrap_or_default(),
            ));
            let above = fields.iter().any(|(field, _)| *field > 64);
            fields.push((if above { 128 } else { 64 }, vec![0; 8]));
        }
        fields.sort_unstable_by_key(|(field, _)| *field);
        let Some(kind) = Mti::new(mti) else { return };
        let Some(link) = self.links.get_mut(link) else {
            return;
        };
        link.send(|out| {
            let start = out.len();
            let mut writer = Writer::start(Dialect::national(), kind, out);
            for (field, value) in &fields {
                if writer.field(*field, value).is_err() {
                    return false;
                }
            }
            writer.finish().is_ok() && add_mac(keys, start, out)
        });
    }

    /// Whether the MAC of a message is right, if one is agreed.
    pub(crate) fn is_mac_good(&self, message: &Message<'_>) -> bool {
        let (Some(keys), true) = (&self.keys, self.mac) else {
            return true;
        };
        let Some((covered, mac)) = message.before_mac() else {
            return false;
        };
        Mac::from_bytes(mac).is_some_and(|mac| keys.verify_mac(method(keys), covered, &mac))
    }
}

impl Wire {
    pub(crate) fn connected(&mut self, now: u64) {
        let config = TransportConfig::new(self.framing);
        self.transport = Some(Transport::new(config, now));
        self.is_open = false;
    }

    pub(crate) fn is_there(&self) -> bool {
        self.transport.is_some()
    }

    pub(crate) fn ended(&mut self) {
        self.transport = None;
        self.is_open = false;
    }

    /// Takes bytes; gives back how many.
    pub(crate) fn take(&mut self, bytes: &[u8], now: u64) -> usize {
        match &mut self.transport {
            Some(transport) => transport.handle_bytes(bytes, now),
            None => bytes.len(),
        }
    }

    /// The next message; `Err` if the link is over.
    pub(crate) fn next(&mut self) -> Option<Result<Framed, String>> {
        let transport = self.transport.as_mut()?;
        let next = transport.next_message()?;
        Some(next.map_err(|broken| format!("{broken:?}")))
    }

    pub(crate) fn poll_output(&mut self, out: &mut BytesMut, now: u64) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        transport.handle_timeout(now);
        self.scratch.clear();
        if transport.poll_output(&mut self.scratch, now) {
            out.extend_from_slice(&self.scratch);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        self.transport.as_ref()?.poll_timeout()
    }

    fn has_room(&self) -> bool {
        let room = self.transport.as_ref().is_some_and(Transport::has_room);
        self.is_open && room
    }

    fn send(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        if let Some(transport) = &mut self.transport {
            transport.send_with(None, write);
        }
    }
}

/// Writes a prepared message and, with keys, its MAC.
fn seal(
    template: &Template,
    values: &[(u8, &[u8])],
    keys: Option<&BankKeys>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    template.write(values, out);
    add_mac(keys, start, out)
}

/// Writes the MAC of the message from `start` over its last eight bytes.
fn add_mac(keys: Option<&BankKeys>, start: usize, out: &mut [u8]) -> bool {
    let Some(keys) = keys else { return true };
    let end = out.len().saturating_sub(8);
    let Some(covered) = out.get(start..end) else {
        return false;
    };
    let Ok(mac) = keys.mac(method(keys), covered) else {
        return false;
    };
    out.get_mut(end..).is_some_and(|place| {
        place.copy_from_slice(&mac.first_8());
        true
    })
}

fn method(keys: &BankKeys) -> MacMethod {
    match keys.mac_usage() {
        KeyUsage::MacAlgorithm3 => MacMethod::Algorithm3(Padding::Method2),
        _ => MacMethod::AesCmac,
    }
}

/// DE53; none if there is neither PIN nor MAC.
fn control(keys: Option<&BankKeys>, has_pin: bool, mac: bool, set: u32) -> Option<Vec<u8>> {
    let algorithm = match keys.filter(|_| mac).map(method) {
        None => 0,
        Some(MacMethod::Algorithm3(_)) => 1,
        Some(MacMethod::AesCmac) => 2,
    };
    let format = if has_pin { 0 } else { 99 };
    (has_pin || algorithm > 0)
        .then(|| format!("{format:02}{set:06}{algorithm:02}{set:06}").into_bytes())
}

fn pan_bytes(card: &TestCard) -> [u8; 16] {
    let mut bytes = [b'0'; 16];
    for (to, from) in bytes.iter_mut().zip(card.pan().bytes()) {
        *to = from;
    }
    bytes
}

/// The cards of a member.
///
/// # Errors
/// The prefix is none.
pub(crate) fn cards(prefix: &str) -> Result<Vec<TestCard>, Failure> {
    let cards = (0..CARDS).map(|number| {
        TestCard::new(prefix, number).ok_or_else(|| Failure::Plan {
            place: "banks",
            rule: format!("`{prefix}` is no prefix of so many cards"),
        })
    });
    cards.collect()
}

/// 0200: a purchase with a contactless chip, 22 fields; with a PIN two more, with a MAC one or two.
fn request(
    institution: &str,
    control: Option<Vec<u8>>,
    has_pin: bool,
    mac: bool,
) -> Result<Template, Failure> {
    let place = format!("{:<25}{:<13}KZ", "CORNER SHOP", "ASTANA");
    let acceptor = format!("{:<15}", format!("M{institution}000001"));
    let own = [b"001012".as_slice(), &NO_REFERENCE].concat();
    let chip = chip_data()?;
    let mut fields: Vec<(u8, &[u8])> = vec![
        (2, b"9398000000000000"),
        (3, b"000000"),
        (4, &[b'0'; 12]),
        (7, &[b'0'; 10]),
        (11, &[b'0'; 6]),
        (12, &[b'0'; 6]),
        (13, &[b'0'; 4]),
        (14, EXPIRY.as_bytes()),
        (18, b"5411"),
        (22, b"071"),
        (23, b"001"),
        (24, b"200"),
        (25, b"00"),
        (32, institution.as_bytes()),
        (37, &NO_REFERENCE),
        (41, b"POS00001"),
        (42, acceptor.as_bytes()),
        (43, place.as_bytes()),
        (48, b"CH03POS"),
        (49, b"398"),
        (55, &chip),
        (61, &own),
    ];
    if has_pin {
        fields.push((26, b"12"));
        fields.push((52, &[0; 8]));
    }
    if let Some(control) = &control {
        fields.push((53, control));
    }
    if mac {
        fields.push((64, &[0; 8]));
    }
    Template::new(200, &fields)
}

/// 0210 to a request of that acquirer.
fn answer(institution: &str, control: Option<Vec<u8>>, mac: bool) -> Result<Template, Failure> {
    let mut fields: Vec<(u8, &[u8])> = vec![
        (3, b"000000"),
        (4, &[b'0'; 12]),
        (7, &[b'0'; 10]),
        (11, &[b'0'; 6]),
        (32, institution.as_bytes()),
        (37, &NO_REFERENCE),
        (38, &[b'0'; 6]),
        (39, b"00"),
        (41, b"POS00001"),
        (49, b"398"),
    ];
    if let Some(control) = &control {
        fields.push((53, control));
    }
    if mac {
        fields.push((64, &[0; 8]));
    }
    Template::new(210, &fields)
}

/// Chip data of 130 bytes or so.
fn chip_data() -> Result<Vec<u8>, Failure> {
    let objects: [(u32, &[u8]); 19] = [
        (0x9F26, &[0x5A, 0x11, 0xC0, 0x0F, 0x2B, 0x77, 0x90, 0x0D]),
        (0x9F27, &[0x80]),
        (0x9F10, &[0x06, 0x01, 0x0A, 0x03, 0xA0, 0xA0, 0x00]),
        (0x9F37, &[0x2D, 0x01, 0x9E, 0xB4]),
        (0x9F36, &[0x01, 0x2C]),
        (0x95, &[0x00, 0x80, 0x00, 0x80, 0x00]),
        (0x9A, &[0x26, 0x11, 0x21]),
        (0x9C, &[0x00]),
        (0x9F02, &[0x00, 0x00, 0x00, 0x01, 0x00, 0x00]),
        (0x5F2A, &[0x03, 0x98]),
        (0x82, &[0x39, 0x00]),
        (0x9F1A, &[0x03, 0x98]),
        (0x9F03, &[0; 6]),
        (0x9F33, &[0xE0, 0xF8, 0xC8]),
        (0x9F34, &[0x02, 0x03, 0x00]),
        (0x9F35, &[0x22]),
        (0x84, &[0xA0, 0x00, 0x00, 0x09, 0x98, 0x10, 0x10]),
        (0x9F09, &[0x00, 0x8C]),
        (0x9F41, &[0x00, 0x00, 0x01, 0x2C]),
    ];
    let mut out = Vec::with_capacity(144);
    for (tag, value) in objects {
        tlv::write(&mut out, tag, value)
            .map_err(|rule| Failure::System(format!("chip data: {rule:?}")))?;
    }
    Ok(out)
}
