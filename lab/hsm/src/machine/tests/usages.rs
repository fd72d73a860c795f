use torap_hsm::Padding;

use super::*;

/// One key of each usage, and what each command says to each.
#[test]
fn every_command_takes_the_usage_it_needs_and_no_other() {
    on_both(
        "usages::every_command_takes_the_usage_it_needs_and_no_other",
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
    on_both(
        "usages::every_mode_forbids_what_it_does_not_name",
        |machine| {
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
        },
    );
}
