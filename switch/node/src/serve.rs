//! `torap serve`: one switch, from its folder to its sockets, and down again.
//!
//! Start: configuration, journal (recovered and chained on), index, engine by snapshot and replay, threads, then the doors. Stop:
//! doors, core (everything taken becomes durable), read side, last snapshot.

mod card;
mod congestion;
mod connection;
pub mod control;
mod core_thread;
mod follow;
mod intake;
mod listener;
mod lookups;
mod mass_desk;
mod metrics;
mod outbox;
mod pace;
mod realtime;
mod records;
mod registry;
mod reporter;
mod seed;
mod solver;
mod strangers;
mod switch;

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use torap_core::{Core, CoreLimits, Intake as CoreIntake};
use torap_domain::{Epoch, Text};
use torap_engine::Command;
use torap_follower::{FollowerOptions, Recovery, SnapshotStore};
use torap_index::{Index, RocksIndex, RocksOptions};
use torap_journal::{
    EvidenceKey, FileMedium, Folders, Journal, Log, Medium, Options, ThreadOptions, ThreadedJournal,
};

pub(crate) use self::control::report_row;
pub use self::{
    card::{CardKeys, FirstKeys},
    seed::{
        card::{CardFile, CardTables},
        participant_code,
    },
    switch::wall_clock,
};
use self::{
    congestion::{Congestion, Gauge},
    core_thread::CoreThread,
    follow::FollowerThread,
    intake::{Intake, IntakeEnd},
    outbox::{KeepLimits, Outbox},
    switch::{Published, Switch},
};
use crate::{
    config::Config,
    folder::{Folder, read_or_create_secret},
};

/// Name and version that segments and `Start` records carry.
pub const BINARY: &str = concat!("torap ", env!("CARGO_PKG_VERSION"));

/// What the program prints on standard output once the doors are open: one JSON line.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    ready: bool,
    iso20022: String,
    /// Doors of card hosts: the shared one first, then those of single links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    card: Vec<String>,
    metrics: Option<String>,
    control: String,
    mode: &'a str,
    epoch: u32,
    position: u64,
}

/// Runs a switch until it is told to stop.
///
/// # Errors
/// Whatever kept it from starting, or made it stop; names the file or key concerned.
pub fn run(folder: Folder) -> Result<(), String> {
    let config = Config::read(&folder.configuration())?;
    let plan = seed::Plan::read(&folder.network())?;
    folder.create()?;
    if config.card.is_some() {
        card::forbid_core_dumps()?;
    }
    let opened = open(&folder, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.gateway.threads)
        .thread_name("gateway")
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the gateway's threads: {error}"))?;
    runtime.block_on(serve(folder, config, plan, opened))
}

/// Journal, index and engine, brought to the end of the log.
struct Opened {
    journal: ThreadedJournal,
    intake: Intake,
    intake_end: IntakeEnd,
    index: Arc<RocksIndex>,
    recovered: Recovery<RocksIndex>,
    epoch: u32,
    store: Folders,
    /// From the beginning until the state of the snapshot was there and its log open.
    loaded: Duration,
}

