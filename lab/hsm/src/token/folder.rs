//! The folder of a token: SoftHSM2's configuration, its files, the PINs that open it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cryptoki::types::AuthPin;
use ring::rand::{SecureRandom, SystemRandom};
use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use crate::vault::Fault;

/// Tells SoftHSM2 where its configuration is.
pub const CONFIGURATION_VARIABLE: &str = "SOFTHSM2_CONF";

/// Bytes of randomness in each PIN of the token.
const PIN_BYTES: usize = 16;

/// A folder, mode 0700, that holds one token:
///
/// ```text
/// softhsm2.conf   where the token's files are
/// tokens/         the token: the master key, encrypted under the user's PIN
/// pins            the security officer's and the user's PIN, mode 0600
/// lock            held while the token is opened or made
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFolder(PathBuf);

/// The PINs that open a token; nothing to do with cardholders'.
pub(super) struct Pins {
    pub(super) security_officer: AuthPin,
    pub(super) user: AuthPin,
}

impl TokenFolder {
    /// Makes the folder and SoftHSM2's configuration in it, if they are not there.
    ///
    /// # Errors
    /// A file or folder cannot be made.
    pub fn prepare(dir: &Path) -> Result<TokenFolder, Fault> {
        let tokens = dir.join("tokens");
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(&tokens)
            .map_err(|error| at(&tokens, &error))?;
        // SoftHSM2 may change its folder before it reads the file.
        let dir = fs::canonicalize(dir).map_err(|error| at(dir, &error))?;
        let folder = TokenFolder(dir);
        let path = folder.configuration();
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            folder.0.join("tokens").display()
        );
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(&path, text).map_err(|error| at(&path, &error))?;
        }
        Ok(folder)
    }

    /// The value that [`CONFIGURATION_VARIABLE`] must have in the process that opens the token.
    pub fn configuration(&self) -> PathBuf {
        self.0.join("softhsm2.conf")
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Is this process's environment the one that the token library needs?
    ///
    /// # Errors
    /// It is not.
    pub fn check_environment(&self) -> Result<(), Fault> {
        if std::env::var_os(CONFIGURATION_VARIABLE)
            .is_some_and(|value| Path::new(&value) == self.configuration())
        {
            return Ok(());
        }
        Err(Fault(format!(
            "start this process with {CONFIGURATION_VARIABLE}={}",
            self.configuration().display()
        )))
    }

    /// One process at a time makes or opens the token; the lock goes with the file.
    pub(super) fn lock(&self) -> Result<File, Fault> {
        let path = self.0.join("lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(|error| at(&path, &error))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| at(&path, &error.into()))?;
        Ok(file)
    }

    /// The token's PINs, made at random the first time.
    pub(super) fn pins(&self) -> Result<Pins, Fault> {
        let path = self.0.join("pins");
        let mut text = Zeroizing::new(String::new());
        match File::open(&path) {
            Ok(mut file) => {
                file.read_to_string(&mut text)
                    .map_err(|error| at(&path, &error))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                for _ in 0..2 {
                    text.push_str(&random_pin()?);
                    text.push('\n');
                }
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                let mut file = options.open(&path).map_err(|error| at(&path, &error))?;
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|error| at(&path, &error))?;
            }
            Err(error) => return Err(at(&path, &error)),
        }
        let mut lines = text.lines().filter(|line| line.len() == 2 * PIN_BYTES);
        match (lines.next(), lines.next()) {
            (Some(security_officer), Some(user)) => Ok(Pins {
                security_officer: AuthPin::new(security_officer.into()),
                user: AuthPin::new(user.into()),
            }),
            _ => Err(Fault(format!(
                "{}: two lines of {} characters are wanted; remove the whole folder to begin anew",
                path.display(),
                2 * PIN_BYTES
            ))),
        }
    }
}

fn random_pin() -> Result<Zeroizing<String>, Fault> {
    let mut bytes = Zeroizing::new([0; PIN_BYTES]);
    SystemRandom::new()
        .fill(&mut bytes[..])
        .map_err(|_| Fault("the system gives no randomness".into()))?;
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    Ok(Zeroizing::new(digits.collect()))
}

fn at(path: &Path, error: &std::io::Error) -> Fault {
    Fault(format!("{}: {error}", path.display()))
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pins(…)")
    }
}
