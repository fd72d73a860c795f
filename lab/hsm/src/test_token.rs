//! A token of its own for a test. SoftHSM2 reads where its tokens are from the environment, once a process, and the
//! environment of a running process cannot be changed safely: so the test runs itself again, alone, in a new process.

use std::process::Command;

use crate::token::{CONFIGURATION_VARIABLE, Token, TokenFolder};

/// Set in the process that runs one test with its token.
const FOLDER_VARIABLE: &str = "TORAP_TEST_TOKEN";

/// Runs `body` with a new token; `test` is the full name of the test that calls.
pub(crate) fn with_token(test: &str, body: impl FnOnce(&TokenFolder, Token)) {
    if let Some(dir) = std::env::var_os(FOLDER_VARIABLE) {
        let folder = TokenFolder::prepare(dir.as_ref()).expect("a folder");
        let token = Token::open(&folder).unwrap_or_else(|fault| panic!("{fault}"));
        return body(&folder, token);
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = TokenFolder::prepare(dir.path()).expect("a folder");
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER_VARIABLE, dir.path())
        .env(CONFIGURATION_VARIABLE, folder.configuration())
        .output()
        .expect("this program runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{test} in a process of its own:\n{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
