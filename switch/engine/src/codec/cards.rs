//! Layouts of the commands of the card rail.

mod facts;
mod finished;
mod keys;
mod letters;
mod presentments;
mod settings;

use torap_domain::CardReason;

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer, reader::Flags};
use crate::cards::{
    Acknowledged, Administrative, Advice, Answer, Command, FileUpdate, Malformed, Network,
    NetworkAction, Reconciliation, Request, Reversal, SchemeAnswer, StopAction, StopCause, Verdict,
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Request(request) => writer.put(request),
        Command::Advice(advice) => writer.put(advice),
        Command::Reversal(reversal) => writer.put(reversal),
        Command::Answer(answer) => writer.put(answer),
        Command::SchemeAnswer(answer) => writer.put(answer),
        Command::Acknowledged(acknowledged) => writer.put(acknowledged),
        Command::FileUpdate(update) => writer.put(update),
        Command::Reconciliation(reconciliation) => writer.put(reconciliation),
        Command::Administrative(message) => writer.put(message),
        Command::Network(network) => writer.put(network),
        Command::Keys(command) => keys::put(command, writer),
        Command::Malformed(malformed) => writer.put(malformed),
        Command::LinkUp { participant, link } | Command::LinkDown { participant, link } => {
            writer.put(participant);
            writer.put(link);
        }
        Command::SetSettings { source, settings } => {
            writer.put(source);
            writer.put(settings);
        }
        Command::SetBins {
            source,
            version,
            ranges,
        } => {
            writer.put(source);
            writer.put(version);
            writer.list(ranges);
        }
        Command::SetFees { source, rows } => {
            writer.put(source);
            writer.list(rows);
        }
        Command::SetLifetimes { source, rows } => {
            writer.put(source);
            writer.list(rows);
        }
        Command::SetStandIn {
            source,
            number,
            rule,
        } => {
            writer.put(source);
            writer.put(number);
            writer.put(rule);
        }
        Command::SetScheme {
            source,
            number,
            scheme,
        } => {
            writer.put(source);
            writer.put(number);
            writer.put(scheme);
        }
        Command::SetMember {
            source,
            participant,
            profile,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(profile);
        }
        Command::StopList {
            source,
            card,
            issuer,
            action,
        } => {
            writer.put(source);
            writer.put(card);
            writer.put(issuer);
            writer.put(action);
        }
        Command::Present(present) => writer.put(present),
        Command::CutOver { source } => writer.put(source),
        Command::SettleSession { source, session } => {
            writer.put(source);
            writer.put(session);
        }
        Command::SetTables { source, parts } => {
            writer.put(source);
            writer.list(parts);
        }
    }
}

/// Reads what follows the version byte of a kind of the card rail.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    match kind {
        Kind::CardRequest => reader.field("request").map(Command::Request),
        Kind::CardAdvice => reader.field("advice").map(Command::Advice),
        Kind::CardReversal => reader.field("reversal").map(Command::Reversal),
        Kind::CardAnswer => reader.field("answer").map(Command::Answer),
        Kind::CardSchemeAnswer => reader.field("answer").map(Command::SchemeAnswer),
        Kind::CardAcknowledged => reader.field("acknowledged").map(Command::Acknowledged),
        Kind::CardFileUpdate => reader.field("update").map(Command::FileUpdate),
        Kind::CardReconciliation => reader.field("reconciliation").map(Command::Reconciliation),
        Kind::CardAdministrative => reader.field("message").map(Command::Administrative),
        Kind::CardNetwork => reader.field("network").map(Command::Network),
        Kind::CardKeyOrder | Kind::CardKeysMade | Kind::CardKeyAnswer | Kind::CardKeyCancel => {
            keys::take(kind, reader).map(Command::Keys)
        }
        Kind::CardPresent => reader.field("piece").map(Command::Present),
        Kind::CardMalformed => reader.field("malformed").map(Command::Malformed),
        _ => take_configuration(kind, reader),
    }
}

fn take_configuration(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    if matches!(kind, Kind::CardLinkUp | Kind::CardLinkDown) {
        let participant = reader.field("participant")?;
        let link = reader.field("link")?;
        return Ok(if kind == Kind::CardLinkUp {
            Command::LinkUp { participant, link }
        } else {
            Command::LinkDown { participant, link }
        });
    }
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::CardSetSettings => Command::SetSettings {
            source,
            settings: reader.field("settings")?,
        },
        Kind::CardSetBins => Command::SetBins {
            source,
            version: reader.field("table version")?,
            ranges: reader.list("ranges")?,
        },
        Kind::CardSetFees => Command::SetFees {
            source,
            rows: reader.list("fee rows")?,
        },
        Kind::CardSetLifetimes => Command::SetLifetimes {
            source,
            rows: reader.list("lifetime rows")?,
        },
        Kind::CardSetStandIn => Command::SetStandIn {
            source,
            number: reader.field("rule number")?,
            rule: reader.field("rule")?,
        },
        Kind::CardSetScheme => Command::SetScheme {
            source,
            number: reader.field("scheme number")?,
            scheme: reader.field("scheme")?,
        },
        Kind::CardSetMember => Command::SetMember {
            source,
            participant: reader.field("participant")?,
            profile: reader.field("profile")?,
        },
        Kind::CardStopList => Command::StopList {
            source,
            card: reader.field("card")?,
            issuer: reader.field("issuer")?,
            action: reader.field("action")?,
        },
        Kind::CardCutOver => Command::CutOver { source },
        Kind::CardSetTables => Command::SetTables {
            source,
            parts: reader.list("parts")?,
        },
        _ => Command::SettleSession {
            source,
            session: reader.field("session")?,
        },
    })
}

