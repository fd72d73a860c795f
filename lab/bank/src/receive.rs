//! What the bank does with messages from the switch.

use serde_json::{Value, json};
use torap_domain::Reason;
use torap_gateway::wire::ContentType;
use torap_iso20022::{
    profile::Direction,
    view::{
        Assignment, Body, CLEARING_SERVICE, CancellationRequest, CreditTransfer, MASS_SERVICE,
        Message, Original, Resolution, Return, SETTLEMENT_SERVICE, StatusReport, TransactionStatus,
        VerificationReport, VerificationRequest, line_statuses,
    },
    write,
};

use crate::{
    bank::{Bank, LinkOrder, Recalled},
    behaviour::Behaviour,
    books::Final,
    control::Seen,
    outgoing::Letter,
    send::{Payment, decimal},
};

const NANOS_PER_MILLI: u64 = 1_000_000;

/// What an answer to a payment repeats.
#[derive(Clone)]
struct Asked {
    message_id: String,
    message_name: &'static str,
    end_to_end_id: String,
    transaction_id: String,
    uetr: String,
}

/// The longest statement or report that is shown whole.
const SEEN_TEXT_BYTES_MAX: usize = 262_144;

impl Bank {
    /// Takes one message from the switch.
    pub fn receive(
        &mut self,
        content_type: ContentType,
        body: &[u8],
        possible_duplicate: bool,
        now: u64,
    ) {
        match content_type {
            ContentType::Iso20022Xml => self.receive_xml(body, possible_duplicate, now),
            ContentType::AnswerJson => self.receive_json(body, possible_duplicate),
            ContentType::CommandJson | ContentType::Unknown(_) => {
                self.books
                    .violation("", format!("a message of content type {content_type:?}"));
            }
        }
    }