fn open(folder: &Folder, config: &Config) -> Result<Opened, String> {
    let began = Instant::now();
    let snapshots =
        FileMedium::open(&folder.snapshots()).map_err(|error| at(&folder.snapshots(), error))?;
    let snapshots = Arc::new(
        SnapshotStore::open(Arc::new(snapshots)).map_err(|error| at(&folder.snapshots(), error))?,
    );
    let newest = snapshots
        .newest()
        .map_err(|error| at(&folder.snapshots(), error))?
        .value();
    let options = journal_options(folder, config, newest)?;
    let store = segments(folder, config)?;
    let (log, recovery) =
        Log::open(store.joined(), options).map_err(|error| at(&folder.journal(), error))?;
    tracing::info!(%recovery, "journal opened");
    // After the journal, whose lock says in words that another switch runs on this folder.
    let index = RocksOptions {
        block_cache_bytes: config.index.cache_mib << 20,
        ..RocksOptions::default()
    };
    let index = Arc::new(
        RocksIndex::open(&folder.index(), index).map_err(|error| at(&folder.index(), error))?,
    );
    let (intake, intake_end) = intake::queue(config.core.intake_max);
    let waker = intake.clone();
    let threads = ThreadOptions {
        group_every: Duration::from_micros(config.journal.group_us),
        on_start: if config.journal.realtime {
            realtime::raise
        } else {
            |_| {}
        },
        ..ThreadOptions::default()
    };
    let journal = ThreadedJournal::start(log, threads, Box::new(move |_| waker.wake()))
        .map_err(|error| at(&folder.journal(), error))?;
    let seed = crate::folder::random_bytes()?;
    let follower_options = FollowerOptions {
        snapshot_every_records: config.index.snapshot_every,
        engine_seed: u64::from_le_bytes(std::array::from_fn(|place| seed[place])),
        ..FollowerOptions::default()
    };
    let last = journal.durable_upto();
    let indexed = index.applied_upto().value();
    if indexed == 0 && last > 0 {
        tracing::warn!(
            records = last,
            "the index is empty: it is written again from the log"
        );
    }
    let mut told = Instant::now();
    let mut loaded = None;
    let mut progress = |position: torap_domain::Position| {
        loaded.get_or_insert_with(|| began.elapsed());
        if told.elapsed() > Duration::from_secs(2) {
            told = Instant::now();
            let percent = position.value().saturating_mul(100) / last.max(1);
            tracing::info!(position = position.value(), of = last, percent, "replaying");
        }
    };
    let recovered = torap_follower::recover(
        &journal,
        snapshots,
        Arc::clone(&index),
        follower_options,
        &mut progress,
    )
    .map_err(|error| at(&folder.root().join("data"), error))?;
    tracing::info!(report = ?recovered.report, seconds = began.elapsed().as_secs_f32(), "state recovered");
    let epoch = recovery.epoch;
    Ok(Opened {
        journal,
        intake,
        intake_end,
        index,
        recovered,
        epoch,
        store,
        loaded: loaded.unwrap_or_else(|| began.elapsed()),
    })
}

/// How the journal is opened; everything up to `reached` is known to have been durable.
///
/// # Errors
/// Names the key file that cannot be read or made.
pub fn journal_options(folder: &Folder, config: &Config, reached: u64) -> Result<Options, String> {
    let evidence_key = if config.journal.encrypt_evidence {
        Some(EvidenceKey::new(read_or_create_secret(
            &folder.evidence_key(),
        )?))
    } else {
        None
    };
    Ok(Options {
        segment_bytes: config.journal.segment_mib << 20,
        evidence_key,
        writer: BINARY.to_string(),
        opened_at: wall_clock().nanos(),
        verify_from: reached,
        must_reach: reached,
        ..Options::default()
    })
}

/// What a start finds and does before it opens its doors.
#[derive(Debug)]
pub struct StartUp {
    /// From the beginning to the moment when core and read side stand at the end of the log.
    pub took: Duration,
    /// The part of it until the snapshot was read and the log opened; the rest is the replay.
    pub loaded: Duration,
    /// Position of the snapshot it began with.
    pub snapshot: Option<u64>,
    /// Records replayed.
    pub replayed: u64,
    /// The end of the log.
    pub position: u64,
    /// Digest of the state.
    pub digest: u64,
    pub conserved: bool,
    /// Payments in the index.
    pub payments: u64,
    /// Size of the snapshot that was written, if one was to be, and how long that held the read side at full speed.
    pub written: Option<(u64, Duration)>,
}

