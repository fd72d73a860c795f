//! Cash machines, terminals, web shops and applications: what an order becomes as a message.

use torap_domain::card::{Channel, EntryMode, Transmission};
use torap_domain::{Asset, CardService, Date, Money, Time};
use torap_hsm::PinFormat;
use torap_iso8583::tlv;

use super::control::{MessageClass, Order, PinUse};
use super::message::{Draft, amount};
use super::pan::{EXPIRY, TestCard};
use super::scheme::token_of;
use super::security::Security;

/// Tenge (ISO 4217).
pub(crate) const CURRENCY: &str = "398";
/// Kazakhstan (ISO 3166).
const COUNTRY: &str = "398";
/// Business time is UTC+5.
const LOCAL_NS: u64 = 5 * 3600 * 1_000_000_000;

/// What identifies a message: whoever sends it numbers it.
#[derive(Clone, Debug)]
pub struct Identity<'i> {
    /// DE32, digits.
    pub institution: &'i str,
    /// DE11
    pub stan: u32,
    /// DE37, twelve characters.
    pub reference: &'i str,
}

/// The tiyn of an amount in tenge.
pub(crate) fn tiyn(place: &str, text: &str) -> Result<u64, String> {
    Money::parse(text, Asset::Kzt)
        .map(Money::minor)
        .map_err(|error| format!("{place}: `{text}`: {error}"))
}

/// The message that an order becomes as an acquirer sends it, edits not yet made. Without a card the order names a whole card number,
/// and there is neither chip nor PIN.
///
/// # Errors
/// The place in the order, and what is wrong with it.
pub fn transaction(
    order: &Order,
    card: Option<&TestCard>,
    identity: &Identity<'_>,
    security: &Security,
    now: Time,
) -> Result<Draft, String> {
    let (service, channel, entry) = (order.service()?, order.channel()?, order.entry()?);
    let class = order.class()?;
    let pan = match (&order.pan, card) {
        (Some(pan), _) => pan.clone(),
        (None, Some(card)) if order.token => token_of(card.pan()),
        (None, Some(card)) => card.pan().to_string(),
        (None, None) => return Err(format!("prefix: `{}` has no such card", order.prefix)),
    };
    let total = tiyn("amount", &order.amount)?;
    let mut draft = Draft::new(match (class, order.offline) {
        (MessageClass::Authorisation, false) => 100,
        (MessageClass::Authorisation, true) => 120,
        (MessageClass::Financial, false) => 200,
        (MessageClass::Financial, true) => 220,
    });
    draft.set(2, &pan);
    draft.set(3, processing_code(service));
    draft.set(4, amount(total));
    set_times(&mut draft, shifted(now, order.clock_shift_ms));
    draft.set(11, format!("{:06}", identity.stan));
    draft.set(14, card.map_or(EXPIRY, TestCard::expiry));
    draft.set(18, mcc(order, service, channel));
    draft.set(19, COUNTRY);
    draft.set(22, entry_mode(entry, channel));
    draft.set(24, function_code(order, service));
    draft.set(25, condition(service, channel, entry));
    draft.set(32, identity.institution);
    draft.set(37, identity.reference);
    draft.set(41, terminal(channel));
    draft.set(
        42,
        format!("{:<15}", format!("M{}000001", identity.institution)),
    );
    draft.set(43, place(channel));
    draft.set(49, CURRENCY);
    draft.set(60, terminal_data(order, channel, entry));
    draft.set(
        61,
        format!("001{:03}{}", identity.reference.len(), identity.reference),
    );
    additional(&mut draft, order, service, channel, card);
    if let Some(card) = card {
        add_card_data(&mut draft, entry, card, total, now);
        add_pin(&mut draft, order, card, security)?;
    }
    add_parties(&mut draft, order, service)?;
    if order.offline {
        draft.set(38, "OFFL01").set(39, "00");
        draft.remove(26).remove(52).remove(110).remove(53);
    }
    Ok(draft)
}

/// Sets DE7, DE12 and DE13.
pub fn set_times(draft: &mut Draft, now: Time) {
    let local = now.nanos().saturating_add(LOCAL_NS) / 1_000_000_000 % 86_400;
    let (_, month, day) = Date::from_time(now).ymd();
    draft.set(7, Transmission::at(now).to_string());
    let (hour, minute, second) = (local / 3600, local / 60 % 60, local % 60);
    draft.set(12, format!("{hour:02}{minute:02}{second:02}"));
    draft.set(13, format!("{month:02}{day:02}"));
}

fn shifted(now: Time, shift_ms: i64) -> Time {
    let shift = shift_ms.unsigned_abs().saturating_mul(1_000_000);
    let nanos = if shift_ms < 0 {
        now.nanos().saturating_sub(shift)
    } else {
        now.nanos().saturating_add(shift)
    };
    Time::from_nanos(nanos)
}

