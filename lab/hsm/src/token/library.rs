//! Where the token library is.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::vault::Fault;

/// Names another library than the usual ones.
const LIBRARY_VARIABLE: &str = "TORAP_PKCS11_LIBRARY";

/// Where distributions put SoftHSM2.
const USUAL: &[&str] = &[
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// # Errors
/// There is none; the text names what to install.
pub(super) fn find() -> Result<&'static Path, Fault> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        if let Some(named) = std::env::var_os(LIBRARY_VARIABLE) {
            return Some(PathBuf::from(named));
        }
        USUAL.iter().map(PathBuf::from).find(|path| path.is_file())
    });
    found.as_deref().ok_or_else(|| {
        Fault(format!(
            "SoftHSM2 is not installed: apt-get install softhsm2 (Debian, Ubuntu), or set {LIBRARY_VARIABLE} to libsofthsm2.so"
        ))
    })
}
