//! The issuer's authoriser: decides about requests, books advices, undoes what is reversed, and checks the switch meanwhile.
//!
//! What the switch owes an issuer: a request once; letters (advices, reversals) one at a time, in order, and again under the type that
//! marks a repeat until they are acknowledged; every approval that did not count, reversed.

use serde_json::{Value, json};
use torap_domain::card::Direction;
use torap_iso8583::Message;

use super::accounts::Accounts;
use super::books::Books;
use super::control::Side;
use super::message::{Draft, Trace, amount, tag, text};
use super::pan::{CardNumber, EXPIRY, TestCard};
use super::recent::Recent;
use super::security::{PinVerdict, Security};
use super::totals::{SessionBook, direction};

/// Transactions that are remembered.
const TAKEN_MAX: usize = 1_000_000;
/// Cards of a prefix that exist.
pub(crate) const CARDS: u32 = 1_000_000;
/// Why the switch reverses by itself (DE39 of its 0420): it never counted the original.
const NEVER_COUNTED: &str = "68";

/// What was taken, by the trace of the switch.
#[derive(Debug)]
struct Taken {
    mti: u16,
    /// Acquirer, DE37 and DE41: what both banks know it by.
    key: String,
    way: Direction,
    /// Approved, in tiyn; none if it was declined.
    approved: Option<u64>,
    code: String,
    stands: u64,
    session: String,
    /// Reversals and completions that were booked, by trace.
    booked: Vec<Trace>,
    pan: CardNumber,
    /// The authorisation that it completed.
    completes: Option<Trace>,
}

/// The authoriser of one host.
#[derive(Debug)]
pub(crate) struct Issuer {
    code: String,
    prefixes: Vec<String>,
    accounts: Accounts,
    taken: Recent<Trace, Taken>,
    /// Reversed before they were ever seen.
    blocked: Recent<Trace, ()>,
    /// A letter that was not answered: the next must be its repeat.
    unanswered: Option<Trace>,
    /// Letters answered, so that a repeat gets the same code.
    letters: Recent<Trace, AnsweredLetter>,
    approvals: u64,
}

#[derive(Debug)]
struct AnsweredLetter {
    code: String,
    /// Under the type that marks no repeat.
    came_unmarked: bool,
}

/// How a request is decided.
enum Decision {
    Approve { tiyn: u64, is_part: bool },
    Decline(String),
}

impl Issuer {
    pub(crate) fn new(code: &str, prefixes: Vec<String>) -> Issuer {
        Issuer {
            code: code.to_string(),
            prefixes,
            accounts: Accounts::default(),
            taken: Recent::new(TAKEN_MAX),
            blocked: Recent::new(TAKEN_MAX),
            unanswered: None,
            letters: Recent::new(TAKEN_MAX),
            approvals: 0,
        }
    }

    /// The card of that number, if it is one of this issuer's.
    pub(crate) fn card(&self, pan: &str) -> Option<TestCard> {
        let prefixes = self.prefixes.iter();
        let mut cards = prefixes.filter_map(|prefix| {
            let body = pan.strip_prefix(prefix.as_str())?;
            let number = body.get(..body.len().checked_sub(1)?)?.parse().ok()?;
            TestCard::new(prefix, number).filter(|card| card.pan() == pan && number < CARDS)
        });
        cards.next()
    }

    /// Decides about 0100 or 0200; gives the answer.
    ///
    /// `forced` is what a script wants it to be.
    pub(crate) fn decide(
        &mut self,
        message: &Message<'_>,
        forced: Option<Forced>,
        security: &Security,
        sessions: &mut SessionBook,
        books: &mut Books,
    ) -> Option<Draft> {
        let request = Draft::of(message);
        let trace = Trace::of(message)?;
        if self.taken.contains(&trace) {
            books.violation(&trace.to_string(), "a request came twice");
            return None;
        }
        let pan = text(message, 2);
        let way = direction(&request.text(3));
        let asked = message.number(4).unwrap_or(0);
        let session = text(message, 15);
        let decision = if self.blocked.contains(&trace) {
            books.violation(&trace.to_string(), "a request came after its reversal");
            Decision::Decline("21".into())
        } else {
            match forced {
                None => self.authorise(message, &request, asked, way, security),
                Some(Forced::Approve) => Decision::Approve {
                    tiyn: asked,
                    is_part: false,
                },
                Some(Forced::Part(tiyn)) => Decision::Approve {
                    tiyn: tiyn.min(asked),
                    is_part: true,
                },
                Some(Forced::Decline(code)) => Decision::Decline(code),
            }
        };
        let is_financial = request.mti() / 100 == 2;
        let (approved, code) = match &decision {
            Decision::Approve {
                tiyn,
                is_part: true,
            } => (Some(*tiyn), "10".to_string()),
            Decision::Approve { tiyn, .. } if request.text(3).starts_with("33") => {
                (Some(*tiyn), "85".to_string())
            }
            Decision::Approve { tiyn, .. } => (Some(*tiyn), "00".to_string()),
            Decision::Decline(code) => (None, code.clone()),
        };
        if let Some(tiyn) = approved {
            self.approvals += 1;
            let account = self.accounts.of(&pan);
            match (is_financial, way) {
                (true, Direction::Debit) => account.book(-i128::from(tiyn)),
                (true, Direction::Credit) => account.book(i128::from(tiyn)),
                (false, Direction::Debit) => account.hold(trace, tiyn),
                _ => {}
            }
            if is_financial {
                sessions.post(&session, Side::Issuer, way, tiyn);
            }
        }
        let answer = self.answer(&request, approved, &code, &pan);
        self.taken.insert(
            trace,
            Taken {
                mti: request.mti(),
                key: key_of(message),
                way,
                approved,
                code,
                stands: approved.unwrap_or(0),
                session,
                booked: Vec::new(),
                pan: CardNumber(pan),
                completes: None,
            },
        );
        Some(answer)
    }

