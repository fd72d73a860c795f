//! Disputes about settled payments and card transactions: the operator opens cases for banks, acts for both sides, and is sometimes two people at once.

use std::collections::BTreeMap;

use torap_domain::{CardService, ParticipantId, Position, Text, Uetr};
use torap_engine::{
    Command, Engine, Event, Stamp, cards,
    disputes::{self, Action, CARD_REASONS, CardSubject, Dispute, Move, REASONS, Subject},
    instant::{FinalOutcome, PaymentKey},
};
use torap_gateway::translate::Lookups;
use torap_index::Index;

use super::{
    Turn,
    facts::{About, Case},
    operator,
};
use crate::draw::Draw;

/// A new case, or a step of one.
pub(super) fn act(draw: &mut Draw, turn: &mut Turn<'_>, commands: &mut Vec<Command>) {
    let cases: Vec<Position> = turn
        .node
        .follower()
        .engine()
        .disputes()
        .map(|(id, _)| id)
        .collect();
    let opens = cases.is_empty() || draw.chance(350);
    let command = if opens {
        open(draw, turn)
    } else {
        // Mostly a case that is young.
        let back = if draw.chance(700) {
            cases.len().min(6)
        } else {
            cases.len()
        };
        let id = cases[cases.len() - 1 - draw.index(back)];
        if draw.chance(100) {
            attach(draw, turn, id)
        } else {
            step(draw, turn, id)
        }
    };
    let Some(command) = command else {
        return;
    };
    // Two operators with the same paper.
    let twice = draw.chance(200);
    commands.push(Command::Disputes(command.clone()));
    if twice {
        commands.push(Command::Disputes(command));
    }
}

fn open(draw: &mut Draw, turn: &mut Turn<'_>) -> Option<disputes::Command> {
    let sent = turn.sent;
    let chosen = sent.get(draw.index(sent.len()))?;
    let uetr = Uetr::parse(&chosen.uetr).ok()?;
    let known = turn.node.lookups.index.payment_by_uetr(&uetr).ok()?.value;
    let amount = known.map_or(1, |payment| payment.amount.minor());
    let claimant = if draw.chance(930) {
        ParticipantId::new(chosen.bank as u16 + 1)
    } else {
        super::participant(draw, turn.plan)
    };
    let (reason_code, _) = REASONS[draw.index(REASONS.len())];
    Some(disputes::Command::Open {
        source: operator("berik", "paper"),
        claimant,
        uetr,
        reason_code,
        claim: draw.chance(700).then(|| claim(draw, amount)),
        original: turn.node.lookups.by_uetr(&uetr),
    })
}

/// A case about a card transaction: a purchase of the card host's own, or a line of a presentment file.
pub(super) fn open_card(draw: &mut Draw, turn: &mut Turn<'_>) -> Option<Case> {
    let cards = turn.cards.as_deref_mut()?;
    let side = draw.index(cards.plan.banks);
    let about = if draw.chance(500) {
        presented(draw, turn.node.follower().engine())?
    } else {
        let chosen = cards.choose_for_office(draw, side, turn.wall)?;
        // An authorisation is disputed by its presentment.
        let moves = chosen.service != CardService::PreAuthorisation;
        if !moves || !cards.load.reserve(chosen.place) {
            return None;
        }
        let acquirer = ParticipantId::new(side as u16 + 1);
        About::Retrieval(acquirer, Text::truncated(&chosen.reference))
    };
    let (reason_code, _) = CARD_REASONS[draw.index(CARD_REASONS.len())];
    Some(Case {
        about,
        claimant: draw.chance(70).then(|| super::participant(draw, turn.plan)),
        reason_code,
        claim: draw.chance(700).then(|| claim(draw, 1000)),
    })
}

fn presented(draw: &mut Draw, engine: &Engine) -> Option<About> {
    let files: Vec<_> = engine.presentment_files().map(|(_, file)| file).collect();
    let file = files.get(draw.index(files.len()))?;
    let line = file.lines.get(draw.index(file.lines.len()))?;
    Some(About::Presented(file.piece_of(line.number)?, line.number))
}

/// Mostly the whole or a part, now and then more than there is.
fn claim(draw: &mut Draw, most: u64) -> u64 {
    if draw.chance(400) {
        most
    } else {
        draw.range(0, most + most / 8 + 1)
    }
}

fn step(draw: &mut Draw, turn: &mut Turn<'_>, id: Position) -> Option<disputes::Command> {
    let engine = turn.node.follower().engine();
    let dispute = engine.dispute(id)?;
    let original = match dispute.subject {
        Subject::Payment(uetr) => turn.node.lookups.by_uetr(&uetr),
        Subject::Card(_) => None,
    };
    let case = dispute.case;
    let action = match draw.weighted(&[3, 4, 2, 5, 4, 3, 4, 1]) {
        0 => Action::Answer,
        1 => Action::Claim {
            amount: claim(draw, case.disputable),
        },
        2 => Action::Accept,
        3 => Action::Represent {
            contested: claim(draw, case.claimed),
        },
        4 => Action::Escalate {
            amount: claim(draw, case.contested),
        },
        5 => Action::Decline,
        6 => Action::Rule {
            awarded: claim(draw, case.claimed),
        },
        _ => Action::Withdraw,
    };
    let right = match action {
        Action::Claim { .. } | Action::Escalate { .. } | Action::Withdraw => Some(dispute.claimant),
        Action::Rule { .. } => None,
        _ => Some(dispute.respondent),
    };
    let participant = if draw.chance(930) {
        right
    } else {
        Some(super::participant(draw, turn.plan))
    };
    Some(disputes::Command::Act {
        source: operator("dana", "paper"),
        case: id,
        participant,
        action,
        original,
    })
}

