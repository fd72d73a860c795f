//! What a request must fulfil, in the order of [`CardReason`], and what advices and reversals share of it.

use torap_domain::{
    CardReason, CardService, ParticipantId, Time,
    card::{Direction, Transmission},
};

use super::{AMOUNT_MAX, BinRange, Class, PinFact, Request, Route, Transaction, members};
use crate::{
    Stamp, engine,
    participants::{self, Participant},
};

pub(super) fn check_role(state: &engine::State, acquirer: ParticipantId) -> Result<(), CardReason> {
    let member = state
        .cards
        .members
        .get(acquirer)
        .ok_or(CardReason::NotMember)?;
    if member.profile.roles.acquirer {
        Ok(())
    } else {
        Err(CardReason::RoleNotAllowed)
    }
}

/// DE7 with its year, unless it lies too far ahead.
pub(super) fn transmitted(
    state: &engine::State,
    stamp: Stamp,
    stated: Transmission,
) -> Result<Time, CardReason> {
    let time = stated
        .resolve(stamp.time)
        .ok_or(CardReason::TransmissionTime)?;
    let latest = stamp
        .time
        .saturating_add(state.cards.settings.transmission_ahead_max);
    if time > latest {
        return Err(CardReason::TransmissionTime);
    }
    Ok(time)
}

/// Checks every rule in the order of the reasons; gives the row of the card number, with the reason too once it is known.
pub(super) fn admit(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
    acquirer: ParticipantId,
) -> Result<BinRange, (CardReason, Option<BinRange>)> {
    let transaction = &request.transaction;
    let early = |reason| (reason, None);
    if transaction.class == Class::Financial && transaction.service == CardService::PreAuthorisation
    {
        return Err(early(CardReason::FunctionNotSupported));
    }
    check_sender(state, acquirer, transaction.service.direction()).map_err(early)?;
    let range = *range(state, stamp, transaction).map_err(early)?;
    admit_routed(state, request, acquirer, &range)
        .map(|()| range)
        .map_err(|reason| (reason, Some(range)))
}

fn admit_routed(
    state: &engine::State,
    request: &Request,
    acquirer: ParticipantId,
    range: &BinRange,
) -> Result<(), CardReason> {
    let transaction = &request.transaction;
    check_issuer(state, range.issuer, transaction.service.direction())?;
    check_pair(state, acquirer, range.issuer, transaction.service)?;
    check_amount(transaction)?;
    state.cards.stop_list.check(transaction.card.hash)?;
    match request.pin {
        // Without delegation the issuer alone says what its cardholder typed.
        PinFact::Wrong if state.cards.stand_in.verifies_pins(range.stand_in) => {
            return Err(CardReason::PinWrong);
        }
        PinFact::Refused => return Err(CardReason::PinRefused),
        PinFact::Unavailable => return Err(CardReason::PinUnavailable),
        PinFact::Absent | PinFact::Translated | PinFact::Verified | PinFact::Wrong => {}
    }
    check_cap(state, transaction, range.issuer)?;
    check_room(state, transaction, range.issuer)
}

/// The standing of the acquirer: certifying and closing members send nothing new.
pub(super) fn check_sender(
    state: &engine::State,
    acquirer: ParticipantId,
    direction: Direction,
) -> Result<(), CardReason> {
    let participant = state
        .participants
        .get(acquirer)
        .ok_or(CardReason::NotMember)?;
    // What debits the cardholder credits the acquirer.
    match standing(
        participant,
        direction == Direction::Credit,
        direction == Direction::Debit,
    ) {
        Standing::Good => Ok(()),
        Standing::NotActive => Err(CardReason::SenderNotActive),
        Standing::Suspended => Err(CardReason::SenderSuspended),
    }
}

fn check_issuer(
    state: &engine::State,
    issuer: ParticipantId,
    direction: Direction,
) -> Result<(), CardReason> {
    let participant = state
        .participants
        .get(issuer)
        .ok_or(CardReason::IssuerNotActive)?;
    let is_issuer = state
        .cards
        .members
        .get(issuer)
        .is_some_and(|member| member.profile.roles.issuer);
    if !is_issuer {
        return Err(CardReason::IssuerNotActive);
    }
    match standing(
        participant,
        direction == Direction::Debit,
        direction == Direction::Credit,
    ) {
        Standing::Good => Ok(()),
        Standing::NotActive => Err(CardReason::IssuerNotActive),
        Standing::Suspended => Err(CardReason::IssuerSuspended),
    }
}

enum Standing {
    Good,
    NotActive,
    Suspended,
}

