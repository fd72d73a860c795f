//! The generator as a state machine: bytes and time in, bytes out. It opens no socket and reads no clock.
//!
//! Times are nanoseconds of one monotonic clock of the driver; the wall clock is that plus a constant.

use std::time::Duration;

use bytes::BytesMut;
use torap_gateway::session::{ClientEvent, CloseReason};
use torap_gateway::wire::{ContentType, ErrorCode, Mode, Nonce, PeerError};
use torap_iso20022::view::TransactionStatus;

use crate::bank::{Bank, Letter};
use crate::driver::Traffic;
use crate::identity::Identity;
use crate::incoming::{Forwarded, Incoming, Inspector, Payee, Status};
use crate::ledger::{Final, Told};
use crate::limits::LINKS_LOST_MAX;
use crate::outcome::{Outcome, Progress};
use crate::payment::Writer;
use crate::plan::{Failure, Plan};
use crate::schedule::{Phase, Schedule};
use crate::tally::Tally;

/// Plays all banks of a plan.
///
/// For each bank without a link ([`Generator::wants_link`]) connect and call [`Generator::connected`]; give it the bytes that come,
/// call [`Generator::advance`] after every round of input and when [`Generator::poll_timeout`] is due, and write what
/// [`Generator::poll_output`] gives. When [`Generator::is_done`], call [`Generator::sign_off`], go on until no link is open, and take
/// the [`Generator::outcome`].
#[derive(Debug)]
pub struct Generator {
    mode: Mode,
    identity: Identity,
    banks: Vec<Bank>,
    schedule: Schedule,
    writer: Writer,
    inspector: Inspector,
    tally: Tally,
    wall_at_zero_ns: u64,
    body: Vec<u8>,
    /// By bank: a further payment would leave at once.
    ready: Vec<bool>,
    failure: Option<Failure>,
}

impl Generator {
    /// A generator at monotonic time `now`. `seed` is random and tells this run's identifiers from those of all others;
    /// `wall_at_zero_ns` is the wall clock (nanoseconds since 1970) when the monotonic clock was zero.
    ///
    /// # Errors
    /// The plan is wrong.
    pub fn new(
        plan: &Plan,
        seed: u64,
        wall_at_zero_ns: u64,
        now: u64,
    ) -> Result<Generator, Failure> {
        plan.check()?;
        let identity = Identity::new(seed);
        let banks = plan.banks.iter().cloned().enumerate();
        let codes = plan
            .banks
            .iter()
            .map(|bank| (bank.bic, bank.bank_code))
            .collect();
        Ok(Generator {
            mode: plan.mode,
            identity,
            banks: banks
                .map(|(place, details)| Bank::new(place, details))
                .collect(),
            schedule: Schedule::new(&plan.pace(), now),
            writer: Writer::new(identity, codes),
            inspector: Inspector::new(plan.check_every),
            tally: Tally::default(),
            wall_at_zero_ns,
            body: Vec::with_capacity(8192),
            ready: vec![false; plan.banks.len()],
            failure: None,
        })
    }

    /// Whether the bank has no link. What [`Generator::poll_output`] still gives are its last words on the old one.
    pub fn wants_link(&mut self, bank: usize) -> bool {
        self.banks[bank]
            .session()
            .is_none_or(|session| session.is_closed())
    }

    /// A connection of the bank was made. `nonce` is 32 fresh random bytes.
    pub fn connected(&mut self, bank: usize, nonce: Nonce, now: u64) {
        let mode = self.mode;
        self.banks[bank].connected(mode, nonce, now);
    }

