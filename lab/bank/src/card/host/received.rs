//! What becomes of a message from the switch.

use torap_gateway::card::crosswalk::put_mac;
use torap_iso8583::Message;

use super::{CardHost, Output, Reconciling, SIGN_ON_AGAIN_NS, TOLD_MAX};
use crate::card::acquirer::{Post, after};
use crate::card::behaviour::{Aim, Behaviour, KeyWord, Toward};
use crate::card::control::Side;
use crate::card::issuer::Forced;
use crate::card::message::{Draft, Trace, national_mti, tag, text};
use crate::card::totals::{Totals, about_session};

/// What an answer to an administrative or network message repeats of its question.
const REPEATED: &[u8] = &[7, 11, 12, 13, 15, 24, 33, 37, 70, 100];

impl CardHost {
    pub(super) fn take(&mut self, link: usize, message: &Message<'_>) {
        let mti = national_mti(message);
        if message.mti().is_answer() {
            return self.take_answer(link, message, mti);
        }
        match (mti / 100, mti / 10 % 10) {
            (1 | 2, 0) => self.take_request(link, message),
            (1 | 2, 2) | (4, _) => self.take_letter(link, message, mti),
            (5, _) => self.take_totals(link, message),
            (6, 0) if self.config.is_scheme => self.take_enquiry(link, message),
            (6, _) => self.acknowledge(link, message, "00"),
            (8, _) => self.take_network(link, message),
            _ => self.books.violation(
                &text(message, 37),
                &format!("{mti:04} is nothing for a participant"),
            ),
        }
    }

    fn take_answer(&mut self, link: usize, message: &Message<'_>, mti: u16) {
        match mti / 100 {
            1 | 2 => {
                let (sessions, books) = (&mut self.sessions, &mut self.books);
                self.acquirer.answered(message, sessions, books);
            }
            4 => {
                let (sessions, books) = (&mut self.sessions, &mut self.books);
                let post = self
                    .acquirer
                    .reversal_answered(message, sessions, books, self.now);
                if let Some(Post(draft)) = post {
                    self.post(draft);
                }
            }
            8 => self.take_sign_on_answer(link, message),
            5 => self.take_reconciled(message, mti),
            // Answers to stop list and words: scripts look at them.
            _ => {}
        }
    }

    fn take_sign_on_answer(&mut self, link: usize, message: &Message<'_>) {
        let trace = Trace::of(message);
        let Some(state) = self.links.get_mut(link) else {
            return;
        };
        if trace.is_none() || state.sign_on != trace {
            return;
        }
        state.sign_on = None;
        if text(message, 39) == "00" {
            state.is_signed_on = true;
            while let Some(draft) = self.waiting.pop_front() {
                self.post(draft);
            }
        } else {
            let again = self.now.nanos().saturating_add(SIGN_ON_AGAIN_NS);
            self.sign_on_at = Some(torap_domain::Time::from_nanos(again));
        }
    }

    fn take_request(&mut self, link: usize, message: &Message<'_>) {
        let behaviour = self.script.next(Aim::Request);
        let forced = match &behaviour {
            Some(Behaviour::Approve) => Some(Forced::Approve),
            Some(Behaviour::Part(tiyn)) => Some(Forced::Part(*tiyn)),
            Some(Behaviour::Decline(code)) => Some(Forced::Decline(code.clone())),
            _ => None,
        };
        let (sessions, books) = (&mut self.sessions, &mut self.books);
        let answer = self
            .issuer
            .decide(message, forced, &self.security, sessions, books);
        let Some(answer) = answer else {
            return;
        };
        match behaviour {
            Some(Behaviour::Silent) => {}
            Some(Behaviour::Delay(millis)) => self.send_later(link, answer, millis),
            Some(Behaviour::Twice) => {
                self.answer(link, &answer);
                self.answer(link, &answer);
            }
            Some(Behaviour::WrongTrace) => {
                let mut answer = answer;
                answer.set(11, "999999").set(7, "0101000000");
                self.answer(link, &answer);
            }
            Some(Behaviour::Garbage) => {
                let bytes = b"0210 this is no message".to_vec();
                self.outputs.push_back(Output::Message { link, bytes });
            }
            Some(Behaviour::DropLink) => self.drop_links(),
            Some(Behaviour::OtherLink) => {
                let others = 0..self.links.len();
                let other = others
                    .filter(|other| *other != link)
                    .find(|other| self.links[*other].is_signed_on);
                self.answer(other.unwrap_or(link), &answer);
            }
            Some(Behaviour::BadMac) => self.send_with_bad_mac(link, &answer),
            _ => self.answer(link, &answer),
        }
    }