/// DE3: transaction type, account from, account to.
fn processing_code(service: CardService) -> &'static str {
    match service {
        CardService::Purchase | CardService::PreAuthorisation => "000000",
        CardService::Cash => "012000",
        CardService::PurchaseWithCashBack => "090000",
        CardService::P2pDebit => "100000",
        CardService::Refund => "200000",
        CardService::Deposit => "210020",
        CardService::P2pCredit => "260000",
        CardService::BalanceEnquiry => "312000",
        CardService::AccountVerification => "330000",
        CardService::AccountTransfer => "402010",
        CardService::Payment => "502000",
    }
}

fn mcc(order: &Order, service: CardService, channel: Channel) -> String {
    let usual = match (service, channel) {
        (CardService::P2pDebit | CardService::P2pCredit, _) => "6538",
        (CardService::Payment, _) => "4900",
        (_, Channel::Atm) => "6011",
        (CardService::Cash, _) => "6010",
        (CardService::PreAuthorisation, _) => "7011",
        (_, Channel::Pos) => "5411",
        (_, Channel::Web) => "5732",
        (_, Channel::Mobile) => "5814",
    };
    order.mcc.clone().unwrap_or_else(|| usual.into())
}

/// DE22: how the card was read, and whether a PIN can be entered.
fn entry_mode(entry: EntryMode, channel: Channel) -> String {
    let read = match (entry, channel) {
        (EntryMode::Manual, _) => "01",
        (EntryMode::Stripe, _) => "90",
        (EntryMode::Chip, _) => "05",
        (EntryMode::Contactless, _) => "07",
        (EntryMode::Fallback, _) => "80",
        (EntryMode::ECommerce, Channel::Mobile) => "82",
        (EntryMode::ECommerce, _) => "81",
        (EntryMode::CardOnFile, _) => "10",
        (EntryMode::ContactlessStripe, _) => "91",
    };
    let pin = match channel {
        Channel::Atm | Channel::Pos => '1',
        Channel::Web | Channel::Mobile => '2',
    };
    format!("{read}{pin}")
}

fn function_code(order: &Order, service: CardService) -> &'static str {
    match (service, order.class()) {
        _ if order.offline => "203",
        (CardService::PreAuthorisation, _) => "101",
        (CardService::BalanceEnquiry | CardService::AccountVerification, _) => "108",
        (_, Ok(MessageClass::Authorisation)) => "100",
        _ => "200",
    }
}

/// DE25.
fn condition(service: CardService, channel: Channel, entry: EntryMode) -> &'static str {
    match (service, channel, entry) {
        (_, _, EntryMode::CardOnFile) => "71",
        (_, Channel::Web | Channel::Mobile, _) => "59",
        (_, Channel::Atm, _) => "02",
        _ => "00",
    }
}

fn terminal(channel: Channel) -> &'static str {
    match channel {
        Channel::Atm => "ATM00001",
        Channel::Pos => "POS00001",
        Channel::Web => "WEB00001",
        Channel::Mobile => "MOB00001",
    }
}

/// DE43: name 25, city 13, country 2.
fn place(channel: Channel) -> String {
    let (name, city) = match channel {
        Channel::Atm => ("ABAY AVENUE 10", "ALMATY"),
        Channel::Pos => ("CORNER SHOP", "ASTANA"),
        Channel::Web => ("WWW.SHOP.EXAMPLE", "SHYMKENT"),
        Channel::Mobile => ("TAXI APPLICATION", "ALMATY"),
    };
    format!("{name:<25}{city:<13}KZ")
}

/// DE60: terminal type, capability, presence of holder and card, verification, capture, partial approval, fallback.
fn terminal_data(order: &Order, channel: Channel, entry: EntryMode) -> String {
    let is_remote = matches!(channel, Channel::Web | Channel::Mobile);
    let kind = match channel {
        Channel::Atm => "14",
        Channel::Pos => "22",
        Channel::Web | Channel::Mobile => "00",
    };
    let capability = if is_remote { '1' } else { '7' };
    let (holder, card) = if is_remote { ('5', '0') } else { ('0', '1') };
    let verified = match (order.pin, channel) {
        (PinUse::None, Channel::Web) => '5',
        (PinUse::None, Channel::Mobile) => '4',
        (PinUse::None, _) => '0',
        _ => '1',
    };
    let keeps = u8::from(channel == Channel::Atm);
    let partial = u8::from(order.partial);
    let fallback = if entry == EntryMode::Fallback {
        "01"
    } else {
        "00"
    };
    format!("{kind}{capability}{holder}{card}{verified}{keeps}{partial}{fallback}")
}

/// DE48.
fn additional(
    draft: &mut Draft,
    order: &Order,
    service: CardService,
    channel: Channel,
    card: Option<&TestCard>,
) {
    draft.tag(
        "CH",
        match channel {
            Channel::Atm => "ATM",
            Channel::Pos => "POS",
            Channel::Web => "WEB",
            Channel::Mobile => "MOB",
        },
    );
    if channel == Channel::Web {
        draft.tag("EC", "05");
        draft.tag("AV", "AAABBEg0VhI0VniQEjRWAAAAAAA=");
        draft.tag("DT", "97267598-fae6-48f7-9f86-dc2d0c8b12d5");
        draft.tag("DV", "2.2.0").tag("DR", "Y");
        if let Some(card) = card {
            draft.tag("CV", card.verification());
        }
    }
    if order.token {
        draft.tag("TR", "50110030273").tag("TE", EXPIRY);
        draft.tag("TC", "AgAAAAAAAIR8CQrXcIhbQAAAAAA=");
        draft.tag("WA", "TW");
    }
    if order.entry().ok() == Some(EntryMode::CardOnFile) {
        draft.tag("RC", "R").tag("RI", "0123456789");
    }
    if matches!(service, CardService::P2pDebit | CardService::P2pCredit) {
        draft.tag("SN", "AKHMETOV AIDAR").tag("SR", "P2P0001");
        draft.tag("RN", "KIM VIKTOR");
    }
}

