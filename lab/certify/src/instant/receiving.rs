//! What the switch sends to the payee's bank, and the words that it has for either bank.

use std::time::Duration;

use torap_gateway::wire::ContentType;
use torap_iso20022::profile::Direction;
use torap_iso20022::view::{
    Assignment, CancellationRequest, CancellationStatus, CreditTransfer, EventNotice, Original,
    Parameters, Party, Reject, Resolution, Return, StatusReport, TransactionStatus,
    TransferService, VerificationRequest,
};
use torap_iso20022::write::{self, Carried};

use super::facts::{Facts, person_number};
use super::outgoing::Letter;
use super::{ANSWER_WITHIN, BENCH_BIC, InstantBench};
use crate::card::amount_of;
use crate::catalogue::instant::{Decide, Pay, Payee, Person, Status};

/// KNP of a transfer between persons.
const KNP_TRANSFER: &str = "119";
/// Reference of a payment of a static code.
const STATIC_CODE: &str = "STATIC";
/// A national number with right check digits that is not the test customer's.
const OTHER_PERSON: &str = "790305300457";

impl InstantBench<'_> {
    /// Sends what `write` writes, and says what the host will read in it. `write` is told whether it is a repeat.
    pub(super) fn say(
        &mut self,
        write: impl Fn(&mut Vec<u8>, bool),
    ) -> Result<(Facts, Vec<u8>), String> {
        self.ready()?;
        let (mut body, mut marked) = (Vec::new(), Vec::new());
        write(&mut body, false);
        write(&mut marked, true);
        let read = self.reader.read(&body, Direction::FromSwitch);
        let facts = read
            .map(|message| Facts::of(&message))
            .map_err(|refusal| format!("bench: its own message is refused: {refusal}"))?;
        self.stream.push(Letter::Message {
            content_type: ContentType::Iso20022Xml,
            body,
            marked: marked.clone(),
        });
        Ok((facts, marked))
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), String> {
        self.ready()?;
        // It may say that it could not read it.
        self.pardons = true;
        self.stream.push(Letter::Message {
            content_type: ContentType::Iso20022Xml,
            body: text.into(),
            marked: text.into(),
        });
        Ok(())
    }

    pub(super) fn pay(&mut self, pay: &Pay) -> Result<(), String> {
        let (facts, marked) = self.forward(pay)?;
        self.keep(&pay.name, facts, marked);
        Ok(())
    }

    fn forward(&mut self, pay: &Pay) -> Result<(Facts, Vec<u8>), String> {
        let now = self.streams.now().nanos();
        let (message_id, transaction_id) = (self.identifier('M'), self.identifier('T'));
        let (end_to_end_id, uetr) = (self.identifier('E'), self.uetr()?);
        let (bic, payer) = (self.subject.bic.clone(), self.payer.clone());
        let payee = self.subject.account.clone();
        let unknown = self.subject.unknown_iban.clone();
        let own = pay.to == Payee::OwnAccount;
        let payer_person = if own { &payee.person } else { &payer.person };
        let payer_name = if own { &payee.name } else { &payer.name };
        let header = self.header(&message_id, now, false);
        let transfer = CreditTransfer {
            message_id: &message_id,
            created_ns: now,
            settlement_date: None,
            service: match pay.to {
                Payee::Phone => TransferService::C2cPhone,
                Payee::StaticQr => TransferService::Qr,
                Payee::OwnAccount => TransferService::Me2Me,
                Payee::Account | Payee::Unknown => TransferService::C2cAccount,
            },
            instructing_agent: BENCH_BIC,
            instructed_agent: None,
            instruction_id: None,
            end_to_end_id: &end_to_end_id,
            transaction_id: &transaction_id,
            uetr: &uetr,
            resolution_id: None,
            tiyn: amount_of(&pay.amount)?,
            accepted_ns: now,
            debtor: Party {
                name: Some(payer_name.as_str().into()),
                number: Some(person_number(payer_person)),
                phone: None,
            },
            debtor_iban: &payer.iban,
            debtor_agent: BENCH_BIC,
            creditor_agent: &bic,
            creditor: Party {
                name: Some(payee.name.as_str().into()),
                number: Some(person_number(&payee.person)),
                phone: None,
            },
            creditor_iban: Some(match pay.to {
                Payee::Unknown => &unknown,
                _ => &payee.iban,
            }),
            creditor_phone: (pay.to == Payee::Phone).then_some(payee.phone.as_str()),
            knp: KNP_TRANSFER,
            kod: pay.rich.then_some("19"),
            kbe: pay.rich.then_some("19"),
            qr_id: (pay.to == Payee::StaticQr).then_some(STATIC_CODE),
            remittance: pay.rich.then(|| "Тест: рақмет & <спасибо>".into()),
        };
        let carried = Carried {
            instant_service_level: true,
            total: pay.rich,
            instruction_priority: pay.rich.then_some("NORM"),
            ..Carried::default()
        };
        let bodies = [false, true].map(|possible_duplicate| {
            let mut header = header;
            header.possible_duplicate = possible_duplicate;
            let mut body = Vec::new();
            write::credit_transfer(&mut body, Some(&header), &transfer, &carried);
            body
        });
        let [body, marked] = bodies;
        self.say(|out, again| out.extend_from_slice(if again { &marked } else { &body }))
    }

    /// What was sent once more, marked, under a sequence of its own.
    pub(super) fn send_again(&mut self, of: &str) -> Result<(), String> {
        let marked = self.kept(of)?.marked;
        self.say(|out, _| out.extend_from_slice(&marked))?;
        Ok(())
    }

    pub(super) fn burst(&mut self, count: usize, amount: &str) -> Result<(), String> {
        let mut open = Vec::new();
        for _ in 0..count {
            let pay = Pay {
                name: String::new(),
                amount: amount.into(),
                to: Payee::Account,
                rich: false,
            };
            open.push(self.forward(&pay)?.0);
        }
        let until = self.until(ANSWER_WITHIN);
        while !open.is_empty() {
            let rest = self.rest(until);
            let Some(received) = self.next_message(rest)? else {
                return Err(format!("{} of {count} were not answered", open.len()));
            };
            let answer = self.read(&received)?;
            let place = open
                .iter()
                .position(|asked| asked.uetr == answer.uetr && answer.kind == "pacs.002");
            let Some(place) = place else {
                return Err(format!("{} came, which belongs to nothing", answer.kind));
            };
            let asked = open.swap_remove(place);
            if answer.status != "ACSP" || answer.transaction_id != asked.transaction_id {
                return Err("one of them was not accepted, or under another TxId".into());
            }
            self.report(&asked, TransactionStatus::Acsc, None)?;
        }
        Ok(())
    }

    pub(super) fn decide(&mut self, decide: &Decide) -> Result<(), String> {
        let about = self.kept(&decide.of)?.facts;
        let status = match decide.status {
            Status::Acsc => TransactionStatus::Acsc,
            Status::Rjct => TransactionStatus::Rjct,
            Status::Pdng => TransactionStatus::Pdng,
        };
        self.report(&about, status, decide.code.as_deref())
    }

    fn report(
        &mut self,
        about: &Facts,
        status: TransactionStatus,
        code: Option<&str>,
    ) -> Result<(), String> {
        let now = self.streams.now();
        let message_id = self.identifier('S');
        let date = torap_domain::Date::from_time(now).to_string();
        let is_final = status != TransactionStatus::Pdng;
        let reference = self.counter.to_string();
        // In the answer to a return OrgnlTxId is the RtrId.
        let transaction_id = match about.kind.as_str() {
            "pacs.004" => &about.reference,
            _ => &about.transaction_id,
        };
        let (bic, switch) = (self.subject.bic.clone(), self.subject.switch_bic.clone());
        let report = StatusReport {
            message_id: &message_id,
            created_ns: now.nanos(),
            instructing_agent: Some(&switch),
            instructed_agent: Some(&bic),
            status_id: None,
            original: Original {
                message_id: Some(&about.message_id),
                message_name: Some(&about.definition),
                instruction_id: None,
                end_to_end_id: (!about.end_to_end_id.is_empty()).then_some(&about.end_to_end_id),
                transaction_id,
                uetr: &about.uetr,
            },
            status,
            reason: code,
            reason_text: None,
            accepted_ns: None,
            settlement_date: (status == TransactionStatus::Acsc).then_some(date.as_str()),
            clearing_reference: is_final.then_some(reference.as_str()),
        };
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let header = self.header(&message_id, now.nanos(), again);
            write::status_report(body, Some(&header), &report);
        }
        self.say_both(bodies).map(|_| ())
    }

    /// As [`InstantBench::say`], of bodies that are written already.
    pub(super) fn say_both(&mut self, bodies: [Vec<u8>; 2]) -> Result<(Facts, Vec<u8>), String> {
        let [body, marked] = bodies;
        self.say(|out, again| out.extend_from_slice(if again { &marked } else { &body }))
    }

    pub(super) fn confirm(&mut self, person: Person) -> Result<(), String> {
        let now = self.streams.now().nanos();
        let (message_id, verification_id) = (self.identifier('M'), self.identifier('V'));
        let account = self.subject.account.clone();
        let bic = self.subject.bic.clone();
        let digits = match person {
            Person::Right => account.person.as_str(),
            Person::Other => OTHER_PERSON,
        };
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let request = VerificationRequest {
                assignment: self.assignment(&message_id, now),
                verification_id: &verification_id,
                party: Party {
                    name: None,
                    number: Some(person_number(digits)),
                    phone: None,
                },
                iban: Some(&account.iban),
                phone: None,
                agent: Some(&bic),
            };
            let header = self.header(&message_id, now, again);
            write::verification_request(body, Some(&header), &request);
        }
        let (facts, marked) = self.say_both(bodies)?;
        self.keep("confirm", facts, marked);
        Ok(())
    }

    pub(super) fn assignment<'a>(&'a self, message_id: &'a str, now: u64) -> Assignment<'a> {
        Assignment {
            id: message_id,
            assigner: &self.subject.switch_bic,
            assignee: &self.subject.bic,
            created_ns: now,
        }
    }

    pub(super) fn give_back(&mut self, of: &str, again: bool) -> Result<(), String> {
        let name = format!("return of {of}");
        if again {
            return self.send_again(&name);
        }
        let about = self.kept(of)?.facts;
        let now = self.streams.now().nanos();
        let (message_id, return_id) = (self.identifier('M'), self.identifier('R'));
        let bic = self.subject.bic.clone();
        let payment_return = Return {
            message_id: &message_id,
            created_ns: now,
            instructing_agent: BENCH_BIC,
            instructed_agent: Some(&bic),
            settlement_date: None,
            return_id: &return_id,
            original: original(&about),
            original_tiyn: None,
            tiyn: about.tiyn,
            reason: "FOCR",
            reason_text: None,
        };
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let header = self.header(&message_id, now, again);
            write::payment_return(body, Some(&header), &payment_return);
        }
        let (facts, marked) = self.say_both(bodies)?;
        self.keep(&name, facts, marked);
        Ok(())
    }

    pub(super) fn recall(&mut self, of: &str, reason: &str, name: &str) -> Result<(), String> {
        let about = self.kept(of)?.facts;
        let now = self.streams.now().nanos();
        let (message_id, cancellation_id) = (self.identifier('M'), self.identifier('C'));
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let request = CancellationRequest {
                assignment: Assignment {
                    assigner: BENCH_BIC,
                    ..self.assignment(&message_id, now)
                },
                case_id: None,
                cancellation_id: &cancellation_id,
                original: original(&about),
                original_tiyn: Some(about.tiyn),
                reason,
                reason_text: None,
            };
            let header = self.header(&message_id, now, again);
            write::cancellation_request(body, Some(&header), &request);
        }
        let (mut facts, marked) = self.say_both(bodies)?;
        facts.tiyn = about.tiyn;
        self.keep(name, facts, marked);
        Ok(())
    }

    pub(super) fn resolve(&mut self, of: &str, reason: &str) -> Result<(), String> {
        let about = self.kept(of)?.facts;
        let now = self.streams.now().nanos();
        let message_id = self.identifier('M');
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let resolution = Resolution {
                assignment: self.assignment(&message_id, now),
                case_id: None,
                status_id: Some(&about.reference),
                original: Original {
                    transaction_id: &about.transaction_id,
                    uetr: &about.uetr,
                    ..Original::default()
                },
                status: CancellationStatus::Refused,
                reason: Some(reason),
                reason_text: None,
            };
            let header = self.header(&message_id, now, again);
            write::resolution(body, Some(&header), &resolution);
        }
        self.say_both(bodies).map(|_| ())
    }

    pub(super) fn reject(&mut self, of: &str, code: &str) -> Result<(), String> {
        let about = self.kept(of)?.facts;
        let now = self.streams.now().nanos();
        let message_id = self.identifier('A');
        let reject = Reject {
            related: about.message_id.as_str().into(),
            reason: code.into(),
            rejected_ns: Some(now),
            location: None,
            description: Some("actor: peer; certification: refused for the case".into()),
            additional: None,
        };
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let header = self.header(&message_id, now, again);
            write::reject(body, Some(&header), &reject);
        }
        self.say_both(bodies).map(|_| ())
    }

    pub(super) fn notice(&mut self, code: &str, parameters: &[String]) -> Result<(), String> {
        let now = self.streams.now().nanos();
        let message_id = self.identifier('N');
        let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
        let notice = EventNotice {
            code,
            parameters: Parameters::from_slice(&parameters)
                .ok_or("catalogue: too many parameters")?,
            description: Some("Certification.".into()),
            time_ns: Some(now),
        };
        let mut bodies = [Vec::new(), Vec::new()];
        for (body, again) in bodies.iter_mut().zip([false, true]) {
            let header = self.header(&message_id, now, again);
            write::event_notice(body, Some(&header), &notice);
        }
        self.say_both(bodies).map(|_| ())
    }

    /// Nothing may come.
    pub(super) fn quiet(&mut self, within: Duration) -> Result<(), String> {
        match self.next_fact(within)? {
            None => Ok(()),
            Some(facts) => Err(format!("{} came, and nothing should", facts.kind)),
        }
    }

    fn uetr(&mut self) -> Result<String, String> {
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.streams.nonce()?;
        Ok(torap_domain::Uetr::from_random(bytes).to_string())
    }
}

fn original(about: &Facts) -> Original<'_> {
    Original {
        message_id: Some(&about.message_id),
        message_name: Some(&about.definition),
        instruction_id: None,
        end_to_end_id: Some(&about.end_to_end_id),
        transaction_id: &about.transaction_id,
        uetr: &about.uetr,
    }
}
