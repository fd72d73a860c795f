//! Messages to and from the host: seals, checks, signs it on, and answers what is none of a case's business.

use std::time::{Duration, Instant};

use torap_bank::card::{Draft, MacVerdict, Trace, national_mti, set_times};
use torap_iso8583::{Dialect, Message, Step, Unmask, check_step, json};

use super::{ANSWER_WITHIN, CardBench, SIGN_ON_WITHIN, SWITCH};
use crate::peer::Incoming;
use crate::report::{Line, Way};

/// A message of the host's that obeys all rules.
pub(super) struct Received {
    pub(super) link: usize,
    pub(super) mti: u16,
    pub(super) draft: Draft,
    pub(super) trace: Trace,
    bytes: Vec<u8>,
}

/// What came of looking once.
enum Turn {
    /// Nothing was there.
    Nothing,
    /// Something that is no case's business; it is dealt with.
    Dealt,
    Message(Received),
}

impl Received {
    /// The message itself, for what only its bytes tell.
    pub(super) fn message(&self) -> Option<Message<'_>> {
        Message::parse(Dialect::national(), &self.bytes).ok()
    }
}

impl CardBench<'_> {
    /// A link on which the host has signed on.
    pub(super) fn link(&mut self) -> Result<usize, String> {
        // What has come meanwhile may be a lost link or a new one.
        if let Some(received) = self.next_message(Duration::ZERO)? {
            return Err(format!("{:04} came, which nobody asked for", received.mti));
        }
        if self.signed_on().is_none() {
            self.wait_for_sign_on()?;
        }
        self.signed_on()
            .ok_or_else(|| "the host has no link".into())
    }

    fn signed_on(&self) -> Option<usize> {
        let mut links = self.links.iter();
        links
            .find(|(_, signed_on)| *signed_on)
            .map(|(link, _)| *link)
    }

    pub(super) fn wait_for_sign_on(&mut self) -> Result<(), String> {
        let before = self.sign_ons;
        let until = self.until(SIGN_ON_WITHIN);
        while self.sign_ons == before {
            let rest = until.rest(self);
            if rest.is_zero() {
                let seconds = SIGN_ON_WITHIN.as_secs();
                return Err(format!("the host did not sign on within {seconds} s"));
            }
            if let Turn::Message(received) = self.turn(rest)? {
                return Err(format!("{:04} came before the sign-on", received.mti));
            }
        }
        Ok(())
    }

    /// 0800 with a purpose; its answer must come.
    pub(super) fn network(&mut self, purpose: &str) -> Result<(), String> {
        let mut draft = self.switch_message(800);
        draft.set(70, purpose);
        if purpose == "201" {
            draft.set(15, &self.session);
        }
        let trace = self.send_anywhere(&draft)?;
        let answer = self.wait_for(ANSWER_WITHIN, |received| {
            received.mti == 810 && received.trace == trace
        })?;
        let answer = answer.ok_or("no 0810 came")?;
        wants(&answer.draft, 39, "00")?;
        wants(&answer.draft, 70, purpose)
    }

    pub(super) fn garbage(&mut self, hex: &str) -> Result<(), String> {
        let link = self.link()?;
        let bytes = crate::signature::from_hex(hex).ok_or("catalogue: hex is none")?;
        self.lines.push(Line {
            way: Way::ToHost,
            message: serde_json::json!({ "frame": hex }),
        });
        self.peer.send(link, &bytes);
        Ok(())
    }

    pub(super) fn quiet(&mut self, within: Duration) -> Result<(), String> {
        match self.next_message(within)? {
            None => Ok(()),
            Some(received) => Err(format!("{:04} came, and nothing should", received.mti)),
        }
    }

    /// A message of the switch's own: DE7, DE11, DE33.
    pub(super) fn switch_message(&mut self, mti: u16) -> Draft {
        let mut draft = Draft::new(mti);
        set_times(&mut draft, self.now());
        draft.set(11, format!("{:06}", self.next_stan()));
        draft.set(33, SWITCH);
        draft
    }

    /// Sends on a link; gives the trace.
    pub(super) fn send(&mut self, link: usize, draft: &Draft) -> Result<Trace, String> {
        let bytes = self.sealed(draft)?;
        self.send_bytes(link, &bytes)
    }

    pub(super) fn sealed(&self, draft: &Draft) -> Result<Vec<u8>, String> {
        let sealed = self.security.sealed(draft, Dialect::national(), self.now());
        sealed.map_err(|text| format!("bench: {:04}: {text}", draft.mti()))
    }

    pub(super) fn send_bytes(&mut self, link: usize, bytes: &[u8]) -> Result<Trace, String> {
        let message = Message::parse(Dialect::national(), bytes);
        let message = message.map_err(|refusal| format!("bench: {refusal}"))?;
        self.note(Way::ToHost, &message);
        self.peer.send(link, bytes);
        Trace::of(&message).ok_or_else(|| "bench: a message without trace".into())
    }

    pub(super) fn send_anywhere(&mut self, draft: &Draft) -> Result<Trace, String> {
        let link = self.link()?;
        self.send(link, draft)
    }

    /// The first message, if it fits; one that does not is an error: it belongs to nothing.
    pub(super) fn wait_for(
        &mut self,
        within: Duration,
        fits: impl Fn(&Received) -> bool,
    ) -> Result<Option<Received>, String> {
        match self.next_message(within)? {
            Some(received) if !fits(&received) => Err(format!(
                "{:04} came (DE11 {}), which belongs to nothing",
                received.mti, received.trace.stan
            )),
            received => Ok(received),
        }
    }

    /// The next message that is a case's business.
    pub(super) fn next_message(&mut self, within: Duration) -> Result<Option<Received>, String> {
        let until = self.until(within);
        loop {
            let rest = until.rest(self);
            match self.turn(rest)? {
                Turn::Message(received) if self.answer_repeat(&received)? => {}
                Turn::Message(received) => return Ok(Some(received)),
                Turn::Nothing if rest.is_zero() => return Ok(None),
                Turn::Nothing | Turn::Dealt => {}
            }
        }
    }

    /// One thing from the host. Links, sign-ons, echoes and complaints about frames are dealt with.
    fn turn(&mut self, within: Duration) -> Result<Turn, String> {
        let (link, bytes) = match self.peer.next(within) {
            None => return Ok(Turn::Nothing),
            Some(Incoming::Connected(link)) => {
                self.links.push((link, false));
                return Ok(Turn::Dealt);
            }
            Some(Incoming::Ended(link)) => {
                self.links.retain(|(known, _)| *known != link);
                return Ok(Turn::Dealt);
            }
            Some(Incoming::Message(link, bytes)) => (link, bytes),
        };
        let message = Message::parse(Dialect::national(), &bytes)
            .map_err(|refusal| format!("the host's message cannot be read: {refusal}"))?;
        self.note(Way::FromHost, &message);
        let mti = national_mti(&message);
        let draft = Draft::of(&message);
        if mti == 620 && draft.text(24) == "610" {
            return Ok(Turn::Dealt);
        }
        check(&message)?;
        match self.security.mac_verdict(&message) {
            MacVerdict::NotAgreed | MacVerdict::Good => {}
            verdict => return Err(format!("{mti:04}: its MAC: {verdict:?}")),
        }
        if mti == 800 && matches!(draft.text(70).as_str(), "001" | "301") {
            self.answer_network(link, &draft)?;
            return Ok(Turn::Dealt);
        }
        let trace = Trace::of(&message).ok_or_else(|| format!("{mti:04} has no DE7 or DE11"))?;
        Ok(Turn::Message(Received {
            link,
            mti,
            draft,
            trace,
            bytes,
        }))
    }

    fn answer_network(&mut self, link: usize, question: &Draft) -> Result<(), String> {
        let is_sign_on = question.text(70) == "001";
        if is_sign_on {
            wants(question, 33, &self.subject.institution)?;
        }
        let mut answer = question.retyped(810);
        answer.keep(&[7, 11, 12, 13, 33, 70]);
        answer.set(39, "00");
        self.send(link, &answer)?;
        if is_sign_on {
            self.sign_ons += 1;
            for (known, signed_on) in &mut self.links {
                *signed_on |= *known == link;
            }
        }
        Ok(())
    }

    /// A repeat of a message that was answered or reversed gets its answer, whenever it comes.
    fn answer_repeat(&mut self, received: &Received) -> Result<bool, String> {
        if received.mti.is_multiple_of(2) {
            return Ok(false);
        }
        let Some(seen) = self.seen.get(&(received.mti - 1, received.trace)).cloned() else {
            return Ok(false);
        };
        let answer = match (seen.answer, seen.reversed) {
            (Some(answer), _) => answer,
            (None, true) => {
                let mut answer = received.draft.retyped(received.mti / 10 * 10 + 10);
                answer.keep(&[3, 4, 7, 11, 32, 37, 41, 42, 49, 61]);
                answer.set(15, &self.session).set(39, "21");
                answer
            }
            (None, false) => return Ok(false),
        };
        self.send(received.link, &answer)?;
        Ok(true)
    }

    fn note(&mut self, way: Way, message: &Message<'_>) {
        let shown = json::decode(message, Unmask::No).ok();
        let shown = shown.and_then(|shown| serde_json::to_value(&shown).ok());
        let bare = || serde_json::json!({ "mti": message.mti().to_string() });
        let message = shown.unwrap_or_else(bare);
        self.lines.push(Line { way, message });
    }

    pub(super) fn until(&self, within: Duration) -> Until {
        let nanos = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX);
        Until {
            end: self.now().nanos().saturating_add(nanos),
            real: Instant::now() + within,
        }
    }
}

