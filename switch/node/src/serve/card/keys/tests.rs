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
    // The key that was not handed over stays.
    assert_eq!(read.sets("HSBK", ZoneUse::Pin), [2, 3]);
    assert_eq!(ring(&read), ring(&keys));
    let made = MadeKey {
        of: ZoneUse::Pin,
        key: KeyRef::parse(&block("P0TB", 'A')).unwrap(),
        handed: KeyRef::parse(&block("P0TB", 'B')).unwrap(),
    };
    keys.offer("HSBK", 3, 2, std::slice::from_ref(&made));
    keys.write(&path).unwrap();
    let read = CardKeys::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(ring(&read), ring(&keys));
    let set = ring(&read).set(BANK, 3).unwrap().clone();
    assert_eq!(
        (set.pin, set.pin_handed),
        (Some(made.key), Some(made.handed))
    );
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_ceremony_begins_a_participant_s_keys_anew_and_leaves_the_others() {
    let mut keys = CardKeys::parse(&text()).unwrap();
    let blocks = [
        block("K1AB", 'E'),
        block("P0TB", 'E'),
        block("M6AC", 'E'),
        block("V2TV", 'E'),
    ];
    let [zmk, zpk, zak, pvk] = blocks.each_ref();
    let first = FirstKeys {
        zmk,
        zpk,
        zak,
        pvk: Some(pvk),
    };
    keys.begin("CASP", &first).unwrap();
    assert_eq!(keys.sets("HSBK", ZoneUse::Pin), [2]);
    keys.begin("HSBK", &first).unwrap();
    for code in ["CASP", "HSBK"] {
        assert_eq!(keys.sets(code, ZoneUse::Pin), [1]);
        assert_eq!(keys.sets(code, ZoneUse::Mac), [1]);
    }
    let read = CardKeys::parse(&keys.text()).unwrap();
    assert_eq!(ring(&read), ring(&keys));
    let wrong = FirstKeys {
        zak: "D0000",
        ..first
    };
    let error = keys.begin("HSBK", &wrong).unwrap_err();
    assert!(error.starts_with("participant HSBK: zak"), "{error}");
    assert_eq!(keys.sets("HSBK", ZoneUse::Mac), [1]);
}

#[test]
fn without_the_file_there_are_no_keys_whatever_a_ceremony_left_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("hsm/keys")).unwrap();
    fs::write(dir.path().join("hsm/keys/switch.toml"), "no key file").unwrap();
    let keys = CardKeys::read(&Folder::choose(Some(dir.path()))).unwrap();
    assert!(keys.of.is_empty());
}
