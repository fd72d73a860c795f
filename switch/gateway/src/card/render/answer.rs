//! What goes back to whoever asked: the question's own fields, the code, and what the issuer added.

use torap_domain::{CardReason, Money};
use torap_engine::cards::{
    Command, Decider, Decision, Fees, Malformed, Message as Outgoing, Side, Totals,
};
use torap_iso8583::{FieldSet, Message, Mti, Step};

use super::edits::{Edits, digits};
use super::request::allowed;
use super::switch_data::{SwitchData, settlement_day};
use super::{Context, RenderError, Scratch, image};
use crate::card::framing::Tpdu;
use crate::card::network::reason_text;
use crate::codes_card::{Meaning, meaning, response};

/// What an answer repeats of its question, where the step allows it. Never the card number.
const REPEATED: FieldSet = FieldSet::of(&[
    3, 4, 7, 11, 12, 13, 24, 32, 37, 41, 42, 49, 50, 61, 70, 90, 91, 95, 99, 100, 101, 102, 103,
]);
/// What an answer has of the issuer's answer.
const OF_ISSUER: [u8; 5] = [38, 44, 54, 55, 62];
/// Tags of DE48 that go on from the issuer to the acquirer.
const TAGS_OF_ISSUER: [&[u8]; 4] = [b"CR", b"VR", b"TL", b"LT"];
/// Tag SI of DE48: the switch stood in.
const STOOD_IN_UNAVAILABLE: &[u8] = b"01";
const STOOD_IN_SILENT: &[u8] = b"03";
/// Longest fee that IF and SF can state, in tiyn.
const FEE_MAX: u64 = 99_999_999;
const IN_BALANCE: &[u8] = b"1";
const OUT_OF_BALANCE: &[u8] = b"2";

