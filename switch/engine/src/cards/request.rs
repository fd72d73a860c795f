//! A new request (0100, 0200): repeat or new, admitted or declined, and who is asked about it.
//!
//! What was seen before is answered before anything is checked, so that a repeat gets the first answer even if a member or a limit
//! has changed since. Then the rules follow in the order of [`CardReason`], and the first that is broken is the answer. What
//! anybody could have sent (a wrong MAC, somebody else's institution), and what may be gone in a moment, is not remembered.

use torap_domain::{
    CardReason, CardService, Money, ParticipantId, Position, Time,
    card::{Direction, Stan, Transmission},
};

use super::{
    AMOUNT_MAX, BinRange, CardKey, Class, Decision, Effect, Enrichment, Event, Fingerprint,
    LinkNumber, Message, Origin, PinFact, Request, Route, Trace, Transaction, Without, decision,
    in_flight::{InFlight, Stage},
    transactions::{Found, Slot},
    window::{Decided, Entry, What, declined},
};
use crate::{
    Outcome, Output, Stamp, engine,
    participants::{self, Participant},
};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    request: &Request,
    out: &mut Output,
) -> Outcome {
    let transaction = &request.transaction;
    let origin = &request.origin;
    let prepared = sender(state, stamp, request);
    let (acquirer, transmitted) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => return refuse(state, stamp, request, reason, out),
    };
    match seen_before(
        state,
        stamp,
        &transaction.key,
        &transaction.fingerprint,
        out,
    ) {
        Seen::Never => {}
        Seen::UnderWay(slot) => {
            state.cards.transactions.answer_to(slot, origin.link);
            return Outcome::Accepted;
        }
        Seen::Decided(decided) if !decided.advice => {
            answer_again(state, stamp, request, &decided, out);
            return Outcome::Accepted;
        }
        Seen::Blocked => return refuse(state, stamp, request, CardReason::Blocked, out),
        Seen::Decided(_) | Seen::Reversal(_) | Seen::Other => {
            return refuse(state, stamp, request, CardReason::DuplicateMismatch, out);
        }
    }
    if state
        .cards
        .transactions
        .may_have_dropped(origin.participant, transmitted)
    {
        return refuse(state, stamp, request, CardReason::TransmissionTime, out);
    }
    let mut pending = pending(state, stamp, request, acquirer, transmitted);
    match admit(state, stamp, request, acquirer) {
        Ok(range) => {
            route(&mut pending, &range);
            start(state, stamp, pending, request.token, out);
        }
        Err((reason, _)) if is_transient(reason) => {
            return refuse(state, stamp, request, reason, out);
        }
        Err((reason, range)) => {
            if let Some(range) = range {
                route(&mut pending, &range);
            }
            decision::decline(
                state,
                stamp,
                &pending,
                None,
                declined(reason, None),
                None,
                out,
            );
        }
    }
    Outcome::Accepted
}

/// Who sends, and when: what must be right before a message may use up its identity.
fn sender(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
) -> Result<(ParticipantId, Time), CardReason> {
    let transaction = &request.transaction;
    let members = &state.cards.members;
    members.signed_on(&request.origin, transaction.mac)?;
    let acquirer = members.acquirer(&request.origin, transaction.references.acquirer)?;
    check_role(state, acquirer)?;
    let settings = &state.cards.settings;
    let transmitted = transmitted(state, stamp, transaction.references.trace.transmitted)?;
    if transmitted < stamp.time.saturating_sub(settings.transmission_age_max) {
        return Err(CardReason::TransmissionTime);
    }
    Ok((acquirer, transmitted))
}

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

/// What is known of a key.
pub(super) enum Seen {
    Never,
    UnderWay(Slot),
    Decided(Decided),
    Reversal(Option<CardReason>),
    Blocked,
    /// The same key with other content.
    Other,
}

