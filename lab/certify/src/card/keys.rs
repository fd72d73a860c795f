//! New zone keys: the bench hands them over as a switch does, and holds the host to the set that it said it took.

use std::time::Duration;

use torap_bank::card::{Draft, KeyAge, ZoneKey, tag};

use super::wire::{Received, wants};
use super::{ANSWER_WITHIN, CardBench};
use crate::catalogue::card::{HandOver, HandedKey, KeySet, PutIntoUse};

/// DE70: a key is handed over, a set is put into use, a host asks for keys.
const HANDED: &str = "101";
const IN_USE: &str = "161";
const WANTED: &str = "162";
/// What a host answers to a key that is not the one of its check value, and to a set that it has no key of.
const WRONG_VALUE: &str = "88";
const UNKNOWN_SET: &str = "30";
/// Digits of a check value that a host states at least.
const CHECK_DIGITS_MIN: usize = 6;
/// How far a set that was never handed over lies from the one in use.
const FAR_AWAY: u32 = 9;

impl CardBench<'_> {
    /// 0800 with a key of the next set; the host answers with the check value that it found.
    pub(super) fn hand_over(&mut self, wanted: &HandOver) -> Result<(), String> {
        let set = self.security.key_set() + 1;
        let (letter, of) = match wanted.key {
            HandedKey::Pin => ("P", ZoneKey::Pin),
            HandedKey::Mac => ("M", ZoneKey::Mac),
        };
        let (block, value) = self.security.make_key(set, of)?;
        let told: String = match wanted.wrong_value {
            true => value.chars().map(other_digit).collect(),
            false => value.clone(),
        };
        let part = |name: &str, value: &str| format!("{name}{:03}{value}", value.len());
        let mut draft = self.about_keys(HANDED, set);
        draft.set(
            125,
            [
                part("KB", &block),
                part("KS", &format!("{set:06}")),
                part("KU", letter),
                part("KV", &told),
            ]
            .concat(),
        );
        if wanted.wrong_value {
            let answer = self.told(&draft)?;
            self.security.forget_next();
            return wants(&answer.draft, 39, WRONG_VALUE);
        }
        for _ in 0..times(wanted.twice) {
            let answer = self.told(&draft)?;
            wants(&answer.draft, 39, "00")?;
            let message = answer.message().ok_or("it cannot be read")?;
            let found = |name| tag(&message, 125, name).unwrap_or_default();
            for (name, expected) in [("KS", format!("{set:06}")), ("KU", letter.to_string())] {
                let stated = found(name);
                if stated != expected {
                    return Err(format!("DE125 {name} is `{stated}` and not `{expected}`"));
                }
            }
            let stated = found("KV");
            if stated.len() < CHECK_DIGITS_MIN || !value.starts_with(&stated) {
                return Err("DE125 KV is not the check value of the key".into());
            }
        }
        Ok(())
    }

    /// 0800 that puts the set handed over into use, or one that nobody has.
    pub(super) fn put_into_use(&mut self, wanted: PutIntoUse) -> Result<(), String> {
        if wanted.unknown {
            let set = self.security.key_set() + FAR_AWAY;
            let draft = self.about_keys(IN_USE, set);
            let answer = self.told(&draft)?;
            return wants(&answer.draft, 39, UNKNOWN_SET);
        }
        let set = self.security.key_set() + 1;
        let draft = self.about_keys(IN_USE, set);
        for _ in 0..times(wanted.twice) {
            let answer = self.told(&draft)?;
            wants(&answer.draft, 39, "00")?;
        }
        match self.security.use_set(set) {
            true => Ok(()),
            false => Err("catalogue: no key of the set was handed over".into()),
        }
    }

    /// Whose keys make what the bench sends for the rest of the case.
    pub(super) fn speak_under(&mut self, keys: KeySet) {
        self.security.speak_under(match keys {
            KeySet::Now => KeyAge::Now,
            KeySet::Before => KeyAge::Before,
        });
    }

    /// Waits until the host asks for new keys, and says that they will come.
    pub(super) fn await_key_request(&mut self, within: Duration) -> Result<(), String> {
        let within = within.max(self.patience);
        let received = self.wait_for(within, |received| received.mti == 800)?;
        let received = received.ok_or("no 0800 came")?;
        wants(&received.draft, 70, WANTED)?;
        wants(&received.draft, 33, &self.subject.institution)?;
        let mut answer = received.draft.retyped(810);
        answer.keep(&[7, 11, 12, 13, 33, 70]);
        answer.set(39, "00");
        self.send(received.link, &answer).map(|_| ())
    }

    fn about_keys(&mut self, purpose: &str, set: u32) -> Draft {
        let mut draft = self.switch_message(800);
        draft.set(70, purpose);
        draft.set(53, format!("99{set:06}00000000"));
        draft
    }

    /// Sends an 0800 and gives its answer.
    fn told(&mut self, draft: &Draft) -> Result<Received, String> {
        let trace = self.send_anywhere(draft)?;
        let answer = self.wait_for(ANSWER_WITHIN, |received| {
            received.mti == 810 && received.trace == trace
        })?;
        let answer = answer.ok_or("no 0810 came")?;
        wants(&answer.draft, 70, &draft.text(70))?;
        Ok(answer)
    }
}

const fn times(twice: bool) -> usize {
    match twice {
        true => 2,
        false => 1,
    }
}

fn other_digit(digit: char) -> char {
    match digit {
        '0' => '1',
        _ => '0',
    }
}