/// Brings journal, index and state to the end of the log, as every start does, and closes them again; perhaps with a snapshot.
///
/// # Errors
/// Whatever would keep the switch from starting.
pub fn start_up(folder: &Folder, config: &Config, snapshot: bool) -> Result<StartUp, String> {
    folder.create()?;
    let began = Instant::now();
    let opened = open(folder, config)?;
    let took = began.elapsed();
    let Recovery {
        engine,
        recovered,
        mut follower,
        report,
    } = opened.recovered;
    let mut written = None;
    if snapshot {
        let began = Instant::now();
        let info = follower.snapshot_now().map_err(|error| error.to_string())?;
        written = Some((info.bytes, began.elapsed()));
    } else {
        opened.index.flush().map_err(|error| error.to_string())?;
    }
    let start_up = StartUp {
        took,
        loaded: opened.loaded,
        snapshot: report.snapshot.map(|info| info.position.value()),
        replayed: report.replayed,
        position: recovered.last.position.value(),
        digest: engine.digest(),
        conserved: engine.conservation().is_ok(),
        payments: opened.index.counts().payments,
        written,
    };
    opened.journal.close().map_err(|error| error.to_string())?;
    Ok(start_up)
}

/// Where the log's segments lie: the journal's folder, and the archive that the configuration names.
///
/// # Errors
/// Names the folder that cannot be opened.
pub fn segments(folder: &Folder, config: &Config) -> Result<Folders, String> {
    let journal = folder.journal();
    let opened = FileMedium::open(&journal).map_err(|error| at(&journal, error))?;
    let archive = match &config.journal.archive_dir {
        None => None,
        Some(path) => {
            let path = folder.root().join(path);
            let opened = FileMedium::open(&path)
                .map_err(|error| format!("journal.archive_dir: {}", at(&path, error)))?;
            let opened: Arc<dyn Medium> = Arc::new(opened);
            Some(opened)
        }
    };
    Ok(Folders {
        journal: Arc::new(opened),
        archive,
    })
}

