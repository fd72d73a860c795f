//! The one folder of a switch: configuration, data, secrets, control socket.
//!
//! ```text
//! DIR/torap.toml       ports, threads, queue sizes (optional)
//! DIR/network.toml     participants, limits, balances that seed an empty journal (optional)
//! DIR/data/journal/    segments        DIR/data/index/  RocksDB        DIR/data/snapshots/
//! DIR/secrets/HSBK.secret              a participant's sign-on secret, mode 0600
//! DIR/evidence.key                     key of the original messages at rest, mode 0600
//! DIR/hsm/                             a laboratory's simulated HSM: its token, and keys/ of the participants
//! DIR/card.key                         key of hashed and sealed card numbers, mode 0600
//! DIR/card-keys.toml                   key blocks of card participants under the HSM's master key, mode 0600
//! DIR/control.sock                     operator's door, for this user and root
//! ```

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a secret or key; files hold them as hexadecimal digits.
pub const SECRET_BYTES: usize = 32;

#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The given folder, else `TORAP_DIR`, else `~/.local/share/torap`.
    pub fn choose(given: Option<&Path>) -> Folder {
        let root = match (
            given,
            std::env::var_os("TORAP_DIR"),
            std::env::var_os("HOME"),
        ) {
            (Some(path), _, _) => path.to_path_buf(),
            (None, Some(path), _) if !path.is_empty() => PathBuf::from(path),
            (None, _, Some(home)) => Path::new(&home).join(".local/share/torap"),
            (None, _, None) => PathBuf::from("torap-data"),
        };
        Folder { root }
    }

    /// Makes the folders that a switch needs, for the owner only.
    ///
    /// # Errors
    /// Names the folder that cannot be made.
    pub fn create(&self) -> Result<(), String> {
        for folder in [
            self.root.clone(),
            self.journal(),
            self.index(),
            self.snapshots(),
            self.secrets(),
        ] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| {
                    format!("{}: cannot make the folder: {error}", folder.display())
                })?;
        }
        Ok(())
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn configuration(&self) -> PathBuf {
        self.root.join("torap.toml")
    }

    pub fn network(&self) -> PathBuf {
        self.root.join("network.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.root.join("data/journal")
    }

    pub fn index(&self) -> PathBuf {
        self.root.join("data/index")
    }

    pub fn snapshots(&self) -> PathBuf {
        self.root.join("data/snapshots")
    }

    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// The file of a participant's secret; `code` must be one of a participant (letters and digits).
    pub fn secret(&self, code: &str) -> PathBuf {
        self.secrets().join(format!("{code}.secret"))
    }

    pub fn control(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    pub fn evidence_key(&self) -> PathBuf {
        self.root.join("evidence.key")
    }

    /// A laboratory's simulated HSM.
    pub fn hsm(&self) -> PathBuf {
        self.root.join("hsm")
    }

    /// Key of the hash and the sealed form of card numbers.
    pub fn card_key(&self) -> PathBuf {
        self.root.join("card.key")
    }

    /// Key blocks of card participants, under the HSM's master key.
    pub fn card_keys(&self) -> PathBuf {
        self.root.join("card-keys.toml")
    }
}

/// 32 random bytes.
///
/// # Errors
/// The operating system gives no randomness.
pub fn random_bytes() -> Result<[u8; SECRET_BYTES], String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| "the operating system gives no randomness".to_string())?;
    Ok(bytes)
}

/// Reads a secret file: 64 hexadecimal digits, and nobody but the owner may read it.
///
/// # Errors
/// Names the file and what is wrong with it; never shows its content.
pub fn read_secret(path: &Path) -> Result<[u8; SECRET_BYTES], String> {
    let place = path.display();
    let mut file = fs::File::open(path)
        .map_err(|error| format!("{place}: cannot open the secret: {error}"))?;
    let mode = file
        .metadata()
        .map_err(|error| format!("{place}: {error}"))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "{place}: mode is {:04o}, others may read the secret; run `chmod 600 {place}`",
            mode & 0o7777
        ));
    }
    let mut text = String::new();
    Read::by_ref(&mut file)
        .take(256)
        .read_to_string(&mut text)
        .map_err(|error| format!("{place}: {error}"))?;
    parse_hex(text.trim())
        .ok_or_else(|| format!("{place}: must hold {} hexadecimal digits", SECRET_BYTES * 2))
}

/// Writes a new secret file with mode 0600; an existing one is never overwritten.
///
/// # Errors
/// Names the file that cannot be written.
pub fn write_secret(path: &Path, secret: &[u8; SECRET_BYTES]) -> Result<(), String> {
    let mut text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| format!("{}: cannot write the secret: {error}", path.display()))
}

/// Reads a secret, or makes it when the file is not there.
///
/// # Errors
/// As `read_secret` and `write_secret`.
pub fn read_or_create_secret(path: &Path) -> Result<[u8; SECRET_BYTES], String> {
    if path.exists() {
        return read_secret(path);
    }
    let secret = random_bytes()?;
    write_secret(path, &secret)?;
    Ok(secret)
}

fn parse_hex(text: &str) -> Option<[u8; SECRET_BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != SECRET_BYTES * 2 {
        return None;
    }
    let mut bytes = [0; SECRET_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}
