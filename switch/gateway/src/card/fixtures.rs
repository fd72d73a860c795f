//! Banks, cards, keys and messages that the tests of this side share. Test cards begin with 999999; no card is issued under it.

use std::sync::Arc;

use torap_domain::card::{InstitutionId, Prefix};
use torap_domain::{ParticipantId, Text, Time};
use torap_engine::cards::{
    BinRange, BinTable, LinkNumber, MemberView, Origin, Profile, Roles, Services,
};
use torap_hsm::KeyRef;
use torap_iso8583::{Dialect, Message, Mti, Writer};

use super::keys::{KeyRing, ZoneUse};
use super::members::CardNetwork;
use super::vault::CardVault;

/// Acquirer in most tests.
pub(crate) const ACQUIRER: ParticipantId = ParticipantId(1);
/// Issuer in most tests.
pub(crate) const ISSUER: ParticipantId = ParticipantId(2);
/// Host of a foreign scheme.
pub(crate) const SCHEME: ParticipantId = ParticipantId(3);
/// A card of the issuer.
pub(crate) const PAN: &str = "9999994712360013";
/// Its track 2, with PVKI 1 and PVV 4321.
pub(crate) const TRACK2: &str = "9999994712360013=29122011432100000";
/// The moment of most messages.
pub(crate) const NOW: &str = "2026-11-21T13:04:06Z";

pub(crate) fn now() -> Time {
    Time::parse(NOW).unwrap()
}

pub(crate) fn vault() -> Arc<CardVault> {
    Arc::new(CardVault::new([7; 32], [1; 16]))
}

pub(crate) fn origin(participant: ParticipantId) -> Origin {
    Origin {
        participant,
        link: LinkNumber(5),
    }
}

/// A key block with this header of usage, algorithm and mode; the rest is not looked at here.
pub(crate) fn key(header: &str, fill: char) -> KeyRef {
    let body = fill.to_string().repeat(96);
    let block = format!("D{:04}{header}00E0000{body}", 16 + body.len());
    KeyRef::parse(&block).unwrap_or_else(|error| panic!("{block}: {error:?}"))
}

pub(crate) fn profile(institution: &str) -> Profile {
    Profile {
        roles: Roles {
            acquirer: true,
            issuer: true,
            scheme: false,
        },
        institutions: vec![InstitutionId::parse(institution).unwrap()],
        host: None,
        dialect: Text::try_from("national").unwrap(),
        mac: false,
        key_set: 4,
        services: Services(0x0fff),
        cap: None,
    }
}

pub(crate) fn view(participant: ParticipantId, profile: Profile) -> MemberView {
    MemberView {
        participant,
        profile,
        signed_on: true,
        links: Vec::new(),
        queued: 0,
        keys: torap_engine::cards::KeyState::default(),
    }
}

/// Two banks and a scheme's host, cards of 999999 at the issuer, keys of set 4 (and 3) for both banks.
pub(crate) fn network() -> CardNetwork {
    let code = |text| Text::try_from(text).unwrap();
    let mut scheme = profile("777");
    scheme.roles = Roles {
        acquirer: false,
        issuer: false,
        scheme: true,
    };
    let range = BinRange {
        prefix: Prefix::parse("999999").unwrap(),
        issuer: ISSUER,
        product: 12,
        scheme: 0,
        local: true,
        stand_in: 9,
        from: Time::from_nanos(0),
        until: None,
    };
    let mut keys = KeyRing::default();
    for bank in [ACQUIRER, ISSUER] {
        for (set, fill) in [(3, '3'), (4, '4')] {
            keys.add(bank, set, ZoneUse::Pin, key("P0TB", fill));
            keys.add(bank, set, ZoneUse::Mac, key("M3TC", fill));
        }
    }
    CardNetwork::new(InstitutionId::parse("900").unwrap())
        .with_member(&view(ACQUIRER, profile("601")), code("KSPI"))
        .with_member(&view(ISSUER, profile("722")), code("HSBK"))
        .with_member(&view(SCHEME, scheme), code("VISA"))
        .with_bins(Arc::new(BinTable::new(3, &[range]).unwrap()))
        .with_keys(Arc::new(keys))
}

/// The same network, changed in one member's profile.
pub(crate) fn network_with(
    participant: ParticipantId,
    change: impl FnOnce(&mut Profile),
) -> CardNetwork {
    let network = network();
    let member = network.member(participant).unwrap();
    let (mut profile, code) = (member.profile.clone(), member.code);
    change(&mut profile);
    network.with_member(&view(participant, profile), code)
}

/// Fields of a message by number; texts are taken as they are.
pub(crate) type Fields = Vec<(u8, Vec<u8>)>;

pub(crate) fn fields(list: &[(u8, &str)]) -> Fields {
    list.iter()
        .map(|(field, value)| (*field, value.as_bytes().to_vec()))
        .collect()
}

pub(crate) fn written(mti: u16, fields: &Fields) -> Vec<u8> {
    let mut fields = fields.clone();
    fields.sort_by_key(|(number, _)| *number);
    let mut bytes = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(mti).unwrap(), &mut bytes);
    for (number, value) in &fields {
        writer
            .field(*number, value)
            .unwrap_or_else(|refusal| panic!("{refusal}"));
    }
    writer.finish().unwrap();
    bytes
}

/// The fields of a purchase, with some set and, where the value is empty, some left out.
pub(crate) fn purchase_with(changes: &[(u8, &str)]) -> Fields {
    let mut fields = fields(&[
        (2, PAN),
        (3, "000000"),
        (4, "000000150000"),
        (7, "1121130405"),
        (11, "000417"),
        (12, "180405"),
        (13, "1121"),
        (14, "2912"),
        (18, "5411"),
        (22, "901"),
        (24, "200"),
        (25, "00"),
        (32, "601"),
        (35, TRACK2),
        (37, "632613000417"),
        (41, "TERM0001"),
        (42, "SHOP00000000001"),
        (43, "TEST SHOP                ALMATY       KZ"),
        (48, "CH03POSCV03123"),
        (49, "398"),
        (61, "001004TILL"),
    ]);
    for (number, value) in changes {
        fields.retain(|(field, _)| field != number);
        if !value.is_empty() {
            fields.push((*number, value.as_bytes().to_vec()));
        }
    }
    fields
}

pub(crate) fn purchase() -> Vec<u8> {
    written(200, &purchase_with(&[]))
}

/// A message as text: its type and its fields.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let message = Message::parse(Dialect::national(), bytes)
        .unwrap_or_else(|refusal| panic!("{refusal}: {}", bytes.escape_ascii()));
    let mut text = message.mti().to_string();
    for field in message.fields().iter() {
        let value = message.get(field).unwrap();
        text.push_str(&format!(" {field}={}", value.escape_ascii()));
    }
    text
}
