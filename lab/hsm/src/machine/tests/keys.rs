use super::*;

#[test]
fn a_key_goes_out_and_comes_in_with_the_same_check_value() {
    on_both(
        "keys::a_key_goes_out_and_comes_in_with_the_same_check_value",
        |machine| {
            for (kek_cipher, kek_bits, cipher, bits, fits) in [
                (Cipher::Tdes, 128, Cipher::Tdes, 128, true),
                (Cipher::Tdes, 128, Cipher::Tdes, 192, false),
                (Cipher::Tdes, 192, Cipher::Tdes, 192, true),
                (Cipher::Tdes, 192, Cipher::Aes, 128, false),
                (Cipher::Aes, 128, Cipher::Tdes, 192, true),
                (Cipher::Aes, 128, Cipher::Aes, 128, true),
                (Cipher::Aes, 128, Cipher::Aes, 192, false),
                (Cipher::Aes, 192, Cipher::Aes, 256, false),
                (Cipher::Aes, 256, Cipher::Aes, 256, true),
            ] {
                let key = machine.generate_spec(
                    KeyUsage::PinEncryption,
                    cipher,
                    bits,
                    KeyMode::EncryptAndDecrypt,
                    KeyExport::Trusted,
                );
                let kek = machine.generate_spec(
                    KeyUsage::KeyBlockProtection,
                    kek_cipher,
                    kek_bits,
                    KeyMode::EncryptAndDecrypt,
                    KeyExport::Never,
                );
                let name = format!("{cipher:?} {bits} under {kek_cipher:?} {kek_bits}");
                let export = machine.execute(&Request::ExportKey {
                    kek: kek.block.block(),
                    key: key.block.block(),
                });
                let exported = match export {
                    Ok(Response::ExportKey(exported)) if fits => exported,
                    Err(Refusal::Status(Status::KeyTooWeak)) if !fits => continue,
                    other => panic!("{name}: {other:?}"),
                };
                assert_eq!(exported.check_value, key.check_value, "{name}");
                let version = exported.block.block().version();
                assert_eq!(version == b'B', kek_cipher == Cipher::Tdes, "{name}");
                let import = machine.execute(&Request::ImportKey {
                    kek: kek.block.block(),
                    block: exported.block.block(),
                });
                let Ok(Response::ImportKey(imported)) = import else {
                    panic!("{name}: {import:?}")
                };
                assert_eq!(imported.check_value, key.check_value, "{name}");
                assert_eq!(
                    Attributes::of(imported.block.block()),
                    Attributes::of(key.block.block()),
                    "{name}"
                );
                let check = machine.execute(&Request::CheckKey(imported.block.block()));
                assert!(
                    matches!(check, Ok(Response::CheckKey(value)) if value == key.check_value),
                    "{name}"
                );
            }
        },
    );
}

#[test]
fn a_key_that_may_not_leave_stays() {
    let machine: &mut dyn Executes = &mut soft();
    let kek = machine.generate(
        KeyUsage::KeyBlockProtection,
        Cipher::Aes,
        KeyMode::EncryptAndDecrypt,
    );
    for (export, leaves) in [
        (KeyExport::Never, false),
        (KeyExport::Trusted, true),
        (KeyExport::Sensitive, true),
    ] {
        let key = machine.generate_spec(
            KeyUsage::MacCmac,
            Cipher::Aes,
            128,
            KeyMode::GenerateAndVerify,
            export,
        );
        let answer = machine.execute(&Request::ExportKey {
            kek: kek.block(),
            key: key.block.block(),
        });
        let refused = Refusal::Status(Status::KeyNotExportable);
        assert_eq!(
            answer.err(),
            Some(refused).filter(|_| !leaves),
            "{export:?}"
        );
    }
}

#[test]
fn a_key_block_of_another_master_key_or_a_changed_one_is_refused() {
    on_both(
        "keys::a_key_block_of_another_master_key_or_a_changed_one_is_refused",
        |machine| {
            let vault = SoftVault::with_master(&[8; 32], [1; 32]).expect("a vault");
            let mut other = Machine::new(vault).expect("a machine");
            let other: &mut dyn Executes = &mut other;
            let foreign = other.generate(KeyUsage::PinEncryption, Cipher::Tdes, KeyMode::Any);
            let status = machine.status(&Request::CheckKey(foreign.block()));
            assert_eq!(status, Status::KeyBlockInvalid);
            // A key whose usage was changed in clear, after its true block was opened and cached.
            let key = machine.generate(KeyUsage::MacCmac, Cipher::Aes, KeyMode::Any);
            let mac = Request::GenerateMac {
                key: key.block(),
                method: MacMethod::AesCmac,
                data: b"",
            };
            machine.execute(&mac).expect("a MAC");
            for (from, to) in [("M6A", "P0A"), ("M6AN", "M6AC"), ("00E0000", "00N0000")] {
                let changed = KeyRef::parse(&key.as_str().replacen(from, to, 1)).expect(to);
                assert_ne!(changed, key);
                let status = machine.status(&Request::CheckKey(changed.block()));
                assert_eq!(status, Status::KeyBlockInvalid, "{to}");
            }
            let version_b =
                "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E";
            let version_b = KeyRef::parse(version_b).expect("a block");
            let status = machine.status(&Request::CheckKey(version_b.block()));
            assert_eq!(status, Status::KeyBlockInvalid);
        },
    );
}

