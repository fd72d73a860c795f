use torap_hsm::{KeyAlgorithm, KeyMode, KeyRef, Padding};

use super::*;
use crate::known_answers::hex;
use crate::soft::SoftVault;
use crate::test_token::with_token;

const PAN: &[u8] = b"9999500000000004";
const FORMATS: [PinFormat; 6] = [
    PinFormat::Iso0,
    PinFormat::Iso1,
    PinFormat::Other(2),
    PinFormat::Iso3,
    PinFormat::Iso4,
    PinFormat::Other(9),
];

fn soft() -> Machine<SoftVault> {
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).expect("a vault");
    Machine::new(vault).expect("a machine")
}

/// Runs a check in memory and in the token.
fn on_both(test: &str, check: fn(&mut dyn Executes)) {
    check(&mut soft());
    with_token(&format!("machine::tests::{test}"), |_, token| {
        let vault = token.vault().expect("a vault");
        check(&mut Machine::new(vault).expect("a machine"));
    });
}

/// What the checks need of a machine, whatever its vault.
trait Executes {
    fn execute(&mut self, request: &Request<'_>) -> Result<Response, Refusal>;
    /// A key with known bytes under the master key.
    fn seal(&mut self, usage: KeyUsage, algorithm: KeyAlgorithm, clear: &str) -> KeyRef;
    fn keys_cached(&self) -> usize;
}

impl<V: Vault> Executes for Machine<V> {
    fn execute(&mut self, request: &Request<'_>) -> Result<Response, Refusal> {
        Machine::execute(self, request)
    }

    fn seal(&mut self, usage: KeyUsage, algorithm: KeyAlgorithm, clear: &str) -> KeyRef {
        let attributes = Attributes {
            usage,
            algorithm,
            mode: KeyMode::Any,
            key_version: *b"00",
            export: KeyExport::Trusted,
        };
        let clear = ClearKey::new(&hex(clear)).expect("16 to 32 bytes");
        let key = Machine::seal(self, &attributes, &clear);
        key.expect("a key that fits its usage").block
    }

    fn keys_cached(&self) -> usize {
        self.keys.len()
    }
}

fn from_iso_0<'a>(key: &'a KeyRef, block: &PinBlock) -> PinSource<'a> {
    PinSource {
        key: key.block(),
        format: PinFormat::Iso0,
        block: block.clone(),
    }
}

fn iso_0(key: &KeyRef) -> PinTarget<'_> {
    PinTarget {
        key: key.block(),
        format: PinFormat::Iso0,
    }
}