    /// Bytes came for the bank.
    pub fn handle_bytes(&mut self, bank: usize, bytes: &[u8], now: u64) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(session) = self.banks[bank].session() else {
                return;
            };
            let taken = session.handle_bytes(rest, now);
            rest = rest.get(taken..).unwrap_or_default();
            self.handle_events(bank, now);
            if taken == 0 {
                // Every event is taken, and still there is no room: nothing can come of this link.
                return self.handle_end(bank, now);
            }
        }
    }

    /// The bank's connection ended or broke.
    pub fn handle_end(&mut self, bank: usize, now: u64) {
        if let Some(session) = self.banks[bank].session() {
            session.handle_end(now);
        }
        self.handle_events(bank, now);
    }

    /// Does what is due: timers of the links, answers that wait, payments of the schedule.
    pub fn advance(&mut self, now: u64) {
        for place in 0..self.banks.len() {
            if let Some(session) = self.banks[place].session() {
                session.handle_timeout(now);
            }
            self.handle_events(place, now);
            let bank = &mut self.banks[place];
            self.ready[place] = bank.flush(&mut self.writer, &mut self.body);
        }
        match self.schedule.phase {
            Phase::SigningOn { until } => {
                if self.banks.iter().all(Bank::is_open) {
                    self.tally.latency_from_ns = self.schedule.begin(now);
                    self.send(now);
                } else if now >= until {
                    let missing = self.banks.iter().find(|bank| !bank.is_open());
                    let bank = missing.map_or_else(String::new, |bank| bank.code().to_string());
                    self.fail(Failure::Link {
                        bank,
                        text: "could not sign on in time".into(),
                    });
                }
            }
            Phase::Paying { .. } => self.send(now),
            Phase::Ending => {}
        }
    }

    /// Moves the bank's pending output to the end of `out`. True if there is something.
    pub fn poll_output(&mut self, bank: usize, out: &mut BytesMut, now: u64) -> bool {
        let session = self.banks[bank].session();
        session.is_some_and(|session| session.poll_output(out, now))
    }

    /// When [`Generator::advance`] wants to be called next, if no bytes come before.
    pub fn poll_timeout(&mut self) -> Option<u64> {
        let links = self
            .banks
            .iter_mut()
            .filter_map(|bank| bank.session()?.poll_timeout())
            .min();
        let open = self.in_flight();
        let due = self.schedule.timeout(|schedule| {
            let may_send = open < schedule.in_flight_max;
            let ready = self
                .ready
                .iter()
                .enumerate()
                .filter(|(_, ready)| **ready && may_send);
            ready
                .filter_map(|(place, _)| schedule.due(self.next_number(place)))
                .min()
        });
        [links, due].into_iter().flatten().min()
    }

    /// Whether everything was sent and answered, or the time for it is over.
    pub fn is_done(&self, now: u64) -> bool {
        self.failure.is_some() || self.schedule.is_done(self.in_flight(), now)
    }

    /// Ends every session in good order.
    pub fn sign_off(&mut self) {
        self.schedule.phase = Phase::Ending;
        for bank in &mut self.banks {
            if bank.is_open()
                && let Some(session) = bank.session()
            {
                session.sign_off(&[]);
            }
        }
    }

    /// Whether a link is still open.
    pub fn has_links(&mut self) -> bool {
        (0..self.banks.len()).any(|bank| !self.wants_link(bank))
    }

    /// How far the run is.
    pub fn progress(&self, now: u64) -> Progress {
        let began = self.schedule.began().unwrap_or(now);
        Progress {
            elapsed: Duration::from_nanos(now.saturating_sub(began)),
            sent: self.tally.sent,
            settled: self.tally.settled,
            rejected: self.tally.rejections(),
            in_flight: self.in_flight(),
            p99_us: self.tally.latency.at_per_mille(990),
        }
    }

    /// The figures; `own_cpu` is the processor time that the driver measured for itself.
    ///
    /// # Errors
    /// The run failed.
    pub fn outcome(self, own_cpu: Duration) -> Result<Outcome, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let unknown = self.in_flight();
        let began = self.schedule.began().unwrap_or(0);
        let scheduled = self.schedule.total().unwrap_or(self.tally.sent);
        let checked = self.inspector.checked;
        Ok(self
            .tally
            .outcome(scheduled, unknown, began, checked, own_cpu))
    }

    fn in_flight(&self) -> u64 {
        self.banks.iter().map(|bank| bank.payments.open()).sum()
    }

    /// Number, over all banks, of the bank's next payment.
    fn next_number(&self, place: usize) -> u64 {
        self.banks[place].payments.next() * self.banks.len() as u64 + place as u64
    }

    fn wall(&self, now: u64) -> u64 {
        self.wall_at_zero_ns.saturating_add(now)
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    // Sending.

    /// Sends what is due, the oldest first over all banks that can send, as long as not too many are in flight.
    fn send(&mut self, now: u64) {
        let room = self.schedule.in_flight_max.saturating_sub(self.in_flight());
        for _ in 0..room {
            let ready = (0..self.banks.len()).filter(|place| self.ready[*place]);
            let oldest = ready.map(|place| (self.next_number(place), place)).min();
            let due = oldest.and_then(|(number, _)| self.schedule.due(number));
            let (Some((number, place)), Some(due)) = (oldest, due.filter(|due| *due <= now)) else {
                break;
            };
            self.pay(place, number, self.schedule.due_of_sent(due, now), now);
        }
        let has_rest =
            (0..self.banks.len()).any(|place| self.schedule.due(self.next_number(place)).is_some());
        self.schedule.settle_end(has_rest, now);
    }

    fn pay(&mut self, place: usize, number: u64, due_ns: u64, now: u64) {
        let created_ns = self.wall(now);
        let bank = &mut self.banks[place];
        bank.payments.sent(due_ns);
        bank.post_payment(number, created_ns);
        self.ready[place] = bank.flush(&mut self.writer, &mut self.body);
        self.tally.sent += 1;
    }

    // What the switch says.

    fn handle_events(&mut self, place: usize, now: u64) {
        loop {
            let Some(event) = self.banks[place]
                .session()
                .and_then(|session| session.poll_event())
            else {
                break;
            };
            self.handle_event(place, event, now);
        }
        self.banks[place].confirm();
    }

    fn handle_event(&mut self, place: usize, event: ClientEvent, now: u64) {
        let bank = &mut self.banks[place];
        match event {
            ClientEvent::SignedOn { held_by_switch, .. } => bank.signed_on(held_by_switch),
            ClientEvent::Message(message) => {
                // Answers and notices in JSON belong to commands, which a load run does not send.
                if message.content_type == ContentType::Iso20022Xml {
                    self.handle_message(place, &message.body, now);
                }
                self.banks[place].hold(message.sequence);
            }
            // An expired payment: the payer's bank is told what became of it.
            ClientEvent::Skipped { sequence } => bank.hold(sequence),
            ClientEvent::Refused { sequence, code } => {
                let name = code.name();
                self.tally.breach(bank.code(), || {
                    format!("message {sequence} is refused: {name}")
                });
                bank.hold(sequence);
            }
            ClientEvent::Acknowledged { upto } => bank.acknowledged(upto),
            ClientEvent::PeerError(error) => self.handle_refused(place, &error, now),
            ClientEvent::Closed(reason) => self.handle_closed(place, reason),
        }
    }

    fn handle_message(&mut self, place: usize, body: &[u8], now: u64) {
        match self.inspector.inspect(body) {
            Ok((Incoming::Forwarded(forwarded), payee)) => {
                self.handle_forwarded(place, &forwarded, payee, now);
            }
            Ok((Incoming::Status(status), _)) => self.handle_status(place, &status, now),
            Ok((Incoming::Rejected { related, reason }, _)) => {
                let bank = &self.banks[place];
                match self.identity.number_of_message(&related, bank.bic()) {
                    Some(number) => {
                        let code = format!("admi.002 {reason}");
                        self.decide(place, number, Err(&code), now);
                    }
                    None => self.breach(place, || format!("{related} was rejected: {reason}")),
                }
            }
            Ok((Incoming::Other, _)) => {}
            Err(text) => self.breach(place, || text),
        }
    }

    /// The payee's bank accepts at once.
    fn handle_forwarded(
        &mut self,
        place: usize,
        forwarded: &Forwarded<'_>,
        payee: Option<Payee<'_>>,
        now: u64,
    ) {
        let created_ns = self.wall(now);
        if !self.banks[place].post_answer(forwarded, created_ns) {
            self.breach(place, || format!("identifiers too long: {forwarded:?}"));
        }
        let Some(number) = self
            .identity
            .number_of_transaction(forwarded.transaction_id)
        else {
            return;
        };
        let terms = self.writer.terms(number);
        if terms.payee != place || !self.is_uetr_of(number, forwarded.uetr) {
            self.breach(place, || {
                format!("forwarded to the wrong bank: {forwarded:?}")
            });
        }
        if let Some(payee) = payee {
            let iban = self.writer.payee_iban(&terms);
            let right = payee.tiyn == terms.tiyn
                && payee.agent == self.banks[place].bic()
                && payee.iban == Some(iban.as_str());
            if !right {
                self.breach(place, || format!("forwarded with other content: {payee:?}"));
            }
        }
    }

    fn handle_status(&mut self, place: usize, status: &Status<'_>, now: u64) {
        let Some(number) = self.identity.number_of_transaction(status.transaction_id) else {
            // A payment of an earlier run, or of someone else.
            return;
        };
        if !self.is_uetr_of(number, status.uetr) {
            return self.breach(place, || format!("UETR and TxId do not agree: {status:?}"));
        }
        match status.status {
            TransactionStatus::Acsc => self.decide(place, number, Ok(()), now),
            TransactionStatus::Rjct => {
                self.decide(place, number, Err(status.reason.unwrap_or("none")), now);
            }
            TransactionStatus::Pdng | TransactionStatus::Actc => {}
            TransactionStatus::Acsp => self.breach(place, || "ACSP from the switch".to_string()),
        }
    }

    /// A final answer to the payer's or the payee's bank, with the code of a rejection.
    fn decide(&mut self, place: usize, number: u64, outcome: Result<(), &str>, now: u64) {
        let (banks, terms) = (self.banks.len() as u64, self.writer.terms(number));
        let is_payer = terms.payer == place;
        let said = outcome.map_or(Final::Rejected, |()| Final::Settled);
        let payments = &mut self.banks[terms.payer].payments;
        let told = if is_payer {
            payments.tell_payer(number / banks, said)
        } else if terms.payee == place {
            payments.tell_payee(number / banks, said)
        } else {
            Told::Never
        };
        match (told, outcome) {
            (Told::First { due_ns }, Ok(())) if is_payer => self.tally.settle(due_ns, now),
            (Told::First { due_ns }, Err(code)) if is_payer => self.tally.reject(code, due_ns, now),
            (Told::First { .. }, _) => {}
            (Told::Again, _) => self.tally.repeated += 1,
            (Told::Contradiction, _) => {
                self.breach(place, || {
                    format!("payment {number} has two outcomes, now {said:?}")
                });
            }
            (Told::Never, _) => {
                self.breach(place, || format!("payment {number} is none of this bank's"));
            }
        }
    }

    /// The switch refused something on the living link. A payment refused there gets no other answer.
    fn handle_refused(&mut self, place: usize, error: &PeerError, now: u64) {
        let letter = error
            .sequence
            .and_then(|sequence| self.banks[place].letter(sequence));
        if let Some(Letter::Payment { number, .. }) = letter.copied() {
            self.decide(place, number, Err(&format!("wire {}", error.number)), now);
        } else {
            self.breach(place, || {
                format!("wire error {}: {}", error.number, error.text)
            });
        }
    }

    fn handle_closed(&mut self, place: usize, reason: CloseReason) {
        self.banks[place].disconnected();
        let hopeless = match &reason {
            CloseReason::PeerError(error) => matches!(
                error.code(),
                Some(
                    ErrorCode::NoCommonVersion
                        | ErrorCode::WrongMode
                        | ErrorCode::BadCredentials
                        | ErrorCode::BicNotAllowed
                        | ErrorCode::HeldAhead
                        | ErrorCode::NotAdmitted
                        | ErrorCode::Superseded
                )
            ),
            _ => false,
        };
        match self.schedule.phase {
            Phase::Ending => return,
            Phase::SigningOn { .. } => {}
            Phase::Paying { .. } => self.tally.links_lost += 1,
        }
        if hopeless || self.tally.links_lost > LINKS_LOST_MAX {
            let bank = self.banks[place].code().to_string();
            self.fail(Failure::Link {
                bank,
                text: format!("the link is closed: {reason:?}"),
            });
        }
    }

    fn is_uetr_of(&self, number: u64, uetr: &str) -> bool {
        torap_domain::Uetr::parse(uetr) == Ok(self.identity.uetr(number))
    }

    fn breach(&mut self, place: usize, text: impl FnOnce() -> String) {
        self.tally.breach(self.banks[place].code(), text);
    }
}

