//! MACs over messages: ISO/IEC 9797-1 algorithm 3 from Triple DES alone, and AES-CMAC.

use torap_hsm::{KeyUsage, Mac, MacMethod, Padding, Status};
use zeroize::Zeroizing;

use crate::cmac::CmacKey;
use crate::vault::{Cipher, Refusal, Vault};

/// Bytes of an algorithm 3 key: the two DES keys.
const ALGORITHM_3_KEY_BYTES: usize = 16;

/// A key ready to make MACs with.
pub(crate) enum MacKey<K> {
    /// `chain` is the first half three times over, which makes Triple DES plain DES; `last` is the whole key. The last
    /// block under the whole key is at once the last step of CBC and the output transformation.
    Algorithm3 {
        chain: K,
        last: K,
    },
    Cmac(CmacKey<K>),
}

impl<K> MacKey<K> {
    /// For a key of usage M3 or M6.
    pub(crate) fn load<V: Vault<Key = K>>(
        vault: &V,
        usage: KeyUsage,
        clear: &[u8],
    ) -> Result<MacKey<K>, Refusal> {
        match usage {
            KeyUsage::MacAlgorithm3 => {
                let halves: &[u8; ALGORITHM_3_KEY_BYTES] =
                    clear.try_into().map_err(|_| Status::KeyAlgorithmRefused)?;
                let mut thrice = Zeroizing::new([0; 24]);
                for part in thrice.chunks_exact_mut(8) {
                    part.copy_from_slice(&halves[..8]);
                }
                Ok(MacKey::Algorithm3 {
                    chain: vault.load(Cipher::Tdes, &thrice[..])?,
                    last: vault.load(Cipher::Tdes, halves)?,
                })
            }
            KeyUsage::MacCmac => {
                let key = vault.load(Cipher::Aes, clear)?;
                Ok(MacKey::Cmac(CmacKey::new(vault, Cipher::Aes, key)?))
            }
            _ => Err(Status::KeyUsageRefused.into()),
        }
    }

    /// The whole MAC.
    pub(crate) fn mac<V: Vault<Key = K>>(
        &self,
        vault: &V,
        method: MacMethod,
        data: &[u8],
    ) -> Result<Mac, Refusal> {
        let mac = match (self, method) {
            (MacKey::Algorithm3 { chain, last }, MacMethod::Algorithm3(padding)) => {
                Mac::from_bytes(&algorithm_3(vault, chain, last, padding, data)?)
            }
            (MacKey::Cmac(key), MacMethod::AesCmac) => Mac::from_bytes(&key.mac(vault, data)?),
            _ => return Err(Status::KeyUsageRefused.into()),
        };
        mac.ok_or(Refusal::Status(Status::InternalFault))
    }
}

fn algorithm_3<V: Vault>(
    vault: &V,
    chain: &V::Key,
    last: &V::Key,
    padding: Padding,
    data: &[u8],
) -> Result<[u8; 8], Refusal> {
    let mut text = Zeroizing::new(Vec::with_capacity(data.len() + 8));
    text.extend_from_slice(data);
    if padding == Padding::Method2 {
        text.push(0x80);
    }
    let bytes = text.len().div_ceil(8).max(1) * 8;
    text.resize(bytes, 0);
    let (head, tail) = text.split_at_mut(bytes - 8);
    if let Some(start) = head.len().checked_sub(8) {
        vault.chain(chain, head)?;
        for (byte, before) in tail.iter_mut().zip(&head[start..]) {
            *byte ^= before;
        }
    }
    vault.encrypt(last, tail)?;
    let mut mac = [0; 8];
    mac.copy_from_slice(tail);
    Ok(mac)
}