fn at(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

async fn serve(
    folder: Folder,
    config: Config,
    plan: Option<seed::Plan>,
    opened: Opened,
) -> Result<(), String> {
    let Opened {
        journal,
        intake,
        intake_end,
        index,
        recovered,
        epoch,
        store,
        ..
    } = opened;
    let Recovery {
        engine,
        recovered,
        mut follower,
        ..
    } = recovered;
    let is_empty = recovered.last.position.value() == 0;
    let keep = KeepLimits {
        entries_max: config.gateway.outbound_kept_max,
        bytes_max: config.gateway.outbound_kept_bytes_max,
    };
    let outbox = Arc::new(Outbox::new(keep));
    let views: Vec<_> = engine.participant_views().collect();
    for view in &views {
        outbox
            .stream(view.id)
            .start_at(view.outbound_last, view.inbound_last);
    }
    let switch_bic = plan.as_ref().map_or(engine.settings().switch_bic, |plan| {
        plan.switch_bic(&engine)
    });
    let durable = recovered.last.position.value();
    let published = Arc::new(Published::new(
        views,
        durable,
        engine.window_dropped_upto().value(),
        switch_bic,
    ));

    // First, so that whatever counts from here on is counted.
    let metrics = metrics::open(&config.listen)?;
    let clock = switch::Clock::start();
    let cards = match &config.card {
        Some(card) => Some(Arc::new(card::Cards::open(
            &folder,
            card,
            &engine,
            Arc::clone(&published),
            clock,
        )?)),
        None => None,
    };
    let mut core = Core::new(engine, recovered, core_limits(&config));
    let start = Command::Start {
        epoch: Epoch::new(epoch),
        binary: Text::truncated(BINARY),
    };
    let mut first = vec![start];
    match plan {
        Some(plan) if is_empty => first.extend(plan.into_commands(&folder)?),
        Some(_) => tracing::info!("network.toml is left aside: the journal is not empty"),
        None => {}
    }
    let seeded_upto = durable + first.len() as u64;
    for command in first {
        // All in one batch: an empty journal is seeded wholly or not at all.
        core.offer(CoreIntake {
            command,
            evidence: bytes::Bytes::new(),
            secrets: torap_core::Secrets::NONE,
            ticket: None,
        })
        .map_err(|refused| {
            format!(
                "{}: the seed is too large: {}",
                folder.network().display(),
                refused.because
            )
        })?;
    }

    let (stop_sender, stop) = watch::channel(false);
    let stop_sender = Arc::new(stop_sender);
    let journal_reader = journal.reader();
    let journal_watch = journal.watch();
    let failed = Failure::default();
    let follower_failed = failed.handler(Arc::clone(&stop_sender));
    follower.set_pace(pace::pace(
        config.index.snapshot_mib_per_s << 20,
        config.index.lag_max / 2,
        Arc::clone(&published),
        follower.applied(),
        stop.clone(),
    ));
    let follower = FollowerThread::start(follower, follower_failed)?;
    let unparker = follower.unparker();
    let (follower_handle, follower_stopper) = follower.split();
    let turn = core_thread::Turn::after(core.waiting());
    let congestion = Arc::new(Congestion::default());
    let core_thread = CoreThread {
        core,
        journal,
        intake: intake_end,
        outbox: Arc::clone(&outbox),
        published: Arc::clone(&published),
        follower_applied: Arc::clone(&follower_handle.applied),
        wake_follower: Box::new(move || unparker.unpark()),
        spin: Duration::from_micros(config.core.spin_us),
        turn,
        congestion: Arc::clone(&congestion),
        gauge: Gauge::default(),
        cards: cards.clone().map(card::Dispatch::new),
    };
    let core_failed = failed.handler(Arc::clone(&stop_sender));
    let core_thread = std::thread::Builder::new()
        .name("core".into())
        .spawn(move || {
            core_thread
                .run()
                .inspect_err(|error| core_failed(error.clone()))
        })
        .map_err(|error| format!("cannot start the core's thread: {error}"))?;

    let switch = Arc::new(Switch {
        lookups: lookups::IndexLookups::new(
            Arc::clone(&index),
            Arc::clone(&published),
            Arc::clone(&congestion),
        ),
        records: records::LogRecords::new(journal_reader),
        follower: follower_handle,
        stop,
        clock,
        known_facts: tokio::sync::Mutex::default(),
        cards,
        registry: registry::Registry::default(),
        folder,
        config,
        intake,
        outbox,
        published,
        congestion,
        index,
        epoch,
        store,
        journal: journal_watch,
    });
    // Nobody meets a switch that has not written its own start and seed, or whose read side does not know them.
    let is_ready = || {
        let applied = switch
            .follower
            .applied
            .load(std::sync::atomic::Ordering::Acquire);
        switch.durable() >= seeded_upto && applied >= seeded_upto
    };
    while !is_ready() && !switch.is_stopping() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let doors = open_doors(&switch, metrics).await;
    let result = match doors {
        Ok(doors) => run_doors(&switch, doors, &stop_sender).await,
        Err(error) => Err(error),
    };
    switch.intake.stop();
    let core_result = core_thread
        .join()
        .map_err(|_| "the core's thread panicked".to_string())?;
    let follower_result = follower_stopper.finish();
    result
        .and(core_result)
        .and(failed.take())
        .and(follower_result)
}

fn core_limits(config: &Config) -> CoreLimits {
    CoreLimits {
        intake_commands_max: config.core.intake_max,
        backlog_records_max: config.core.in_flight_max,
        follower_lag_max: config.index.lag_max,
        ..CoreLimits::default()
    }
}

/// The first failure of a thread; it stops the switch.
#[derive(Clone, Default)]
struct Failure(Arc<parking_lot::Mutex<Option<String>>>);

impl Failure {
    fn handler(&self, stop: Arc<watch::Sender<bool>>) -> impl Fn(String) + Send + 'static {
        let failure = self.clone();
        move |text| {
            tracing::error!(%text, "the switch stops");
            failure.0.lock().get_or_insert(text);
            stop.send_replace(true);
        }
    }

    fn take(&self) -> Result<(), String> {
        match self.0.lock().take() {
            None => Ok(()),
            Some(text) => Err(text),
        }
    }
}

struct Doors {
    iso20022: TcpListener,
    card: Vec<card::Door>,
    control: UnixListener,
    metrics: Option<std::net::SocketAddr>,
}

