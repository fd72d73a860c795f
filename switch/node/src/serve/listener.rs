//! Accepts participants' connections, at most so many at once, and slows down addresses that fail to sign on.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use torap_gateway::{
    session::{CloseReason, ServerConfig, ServerSession},
    wire::{ErrorCode, Mode, Name, Nonce, Window},
};

use super::{connection::Connection, switch::Switch};
use crate::{config, folder::random_bytes};

/// Addresses remembered for their failures, at most; beyond it the oldest go.
const ADDRESSES_MAX: usize = 4096;
const MINUTE: Duration = Duration::from_secs(60);
/// What a participant may have sent without an acknowledgement, and the switch likewise.
pub const WINDOW: Window = Window {
    messages: 4096,
    bytes: 16 << 20,
};
pub const HEARTBEAT_MS: u32 = 5_000;

/// Accepts until the switch stops; returns when all connections have ended.
pub(super) async fn accept(switch: Arc<Switch>, listener: TcpListener) {
    let most = switch.config.gateway.connections_max;
    let places = Arc::new(Semaphore::new(most));
    let failures = Arc::new(Failures::new(
        switch.config.gateway.failed_sign_ons_per_minute_max,
    ));
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = switch.stopping() => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = switch.stopping() => break,
        };
        let (socket, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: wait for connections to end instead of spinning.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if failures.is_blocked(address.ip()) {
            tracing::info!(%address, "turned away: too many failed sign-ons");
            continue;
        }
        let (switch, failures) = (Arc::clone(&switch), Arc::clone(&failures));
        tokio::spawn(async move {
            serve(switch, socket, address, &failures).await;
            drop(place);
        });
    }
    // All places free again means all connections have ended.
    let _ = places
        .acquire_many(u32::try_from(most).unwrap_or(u32::MAX))
        .await;
}

async fn serve(switch: Arc<Switch>, socket: TcpStream, address: SocketAddr, failures: &Failures) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%address, %error, "TCP_NODELAY");
    }
    let session = match new_session(&switch) {
        Ok(session) => session,
        Err(error) => {
            tracing::error!(%error, "cannot open a session");
            return;
        }
    };
    let reason = Connection::new(switch, socket, session).run().await;
    if matches!(reason, CloseReason::Refused(ErrorCode::BadCredentials)) {
        failures.note(address.ip());
    }
    tracing::debug!(%address, ?reason, "connection closed");
}

fn new_session(switch: &Switch) -> Result<ServerSession, String> {
    let name = Name::parse("TORAP").ok_or("the switch's own name")?;
    let config = ServerConfig {
        window: WINDOW,
        heartbeat_ms: HEARTBEAT_MS,
        ..ServerConfig::new(name, wire_mode(switch.config.mode))
    };
    Ok(ServerSession::new(
        config,
        Nonce(random_bytes()?),
        &[],
        switch.monotonic(),
    ))
}

/// The configuration's mode in the words of the wire.
pub fn wire_mode(mode: config::Mode) -> Mode {
    match mode {
        config::Mode::Test => Mode::Test,
        config::Mode::Live => Mode::Live,
    }
}

/// Failed sign-ons by address within the last minute.
pub(super) struct Failures {
    most: u32,
    seen: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Failures {
    pub(super) fn new(most: u32) -> Failures {
        Failures {
            most,
            seen: Mutex::new(HashMap::new()),
        }
    }

    pub(super) fn note(&self, address: IpAddr) {
        let mut seen = self.seen.lock();
        if seen.len() >= ADDRESSES_MAX {
            seen.retain(|_, (since, _)| since.elapsed() < MINUTE);
        }
        if seen.len() >= ADDRESSES_MAX
            && let Some(oldest) = seen
                .iter()
                .min_by_key(|(_, (since, _))| *since)
                .map(|(address, _)| *address)
        {
            seen.remove(&oldest);
        }
        let entry = seen.entry(address).or_insert_with(|| (Instant::now(), 0));
        if entry.0.elapsed() >= MINUTE {
            *entry = (Instant::now(), 0);
        }
        entry.1 += 1;
    }

    pub(super) fn is_blocked(&self, address: IpAddr) -> bool {
        self.seen
            .lock()
            .get(&address)
            .is_some_and(|(since, count)| since.elapsed() < MINUTE && *count >= self.most)
    }
}