#[test]
fn keys_that_do_not_exist_are_not_made() {
    let machine: &mut dyn Executes = &mut soft();
    let spec = KeySpec {
        usage: KeyUsage::PinEncryption,
        algorithm: KeyAlgorithm::Tdes,
        bits: 128,
        mode: KeyMode::EncryptAndDecrypt,
        export: KeyExport::Trusted,
    };
    for (spec, status) in [
        (
            KeySpec {
                usage: KeyUsage::Other(*b"B0"),
                ..spec
            },
            Status::KeyUsageRefused,
        ),
        (
            KeySpec {
                algorithm: KeyAlgorithm::Other(b'D'),
                ..spec
            },
            Status::KeyAlgorithmRefused,
        ),
        (KeySpec { bits: 64, ..spec }, Status::KeyAlgorithmRefused),
        (KeySpec { bits: 129, ..spec }, Status::KeyAlgorithmRefused),
        (KeySpec { bits: 256, ..spec }, Status::KeyAlgorithmRefused),
        (
            KeySpec {
                usage: KeyUsage::MacCmac,
                ..spec
            },
            Status::KeyAlgorithmRefused,
        ),
        (
            KeySpec {
                usage: KeyUsage::MacAlgorithm3,
                bits: 192,
                ..spec
            },
            Status::KeyAlgorithmRefused,
        ),
        (
            KeySpec {
                usage: KeyUsage::PinVerification,
                algorithm: KeyAlgorithm::Aes,
                ..spec
            },
            Status::KeyAlgorithmRefused,
        ),
        (
            KeySpec {
                mode: KeyMode::VerifyOnly,
                ..spec
            },
            Status::KeyModeRefused,
        ),
        (
            KeySpec {
                mode: KeyMode::Other(b'X'),
                ..spec
            },
            Status::KeyModeRefused,
        ),
        (
            KeySpec {
                export: KeyExport::Other(b'Z'),
                ..spec
            },
            Status::Malformed,
        ),
    ] {
        assert_eq!(
            machine.status(&Request::GenerateKey(spec)),
            status,
            "{spec:?}"
        );
    }
}

#[test]
fn a_triple_des_key_with_equal_parts_is_refused() {
    let machine = soft();
    let attributes = Attributes {
        usage: KeyUsage::PinEncryption,
        algorithm: KeyAlgorithm::Tdes,
        mode: KeyMode::EncryptAndDecrypt,
        key_version: *b"00",
        export: KeyExport::Trusted,
    };
    for (clear, taken) in [
        ("0123456789ABCDEF0123456789ABCDEF", false),
        // The same but for parity
        ("0123456789ABCDEF0022446688AACCEE", false),
        ("0123456789ABCDEFFEDCBA9876543210FEDCBA9876543210", false),
        ("0123456789ABCDEFFEDCBA98765432100123456789ABCDEF", true),
        ("0123456789ABCDEFFEDCBA9876543210", true),
    ] {
        let clear = ClearKey::new(&hex(clear)).expect("16 or 24 bytes");
        let sealed = machine.seal(&attributes, &clear);
        let refused = Refusal::Status(Status::KeyAlgorithmRefused);
        assert_eq!(sealed.err(), Some(refused).filter(|_| !taken));
    }
}

#[test]
fn generated_keys_have_odd_parity_and_none_is_like_another() {
    let machine = soft();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let key = machine.random_key(Cipher::Tdes, 24).expect("a key");
        assert!(key.as_bytes().iter().all(|byte| byte.count_ones() % 2 == 1));
        assert!(seen.insert(key.as_bytes().to_vec()));
    }
}

#[test]
fn more_keys_than_the_cache_holds_still_work() {
    on_both(
        "keys::more_keys_than_the_cache_holds_still_work",
        |machine| {
            let keys: Vec<KeyRef> = (0..KEYS_CACHED_MAX + 10)
                .map(|_| machine.generate(KeyUsage::MacCmac, Cipher::Aes, KeyMode::Any))
                .collect();
            let mut macs = Vec::new();
            for _ in 0..2 {
                for (index, key) in keys.iter().enumerate() {
                    let answer = machine.execute(&Request::GenerateMac {
                        key: key.block(),
                        method: MacMethod::AesCmac,
                        data: b"the same text",
                    });
                    let Ok(Response::GenerateMac(mac)) = answer else {
                        panic!("{answer:?}")
                    };
                    match macs.get(index) {
                        None => macs.push(mac.as_bytes().to_vec()),
                        Some(before) => assert_eq!(mac.as_bytes(), before),
                    }
                }
            }
            assert_eq!(machine.keys_cached(), KEYS_CACHED_MAX);
        },
    );
}