async fn open_doors(
    switch: &Arc<Switch>,
    metrics: Option<std::net::SocketAddr>,
) -> Result<Doors, String> {
    let address = switch.config.listen.iso20022;
    let iso20022 = TcpListener::bind(address)
        .await
        .map_err(|error| format!("listen.iso20022: cannot listen on {address}: {error}"))?;
    let card = match &switch.cards {
        Some(cards) => card::open_doors(cards).await?,
        None => Vec::new(),
    };
    let path = switch.folder.control();
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(&path, error)),
    }
    let control = UnixListener::bind(&path)
        .map_err(|error| format!("{}: cannot listen: {error}", path.display()))?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| at(&path, error))?;
    Ok(Doors {
        iso20022,
        card,
        control,
        metrics,
    })
}

async fn run_doors(
    switch: &Arc<Switch>,
    doors: Doors,
    stop: &Arc<watch::Sender<bool>>,
) -> Result<(), String> {
    let address = doors
        .iso20022
        .local_addr()
        .map_err(|error| error.to_string())?;
    print_ready(switch, &address, &doors)?;
    let signals = wait_for_signal(Arc::clone(stop))?;
    let control = tokio::spawn(control::serve(
        Arc::clone(switch),
        doors.control,
        Arc::clone(stop),
    ));
    let metrics = tokio::spawn(metrics::sample(Arc::clone(switch)));
    let every = switch.config.settlement.resolve_every_s;
    let solver = (every > 0).then(|| {
        let every = std::time::Duration::from_secs(every);
        tokio::spawn(solver::run(Arc::clone(switch), every))
    });
    let reporter = tokio::spawn(reporter::run(Arc::clone(switch)));
    let mass_desk = tokio::spawn(mass_desk::run(Arc::clone(switch)));
    let cards = card_side(switch, doors.card);
    listener::accept(Arc::clone(switch), doors.iso20022).await;
    cards.await;
    signals.abort();
    metrics.abort();
    reporter.abort();
    mass_desk.abort();
    if let Some(solver) = solver {
        solver.abort();
    }
    control.abort();
    tracing::info!("all links are closed");
    Ok(())
}

/// Serves card hosts and HSMs; what is returned ends when all card links are closed.
fn card_side(switch: &Arc<Switch>, doors: Vec<card::Door>) -> impl Future<Output = ()> + use<> {
    let tasks = switch.cards.clone().map(|cards| {
        let hsms = tokio::spawn(Arc::clone(&cards.hsms).drive());
        let accepting = card::accept(Arc::clone(switch), Arc::clone(&cards), doors);
        let keys = card::make_keys(Arc::clone(switch), Arc::clone(&cards));
        let keys = tokio::spawn(keys);
        let connecting = card::connect_all(Arc::clone(switch), cards);
        (
            hsms,
            keys,
            tokio::spawn(accepting),
            tokio::spawn(connecting),
        )
    });
    async move {
        if let Some((hsms, keys, accepting, connecting)) = tasks {
            // A task that failed has closed its links.
            let _ = tokio::join!(accepting, connecting);
            keys.abort();
            hsms.abort();
        }
    }
}

fn print_ready(
    switch: &Switch,
    address: &std::net::SocketAddr,
    doors: &Doors,
) -> Result<(), String> {
    let ready = Ready {
        ready: true,
        iso20022: address.to_string(),
        card: doors
            .card
            .iter()
            .filter_map(|door| door.address())
            .map(|address| address.to_string())
            .collect(),
        metrics: doors.metrics.map(|address| address.to_string()),
        control: switch.folder.control().display().to_string(),
        mode: match switch.config.mode {
            crate::config::Mode::Test => "TEST",
            crate::config::Mode::Live => "LIVE",
        },
        epoch: switch.epoch,
        position: switch.durable(),
    };
    let line = serde_json::to_string(&ready).map_err(|error| error.to_string())?;
    crate::cli::print_line(&line)
}

fn wait_for_signal(stop: Arc<watch::Sender<bool>>) -> Result<tokio::task::JoinHandle<()>, String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        stop.send_replace(true);
    }))
}
