//! Published results, computed again by whichever vault is given. Run by both.
//!
//! Where they come from: key blocks from TR-31:2018 annex A.7 and from a payment HSM's own output, MACs from ISO/IEC
//! 9797-1 annex B, RFC 4493 and NIST SP 800-38B; PIN blocks, PVVs and the other key blocks were made with psec 1.3, an
//! implementation by others.

use torap_hsm::{KeyBlock, KeyUsage, MacMethod, Padding, Pan, PinBlock, PinFormat, Status};

use crate::cmac::CmacKey;
use crate::mac::MacKey;
use crate::pin_block::{self, Pin};
use crate::pvv;
use crate::tr31::{Attributes, ClearKey, Protection, check_value};
use crate::vault::{Cipher, Refusal, Vault};

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        })
        .collect()
}

/// Everything below.
pub(crate) fn check_all<V: Vault>(vault: &V) {
    check_algorithm_3(vault);
    check_cmac(vault);
    check_key_blocks(vault);
    check_damaged_key_blocks(vault);
    check_wrapping(vault);
    check_check_values(vault);
    check_pin_blocks(vault);
    check_pin_block_rules(vault);
    check_pvv(vault);
}

fn check_algorithm_3<V: Vault>(vault: &V) {
    let key = hex("0123456789ABCDEFFEDCBA9876543210");
    let key = MacKey::load(vault, KeyUsage::MacAlgorithm3, &key).expect("a key");
    for (text, method_1, method_2) in [
        (
            "Now is the time for all ",
            "A1C72E74EA3FA9B6",
            "E9086230CA3BE796",
        ),
        (
            "Now is the time for it",
            "2E2B1428CC78254F",
            "5A692CE64F404145",
        ),
        ("", "08D7B4FB629D0885", "F1FBCF2A56D19BA7"),
        ("12345678", "41D2FFBA3CDC15FE", "E367E02B86AE75ED"),
    ] {
        for (padding, right) in [(Padding::Method1, method_1), (Padding::Method2, method_2)] {
            let method = MacMethod::Algorithm3(padding);
            let mac = key.mac(vault, method, text.as_bytes()).expect("a MAC");
            assert_eq!(mac.as_bytes(), hex(right), "{text} {padding:?}");
        }
    }
    let other = key.mac(vault, MacMethod::AesCmac, b"");
    assert_eq!(other.err(), Some(Refusal::Status(Status::KeyUsageRefused)));
}

fn check_cmac<V: Vault>(vault: &V) {
    let text = hex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    for (key, results) in [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            [
                (0, "bb1d6929e95937287fa37d129b756746"),
                (16, "070a16b46b4d4144f79bdd9dd04a287c"),
                (40, "dfa66747de9ae63030ca32611497c827"),
                (64, "51f0bebf7e3b9d92fc49741779363cfe"),
            ],
        ),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            [
                (0, "028962f61b7bf89efc6b551f4667d983"),
                (16, "28a7023f452e8f82bd4bf28d8c37c35c"),
                (40, "aaf3d8f1de5640c232f5b169b9c911e6"),
                (64, "e1992190549f6ed5696a2c056c315410"),
            ],
        ),
    ] {
        let key = vault.load(Cipher::Aes, &hex(key)).expect("a key");
        let key = CmacKey::new(vault, Cipher::Aes, key).expect("subkeys");
        for (length, right) in results {
            let mac = key.mac(vault, &text[..length]).expect("a MAC");
            assert_eq!(mac.to_vec(), hex(right), "{length} bytes");
        }
    }
}

