//! One JSON object a line over a Unix socket: the transport of the operator's protocol and of bank scripts.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use serde::Serialize;
use serde_json::Value;

/// A blocking connection.
#[derive(Debug)]
pub struct JsonSocket {
    stream: BufReader<UnixStream>,
    name: String,
}

impl JsonSocket {
    /// # Errors
    /// Nobody listens at the path; `hint` says what to start.
    pub fn connect(path: &Path, hint: &str) -> Result<JsonSocket, String> {
        let name = path.display().to_string();
        let stream = UnixStream::connect(path)
            .map_err(|error| format!("{name}: nobody answers there ({error}); {hint}"))?;
        Ok(JsonSocket {
            stream: BufReader::new(stream),
            name,
        })
    }

    /// Sends one object and waits for the answer.
    ///
    /// # Errors
    /// The connection broke, or the answer is no JSON.
    pub fn exchange(&mut self, request: &impl Serialize) -> Result<Value, String> {
        let fail = |name: &str, error: &dyn std::fmt::Display| format!("{name}: {error}");
        let mut line = serde_json::to_string(request).map_err(|error| fail(&self.name, &error))?;
        line.push('\n');
        self.stream
            .get_mut()
            .write_all(line.as_bytes())
            .map_err(|error| fail(&self.name, &error))?;
        let mut answer = String::new();
        let read = self
            .stream
            .read_line(&mut answer)
            .map_err(|error| fail(&self.name, &error))?;
        if read == 0 {
            return Err(fail(&self.name, &"the other side closed the connection"));
        }
        serde_json::from_str(&answer).map_err(|error| fail(&self.name, &error))
    }
}
