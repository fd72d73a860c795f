//! What a stretch of the log did for participants, for whoever charges for it.
//!
//! Nothing of it is kept: it is read from the log by whoever asks, as often as he likes, and comes to the same each time.

use torap_core::{Applied, Recovered, Replay};
use torap_domain::{ParticipantId, Position, Service, Time};
use torap_engine::{
    Command, Engine, Event, Outcome, Source, Stamp, Status,
    cards::{self, Posting},
    clearing::{self, ItemView},
    directory,
    instant::{self, FinalOutcome, Finished},
    settlement::{self, End},
    tariffs::{self, Item, Usage},
};
use torap_journal::{Depth, Reader, RecordStream};

use crate::{FollowerError, Rebuilt};

/// Records between two calls of the progress function.
pub(crate) const PROGRESS_EVERY_RECORDS: u64 = 65_536;

/// Something that a participant may be charged for, or has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metered {
    /// Charged by the tariff table.
    Usage(Usage),
    /// A switch fee that a card session took, in minor units; below zero, one that it gave back.
    CardFee {
        participant: ParticipantId,
        fee: i128,
    },
}

/// The end of a metered stretch.
#[derive(Debug)]
pub struct Measured {
    /// The state after the last record of the stretch.
    pub engine: Engine,
    pub recovered: Recovered,
    /// Records of the stretch.
    pub records: u64,
    /// Whether the log goes on behind it: nothing can be added to the stretch any more.
    pub complete: bool,
}

/// Hands over what every record behind `from` and stamped before `until` did, with the state after that record. An item of the
/// clearing system is metered when its session closes, everything else with its own record.
pub fn meter(
    log: &Reader,
    from: Rebuilt,
    until: Time,
    each: &mut dyn FnMut(&Engine, &Metered),
    progress: &mut dyn FnMut(Position),
) -> Result<Measured, FollowerError> {
    let mut replay = Replay::new(from.engine, from.recovered);
    let mut cursor = log.read_from(replay.position().next().value(), Depth::Facts)?;
    let mut found = Vec::new();
    let mut records: u64 = 0;
    let mut complete = false;
    while let Some(record) = cursor.next()? {
        if Time::from_nanos(record.meta.time) >= until {
            complete = true;
            break;
        }
        let applied = replay.apply(&record.meta, record.facts)?;
        let closed = of_record(&applied, record.evidence_bytes, &mut found);
        let engine = replay.engine();
        of_settlement(engine, &closed, &mut found);
        of_clearing(engine, &closed, &mut found);
        of_message(engine, &closed, &mut found);
        for metered in found.drain(..) {
            each(engine, &metered);
        }
        records += 1;
        if records.is_multiple_of(PROGRESS_EVERY_RECORDS) {
            progress(replay.position());
        }
    }
    let (engine, recovered) = replay.into_parts();
    Ok(Measured {
        engine,
        recovered,
        records,
        complete,
    })
}

/// What needs the state after the record.
struct Later {
    stamp: Stamp,
    clearing: Vec<clearing::Event>,
    settlement: Vec<settlement::Event>,
    asked: Option<(Source, torap_domain::Bic, Item)>,
}

/// What a record says of itself.
fn of_record(applied: &Applied<'_>, bytes: u32, found: &mut Vec<Metered>) -> Later {
    let stamp = applied.stamp;
    let mut later = Later {
        stamp,
        clearing: Vec::new(),
        settlement: Vec::new(),
        asked: None,
    };
    if applied.outcome == Outcome::AlreadyApplied {
        return later;
    }
    let sent = applied.command.source().and_then(|source| source.link());
    if let Some(sender) = sent.filter(|_| bytes > 0) {
        let message = one(stamp, Item::Message, sender);
        found.push(Metered::Usage(Usage { bytes, ..message }));
    }
    for event in applied.events.iter() {
        match event {
            Event::PaymentFinished(finished) => of_payment(stamp, finished, found),
            Event::ReturnFinished(finished) if finished.outcome == FinalOutcome::Settled => {
                found.push(Metered::Usage(between(stamp, Item::Return, finished)));
            }
            Event::Card(cards::Event::Posted(posting)) => of_posting(posting, found),
            Event::Settlement(
                event @ (settlement::Event::Finished(_) | settlement::Event::Transferred { .. }),
            ) => later.settlement.push(*event),
            Event::Clearing(
                event @ (clearing::Event::SessionClosed { .. } | clearing::Event::Withdrawn { .. }),
            ) => later.clearing.push(event.clone()),
            _ => {}
        }
    }
    if applied.outcome == Outcome::Accepted {
        later.asked = asked(&applied.command);
        if let Command::Tariffs(tariffs::Command::Note {
            participant,
            item,
            count,
            ..
        }) = &applied.command
        {
            let noted = one(stamp, *item, *participant);
            found.push(Metered::Usage(Usage {
                count: *count,
                ..noted
            }));
        }
    }
    later
}

