use super::*;

#[test]
fn every_translation_is_allowed_or_refused_by_the_rule() {
    on_both(
        "pins::every_translation_is_allowed_or_refused_by_the_rule",
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
    on_both("pins::a_translated_pin_is_the_same_pin", |machine| {
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
