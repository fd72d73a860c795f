//! What the switch sends: answers to the acquirer, requests to the issuer, and what is rare.

use torap_iso8583::{Dialect, Message, Step, check_step};

use super::CardGenerator;
use crate::card::ledger::Told;
use crate::card::template::digits;

/// What an answer to anything rare repeats of its question.
const REPEATED: [u8; 18] = [
    3, 4, 7, 11, 12, 13, 15, 24, 32, 37, 41, 42, 49, 50, 63, 70, 90, 95,
];

impl CardGenerator {
    /// A message came for a member.
    pub(super) fn receive(&mut self, place: usize, link: usize, bytes: &[u8], now: u64) {
        let message = match Message::parse(Dialect::national(), bytes) {
            Ok(message) => message,
            Err(refusal) => return self.breach(place, || format!("unreadable: {refusal}")),
        };
        self.incoming += 1;
        if self.incoming.is_multiple_of(self.check_every) {
            self.check(place, &message);
        }
        match message.mti().number() {
            110 | 210 => self.answered(place, &message, now),
            100 | 101 | 200 | 201 => self.asked(place, link, &message),
            810 => self.network_answered(place, link, &message),
            number if !message.mti().is_answer() => {
                self.acknowledge(place, link, &message, number);
            }
            _ => {}
        }
    }

    /// Every rule of the step, the inside of structured fields, and the MAC.
    fn check(&mut self, place: usize, message: &Message<'_>) {
        self.checked += 1;
        let step = match (message.mti().class(), message.mti().is_answer()) {
            (1 | 2 | 4, false) => Step::ToIssuer,
            (1 | 2 | 4, true) => Step::ToAcquirer,
            _ => Step::ToParticipant,
        };
        if let Err(error) = check_step(message, step) {
            self.breach(place, || format!("{}: {error}", message.mti()));
        }
        if let Err(refusal) = message.check_subfields() {
            self.breach(place, || format!("{}: {refusal}", message.mti()));
        }
        let is_network = message.mti().class() == 8;
        if !is_network && !self.members[place].is_mac_good(message) {
            self.breach(place, || format!("{}: its MAC is wrong", message.mti()));
        }
    }

    /// The answer to an acquirer's request.
    fn answered(&mut self, place: usize, message: &Message<'_>, now: u64) {
        let members = self.recipe.members as u64;
        let number = message.get(37).and_then(number_of);
        let number = number.filter(|number| number % members == place as u64);
        let Some(number) = number else {
            return self.breach(place, || "an answer to nothing of this run".into());
        };
        let code = message.get(39).unwrap_or_default();
        let is_approved = code == b"00";
        let (told, terms) = (
            self.members[place].ledger.tell(number / members),
            self.recipe.terms(number),
        );
        let (due_ns, was_asked) = match told {
            Told::First { due_ns, was_asked } => (due_ns, was_asked),
            Told::Again => return self.breach(place, || format!("{number} was answered twice")),
            Told::Never => return self.breach(place, || format!("{number} was never sent")),
        };
        if !is_approved {
            let code = String::from_utf8_lossy(code).into_owned();
            return self.tally.reject(&code, due_ns, now);
        }
        self.tally.settle(due_ns, now);
        let right_amount = message.get(4) == Some(&digits::<12>(terms.tiyn)[..]);
        let right_approval = message.get(38) == Some(&digits::<6>(number % 1_000_000)[..]);
        if !right_amount || !right_approval {
            self.breach(place, || format!("{number} is answered with other content"));
        }
        if !was_asked {
            self.breach(place, || format!("{number} was approved unasked"));
        }
    }