/// Protecting key, key block, key.
const KEY_BLOCKS: &[(&str, &str, &str)] = &[
    // TR-31:2018 A.7.2.2
    (
        "DD7515F2BFC17F85CE48F3CA25CB21F6",
        "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
        "3F419E1CB7079442AA37474C2EFBF8B8",
    ),
    // TR-31:2018 A.7.3.2, with an optional block
    (
        "1D22BF32387C600AD97F9B97A51311AC",
        "B0104B0TX12S0100KS1800604B120F9292800000BB68BE8680A400D9191AD4ECE45B6E6C0D21C4738A52190E248719E24B433627",
        "E8BC63E5479455E26577F715D587FE68",
    ),
    // TR-31:2018 A.7.4
    (
        "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6",
        "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34",
        "3F419E1CB7079442AA37474C2EFBF8B8",
    ),
    // Made by a payment HSM
    (
        "EFE0853B256B583D868F251CE99EA1D9",
        "B0080K0TN00N00001C414014375212C24995E405B5EE052CB92B67F455EA2680F6751088F9F1C228",
        "5DB50B454F8389ADCE573BE50861F2BF",
    ),
    (
        "4141414141414141414141414141414141414141414141414141414141414141",
        "D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C",
        "1FA1F7CEC798D91545DA8AE0C7796BD9",
    ),
    (
        "4141414141414141414141414141414141414141414141414141414141414141",
        "D0144D0AN00N0000127862F945C2DED04530FAF7CDBC8B0BA10C7AA79BD5E0C2C5D6AC173BF588E4B19ACF1357178D50EA0AB193228E13958304FC6149632DFDCADF3A5B3D57E814",
        "BE19E6A07A760F10EF8E83A226B63AAD141F463FDDD4F47DB244B4023EC3CACC",
    ),
    // psec: three DES keys protect two and three
    (
        "0123456789ABCDEFFEDCBA987654321089ABCDEF01234567",
        "B0096M3TC00E00006A92ED618C090A7001A42E2256DB63DB9D3457515172996F62AE39C2B2BB33916AE75182751DA62B",
        "3F419E1CB7079442AA37474C2EFBF8B8",
    ),
    (
        "0123456789ABCDEFFEDCBA987654321089ABCDEF01234567",
        "B0096P0TB00S0000F14966EBF93C18ED3BB07E0014A3096F31CB83A43E5F947C79F00EBB8BF027144AFCE3E0A9364D3F",
        "3F419E1CB7079442AA37474C2EFBF8B80123456789ABCDEF",
    ),
    // psec: AES with 128, 192 and 256 bits, keys filled up so that their length does not show
    (
        "101112131415161718191A1B1C1D1E1F",
        "D0144P0AB00E000090459F923443CE934B3A9808BDA83D9B9E19128930EF31A8541853707CFC0C187BA8BF9B5C4A53326F2AA0DA16F1D62BAC37713CE190F6D0B40713C2FE0837A2",
        "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF",
    ),
    (
        "101112131415161718191A1B1C1D1E1F2021222324252627",
        "D0144M6AC00E0000D1B4652431FA1A62BC1D8228F373FBC8D7C43EDA6CBAC96265179B0E543853340847D837C0DCE553B3562C147101378D6CEE62F480BE0F68E606A0267E36AB27",
        "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7",
    ),
    // psec: several optional blocks, the last one fill
    (
        "101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F",
        "D0176P0TB00E0300KS1800604B120F9292800000TS1420261128T000000ZPB140000000000000000F0DE063D594E746907D494561CFC0319084B2EF1DE6D26BDD473E50D999FD7407EB8E2497073034722C329C7CF21C19A",
        "3F419E1CB7079442AA37474C2EFBF8B8",
    ),
];

fn protection<V: Vault>(vault: &V, block: &str, key: &str) -> Protection<V::Key> {
    let cipher = if block.starts_with('B') {
        Cipher::Tdes
    } else {
        Cipher::Aes
    };
    let key = ClearKey::new(&hex(key)).expect("16 to 32 bytes");
    Protection::by_key(vault, cipher, &key).expect("a protecting key")
}

fn check_key_blocks<V: Vault>(vault: &V) {
    for (protecting, block, key) in KEY_BLOCKS {
        let protection = protection(vault, block, protecting);
        let parsed = KeyBlock::parse(block).expect(block);
        let clear = protection.unwrap(vault, parsed).expect(block);
        assert_eq!(clear.as_bytes(), hex(key), "{block}");
    }
}

