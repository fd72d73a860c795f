//! Layout of notices about settlement and disputes: tags 9 to 14 of a notice.

use crate::{
    CardCycle, CaseNotice, CaseStep, CaseSubject, Notice,
    codec::{FactsError, LayoutRule, Reader, Writer},
    disputes::{End, Move, Stage},
};

pub(super) const TAG_FIRST: u8 = 9;
pub(super) const TAG_LAST: u8 = 14;

/// A notice of these; others write nothing.
pub(super) fn put(notice: &Notice, writer: &mut Writer<'_>) {
    match notice {
        Notice::CardNet {
            of,
            direction,
            net,
            moved,
        } => {
            put_cycle(9, of, writer);
            writer.put(direction);
            writer.put(net);
            writer.put(moved);
        }
        Notice::Defaulted {
            of,
            contribution,
            short,
        } => {
            put_cycle(10, of, writer);
            writer.put(contribution);
            writer.put(short);
        }
        Notice::FundUsed { of, amount } => {
            put_cycle(11, of, writer);
            writer.put(amount);
        }
        Notice::NetLost { of, amount } => {
            put_cycle(12, of, writer);
            writer.put(amount);
        }
        Notice::TopUpCalled { missing, required } => {
            writer.u8(13);
            writer.put(missing);
            writer.put(required);
        }
        Notice::Case(case) => {
            writer.u8(14);
            put_case(case, writer);
        }
        _ => {}
    }
}

fn put_cycle(tag: u8, of: &CardCycle, writer: &mut Writer<'_>) {
    writer.u8(tag);
    writer.put(&of.session);
    writer.u16(of.cycle);
}

fn put_case(notice: &CaseNotice, writer: &mut Writer<'_>) {
    let CaseNotice {
        case,
        subject,
        reason_code,
        step,
        is_claimant,
        stage,
        end,
        stands,
        moved,
        deadline,
    } = notice;
    writer.put(case);
    match subject {
        CaseSubject::Payment(uetr) => {
            writer.u8(1);
            writer.put(uetr);
        }
        CaseSubject::Card(position) => {
            writer.u8(2);
            writer.put(position);
        }
    }
    writer.put(reason_code);
    writer.u8(*step as u8);
    writer.put(is_claimant);
    writer.u8(*stage as u8);
    writer.u8(end.map_or(0, |end| end as u8));
    writer.u64(*stands);
    match moved {
        Move::Nothing => writer.u8(0),
        Move::ToClaimant(amount) => {
            writer.u8(1);
            writer.u64(*amount);
        }
        Move::ToRespondent(amount) => {
            writer.u8(2);
            writer.u64(*amount);
        }
    }
    writer.put(deadline);
}

pub(super) fn take(tag: u8, reader: &mut Reader<'_>) -> Result<Notice, FactsError> {
    if tag == 13 {
        return Ok(Notice::TopUpCalled {
            missing: reader.field("missing")?,
            required: reader.field("required")?,
        });
    }
    if tag == 14 {
        return take_case(reader).map(Notice::Case);
    }
    let of = CardCycle {
        session: reader.field("session")?,
        cycle: reader.u16("cycle")?,
    };
    Ok(match tag {
        9 => Notice::CardNet {
            of,
            direction: reader.field("direction")?,
            net: reader.field("net")?,
            moved: reader.field("moved")?,
        },
        10 => Notice::Defaulted {
            of,
            contribution: reader.field("contribution")?,
            short: reader.field("short")?,
        },
        11 => Notice::FundUsed {
            of,
            amount: reader.field("amount")?,
        },
        _ => Notice::NetLost {
            of,
            amount: reader.field("amount")?,
        },
    })
}

fn take_case(reader: &mut Reader<'_>) -> Result<CaseNotice, FactsError> {
    Ok(CaseNotice {
        case: reader.field("case")?,
        subject: number(reader, "subject", |number, reader| {
            Ok(match number {
                1 => Some(CaseSubject::Payment(reader.field("UETR")?)),
                2 => Some(CaseSubject::Card(reader.field("transaction")?)),
                _ => None,
            })
        })?,
        reason_code: reader.field("reason code")?,
        step: number(reader, "step", |number, _| {
            Ok(match number {
                1 => Some(CaseStep::Opened),
                2 => Some(CaseStep::Acted),
                3 => Some(CaseStep::Expired),
                _ => None,
            })
        })?,
        is_claimant: reader.field("claimant")?,
        stage: number(reader, "stage", |number, _| {
            Ok(match number {
                1 => Some(Stage::Retrieval),
                2 => Some(Stage::Answered),
                3 => Some(Stage::Chargeback),
                4 => Some(Stage::Represented),
                5 => Some(Stage::PreArbitration),
                6 => Some(Stage::Arbitration),
                7 => Some(Stage::Closed),
                _ => None,
            })
        })?,
        end: number(reader, "end", |number, _| {
            Ok(match number {
                0 => Some(None),
                1 => Some(Some(End::Accepted)),
                2 => Some(Some(End::Silence)),
                3 => Some(Some(End::Withdrawn)),
                4 => Some(Some(End::Ruled)),
                _ => None,
            })
        })?,
        stands: reader.u64("stands")?,
        moved: number(reader, "moved", |number, reader| {
            Ok(match number {
                0 => Some(Move::Nothing),
                1 => Some(Move::ToClaimant(reader.u64("amount")?)),
                2 => Some(Move::ToRespondent(reader.u64("amount")?)),
                _ => None,
            })
        })?,
        deadline: reader.field("deadline")?,
    })
}

/// What a number means, with what follows it.
fn number<T>(
    reader: &mut Reader<'_>,
    field: &'static str,
    meaning: impl FnOnce(u8, &mut Reader<'_>) -> Result<Option<T>, FactsError>,
) -> Result<T, FactsError> {
    let offset = reader.offset();
    let number = reader.u8(field)?;
    let meant = meaning(number, reader)?;
    meant.ok_or_else(|| reader.error(field, offset, LayoutRule::Tag))
}