impl dyn Executes + '_ {
    fn status(&mut self, request: &Request<'_>) -> Status {
        match self.execute(request) {
            Err(Refusal::Status(status)) => status,
            other => panic!("{request:?} came to {other:?}"),
        }
    }

    fn generate(&mut self, usage: KeyUsage, cipher: Cipher, mode: KeyMode) -> KeyRef {
        self.generate_spec(usage, cipher, 128, mode, KeyExport::Trusted)
            .block
    }

    fn generate_spec(
        &mut self,
        usage: KeyUsage,
        cipher: Cipher,
        bits: u16,
        mode: KeyMode,
        export: KeyExport,
    ) -> NewKey {
        let algorithm = match cipher {
            Cipher::Tdes => KeyAlgorithm::Tdes,
            Cipher::Aes => KeyAlgorithm::Aes,
        };
        let answer = self.execute(&Request::GenerateKey(KeySpec {
            usage,
            algorithm,
            bits,
            mode,
            export,
        }));
        match answer {
            Ok(Response::GenerateKey(key)) => key,
            other => panic!("{usage:?} {cipher:?} {bits} {mode:?}: {other:?}"),
        }
    }

    /// A PIN block made by translation from one in format 1, in which anything may stand.
    fn pin_block(&mut self, key: &KeyRef, format: PinFormat, pin: &str) -> PinBlock {
        let terminal = "0123456789ABCDEFFEDCBA9876543210";
        let terminal_key = self.seal(KeyUsage::PinEncryption, KeyAlgorithm::Tdes, terminal);
        let vault = SoftVault::new([5; 32]);
        let own = vault.load(Cipher::Tdes, &hex(terminal)).expect("a key");
        let pin = pin_block::Pin::new(pin.as_bytes()).expect("a PIN");
        let pan = Pan::parse(PAN).expect("a PAN");
        let block = pin_block::encode(&vault, &own, PinFormat::Iso1, &pin, pan);
        let source = PinSource {
            key: terminal_key.block(),
            format: PinFormat::Iso1,
            block: block.expect("a block"),
        };
        self.translate(source, key, format).expect("a translation")
    }

    fn translate(
        &mut self,
        from: PinSource<'_>,
        key: &KeyRef,
        format: PinFormat,
    ) -> Result<PinBlock, Refusal> {
        let request = Request::TranslatePin {
            from,
            to: PinTarget {
                key: key.block(),
                format,
            },
            pan: Pan::parse(PAN).expect("a PAN"),
        };
        match self.execute(&request)? {
            Response::TranslatePin(block) => Ok(block),
            other => panic!("{other:?}"),
        }
    }

    fn verify_pin(
        &mut self,
        key: &KeyRef,
        format: PinFormat,
        block: PinBlock,
        pvk: &KeyRef,
        pvv: Pvv,
    ) -> Result<Verdict, Refusal> {
        let request = Request::VerifyPin {
            from: PinSource {
                key: key.block(),
                format,
                block,
            },
            pan: Pan::parse(PAN).expect("a PAN"),
            pvk: pvk.block(),
            pvv,
        };
        match self.execute(&request)? {
            Response::VerifyPin(verdict) => Ok(verdict),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_translation_is_allowed_or_refused_by_the_rule() {
    on_both(
        "every_translation_is_allowed_or_refused_by_the_rule",
        |machine| {
            let mut zone = |cipher| {
                machine.generate(KeyUsage::PinEncryption, cipher, KeyMode::EncryptAndDecrypt)
            };
            let (tdes, tdes_to) = (zone(Cipher::Tdes), zone(Cipher::Tdes));
            let (aes, aes_to) = (zone(Cipher::Aes), zone(Cipher::Aes));
            let key_for = |format: PinFormat, tdes: &KeyRef, aes: &KeyRef| match format {
                PinFormat::Iso4 => aes.clone(),
                _ => tdes.clone(),
            };
            for from in FORMATS {
                let key = key_for(from, &tdes, &aes);
                // A block of a format that cannot be made stands for itself; its content does not come into it.
                let block = match from {
                    PinFormat::Iso0 | PinFormat::Iso3 | PinFormat::Iso4 => {
                        machine.pin_block(&key, from, "904317")
                    }
                    _ => PinBlock::from_bytes(&[1; 8]).expect("8 bytes"),
                };
                for to in FORMATS {
                    let source = PinSource {
                        key: key.block(),
                        format: from,
                        block: block.clone(),
                    };
                    let target = key_for(to, &tdes_to, &aes_to);
                    let answer = machine.translate(source, &target, to);
                    let forbidden = Refusal::Status(Status::TranslationForbidden);
                    if !pin::may_translate(from, to) {
                        assert_eq!(answer.err(), Some(forbidden), "{from:?} to {to:?}");
                    } else if from != PinFormat::Iso1 {
                        assert!(answer.is_ok(), "{from:?} to {to:?}: {answer:?}");
                    }
                }
            }
        },
    );
}

#[test]
fn a_translated_pin_is_the_same_pin() {
    on_both("a_translated_pin_is_the_same_pin", |machine| {
        let pvk_clear = "0123456789ABCDEFFEDCBA9876543210";
        let pvk = machine.seal(KeyUsage::PinVerification, KeyAlgorithm::Tdes, pvk_clear);
        let vault = SoftVault::new([6; 32]);
        let own_pvk = vault.load(Cipher::Tdes, &hex(pvk_clear)).expect("a key");
        let pan = Pan::parse(PAN).expect("a PAN");
        let pin = pin_block::Pin::new(b"90431").expect("a PIN");
        let pvv = pvv::make(&vault, &own_pvk, 3, pan, &pin).expect("a value");
        let wrong = pin_block::Pin::new(b"90441").expect("a PIN");
        let wrong = pvv::make(&vault, &own_pvk, 3, pan, &wrong).expect("a value");
        let mut zone =
            |cipher| machine.generate(KeyUsage::PinEncryption, cipher, KeyMode::EncryptAndDecrypt);
        let (tdes, aes) = (zone(Cipher::Tdes), zone(Cipher::Aes));
        let mut block = machine.pin_block(&tdes, PinFormat::Iso0, "90431");
        let mut from = (PinFormat::Iso0, &tdes);
        for to in [
            (PinFormat::Iso3, &tdes),
            (PinFormat::Iso4, &aes),
            (PinFormat::Iso4, &aes),
            (PinFormat::Iso0, &tdes),
            (PinFormat::Iso4, &aes),
            (PinFormat::Iso3, &tdes),
            (PinFormat::Iso3, &tdes),
            (PinFormat::Iso0, &tdes),
        ] {
            let source = PinSource {
                key: from.1.block(),
                format: from.0,
                block: block.clone(),
            };
            block = machine
                .translate(source, to.1, to.0)
                .expect("a translation");
            let verdict = machine.verify_pin(to.1, to.0, block.clone(), &pvk, pvv.clone());
            assert_eq!(verdict, Ok(Verdict::Right), "{from:?} to {to:?}");
            let verdict = machine.verify_pin(to.1, to.0, block.clone(), &pvk, wrong.clone());
            assert_eq!(verdict, Ok(Verdict::Wrong), "{from:?} to {to:?}");
            from = to;
        }
        let verdict = machine.verify_pin(&tdes, PinFormat::Iso1, block, &pvk, pvv);
        assert_eq!(verdict, Err(Refusal::Status(Status::TranslationForbidden)));
    });
}

/// One key of each usage, and what each command says to each.
#[test]
fn every_command_takes_the_usage_it_needs_and_no_other() {
    on_both(
        "every_command_takes_the_usage_it_needs_and_no_other",
        |machine| {
            let tdes = Cipher::Tdes;
            let aes = Cipher::Aes;
            let keys: Vec<KeyRef> = [
                (KeyUsage::PinEncryption, tdes),
                (KeyUsage::PinVerification, tdes),
                (KeyUsage::MacAlgorithm3, tdes),
                (KeyUsage::MacCmac, aes),
                (KeyUsage::KeyEncryption, tdes),
                (KeyUsage::KeyBlockProtection, tdes),
            ]
            .map(|(usage, cipher)| machine.generate(usage, cipher, KeyMode::Any))
            .into();
            let zone = keys[0].clone();
            let block = machine.pin_block(&zone, PinFormat::Iso0, "1234");
            let pan = Pan::parse(PAN).expect("a PAN");
            let mac = Mac::from_bytes(&[0; 8]).expect("8 bytes");
            let algorithm_3 = MacMethod::Algorithm3(Padding::Method2);
            let export = Request::ExportKey {
                kek: keys[5].block(),
                key: zone.block(),
            };
            let Ok(Response::ExportKey(exported)) = machine.execute(&export) else {
                panic!("the zone key goes out")
            };
            for key in &keys {
                let source = PinSource {
                    key: key.block(),
                    format: PinFormat::Iso0,
                    block: block.clone(),
                };
                let zone_source = PinSource {
                    key: zone.block(),
                    ..source.clone()
                };
                let mac_request = |method| Request::GenerateMac {
                    key: key.block(),
                    method,
                    data: b"0200",
                };
                let verify_request = |method| Request::VerifyMac {
                    key: key.block(),
                    method,
                    data: b"0200",
                    mac,
                };
                let cases = [
                    (
                        "from",
                        &[KeyUsage::PinEncryption][..],
                        Request::TranslatePin {
                            from: source.clone(),
                            to: iso_0(&zone),
                            pan,
                        },
                    ),
                    (
                        "to",
                        &[KeyUsage::PinEncryption],
                        Request::TranslatePin {
                            from: zone_source.clone(),
                            to: iso_0(key),
                            pan,
                        },
                    ),
                    (
                        "verify from",
                        &[KeyUsage::PinEncryption],
                        Request::VerifyPin {
                            from: source,
                            pan,
                            pvk: keys[1].block(),
                            pvv: Pvv::new(1, *b"0000").expect("a value"),
                        },
                    ),
                    (
                        "verify with",
                        &[KeyUsage::PinVerification],
                        Request::VerifyPin {
                            from: zone_source,
                            pan,
                            pvk: key.block(),
                            pvv: Pvv::new(1, *b"0000").expect("a value"),
                        },
                    ),
                    (
                        "make algorithm 3",
                        &[KeyUsage::MacAlgorithm3],
                        mac_request(algorithm_3),
                    ),
                    (
                        "make CMAC",
                        &[KeyUsage::MacCmac],
                        mac_request(MacMethod::AesCmac),
                    ),
                    (
                        "verify algorithm 3",
                        &[KeyUsage::MacAlgorithm3],
                        verify_request(algorithm_3),
                    ),
                    (
                        "verify CMAC",
                        &[KeyUsage::MacCmac],
                        verify_request(MacMethod::AesCmac),
                    ),
                    (
                        "export under",
                        &[KeyUsage::KeyEncryption, KeyUsage::KeyBlockProtection],
                        Request::ExportKey {
                            kek: key.block(),
                            key: zone.block(),
                        },
                    ),
                    (
                        "import under",
                        // The block is under another key than K0, which is told only after the usage was found right.
                        &[KeyUsage::KeyBlockProtection],
                        Request::ImportKey {
                            kek: key.block(),
                            block: exported.block.block(),
                        },
                    ),
                ];
                for (name, right, request) in cases {
                    let usage = key.block().usage();
                    let answer = machine.execute(&request);
                    match answer {
                        Ok(_) => assert!(right.contains(&usage), "{name} took {usage:?}"),
                        Err(Refusal::Status(status)) => {
                            assert!(
                                !right.contains(&usage),
                                "{name} refused {usage:?}: {status}"
                            );
                            let other_kek = name == "import under"
                                && usage == KeyUsage::KeyEncryption
                                && status == Status::KeyBlockInvalid;
                            assert!(
                                status == Status::KeyUsageRefused || other_kek,
                                "{name} {usage:?}: {status}"
                            );
                        }
                        Err(Refusal::Fault(fault)) => panic!("{name} {usage:?}: {fault}"),
                    }
                }
            }
        },
    );
}

#[test]
fn every_mode_forbids_what_it_does_not_name() {
    on_both("every_mode_forbids_what_it_does_not_name", |machine| {
        let pan = Pan::parse(PAN).expect("a PAN");
        let both = machine.generate(
            KeyUsage::PinEncryption,
            Cipher::Tdes,
            KeyMode::EncryptAndDecrypt,
        );
        let block = machine.pin_block(&both, PinFormat::Iso0, "1234");
        for (mode, encrypts, decrypts) in [
            (KeyMode::EncryptOnly, true, false),
            (KeyMode::DecryptOnly, false, true),
        ] {
            let key = machine.generate(KeyUsage::PinEncryption, Cipher::Tdes, mode);
            let to = machine.execute(&Request::TranslatePin {
                from: from_iso_0(&both, &block),
                to: iso_0(&key),
                pan,
            });
            let refused = Some(Refusal::Status(Status::KeyModeRefused));
            assert_eq!(to.err(), refused.clone().filter(|_| !encrypts), "{mode:?}");
            // The block is under another key: only the mode is asked here.
            let from = machine.status(&Request::TranslatePin {
                from: from_iso_0(&key, &block),
                to: iso_0(&both),
                pan,
            });
            assert_eq!(from == Status::KeyModeRefused, !decrypts, "{mode:?}");
            let kek = machine.generate(KeyUsage::KeyEncryption, Cipher::Aes, mode);
            let export = machine.execute(&Request::ExportKey {
                kek: kek.block(),
                key: both.block(),
            });
            assert_eq!(export.err(), refused.filter(|_| !encrypts), "{mode:?}");
            let import = machine.status(&Request::ImportKey {
                kek: kek.block(),
                block: both.block(),
            });
            assert_eq!(import == Status::KeyModeRefused, !decrypts, "{mode:?}");
        }
        for (mode, generates, verifies) in [
            (KeyMode::GenerateOnly, true, false),
            (KeyMode::VerifyOnly, false, true),
            (KeyMode::GenerateAndVerify, true, true),
        ] {
            let key = machine.generate(KeyUsage::MacCmac, Cipher::Aes, mode);
            let made = machine.execute(&Request::GenerateMac {
                key: key.block(),
                method: MacMethod::AesCmac,
                data: b"0200",
            });
            assert_eq!(made.is_ok(), generates, "{mode:?}: {made:?}");
            let verified = machine.execute(&Request::VerifyMac {
                key: key.block(),
                method: MacMethod::AesCmac,
                data: b"0200",
                mac: Mac::from_bytes(&[0; 8]).expect("8 bytes"),
            });
            assert_eq!(verified.is_ok(), verifies, "{mode:?}: {verified:?}");
        }
        let pvk = machine.generate(
            KeyUsage::PinVerification,
            Cipher::Tdes,
            KeyMode::GenerateOnly,
        );
        let pvv = Pvv::new(1, *b"0000").expect("a value");
        let verdict = machine.verify_pin(&both, PinFormat::Iso0, block.clone(), &pvk, pvv);
        assert_eq!(verdict, Err(Refusal::Status(Status::KeyModeRefused)));
    });
}

#[test]
fn a_mac_is_right_as_a_whole_and_cut_to_8_bytes() {
    on_both("a_mac_is_right_as_a_whole_and_cut_to_8_bytes", |machine| {
        for (usage, cipher, method) in [
            (
                KeyUsage::MacAlgorithm3,
                Cipher::Tdes,
                MacMethod::Algorithm3(Padding::Method1),
            ),
            (
                KeyUsage::MacAlgorithm3,
                Cipher::Tdes,
                MacMethod::Algorithm3(Padding::Method2),
            ),
            (KeyUsage::MacCmac, Cipher::Aes, MacMethod::AesCmac),
        ] {
            let key = machine.generate(usage, cipher, KeyMode::GenerateAndVerify);
            let data = b"0200B2200000001000000000000000800000";
            let made = machine.execute(&Request::GenerateMac {
                key: key.block(),
                method,
                data,
            });
            let Ok(Response::GenerateMac(made)) = made else {
                panic!("{made:?}")
            };
            assert_eq!(made.as_bytes().len(), method.bytes());
            let mut verdict = |data: &[u8], mac: &[u8]| {
                machine.execute(&Request::VerifyMac {
                    key: key.block(),
                    method,
                    data,
                    mac: Mac::from_bytes(mac).expect("8 to 16 bytes"),
                })
            };
            let is = |answer: Result<Response, Refusal>, right| match answer {
                Ok(Response::VerifyMac(verdict)) => assert_eq!(verdict, right),
                other => panic!("{other:?}"),
            };
            is(verdict(data, made.as_bytes()), Verdict::Right);
            is(verdict(data, &made.first_8()), Verdict::Right);
            is(verdict(&data[1..], made.as_bytes()), Verdict::Wrong);
            for bit in 0..8 * method.bytes() {
                let mut mac = made.as_bytes().to_vec();
                mac[bit / 8] ^= 1 << (bit % 8);
                is(verdict(data, &mac), Verdict::Wrong);
            }
            let longer = verdict(data, &[0; 16]);
            assert_eq!(longer.is_ok(), method == MacMethod::AesCmac, "{longer:?}");
        }
    });
}

#[test]
fn a_key_goes_out_and_comes_in_with_the_same_check_value() {
    on_both(
        "a_key_goes_out_and_comes_in_with_the_same_check_value",
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
        "a_key_block_of_another_master_key_or_a_changed_one_is_refused",
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
    on_both("more_keys_than_the_cache_holds_still_work", |machine| {
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
    });
}
