//! `torap.toml`: where the switch listens and how much it holds. Nothing here ever influences a decision about a payment; that
//! configuration lives in the log and is changed by `torap ctl`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

mod card;

pub use card::{Card, CardHsm, CardLink};

/// The whole file; every key may be left out, and an unknown one is refused with its path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What sign-ons must state: `LIVE` or `TEST`.
    pub mode: Mode,
    pub listen: Listen,
    pub gateway: Gateway,
    pub core: Core,
    pub journal: Journal,
    pub index: Index,
    pub settlement: Settlement,
    /// The card door; left out: none.
    pub card: Option<Card>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    Test,
    Live,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Participants' hosts, ISO 20022 over TCP. Port 0 lets the system choose; the log names the port.
    pub iso20022: SocketAddr,
    /// Prometheus text.
    pub metrics: Option<SocketAddr>,
    /// Listeners bind to loopback only, unless plain TCP is allowed here (behind a TLS terminator or in a closed network).
    pub allow_plain_tcp: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// Threads that serve connections.
    pub threads: usize,
    /// Connections at once; at most a quarter of them have not signed on.
    pub connections_max: usize,
    /// Outbound messages of a participant kept in memory; older ones are rebuilt from the log.
    pub outbound_kept_max: usize,
    /// Bytes of original messages that those may hold on to.
    pub outbound_kept_bytes_max: usize,
    /// Failed sign-ons a minute under one name from one address, before further ones are told to wait.
    pub failed_sign_ons_per_minute_max: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Core {
    /// Commands that wait for the core; above three quarters new payments are refused as overloaded.
    pub intake_max: usize,
    /// Commands that are applied and wait for the disk.
    pub in_flight_max: usize,
    /// How long the core thread spins for work before it parks, in microseconds.
    pub spin_us: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Size of a segment file in MiB.
    pub segment_mib: u64,
    /// Originals encrypted at rest with the folder's `evidence.key`.
    pub encrypt_evidence: bool,
    /// Least time between two groups of records, in microseconds; zero writes at once whatever waits.
    pub group_us: u64,
    /// The journal's threads run with a real-time policy where the system permits it.
    pub realtime: bool,
    /// Where `torap ctl journal archive` moves sealed segments, relative to the folder of the switch; perhaps another disk.
    pub archive_dir: Option<PathBuf>,
    /// Age in days of the newest record of a segment that is moved.
    pub archive_after_days: u64,
    /// Days for which `torap ctl journal expire` keeps records; none keeps them for ever.
    pub keep_days: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settlement {
    /// Seconds between two looks for queued payments of IMTS that settle all at once; 0 looks only when the operator asks.
    pub resolve_every_s: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Index {
    /// RocksDB's block cache in MiB.
    pub cache_mib: usize,
    /// Commands that the read side may lag behind before intake slows down.
    pub lag_max: u64,
    /// Commands between two snapshots.
    pub snapshot_every: u64,
    /// How fast a snapshot is written while the switch runs, in MiB a second.
    pub snapshot_mib_per_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            mode: Mode::Live,
            listen: Listen::default(),
            gateway: Gateway::default(),
            core: Core::default(),
            journal: Journal::default(),
            index: Index::default(),
            settlement: Settlement::default(),
            card: None,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            iso20022: loopback(7801),
            metrics: Some(loopback(9464)),
            allow_plain_tcp: false,
        }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Gateway {
            threads: 2,
            connections_max: 1024,
            outbound_kept_max: 8192,
            outbound_kept_bytes_max: 16 << 20,
            failed_sign_ons_per_minute_max: 30,
        }
    }
}

impl Default for Core {
    fn default() -> Self {
        Core {
            intake_max: 8192,
            in_flight_max: 16_384,
            spin_us: 20,
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Journal {
            segment_mib: 256,
            encrypt_evidence: true,
            group_us: 1000,
            realtime: true,
            archive_dir: None,
            archive_after_days: 30,
            keep_days: None,
        }
    }
}

impl Default for Index {
    fn default() -> Self {
        Index {
            cache_mib: 16,
            lag_max: 1_000_000,
            snapshot_every: 1_000_000,
            snapshot_mib_per_s: 64,
        }
    }
}

impl Config {
    /// Reads the file; a missing one means the defaults.
    ///
    /// # Errors
    /// Names the file, the place in it and what is wrong.
    pub fn read(path: &Path) -> Result<Config, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Config::default());
            }
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        Config::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses and checks the text of the file.
    ///
    /// # Errors
    /// The place (line or key) and the rule.
    pub fn parse(text: &str) -> Result<Config, String> {
        let config: Config =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_string())?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let doors = [
            ("listen.iso20022", Some(self.listen.iso20022)),
            ("listen.metrics", self.listen.metrics),
        ];
        for (key, address) in doors {
            if address.is_some_and(|address| !address.ip().is_loopback())
                && !self.listen.allow_plain_tcp
            {
                return Err(format!(
                    "{key}: not a loopback address; plain TCP beyond this machine needs listen.allow_plain_tcp = true"
                ));
            }
        }
        if let Some(card) = &self.card {
            card.check(self.listen.allow_plain_tcp)?;
        }
        within("gateway.threads", self.gateway.threads as u64, 1, 256)?;
        within(
            "gateway.connections_max",
            self.gateway.connections_max as u64,
            1,
            1_000_000,
        )?;
        within(
            "gateway.outbound_kept_max",
            self.gateway.outbound_kept_max as u64,
            16,
            1_000_000,
        )?;
        within(
            "gateway.outbound_kept_bytes_max",
            self.gateway.outbound_kept_bytes_max as u64,
            1 << 20,
            1 << 36,
        )?;
        within(
            "core.intake_max",
            self.core.intake_max as u64,
            16,
            1_000_000,
        )?;
        within(
            "core.in_flight_max",
            self.core.in_flight_max as u64,
            16,
            1_000_000,
        )?;
        within("core.spin_us", self.core.spin_us, 0, 10_000)?;
        within("journal.segment_mib", self.journal.segment_mib, 17, 16_384)?;
        within("journal.group_us", self.journal.group_us, 0, 100_000)?;
        within("index.cache_mib", self.index.cache_mib as u64, 1, 1 << 20)?;
        within("index.lag_max", self.index.lag_max, 1_000, u64::MAX)?;
        within(
            "index.snapshot_every",
            self.index.snapshot_every,
            1_000,
            u64::MAX,
        )?;
        within(
            "index.snapshot_mib_per_s",
            self.index.snapshot_mib_per_s,
            1,
            1 << 20,
        )?;
        let days = [
            (
                "journal.archive_after_days",
                Some(self.journal.archive_after_days),
                0,
            ),
            ("journal.keep_days", self.journal.keep_days, 1),
        ];
        days.into_iter().try_for_each(|(key, days, least)| {
            days.map_or(Ok(()), |days| within(key, days, least, 36_500))
        })
    }
}

fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{key}: {value} is not between {least} and {most}"))
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