    fn authorise(
        &mut self,
        message: &Message<'_>,
        request: &Draft,
        asked: u64,
        way: Direction,
        security: &Security,
    ) -> Decision {
        let decline = |code: &str| Decision::Decline(code.to_string());
        let pan = request.text(2);
        let Some(card) = self.card(&pan) else {
            return decline("14");
        };
        if request
            .get(14)
            .is_some_and(|expiry| expiry != EXPIRY.as_bytes())
        {
            return decline("54");
        }
        let track = request.text(35);
        if !track.is_empty() && track != card.track2() {
            return decline("14");
        }
        if tag(message, 48, "CV").is_some_and(|value| value != card.verification()) {
            return decline("82");
        }
        let account = self.accounts.of(&pan);
        let pin = match security.pin_verdict(message, &card) {
            PinVerdict::Absent => Ok(()),
            PinVerdict::Right => account.pin_typed(true),
            PinVerdict::Wrong => account.pin_typed(false),
            PinVerdict::Unreadable => Err("81"),
        };
        let bears = match way {
            Direction::Debit => account.bears(asked),
            Direction::Credit | Direction::None => Ok(()),
        };
        match pin.and(bears) {
            Ok(()) => Decision::Approve {
                tiyn: asked,
                is_part: false,
            },
            Err(code) => decline(code),
        }
    }

    fn answer(&mut self, request: &Draft, approved: Option<u64>, code: &str, pan: &str) -> Draft {
        let mut answer = request.retyped(request.mti() / 10 * 10 + 10);
        answer.keep(&[3, 4, 7, 11, 12, 13, 15, 32, 37, 41, 42, 49]);
        answer.set(39, code);
        let Some(tiyn) = approved else {
            answer.set(44, format!("DECLINED BY THE ISSUER: {code}"));
            return answer;
        };
        answer.set(38, format!("{:06}", self.approvals % 1_000_000));
        if code == "10" {
            answer.set(4, amount(tiyn));
        }
        match request.text(3).get(..2) {
            Some("31") => {
                let account = self.accounts.of(pan);
                let sign = |tiyn: i128| if tiyn < 0 { 'D' } else { 'C' };
                let (ledger, free) = (account.balance, account.available());
                answer.set(
                    54,
                    format!(
                        "2001398{}{:012}2002398{}{:012}",
                        sign(ledger),
                        ledger.unsigned_abs(),
                        sign(free),
                        free.unsigned_abs()
                    ),
                );
            }
            Some("33") => {
                answer.tag("VR", "A");
            }
            _ => {}
        }
        if request.get(55).is_some() {
            // Issuer authentication data and authorisation response code, for the chip.
            let chip = [
                0x91, 0x0A, 0x3C, 0x91, 0x5E, 0x07, 0x10, 0x44, 0x2D, 0x8F, b'0', b'0', 0x8A, 0x02,
                b'0', b'0',
            ];
            answer.set(55, chip);
        }
        answer
    }

    /// Books 0120 or 0220, or undoes by 0400 or 0420; gives DE39 of the answer. A repeat changes nothing and gets the first code.
    pub(crate) fn take_letter(
        &mut self,
        message: &Message<'_>,
        mti: u16,
        sessions: &mut SessionBook,
        books: &mut Books,
    ) -> Option<String> {
        let trace = Trace::of(message)?;
        let is_repeat = mti % 10 == 1;
        if let Some(open) = self.unanswered.take()
            && open != trace
        {
            books.violation(
                &trace.to_string(),
                "a letter came while the one before it had no answer",
            );
        }
        if let Some(letter) = self.letters.get_mut(&trace) {
            // On another link a repeat may overtake the first.
            if !is_repeat && std::mem::replace(&mut letter.came_unmarked, true) {
                books.violation(&trace.to_string(), "a letter came twice without its mark");
            }
            return Some(letter.code.clone());
        }
        let code = match mti / 100 {
            4 => self.reverse(message, trace, sessions, books),
            _ => self.book(message, mti, trace, sessions),
        };
        let letter = AnsweredLetter {
            code: code.clone(),
            came_unmarked: !is_repeat,
        };
        self.letters.insert(trace, letter);
        Some(code)
    }