impl Context<'_> {
    pub(super) fn write_answer(
        &self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Option<Tpdu>, RenderError> {
        let Outgoing::Answer {
            original,
            decision,
            session,
            fees,
            answer,
            ..
        } = &self.effect.message
        else {
            return Err(RenderError::Mismatch);
        };
        let question_evidence = self.original()?.evidence()?;
        let question = image(&question_evidence)?;
        let issuer_evidence = match (answer, self.records.second) {
            (Some(_), Some(record)) => Some(record.evidence()?),
            (Some(_), None) => return Err(RenderError::NoRecord),
            (None, _) => None,
        };
        let issuer = issuer_evidence.as_ref().map(image).transpose()?;
        let issuer = issuer.as_ref();

        let (code, reason, amount, approval) = match decision {
            Decision::Approved {
                approval, amount, ..
            } => (approved_code(issuer), None, Some(*amount), *approval),
            Decision::Declined { reason, code } => {
                (code.unwrap_or(response(*reason)), Some(*reason), None, None)
            }
        };
        let (code, approval) = (code.bytes(), approval.map(|approval| approval.bytes()));
        let part = amount
            .filter(|amount| {
                question
                    .number(4)
                    .is_some_and(|asked| asked != amount.minor())
            })
            .map(|amount| digits::<12>(amount.minor()));
        let day = settlement_day(*session);
        let switch = self.network.switch.to_string();
        let has_tags = self.additional(issuer, decision, fees.as_ref(), &mut scratch.additional)?;
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.reference(*original).session(*session);
        if let Some(reason) = reason.filter(|reason| is_the_switchs(*reason)) {
            data.reason(reason);
        }
        let of_issuer = |field| issuer.and_then(|issuer| issuer.get(field));
        let [approval_field, words, amounts, chip, terminal] = OF_ISSUER.map(of_issuer);

        let security = self.security(None);
        let mut edits = Edits::new();
        edits
            .set_if(4, part.as_ref().map(|part| part.as_slice()))
            .set(15, &day)
            .set(33, switch.as_bytes())
            .set_if(
                38,
                approval
                    .as_ref()
                    .map(|code| code.as_slice())
                    .or(approval_field.filter(|_| reason.is_none())),
            )
            .set(39, &code)
            .set_if(44, words)
            .set_if(48, has_tags.then_some(scratch.additional.as_slice()))
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set_if(54, amounts)
            .set_if(55, chip)
            .set_if(62, terminal)
            .set(63, data.end());
        let mti = question.mti().answer().ok_or(RenderError::Mismatch)?;
        let keep = allowed(mti, Step::ToAcquirer)?.intersection(REPEATED);
        edits.splice(&question, mti, keep, self.mac.is_some(), out)?;
        Ok(question_evidence.tpdu)
    }

    /// DE48 of an answer: the issuer's results, the stand-in mark, and the fees as the acquirer sees them. False if there is nothing.
    fn additional(
        &self,
        issuer: Option<&Message<'_>>,
        decision: &Decision,
        fees: Option<&Fees>,
        out: &mut Vec<u8>,
    ) -> Result<bool, RenderError> {
        out.clear();
        if let Some(issuer) = issuer.filter(|issuer| issuer.has(48)) {
            for name in TAGS_OF_ISSUER {
                if let Some(value) = issuer.tag(48, name)? {
                    tag(name, value, out);
                }
            }
        }
        if let Decision::Approved {
            by: Decider::StandIn,
            ..
        } = decision
        {
            // Decided with the request itself: nobody was asked.
            let at_once = matches!(self.effect.message, Outgoing::Answer { original, .. } if original == self.effect.cause);
            let mark = if at_once {
                STOOD_IN_UNAVAILABLE
            } else {
                STOOD_IN_SILENT
            };
            tag(b"SI", mark, out);
        }
        if let Some(fees) = fees {
            let pays = fees.interchange_to != Side::Acquirer;
            fee(b"IF", pays, fees.interchange, out);
            fee(b"SF", true, fees.switch_acquirer, out);
        }
        Ok(!out.is_empty())
    }

    pub(super) fn write_reply(
        &self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Option<Tpdu>, RenderError> {
        let Outgoing::Reply {
            original,
            refusal,
            session,
            ..
        } = self.effect.message
        else {
            return Err(RenderError::Mismatch);
        };
        let record = self.original()?;
        let evidence = record.evidence()?;
        let question = image(&evidence)?;
        let mti = question.mti().answer().ok_or(RenderError::Mismatch)?;
        let may = allowed(mti, reply_step(mti))?;
        let code = match refusal {
            None => torap_domain::card::ResponseCode::APPROVED,
            Some(reason) => response(reason),
        };
        let code = code.bytes();
        scratch.words.clear();
        if let (Some(_), Command::Malformed(malformed)) = (refusal, record.command) {
            scratch.words.extend_from_slice(words(malformed).as_bytes());
        }
        let day = settlement_day(session);
        let switch = self.network.switch.to_string();
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.reference(original).session(session);
        if let Some(reason) = refusal {
            data.reason(reason);
        }
        // A stop-list answer names its card; the log keeps it sealed.
        let card = match record.command {
            Command::FileUpdate(update) if may.contains(2) => evidence
                .sealed
                .and_then(|sealed| self.vault.open(sealed, update.card.hash)),
            _ => None,
        };
        let security = self.security(None);
        let value = |field: u8, value| may.contains(field).then_some(value);
        let said = (!scratch.words.is_empty()).then_some(scratch.words.as_slice());
        let mut edits = Edits::new();
        edits
            .set_if(2, card.as_ref().map(|card| card.digits()))
            .set_if(15, value(15, day.as_slice()).filter(|_| mti.class() != 8))
            .set_if(33, value(33, switch.as_bytes()))
            .set(39, &code)
            .set_if(44, said.filter(|_| may.contains(44)))
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set_if(63, value(63, data.end()));
        let keep = may.intersection(REPEATED);
        edits.splice(&question, mti, keep, self.mac.is_some(), out)?;
        Ok(evidence.tpdu)
    }

    pub(super) fn write_reconciled(
        &self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Option<Tpdu>, RenderError> {
        let Outgoing::Reconciled {
            original,
            session,
            totals,
            in_balance,
            ..
        } = &self.effect.message
        else {
            return Err(RenderError::Mismatch);
        };
        let record = self.original()?;
        let Command::Reconciliation(asked) = record.command else {
            return Err(RenderError::Mismatch);
        };
        let evidence = record.evidence()?;
        let question = image(&evidence)?;
        let mti = question.mti().answer().ok_or(RenderError::Mismatch)?;
        let code = match in_balance {
            true => torap_domain::card::ResponseCode::APPROVED,
            false => response(CardReason::SessionUnknown),
        };
        let code = code.bytes();
        let switch = self.network.switch.to_string();
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.reference(*original).session(*session);
        let whose = match asked.institution {
            Some(institution) => self.network.by_institution(institution),
            None => Some(self.receiver),
        };
        if let Some(whose) = whose {
            data.side(asked.side, whose.code.as_str());
        }
        let security = self.security(None);
        let sums = Sums::of(asked.side, totals);
        let mut edits = Edits::new();
        edits
            .set(33, switch.as_bytes())
            .set(39, &code)
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, data.end())
            .set(
                66,
                if *in_balance {
                    IN_BALANCE
                } else {
                    OUT_OF_BALANCE
                },
            );
        sums.edit(&mut edits);
        let keep = allowed(mti, Step::ToParticipant)?.intersection(REPEATED.with(15));
        edits.splice(&question, mti, keep, self.mac.is_some(), out)?;
        Ok(evidence.tpdu)
    }
}

/// DE74 to DE77, DE86 to DE89 and DE97 of totals.
pub(super) struct Sums {
    counts: [[u8; 10]; 4],
    amounts: [[u8; 16]; 4],
    net: [u8; 17],
}

impl Sums {
    /// Credits, their reversals, debits, their reversals. The net, without fees, is what the member receives (C) or pays (D).
    pub(super) fn of(side: Side, totals: &Totals) -> Sums {
        let sums = [
            totals.credits,
            totals.credit_reversals,
            totals.debits,
            totals.debit_reversals,
        ];
        let [credits, credit_reversals, debits, debit_reversals] =
            sums.map(|sum| i128::from(sum.amount.minor()));
        let of_acquirer = debits - debit_reversals - credits + credit_reversals;
        let net = match side {
            Side::Acquirer => of_acquirer,
            Side::Issuer => -of_acquirer,
        };
        let mut net_field = [b'C'; 17];
        if let Some((sign, amount)) = net_field.split_first_mut() {
            *sign = if net < 0 { b'D' } else { b'C' };
            let net = u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX);
            amount.copy_from_slice(&digits::<16>(net));
        }
        Sums {
            counts: sums.map(|sum| digits(sum.count)),
            amounts: sums.map(|sum| digits(sum.amount.minor())),
            net: net_field,
        }
    }

    pub(super) fn edit<'e>(&'e self, edits: &mut Edits<'e>) {
        for (field, count) in (74..).zip(&self.counts) {
            edits.set(field, count);
        }
        for (field, amount) in (86..).zip(&self.amounts) {
            edits.set(field, amount);
        }
        edits.set(97, &self.net);
    }
}

