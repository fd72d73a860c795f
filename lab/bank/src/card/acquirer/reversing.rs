//! Reversals, time-outs and what is sent again.

use torap_domain::Time;
use torap_iso8583::Message;

use super::{Acquirer, Post, Reversal, after, trace_of, unknown};
use crate::card::books::Books;
use crate::card::control::Side;
use crate::card::message::{Draft, Trace, amount, original, text};
use crate::card::terminal::set_times;
use crate::card::totals::SessionBook;

/// What a reversal repeats of its original.
const REPEATED: &[u8] = &[2, 3, 4, 14, 18, 19, 22, 32, 37, 41, 42, 43, 49, 61];

impl Acquirer {
    /// The reversal of a transaction: 0400 or 0420, so that `stands` is left.
    ///
    /// # Errors
    /// It was never sent.
    pub(crate) fn reverse(
        &mut self,
        number: u64,
        stands: Option<u64>,
        mti: u16,
        stan: u32,
        now: Time,
    ) -> Result<Post, String> {
        let again_after_ms = self.patience.again_after_ms;
        let sent = self.sent.get_mut(&number).ok_or_else(unknown)?;
        let mut draft = sent.draft.retyped(mti);
        draft.keep(REPEATED);
        set_times(&mut draft, now);
        draft.set(11, format!("{stan:06}"));
        draft.set(24, if stands.is_some() { "401" } else { "400" });
        let acquirer = sent.draft.text(32);
        draft.set(90, original(sent.draft.mti(), sent.trace, &acquirer));
        if let Some(stands) = stands {
            let fee = "D00000000";
            draft.set(95, format!("{}{}{fee}{fee}", amount(stands), amount(0)));
        }
        let trace = trace_of(&draft).ok_or("a reversal without trace")?;
        sent.due = None;
        sent.reversals.push(Reversal {
            draft: draft.clone(),
            trace,
            stands: stands.unwrap_or(0),
            acknowledged: None,
            due: Some(after(now, again_after_ms)),
        });
        self.dues.insert((after(now, again_after_ms), number));
        self.by_trace.insert(trace, number);
        Ok(Post(draft))
    }

    /// The last reversal of a transaction again, marked as a repeat.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn reverse_again(&mut self, number: u64) -> Result<Post, String> {
        let sent = self.sent.get_mut(&number).ok_or_else(unknown)?;
        let reversal = sent.reversals.last().ok_or("it was not reversed")?;
        let mti = reversal.draft.mti() | 1;
        Ok(Post(reversal.draft.retyped(mti)))
    }

    /// 0410 or 0430. Gives what is to be sent because of it.
    pub(crate) fn reversal_answered(
        &mut self,
        message: &Message<'_>,
        sessions: &mut SessionBook,
        books: &mut Books,
        now: Time,
    ) -> Option<Post> {
        let trace = Trace::of(message)?;
        let later = after(now, self.patience.later_after_ms);
        let number = self.by_trace.get(&trace).copied();
        let found = number.and_then(|number| self.sent.get_mut(&number));
        let place = found.as_ref().and_then(|sent| {
            let mut reversals = sent.reversals.iter();
            reversals.position(|reversal| reversal.trace == trace)
        });
        let (Some(sent), Some(place)) = (found, place) else {
            books.violation(
                &trace.to_string(),
                "an answer to a reversal that was not sent",
            );
            return None;
        };
        let before = sent.stands();
        let reversal = sent.reversals.get_mut(place)?;
        let code = text(message, 39);
        if code == "96" {
            reversal.due = Some(later);
            self.dues.extend(number.map(|number| (later, number)));
            return None;
        }
        reversal.due = None;
        match &reversal.acknowledged {
            Some((first, _)) if *first != code => {
                let reference = sent.draft.text(37);
                let text = format!("two answers to a reversal: first {first}, then {code}");
                books.violation(&reference, &text);
                return None;
            }
            Some(_) => return None,
            None => reversal.acknowledged = Some((code.clone(), text(message, 15))),
        }
        if code != "00" || sent.unsent || sent.forgotten {
            return None;
        }
        let undone = before.saturating_sub(sent.stands());
        let is_financial = sent.draft.mti() / 100 == 2;
        if sent.answer.is_none() {
            // What the switch said of it was lost, or never said: it is asked, so that the totals come out right.
            sent.is_asking = is_financial;
            sent.repeats += 1;
            let mti = sent.draft.mti() | 1;
            return is_financial.then(|| Post(sent.draft.retyped(mti)));
        }
        if undone > 0 && is_financial {
            sessions.reverse(&text(message, 15), Side::Acquirer, sent.way, undone);
        }
        None
    }

    /// When [`Acquirer::handle_timeout`] wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.dues.first().map(|(due, _)| *due)
    }

    /// Reverses what stayed unanswered and repeats what must arrive. `stan` gives trace numbers.
    pub(crate) fn handle_timeout(&mut self, now: Time, stan: &mut dyn FnMut() -> u32) -> Vec<Post> {
        let mut posts = Vec::new();
        while let Some((_, number)) = self.dues.first().copied().filter(|(due, _)| *due <= now) {
            self.dues.pop_first();
            let is_silent = self.repeat_due(number, now, &mut posts);
            if is_silent {
                posts.extend(self.reverse(number, None, 420, stan(), now).ok());
            }
        }
        posts
    }

    /// Repeats what is due of one transaction; true if its request stayed without an answer.
    fn repeat_due(&mut self, number: u64, now: Time, posts: &mut Vec<Post>) -> bool {
        let again = after(now, self.patience.again_after_ms);
        let Some(sent) = self.sent.get_mut(&number) else {
            return false;
        };
        let is_due = |due: Option<Time>| due.is_some_and(|due| due <= now);
        for reversal in sent
            .reversals
            .iter_mut()
            .filter(|reversal| is_due(reversal.due))
        {
            reversal.due = Some(again);
            self.dues.insert((again, number));
            let mti = reversal.draft.mti() | 1;
            posts.push(Post(reversal.draft.retyped(mti)));
        }
        if !is_due(sent.due) {
            return false;
        }
        if sent.is_advice {
            sent.due = Some(again);
            self.dues.insert((again, number));
            sent.repeats += 1;
            let mti = sent.draft.mti() | 1;
            posts.push(Post(sent.draft.retyped(mti)));
        }
        !sent.is_advice
    }

    /// The completion of a pre-authorisation, as 0220.
    ///
    /// # Errors
    /// It was never sent or not approved.
    pub(crate) fn completion(
        &self,
        number: u64,
        tiyn: u64,
        stan: u32,
        now: Time,
    ) -> Result<Draft, String> {
        let sent = self.get(number)?;
        let answer = sent.answer.as_ref().filter(|answer| answer.is_approval());
        let answer = answer.ok_or("reference: it was not approved")?;
        let mut draft = sent.draft.retyped(220);
        draft.keep(REPEATED);
        set_times(&mut draft, now);
        draft.set(4, amount(tiyn));
        draft.set(11, format!("{stan:06}"));
        draft.set(24, if tiyn == answer.tiyn { "201" } else { "202" });
        draft.set(25, "06");
        draft.set(38, &answer.approval).set(39, "00");
        let channel = channel_tag(&sent.draft);
        draft.tag("CH", &channel);
        let acquirer = sent.draft.text(32);
        draft.set(90, original(sent.draft.mti(), sent.trace, &acquirer));
        Ok(draft)
    }
}

/// CH is the first tag of DE48.
pub(crate) fn channel_tag(draft: &Draft) -> String {
    draft.text(48).get(4..7).unwrap_or("POS").to_string()
}
