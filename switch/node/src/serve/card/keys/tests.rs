use torap_domain::{Time, card::Prefix};
use torap_engine::cards::BinRange;

use super::*;

const BANK: ParticipantId = ParticipantId(3);

/// A key block that parses; nothing here opens it.
fn block(header: &str, fill: char) -> String {
    let body = fill.to_string().repeat(96);
    format!("D{:04}{header}00E0000{body}", 16 + body.len())
}

fn text() -> String {
    format!(
        "[[participant]]\ncode = \"HSBK\"\nzmk = \"{}\"\npvk = \"{}\"\n[[participant.set]]\nnumber = 2\nzpk = \"{}\"\nzak = \"{}\"\n",
        block("K1AB", 'A'),
        block("V2TV", 'B'),
        block("P0TB", 'C'),
        block("M6AC", 'D'),
    )
}

fn bins() -> BinTable {
    let range = BinRange {
        prefix: Prefix::parse("999999").unwrap(),
        issuer: BANK,
        product: 0,
        scheme: 0,
        local: true,
        stand_in: 9,
        from: Time::from_nanos(0),
        until: None,
    };
    BinTable::new(1, &[range]).unwrap()
}

fn ring(keys: &CardKeys) -> KeyRing {
    keys.ring(|code| (code == "HSBK").then_some(BANK), &bins())
}

#[test]
fn keys_are_found_by_participant_set_and_stand_in_rule() {
    let keys = CardKeys::parse(&text()).unwrap();
    let ring = ring(&keys);
    assert!(ring.set(BANK, 2).unwrap().pin.is_some());
    assert!(ring.set(BANK, 1).is_none());
    assert!(ring.pin_verification.contains_key(&9));
    assert!(ring.members[&BANK].key_encryption.is_some());
}

#[test]
fn what_is_wrong_is_named_and_no_block_is_shown() {
    let twice = format!("{0}{0}", text());
    let bad = text()
        .replace("C0000", "C00")
        .replace("zpk = \"D0112P0", "zpk = \"D0113P0");
    for (text, named) in [
        (twice.as_str(), "participant HSBK: is there twice"),
        (bad.as_str(), "participant HSBK: set 2: zpk"),
        ("[[participant]]\ncode = 3", "string"),
    ] {
        let error = CardKeys::parse(text).unwrap_err();
        assert!(error.contains(named), "{error}");
        assert!(!error.contains("CCCC"), "{error}");
    }
}

#[test]
fn a_key_that_was_handed_over_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card-keys.toml");
    let mut keys = CardKeys::parse(&text()).unwrap();
    keys.add(
        "HSBK",
        &Delivered {
            participant: BANK,
            set: 3,
            of: ZoneUse::Mac,
            key: KeyRef::parse(&block("M6AC", 'E')).unwrap(),
        },
    );
    keys.write(&path).unwrap();
    let read = CardKeys::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(read.sets("HSBK", ZoneUse::Mac), [2, 3]);
    assert_eq!(read.sets("HSBK", ZoneUse::Pin), [2]);
    assert_eq!(ring(&read), ring(&keys));
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
