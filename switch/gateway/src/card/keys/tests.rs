use torap_domain::{ParticipantId, Position, Text, Time};
use torap_engine::cards::{KEY_OVERLAP, KeyChange, KeyStage, KeyState, KeyUses, NewKeys};
use torap_hsm::{KeyRef, MacMethod, Padding, PinFormat};

use super::{
    KEY_SETS_MAX, KeyRing, MadeKey, MemberKeys, ZoneUse, mac_code, mac_method, pin_format_under,
};

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
    let now = Time::from_nanos(5);
    let taken = |newest, state: KeyState| [1, 4, 7].map(|set| keys.takes(set, newest, &state, now));
    assert_eq!(taken(4, KeyState::default()), [true, true, false]);
    assert_eq!(taken(7, KeyState::default()), [false, true, true]);
    // Whoever is told to use set 7 may do so before its answer is here; the set before has its time.
    let keys_of_7 = NewKeys {
        set: 7,
        pin: Some(Text::truncated("A1B2C3")),
        mac: None,
    };
    let stages = [
        (KeyStage::Making, false),
        (KeyStage::PuttingIntoUse { keys: keys_of_7 }, true),
    ];
    for (stage, takes) in stages {
        let state = KeyState {
            change: Some(KeyChange {
                ordered: Position(1),
                uses: KeyUses {
                    pin: true,
                    mac: false,
                },
                length: torap_engine::cards::KeyLength::AsBefore,
                overlap: KEY_OVERLAP,
                stage,
            }),
            ..KeyState::default()
        };
        assert_eq!(taken(4, state), [true, true, takes]);
    }
    for (until, takes) in [(6, true), (5, false)] {
        let state = KeyState {
            before: Some((1, Time::from_nanos(until))),
            ..KeyState::default()
        };
        assert_eq!(taken(7, state), [takes, false, true]);
    }
}

#[test]
fn a_set_of_the_switchs_own_takes_the_place_of_remains_and_keeps_what_is_not_changed() {
    let mut ring = KeyRing::default();
    for set in 1..=8 {
        ring.add(BANK, set, ZoneUse::Pin, key("P0TB"));
        ring.add(BANK, set, ZoneUse::Mac, key("M3TB"));
    }
    let mut keys: MemberKeys = ring.members[&BANK].clone();
    let made = MadeKey {
        of: ZoneUse::Pin,
        key: key("P0AB"),
        handed: key("P0AB"),
    };
    // Sets 6 to 8 came of changes that were refused.
    keys.offer(6, 5, std::slice::from_ref(&made));
    let sets: Vec<u16> = keys.sets.iter().map(|keys| keys.set).collect();
    assert_eq!(sets, [1, 2, 3, 4, 5, 6]);
    let new = keys.set(6).unwrap();
    assert_eq!(new.pin.as_ref(), Some(&made.key));
    assert_eq!(new.mac, keys.set(5).unwrap().mac);
    assert!(new.pin_handed.is_some() && new.mac_handed.is_none());
    for newest in 6..=8 {
        keys.offer(newest + 1, newest, std::slice::from_ref(&made));
    }
    assert_eq!(keys.sets.len(), KEY_SETS_MAX);
    assert_eq!(keys.sets.first().map(|keys| keys.set), Some(2));
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