    /// An answer to the letter left after all, late.
    pub(crate) fn was_answered(&mut self, trace: Trace) {
        if self.unanswered == Some(trace) {
            self.unanswered = None;
        }
    }

    /// The letter got no answer: its repeat must come next.
    pub(crate) fn left_unanswered(&mut self, trace: Trace) {
        self.unanswered = Some(trace);
    }

    fn book(
        &mut self,
        message: &Message<'_>,
        mti: u16,
        trace: Trace,
        sessions: &mut SessionBook,
    ) -> String {
        let (pan, session) = (text(message, 2), text(message, 15));
        let tiyn = message.number(4).unwrap_or(0);
        let way = direction(&text(message, 3));
        let is_financial = mti / 100 == 2;
        let completes = Trace::of_original(message).filter(|_| is_financial);
        if let Some(authorisation) = completes {
            self.accounts.of(&pan).use_hold(authorisation, tiyn);
        }
        let account = self.accounts.of(&pan);
        match (is_financial, way) {
            (true, Direction::Debit) => account.book(-i128::from(tiyn)),
            (true, Direction::Credit) => account.book(i128::from(tiyn)),
            (false, Direction::Debit) => account.hold(trace, tiyn),
            _ => {}
        }
        if is_financial {
            sessions.post(&session, Side::Issuer, way, tiyn);
        }
        self.taken.insert(
            trace,
            Taken {
                mti: mti / 10 * 10,
                key: key_of(message),
                way,
                approved: Some(tiyn),
                code: "00".into(),
                stands: tiyn,
                session,
                booked: Vec::new(),
                pan: CardNumber(pan),
                completes,
            },
        );
        "00".into()
    }

    fn reverse(
        &mut self,
        message: &Message<'_>,
        trace: Trace,
        sessions: &mut SessionBook,
        books: &mut Books,
    ) -> String {
        let Some(about) = Trace::of_original(message) else {
            books.violation(&trace.to_string(), "a reversal without original");
            return "12".into();
        };
        let stands = text(message, 95)
            .get(..12)
            .and_then(|text| text.parse().ok());
        let stands: u64 = stands.unwrap_or(0);
        let Some(taken) = self.taken.get_mut(&about) else {
            // It never arrived here: it must not be approved any more.
            self.blocked.insert(about, ());
            return "00".into();
        };
        if stands > taken.stands && taken.approved.is_some() {
            books.violation(&trace.to_string(), "a reversal lets stand more than stands");
            return "13".into();
        }
        if taken.key != key_of(message) {
            books.violation(
                &trace.to_string(),
                "a reversal names another transaction than its original",
            );
        }
        let undone = taken.stands.saturating_sub(stands);
        taken.stands = taken.stands.min(stands);
        taken.booked.push(trace);
        let account = self.accounts.of(&taken.pan.0);
        if taken.mti / 100 == 1 {
            account.hold(about, taken.stands);
            return "00".into();
        }
        if taken.approved.is_none() {
            return "00".into();
        }
        if let Some(authorisation) = taken.completes {
            account.restore_hold(authorisation, undone);
        }
        match taken.way {
            Direction::Debit => account.book(i128::from(undone)),
            Direction::Credit => account.book(-i128::from(undone)),
            Direction::None => {}
        }
        if text(message, 39) == NEVER_COUNTED {
            sessions.forget(&taken.session, Side::Issuer, taken.way, undone);
        } else {
            let session = text(message, 15);
            sessions.reverse(&session, Side::Issuer, taken.way, undone);
        }
        "00".into()
    }

    pub(crate) fn set_balance(&mut self, pan: &str, tiyn: u64) {
        self.accounts.of(pan).balance = i128::from(tiyn);
    }

    /// Every transaction taken, in the order of arrival.
    pub(crate) fn taken_json(&self) -> Value {
        super::control::rows(self.taken.iter().map(|(trace, taken)| {
            json!({
                "issuer": self.code,
                "trace": trace.to_string(),
                "mti": format!("{:04}", taken.mti),
                "key": taken.key,
                "code": taken.code,
                "approved": taken.approved,
                "stands": taken.stands,
                "session": taken.session,
                "completes": taken.completes.map(|trace| trace.to_string()),
            })
        }))
    }
}

/// What a script wants a decision to be.
pub(crate) enum Forced {
    Approve,
    Part(u64),
    Decline(String),
}

/// Acquirer, DE37 and DE41: the same at both banks.
pub(crate) fn key_of(message: &Message<'_>) -> String {
    let acquirer = text(message, 32);
    format!(
        "{}/{}/{}",
        acquirer.trim_start_matches('0'),
        text(message, 37),
        text(message, 41)
    )
}
