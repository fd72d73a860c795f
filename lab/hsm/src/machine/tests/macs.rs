use torap_hsm::Padding;

use super::*;

#[test]
fn a_mac_is_right_as_a_whole_and_cut_to_8_bytes() {
    on_both(
        "macs::a_mac_is_right_as_a_whole_and_cut_to_8_bytes",
        |machine| {
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
        },
    );
}
