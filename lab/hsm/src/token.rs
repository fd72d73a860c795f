//! A PKCS#11 token, SoftHSM2, that holds the master key and computes with every other one.
//!
//! The master key is an AES key of the token that may sign and nothing else: it makes CMACs, from which the keys that
//! protect key blocks are derived. Zone keys are session objects: they live as long as the key cache holds them, and
//! are never written anywhere.

mod folder;
mod library;
mod vault;

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use crate::vault::Fault;

pub use folder::{CONFIGURATION_VARIABLE, TokenFolder};
pub use vault::{TokenKey, TokenVault};

const TOKEN_LABEL: &str = "torap-hsm";
const MASTER_KEY_LABEL: &str = "torap-master-key";
const MASTER_KEY_BYTES: u64 = 32;

/// An open token with its master key. Cheap to clone: every thread makes its own [`TokenVault`] from it.
#[derive(Clone)]
pub struct Token {
    pkcs11: Pkcs11,
    slot: Slot,
    pin: AuthPin,
}

impl Token {
    /// Opens the token in a folder; makes token and master key if they are not there.
    ///
    /// The library reads where its tokens are from the environment, once: the process must have been started with
    /// [`CONFIGURATION_VARIABLE`] set to [`TokenFolder::configuration`].
    ///
    /// # Errors
    /// [`Fault`] says in words what is missing and what to do about it.
    pub fn open(folder: &TokenFolder) -> Result<Token, Fault> {
        folder.check_environment()?;
        let _guard = folder.lock()?;
        let pkcs11 = load(library::find()?)?;
        let pins = folder.pins()?;
        let slot = match find_slot(&pkcs11)? {
            Some(slot) => slot,
            None => {
                let free = pkcs11
                    .get_slots_with_token()
                    .map_err(|e| fault("slots", &e))?;
                let free = *free
                    .last()
                    .ok_or_else(|| Fault("the token library has no slot".into()))?;
                pkcs11
                    .init_token(free, &pins.security_officer, TOKEN_LABEL)
                    .map_err(|e| fault("making the token", &e))?;
                find_slot(&pkcs11)?.ok_or_else(|| Fault("the new token is not there".into()))?
            }
        };
        let info = pkcs11
            .get_token_info(slot)
            .map_err(|e| fault("the token", &e))?;
        if !info.user_pin_initialized() {
            let session = pkcs11
                .open_rw_session(slot)
                .map_err(|e| fault("a session", &e))?;
            session
                .login(UserType::So, Some(&pins.security_officer))
                .map_err(|e| fault("the security officer's login", &e))?;
            session
                .init_pin(&pins.user)
                .map_err(|e| fault("setting the user's PIN", &e))?;
            // Closing the session ends the login.
        }
        let token = Token {
            pkcs11,
            slot,
            pin: pins.user,
        };
        let session = token.session(true)?;
        if find_master_key(&session)?.is_none() {
            make_master_key(&session)?;
        }
        Ok(token)
    }

    /// A vault for the thread that asks.
    ///
    /// # Errors
    /// The token refuses a session, or has lost its master key.
    pub fn vault(&self) -> Result<TokenVault, Fault> {
        let session = self.session(false)?;
        let master = find_master_key(&session)?;
        let master = master.ok_or_else(|| Fault("the token has no master key".into()))?;
        let version = self.pkcs11.get_library_info();
        let version = version.map_err(|e| fault("the library", &e))?;
        let name = format!(
            "torap hsm-sim on {} {}",
            version.library_description().trim(),
            version.library_version()
        );
        Ok(TokenVault::new(
            self.pkcs11.clone(),
            self.slot,
            session,
            master,
            name,
        ))
    }

    /// A session that is logged in; the login is the whole process's.
    fn session(&self, writes: bool) -> Result<Session, Fault> {
        let session = if writes {
            self.pkcs11.open_rw_session(self.slot)
        } else {
            self.pkcs11.open_ro_session(self.slot)
        };
        let session = session.map_err(|e| fault("a session", &e))?;
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(fault("the user's login", &error)),
        }
    }
}

fn load(path: &Path) -> Result<Pkcs11, Fault> {
    let pkcs11 =
        Pkcs11::new(path).map_err(|e| fault(&format!("loading {}", path.display()), &e))?;
    match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(pkcs11),
        Err(error) => Err(fault("starting the token library", &error)),
    }
}

fn find_slot(pkcs11: &Pkcs11) -> Result<Option<Slot>, Fault> {
    let slots = pkcs11.get_slots_with_initialized_token();
    for slot in slots.map_err(|e| fault("slots", &e))? {
        let info = pkcs11.get_token_info(slot);
        if info.map_err(|e| fault("a token", &e))?.label() == TOKEN_LABEL {
            return Ok(Some(slot));
        }
    }
    Ok(None)
}

fn find_master_key(session: &Session) -> Result<Option<ObjectHandle>, Fault> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Label(MASTER_KEY_LABEL.into()),
    ];
    let found = session
        .find_objects(&template)
        .map_err(|e| fault("looking for the master key", &e))?;
    Ok(found.first().copied())
}

/// Made in the token, never to leave it, good for CMACs alone.
fn make_master_key(session: &Session) -> Result<(), Fault> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(MASTER_KEY_LABEL.into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Sign(true),
        Attribute::Verify(false),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
        Attribute::ValueLen(MASTER_KEY_BYTES.into()),
    ];
    session
        .generate_key(&Mechanism::AesKeyGen, &template)
        .map(|_| ())
        .map_err(|e| fault("making the master key", &e))
}

/// What went wrong, in the library's words: a function and a return code, never data.
fn fault(what: &str, error: &Error) -> Fault {
    Fault(format!("{what}: {error}"))
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
