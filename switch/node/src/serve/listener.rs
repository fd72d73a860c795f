//! Accepts participants' connections, at most so many at once; a share of the places is for those that have not signed on.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use torap_gateway::{
    session::{ServerConfig, ServerSession},
    wire::{Mode, Name, Nonce, Window},
};

use super::{
    connection::Connection,
    strangers::{Failures, Strangers},
    switch::Switch,
};
use crate::{config, folder::random_bytes};

/// One in so many places is for connections that have not signed on.
const STRANGERS_SHARE: usize = 4;
/// What a participant may have sent without an acknowledgement, and the switch likewise.
pub const WINDOW: Window = Window {
    messages: 4096,
    bytes: 16 << 20,
};
pub const HEARTBEAT_MS: u32 = 5_000;

/// What connections share before they have signed on.
pub(super) struct Doorway {
    pub(super) strangers: Arc<Strangers>,
    /// By address and participant named.
    pub(super) failures: Failures<(IpAddr, Name)>,
    /// Places of sessions that have signed on.
    pub(super) sessions: Arc<Semaphore>,
}

impl Doorway {
    fn new(connections_max: usize, failures_max: u32) -> Doorway {
        let strangers = (connections_max / STRANGERS_SHARE).max(1);
        let sessions = connections_max.saturating_sub(strangers).max(1);
        Doorway {
            strangers: Strangers::new(strangers),
            failures: Failures::new(failures_max),
            sessions: Arc::new(Semaphore::new(sessions)),
        }
    }
}

/// Accepts until the switch stops; returns when all connections have ended.
pub(super) async fn accept(switch: Arc<Switch>, listener: TcpListener) {
    let most = switch.config.gateway.connections_max;
    let places = Arc::new(Semaphore::new(most));
    let failures_max = switch.config.gateway.failed_sign_ons_per_minute_max;
    let doorway = Arc::new(Doorway::new(most, failures_max));
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
        let (switch, doorway) = (Arc::clone(&switch), Arc::clone(&doorway));
        tokio::spawn(async move {
            serve(switch, socket, address, doorway).await;
            drop(place);
        });
    }
    // All places free again means all connections have ended.
    let _ = places
        .acquire_many(u32::try_from(most).unwrap_or(u32::MAX))
        .await;
}

async fn serve(switch: Arc<Switch>, socket: TcpStream, address: SocketAddr, doorway: Arc<Doorway>) {
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
    let reason = Connection::new(switch, (socket, address.ip()), session, doorway)
        .run()
        .await;
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
