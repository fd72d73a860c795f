//! A client of a simulated bank's control socket.

use std::path::Path;

use serde_json::Value;
use torap_bank::Request;

use crate::socket::JsonSocket;

#[derive(Debug)]
pub struct BankClient(JsonSocket);

impl BankClient {
    /// # Errors
    /// No bank listens there.
    pub fn connect(path: &Path) -> Result<BankClient, String> {
        JsonSocket::connect(path, "is `torap bank run` running on this --dir?").map(BankClient)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The bank refuses, or has gone.
    pub fn ask(&mut self, request: &Request) -> Result<Value, String> {
        let mut answer = self.0.exchange(request)?;
        match answer.get("refused").and_then(Value::as_str) {
            Some(refused) => Err(refused.to_string()),
            None => Ok(answer["result"].take()),
        }
    }
}