/// DE39 of an approval: the issuer's own, where it has a meaning of its own.
fn approved_code(issuer: Option<&Message<'_>>) -> torap_domain::card::ResponseCode {
    issuer
        .and_then(|issuer| torap_domain::card::ResponseCode::parse(issuer.get(39)?).ok())
        .filter(|code| meaning(*code) == Meaning::Approved)
        .unwrap_or(torap_domain::card::ResponseCode::APPROVED)
}

fn is_the_switchs(reason: CardReason) -> bool {
    !matches!(
        reason,
        CardReason::IssuerDeclined | CardReason::SchemeDeclined
    )
}

/// Through which door an answer goes: 0430 and its like to an acquirer, the rest to a participant.
fn reply_step(mti: Mti) -> Step {
    match mti.class() {
        1 | 2 | 4 => Step::ToAcquirer,
        _ => Step::ToParticipant,
    }
}

/// DE44: place and rule, in words that a developer finds in the log of his own side.
fn words(malformed: &Malformed) -> String {
    reason_text(&match malformed.field {
        0 => malformed.rule.as_str().to_string(),
        field => format!("field {field}: {}", malformed.rule.as_str()),
    })
}

fn tag(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(&digits::<2>(value.len() as u64));
    out.extend_from_slice(value);
}

/// A fee with its sign as its receiver sees it: D is paid, C is received. One that the field cannot state is left out; the clearing file
/// has it.
fn fee(name: &[u8], pays: bool, amount: Money, out: &mut Vec<u8>) {
    if amount.is_zero() || amount.minor() > FEE_MAX {
        return;
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b"09");
    out.push(if pays { b'D' } else { b'C' });
    out.extend_from_slice(&digits::<8>(amount.minor()));
}