/// One whose deadline has passed is decided first.
pub(super) fn seen_before(
    state: &mut engine::State,
    stamp: Stamp,
    key: &CardKey,
    fingerprint: &Fingerprint,
    out: &mut Output,
) -> Seen {
    match decision::find(state, stamp, key, out) {
        None => Seen::Never,
        Some(Found::UnderWay(slot)) => {
            let request = state.cards.transactions.get(slot);
            let same =
                request.is_some_and(|request| request.transaction.fingerprint == *fingerprint);
            if same {
                Seen::UnderWay(slot)
            } else {
                Seen::Other
            }
        }
        Some(Found::Decided(_, entry)) => seen(&entry, fingerprint),
    }
}

fn seen(entry: &Entry, fingerprint: &Fingerprint) -> Seen {
    let same = entry.fingerprint == *fingerprint;
    match entry.what {
        What::Blocked => Seen::Blocked,
        What::Transaction(decided) if same => Seen::Decided(decided),
        What::Reversal { refusal } if same => Seen::Reversal(refusal),
        What::Transaction(_) | What::Reversal { .. } => Seen::Other,
    }
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

/// A request with what is known before its route.
fn pending(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
    acquirer: ParticipantId,
    transmitted: Time,
) -> InFlight {
    let whole = stamp.time.saturating_add(state.cards.settings.whole_within);
    InFlight {
        transaction: request.transaction,
        submitted: stamp.position,
        transmitted,
        sender: request.origin.participant,
        link: request.origin.link,
        acquirer,
        issuer: ParticipantId::SWITCH,
        product: 0,
        stand_in: 0,
        scheme: 0,
        session: state.cards.sessions.current(stamp.time),
        pin: request.pin,
        chip: request.chip,
        partial_supported: request.partial_supported,
        stage: Stage::New,
        asked_of: ParticipantId::SWITCH,
        trace: NO_TRACE,
        deadline: whole,
        whole,
        enrichment: Enrichment::NotAsked,
        restarted: false,
    }
}

/// Of a request that nobody was asked about.
const NO_TRACE: Trace = Trace {
    transmitted: Transmission::FIRST,
    stan: Stan::MIN,
};

fn route(pending: &mut InFlight, range: &BinRange) {
    pending.issuer = range.issuer;
    pending.product = range.product;
    pending.stand_in = range.stand_in;
    pending.scheme = range.scheme;
}

/// Checks every rule in the order of the reasons; gives the row of the card number, with the reason too once it is known.
fn admit(
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
        PinFact::Wrong => return Err(CardReason::PinWrong),
        PinFact::Refused => return Err(CardReason::PinRefused),
        PinFact::Unavailable => return Err(CardReason::PinUnavailable),
        PinFact::Absent | PinFact::Translated | PinFact::Verified => {}
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
    let cap = state
        .cards
        .members
        .get(issuer)
        .and_then(|member| member.profile.cap);
    match cap {
        Some(cap) if declines => {
            let owed = super::members::net_debit(state, issuer);
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

/// Asks the scheme, or the issuer; or stands in.
fn start(
    state: &mut engine::State,
    stamp: Stamp,
    mut pending: InFlight,
    token: bool,
    out: &mut Output,
) {
    let number = usize::from(pending.scheme);
    let scheme = state.cards.schemes.get(number).copied().flatten();
    let channel = pending.transaction.channel;
    let wanted = scheme.filter(|scheme| token || scheme.channels.has(channel));
    let issuer_reachable = state.cards.members.is_reachable(pending.issuer);
    let Some(scheme) = wanted.filter(|_| issuer_reachable) else {
        if token && pending.scheme != 0 {
            pending.enrichment = Enrichment::Missing;
        }
        ask_issuer(state, stamp, pending, None, out);
        return;
    };
    if !state.cards.members.is_reachable(scheme.host) {
        without_scheme(state, stamp, pending, None, scheme.without, out);
        return;
    }
    let host = state.cards.members.reach(scheme.host);
    pending.stage = Stage::Scheme;
    pending.asked_of = host;
    pending.trace = state.cards.members.next_trace(host, stamp);
    pending.deadline = stamp.time.saturating_add(scheme.within).min(pending.whole);
    let trace = pending.trace;
    let message = Message::Enquiry {
        original: stamp.position,
        trace,
        expires: pending.deadline,
    };
    admit_under_way(state, pending);
    out.cards.push(effect(stamp, host, None, message));
}

/// The scheme's data cannot be had.
pub(super) fn without_scheme(
    state: &mut engine::State,
    stamp: Stamp,
    mut request: InFlight,
    slot: Option<Slot>,
    policy: Without,
    out: &mut Output,
) {
    match policy {
        Without::CarryOn => {
            request.enrichment = Enrichment::Missing;
            ask_issuer(state, stamp, request, slot, out);
        }
        Without::Decline => {
            let decline = declined(CardReason::SchemeUnavailable, None);
            decision::decline(state, stamp, &request, slot, decline, None, out);
        }
    }
}

/// Sends the request to the issuer, or stands in for one that cannot be reached.
pub(super) fn ask_issuer(
    state: &mut engine::State,
    stamp: Stamp,
    mut request: InFlight,
    slot: Option<Slot>,
    out: &mut Output,
) {
    if !state.cards.members.is_reachable(request.issuer) {
        let otherwise = CardReason::IssuerUnavailable;
        decision::stand_in(state, stamp, &request, slot, otherwise, out);
        return;
    }
    let issuer_within = state.cards.settings.issuer_within;
    let reach = state.cards.members.reach(request.issuer);
    let trace = state.cards.members.next_trace(reach, stamp);
    request.stage = Stage::Issuer;
    request.asked_of = reach;
    request.trace = trace;
    request.deadline = stamp.time.saturating_add(issuer_within).min(request.whole);
    let message = Message::Request {
        original: request.submitted,
        class: request.transaction.class,
        trace,
        session: request.session,
        expires: request.deadline,
        enrichment: request.enrichment,
    };
    if let Some(member) = state.cards.members.get_mut(reach) {
        member.asked = member.asked.saturating_add(1);
    }
    match slot {
        None => admit_under_way(state, request),
        Some(slot) => {
            state.cards.transactions.ask(slot, |there| *there = request);
        }
    }
    out.cards.push(effect(stamp, reach, None, message));
}

fn admit_under_way(state: &mut engine::State, request: InFlight) {
    state.cards.sessions.enter(request.session);
    state.cards.transactions.admit(request);
}

/// Declines without remembering.
fn refuse(
    state: &mut engine::State,
    stamp: Stamp,
    request: &Request,
    reason: CardReason,
    out: &mut Output,
) -> Outcome {
    let transaction = &request.transaction;
    out.card_event(Event::Refused {
        participant: request.origin.participant,
        reason,
    });
    let message = Message::Answer {
        original: stamp.position,
        class: transaction.class,
        references: transaction.references,
        decision: declined(reason, None),
        answer: None,
        session: state.cards.sessions.current(stamp.time),
        fees: None,
        again: false,
    };
    out.cards.push(reply(stamp, &request.origin, message));
    Outcome::Accepted
}

/// The answer that was given before, to this repeat.
fn answer_again(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
    decided: &Decided,
    out: &mut Output,
) {
    let amount = match decided.decision {
        Decision::Approved { amount, .. } => amount,
        Decision::Declined { .. } => Money::zero(request.transaction.amount.asset()),
    };
    let fees = decided
        .tariff
        .map(|tariff| state.cards.fees.fees(Some(tariff), amount.minor()));
    let message = Message::Answer {
        original: stamp.position,
        class: decided.class,
        references: request.transaction.references,
        decision: decided.decision,
        answer: decided.answer,
        session: decided.session,
        fees,
        again: true,
    };
    out.cards.push(reply(stamp, &request.origin, message));
}

pub(super) fn reply(stamp: Stamp, origin: &Origin, message: Message) -> Effect {
    effect(stamp, origin.participant, Some(origin.link), message)
}

pub(super) fn effect(
    stamp: Stamp,
    to: ParticipantId,
    link: Option<LinkNumber>,
    message: Message,
) -> Effect {
    let Stamp { position, time } = stamp;
    let cause: Position = position;
    Effect {
        to,
        link,
        cause,
        time,
        message,
    }
}
