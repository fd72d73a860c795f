//! Computing in the token with as few calls as can be.
//!
//! A PKCS#11 operation is begun (`C_EncryptInit`), which costs several microseconds, and then fed. Electronic codebook
//! mode carries nothing from block to block, so an operation once begun is never ended: each key keeps one for
//! encryption and one for decryption, in sessions of their own, and a block costs one `C_EncryptUpdate`. Cipher block
//! chaining carries the last encrypted block along; adding it to the next text's first block takes it out again, so
//! that one endless operation makes every MAC.

use std::cell::RefCell;
use std::fmt;

use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use zeroize::Zeroizing;

use super::fault;
use crate::vault::{Cipher, Fault, Vault};

/// A thread's door to the token.
pub struct TokenVault {
    pkcs11: Pkcs11,
    slot: Slot,
    session: Session,
    master: ObjectHandle,
    name: String,
}

/// A session object, gone when its session closes, and the operations that have been begun with it.
pub struct TokenKey {
    cipher: Cipher,
    object: ObjectHandle,
    home: Session,
    encryption: RefCell<Option<Session>>,
    decryption: RefCell<Option<Session>>,
    chaining: RefCell<Option<Chaining>>,
}

/// An endless chaining operation and the last block that came out of it.
struct Chaining {
    session: Session,
    last: [u8; 16],
}

impl TokenVault {
    pub(super) fn new(
        pkcs11: Pkcs11,
        slot: Slot,
        session: Session,
        master: ObjectHandle,
        name: String,
    ) -> TokenVault {
        TokenVault {
            pkcs11,
            slot,
            session,
            master,
            name,
        }
    }

    fn open_session(&self) -> Result<Session, Fault> {
        let session = self.pkcs11.open_ro_session(self.slot);
        session.map_err(|e| fault("a session", &e))
    }

    /// Feeds an operation that is begun if it is not under way. After an error PKCS#11 ends the operation, so its
    /// session is given up.
    fn feed(
        &self,
        running: &RefCell<Option<Session>>,
        begin: impl FnOnce(&Session) -> Result<(), Error>,
        update: impl FnOnce(&Session) -> Result<Vec<u8>, Error>,
        blocks: &mut [u8],
    ) -> Result<(), Fault> {
        let mut running = running.borrow_mut();
        let session = match running.take() {
            Some(session) => session,
            None => {
                let session = self.open_session()?;
                begin(&session).map_err(|e| fault("beginning an operation", &e))?;
                session
            }
        };
        let done = update(&session).map_err(|e| fault("an operation", &e))?;
        put(done, blocks)?;
        *running = Some(session);
        Ok(())
    }
}

impl Vault for TokenVault {
    type Key = TokenKey;

