//! The card rail's part of the running digest: every message and event, word by word.

use torap_domain::{Money, ParticipantId, Position};

use super::Mix;
use crate::{
    cards::{
        Card, CardKey, Decision, Effect, Enrichment, Event, Fees, Finished, Letter, MemberView,
        Message, Notice, References, Side, Sum, Totals, Trace,
    },
    codec::{Layout, Writer},
};

/// A message to a participant. References are left out: they are copies of the record's facts.
pub(super) fn effect(mix: &mut Mix, effect: &Effect) {
    let link = effect
        .link
        .map_or(0, |link| u64::from(link.0).saturating_add(1));
    mix.word(u64::from(effect.to.0) << 48 | link);
    mix.word(effect.cause.0);
    mix.word(effect.time.nanos());
    match &effect.message {
        Message::Request {
            original,
            class,
            trace,
            session,
            expires,
            enrichment,
        } => {
            mix.word(0x41 << 8 | u64::from(class.number()));
            mix.word(original.0);
            mix_trace(mix, trace);
            mix.word(u64::from(session.days().cast_unsigned()));
            mix.word(expires.nanos());
            mix.word(match enrichment {
                Enrichment::NotAsked => 0,
                Enrichment::Missing => u64::MAX,
                Enrichment::Answered(position) => position.0,
            });
        }
        Message::Enquiry {
            original,
            trace,
            expires,
        } => {
            mix.word(0x42);
            mix.word(original.0);
            mix_trace(mix, trace);
            mix.word(expires.nanos());
        }
        Message::Answer {
            original,
            class,
            references: _,
            decision,
            answer,
            session,
            fees,
            again,
        } => {
            mix.word(0x43 << 16 | u64::from(class.number()) << 8 | u64::from(*again));
            mix.word(original.0);
            mix_decision(mix, decision);
            mix.word(answer.map_or(0, |answer| answer.0));
            mix.word(u64::from(session.days().cast_unsigned()));
            mix_fees(mix, fees.as_ref());
        }
        Message::Reply {
            original,
            trace,
            refusal,
            session,
            again,
        } => {
            let refusal = refusal.map_or(0, |reason| u64::from(reason.code_number()));
            mix.word(0x44 << 32 | refusal << 8 | u64::from(*again));
            mix.word(original.0);
            mix_trace(mix, trace);
            mix.word(u64::from(session.days().cast_unsigned()));
        }
        Message::Reconciled {
            original,
            trace,
            session,
            totals,
            in_balance,
        } => {
            mix.word(0x45 << 8 | u64::from(*in_balance));
            mix.word(original.0);
            mix_trace(mix, trace);
            mix.word(u64::from(session.days().cast_unsigned()));
            mix_totals(mix, totals);
        }
        Message::Queued {
            letter,
            trace,
            repeat,
        } => {
            mix.word(0x46 << 8 | u64::from(*repeat));
            mix_trace(mix, trace);
            mix_letter(mix, letter);
        }
        Message::ClosingTotals {
            participant,
            session,
            side,
            totals,
            trace,
            repeat,
        } => {
            mix.word(0x47 << 8 | u64::from(*repeat));
            mix_trace(mix, trace);
            mix.word(side_of(*participant, *side));
            mix.word(u64::from(session.days().cast_unsigned()));
            mix_totals(mix, totals);
        }
    }
}

