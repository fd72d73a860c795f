//! Doors of card hosts, and the connections that this side opens.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use torap_gateway::card::{
    framing::Framing,
    limits::KEEP_ALIVE_NS,
    link::{CloseReason, LinkConfig},
    transport::TransportConfig,
};
use torap_iso8583::Dialect;

use super::{Cards, driver::Driver};
use crate::{
    config::CardLink,
    serve::{strangers::Failures, switch::Switch},
};

/// First pause before a connection is opened again; it doubles up to the longest.
const RECONNECT_MIN: Duration = Duration::from_millis(250);
const RECONNECT_MAX: Duration = Duration::from_secs(15);
/// Connections at once at a participant's own door: as many as it may have links, and as many again that come in their place. The shared
/// door has places of its own, so that strangers there take none of these.
const OWN_DOOR_MAX: usize = 2 * torap_engine::cards::LINKS_MAX;
/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Who may sign on at a door, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// This participant alone.
    pub only: Option<String>,
    /// Whoever comes here needs no MAC to be believed: the address or the direction of the connection says who it is.
    pub trusted: bool,
}

/// An open door.
pub struct Door {
    listener: TcpListener,
    framing: Framing,
    keep_alive_ns: Option<u64>,
    admission: Admission,
    /// Addresses that may connect; empty: all.
    from: Vec<IpAddr>,
}

impl Door {
    /// Where it is.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }
}

/// Opens the shared door and those of single participants.
///
/// # Errors
/// Names the key and the address.
pub async fn open_doors(cards: &Cards) -> Result<Vec<Door>, String> {
    let mut doors = Vec::new();
    if let Some(address) = cards.config.listen {
        doors.push(Door {
            listener: bind("card.listen", address).await?,
            framing: cards.config.framing(),
            keep_alive_ns: Some(KEEP_ALIVE_NS),
            admission: Admission {
                only: None,
                trusted: false,
            },
            from: Vec::new(),
        });
    }
    for (number, link) in cards.config.link.iter().enumerate() {
        let Some(address) = link.listen else { continue };
        let key = format!("card.link[{number}].listen");
        doors.push(Door {
            listener: bind(&key, address).await?,
            framing: link.framing(),
            keep_alive_ns: keep_alive(link),
            admission: Admission {
                only: Some(link.participant.clone()),
                trusted: !link.from.is_empty(),
            },
            from: link.from.clone(),
        });
    }
    Ok(doors)
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("{key}: cannot listen on {address}: {error}"))
}

fn keep_alive(link: &CardLink) -> Option<u64> {
    (link.keep_alive_s > 0).then(|| link.keep_alive_s.saturating_mul(1_000_000_000))
}

/// Accepts at all doors until the switch stops; returns when all connections have ended.
pub async fn accept(switch: Arc<Switch>, cards: Arc<Cards>, doors: Vec<Door>) {
    let failures = Arc::new(Failures::new(
        switch.config.gateway.failed_sign_ons_per_minute_max,
    ));
    let mut tasks = JoinSet::new();
    for door in doors {
        let (switch, cards) = (Arc::clone(&switch), Arc::clone(&cards));
        let failures = Arc::clone(&failures);
        tasks.spawn(async move {
            let most = match door.admission.only {
                None => cards.config.connections_max,
                Some(_) => OWN_DOOR_MAX,
            };
            let places = Arc::new(Semaphore::new(most));
            accept_at(switch, cards, door, Arc::clone(&places), failures).await;
            // All places free again means all connections have ended.
            let _ = places
                .acquire_many(u32::try_from(most).unwrap_or(u32::MAX))
                .await;
        });
    }
    tasks.join_all().await;
}

async fn accept_at(
    switch: Arc<Switch>,
    cards: Arc<Cards>,
    door: Door,
    places: Arc<Semaphore>,
    failures: Arc<Failures<IpAddr>>,
) {
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = switch.stopping() => return,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            accepted = door.listener.accept() => accepted,
            () = switch.stopping() => return,
        };
        let (socket, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: wait for connections to end instead of spinning.
                tracing::warn!(%error, "cannot accept a card connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let known = door.from.is_empty() || door.from.contains(&address.ip());
        if !known || failures.are_too_many(address.ip()) {
            tracing::info!(%address, known, "card host turned away");
            continue;
        }
        let config = link_config(&cards, &door.admission, door.framing, door.keep_alive_ns);
        let Some(config) = config else {
            tracing::info!(%address, "card host turned away: its participant has no card profile yet");
            continue;
        };
        let admission = door.admission.clone();
        let (switch, cards) = (Arc::clone(&switch), Arc::clone(&cards));
        let failures = Arc::clone(&failures);
        tokio::spawn(async move {
            let driver = Driver::new(switch, cards, socket, address, config, admission);
            let reason = driver.run().await;
            if matches!(
                reason,
                CloseReason::SignOnRefused(_) | CloseReason::SignOnTimeout
            ) {
                failures.note(address.ip());
            }
            drop(place);
        });
    }
}

/// Opens the connections that this side has to open, again and again, until the switch stops.
pub async fn connect_all(switch: Arc<Switch>, cards: Arc<Cards>) {
    let mut tasks = JoinSet::new();
    for link in &cards.config.link {
        let Some(address) = link.connect else {
            continue;
        };
        for _ in 0..link.connections {
            let (switch, cards) = (Arc::clone(&switch), Arc::clone(&cards));
            let link = link.clone();
            tasks.spawn(async move { keep_connected(switch, cards, &link, address).await });
        }
    }
    tasks.join_all().await;
}

async fn keep_connected(
    switch: Arc<Switch>,
    cards: Arc<Cards>,
    link: &CardLink,
    address: SocketAddr,
) {
    let admission = Admission {
        only: Some(link.participant.clone()),
        trusted: true,
    };
    let mut pause = RECONNECT_MIN;
    while !switch.is_stopping() {
        let connecting = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address));
        let made = tokio::select! {
            made = connecting => made,
            () = switch.stopping() => return,
        };
        match made {
            Ok(Ok(socket)) => {
                let config = link_config(&cards, &admission, link.framing(), keep_alive(link));
                if let Some(config) = config {
                    let (switch, cards) = (Arc::clone(&switch), Arc::clone(&cards));
                    let admission = admission.clone();
                    let driver = Driver::new(switch, cards, socket, address, config, admission);
                    let reason = driver.run().await;
                    let signed_on = !matches!(
                        reason,
                        CloseReason::SignOnRefused(_) | CloseReason::SignOnTimeout
                    );
                    if signed_on {
                        pause = RECONNECT_MIN;
                    }
                }
            }
            Ok(Err(error)) => tracing::debug!(%address, %error, "cannot connect to a card host"),
            Err(_) => tracing::debug!(%address, "a card host does not answer"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = switch.stopping() => return,
        }
        pause = pause.saturating_mul(2).min(RECONNECT_MAX);
    }
}

/// What a link speaks: the dialect of the one who may sign on, or the national one where everybody may. `None` while the one has no card
/// profile: it would be spoken to in the wrong dialect.
fn link_config(
    cards: &Cards,
    admission: &Admission,
    framing: Framing,
    keep_alive_ns: Option<u64>,
) -> Option<LinkConfig> {
    let network = cards.network();
    let dialect = match admission.only.as_deref() {
        Some(code) => {
            let mut members = network.members();
            members.find(|member| member.code.as_str() == code)?.dialect
        }
        None => Dialect::national(),
    };
    let transport = TransportConfig {
        framing,
        keep_alive_ns,
    };
    let switch = cards.config.institution.0;
    Some(LinkConfig::new(transport, dialect, switch))
}
