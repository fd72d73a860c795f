use cmac::{Cmac, Mac};
use proptest::prelude::*;
use torap_hsm::{KeyUsage, MacMethod, Padding};

use super::*;
use crate::known_answers;
use crate::mac::MacKey;

#[test]
fn known_answers_hold() {
    known_answers::check_all(&SoftVault::new([3; 32]));
}

#[test]
fn randomness_follows_the_seed_alone() {
    let draw = |seed: [u8; 32]| {
        let vault = SoftVault::new(seed);
        let mut out = [0; 40];
        vault.fill_random(&mut out[..7]).expect("random");
        vault.fill_random(&mut out[7..]).expect("random");
        out
    };
    assert_eq!(draw([1; 32]), draw([1; 32]));
    assert_ne!(draw([1; 32]), draw([2; 32]));
    let out = draw([1; 32]);
    assert_ne!(out[7..23], out[23..39]);
}

#[test]
fn part_blocks_and_odd_keys_are_faults() {
    let vault = SoftVault::new([3; 32]);
    for (cipher, length) in [(Cipher::Tdes, 8), (Cipher::Tdes, 32), (Cipher::Aes, 20)] {
        assert!(vault.load(cipher, &vec![1; length]).is_err());
    }
    let key = vault.load(Cipher::Aes, &[1; 16]).expect("a key");
    assert!(vault.encrypt(&key, &mut [0; 15]).is_err());
    assert!(vault.encrypt_cbc(&key, &[0; 8], &mut [0; 16]).is_err());
    assert!(vault.master_cmac(b"").is_err());
}

/// Algorithm 3 as the standard describes it, with plain DES.
fn algorithm_3_by_the_book(key: &[u8; 16], padding: Padding, data: &[u8]) -> [u8; 8] {
    use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
    let mut text = data.to_vec();
    if padding == Padding::Method2 {
        text.push(0x80);
    }
    while text.is_empty() || !text.len().is_multiple_of(8) {
        text.push(0);
    }
    let des = |half: &[u8]| des::Des::new_from_slice(half).expect("8 bytes");
    let (first, second) = (des(&key[..8]), des(&key[8..]));
    let mut state = Array([0; 8]);
    for block in text.chunks(8) {
        state.iter_mut().zip(block).for_each(|(a, b)| *a ^= b);
        first.encrypt_block(&mut state);
    }
    second.decrypt_block(&mut state);
    first.encrypt_block(&mut state);
    state.0
}

proptest! {
    #[test]
    fn macs_are_those_of_other_implementations(
        key in any::<[u8; 16]>(),
        data in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let vault = SoftVault::new([3; 32]);
        for padding in [Padding::Method1, Padding::Method2] {
            let own = MacKey::load(&vault, KeyUsage::MacAlgorithm3, &key).expect("a key");
            let own = own.mac(&vault, MacMethod::Algorithm3(padding), &data).expect("a MAC");
            prop_assert_eq!(own.as_bytes(), &algorithm_3_by_the_book(&key, padding, &data)[..]);
        }
        let own = MacKey::load(&vault, KeyUsage::MacCmac, &key).expect("a key");
        let own = own.mac(&vault, MacMethod::AesCmac, &data).expect("a MAC");
        let mut other = Cmac::<Aes128>::new_from_slice(&key).expect("a key");
        other.update(&data);
        prop_assert_eq!(own.as_bytes(), &other.finalize().into_bytes()[..]);
    }
}