/// Stripe or chip, as the card was read.
fn add_card_data(draft: &mut Draft, entry: EntryMode, card: &TestCard, total: u64, now: Time) {
    match entry {
        EntryMode::Stripe | EntryMode::Fallback | EntryMode::ContactlessStripe => {
            draft.set(35, card.track2());
        }
        EntryMode::Chip | EntryMode::Contactless => {
            draft.set(23, "001");
            draft.set(55, chip_data(total, draft.text(3).get(..2), now));
        }
        EntryMode::Manual | EntryMode::ECommerce | EntryMode::CardOnFile => {}
    }
}

/// DE55 as a chip makes it; the cryptogram is none.
fn chip_data(total: u64, kind: Option<&str>, now: Time) -> Vec<u8> {
    let (year, month, day) = Date::from_time(now).ymd();
    let year = u8::try_from(year.rem_euclid(100)).unwrap_or(0);
    let kind = kind.and_then(|kind| kind.parse().ok()).unwrap_or(0);
    let authorised = bcd(total);
    let date = [year, month, day].map(|part| ((part / 10) << 4) | (part % 10));
    let counter = (now.nanos() / 1_000_000_000 % 65_536) as u16;
    let objects: [(u32, &[u8]); 19] = [
        (0x9F26, &[0x5A, 0x11, 0xC0, 0x0F, 0x2B, 0x77, 0x90, 0x0D]),
        (0x9F27, &[0x80]),
        (0x9F10, &[0x06, 0x01, 0x0A, 0x03, 0xA0, 0xA0, 0x00]),
        (0x9F37, &[0x2D, 0x01, 0x9E, 0xB4]),
        (0x9F36, &counter.to_be_bytes()),
        (0x95, &[0x00, 0x80, 0x00, 0x80, 0x00]),
        (0x9A, &date),
        (0x9C, &[((kind / 10) << 4) | (kind % 10)]),
        (0x9F02, &authorised),
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
        // Every value is short.
        let _ = tlv::write(&mut out, tag, value);
    }
    out
}

/// Twelve decimal digits in six bytes.
fn bcd(value: u64) -> [u8; 6] {
    let mut rest = value;
    let mut bytes = [0; 6];
    for byte in bytes.iter_mut().rev() {
        let pair = u8::try_from(rest % 100).unwrap_or(0);
        *byte = ((pair / 10) << 4) | (pair % 10);
        rest /= 100;
    }
    bytes
}

fn add_pin(
    draft: &mut Draft,
    order: &Order,
    card: &TestCard,
    security: &Security,
) -> Result<(), String> {
    let format = match order.pin_format {
        None => None,
        Some(0) => Some(PinFormat::Iso0),
        Some(1) => Some(PinFormat::Iso1),
        Some(3) => Some(PinFormat::Iso3),
        Some(4) => Some(PinFormat::Iso4),
        Some(other) => return Err(format!("pin_format: {other} is none of 0, 1, 3, 4")),
    };
    match order.pin {
        PinUse::None => return Ok(()),
        PinUse::Right => security.add_pin(draft, card, &card.pin(), format)?,
        PinUse::Wrong => security.add_pin(draft, card, &card.wrong_pin(), format)?,
        PinUse::Garbage => {
            security.add_pin(draft, card, &card.pin(), format)?;
            let field = if draft.get(52).is_some() { 52 } else { 110 };
            let length = draft.get(field).map_or(8, <[u8]>::len);
            draft.set(field, vec![0x5A; length]);
        }
    }
    draft.set(26, "12");
    Ok(())
}

/// What some services tell on top: cash, accounts, what is paid.
fn add_parties(draft: &mut Draft, order: &Order, service: CardService) -> Result<(), String> {
    match service {
        CardService::PurchaseWithCashBack => {
            let cash = tiyn("cash_back", order.cash_back.as_deref().unwrap_or("0"))?;
            draft.set(54, format!("0040{CURRENCY}D{}", amount(cash)));
        }
        CardService::AccountTransfer => {
            draft.set(102, "KZ86125KZT5004100100");
            draft.set(103, "KZ86125KZT5004100101");
        }
        CardService::Payment => {
            // A bitmap of 64 bits in hexadecimal, then provider, account at the provider, purpose.
            let bits: u64 = (1 << (64 - 2)) | (1 << (64 - 3)) | (1 << (64 - 6));
            draft.set(127, format!("{bits:016X}1234567808AB-00417859"));
        }
        _ => {}
    }
    Ok(())
}