    fn load(&self, cipher: Cipher, clear: &[u8]) -> Result<TokenKey, Fault> {
        let mut bytes = Zeroizing::new(clear.to_vec());
        let (key_type, lengths): (KeyType, &[usize]) = match cipher {
            Cipher::Tdes => (KeyType::DES3, &[16, 24]),
            Cipher::Aes => (KeyType::AES, &[16, 24, 32]),
        };
        if !lengths.contains(&clear.len()) {
            return Err(Fault("a key of this length does not exist".into()));
        }
        if cipher == Cipher::Tdes && clear.len() == 16 {
            let first = Zeroizing::new(clear[..8].to_vec());
            bytes.extend_from_slice(&first);
        }
        let home = self.open_session()?;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(key_type),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Value(std::mem::take(&mut *bytes)),
        ];
        let object = home
            .create_object(&template)
            .map_err(|e| fault("loading a key", &e));
        wipe(template);
        Ok(TokenKey {
            cipher,
            object: object?,
            home,
            encryption: RefCell::new(None),
            decryption: RefCell::new(None),
            chaining: RefCell::new(None),
        })
    }

    fn encrypt(&self, key: &TokenKey, blocks: &mut [u8]) -> Result<(), Fault> {
        let text = Zeroizing::new(blocks.to_vec());
        self.feed(
            &key.encryption,
            |session| session.encrypt_init(&codebook(key.cipher), key.object),
            |session| session.encrypt_update(&text),
            blocks,
        )
    }

    fn decrypt(&self, key: &TokenKey, blocks: &mut [u8]) -> Result<(), Fault> {
        let text = Zeroizing::new(blocks.to_vec());
        self.feed(
            &key.decryption,
            |session| session.decrypt_init(&codebook(key.cipher), key.object),
            |session| session.decrypt_update(&text),
            blocks,
        )
    }

    fn encrypt_cbc(&self, key: &TokenKey, initial: &[u8], data: &mut [u8]) -> Result<(), Fault> {
        let mechanism = chained(key.cipher, initial)?;
        let done = key.home.encrypt(&mechanism, key.object, data);
        put(done.map_err(|e| fault("encrypting", &e))?, data)
    }

    fn decrypt_cbc(&self, key: &TokenKey, initial: &[u8], data: &mut [u8]) -> Result<(), Fault> {
        let mechanism = chained(key.cipher, initial)?;
        let done = key.home.decrypt(&mechanism, key.object, data);
        put(done.map_err(|e| fault("decrypting", &e))?, data)
    }

    fn chain(&self, key: &TokenKey, data: &mut [u8]) -> Result<(), Fault> {
        let block_bytes = key.cipher.block_bytes();
        let Some(start_of_last) = data.len().checked_sub(block_bytes) else {
            return Ok(());
        };
        let mut chaining = key.chaining.borrow_mut();
        let mut running = match chaining.take() {
            Some(running) => running,
            None => {
                let session = self.open_session()?;
                let mechanism = chained(key.cipher, &[0; 16][..block_bytes])?;
                session
                    .encrypt_init(&mechanism, key.object)
                    .map_err(|e| fault("beginning a chain", &e))?;
                Chaining {
                    session,
                    last: [0; 16],
                }
            }
        };
        for (byte, last) in data.iter_mut().zip(&running.last[..block_bytes]) {
            *byte ^= last;
        }
        let done = running.session.encrypt_update(data);
        put(done.map_err(|e| fault("a chain", &e))?, data)?;
        running.last[..block_bytes].copy_from_slice(&data[start_of_last..]);
        *chaining = Some(running);
        Ok(())
    }

    fn master_cmac(&self, data: &[u8]) -> Result<[u8; 16], Fault> {
        let mac = self.session.sign(&Mechanism::AesCMac, self.master, data);
        let mac = Zeroizing::new(mac.map_err(|e| fault("the master key", &e))?);
        <[u8; 16]>::try_from(mac.as_slice())
            .map_err(|_| Fault("the token's CMAC is not 16 bytes long".into()))
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<(), Fault> {
        self.session
            .generate_random_slice(out)
            .map_err(|e| fault("randomness", &e))
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

fn codebook(cipher: Cipher) -> Mechanism<'static> {
    match cipher {
        Cipher::Tdes => Mechanism::Des3Ecb,
        Cipher::Aes => Mechanism::AesEcb,
    }
}

fn chained(cipher: Cipher, initial: &[u8]) -> Result<Mechanism<'static>, Fault> {
    let wrong = |_| Fault("the initial value does not fill a block".into());
    Ok(match cipher {
        Cipher::Tdes => Mechanism::Des3Cbc(initial.try_into().map_err(wrong)?),
        Cipher::Aes => Mechanism::AesCbc(initial.try_into().map_err(wrong)?),
    })
}

/// Copies what the token gave back, and wipes it.
fn put(done: Vec<u8>, place: &mut [u8]) -> Result<(), Fault> {
    let done = Zeroizing::new(done);
    if done.len() != place.len() {
        return Err(Fault("the data does not fill whole blocks".into()));
    }
    place.copy_from_slice(&done);
    Ok(())
}

/// Wipes the key value in a template.
fn wipe(template: [Attribute; 9]) {
    for attribute in template {
        if let Attribute::Value(value) = attribute {
            drop(Zeroizing::new(value));
        }
    }
}

impl fmt::Debug for TokenVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVault")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}