    fn receive_json(&mut self, body: &[u8], possible_duplicate: bool) {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            self.books.violation("", "an answer that is no JSON".into());
            return;
        };
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(String::from);
        let accepted = value.get("accepted").and_then(Value::as_bool);
        self.see(Seen {
            kind: "json".into(),
            status: accepted
                .map(|accepted| if accepted { "accepted" } else { "refused" }.to_string()),
            reason: text("reason"),
            text: join(&[
                text("text").as_deref(),
                text("path").as_deref(),
                text("rule").as_deref(),
            ]),
            reference: text("reference"),
            possible_duplicate,
            ..Seen::default()
        });
    }

    fn receive_xml(&mut self, text: &[u8], possible_duplicate: bool, now: u64) {
        // The reader borrows its input, not itself: the message may be used while the bank changes.
        let message = match self.reader.read(text, Direction::FromSwitch) {
            Ok(message) => message,
            Err(refusal) => {
                self.books.violation(
                    "",
                    format!("a message that our own reader refuses: {refusal}"),
                );
                return;
            }
        };
        let seen = Seen {
            kind: message.message_type.kind().as_str().to_string(),
            possible_duplicate,
            ..Seen::default()
        };
        let message_name = message.message_type.as_str();
        let Message { body, header, .. } = message;
        let service = header.as_ref().and_then(|header| header.service);
        let of_item = service == Some(CLEARING_SERVICE) && !matches!(body, Body::Clearing);
        if service == Some(SETTLEMENT_SERVICE) || of_item {
            // As with clearing: the bank's books are those of the instant rail.
            let is_report = matches!(body, Body::Other) && text.len() <= SEEN_TEXT_BYTES_MAX;
            let seen = Seen {
                text: is_report.then(|| String::from_utf8_lossy(text).into_owned()),
                ..seen
            };
            self.see(of_imts(&body, seen));
            return;
        }
        match body {
            Body::CreditTransfer(transfer) => {
                self.receive_payment(&transfer, message_name, seen, now)
            }
            Body::StatusReport(report) => self.receive_status(&report, seen),
            Body::Return(payment_return) => self.receive_return(&payment_return, seen),
            Body::CancellationRequest(request) => self.receive_recall(&request, seen),
            Body::Resolution(resolution) => self.receive_resolution(&resolution, seen),
            Body::VerificationRequest(request) => self.confirm(&request, seen, now),
            Body::VerificationReport(report) => self.receive_look_up(&report, seen),
            Body::Reject(reject) => {
                // Each copy of a payment is a message; the lines of a file share one.
                let uetrs = self.messages.get(reject.related.as_ref());
                let uetrs = uetrs.map_or(&[][..], Vec::as_slice);
                for uetr in uetrs {
                    self.books.never_sent(uetr);
                }
                let uetr = match uetrs {
                    [only] => Some(only.clone()),
                    _ => None,
                };
                self.see(Seen {
                    uetr,
                    reason: Some(reject.reason.into_owned()),
                    reference: Some(reject.related.into_owned()),
                    text: join(&[reject.location.as_deref(), reject.description.as_deref()]),
                    ..seen
                });
            }
            Body::EventNotice(notice) => {
                let parameters: Vec<&str> = notice.parameters.iter().collect();
                if notice.code.starts_with("DSP") {
                    self.check_case(notice.code, &parameters);
                }
                self.see(Seen {
                    status: Some(notice.code.to_string()),
                    text: join(&[notice.description.as_deref(), Some(&parameters.join(" "))]),
                    ..seen
                });
            }
            Body::Clearing if service == Some(MASS_SERVICE) => self.receive_lines(text, &seen),
            // Its items are another system's: the bank's books are those of the instant rail.
            Body::Clearing => {
                let fits = text.len() <= SEEN_TEXT_BYTES_MAX;
                self.see(Seen {
                    status: Some("clearing".into()),
                    text: fits.then(|| String::from_utf8_lossy(text).into_owned()),
                    ..seen
                });
            }
            Body::StatusRequest(_)
            | Body::EventAcknowledgement(_)
            | Body::SettlementTransfer(_)
            | Body::LiquidityTransfer(_)
            | Body::Receipt(_)
            | Body::AccountRequest(_)
            | Body::AccountQuery(_)
            | Body::PaymentQuery(_)
            | Body::PaymentChange(_)
            | Body::Other => {
                self.books
                    .violation("", format!("a {message_name} that a bank does not expect"));
            }
        }
    }

    /// A case about a payment is of the bank that sent it, as the claimant, and of the bank that received it. Of card transactions the
    /// bank's host knows, not its books.
    fn check_case(&mut self, code: &str, parameters: &[&str]) {
        let [_, subject, role, ..] = parameters else {
            let text = format!("{code} without a case, its subject and a role");
            self.books.violation("", text);
            return;
        };
        if subject.starts_with("CARD ") {
            return;
        }
        let is_own = match *role {
            "CLAIMANT" => self.books.has_sent(subject),
            "RESPONDENT" => self.books.has_received(subject),
            _ => false,
        };
        if !is_own {
            let text = format!("{code} as {role} of a payment that is not its own");
            self.books.violation(subject, text);
        }
    }

    /// How lines of a file stand that are no payments, or not yet. Nothing is remembered of one that is refused here.
    fn receive_lines(&mut self, text: &[u8], seen: &Seen) {
        let lines = line_statuses(text);
        if lines.is_empty() {
            self.books.violation("", "a report about no line".into());
        }
        for line in lines {
            self.see(Seen {
                status: Some(line.status.to_string()),
                reason: line.reason.map(String::from),
                uetr: Some(line.uetr.to_string()),
                transaction_id: Some(line.transaction_id.to_string()),
                ..seen.clone()
            });
            match (line.status, line.reason) {
                ("ACTC" | "PDNG", None) | ("RJCT", Some("AM05")) => {}
                ("RJCT", Some(_)) => self.books.postponed(line.uetr),
                (status, reason) => {
                    let text = format!("a line with status {status} and reason {reason:?}");
                    self.books.violation(line.uetr, text);
                }
            }
        }
    }

    fn receive_payment(
        &mut self,
        transfer: &CreditTransfer<'_>,
        message_name: &'static str,
        seen: Seen,
        now: u64,
    ) {
        self.see(Seen {
            uetr: Some(transfer.uetr.to_string()),
            transaction_id: Some(transfer.transaction_id.to_string()),
            amount: Some(decimal(transfer.tiyn)),
            name: transfer.creditor_iban.map(String::from),
            bank: Some(transfer.debtor_agent.to_string()),
            ..seen
        });
        if transfer.creditor_agent != self.config.bic.as_str() {
            self.books.violation(
                transfer.uetr,
                format!(
                    "a payment for {} was forwarded here",
                    transfer.creditor_agent
                ),
            );
        }
        self.books.received(transfer.uetr, transfer.tiyn);
        self.received
            .entry(transfer.uetr.to_string())
            .or_insert_with(|| Payment {
                transaction_id: transfer.transaction_id.to_string(),
                end_to_end_id: transfer.end_to_end_id.to_string(),
                uetr: transfer.uetr.to_string(),
                message_id: transfer.message_id.to_string(),
                tiyn: transfer.tiyn,
                order: None,
            });
        let asked = Asked {
            message_id: transfer.message_id.to_string(),
            message_name,
            end_to_end_id: transfer.end_to_end_id.to_string(),
            transaction_id: transfer.transaction_id.to_string(),
            uetr: transfer.uetr.to_string(),
        };
        self.behave(&asked, now);
    }

    fn behave(&mut self, asked: &Asked, now: u64) {
        match self.next_behaviour() {
            Behaviour::Accept | Behaviour::Deny | Behaviour::ConfirmLate(_) => {
                self.answer(asked, None, now)
            }
            Behaviour::Reject(code) => self.answer(asked, Some(code), now),
            Behaviour::Delay(millis) => {
                let letter = self.answer_letter(asked, None, now);
                self.postpone(letter, millis, now);
            }
            Behaviour::Silent => {}
            Behaviour::Twice => {
                self.answer(asked, None, now);
                self.answer(asked, None, now);
            }
            Behaviour::WrongId => {
                let wrong = Asked {
                    transaction_id: self.identifier('X'),
                    ..asked.clone()
                };
                self.answer(&wrong, None, now);
            }
            Behaviour::Garbage => self.post(b"this is not XML".to_vec()),
            Behaviour::DropLink => self.orders.push_back(LinkOrder::Reconnect),
        }
    }

    fn postpone(&mut self, letter: Letter, millis: u64, now: u64) {
        let at = now.saturating_add(millis.saturating_mul(NANOS_PER_MILLI));
        let order = self.later.len() as u64;
        self.later.insert((at, order), letter);
    }

    /// An answer about any payment, whether it was asked about or not.
    pub(crate) fn answer_unasked(
        &mut self,
        uetr: String,
        transaction_id: String,
        reason: Option<&str>,
        now: u64,
    ) -> Result<Value, String> {
        let code = reason.map(|code| code.as_bytes().try_into());
        let code = code
            .transpose()
            .map_err(|_| "reason: a reason code has four characters")?;
        let asked = Asked {
            message_id: self.identifier('M'),
            message_name: "pacs.008.001.10",
            end_to_end_id: self.identifier('E'),
            transaction_id,
            uetr,
        };
        self.answer(&asked, code, now);
        Ok(json!({}))
    }

    fn answer(&mut self, asked: &Asked, refusal: Option<[u8; 4]>, now: u64) {
        let letter = self.answer_letter(asked, refusal, now);
        self.outgoing.push(letter);
    }

    fn answer_letter(&mut self, asked: &Asked, refusal: Option<[u8; 4]>, now: u64) -> Letter {
        let message_id = self.identifier('M');
        let bic = self.config.bic.as_str().to_string();
        let code = refusal.map(|code| String::from_utf8_lossy(&code).into_owned());
        let report = StatusReport {
            message_id: &message_id,
            created_ns: now,
            instructing_agent: Some(&bic),
            instructed_agent: None,
            status_id: None,
            original: Original {
                message_id: Some(&asked.message_id),
                message_name: Some(asked.message_name),
                instruction_id: None,
                end_to_end_id: Some(&asked.end_to_end_id),
                transaction_id: &asked.transaction_id,
                uetr: &asked.uetr,
            },
            status: if code.is_some() {
                TransactionStatus::Rjct
            } else {
                TransactionStatus::Acsp
            },
            reason: code.as_deref(),
            reason_text: None,
            accepted_ns: None,
            settlement_date: None,
            clearing_reference: None,
        };
        let mut body = Vec::with_capacity(2048);
        write::status_report(
            &mut body,
            Some(&self.header(&bic, &message_id, now)),
            &report,
        );
        Letter {
            content_type: ContentType::Iso20022Xml,
            body,
        }
    }

    fn receive_status(&mut self, report: &StatusReport<'_>, seen: Seen) {
        let original = &report.original;
        self.see(Seen {
            status: Some(report.status.as_str().to_string()),
            reason: report.reason.map(String::from),
            text: report.reason_text.as_deref().map(String::from),
            uetr: Some(original.uetr.to_string()),
            transaction_id: Some(original.transaction_id.to_string()),
            reference: original.message_id.map(String::from),
            ..seen
        });
        // A report about a return names the return's own message.
        if let Some(tiyn) = original
            .message_id
            .and_then(|id| self.returning.get(id))
            .copied()
        {
            if report.status == TransactionStatus::Acsc {
                let return_message = original.message_id.unwrap_or_default().to_string();
                self.books.returned(&return_message, -i128::from(tiyn));
            }
            return;
        }
        // A code may be the switch's or the payee's bank's; the text says which.
        let is_theirs = report.reason_text.as_deref() == Some(Reason::ReceiverRejected.text());
        match (report.status, report.reason) {
            (TransactionStatus::Rjct, _) if is_theirs => {
                self.books.finished(original.uetr, Final::Rjct);
            }
            (TransactionStatus::Acsc, _) => self.books.finished(original.uetr, Final::Acsc),
            // The same identifiers with other content: says nothing about the original.
            (TransactionStatus::Rjct, Some("AM05")) => {}
            // Before version 3 of the rules: nothing was remembered, and the same payment may be sent again.
            (TransactionStatus::Rjct, Some("AB10" | "ED06")) => {
                self.books.postponed(original.uetr);
            }
            (TransactionStatus::Rjct, _) => self.books.finished(original.uetr, Final::Rjct),
            (TransactionStatus::Pdng | TransactionStatus::Actc, _) => {}
            (TransactionStatus::Acsp, _) => self
                .books
                .violation(original.uetr, "ACSP from the switch".into()),
        }
    }

    fn receive_return(&mut self, payment_return: &Return<'_>, seen: Seen) {
        self.see(Seen {
            reason: Some(payment_return.reason.to_string()),
            uetr: Some(payment_return.original.uetr.to_string()),
            transaction_id: Some(payment_return.original.transaction_id.to_string()),
            reference: Some(payment_return.return_id.to_string()),
            amount: Some(decimal(payment_return.tiyn)),
            ..seen
        });
        self.books
            .returned(payment_return.return_id, i128::from(payment_return.tiyn));
    }

    fn receive_recall(&mut self, request: &CancellationRequest<'_>, seen: Seen) {
        self.see(Seen {
            reason: Some(request.reason.to_string()),
            uetr: Some(request.original.uetr.to_string()),
            transaction_id: Some(request.original.transaction_id.to_string()),
            reference: Some(request.cancellation_id.to_string()),
            ..seen
        });
        let recalled = Recalled {
            case_id: request.case_id.map(String::from),
            transaction_id: request.original.transaction_id.to_string(),
        };
        self.recalls
            .insert(request.original.uetr.to_string(), recalled);
    }

    fn receive_resolution(&mut self, resolution: &Resolution<'_>, seen: Seen) {
        self.see(Seen {
            status: Some(resolution.status.as_str().to_string()),
            reason: resolution.reason.map(String::from),
            text: resolution.reason_text.as_deref().map(String::from),
            uetr: Some(resolution.original.uetr.to_string()),
            transaction_id: Some(resolution.original.transaction_id.to_string()),
            ..seen
        });
    }

    fn receive_look_up(&mut self, report: &VerificationReport<'_>, seen: Seen) {
        self.see(Seen {
            status: Some(if report.verified { "found" } else { "refused" }.to_string()),
            reason: report.reason.map(String::from),
            reference: Some(report.verification_id.to_string()),
            name: report.name.as_deref().map(String::from),
            bank: report.agent.map(String::from),
            resolution_id: report.resolution_id.map(String::from),
            ..seen
        });
    }

    /// The switch asks whether an account belongs to a person (Me2Me).
    fn confirm(&mut self, request: &VerificationRequest<'_>, seen: Seen, now: u64) {
        self.see(Seen {
            reference: Some(request.verification_id.to_string()),
            name: request.iban.map(String::from),
            ..seen
        });
        let scripted = self.next_confirmation();
        let verified = scripted != Some(Behaviour::Deny);
        let message_id = self.identifier('M');
        let bic = self.config.bic.as_str().to_string();
        let switch = self.config.switch_bic.as_str().to_string();
        let report = VerificationReport {
            assignment: Assignment {
                id: &message_id,
                assigner: &bic,
                assignee: &switch,
                created_ns: now,
            },
            original_message_id: Some(request.assignment.id),
            verification_id: request.verification_id,
            verified,
            reason: (!verified).then_some("BE01"),
            name: None,
            resolution_id: None,
            phone: None,
            agent: None,
        };
        let mut body = Vec::with_capacity(2048);
        write::verification_report(
            &mut body,
            Some(&self.header(&bic, &message_id, now)),
            &report,
        );
        let letter = Letter {
            content_type: ContentType::Iso20022Xml,
            body,
        };
        match scripted {
            Some(Behaviour::ConfirmLate(millis)) => self.postpone(letter, millis, now),
            _ => self.outgoing.push(letter),
        }
    }
}