impl Traffic for Generator {
    fn links(&self) -> usize {
        self.banks.len()
    }

    fn wants_link(&mut self, link: usize) -> bool {
        Generator::wants_link(self, link)
    }

    fn connected(&mut self, link: usize, nonce: [u8; 32], now: u64) {
        Generator::connected(self, link, Nonce(nonce), now);
    }

    fn handle_bytes(&mut self, link: usize, bytes: &[u8], now: u64) {
        Generator::handle_bytes(self, link, bytes, now);
    }

    fn handle_end(&mut self, link: usize, now: u64) {
        Generator::handle_end(self, link, now);
    }

    fn advance(&mut self, now: u64) {
        Generator::advance(self, now);
    }

    fn poll_output(&mut self, link: usize, out: &mut BytesMut, now: u64) {
        Generator::poll_output(self, link, out, now);
    }

    fn poll_timeout(&mut self) -> Option<u64> {
        Generator::poll_timeout(self)
    }

    fn is_done(&self, now: u64) -> bool {
        Generator::is_done(self, now)
    }

    fn sign_off(&mut self) {
        Generator::sign_off(self);
    }

    fn progress(&self, now: u64) -> Progress {
        Generator::progress(self, now)
    }

    fn outcome(self, own_cpu: Duration) -> Result<Outcome, Failure> {
        Generator::outcome(self, own_cpu)
    }
}

#[cfg(test)]
pub(crate) mod tests;