/// A question that is charged to the participant it is from.
fn asked(command: &Command) -> Option<(Source, torap_domain::Bic, Item)> {
    match command {
        Command::Instant(instant::Command::Recall(recall)) => {
            Some((recall.source, recall.instructing_agent, Item::Recall))
        }
        Command::Instant(instant::Command::StatusRequest(request)) => {
            Some((request.source, request.instructing_agent, Item::StatusQuery))
        }
        Command::Directory(directory::Command::LookUp(look_up)) => {
            Some((look_up.source, look_up.instructing_agent, Item::LookUp))
        }
        _ => None,
    }
}

fn of_message(engine: &Engine, later: &Later, found: &mut Vec<Metered>) {
    let Some((source, agent, item)) = &later.asked else {
        return;
    };
    if let Some(sender) = engine.instructing(source, agent) {
        found.push(Metered::Usage(one(later.stamp, *item, sender)));
    }
}

fn of_payment(stamp: Stamp, finished: &Finished, found: &mut Vec<Metered>) {
    let item = match (finished.outcome, finished.service) {
        (FinalOutcome::Settled, Service::C2cPhone) => Item::C2cPhone,
        (FinalOutcome::Settled, Service::C2cAccount) => Item::C2cAccount,
        (FinalOutcome::Settled, Service::Me2Me) => Item::Me2Me,
        (FinalOutcome::Settled, Service::Qr) => Item::Qr,
        (FinalOutcome::Rejected { .. }, _) => Item::Rejected,
        (FinalOutcome::Tombstone, _) => return,
    };
    found.push(Metered::Usage(between(stamp, item, finished)));
}

/// The other side of the acquirer.
pub(crate) fn issuer_of(posting: &Posting) -> ParticipantId {
    if posting.acquirer == posting.debit {
        posting.credit
    } else {
        posting.debit
    }
}

fn of_posting(posting: &Posting, found: &mut Vec<Metered>) {
    let issuer = issuer_of(posting);
    let sides = [
        (posting.acquirer, posting.fees.switch_acquirer),
        (issuer, posting.fees.switch_issuer),
    ];
    for (participant, fee) in sides {
        if !fee.is_zero() {
            let fee = i128::from(fee.minor());
            let fee = if posting.reversal { -fee } else { fee };
            found.push(Metered::CardFee { participant, fee });
        }
    }
}

/// Whoever has given a payment pays for it, also on the account of its sponsor.
fn of_settlement(engine: &Engine, later: &Later, found: &mut Vec<Metered>) {
    let usages = later.settlement.iter();
    let usages = usages.filter_map(|event| of_event(engine, later.stamp, event));
    found.extend(usages.map(Metered::Usage));
}

fn of_event(engine: &Engine, stamp: Stamp, event: &settlement::Event) -> Option<Usage> {
    Some(match event {
        settlement::Event::Finished(done) => {
            let item = match done.end {
                End::Settled => Item::RtgsPayment,
                End::Withdrawn => Item::RtgsCancellation,
                End::Rejected(_) => return None,
            };
            let parties = engine.imts_parties(done.id);
            let (sender, receiver) = parties.unwrap_or((done.from, done.to));
            Usage {
                receiver,
                amount: done.amount.minor(),
                ..one(stamp, item, sender)
            }
        }
        settlement::Event::Transferred {
            participant,
            amount,
            ..
        } => Usage {
            amount: amount.minor(),
            ..one(stamp, Item::LiquidityTransfer, *participant)
        },
        _ => return None,
    })
}

/// Items are still known in the record that decides them.
fn of_clearing(engine: &Engine, later: &Later, found: &mut Vec<Metered>) {
    for event in &later.clearing {
        match event {
            clearing::Event::SessionClosed { session, .. } => {
                let items = engine.clearing_items();
                for item in items.filter(|item| item.session == Some(*session)) {
                    let kind = match item.status {
                        Status::Settled => Item::IcsItem,
                        Status::Rejected { .. } => Item::IcsLeftOut,
                        Status::Pending => continue,
                    };
                    found.push(Metered::Usage(of_item(later.stamp, kind, &item)));
                }
            }
            clearing::Event::Withdrawn { key } => {
                let item = engine.clearing_items().find(|item| item.key == *key);
                if let Some(item) = item {
                    let kind = Item::IcsCancellation;
                    found.push(Metered::Usage(of_item(later.stamp, kind, &item)));
                }
            }
            _ => {}
        }
    }
}

fn of_item(stamp: Stamp, kind: Item, item: &ItemView) -> Usage {
    Usage {
        receiver: item.creditor_agent,
        amount: item.amount.minor(),
        ..one(stamp, kind, item.debtor_agent)
    }
}

fn between(stamp: Stamp, item: Item, finished: &Finished) -> Usage {
    Usage {
        receiver: finished.creditor_agent,
        amount: finished.amount.minor(),
        ..one(stamp, item, finished.debtor_agent)
    }
}

fn one(stamp: Stamp, item: Item, sender: ParticipantId) -> Usage {
    Usage {
        position: stamp.position,
        at: stamp.time,
        item,
        sender,
        receiver: ParticipantId::SWITCH,
        amount: 0,
        bytes: 0,
        count: 1,
    }
}
