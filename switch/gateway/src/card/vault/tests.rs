use super::{CardVault, SEALED_BYTES};

const KEY: [u8; 32] = [7; 32];
const PAN: &[u8] = b"9999990000000015";

fn vault(salt: u8) -> CardVault {
    CardVault::new(KEY, [salt; 16])
}

fn sealed(vault: &CardVault, digits: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(vault.seal(digits, vault.card(digits).unwrap().hash, &mut out));
    out
}

#[test]
fn a_card_is_known_again_and_only_with_the_key() {
    let card = vault(1).card(PAN).unwrap();
    assert_eq!(card, vault(2).card(PAN).unwrap());
    let other = CardVault::new([8; 32], [1; 16]).card(PAN).unwrap();
    assert_ne!(card.hash, other.hash);
    assert_ne!(card.hash, vault(1).card(b"9999990000000023").unwrap().hash);
    assert_eq!(card.pan.to_string(), "999999******0015");
}

#[test]
fn what_was_sealed_opens_in_this_process_and_in_a_later_one() {
    for digits in [b"123456789012".as_slice(), PAN, b"1234567890123456789"] {
        let first = vault(1);
        let bytes = sealed(&first, digits);
        assert_eq!(bytes.len(), SEALED_BYTES);
        let card = first.card(digits).unwrap().hash;
        for vault in [first, vault(2)] {
            // A second time, with the cipher at hand.
            for _ in 0..2 {
                assert_eq!(vault.open(&bytes, card).unwrap().digits(), digits);
            }
        }
    }
}

#[test]
fn the_same_number_is_sealed_differently_every_time() {
    let vault = vault(1);
    assert_ne!(sealed(&vault, PAN), sealed(&vault, PAN));
}

#[test]
fn it_opens_for_its_own_card_only_and_not_when_damaged() {
    let vault = vault(1);
    let bytes = sealed(&vault, PAN);
    let card = vault.card(PAN).unwrap().hash;
    let other = vault.card(b"9999990000000023").unwrap().hash;
    assert!(vault.open(&bytes, other).is_none());
    assert!(
        CardVault::new([8; 32], [1; 16])
            .open(&bytes, card)
            .is_none()
    );
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        assert!(vault.open(&damaged, card).is_none(), "byte {place}");
        assert!(vault.open(&bytes[..place], card).is_none(), "{place} bytes");
    }
}

#[test]
fn nothing_shows_a_number() {
    let vault = vault(1);
    let pan = super::ClearPan::new(PAN).unwrap();
    assert_eq!(
        format!("{pan:?} {vault:?}"),
        "ClearPan(16 digits) CardVault"
    );
    let bytes = sealed(&vault, PAN);
    assert!(
        !bytes
            .windows(6)
            .any(|part| PAN.windows(6).any(|digits| digits == part))
    );
}

#[test]
fn what_is_no_card_number_is_refused() {
    let vault = vault(1);
    assert!(vault.card(b"12345678901").is_err());
    assert!(vault.card(b"99999900000000x5").is_err());
    let card = vault.card(PAN).unwrap().hash;
    assert!(!vault.seal(&[b'1'; 20], card, &mut Vec::new()));
}
