//! What the host is asked to begin, what must come of it, and the answers that the switch has for it.

use std::time::Duration;

use serde_json::{Value, json};
use torap_domain::qr::{MerchantAccount, QrCode};
use torap_domain::{Asset, Bic, Iban, IinBin, Money, QrId, Text};
use torap_gateway::wire::ContentType;
use torap_iso20022::view::VerificationReport;
use torap_iso20022::write;

use super::facts::Facts;
use super::outgoing::Letter;
use super::{AMOUNT_WITHIN, BENCH_BIC, InstantBench};
use crate::catalogue::instant::{AskFor, Await, PayTo};
use crate::peer::Ask;
use crate::report::Way;

/// A merchant category of no meaning, and how long a code holds.
const MERCHANT_CATEGORY: u16 = 5411;
const CODE_HOLDS: Duration = Duration::from_secs(3600);
/// Between two looks for an amount.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a host may take to store what it was sent before it is asked about it.
const STORED_WITHIN: Duration = Duration::from_secs(5);

impl InstantBench<'_> {
    /// Completes what the catalogue wants, and asks.
    pub(super) fn ask(&mut self, wanted: &AskFor) -> Result<(), String> {
        self.acknowledged(STORED_WITHIN)?;
        let mut request = serde_json::to_value(&wanted.what).map_err(|error| error.to_string())?;
        let fields = request
            .as_object_mut()
            .ok_or("catalogue: what is no table")?;
        let about = match &wanted.of {
            Some(of) => self.kept(of)?.facts,
            None => Facts::default(),
        };
        let qr = self.qr_code(wanted, fields.get("amount").and_then(Value::as_str))?;
        let payee = &self.payee;
        match fields.get("do").and_then(Value::as_str) {
            Some("pay") => {
                let to = match wanted.to {
                    Some(PayTo::Phone) => json!({ "phone": { "phone": payee.phone } }),
                    Some(PayTo::DynamicQr) => json!({ "qr": { "code": qr } }),
                    Some(PayTo::Account) | None => json!({ "account": {
                        "bank": BENCH_BIC, "iban": payee.iban, "name": payee.name,
                    } }),
                };
                fields.insert("from".into(), json!(crate::subject::instant::CUSTOMER));
                fields.insert("payee".into(), to);
                if !about.resolution_id.is_empty() {
                    fields.insert("resolution_id".into(), json!(about.resolution_id));
                }
            }
            Some("pay-again") => {
                fields.insert("transaction_id".into(), json!(about.transaction_id));
            }
            Some("status") => {
                fields.insert("transaction_id".into(), json!(about.transaction_id));
                fields.insert("uetr".into(), json!(about.uetr));
            }
            Some("return" | "recall" | "refuse-recall") => {
                fields.insert("uetr".into(), json!(about.uetr));
            }
            Some("look-up") => {
                fields.insert("phone".into(), json!(payee.phone));
            }
            Some("command") => self.complete_command(fields),
            _ => return Err("catalogue: nothing that a host can be asked".into()),
        }
        let say = wanted
            .say
            .replace("{iban}", &self.payee.iban)
            .replace("{bank}", BENCH_BIC)
            .replace("{name}", &self.payee.name)
            .replace("{phone}", &self.payee.phone)
            .replace("{person}", &self.subject.account.person)
            .replace("{qr}", &qr)
            .replace("{uetr}", &about.uetr);
        let answer = self.streams.ask(&Ask {
            say,
            request,
            wants_amount: false,
        });
        // A person's answer is the message that comes.
        match answer.try_recv() {
            Ok(Err(text)) => Err(format!("it could not be asked: {text}")),
            _ => Ok(()),
        }
    }

    /// The test customer's data in a command.
    fn complete_command(&self, fields: &mut serde_json::Map<String, Value>) {
        let account = &self.subject.account;
        if let Some(command) = fields.get_mut("command").and_then(Value::as_object_mut) {
            for (key, value) in [
                ("phone", &account.phone),
                ("person", &account.person),
                ("iban", &account.iban),
                ("name", &account.name),
            ] {
                command.insert(key.into(), json!(value));
            }
        }
    }

    /// A merchant's code for one purchase, at the bench's bank.
    fn qr_code(&mut self, wanted: &AskFor, amount: Option<&str>) -> Result<String, String> {
        if wanted.to != Some(PayTo::DynamicQr) {
            return Ok(String::new());
        }
        let bench = |error: &dyn std::fmt::Display| format!("bench: {error}");
        let amount = amount.ok_or("catalogue: a code needs an amount")?;
        let merchant = MerchantAccount {
            bank: Bic::parse(BENCH_BIC).map_err(|error| bench(&error))?,
            iban: Iban::parse(&self.payee.iban).map_err(|error| bench(&error))?,
            merchant_id: Text::try_from("BENCH").map_err(|error| bench(&error))?,
            bin: IinBin::parse(&self.payee.person).ok(),
        };
        let id = self.identifier('Q');
        let id = QrId::parse(&id).map_err(|error| bench(&error))?;
        let amount = Money::parse(amount, Asset::Kzt).map_err(|error| bench(&error))?;
        let now = self.streams.now();
        let expiry = torap_domain::Time::from_nanos(
            now.nanos() + u64::try_from(CODE_HOLDS.as_nanos()).unwrap_or(0),
        );
        let order = (id, amount, expiry);
        QrCode::new_dynamic(merchant, MERCHANT_CATEGORY, "Bench", "Almaty", order)
            .map(|code| code.encode())
            .map_err(|error| bench(&error))
    }

    pub(super) fn prepare(&mut self, behave: &str) -> Result<(), String> {
        let answer = self.streams.ask(&Ask {
            say: String::new(),
            request: json!({ "do": "behave", "behaviour": behave, "count": 1 }),
            wants_amount: false,
        });
        match answer.try_recv() {
            Ok(Err(text)) => Err(format!("it could not be prepared: {text}")),
            _ => Ok(()),
        }
    }

    /// The next message that is a case's business.
    pub(super) fn next_fact(&mut self, within: Duration) -> Result<Option<Facts>, String> {
        let until = self.until(within);
        loop {
            let rest = self.rest(until);
            let Some(received) = self.next_message(rest)? else {
                return Ok(None);
            };
            let facts = self.read(&received)?;
            // Notices may be acknowledged, and what could not be read may be said.
            let is_pardoned = facts.kind == "admi.011" || facts.kind == "admi.002" && self.pardons;
            if !is_pardoned {
                return Ok(Some(facts));
            }
        }
    }

    pub(super) fn await_message(&mut self, wanted: &Await) -> Result<(), String> {
        let within = Duration::from_millis(wanted.within_ms).max(self.patience);
        let facts = self.next_fact(within)?;
        let facts = facts.ok_or_else(|| format!("no {} came", wanted.kind))?;
        if facts.kind != wanted.kind {
            return Err(format!("{} came, and not {}", facts.kind, wanted.kind));
        }
        self.compare(wanted, &facts)
            .map_err(|text| format!("{}: {text}", facts.kind))?;
        if let Some(name) = &wanted.name {
            self.keep(name, facts, Vec::new());
        }
        Ok(())
    }

    pub(super) fn balance(
        &mut self,
        keep: Option<&str>,
        than: Option<&str>,
        change: Option<&str>,
    ) -> Result<(), String> {
        self.acknowledged(STORED_WITHIN)?;
        let found = self.amount()?;
        if let Some(name) = keep {
            self.balances.insert(name.into(), found);
        }
        let Some(name) = than else { return Ok(()) };
        let before = self.balances.get(name).copied();
        let before = before.ok_or_else(|| format!("catalogue: no balance `{name}`"))?;
        let change = crate::card::tiyn(change.unwrap_or("0.00"))?;
        match found - before {
            found if found == change => Ok(()),
            found => Err(format!(
                "the balance changed by {found} tiyn, and not by {change}"
            )),
        }
    }

    /// The balance of the test customer's account, in tiyn. The link is kept alive meanwhile.
    fn amount(&mut self) -> Result<i128, String> {
        let answer = self.streams.ask(&Ask {
            say: "type the balance of the test customer's account, in tenge".into(),
            request: json!({ "do": "books" }),
            wants_amount: true,
        });
        let until = self.until(AMOUNT_WITHIN.max(self.patience));
        loop {
            if let Ok(told) = answer.try_recv() {
                let told = told?;
                let net = told.get("net_tiyn").and_then(Value::as_i64);
                return net
                    .map(i128::from)
                    .ok_or_else(|| "no balance was told".into());
            }
            let rest = self.rest(until);
            if rest.is_zero() {
                return Err("no balance was told".into());
            }
            if let Some(facts) = self.next_fact(rest.min(LOOK_EVERY))? {
                return Err(format!("{} came, which nobody asked for", facts.kind));
            }
        }
    }

    /// What a look-up found.
    pub(super) fn found(&mut self, of: &str, found: bool) -> Result<(), String> {
        let asked = self.kept(of)?.facts;
        let now = self.streams.now().nanos();
        let (message_id, resolution_id) = (self.identifier('M'), self.identifier('L'));
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let report = VerificationReport {
                assignment: self.assignment(&message_id, now),
                original_message_id: Some(&asked.message_id),
                verification_id: &asked.reference,
                verified: found,
                reason: (!found).then_some("AC01"),
                name: found.then(|| "БЕНЧ Т.".into()),
                resolution_id: found.then_some(&resolution_id),
                phone: Some(&asked.phone),
                agent: found.then_some(BENCH_BIC),
            };
            let header = self.header(&message_id, now, again);
            write::verification_report(body, Some(&header), &report);
        }
        self.say_both(bodies)?;
        if let (true, Some(kept)) = (found, self.kept.get_mut(of)) {
            kept.facts.resolution_id = resolution_id;
        }
        Ok(())
    }

    pub(super) fn command_answer(&mut self, of: &str, reason: Option<&str>) -> Result<(), String> {
        self.ready()?;
        let asked = self.kept(of)?.facts;
        self.counter += 1;
        let answer = match reason {
            None => json!({
                "reference": asked.reference, "accepted": true, "position": self.counter,
            }),
            Some(reason) => json!({
                "reference": asked.reference, "accepted": false, "position": self.counter,
                "reason": reason, "code": "NARR", "text": "Certification.", "actor": "peer",
            }),
        };
        self.note(Way::ToHost, answer.clone());
        let body = answer.to_string().into_bytes();
        self.stream.push(Letter::Message {
            content_type: ContentType::AnswerJson,
            marked: body.clone(),
            body,
        });
        Ok(())
    }
}