/// What there is to see of a message of IMTS.
fn of_imts(body: &Body<'_>, seen: Seen) -> Seen {
    match body {
        Body::StatusReport(report) => Seen {
            status: Some(report.status.as_str().to_string()),
            reason: report.reason.map(String::from),
            text: report.reason_text.as_deref().map(String::from),
            uetr: Some(report.original.uetr.to_string()),
            transaction_id: Some(report.original.transaction_id.to_string()),
            reference: report.original.message_id.map(String::from),
            ..seen
        },
        Body::SettlementTransfer(transfer) => Seen {
            status: Some("received".into()),
            uetr: Some(transfer.uetr.to_string()),
            transaction_id: Some(transfer.transaction_id.to_string()),
            reference: Some(transfer.transaction_id.to_string()),
            amount: Some(decimal(transfer.tiyn)),
            bank: Some(transfer.instructing_agent.to_string()),
            ..seen
        },
        Body::Return(back) => Seen {
            status: Some("received".into()),
            reason: Some(back.reason.to_string()),
            uetr: Some(back.original.uetr.to_string()),
            reference: Some(back.return_id.to_string()),
            amount: Some(decimal(back.tiyn)),
            ..seen
        },
        Body::Resolution(resolution) => Seen {
            status: Some(resolution.status.as_str().to_string()),
            reason: resolution.reason.map(String::from),
            uetr: Some(resolution.original.uetr.to_string()),
            reference: resolution.status_id.map(String::from),
            ..seen
        },
        Body::Receipt(receipt) => Seen {
            status: Some(receipt.status.to_string()),
            text: receipt.description.as_deref().map(String::from),
            reference: Some(receipt.original_message_id.to_string()),
            ..seen
        },
        Body::EventNotice(notice) => {
            let parameters: Vec<&str> = notice.parameters.iter().collect();
            Seen {
                status: Some(notice.code.to_string()),
                text: Some(parameters.join(" ")),
                ..seen
            }
        }
        _ => Seen {
            status: Some("imts".into()),
            ..seen
        },
    }
}

fn join(parts: &[Option<&str>]) -> Option<String> {
    let parts: Vec<&str> = parts
        .iter()
        .flatten()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}