fn standing(participant: &Participant, pays: bool, receives: bool) -> Standing {
    match participant.state {
        participants::State::Active => Standing::Good,
        participants::State::Certifying | participants::State::Closing => Standing::NotActive,
        participants::State::Suspended { debits, credits } => {
            if (debits && pays) || (credits && receives) {
                Standing::Suspended
            } else {
                Standing::Good
            }
        }
    }
}

/// The row that the gateway found, if it still holds.
pub(super) fn range<'a>(
    state: &'a engine::State,
    stamp: Stamp,
    transaction: &Transaction,
) -> Result<&'a BinRange, CardReason> {
    let route: Route = transaction.route.ok_or(CardReason::RouteUnknown)?;
    let range = state
        .cards
        .bins
        .range(route)
        .filter(|range| range.holds(stamp.time));
    let range = range.ok_or(CardReason::RouteOutdated)?;
    if range.prefix.first() == transaction.card.pan.first() {
        Ok(range)
    } else {
        Err(CardReason::RouteMismatch)
    }
}

/// The two are two banks, and both take part in the service.
pub(super) fn check_pair(
    state: &engine::State,
    acquirer: ParticipantId,
    issuer: ParticipantId,
    service: CardService,
) -> Result<(), CardReason> {
    if acquirer == issuer {
        return Err(CardReason::SameParticipant);
    }
    let offers = |id: ParticipantId| {
        state
            .cards
            .members
            .get(id)
            .is_some_and(|member| member.profile.services.has(service))
    };
    if offers(acquirer) && offers(issuer) {
        Ok(())
    } else {
        Err(CardReason::ServiceNotAllowed)
    }
}

pub(super) fn check_amount(transaction: &Transaction) -> Result<(), CardReason> {
    let (amount, cash_back) = (transaction.amount.minor(), transaction.cash_back.minor());
    let stated = (amount > 0) == transaction.service.has_amount();
    let cash = if transaction.service == CardService::PurchaseWithCashBack {
        cash_back > 0 && cash_back <= amount
    } else {
        cash_back == 0
    };
    if stated && cash && amount <= AMOUNT_MAX {
        Ok(())
    } else {
        Err(CardReason::AmountNotAllowed)
    }
}

/// The cap counts what is posted; what it declines stands in the settings.
fn check_cap(
    state: &engine::State,
    transaction: &Transaction,
    issuer: ParticipantId,
) -> Result<(), CardReason> {
    let declines = transaction.class == Class::Financial
        && transaction.service.direction() == Direction::Debit
        && state.cards.settings.cap_declines.has(transaction.service);
    match members::cap(state, issuer) {
        Some(cap) if declines => {
            let owed = members::net_debit(state, issuer);
            if owed.saturating_add(transaction.amount.minor()) > cap.minor() {
                return Err(CardReason::NetDebitCap);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Room for the request itself, for its authorisation, and for what may have to be queued about it.
fn check_room(
    state: &engine::State,
    transaction: &Transaction,
    issuer: ParticipantId,
) -> Result<(), CardReason> {
    let cards = &state.cards;
    let bounds = &cards.settings.bounds;
    if cards.transactions.under_way() >= bounds.in_flight_max as usize {
        return Err(CardReason::InFlightFull);
    }
    let authorises = transaction.class == Class::Authorisation;
    if authorises && cards.authorisations.len() >= bounds.authorisations_max as usize {
        return Err(CardReason::AuthorisationsFull);
    }
    check_queue(state, issuer)
}

/// Letters that one request may put into its issuer's queue: a reversal, an advice, and a reversal of that.
const LETTERS_EACH: usize = 3;

/// Whether the queue has room for one more transaction and everything that is under way already.
pub(super) fn check_queue(state: &engine::State, issuer: ParticipantId) -> Result<(), CardReason> {
    let members = &state.cards.members;
    let reach = members.reach(issuer);
    let asked = members.get(reach).map_or(0, |member| member.asked) as usize;
    let reserved = asked.saturating_add(1).saturating_mul(LETTERS_EACH);
    let most = state.cards.settings.bounds.queue_max as usize;
    if state.cards.queues.len(reach).saturating_add(reserved) > most {
        return Err(CardReason::QueueFull);
    }
    Ok(())
}

/// Reasons that may be gone in a moment: the message is not remembered and may be sent again.
pub(super) fn is_transient(reason: CardReason) -> bool {
    matches!(
        reason,
        CardReason::MacUnavailable
            | CardReason::Overloaded
            | CardReason::RouteOutdated
            | CardReason::RouteMismatch
            | CardReason::PinUnavailable
            | CardReason::InFlightFull
            | CardReason::AuthorisationsFull
            | CardReason::QueueFull
            | CardReason::OriginalUndecided
            | CardReason::InternalLimit
    )
}