    fn send_with_bad_mac(&mut self, link: usize, answer: &Draft) {
        self.answer(link, answer);
        if let Some(Output::Message { bytes, .. }) = self.outputs.back_mut() {
            // No code is all zeros but by a chance that nobody will meet.
            put_mac(self.config.dialect, bytes, [0; 8]);
        }
    }

    pub(super) fn drop_links(&mut self) {
        for link in &mut self.links {
            *link = super::LinkState::default();
        }
        self.outputs.push_back(Output::Reconnect);
    }

    /// An advice or a reversal.
    fn take_letter(&mut self, link: usize, message: &Message<'_>, mti: u16) {
        let behaviour = self.script.next(Aim::Letter);
        let trace = Trace::of(message);
        if let Some(Behaviour::Letter(Toward::Silent | Toward::DropLink)) = behaviour {
            // It is as if it had not come; the switch has to send it again.
            if let Some(trace) = trace {
                self.issuer.left_unanswered(trace);
            }
            if behaviour == Some(Behaviour::Letter(Toward::DropLink)) {
                self.drop_links();
            }
            return;
        }
        let (sessions, books) = (&mut self.sessions, &mut self.books);
        let Some(code) = self.issuer.take_letter(message, mti, sessions, books) else {
            return;
        };
        let mut answer = Draft::of(message).retyped(mti / 10 * 10 + 10);
        answer.keep(&[3, 4, 7, 11, 12, 13, 15, 32, 37, 41, 42, 49, 90, 95]);
        answer.set(39, &code);
        match behaviour {
            Some(Behaviour::Letter(Toward::Delay(millis))) => {
                self.send_later(link, answer, millis);
            }
            Some(Behaviour::Letter(Toward::Refuse(code))) => {
                answer.set(39, &code);
                self.answer(link, &answer);
            }
            _ => self.answer(link, &answer),
        }
    }

    /// 0520 of the switch: the totals of a session that it has closed.
    fn take_totals(&mut self, link: usize, message: &Message<'_>) {
        let draft = Draft::of(message);
        let session = draft.text(15);
        let side = match tag(message, 63, "004") {
            Some(_) => Side::Issuer,
            None => Side::Acquirer,
        };
        let own = self.sessions.get(&session, side);
        let agrees = Totals::read(&draft) == Some(own);
        if !agrees {
            let text = format!(
                "totals of session {session} as {side:?} are {:?}, own {own:?}",
                Totals::read(&draft)
            );
            self.books.violation("0520", &text);
        }
        let mut answer = draft.retyped(530);
        answer.keep(&[7, 11, 12, 13, 15, 24, 50, 63]);
        answer.set(33, &self.config.institution);
        answer.set(39, if agrees { "00" } else { "95" });
        answer.set(66, if agrees { "1" } else { "2" });
        self.answer(link, &answer);
    }

    /// 0510 or 0530: whether the switch agrees with what was sent, and its own totals; without them it could not tell.
    fn take_reconciled(&mut self, message: &Message<'_>, mti: u16) {
        let draft = Draft::of(message);
        let trace = Trace::of(message);
        let place = self
            .reconciling
            .iter()
            .position(|asked| Some(asked.trace) == trace);
        let Some(asked) = place.and_then(|place| self.reconciling.remove(place)) else {
            return;
        };
        let settlement = draft.text(66);
        if settlement.is_empty() {
            return;
        }
        let (session, side) = (asked.session, asked.side);
        let Some(totals) = Totals::read(&draft) else {
            let text = format!("no totals of session {session} as {side:?}");
            return self.books.violation(&format!("{mti:04}"), &text);
        };
        if (settlement == "1") != (totals == asked.totals) {
            let text = format!(
                "session {session} as {side:?}: DE66 {settlement} for {:?}, and its own are {totals:?}",
                asked.totals
            );
            self.books.violation(&format!("{mti:04}"), &text);
        }
        if self.told.len() == TOLD_MAX {
            self.told.pop_front();
        }
        self.told.push_back((session, side, totals));
    }