/// An event.
pub(super) fn event(mix: &mut Mix, event: &Event) {
    match event {
        Event::Decided(finished) => mix_finished(mix, finished),
        Event::Blocked {
            original,
            reversal,
            participant,
        } => {
            keyed(mix, 0x62 << 16 | u64::from(participant.0), original);
            mix.pair(reversal.0);
        }
        Event::Posted(posting) => {
            mix.word(0x52 << 8 | u64::from(posting.reversal));
            mix.pair(posting.key.0);
            mix.word(u64::from(posting.session.days().cast_unsigned()));
            mix.word(pair_of(posting.debit, posting.credit));
            mix.word(u64::from(posting.acquirer.0));
            mix.word(posting.amount.minor());
            mix_fees(mix, Some(&posting.fees));
        }
        Event::Reversed {
            original,
            reversal,
            stands,
            fees,
            session,
        } => {
            keyed(mix, 0x53, original);
            mix.pair(reversal.0);
            mix.word(stands.minor());
            mix_fees(mix, Some(fees));
            mix.word(u64::from(session.days().cast_unsigned()));
        }
        Event::Reduced {
            original,
            stands,
            case,
        } => {
            keyed(mix, 0x55 << 8, original);
            mix.word(stands.minor());
            mix.word(case.map_or(0, |case| case.0));
        }
        Event::AuthorisationEnded { key, completed } => {
            keyed(mix, 0x54, key);
            mix.word(completed.minor());
        }
        Event::LateAnswer {
            key,
            issuer,
            approved,
        } => {
            keyed(mix, 0x55, key);
            mix.word(u64::from(issuer.0) << 1 | u64::from(*approved));
        }
        Event::Unmatched { participant, trace } => {
            mix.word(0x56 << 16 | u64::from(participant.0));
            mix_trace(mix, trace);
        }
        Event::Acknowledged {
            participant,
            trace,
            code,
        } => {
            mix.word(
                0x57 << 32
                    | u64::from(u16::from_le_bytes(code.bytes())) << 16
                    | u64::from(participant.0),
            );
            mix_trace(mix, trace);
        }
        Event::Refused {
            participant,
            reason,
        } => {
            mix.word(0x58 << 32 | u64::from(reason.code_number()) << 16 | u64::from(participant.0));
        }
        Event::CutOver { closed, opened } => {
            dated(mix, 0x59, closed.days());
            mix.word(u64::from(opened.days().cast_unsigned()));
        }
        Event::CutOverHeld { session } => dated(mix, 0x5A, session.days()),
        Event::SessionClosed { session } => dated(mix, 0x5B, session.days()),
        Event::SessionSettled { session } => dated(mix, 0x5C, session.days()),
        Event::Reconciled {
            participant,
            session,
            side,
            in_balance,
        } => {
            dated(mix, 0x5D << 1 | u64::from(*in_balance), session.days());
            mix.word(side_of(*participant, *side));
        }
        Event::NetDebit {
            participant,
            net_debit,
            cap,
            near,
        } => {
            mix.word(0x5E << 32 | u64::from(participant.0) << 1 | u64::from(*near));
            mix.word(net_debit.minor());
            mix.word(cap.minor());
        }
        Event::StopList { card, stopped } => {
            mix.word(0x5F << 1 | u64::from(*stopped));
            mix_card(mix, card);
        }
        Event::BinsChanged(table) => {
            mix.word(0x60 << 32 | u64::from(table.version()));
            for range in table.ranges() {
                layout(mix, range);
            }
        }
        Event::MemberChanged(view) => member(mix, view),
    }
}

fn mix_finished(mix: &mut Mix, finished: &Finished) {
    mix.word(
        0x51 << 32
            | u64::from(finished.class.number()) << 24
            | u64::from(finished.service.number()) << 16
            | u64::from(finished.channel.number()) << 8
            | u64::from(finished.product),
    );
    mix.pair(finished.key.0);
    mix.pair(finished.fingerprint.0);
    mix_decision(mix, &finished.decision);
    mix.word(finished.submitted.0);
    mix.word(finished.decided.0);
    mix.word(finished.decided_at.nanos());
    mix_references(mix, &finished.references);
    mix_card(mix, &finished.card);
    mix.word(finished.amount.minor());
    mix.word(pair_of(finished.acquirer, finished.issuer) << 16 | u64::from(finished.mcc.value()));
    match &finished.asked {
        Some(asked) => mix_trace(mix, asked),
        None => mix.word(0),
    }
    mix.word(u64::from(finished.session.days().cast_unsigned()));
    mix_fees(mix, finished.fees.as_ref());
}

/// The trace alone: DE32, DE37 and DE41 are part of the key.
fn mix_references(mix: &mut Mix, references: &References) {
    mix_trace(mix, &references.trace);
}

fn mix_card(mix: &mut Mix, card: &Card) {
    mix.pair(card.hash.0);
    let pan = card.pan;
    mix.word(u64::from(pan.first()) << 32 | u64::from(pan.last()) << 8 | u64::from(pan.length()));
}

fn mix_trace(mix: &mut Mix, trace: &Trace) {
    mix.word(u64::from(trace.transmitted.value()) << 32 | u64::from(trace.stan.value()));
}

fn mix_decision(mix: &mut Mix, decision: &Decision) {
    match decision {
        Decision::Approved {
            approval,
            amount,
            by,
        } => {
            let code = approval.map_or(0, |code| {
                let [a, b, c, d, e, f] = code.bytes();
                u64::from_le_bytes([a, b, c, d, e, f, 1, 0])
            });
            mix.word(1 << 8 | *by as u64);
            mix.word(amount.minor());
            mix.word(code);
        }
        Decision::Declined { reason, code } => {
            let code = code.map_or(0, |code| u64::from(u16::from_le_bytes(code.bytes())));
            mix.word(2 << 48 | code << 16 | u64::from(reason.code_number()));
        }
    }
}