/// A moment, by the clock of the peer (which a test may own) and by the real one, which cannot be turned back.
pub(super) struct Until {
    end: u64,
    real: Instant,
}

impl Until {
    pub(super) fn rest(&self, bench: &CardBench<'_>) -> Duration {
        let rest = Duration::from_nanos(self.end.saturating_sub(bench.now().nanos()));
        rest.min(self.real.saturating_duration_since(Instant::now()))
    }
}

/// Every rule of the message's step, and the inside of its structured fields.
fn check(message: &Message<'_>) -> Result<(), String> {
    let step = match (message.mti().class(), message.mti().is_answer()) {
        (1 | 2 | 4, false) => Step::FromAcquirer,
        (1 | 2 | 4, true) => Step::FromIssuer,
        _ => Step::FromParticipant,
    };
    let mti = message.mti();
    check_step(message, step).map_err(|error| format!("{mti}: {error}"))?;
    message
        .check_subfields()
        .map_err(|refusal| format!("{mti}: {refusal}"))
}

/// A field must have this value.
pub(super) fn wants(draft: &Draft, field: u8, value: &str) -> Result<(), String> {
    let found = draft.text(field);
    if found.trim_end() == value.trim_end() {
        return Ok(());
    }
    let mti = draft.mti();
    // A card number is never shown.
    if field == 2 {
        return Err(format!(
            "{mti:04}: field 2: another card than was asked for"
        ));
    }
    let found = match found.is_empty() {
        true => "nothing".into(),
        false => format!("`{found}`"),
    };
    Err(format!(
        "{mti:04}: field {field}: {found} in place of `{value}`"
    ))
}