/// Every character of a block counts, and a block is right under its own key alone.
fn check_damaged_key_blocks<V: Vault>(vault: &V) {
    for (protecting, block, _) in [&KEY_BLOCKS[0], &KEY_BLOCKS[2]] {
        let right = protection(vault, block, protecting);
        for position in 0..block.len() {
            let mut damaged = block.as_bytes().to_vec();
            damaged[position] = match damaged[position] {
                b'0' => b'1',
                b'9' => b'8',
                b'F' => b'E',
                byte => byte + 1,
            };
            let damaged = String::from_utf8(damaged).expect("ASCII");
            let Ok(parsed) = KeyBlock::parse(&damaged) else {
                continue;
            };
            let opened = right.unwrap(vault, parsed);
            let refused = Refusal::Status(Status::KeyBlockInvalid);
            assert_eq!(opened.err(), Some(refused), "{damaged}");
        }
        let wrong = protection(vault, block, &protecting.replace('4', "6"));
        let opened = wrong.unwrap(vault, KeyBlock::parse(block).expect(block));
        assert!(opened.is_err(), "{block} opened under another key");
    }
}

fn check_wrapping<V: Vault>(vault: &V) {
    for (protecting, block, key) in KEY_BLOCKS {
        let protection = protection(vault, block, protecting);
        let attributes = Attributes::of(KeyBlock::parse(block).expect(block));
        let clear = ClearKey::new(&hex(key)).expect("16 to 32 bytes");
        let once = protection.wrap(vault, &attributes, &clear).expect(block);
        let twice = protection.wrap(vault, &attributes, &clear).expect(block);
        assert_ne!(once, twice, "the fill must be random");
        assert_eq!(Attributes::of(once.block()), attributes);
        let opened = protection.unwrap(vault, once.block()).expect(block);
        assert_eq!(opened.as_bytes(), clear.as_bytes());
    }
}

fn check_check_values<V: Vault>(vault: &V) {
    for (cipher, key, right) in [
        // TR-31:2018 A.7.2.2
        (Cipher::Tdes, "3F419E1CB7079442AA37474C2EFBF8B8", "57C409"),
        (
            Cipher::Aes,
            "3F419E1CB7079442AA37474C2EFBF8B8",
            AES_CHECK_VALUE,
        ),
    ] {
        let key = ClearKey::new(&hex(key)).expect("16 bytes");
        let value = check_value(vault, cipher, &key).expect("a check value");
        assert_eq!(value.to_string(), right);
    }
}

/// The first 5 bytes of the CMAC of 16 zeros, by the Python package `cryptography`.
const AES_CHECK_VALUE: &str = "08793E25AB";

fn check_pin_blocks<V: Vault>(vault: &V) {
    // A key that does nothing would be needed to see format 0 in clear; the parts are compared encrypted instead.
    let tdes = hex("0123456789ABCDEFFEDCBA9876543210");
    let tdes = vault.load(Cipher::Tdes, &tdes).expect("a key");
    for (pin, pan, clear) in [
        ("1234", "5555555551234567", "041261AAAAEDCBA9"),
        ("123456789012", "5555555551234567", "0C1261032D8226A9"),
        ("92389", "4000001234562000", "0592389EDCBA9DFF"),
        ("1234", "9999500000000004123", "041234FFFFFFFBED"),
    ] {
        let pan = Pan::parse(pan.as_bytes()).expect(pan);
        let mut right = hex(clear);
        vault.encrypt(&tdes, &mut right).expect("encrypted");
        let pin = Pin::new(pin.as_bytes()).expect(pin);
        let block = pin_block::encode(vault, &tdes, PinFormat::Iso0, &pin, pan);
        let block = block.expect("a block");
        assert_eq!(block.as_bytes(), right, "{clear}");
        let read = pin_block::decode(vault, &tdes, PinFormat::Iso0, &block, pan);
        assert!(read.expect("a PIN").is(&pin));
    }
    let aes = hex("00112233445566778899AABBCCDDEEFF");
    let aes = vault.load(Cipher::Aes, &aes).expect("a key");
    for (pin, pan, block) in [
        (
            "1234",
            "5555555551234567",
            "6024130c8ce923a109f4265b2220dc9d",
        ),
        (
            "123456789012",
            "5555555551234567",
            "5a64acb9e2f273e6dda8b2856e99de72",
        ),
        (
            "1234",
            "9999500000000004123",
            "dc3e789463b190b09b1d3dd2ca26cd1b",
        ),
        ("0000", "12345678", "a57da7ad6350f47d025c19bb093361ab"),
        ("98765", "123456789012", "ea0b60e1154963319d78620379c1204b"),
    ] {
        let pan = Pan::parse(pan.as_bytes()).expect(pan);
        let pin = Pin::new(pin.as_bytes()).expect(pin);
        let block = PinBlock::from_bytes(&hex(block)).expect("16 bytes");
        let read = pin_block::decode(vault, &aes, PinFormat::Iso4, &block, pan);
        assert!(read.expect("a PIN").is(&pin), "{pan:?}");
    }
    for format in [
        PinFormat::Iso0,
        PinFormat::Iso1,
        PinFormat::Iso3,
        PinFormat::Iso4,
    ] {
        let key = if format == PinFormat::Iso4 {
            &aes
        } else {
            &tdes
        };
        for length in 4..=12 {
            for pan in [
                "12345678",
                "123456789012",
                "9999500000000004",
                "9999500000000004123",
            ] {
                let pan = Pan::parse(pan.as_bytes()).expect(pan);
                let pin = Pin::new(&b"904317852606"[..length]).expect("a PIN");
                let block = pin_block::encode(vault, key, format, &pin, pan).expect("a block");
                let read = pin_block::decode(vault, key, format, &block, pan).expect("a PIN");
                assert!(read.is(&pin), "{format:?} {length} {pan:?}");
            }
        }
    }
}

