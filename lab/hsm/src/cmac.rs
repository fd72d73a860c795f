//! CMAC (NIST SP 800-38B, ISO/IEC 9797-1 algorithm 5) over any block cipher of a vault.

use zeroize::{Zeroize, Zeroizing};

use crate::vault::{Cipher, Fault, Vault};

/// A key with its two subkeys, made once.
pub(crate) struct CmacKey<K> {
    key: K,
    cipher: Cipher,
    whole: [u8; 16],
    padded: [u8; 16],
}

impl<K> CmacKey<K> {
    pub(crate) fn new<V: Vault<Key = K>>(
        vault: &V,
        cipher: Cipher,
        key: K,
    ) -> Result<CmacKey<K>, Fault> {
        let bytes = cipher.block_bytes();
        let mut zero = Zeroizing::new([0; 16]);
        vault.encrypt(&key, &mut zero[..bytes])?;
        let mut whole = [0; 16];
        whole[..bytes].copy_from_slice(&zero[..bytes]);
        double(&mut whole[..bytes]);
        let mut padded = whole;
        double(&mut padded[..bytes]);
        Ok(CmacKey {
            key,
            cipher,
            whole,
            padded,
        })
    }

    /// The MAC; its first 8 bytes with Triple DES, all 16 with AES.
    pub(crate) fn mac<V: Vault<Key = K>>(&self, vault: &V, data: &[u8]) -> Result<[u8; 16], Fault> {
        let bytes = self.cipher.block_bytes();
        let blocks = data.len().div_ceil(bytes).max(1);
        let mut text = Zeroizing::new(Vec::with_capacity(blocks * bytes));
        text.extend_from_slice(data);
        let subkey = if data.len() == blocks * bytes {
            &self.whole
        } else {
            text.push(0x80);
            text.resize(blocks * bytes, 0);
            &self.padded
        };
        let last = (blocks - 1) * bytes;
        for (byte, mask) in text[last..].iter_mut().zip(subkey) {
            *byte ^= mask;
        }
        vault.chain(&self.key, &mut text)?;
        let mut mac = [0; 16];
        mac[..bytes].copy_from_slice(&text[last..]);
        Ok(mac)
    }
}

impl<K> Drop for CmacKey<K> {
    fn drop(&mut self) {
        self.whole.zeroize();
        self.padded.zeroize();
    }
}

/// Times x in the field of the block's size, without a branch on the secret.
fn double(block: &mut [u8]) {
    let polynomial = if block.len() == 8 { 0x1B } else { 0x87 };
    let carry = block[0] >> 7;
    let mut next = 0;
    for byte in block.iter_mut().rev() {
        let out = *byte >> 7;
        *byte = (*byte << 1) | next;
        next = out;
    }
    if let Some(last) = block.last_mut() {
        *last ^= polynomial & 0u8.wrapping_sub(carry);
    }
}