fn mix_fees(mix: &mut Mix, fees: Option<&Fees>) {
    let Some(fees) = fees else {
        mix.word(0);
        return;
    };
    mix.word(fees.interchange_to as u64);
    for amount in [fees.interchange, fees.switch_acquirer, fees.switch_issuer] {
        mix.word(amount.minor());
    }
}

fn mix_totals(mix: &mut Mix, totals: &Totals) {
    let Totals {
        debits,
        debit_reversals,
        credits,
        credit_reversals,
        fees_paid,
        fees_received,
    } = totals;
    for Sum { count, amount } in [debits, debit_reversals, credits, credit_reversals] {
        mix.word(*count);
        mix.word(amount.minor());
    }
    mix.word(fees_paid.minor());
    mix.word(fees_received.minor());
}

fn mix_letter(mix: &mut Mix, letter: &Letter) {
    match letter {
        Letter::Advice {
            original,
            class,
            about,
            amount,
            approval,
            by,
            session,
        } => {
            mix.word(0x71 << 16 | u64::from(class.number()) << 8 | *by as u64);
            mix.word(original.0);
            if let Some(about) = about {
                mix_trace(mix, about);
            }
            mix.word(amount.minor());
            mix.word(u64::from(session.days().cast_unsigned()));
            if let Some(code) = approval {
                mix.bytes(&code.bytes());
            }
        }
        Letter::Reversal {
            original,
            class,
            about,
            reversal,
            amount,
            stands,
            cause,
            session,
        } => {
            mix.word(0x72 << 16 | u64::from(class.number()) << 8 | *cause as u64);
            mix.word(original.0);
            mix_trace(mix, about);
            mix.word(reversal.unwrap_or(Position(0)).0);
            mix.word(amount.minor());
            mix.word(stands.minor());
            mix.word(u64::from(session.days().cast_unsigned()));
        }
        Letter::Administrative { original, to } => {
            mix.word(0x73 << 16 | u64::from(to.0));
            mix.word(original.0);
        }
        Letter::Notice(notice) => mix_notice(mix, notice),
        Letter::CutOver { session } => dated(mix, 0x75, session.days()),
        Letter::Totals {
            participant,
            session,
            side,
        } => {
            dated(mix, 0x76, session.days());
            mix.word(side_of(*participant, *side));
        }
        Letter::KeyHandedOver { set, of } => {
            mix.word(0x77 << 32 | u64::from(*set) << 8 | *of as u64);
        }
        Letter::KeyInUse { set } => mix.word(0x78 << 32 | u64::from(*set)),
    }
}

fn mix_notice(mix: &mut Mix, notice: &Notice) {
    match notice {
        Notice::NetDebit {
            participant,
            net_debit,
            cap,
        } => {
            mix.word(0x741 << 16 | u64::from(participant.0));
            for amount in [net_debit, cap] {
                mix.word(Money::minor(*amount));
            }
        }
        Notice::OutOfBalance {
            participant,
            session,
            side,
        } => {
            dated(mix, 0x742, session.days());
            mix.word(side_of(*participant, *side));
        }
    }
}

fn member(mix: &mut Mix, view: &MemberView) {
    mix.word(0x61 << 32 | u64::from(view.participant.0) << 1 | u64::from(view.signed_on));
    layout(mix, &view.profile);
    for link in &view.links {
        mix.word(u64::from(link.0));
    }
    mix.word(view.queued as u64);
    // Digests of logs without a change of keys stay what they were.
    if let Some(change) = &view.keys.change {
        mix.word(0x63 << 32);
        layout(mix, change);
    }
    if let Some(last) = &view.keys.last {
        mix.word(0x64 << 32);
        layout(mix, last);
    }
}

fn keyed(mix: &mut Mix, tag: u64, key: &CardKey) {
    mix.word(tag);
    mix.pair(key.0);
}

fn dated(mix: &mut Mix, tag: u64, days: i32) {
    mix.word(tag << 32 | u64::from(days.cast_unsigned()));
}

fn pair_of(one: ParticipantId, other: ParticipantId) -> u64 {
    u64::from(one.0) << 16 | u64::from(other.0)
}

fn side_of(participant: ParticipantId, side: Side) -> u64 {
    u64::from(participant.0) << 8 | side as u64
}

/// What changes rarely, by its stored form.
fn layout(mix: &mut Mix, value: &impl Layout) {
    let mut bytes = Vec::new();
    value.put(&mut Writer::new(&mut bytes));
    mix.bytes(&bytes);
}
