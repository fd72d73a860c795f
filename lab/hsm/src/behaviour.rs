//! How a simulated HSM misbehaves on command: for demonstrations and tests of those that depend on it.
//!
//! The command goes over a Unix socket in the HSM's folder, one line each way.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longest delay.
pub const DELAY_MS_MAX: u64 = 60_000;
/// Exit status of an HSM that was told to die.
pub const DIED: u8 = 3;

/// Longest line of a command.
const LINE_BYTES_MAX: u64 = 64;
/// Time that a command may take to arrive.
const LINE_TIME_MAX: Duration = Duration::from_secs(2);

/// What an HSM does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers at once.
    Normal,
    /// Answers what came together after this many milliseconds, at most 60,000; more waits meanwhile.
    Slow(u64),
    /// Takes requests and answers none.
    Silent,
    /// Ends at once, with status 3, answering nothing.
    Die,
}

impl FromStr for Behaviour {
    type Err = String;

    /// `normal`, `slow:MS`, `silent` or `die`.
    fn from_str(text: &str) -> Result<Behaviour, String> {
        match text.split_once(':') {
            None if text == "normal" => Ok(Behaviour::Normal),
            None if text == "silent" => Ok(Behaviour::Silent),
            None if text == "die" => Ok(Behaviour::Die),
            Some(("slow", delay_ms)) => {
                let delay_ms = delay_ms.parse().ok();
                let delay_ms = delay_ms.filter(|delay_ms| *delay_ms <= DELAY_MS_MAX);
                delay_ms
                    .map(Behaviour::Slow)
                    .ok_or_else(|| format!("slow takes milliseconds up to {DELAY_MS_MAX}"))
            }
            _ => Err("a behaviour is normal, slow:MS, silent or die".into()),
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behaviour::Normal => f.write_str("normal"),
            Behaviour::Slow(delay_ms) => write!(f, "slow:{delay_ms}"),
            Behaviour::Silent => f.write_str("silent"),
            Behaviour::Die => f.write_str("die"),
        }
    }
}

/// The behaviour in force, shared by all connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct InForce(Arc<AtomicU64>);

/// Above every delay.
const SILENT: u64 = u64::MAX;

impl InForce {
    pub(crate) fn get(&self) -> Behaviour {
        match self.0.load(Ordering::Relaxed) {
            0 => Behaviour::Normal,
            SILENT => Behaviour::Silent,
            delay_ms => Behaviour::Slow(delay_ms),
        }
    }

    pub(crate) fn set(&self, behaviour: Behaviour) {
        let number = match behaviour {
            Behaviour::Normal => 0,
            Behaviour::Slow(delay_ms) => delay_ms,
            Behaviour::Silent => SILENT,
            Behaviour::Die => std::process::exit(DIED.into()),
        };
        self.0.store(number, Ordering::Relaxed);
    }
}

/// Where the commands for the HSM in this folder go.
pub fn socket_of(dir: &Path) -> PathBuf {
    dir.join("control.sock")
}

/// Tells a running HSM how to behave.
///
/// # Errors
/// It does not run, or refuses.
pub fn command(dir: &Path, behaviour: Behaviour) -> Result<(), String> {
    let path = socket_of(dir);
    let ask = || -> io::Result<String> {
        let mut stream = UnixStream::connect(&path)?;
        writeln!(stream, "{behaviour}")?;
        read_line(&stream)
    };
    match ask() {
        Ok(answer) if answer == "ok" => Ok(()),
        // Who is told to die does not answer.
        Ok(answer) if answer.is_empty() && behaviour == Behaviour::Die => Ok(()),
        Ok(answer) => Err(answer),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Makes the socket for commands.
pub(crate) fn listen(dir: &Path) -> io::Result<UnixListener> {
    let path = socket_of(dir);
    if UnixStream::connect(&path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another HSM runs on this folder",
        ));
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(&path)
}

/// Takes commands until the process ends.
pub(crate) fn obey(listener: &UnixListener, in_force: &InForce) {
    for stream in listener.incoming().flatten() {
        let answer = match read_line(&stream).map(|line| line.parse()) {
            Ok(Ok(behaviour)) => {
                tracing::info!(%behaviour, "told how to behave");
                in_force.set(behaviour);
                "ok".into()
            }
            Ok(Err(text)) => text,
            Err(error) => error.to_string(),
        };
        // Who has gone does not want to know.
        let _ = writeln!(&stream, "{answer}");
    }
}

fn read_line(stream: &UnixStream) -> io::Result<String> {
    stream.set_read_timeout(Some(LINE_TIME_MAX))?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaviours_are_read_as_they_are_written() {
        for text in ["normal", "slow:250", "silent", "die"] {
            let behaviour: Behaviour = text.parse().expect(text);
            assert_eq!(behaviour.to_string(), text);
        }
        for text in [
            "",
            "slow",
            "slow:",
            "slow:60001",
            "slow:-1",
            "quick",
            "die:1",
        ] {
            assert!(text.parse::<Behaviour>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_set_is_in_force() {
        let in_force = InForce::default();
        assert_eq!(in_force.get(), Behaviour::Normal);
        for behaviour in [Behaviour::Slow(9), Behaviour::Silent, Behaviour::Normal] {
            in_force.set(behaviour);
            assert_eq!(in_force.get(), behaviour);
        }
    }
}
