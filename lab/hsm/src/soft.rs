//! The HSM's cryptography in software: for simulated banks, which are their own HSM, and for a whole HSM in memory that
//! a simulator drives. No part of the switch links it.
//!
//! Deterministic: what is random comes from a seed.

mod bank;
mod hsm;

use std::cell::RefCell;
use std::fmt;

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use des::{TdesEde2, TdesEde3};

use crate::cmac::CmacKey;
use crate::vault::{Cipher, Fault, Vault};

pub use bank::{BankError, BankKeys, KeyAge, ZoneKey};
pub use hsm::SoftHsm;

/// Keys in this process's memory, wiped when dropped.
pub struct SoftVault {
    random: RefCell<Random>,
    master: Option<CmacKey<SoftKey>>,
}

/// A key schedule, wiped when dropped.
pub struct SoftKey(Schedule);

enum Schedule {
    Tdes2(Box<TdesEde2>),
    Tdes3(Box<TdesEde3>),
    Aes128(Box<Aes128>),
    Aes192(Box<Aes192>),
    Aes256(Box<Aes256>),
}

/// Runs the same code for whichever cipher it is.
macro_rules! with_cipher {
    ($key:expr, $cipher:ident => $body:expr) => {
        match &$key.0 {
            Schedule::Tdes2($cipher) => $body,
            Schedule::Tdes3($cipher) => $body,
            Schedule::Aes128($cipher) => $body,
            Schedule::Aes192($cipher) => $body,
            Schedule::Aes256($cipher) => $body,
        }
    };
}

/// AES-256 in counter mode from a seed.
struct Random {
    cipher: Box<Aes256>,
    counter: u128,
}

impl SoftVault {
    /// A vault without a master key: a bank's.
    pub fn new(seed: [u8; 32]) -> SoftVault {
        SoftVault {
            random: RefCell::new(Random {
                cipher: Box::new(Aes256::new(&Array(seed))),
                counter: 0,
            }),
            master: None,
        }
    }

    /// A vault with a master key of 32 bytes: an HSM's.
    pub fn with_master(master: &[u8; 32], seed: [u8; 32]) -> Result<SoftVault, Fault> {
        let mut vault = SoftVault::new(seed);
        let key = vault.load(Cipher::Aes, master)?;
        vault.master = Some(CmacKey::new(&vault, Cipher::Aes, key)?);
        Ok(vault)
    }
}

impl Vault for SoftVault {
    type Key = SoftKey;

    fn load(&self, cipher: Cipher, clear: &[u8]) -> Result<SoftKey, Fault> {
        let schedule = match (cipher, clear.len()) {
            (Cipher::Tdes, 16) => TdesEde2::new_from_slice(clear)
                .map(Box::new)
                .map(Schedule::Tdes2),
            (Cipher::Tdes, _) => TdesEde3::new_from_slice(clear)
                .map(Box::new)
                .map(Schedule::Tdes3),
            (Cipher::Aes, 16) => Aes128::new_from_slice(clear)
                .map(Box::new)
                .map(Schedule::Aes128),
            (Cipher::Aes, 24) => Aes192::new_from_slice(clear)
                .map(Box::new)
                .map(Schedule::Aes192),
            (Cipher::Aes, _) => Aes256::new_from_slice(clear)
                .map(Box::new)
                .map(Schedule::Aes256),
        };
        schedule
            .map(SoftKey)
            .map_err(|_| Fault("a key of this length does not exist".into()))
    }

    fn encrypt(&self, key: &SoftKey, blocks: &mut [u8]) -> Result<(), Fault> {
        with_cipher!(key, cipher => each_block(cipher.as_ref(), blocks, |block| {
            cipher.encrypt_block(block);
        }))
    }

    fn decrypt(&self, key: &SoftKey, blocks: &mut [u8]) -> Result<(), Fault> {
        with_cipher!(key, cipher => each_block(cipher.as_ref(), blocks, |block| {
            cipher.decrypt_block(block);
        }))
    }

    fn encrypt_cbc(&self, key: &SoftKey, initial: &[u8], data: &mut [u8]) -> Result<(), Fault> {
        with_cipher!(key, cipher => {
            let mut before = initial_block(cipher.as_ref(), initial)?;
            each_block(cipher.as_ref(), data, |block| {
                xor(block, &before);
                cipher.encrypt_block(block);
                before.copy_from_slice(block);
            })
        })
    }

    fn decrypt_cbc(&self, key: &SoftKey, initial: &[u8], data: &mut [u8]) -> Result<(), Fault> {
        with_cipher!(key, cipher => {
            let mut before = initial_block(cipher.as_ref(), initial)?;
            each_block(cipher.as_ref(), data, |block| {
                let encrypted = *block;
                cipher.decrypt_block(block);
                xor(block, &before);
                before = encrypted;
            })
        })
    }

    fn chain(&self, key: &SoftKey, data: &mut [u8]) -> Result<(), Fault> {
        let zeros = [0; 16];
        let bytes = with_cipher!(key, cipher => block_bytes(cipher.as_ref()));
        self.encrypt_cbc(key, &zeros[..bytes], data)
    }

    fn master_cmac(&self, data: &[u8]) -> Result<[u8; 16], Fault> {
        let master = self.master.as_ref();
        let master = master.ok_or_else(|| Fault("this vault has no master key".into()))?;
        master.mac(self, data)
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<(), Fault> {
        let mut random = self.random.borrow_mut();
        for part in out.chunks_mut(16) {
            let mut block = Array(random.counter.to_be_bytes());
            random.cipher.encrypt_block(&mut block);
            random.counter = random.counter.wrapping_add(1);
            part.copy_from_slice(&block[..part.len()]);
        }
        Ok(())
    }

    fn name(&self) -> String {
        "torap hsm in memory".into()
    }
}

fn block_bytes<C: BlockSizeUser>(_: &C) -> usize {
    C::block_size()
}

fn each_block<C: BlockSizeUser>(
    _: &C,
    data: &mut [u8],
    mut work: impl FnMut(&mut Array<u8, C::BlockSize>),
) -> Result<(), Fault> {
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(Fault("the data does not fill whole blocks".into()));
    }
    blocks.iter_mut().for_each(&mut work);
    Ok(())
}

fn initial_block<C: BlockSizeUser>(
    _: &C,
    initial: &[u8],
) -> Result<Array<u8, C::BlockSize>, Fault> {
    Array::try_from(initial).map_err(|_| Fault("the initial value does not fill a block".into()))
}

fn xor(block: &mut [u8], mask: &[u8]) {
    for (byte, mask) in block.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

impl fmt::Debug for SoftVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftVault(…)")
    }
}

impl fmt::Debug for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftKey(…)")
    }
}

#[cfg(test)]
mod tests;
