//! The steps of a card transaction in words.

use serde_json::{Value, json};
use torap_domain::{ParticipantId, Position, Time};
use torap_engine::{
    cards::{self, CardKey, Decider, Decision, Trace, Verdict},
    disputes,
};
use torap_index::{CardLetter, CardStep};

use crate::serve::{control::show, switch::Switch};

/// Tells of one record.
pub(super) struct Teller<'a> {
    switch: &'a Switch,
    position: Position,
    time: Time,
}

impl<'a> Teller<'a> {
    pub(super) fn new(switch: &'a Switch, position: Position, nanos: u64) -> Teller<'a> {
        Teller {
            switch,
            position,
            time: Time::from_nanos(nanos),
        }
    }

    pub(super) fn time(&self) -> String {
        self.time.to_string()
    }

    fn line(&self, what: &str, who: Option<ParticipantId>, detail: String) -> Value {
        json!({
            "time": self.time(),
            "position": self.position.value(),
            "what": what,
            "who": who.map_or("TORAP".to_owned(), |id| code(self.switch, id)),
            "detail": detail,
        })
    }

    pub(super) fn sender(&self, command: &cards::Command) -> Option<String> {
        origin(command).map(|id| code(self.switch, id))
    }

    /// The time for something was over.
    pub(super) fn clock(&self) -> Value {
        self.line("clock", None, "the time for an answer was over".into())
    }

    /// A step of a case about the transaction.
    pub(super) fn disputed(&self, command: &disputes::Command) -> Value {
        let (who, detail) = match command {
            disputes::Command::OpenCard { claimant, .. } => (
                Some(*claimant),
                format!("case {} opened", self.position.value()),
            ),
            disputes::Command::Act {
                case, participant, ..
            } => (*participant, format!("case {}", case.value())),
            disputes::Command::Open { .. } | disputes::Command::Attach { .. } => {
                (None, String::new())
            }
        };
        self.line("dispute", who, detail)
    }

    /// What came in; nothing for a link that ended.
    pub(super) fn received(&self, command: &cards::Command) -> Option<Value> {
        let (what, detail) = match command {
            cards::Command::Request(request) => {
                let class = request.transaction.class.number();
                let type_ = format!("0{class}0{}", u8::from(request.repeat));
                let trace = request.transaction.references.trace;
                (
                    repeated(request.repeat),
                    format!("{type_} {}", named(trace)),
                )
            }
            cards::Command::Advice(advice) => {
                let class = advice.transaction.class.number();
                let type_ = format!("0{class}2{}", u8::from(advice.repeat));
                let trace = advice.transaction.references.trace;
                (repeated(advice.repeat), format!("{type_} {}", named(trace)))
            }
            cards::Command::Reversal(reversal) => {
                let tens = if reversal.advice { 2 } else { 0 };
                let type_ = format!("04{tens}{}", u8::from(reversal.repeat));
                let stands = reversal.stands.map_or(String::new(), |stands| {
                    format!(", {} stands", show::decimal(stands))
                });
                let trace = named(reversal.references.trace);
                (
                    repeated(reversal.repeat),
                    format!("{type_} {trace}{stands}"),
                )
            }
            cards::Command::Answer(answer) => {
                let verdict = match answer.verdict {
                    Verdict::Approve { .. } => "approved".to_owned(),
                    Verdict::Decline { code } => format!("declined {code}"),
                };
                let class = answer.class.number();
                (
                    "answered",
                    format!("0{class}10 {} {verdict}", named(answer.trace)),
                )
            }
            cards::Command::SchemeAnswer(answer) => ("scheme-answered", named(answer.trace)),
            cards::Command::Acknowledged(one) => {
                ("acknowledged", format!("{} {}", named(one.trace), one.code))
            }
            cards::Command::Present(present) => {
                let detail = format!("file {}", present.header.file_id);
                return Some(self.line("presented", Some(present.participant), detail));
            }
            _ => return Some(self.line("configuration", None, String::new())),
        };
        Some(self.line(what, origin(command), detail))
    }

    /// What the switch did.
    pub(super) fn step(&self, step: &CardStep) -> Value {
        let again = |again: bool| if again { "again" } else { "" }.to_owned();
        match *step {
            CardStep::Asked { to, trace } => self.line("asked-issuer", Some(to), named(trace)),
            CardStep::Enquired { to, trace } => self.line("asked-scheme", Some(to), named(trace)),
            CardStep::Answered { to, again: one } => {
                self.line("answered-acquirer", Some(to), again(one))
            }
            CardStep::Replied {
                to,
                refusal,
                again: one,
            } => {
                let refusal = refusal.map_or(String::new(), |reason| reason.name().to_owned());
                self.line("replied", Some(to), format!("{refusal}{}", again(one)))
            }
            CardStep::Sent {
                to,
                letter,
                trace,
                repeat,
            } => {
                let what = match letter {
                    CardLetter::Advice => "advised-issuer",
                    CardLetter::Reversal => "reversed-at-issuer",
                };
                let repeat = if repeat { " repeat" } else { "" };
                self.line(what, Some(to), format!("{}{repeat}", named(trace)))
            }
            CardStep::Decided(decision) => self.decided(&decision),
            CardStep::Posted {
                debit,
                credit,
                amount,
                reversal,
            } => {
                let (debit, credit) = (code(self.switch, debit), code(self.switch, credit));
                let what = if reversal { "posted-back" } else { "posted" };
                let amount = show::decimal(amount);
                self.line(what, None, format!("{amount} from {debit} to {credit}"))
            }
            CardStep::Reversed { stands } => self.line(
                "reversed",
                None,
                format!("{} stands", show::decimal(stands)),
            ),
            CardStep::Reduced { stands, disputed } => {
                let what = if disputed { "claimed" } else { "given-back" };
                self.line(what, None, format!("{} stands", show::decimal(stands)))
            }
            CardStep::Ended { completed } => {
                let detail = format!("{} completed", show::decimal(completed));
                self.line("authorisation-ended", None, detail)
            }
            CardStep::LateAnswer { issuer, approved } => {
                let verdict = if approved { "approved" } else { "declined" };
                let detail = format!("{verdict}, after the decision: without effect");
                self.line("late-answer", Some(issuer), detail)
            }
            CardStep::Blocked => self.line(
                "blocked",
                None,
                "its reversal came first; it will be declined".into(),
            ),
        }
    }

    fn decided(&self, decision: &Decision) -> Value {
        match decision {
            Decision::Approved {
                approval,
                amount,
                by,
            } => {
                let by = match by {
                    Decider::Issuer => "issuer",
                    Decider::StandIn => "stand-in",
                    Decider::Acquirer => "acquirer",
                };
                let approval = approval.map_or(String::new(), |approval| format!(" {approval}"));
                let detail = format!("{} by the {by}{approval}", show::decimal(*amount));
                self.line("approved", None, detail)
            }
            Decision::Declined { reason, code } => {
                let code = code.map_or(String::new(), |code| format!(" {code}"));
                self.line("declined", None, format!("{}{code}", reason.name()))
            }
        }
    }
}

/// What the transaction is, from its own message; a reversal or completion tells nothing of it.
pub(super) fn describe(switch: &Switch, command: &cards::Command, key: CardKey, value: &mut Value) {
    let (participant, transaction) = match command {
        cards::Command::Request(request) => (request.origin.participant, &request.transaction),
        cards::Command::Advice(advice) => (advice.origin.participant, &advice.transaction),
        _ => return,
    };
    if transaction.key != key {
        return;
    }
    let references = &transaction.references;
    value["acquirer"] = code(switch, participant).into();
    value["institution"] = references.acquirer.to_string().into();
    value["retrieval"] = references.retrieval.as_str().into();
    value["trace"] = named(references.trace).into();
    value["terminal"] = references.terminal.as_str().into();
    value["card"] = transaction.card.pan.to_string().into();
    value["service"] = transaction.service.name().into();
    value["channel"] = transaction.channel.name().into();
    value["amount"] = show::decimal(transaction.amount).into();
}

/// In one word; what is reversed was approved first.
pub(super) fn outcome<'s>(steps: impl Iterator<Item = &'s CardStep>) -> &'static str {
    let mut outcome = "under-way";
    for step in steps {
        outcome = match step {
            CardStep::Decided(Decision::Approved { .. }) if outcome == "under-way" => "approved",
            CardStep::Decided(Decision::Declined { .. }) if outcome == "under-way" => "declined",
            CardStep::Reversed { stands } if stands.minor() == 0 => "reversed",
            CardStep::Reversed { .. } => "reversed-in-part",
            CardStep::Blocked => "blocked",
            _ => outcome,
        };
    }
    outcome
}

fn repeated(repeat: bool) -> &'static str {
    if repeat { "repeated" } else { "received" }
}

/// DE7 and DE11.
fn named(trace: Trace) -> String {
    format!(
        "{:010}/{:06}",
        trace.transmitted.value(),
        trace.stan.value()
    )
}

fn origin(command: &cards::Command) -> Option<ParticipantId> {
    let origin = match command {
        cards::Command::Request(one) => one.origin,
        cards::Command::Advice(one) => one.origin,
        cards::Command::Reversal(one) => one.origin,
        cards::Command::Answer(one) => one.origin,
        cards::Command::SchemeAnswer(one) => one.origin,
        cards::Command::Acknowledged(one) => one.origin,
        _ => return None,
    };
    Some(origin.participant)
}

fn code(switch: &Switch, id: ParticipantId) -> String {
    let network = switch.network();
    network.by_id(id).map_or_else(
        || id.value().to_string(),
        |view| view.code.as_str().to_string(),
    )
}
