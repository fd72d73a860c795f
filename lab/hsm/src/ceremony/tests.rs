use std::os::unix::fs::PermissionsExt;

use torap_hsm::{MacMethod, Padding, Pan, PinFormat, PinSource, PinTarget, Verdict};

use super::*;
use crate::pin_block::Pin;
use crate::soft::{BankError, BankKeys, KeyAge, SoftVault};

fn machine() -> Machine<SoftVault> {
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).expect("a vault");
    Machine::new(vault).expect("a machine")
}

fn key(entry: &KeyEntry) -> KeyRef {
    KeyRef::parse(&entry.block).expect("a key block")
}

/// A PIN goes from one bank through the HSM to the other, for every kind of keys and every format.
#[test]
fn both_sides_of_a_ceremony_understand_each_other() {
    use Cipher::{Aes, Tdes};
    for (zone_master, pin_cipher, mac_cipher) in [
        (Aes, Tdes, Aes),
        (Aes, Tdes, Tdes),
        (Aes, Aes, Aes),
        (Tdes, Tdes, Tdes),
    ] {
        let kinds = KeyKinds {
            zone_master,
            pin: pin_cipher,
            mac: mac_cipher,
        };
        let mut machine = machine();
        let (switch, bank) = make_keys(&mut machine, "CASP", kinds).expect("keys");
        let (issuer_switch, issuer) =
            make_keys(&mut machine, "HSBK", KeyKinds::default()).expect("keys");
        let bank = BankKeys::open(&bank, [3; 32]).expect("the bank's keys");
        let issuer = BankKeys::open(&issuer, [4; 32]).expect("the issuer's keys");
        let pan = Pan::parse(b"9999500000000004").expect("a PAN");
        let pin = Pin::new(b"904317").expect("a PIN");
        let formats: &[PinFormat] = match pin_cipher {
            Tdes => &[PinFormat::Iso0, PinFormat::Iso1, PinFormat::Iso3],
            Aes => &[PinFormat::Iso4],
        };
        for format in formats.iter().copied() {
            let block = bank.encrypt_pin(format, &pin, pan).expect("a block");
            let answer = machine.execute(&Request::TranslatePin {
                from: PinSource {
                    key: key(&switch.zpk).block(),
                    format,
                    block,
                },
                to: PinTarget {
                    key: key(&issuer_switch.zpk).block(),
                    format: PinFormat::Iso3,
                },
                pan,
            });
            let Ok(Response::TranslatePin(block)) = answer else {
                panic!("{answer:?}")
            };
            let read = issuer.decrypt_pin(PinFormat::Iso3, &block, pan);
            assert!(read.expect("a PIN").is(&pin), "{kinds:?} {format:?}");
        }
        let method = match mac_cipher {
            Tdes => MacMethod::Algorithm3(Padding::Method2),
            Aes => MacMethod::AesCmac,
        };
        let mac = bank.mac(method, b"0200").expect("a MAC");
        let answer = machine.execute(&Request::VerifyMac {
            key: key(&switch.zak).block(),
            method,
            data: b"0200",
            mac,
        });
        assert!(matches!(answer, Ok(Response::VerifyMac(Verdict::Right))));
        let pvv = issuer.pvv(1, pan, &pin).expect("a value");
        let block = issuer
            .encrypt_pin(PinFormat::Iso0, &pin, pan)
            .expect("a block");
        let answer = machine.execute(&Request::VerifyPin {
            from: PinSource {
                key: key(&issuer_switch.zpk).block(),
                format: PinFormat::Iso0,
                block,
            },
            pan,
            pvk: key(issuer_switch.pvk.as_ref().expect("a key")).block(),
            pvv,
        });
        assert!(matches!(answer, Ok(Response::VerifyPin(Verdict::Right))));
    }
}

#[test]
fn a_zone_master_key_too_weak_for_its_keys_is_refused() {
    let kinds = KeyKinds {
        zone_master: Cipher::Tdes,
        ..KeyKinds::default()
    };
    let made = make_keys(&mut machine(), "CASP", kinds);
    assert!(matches!(
        made,
        Err(CeremonyError::Refused(Refusal::Status(Status::KeyTooWeak)))
    ));
}

