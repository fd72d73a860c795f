//! docs/wire.md is enough to write a client: the one in docs/examples is in Python and uses nothing of ours.

use std::process::Command;

use serde_json::json;
use torap_bank::Request as BankRequest;
use torap_node::demo::customer_of;

use crate::program::lab;

#[test]
fn the_python_client_signs_on_and_is_answered() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: python3 is not there");
        return;
    }
    let (dir, lab) = lab();
    // Halyk's simulated bank makes room for the stranger.
    // It may be gone before it has answered.
    let _ = lab.bank("HSBK", &BankRequest::Stop);
    let customer = customer_of("HSBK", 70).expect("customer");
    let command = json!({
        "command": "register", "reference": "PY-1", "phone": customer.phone.to_string(), "person": customer.person.to_string(),
        "iban": customer.iban.as_str(), "name": customer.name,
    });
    let file = dir.path().join("command.json");
    std::fs::write(&file, command.to_string()).expect("write");
    let script = "../docs/examples/client.py";
    let output = Command::new("python3")
        .arg(script)
        .args([
            "--host",
            "127.0.0.1",
            "--port",
            &lab.address().port().to_string(),
        ])
        .args([
            "--participant",
            "HSBK",
            "--bic",
            "HSBKKZKX",
            "--mode",
            "LIVE",
        ])
        .arg("--secret")
        .arg(lab.folder().secret("HSBK"))
        .arg("--state")
        .arg(dir.path().join("HSBK.held"))
        .arg(&file)
        .output()
        .expect("python3 runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(
        text.contains("PY-1") && text.contains("accepted") && text.contains("true"),
        "{text}\n{errors}"
    );
}