impl Layout for Request {
    fn put(&self, writer: &mut Writer<'_>) {
        let Request {
            origin,
            repeat,
            transaction,
            pin,
            chip,
            token,
            partial_supported,
        } = self;
        writer.u8(Flags::of(&[*repeat, *token, *partial_supported]).0);
        writer.put(pin);
        writer.put(chip);
        writer.put(origin);
        writer.put(transaction);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Request, FactsError> {
        let flags = reader.flags("flags", 0b111)?;
        Ok(Request {
            repeat: flags.has(0),
            token: flags.has(1),
            partial_supported: flags.has(2),
            pin: reader.field("PIN")?,
            chip: reader.field("chip")?,
            origin: reader.field("origin")?,
            transaction: reader.field("transaction")?,
        })
    }
}

impl Layout for Advice {
    fn put(&self, writer: &mut Writer<'_>) {
        let Advice {
            origin,
            repeat,
            transaction,
            approval,
            completes,
        } = self;
        writer.u8(Flags::of(&[*repeat, approval.is_some(), completes.is_some()]).0);
        writer.put(origin);
        writer.put(transaction);
        writer.optional(approval);
        writer.optional(completes);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Advice, FactsError> {
        let flags = reader.flags("flags", 0b111)?;
        Ok(Advice {
            repeat: flags.has(0),
            origin: reader.field("origin")?,
            transaction: reader.field("transaction")?,
            approval: reader.optional("approval", flags.has(1))?,
            completes: reader.optional("completes", flags.has(2))?,
        })
    }
}

impl Layout for Reversal {
    fn put(&self, writer: &mut Writer<'_>) {
        let Reversal {
            origin,
            repeat,
            advice,
            key,
            fingerprint,
            references,
            card,
            mac,
            original,
            stands,
        } = self;
        writer.u8(Flags::of(&[*repeat, *advice, stands.is_some()]).0);
        writer.put(origin);
        writer.put(key);
        writer.put(fingerprint);
        writer.put(references);
        writer.put(card);
        writer.put(mac);
        writer.put(original);
        writer.optional(stands);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Reversal, FactsError> {
        let flags = reader.flags("flags", 0b111)?;
        Ok(Reversal {
            repeat: flags.has(0),
            advice: flags.has(1),
            origin: reader.field("origin")?,
            key: reader.field("key")?,
            fingerprint: reader.field("fingerprint")?,
            references: reader.field("references")?,
            card: reader.field("card")?,
            mac: reader.field("MAC")?,
            original: reader.field("original")?,
            stands: reader.optional("stands", flags.has(2))?,
        })
    }
}

impl Layout for Verdict {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Verdict::Approve { approval, part } => {
                writer.u8(1);
                writer.u8(Flags::of(&[approval.is_some(), part.is_some()]).0);
                writer.optional(approval);
                writer.optional(part);
            }
            Verdict::Decline { code } => {
                writer.u8(2);
                writer.put(code);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Verdict, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => {
                let flags = reader.flags("approval flags", 0b11)?;
                Verdict::Approve {
                    approval: reader.optional("approval", flags.has(0))?,
                    part: reader.optional("part", flags.has(1))?,
                }
            }
            2 => Verdict::Decline {
                code: reader.field("code")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for StopAction {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            StopAction::Stop { cause } => *cause as u8,
            StopAction::Release => 0,
        });
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<StopAction, FactsError> {
        reader.tag(field, |tag| match tag {
            0 => Some(StopAction::Release),
            tag => StopCause::from_number(tag).map(|cause| StopAction::Stop { cause }),
        })
    }
}

impl Layout for NetworkAction {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            NetworkAction::SignOn => writer.u8(1),
            NetworkAction::SignOff => writer.u8(2),
            NetworkAction::Echo => writer.u8(3),
            NetworkAction::CutOver => writer.u8(4),
            NetworkAction::KeyChange { key_set } => {
                writer.u8(5);
                writer.put(key_set);
            }
            NetworkAction::KeyRequest { uses } => {
                writer.u8(6);
                writer.put(uses);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<NetworkAction, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => NetworkAction::SignOn,
            2 => NetworkAction::SignOff,
            3 => NetworkAction::Echo,
            4 => NetworkAction::CutOver,
            5 => NetworkAction::KeyChange {
                key_set: reader.field("key set")?,
            },
            6 => NetworkAction::KeyRequest {
                uses: reader.field("uses")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for CardReason {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u16(self.code_number());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<CardReason, FactsError> {
        let offset = reader.offset();
        CardReason::from_number(reader.u16(field)?)
            .ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
    }
}

fields! {
    Answer {
        origin: "origin",
        class: "class",
        trace: "trace",
        mac: "MAC",
        verdict: "verdict",
    }
    SchemeAnswer {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        declines: "declines",
    }
    Acknowledged {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        code: "code",
    }
    FileUpdate {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        card: "card",
        route: "route",
        action: "action",
    }
    Reconciliation {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        advice: "advice",
        institution: "institution",
        session: "session",
        side: "side",
        totals: "totals",
    }
    Administrative {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        advice: "advice",
        to: "to",
    }
    Network {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        action: "action",
    }
    Malformed {
        origin: "origin",
        trace: "trace",
        reason: "reason",
        field: "data element",
        rule: "rule",
    }
}
