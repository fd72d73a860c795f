//! The host as issuer: the bench sends what a switch would.

use std::time::Duration;

use torap_bank::card::{
    Draft, Identity, Order, Side, Totals, Trace, about_session, amount, direction, original,
    set_times, transaction,
};
use torap_domain::CardService;
use torap_domain::card::Channel;
use torap_iso8583::tlv;

use super::wire::wants;
use super::{ACQUIRER, ANSWER_WITHIN, CardBench, Kept, SWITCH, amount_of, tiyn};
use crate::catalogue::card::Request;

/// What an answer repeats of its question.
const ECHOED: [u8; 8] = [3, 4, 7, 11, 32, 37, 41, 49];
/// What a letter about a request repeats of it.
const REPEATED: [u8; 12] = [2, 3, 4, 12, 13, 18, 22, 32, 37, 41, 42, 49];
/// A tag of DE55 for proprietary data, which no table has.
const UNKNOWN_CHIP_TAG: u32 = 0xDF7F;

impl CardBench<'_> {
    /// 0100 or 0200 as a switch sends it to the issuer.
    fn request_draft(&mut self, order: &Order, knows_card: bool) -> Result<Draft, String> {
        self.references += 1;
        let reference = format!("BENCH{:07}", self.references % 10_000_000);
        let identity = Identity {
            institution: ACQUIRER,
            stan: self.next_stan(),
            reference: &reference,
        };
        let pan = match knows_card {
            true => self.card.pan(),
            false => self.subject.unknown_pan.as_str(),
        };
        let order = Order {
            pan: Some(pan.into()),
            ..order.clone()
        };
        let card = knows_card.then_some(&self.card);
        let mut draft = transaction(&order, card, &identity, &self.security, self.now())?;
        self.stamp(&mut draft);
        Ok(draft)
    }

    /// What the switch adds: session, itself, its own data.
    fn stamp(&self, draft: &mut Draft) {
        draft.set(15, &self.session);
        draft.set(33, SWITCH);
        draft.set(63, format!("002010{}", self.session_date));
    }

    pub(super) fn request(&mut self, wanted: &Request) -> Result<(), String> {
        let knows_card = wanted.card.as_deref() != Some("unknown");
        let mut draft = self.request_draft(&wanted.order, knows_card)?;
        for (field, value) in &wanted.set {
            let field = field.parse().map_err(|_| "catalogue: set: no field")?;
            draft.set(field, value);
        }
        if wanted.wrong_cvv {
            let right = self.card.verification();
            let wrong: String = right.chars().map(other_digit).collect();
            let text = draft
                .text(48)
                .replace(&format!("CV03{right}"), &format!("CV03{wrong}"));
            draft.set(48, text);
        }
        if wanted.unknown_tags {
            draft.tag("ZZ", "BENCH");
            let mut chip = draft.get(55).unwrap_or_default().to_vec();
            tlv::write(&mut chip, UNKNOWN_CHIP_TAG, b"BENCH")
                .map_err(|rule| format!("bench: {rule:?}"))?;
            draft.set(55, chip);
        }
        let name = wanted.name.clone().unwrap_or_else(|| "request".into());
        let link = self.link()?;
        let trace = if wanted.unsent {
            trace_of(&draft)?
        } else {
            let mut bytes = self.sealed(&draft)?;
            if wanted.bad_mac
                && let Some(last) = bytes.last_mut()
            {
                *last ^= 0xFF;
            }
            self.send_bytes(link, &bytes)?
        };
        self.keep_own(&name, draft, trace, link);
        self.last_request = Some(name);
        Ok(())
    }

    fn keep_own(&mut self, name: &str, draft: Draft, trace: Trace, link: usize) {
        let kept = Kept {
            draft,
            trace,
            link,
            approval: String::new(),
        };
        self.kept.insert(name.into(), kept);
    }

    /// The answer to the last request.
    pub(super) fn answer(&mut self, codes: &[String]) -> Result<(), String> {
        let name = self.last_request.clone().unwrap_or_default();
        let kept = self.kept(&name)?;
        let answer = self.answer_to(&kept)?;
        let code = answer.text(39);
        one_of(&code, codes)?;
        self.settle(&kept.draft, &code);
        if let Some(kept) = self.kept.get_mut(&name) {
            kept.approval = answer.text(38);
        }
        Ok(())
    }

    fn answer_to(&mut self, kept: &Kept) -> Result<Draft, String> {
        let mti = kept.draft.mti() + 10;
        let trace = kept.trace;
        let answer = self.wait_for(ANSWER_WITHIN, |received| {
            received.mti == mti && received.trace == trace
        })?;
        let answer = answer.ok_or_else(|| format!("no {mti:04} came"))?.draft;
        for field in ECHOED {
            wants(&answer, field, &kept.draft.text(field))?;
        }
        Ok(answer)
    }

    /// The bench's own totals of the issuer's side.
    fn settle(&mut self, request: &Draft, code: &str) {
        let tiyn = request.text(4).parse().unwrap_or(0);
        if code == "00" && request.mti() / 100 == 2 {
            let way = direction(&request.text(3));
            self.totals.post(&self.session, Side::Issuer, way, tiyn);
        }
    }

    pub(super) fn not_approved(&mut self, within: Duration) -> Result<(), String> {
        match self.next_message(within)? {
            Some(received) if matches!(received.draft.text(39).as_str(), "00" | "10" | "85") => {
                Err("it was approved".into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn burst(&mut self, count: usize, order: &Order) -> Result<(), String> {
        let link = self.link()?;
        let mut open = Vec::new();
        for _ in 0..count {
            let draft = self.request_draft(order, true)?;
            let trace = self.send(link, &draft)?;
            open.push((trace, draft));
        }
        let until = self.until(ANSWER_WITHIN);
        while !open.is_empty() {
            let Some(received) = self.next_message(until.rest(self))? else {
                return Err(format!("{} of {count} were not answered", open.len()));
            };
            let place = open.iter().position(|(trace, _)| *trace == received.trace);
            let Some(place) = place else {
                return Err(format!(
                    "{:04} came, which belongs to nothing",
                    received.mti
                ));
            };
            let (_, draft) = open.swap_remove(place);
            wants(&received.draft, 37, &draft.text(37))?;
            wants(&received.draft, 39, "00")?;
            self.settle(&draft, "00");
        }
        Ok(())
    }

    pub(super) fn balance(
        &mut self,
        keep: Option<&str>,
        than: Option<&str>,
        change: Option<&str>,
    ) -> Result<(), String> {
        let order = Order::new(CardService::BalanceEnquiry, Channel::Pos, "", 0, "0.00");
        let draft = self.request_draft(&order, true)?;
        let link = self.link()?;
        let trace = self.send(link, &draft)?;
        self.keep_own("balance", draft, trace, link);
        let kept = self.kept("balance")?;
        let answer = self.answer_to(&kept)?;
        wants(&answer, 39, "00")?;
        let found = available(&answer.text(54)).ok_or("DE54 tells no available balance")?;
        if let Some(name) = keep {
            self.balances.insert(name.into(), found);
        }
        let Some(name) = than else { return Ok(()) };
        let before = self.balances.get(name).copied();
        let before = before.ok_or_else(|| format!("catalogue: no balance `{name}`"))?;
        let change = tiyn(change.unwrap_or("0.00"))?;
        match found - before {
            found if found == change => Ok(()),
            found => Err(format!(
                "the available balance changed by {found} tiyn, and not by {change}"
            )),
        }
    }

    /// 0220 of what stand-in approved.
    pub(super) fn advice(&mut self, order: &Order) -> Result<(), String> {
        let order = Order {
            offline: true,
            ..order.clone()
        };
        let mut draft = self.request_draft(&order, true)?;
        draft.tag("SI", "01");
        self.settle(&draft, "00");
        self.send_letter(draft)
    }

    pub(super) fn completion(&mut self, of: &str, tenge: &str) -> Result<(), String> {
        let kept = self.kept(of)?;
        let mut draft = kept.draft.retyped(220);
        draft.keep(&[2, 3, 14, 18, 19, 22, 32, 37, 41, 42, 43, 49]);
        set_times(&mut draft, self.now());
        draft.set(4, amount(amount_of(tenge)?));
        draft.set(11, format!("{:06}", self.next_stan()));
        draft.set(24, "202").set(25, "06").set(39, "00");
        draft.set(38, &kept.approval);
        draft.tag("CH", "POS");
        draft.set(90, original(kept.draft.mti(), kept.trace, ACQUIRER));
        self.stamp(&mut draft);
        self.settle(&draft, "00");
        self.send_letter(draft)
    }

    pub(super) fn reversal(
        &mut self,
        of: &str,
        why: &str,
        stands: Option<&str>,
    ) -> Result<(), String> {
        let kept = self.kept(of)?;
        let mut draft = kept.draft.retyped(420);
        draft.keep(&REPEATED);
        set_times(&mut draft, self.now());
        draft.set(11, format!("{:06}", self.next_stan()));
        draft.set(39, why);
        draft.set(24, if stands.is_some() { "401" } else { "400" });
        draft.set(90, original(kept.draft.mti(), kept.trace, ACQUIRER));
        if let Some(stands) = stands {
            let none = "D00000000";
            let stands = amount(amount_of(stands)?);
            draft.set(95, format!("{stands}{}{none}{none}", amount(0)));
        }
        self.stamp(&mut draft);
        self.send_letter(draft)
    }

    fn send_letter(&mut self, draft: Draft) -> Result<(), String> {
        self.send_anywhere(&draft)?;
        self.last_letter = Some(draft);
        Ok(())
    }

    /// The last letter again, marked as a repeat.
    pub(super) fn again(&mut self) -> Result<(), String> {
        let letter = self.last_letter.clone().ok_or("catalogue: no letter yet")?;
        self.send_letter(letter.retyped(letter.mti() | 1))
    }

    pub(super) fn acknowledged(&mut self, codes: &[String]) -> Result<(), String> {
        let letter = self.last_letter.clone().ok_or("catalogue: no letter yet")?;
        let (mti, trace) = (letter.mti() / 10 * 10 + 10, trace_of(&letter)?);
        let answer = self.wait_for(ANSWER_WITHIN, |received| {
            received.mti == mti && received.trace == trace
        })?;
        let answer = answer.ok_or_else(|| format!("no {mti:04} came"))?.draft;
        for field in ECHOED {
            wants(&answer, field, &letter.text(field))?;
        }
        one_of(&answer.text(39), codes)
    }

    pub(super) fn closing_totals(&mut self, side: Side, agrees: bool) -> Result<(), String> {
        let mut draft = self.switch_message(520);
        draft.set(15, &self.session).set(24, "500");
        let code = self.subject.participant.clone();
        about_session(&mut draft, &code, side, &self.session_date);
        let own = self.totals.get(&self.session, side);
        own.write(&mut draft);
        let trace = self.send_anywhere(&draft)?;
        let answer = self.wait_for(ANSWER_WITHIN, |received| {
            received.mti == 530 && received.trace == trace
        })?;
        let answer = answer.ok_or("no 0530 came")?.draft;
        match (answer.text(66).as_str(), answer.text(39).as_str()) {
            ("1", "00") => Ok(()),
            ("2", "95") if !agrees => Ok(()),
            (settlement, code) => Err(format!(
                "DE66 is `{settlement}` and DE39 `{code}`; the bench has {own:?}"
            )),
        }
    }

    /// The host's totals against the bench's.
    pub(super) fn await_totals(&mut self, side: Side) -> Result<(), String> {
        let received =
            self.wait_for(ANSWER_WITHIN, |received| matches!(received.mti, 500 | 520))?;
        let received = received.ok_or("no 0500 came")?;
        wants(&received.draft, 15, &self.session)?;
        let own = self.totals.get(&self.session, side);
        let found = Totals::read(&received.draft).ok_or("the totals cannot be read")?;
        let agrees = found == own;
        let mut answer = received.draft.retyped(received.mti / 10 * 10 + 10);
        answer.keep(&[7, 11, 15, 24, 33, 50, 63]);
        answer.set(39, if agrees { "00" } else { "95" });
        answer.set(66, if agrees { "1" } else { "2" });
        own.write(&mut answer);
        self.send(received.link, &answer)?;
        match agrees {
            true => Ok(()),
            false => Err(format!("the host has {found:?}, the bench {own:?}")),
        }
    }
}

fn other_digit(digit: char) -> char {
    let next = digit.to_digit(10).map(|digit| (digit + 1) % 10);
    next.and_then(|next| char::from_digit(next, 10))
        .unwrap_or('0')
}

fn one_of(code: &str, codes: &[String]) -> Result<(), String> {
    match codes.iter().any(|allowed| allowed == code) {
        true => Ok(()),
        false => Err(format!("DE39 is {code}, and not {}", codes.join(" or "))),
    }
}

/// The available balance of DE54: groups of account 2, type 2, currency 3, sign, 12 digits.
fn available(text: &str) -> Option<i128> {
    let groups = text.as_bytes().chunks(20);
    let mut groups = groups.filter_map(|group| std::str::from_utf8(group).ok());
    let group = groups.find(|group| group.get(2..4) == Some("02"))?;
    let tiyn: i128 = group.get(8..20)?.parse().ok()?;
    Some(match group.get(7..8)? {
        "D" => -tiyn,
        _ => tiyn,
    })
}

fn trace_of(draft: &Draft) -> Result<Trace, String> {
    let number = |field| {
        let number = draft.text(field).parse();
        number.map_err(|_| "bench: a message without trace".to_string())
    };
    Ok(Trace {
        transmitted: number(7)?,
        stan: number(11)?,
    })
}