    /// The issuer is asked: it approves at once.
    fn asked(&mut self, place: usize, link: usize, message: &Message<'_>) {
        let members = self.recipe.members as u64;
        let Some(number) = message.get(37).and_then(number_of) else {
            return self.breach(place, || "a request of nobody's".into());
        };
        let terms = self.recipe.terms(number);
        if !self.members[terms.acquirer].ledger.ask(number / members) {
            self.breach(place, || format!("{number} was asked twice, or never sent"));
        }
        let issuer = &self.members[place];
        let pan = issuer.pans.get(terms.card as usize);
        let is_right = terms.issuer == place
            && message.get(2) == pan.map(|pan| &pan[..])
            && message.get(4) == Some(&digits::<12>(terms.tiyn)[..]);
        let expected_pin = terms
            .has_pin
            .then(|| issuer.block(place, terms.card).map(|block| &block[..]))
            .flatten();
        let right_pin = message.get(52) == expected_pin;
        if !is_right || !right_pin {
            self.breach(place, || {
                format!("{number} reached its issuer with other content (PIN right: {right_pin})")
            });
        }
        let echoed = [4, 7, 11, 37].map(|field| message.get(field).unwrap_or_default());
        let approval = digits::<6>(number % 1_000_000);
        let values: [(u8, &[u8]); 5] = [
            (4, echoed[0]),
            (7, echoed[1]),
            (11, echoed[2]),
            (37, echoed[3]),
            (38, &approval),
        ];
        self.members[place].send_answer(link, terms.acquirer, &values);
    }

    /// The answer to a sign-on or sign-off.
    fn network_answered(&mut self, place: usize, link: usize, message: &Message<'_>) {
        let is_approved = message.get(39) == Some(b"00");
        match message.get(70) {
            Some(b"001") if is_approved => self.members[place].links[link].is_open = true,
            Some(b"001") => {
                let code =
                    String::from_utf8_lossy(message.get(39).unwrap_or_default()).into_owned();
                let bank = self.members[place].details.code.clone();
                let text = format!("the sign-on is refused with {code}");
                self.fail(crate::plan::Failure::Link { bank, text });
            }
            Some(b"002") => self.members[place].links[link].ended(),
            _ => {}
        }
    }

    /// Advices, reversals, totals, words, echoes: acknowledged, and otherwise left alone.
    fn acknowledge(&mut self, place: usize, link: usize, message: &Message<'_>, number: u16) {
        let repeated = REPEATED.into_iter().filter_map(|field| {
            let value = message.get(field)?;
            Some((field, value.to_vec()))
        });
        let mut fields: Vec<(u8, Vec<u8>)> = repeated.collect();
        fields.push((39, b"00".to_vec()));
        let class = message.mti().class();
        if matches!(class, 5 | 6 | 8) {
            let own = self.members[place].details.institution.clone();
            fields.push((33, own.into_bytes()));
            let kept: &[u8] = match class {
                5 => &[7, 11, 12, 13, 15, 24, 33, 39, 50, 63],
                _ => &[7, 11, 12, 13, 15, 24, 33, 37, 39, 70],
            };
            fields.retain(|(field, _)| kept.contains(field));
        } else {
            fields.retain(|(field, _)| !matches!(field, 24 | 50 | 63 | 70));
        }
        if class == 5 {
            fields.push((66, b"1".to_vec()));
        }
        let answer = number / 10 * 10 + 10;
        self.members[place].send_plain(link, answer, &fields);
    }

    /// 0800 of a member.
    pub(super) fn network(&mut self, place: usize, link: usize, purpose: &[u8]) {
        let member = &mut self.members[place];
        let stan = digits::<6>(member.next_stan().into());
        let fields = [
            (7, self.stamp.transmitted.to_vec()),
            (11, stan.to_vec()),
            (33, member.details.institution.clone().into_bytes()),
            (70, purpose.to_vec()),
        ];
        member.send_plain(link, 800, &fields);
    }

    fn breach(&mut self, place: usize, text: impl FnOnce() -> String) {
        self.tally.breach(&self.members[place].details.code, text);
    }
}

/// Twelve digits as a number.
fn number_of(text: &[u8]) -> Option<u64> {
    if text.len() != 12 {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number * 10 + u64::from(digit))
    })
}
