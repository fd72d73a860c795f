//! The host as acquirer: it is asked to begin, and the bench answers as a switch would.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use torap_bank::card::{Draft, PinVerdict, Side, TestCard, Trace, direction};

use super::wire::{Received, wants};
use super::{CardBench, Kept, Seen, amount_of};
use crate::catalogue::card::{Await, AwaitReversal, KeySet};
use crate::peer::Ask;
use crate::subject::{BENCH_CARD, BENCH_PREFIX};

impl CardBench<'_> {
    /// Completes what the catalogue wants with card, reference and session, and asks.
    pub(super) fn ask(
        &mut self,
        say: &str,
        what: &BTreeMap<String, toml::Value>,
        of: Option<&str>,
    ) -> Result<(), String> {
        self.link()?;
        let mut request = serde_json::to_value(what).map_err(|error| error.to_string())?;
        let fields = request
            .as_object_mut()
            .ok_or("catalogue: what is no table")?;
        let kind = fields.get("do").and_then(Value::as_str).map(String::from);
        match (kind.as_deref(), of) {
            (Some("transact"), _) => {
                fields.insert("prefix".into(), json!(BENCH_PREFIX));
                fields.insert("card".into(), json!(BENCH_CARD));
            }
            (Some("reconcile"), _) => {
                fields.insert("session".into(), json!(self.session));
            }
            (Some("network"), _) => {}
            (_, Some(of)) => {
                let reference = self.kept(of)?.draft.text(37);
                fields.insert("reference".into(), json!(reference.trim_end()));
            }
            _ => return Err("catalogue: nothing that a host can be asked".into()),
        }
        let ask = Ask {
            say: say.into(),
            request,
            wants_amount: false,
        };
        self.peer.ask(&ask)
    }

    pub(super) fn await_message(&mut self, wanted: &Await) -> Result<(), String> {
        let mti = wanted.mti.parse::<u16>().map_err(|_| "catalogue: mti")?;
        let within = Duration::from_millis(wanted.within_ms).max(self.patience);
        let received = self.wait_for(within, |received| received.mti == mti)?;
        let received = received.ok_or_else(|| format!("no {mti:04} came"))?;
        self.compare(wanted, &received)?;
        self.keep(&wanted.name, &received);
        Ok(())
    }

    fn compare(&self, wanted: &Await, received: &Received) -> Result<(), String> {
        let draft = &received.draft;
        let card = bench_card()?;
        wants(draft, 2, card.pan())?;
        wants(draft, 32, &self.subject.institution)?;
        if let Some(amount) = &wanted.amount {
            wants(draft, 4, &format!("{:012}", amount_of(amount)?))?;
        }
        if let Some(kind) = &wanted.kind {
            let found = draft.text(3);
            if !found.starts_with(kind.as_str()) {
                return Err(format!("DE3 is {found}, and does not begin with {kind}"));
            }
        }
        if wanted.pin.is_some() {
            let message = received.message().ok_or("it cannot be read")?;
            let verdict = self.security.pin_verdict(&message, &card);
            if verdict != PinVerdict::Right {
                return Err(format!("its PIN block: {verdict:?}"));
            }
        }
        if wanted.key_set == Some(KeySet::Now) {
            let control = draft.text(53);
            let set = format!("{:06}", self.security.key_set());
            if control.get(2..8) != Some(set.as_str()) {
                return Err(format!("DE53 is `{control}`, and does not name set {set}"));
            }
        }
        if let Some(name) = &wanted.completes {
            let kept = self.kept(name)?;
            names_original(draft, &kept)?;
            wants(draft, 38, &kept.approval)?;
        }
        if let Some(name) = &wanted.repeats {
            let kept = self.kept(name)?;
            for field in [7, 11, 32, 37, 41] {
                wants(draft, field, &kept.draft.text(field))?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, received: &Received) {
        let key = (received.mti & !1, received.trace);
        self.seen.entry(key).or_default();
        let kept = Kept {
            draft: received.draft.clone(),
            trace: received.trace,
            link: received.link,
            approval: String::new(),
        };
        self.kept.insert(name.into(), kept);
    }

    pub(super) fn await_reversal(&mut self, wanted: &AwaitReversal) -> Result<(), String> {
        let about = self.kept(&wanted.of)?;
        let is_repeat = wanted.again.is_some();
        let within = Duration::from_millis(wanted.within_ms).max(self.patience);
        let received = self.wait_for(within, |received| {
            received.mti / 100 == 4 && (received.mti % 2 == 1) == is_repeat
        })?;
        let received = received.ok_or("no reversal came")?;
        let draft = &received.draft;
        names_original(draft, &about)?;
        for field in [2, 4, 32, 37, 41, 49] {
            wants(draft, field, &about.draft.text(field))?;
        }
        if let Some(again) = &wanted.again {
            let first = self.kept(again)?;
            for field in [7, 11] {
                wants(draft, field, &first.draft.text(field))?;
            }
        }
        let found = draft.text(95);
        match &wanted.stands {
            Some(stands) => {
                let stands = format!("{:012}", amount_of(stands)?);
                if found.get(..12) != Some(stands.as_str()) {
                    return Err(format!(
                        "DE95 is `{found}` and does not begin with {stands}"
                    ));
                }
            }
            None if !found.is_empty() => return Err("a full reversal with DE95".into()),
            None => {}
        }
        if let Some(name) = &wanted.name {
            self.keep(name, &received);
        }
        Ok(())
    }

    /// Answers a message of the host's, and counts what follows from it.
    pub(super) fn reply(
        &mut self,
        to: &str,
        code: &str,
        set: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let kept = self.kept(to)?;
        let mti = kept.draft.mti();
        let mut answer = kept.draft.retyped(mti / 10 * 10 + 10);
        answer.keep(&[3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 61, 90, 95]);
        if mti / 100 != 4 {
            answer.remove(90).remove(95);
        }
        answer.set(15, &self.session).set(39, code);
        let approval = format!("B{:05}", self.next_stan() % 100_000);
        let is_request = mti / 100 < 4 && mti / 10 % 10 == 0;
        if code == "00" && is_request {
            answer.set(38, &approval);
        }
        for (field, value) in set {
            let field = field.parse().map_err(|_| "catalogue: set: no field")?;
            answer.set(field, value);
        }
        // On a link that is gone by now any other serves.
        let is_there = self.links.iter().any(|(link, _)| *link == kept.link);
        let link = if is_there { kept.link } else { self.link()? };
        self.send(link, &answer)?;
        if set.is_empty() {
            if let Some(kept) = self.kept.get_mut(to) {
                kept.approval = approval;
            }
            self.count(&kept, code, answer);
        }
        Ok(())
    }

    fn count(&mut self, kept: &Kept, code: &str, answer: Draft) {
        let mti = kept.draft.mti() & !1;
        let key = (mti, kept.trace);
        if mti / 100 == 4 {
            if code == "00" {
                self.count_reversal(kept);
            }
        } else {
            let tiyn = kept.draft.text(4).parse().unwrap_or(0);
            if code == "00" && mti / 100 == 2 {
                let way = direction(&kept.draft.text(3));
                self.totals.post(&self.session, Side::Acquirer, way, tiyn);
            }
            let seen = self.seen.entry(key).or_default();
            seen.stands = if code == "00" { tiyn } else { 0 };
        }
        if code != "96" {
            self.seen.entry(key).or_default().answer = Some(answer);
        }
    }

    /// What a reversal takes back of the message that it names.
    fn count_reversal(&mut self, kept: &Kept) {
        let Some((original, about)) = original_of(&kept.draft) else {
            return;
        };
        let stands = kept.draft.text(95);
        let stands: u64 = stands
            .get(..12)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let seen: &mut Seen = self.seen.entry((original, about)).or_default();
        seen.reversed = true;
        let undone = seen.stands.saturating_sub(stands);
        seen.stands = seen.stands.min(stands);
        if undone > 0 && original / 100 == 2 {
            let way = direction(&kept.draft.text(3));
            self.totals
                .reverse(&self.session, Side::Acquirer, way, undone);
        }
    }
}

/// Type and trace that DE90 names.
fn original_of(draft: &Draft) -> Option<(u16, Trace)> {
    let text = draft.text(90);
    let trace = Trace {
        stan: text.get(4..10)?.parse().ok()?,
        transmitted: text.get(10..20)?.parse().ok()?,
    };
    Some((text.get(..4)?.parse().ok()?, trace))
}

fn names_original(draft: &Draft, kept: &Kept) -> Result<(), String> {
    match original_of(draft) {
        Some((mti, trace)) if mti == kept.draft.mti() && trace == kept.trace => Ok(()),
        _ => Err(format!(
            "{:04}: DE90 does not name the {:04} with DE11 {}",
            draft.mti(),
            kept.draft.mti(),
            kept.trace.stan
        )),
    }
}

/// The card with which hosts are asked to buy.
fn bench_card() -> Result<TestCard, String> {
    TestCard::new(BENCH_PREFIX, BENCH_CARD).ok_or_else(|| "bench: it has no card".into())
}