/// A block that is not of its format is refused, whatever is wrong with it.
fn check_pin_block_rules<V: Vault>(vault: &V) {
    let key = hex("0123456789ABCDEFFEDCBA9876543210");
    let key = vault.load(Cipher::Tdes, &key).expect("a key");
    let pan = Pan::parse(b"5555555551234567").expect("a PAN");
    let mask = hex("0000555555123456");
    for (format, field) in [
        (PinFormat::Iso0, "141234FFFFFFFFFF"), // control
        (PinFormat::Iso0, "031234FFFFFFFFFF"), // length
        (PinFormat::Iso0, "0D123456789012FF"),
        (PinFormat::Iso0, "04123AFFFFFFFFFF"), // digit
        (PinFormat::Iso0, "041234FFFFFFFFFE"), // fill
        (PinFormat::Iso3, "341234FFFFFFFFF9"),
        (PinFormat::Iso3, "041234FFFFFFFFFF"),
        (PinFormat::Iso1, "241234FFFFFFFFFF"),
        (PinFormat::Iso1, "14123FFFFFFFFFFF"),
        (PinFormat::Other(2), "241234FFFFFFFFFF"),
    ] {
        let mut block = hex(field);
        if format != PinFormat::Iso1 {
            block
                .iter_mut()
                .zip(&mask)
                .for_each(|(byte, mask)| *byte ^= mask);
        }
        vault.encrypt(&key, &mut block).expect("encrypted");
        let block = PinBlock::from_bytes(&block).expect("8 bytes");
        let read = pin_block::decode(vault, &key, format, &block, pan);
        let refused = Refusal::Status(Status::PinBlockInvalid);
        assert_eq!(read.err(), Some(refused), "{format:?} {field}");
    }
    let wide = PinBlock::from_bytes(&[0; 16]).expect("16 bytes");
    assert!(pin_block::decode(vault, &key, PinFormat::Iso0, &wide, pan).is_err());
}

fn check_pvv<V: Vault>(vault: &V) {
    let key = hex("0123456789ABCDEFFEDCBA9876543210");
    let key = vault.load(Cipher::Tdes, &key).expect("a key");
    for (index, pin, pan, right) in [
        (1, "4524", "1122334455667788", "8523"),
        (2, "1912", "1122334455667788", "3244"),
        (1, "0570", "1122334455667718", "3144"),
        (1, "8299", "1122334455667708", "4422"),
        // Fewer than four digits among the result's letters
        (1, "0385", "9999500000000384", "3883"),
        (1, "1552", "9999500000001554", "1262"),
        // Only the first four digits of a longer PIN count
        (1, "452499", "1122334455667788", "8523"),
    ] {
        let pin = Pin::new(pin.as_bytes()).expect(pin);
        let pan = Pan::parse(pan.as_bytes()).expect(pan);
        let pvv = pvv::make(vault, &key, index, pan, &pin).expect("a value");
        assert_eq!(pvv.digits(), right.as_bytes(), "{pan:?}");
    }
}