/// The switch makes a new zone key and sends it; the bank takes it with its check value, and the one before still works.
#[test]
fn a_key_change_overlaps() {
    let mut machine = machine();
    let (switch, bank) = make_keys(&mut machine, "CASP", KeyKinds::default()).expect("keys");
    let mut bank = BankKeys::open(&bank, [3; 32]).expect("the bank's keys");
    let zmk = key(&switch.zmk);
    let pan = Pan::parse(b"9999500000000004").expect("a PAN");
    let pin = Pin::new(b"1234").expect("a PIN");
    let old_block = bank
        .encrypt_pin(PinFormat::Iso0, &pin, pan)
        .expect("a block");
    let old_mac = bank.mac(MacMethod::AesCmac, b"0200").expect("a MAC");
    for (usage, cipher, mode) in [
        (
            KeyUsage::PinEncryption,
            Cipher::Tdes,
            KeyMode::EncryptAndDecrypt,
        ),
        (KeyUsage::MacCmac, Cipher::Aes, KeyMode::GenerateAndVerify),
    ] {
        let next = share(&mut machine, &zmk, usage, cipher, mode).expect("a key");
        let block = key(&next.under_zone_master);
        let wrong = bank.take(block.block(), "000000");
        assert_eq!(wrong, Err(BankError::CheckValue));
        bank.take(block.block(), &next.under_zone_master.check_value)
            .expect("the new key");
    }
    // Taken and not in force yet: what comes under it is understood.
    assert!(bank.verify_mac_under(KeyAge::Now, b"0200", &old_mac));
    bank.put_into_use();
    let new_block = bank
        .encrypt_pin(PinFormat::Iso0, &pin, pan)
        .expect("a block");
    let new_mac = bank.mac(MacMethod::AesCmac, b"0200").expect("a MAC");
    assert_ne!(new_block, old_block);
    for (age, mac) in [(KeyAge::Before, &old_mac), (KeyAge::Now, &new_mac)] {
        assert!(bank.verify_mac_under(age, b"0200", mac));
    }
    assert!(!bank.verify_mac_under(KeyAge::Now, b"0200", &old_mac));
    let read = bank.decrypt_pin_under(KeyAge::Before, PinFormat::Iso0, &old_block, pan);
    assert!(read.expect("a PIN").is(&pin));
    for (block, mac) in [(&old_block, &old_mac), (&new_block, &new_mac)] {
        let read = bank.decrypt_pin(PinFormat::Iso0, block, pan);
        assert!(read.expect("a PIN").is(&pin));
        assert!(bank.verify_mac(MacMethod::AesCmac, b"0200", mac));
    }
    bank.forget_before();
    let read = bank.decrypt_pin(PinFormat::Iso0, &old_block, pan);
    assert!(!read.is_ok_and(|read| read.is(&pin)));
    assert!(!bank.verify_mac(MacMethod::AesCmac, b"0200", &old_mac));
    assert!(bank.verify_mac(MacMethod::AesCmac, b"0200", &new_mac));
    let zmk_as_zone_key = bank.take(zmk.block(), "000000");
    let refused = BankError::Refused(Status::KeyUsageRefused);
    assert_eq!(zmk_as_zone_key, Err(refused));
}

#[test]
fn files_are_for_their_owner_alone_and_a_new_ceremony_replaces_one_participant() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    let mut hold_for = |codes: &[&str]| {
        let codes: Vec<String> = codes.iter().map(|code| (*code).into()).collect();
        hold(&mut machine, dir.path(), &codes, KeyKinds::default())
    };
    hold_for(&["CASP", "HSBK"]).expect("keys");
    let read = || {
        let text = fs::read_to_string(switch_file(dir.path())).expect("the switch's file");
        SwitchKeyFile::parse(&text).expect("a key file")
    };
    let before = read();
    hold_for(&["CASP"]).expect("new keys");
    let after = read();
    assert_eq!(after.participants.len(), 2);
    assert_eq!(after.participant("HSBK"), before.participant("HSBK"));
    assert_ne!(after.participant("CASP"), before.participant("CASP"));
    for code in ["CASP", "HSBK"] {
        let path = bank_file(dir.path(), code);
        let text = fs::read_to_string(&path).expect("the bank's file");
        let file = BankKeyFile::parse(&text).expect("a key file");
        BankKeys::open(&file, [1; 32]).expect("the bank's keys");
        for path in [path, switch_file(dir.path())] {
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
    for code in ["", "../CASP", "CA SP", &"A".repeat(36)] {
        assert!(matches!(hold_for(&[code]), Err(CeremonyError::Code(_))));
    }
}

#[test]
fn a_wrong_key_file_is_refused_without_quoting_it() {
    let (_, bank) = make_keys(&mut machine(), "CASP", KeyKinds::default()).expect("keys");
    let text = toml::to_string(&bank).expect("TOML");
    let zmk = text
        .lines()
        .find_map(|line| line.strip_prefix("zmk = "))
        .expect("the zone master key")
        .trim_matches('"');
    assert!(!format!("{bank:?}").contains(zmk));
    for (from, to) in [
        ("zmk = ", "zmk = x"),
        ("zmk = ", "zmq = "),
        (zmk, &zmk[2..]),
        (zmk, &zmk.replace(&zmk[..1], "G")),
        ("\"AES\"", "\"RSA\""),
        (zmk, &format!("{zmk}\"\nzpk = \"{zmk}")),
    ] {
        let wrong = text.replacen(from, to, 1);
        let told = match BankKeyFile::parse(&wrong) {
            Err(told) => told,
            Ok(file) => match BankKeys::open(&file, [1; 32]) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("{from} as {to} was taken"),
            },
        };
        assert!(!told.contains(&zmk[8..24]), "{told}");
    }
    let other = &bank.zak.check_value.clone();
    let wrong = text.replace(other.as_str(), "0000000000");
    let file = BankKeyFile::parse(&wrong).expect("a key file");
    assert!(matches!(
        BankKeys::open(&file, [1; 32]),
        Err(BankError::CheckValue)
    ));
}
