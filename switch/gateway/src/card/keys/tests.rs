use torap_domain::ParticipantId;
use torap_hsm::{KeyRef, MacMethod, Padding, PinFormat};

use super::{KEY_SETS_MAX, KeyRing, ZoneUse, mac_code, mac_method, pin_format_under};

const BANK: ParticipantId = ParticipantId(3);

/// A key block with this header; the rest is not looked at here.
fn key(header: &str) -> KeyRef {
    let body = "0".repeat(96);
    let length = 16 + body.len();
    let block = format!("D{length:04}{header}00E0000{body}");
    KeyRef::parse(&block).unwrap_or_else(|error| panic!("{block}: {error}"))
}

#[test]
fn a_set_has_both_keys_and_the_oldest_set_goes() {
    let mut ring = KeyRing::default();
    for set in (1..=9).rev() {
        ring.add(BANK, set, ZoneUse::Pin, key("P0TB"));
        ring.add(BANK, set, ZoneUse::Mac, key("M3TB"));
    }
    let keys = &ring.members[&BANK];
    assert_eq!(keys.sets.len(), KEY_SETS_MAX);
    assert!(keys.sets.is_sorted_by_key(|keys| keys.set));
    let newest = ring.set(BANK, 9).unwrap();
    assert!(newest.pin.is_some() && newest.mac.is_some());
    assert!(ring.set(ParticipantId(4), 9).is_none());
}

#[test]
fn the_set_before_the_newest_is_still_taken_and_no_other() {
    let mut ring = KeyRing::default();
    for set in [1, 4, 7] {
        ring.add(BANK, set, ZoneUse::Pin, key("P0TB"));
    }
    let keys = &ring.members[&BANK];
    // Set 7 is handed over but not yet in use.
    assert_eq!([1, 4, 7].map(|set| keys.takes(set, 4)), [true, true, false]);
    assert_eq!([1, 4, 7].map(|set| keys.takes(set, 7)), [false, true, true]);
}

#[test]
fn a_key_says_what_is_made_with_it() {
    let method = mac_method(&key("M3TB"));
    assert_eq!(method, Some(MacMethod::Algorithm3(Padding::Method2)));
    assert_eq!(mac_code(method.unwrap()), *b"01");
    assert_eq!(mac_method(&key("M6AB")), Some(MacMethod::AesCmac));
    assert_eq!(mac_code(MacMethod::AesCmac), *b"02");
    assert_eq!(mac_method(&key("P0TB")), None);
}

#[test]
fn a_block_leaves_in_the_format_of_the_key_it_leaves_under() {
    let (tdes, aes) = (key("P0TB"), key("P0AB"));
    for (from, under_tdes) in [
        (PinFormat::Iso0, PinFormat::Iso0),
        (PinFormat::Iso1, PinFormat::Iso0),
        (PinFormat::Iso3, PinFormat::Iso3),
        (PinFormat::Iso4, PinFormat::Iso0),
    ] {
        assert_eq!(pin_format_under(&tdes, from), Some(under_tdes));
        assert_eq!(pin_format_under(&aes, from), Some(PinFormat::Iso4));
    }
}