fn attach(draw: &mut Draw, turn: &Turn<'_>, case: Position) -> Option<disputes::Command> {
    let dispute = turn.node.follower().engine().dispute(case)?;
    Some(disputes::Command::Attach {
        source: operator("dana", "paper"),
        case,
        participant: dispute.claimant,
        name: Text::truncated("receipt.pdf"),
        hash: *blake3::hash(&draw.next().to_le_bytes()).as_bytes(),
        bytes: draw.range(1, 300_000) as u32,
    })
}

/// What the log says of cases.
#[derive(Debug, Default)]
pub(super) struct Disputes {
    /// What stands with the claimant, by what moved.
    stands: BTreeMap<Position, i128>,
    /// What cases moved to positions, in tiyn.
    pub(super) moved: BTreeMap<ParticipantId, i128>,
    /// What was given back of a payment as the log tells it, and as the returns and claims add up.
    returned: BTreeMap<PaymentKey, (u64, u64)>,
    pub(super) steps: u64,
    /// Of these, steps of cases about card transactions.
    pub(super) card_steps: u64,
}

impl Disputes {
    /// Takes a record; `engine` is the state after it.
    pub(super) fn record(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        events: &[Event],
    ) -> Result<(), String> {
        let at = stamp.position.value();
        let mut given = 0;
        for event in events {
            match event {
                Event::Dispute(event) => {
                    self.step(engine, at, (event, events))?;
                    given += engine
                        .dispute(event.case)
                        .map_or(0, |dispute| dispute.case.claimed);
                }
                Event::ReturnFinished(done) if done.outcome == FinalOutcome::Settled => {
                    given += done.amount.minor();
                }
                _ => {}
            }
        }
        for event in events {
            if let Event::PaymentReturned { original, returned } = event {
                let (told, sum) = self.returned.entry(*original).or_default();
                (*told, *sum) = (returned.minor(), *sum + given);
                if told != sum {
                    return Err(format!(
                        "record {at}: {told} were given back of a payment as it is told, {sum} by returns and claims"
                    ));
                }
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        engine: &Engine,
        at: u64,
        (event, events): (&disputes::Event, &[Event]),
    ) -> Result<(), String> {
        let id = event.case;
        let dispute = engine
            .dispute(id)
            .ok_or_else(|| format!("record {at}: a step of no case"))?;
        self.steps += 1;
        let moved = match event.moved {
            Move::Nothing => 0,
            Move::ToClaimant(amount) => i128::from(amount),
            Move::ToRespondent(amount) => -i128::from(amount),
        };
        let stands = self.stands.entry(id).or_default();
        let stood = *stands;
        *stands += moved;
        let (claimed, disputable) = (dispute.case.claimed, dispute.case.disputable);
        let within = (0..=i128::from(claimed)).contains(stands) && claimed <= disputable;
        if *stands != i128::from(event.stands) || !within {
            return Err(format!(
                "case {} at record {at}: {stands} stand with the claimant by what moved, {} by the case, of {claimed} claimed and \
                 {disputable} that could be",
                id.value(),
                event.stands
            ));
        }
        if let Subject::Card(subject) = &dispute.subject {
            self.card_steps += 1;
            let stood = u64::try_from(stood).unwrap_or(0);
            return check_obligation(dispute, subject, (event, stood), events)
                .map_err(|text| format!("case {} at record {at}: {text}", id.value()));
        }
        *self.moved.entry(dispute.claimant).or_default() += moved;
        *self.moved.entry(dispute.respondent).or_default() -= moved;
        Ok(())
    }

    /// A payment was not given back twice: neither by returns and claims together nor by a claim alone.
    pub(super) fn check(&self, amounts: &BTreeMap<PaymentKey, u64>) -> Result<(), String> {
        for (key, (returned, _)) in &self.returned {
            let amount = amounts.get(key).copied().unwrap_or(0);
            if *returned > amount {
                return Err(format!(
                    "of a payment of {amount} were {returned} given back"
                ));
            }
        }
        Ok(())
    }
}

/// A step of a case about a card transaction is one obligation of the card session, with the interchange of what moves; none if nothing
/// does.
fn check_obligation(
    dispute: &Dispute,
    subject: &CardSubject,
    (event, stood): (&disputes::Event, u64),
    events: &[Event],
) -> Result<(), String> {
    let mut postings = events.iter().filter_map(|event| match event {
        Event::Card(cards::Event::Posted(posting)) if posting.key == subject.key => Some(posting),
        _ => None,
    });
    let (first, more) = (postings.next(), postings.count());
    let (amount, to) = match event.moved {
        Move::Nothing => (0, dispute.claimant),
        Move::ToClaimant(amount) => (amount, dispute.claimant),
        Move::ToRespondent(amount) => (amount, dispute.respondent),
    };
    let part = |stands: u64| {
        let part = u128::from(subject.interchange) * u128::from(stands);
        part / u128::from(dispute.case.disputable.max(1))
    };
    let interchange = part(stood).abs_diff(part(event.stands));
    let right = match first {
        None => amount == 0,
        Some(posting) => {
            more == 0
                && (posting.amount.minor(), posting.credit) == (amount, to)
                && u128::from(posting.fees.interchange.minor()) == interchange
        }
    };
    if right {
        return Ok(());
    }
    Err(format!(
        "{amount} go to participant {} with an interchange of {interchange}: {} obligations, the first {first:?}",
        to.value(),
        usize::from(first.is_some()) + more
    ))
}