    fn take_enquiry(&mut self, link: usize, message: &Message<'_>) {
        let behaviour = self.script.next(Aim::Enquiry);
        let refuse = match &behaviour {
            Some(Behaviour::Enquiry(Toward::Refuse(code))) => Some(code.as_str()),
            _ => None,
        };
        let institution = self.config.institution.clone();
        let answer = self
            .scheme
            .answer(message, refuse, &institution, &mut self.books);
        match behaviour {
            Some(Behaviour::Enquiry(Toward::Silent)) => {}
            Some(Behaviour::Enquiry(Toward::Delay(millis))) => {
                self.send_later(link, answer, millis);
            }
            Some(Behaviour::Enquiry(Toward::DropLink)) => self.drop_links(),
            _ => self.answer(link, &answer),
        }
    }

    /// Cut-over, key change, echo, sign-off of the switch.
    fn take_network(&mut self, link: usize, message: &Message<'_>) {
        match text(message, 70).as_str() {
            "101" => self.take_key(link, message),
            "161" => {
                let set = text(message, 53).get(2..8).and_then(|set| set.parse().ok());
                let code = match (set.map(|set| self.security.use_set(set)), self.key_word()) {
                    (_, Some(KeyWord::Silent)) => return,
                    (_, Some(KeyWord::Refuse(code))) => code,
                    (Some(true), _) => "00".into(),
                    (Some(false) | None, _) => "30".into(),
                };
                self.acknowledge(link, message, &code);
            }
            _ => self.acknowledge(link, message, "00"),
        }
    }

    /// A new key: the answer repeats the set, the use, and the check value that was found.
    fn take_key(&mut self, link: usize, message: &Message<'_>) {
        let part = |name| tag(message, 125, name).unwrap_or_default();
        let word = self.key_word();
        match &word {
            Some(KeyWord::Silent) => return,
            Some(KeyWord::Refuse(code)) => return self.acknowledge(link, message, code),
            Some(KeyWord::WrongValue) | None => {}
        }
        let (set, value) = (part("KS"), part("KV"));
        let taken = match set.parse() {
            Ok(set) => self.security.take_key(set, &part("KB"), &value),
            Err(_) => Err(format!("`{set}` is no key set")),
        };
        if let Err(text) = taken {
            self.books.violation("key change", &text);
            return self.acknowledge(link, message, "88");
        }
        let found = match word {
            Some(KeyWord::WrongValue) => "0".repeat(value.len()),
            _ => value,
        };
        let mut answer = self.acknowledgement(message, "00");
        let tag = |name, value: &str| format!("{name}{:03}{value}", value.len());
        let data = [tag("KS", &set), tag("KU", &part("KU")), tag("KV", &found)];
        answer.set(125, data.concat());
        self.send(link, &answer);
    }

    /// What a script wants done with the next message about keys.
    fn key_word(&mut self) -> Option<KeyWord> {
        match self.script.next(Aim::Key)? {
            Behaviour::Key(word) => Some(word),
            _ => None,
        }
    }

    /// The answer to something that needs no thought.
    fn acknowledge(&mut self, link: usize, message: &Message<'_>, code: &str) {
        let answer = self.acknowledgement(message, code);
        // An echo is answered before the sign-on, too.
        self.send(link, &answer);
    }

    fn acknowledgement(&self, message: &Message<'_>, code: &str) -> Draft {
        let question = Draft::of(message);
        let mut answer = question.retyped(question.mti() / 10 * 10 + 10);
        answer.keep(REPEATED);
        answer.set(33, &self.config.institution).set(39, code);
        answer
    }

    /// 0500 or 0520 of this host's own.
    pub(super) fn totals_message(
        &mut self,
        session: &str,
        side: Side,
        advice: bool,
        off_by_tiyn: i64,
    ) -> Draft {
        let mut draft = Draft::new(if advice { 520 } else { 500 });
        crate::card::terminal::set_times(&mut draft, self.now);
        draft.set(11, format!("{:06}", super::next_stan(&mut self.stan)));
        draft.set(15, session).set(24, "500");
        draft.set(33, &self.config.institution);
        let mut totals = self.sessions.get(session, side);
        totals.debits.tiyn = totals.debits.tiyn.saturating_add_signed(off_by_tiyn);
        totals.write(&mut draft);
        let year = torap_domain::Date::from_time(after(self.now, 0)).ymd().0;
        let date = format!("{year:04}{session}01");
        about_session(&mut draft, &self.config.code, side, &date);
        if let Some(trace) = crate::card::acquirer::trace_of(&draft) {
            if self.reconciling.len() == TOLD_MAX {
                self.reconciling.pop_front();
            }
            self.reconciling.push_back(Reconciling {
                trace,
                session: session.into(),
                side,
                totals,
            });
        }
        draft
    }
}
