//! Drives a simulated card host: its links, its clock, and what scripts ask of it.
//!
//! Each link is a task of its own that owns socket and frames; the host itself, a state machine, lives in one more.

mod link;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use torap_bank::card::{CardHost, Output, Request, WaitFor};
use torap_domain::Time;
use torap_gateway::card::framing::Framing;

use self::link::{Event, Order};
use super::Answer;
use crate::serve::wall_clock;

/// Messages of all links that wait for the host.
const EVENTS_MAX: usize = 1024;
/// Messages and orders that wait for one link.
const ORDERS_MAX: usize = 4096;
/// How long the host sleeps if nothing is to be done.
const REST: Duration = Duration::from_secs(3600);

/// How the host and the switch come together.
#[derive(Clone, Debug)]
pub struct Door {
    pub way: Way,
    pub framing: Framing,
    /// How many links the host has.
    pub links: usize,
}

/// Who connects to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The host connects to the switch.
    Connect(SocketAddr),
    /// The switch connects to the host.
    Listen(SocketAddr),
}

/// What a script wants of the host.
#[derive(Debug)]
pub(super) enum Wish {
    Request(Box<Request>),
    Stop,
}

pub(super) type Asked = (Wish, Answer);

struct Waiting {
    filter: WaitFor,
    until: Instant,
    answer: Answer,
}

struct Driver {
    host: CardHost,
    links: Vec<mpsc::Sender<Order>>,
    events: mpsc::Receiver<(usize, Event)>,
    requests: mpsc::Receiver<Asked>,
    waiting: Vec<Waiting>,
    stop: bool,
}

/// Runs the host until its script says stop; without one it never ends.
pub(super) async fn run(
    host: Option<(CardHost, Door)>,
    requests: mpsc::Receiver<Asked>,
) -> Result<(), String> {
    let Some((host, door)) = host else {
        return std::future::pending().await;
    };
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let mut links = Vec::new();
    let mut inboxes = Vec::new();
    for _ in 0..door.links {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        links.push(orders);
        inboxes.push(inbox);
    }
    let tasks = link::start(&door, inboxes, sender).await?;
    let mut driver = Driver {
        host,
        links,
        events,
        requests,
        waiting: Vec::new(),
        stop: false,
    };
    driver.run().await;
    for task in tasks {
        task.abort();
    }
    Ok(())
}

impl Driver {
    async fn run(&mut self) {
        while !self.stop {
            self.host.handle_timeout(wall_clock());
            self.follow_outputs();
            self.settle_waits();
            let deadline = self.deadline();
            tokio::select! {
                event = self.events.recv() => match event {
                    Some((link, event)) => self.handle_event(link, event),
                    None => self.stop = true,
                },
                asked = self.requests.recv() => match asked {
                    Some(asked) => self.ask(asked),
                    None => self.stop = true,
                },
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
    }

    fn handle_event(&mut self, link: usize, event: Event) {
        let now = wall_clock();
        match event {
            Event::Up => self.host.link_up(link, now),
            Event::Message(message) => self.host.receive(link, &message, now),
            Event::Down(reason) => {
                tracing::debug!(link, %reason, "card link lost");
                self.host.link_down(link, now);
            }
        }
    }

    fn follow_outputs(&mut self) {
        while let Some(output) = self.host.poll_output() {
            match output {
                Output::Message { link, bytes } => self.order(link, Order::Send(bytes)),
                Output::Reconnect => self.order_all(|| Order::Cut),
                Output::Down => self.order_all(|| Order::StayDown),
                Output::Up => self.order_all(|| Order::ComeBack),
            }
        }
    }

    fn order_all(&mut self, order: impl Fn() -> Order) {
        for link in 0..self.links.len() {
            self.order(link, order());
        }
    }

    fn order(&mut self, link: usize, order: Order) {
        let sent = self.links.get(link).map(|link| link.try_send(order));
        if let Some(Err(error)) = sent {
            tracing::warn!(link, %error, "a link of the card host takes nothing");
        }
    }

    fn ask(&mut self, (wish, answer): Asked) {
        let result = match wish {
            Wish::Stop => {
                self.stop = true;
                Ok(json!({ "stopping": true }))
            }
            Wish::Request(request) => match *request {
                Request::Wait { filter, within_ms } => {
                    self.waiting.push(Waiting {
                        filter,
                        until: Instant::now() + Duration::from_millis(within_ms),
                        answer,
                    });
                    return;
                }
                request => self.host.handle(request, wall_clock()),
            },
        };
        // The script may be gone.
        let _ = answer.send(result);
    }

    /// Answers scripts whose message has come or whose patience is over.
    fn settle_waits(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            let found = self.host.find(&waiting.filter);
            let result: Option<Result<Value, String>> = match found {
                Some(seen) => Some(serde_json::to_value(seen).map_err(|error| error.to_string())),
                None if waiting.until <= Instant::now() => {
                    Some(Err("nothing that fits has come in time".into()))
                }
                None => None,
            };
            match result {
                // The script may be gone.
                Some(result) => drop(waiting.answer.send(result)),
                None => self.waiting.push(waiting),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        let after = |time: Time| {
            let rest = time.saturating_since(wall_clock());
            now + Duration::from_nanos(rest.nanos()).min(REST)
        };
        let host = self.host.poll_timeout().map_or(now + REST, after);
        self.waiting
            .iter()
            .map(|waiting| waiting.until)
            .fold(host, Instant::min)
    }
}
