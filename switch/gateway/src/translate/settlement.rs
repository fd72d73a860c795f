//! Messages of IMTS, by BizSvc: pacs.009 and pacs.008, camt.056, pacs.004, camt.050, camt.060, camt.003, camt.005, camt.007.

use torap_domain::{
    Bic, CancellationId, Date, EndToEndId, Iban, InstructionId, MessageId, Money, Position, Reason,
    ReturnId, Span, Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, References, links,
    participants::Direction,
    reports::{self, Account, Criteria, Query, Request, Stage},
    settlement::{self, Cancellation, Instruction, Liquidity, Modification, Priority, Return},
};
use torap_iso20022::{
    MessageType,
    view::{self, Body, Message},
};

use super::{
    context::{Context, HEADER_FROM, Sender, references_to, typed, version_number},
    refusal::Breach,
};

/// The command of a message of IMTS that the national profile has accepted.
pub(super) fn command<'m>(
    message: &Message<'m>,
    sender: Option<Sender>,
    context: &Context<'_>,
) -> Result<Command, Breach<'m>> {
    let version = message.message_type;
    let agent = || {
        let agent = sender.map(|sender| sender.agent);
        agent.ok_or_else(|| Breach::of_reason(Reason::UnboundSender, "/Document"))
    };
    // A message that names no bank of its own speaks for that of its header.
    let of_header = || {
        let header = message.header.as_ref();
        let from = header.ok_or_else(|| Breach::of_reason(Reason::UnboundSender, HEADER_FROM))?;
        typed(Bic::parse(from.from), HEADER_FROM)
    };
    let command = match &message.body {
        Body::SettlementTransfer(view) => {
            settlement::Command::Instruct(instruction(view, agent()?, version, context)?)
        }
        Body::CancellationRequest(view) => {
            settlement::Command::Cancel(cancellation(view, agent()?, version, context)?)
        }
        Body::Return(view) => {
            settlement::Command::Return(payment_return(view, agent()?, version, context)?)
        }
        Body::LiquidityTransfer(view) => settlement::Command::MoveLiquidity(Liquidity {
            source: context.source,
            message_id: typed(MessageId::parse(view.message_id), "/Document")?,
            agent: agent()?,
            direction: if view.to_position {
                Direction::In
            } else {
                Direction::Out
            },
            amount: Money::kzt(view.tiyn),
        }),
        Body::AccountRequest(view) => {
            return Ok(Command::Reports(reports::Command::Request(
                account_request(view, agent()?, version, context)?,
            )));
        }
        Body::AccountQuery(view) => {
            let message_id = typed(MessageId::parse(view.message_id), "/Document")?;
            return Ok(Command::Reports(reports::Command::Request(Request {
                source: context.source,
                message_id,
                message_version: version_number(version)?,
                agent: agent()?,
                query: Query::Balances,
            })));
        }
        Body::PaymentQuery(view) => {
            let criteria = criteria(view)?;
            return Ok(Command::Reports(reports::Command::Request(Request {
                source: context.source,
                message_id: typed(MessageId::parse(view.message_id), "/Document")?,
                message_version: version_number(version)?,
                agent: of_header()?,
                query: Query::Payments {
                    criteria,
                    after: Position::ZERO,
                },
            })));
        }
        Body::PaymentChange(view) => {
            settlement::Command::Modify(modification(view, of_header()?, version, context)?)
        }
        Body::Reject(_) | Body::EventAcknowledgement(_) => {
            return Ok(Command::Links(links::Command::Noted {
                source: context.source,
            }));
        }
        Body::CreditTransfer(_)
        | Body::StatusReport(_)
        | Body::StatusRequest(_)
        | Body::Resolution(_)
        | Body::VerificationRequest(_)
        | Body::VerificationReport(_)
        | Body::EventNotice(_)
        | Body::Receipt(_)
        | Body::Other
        | Body::Clearing => {
            return Err(super::not_on_rail(
                "this message is not one that a bank sends to IMTS",
            ));
        }
    };
    Ok(Command::Settlement(command))
}

fn criteria<'m>(view: &view::PaymentQuery<'m>) -> Result<Criteria, Breach<'m>> {
    const SEARCH: &str = "/Document/GetTx/TxQryDef/TxCrit/NewCrit/SchCrit/PmtSch";
    const PROPRIETARY: &str =
        "/Document/GetTx/TxQryDef/TxCrit/NewCrit/SchCrit/PmtSch/PmtId/PrtryId";
    let stage = view.status.map(|code| match code {
        "PSTL" | "PDNG" => Stage::Waits,
        "STLD" => Stage::Settled,
        "RJTD" => Stage::Rejected,
        "CAND" => Stage::Withdrawn,
        _ => Stage::Ended,
    });
    let priority = view.priority.map(|code| match code {
        "URGT" => Priority::CentralBank,
        "HIGH" => Priority::High,
        _ => Priority::Normal,
    });
    let direction = view.is_credit.map(|is_credit| {
        if is_credit {
            Direction::In
        } else {
            Direction::Out
        }
    });
    let (least, most) = view.tiyn.unwrap_or((0, u64::MAX));
    let transaction_id = view.transaction_id.map(TransactionId::parse).transpose();
    let end_to_end_id = view.end_to_end_id.map(EndToEndId::parse).transpose();
    Ok(Criteria {
        transaction_id: typed(transaction_id, SEARCH)?,
        uetr: typed(view.uetr.map(Uetr::parse).transpose(), PROPRIETARY)?,
        end_to_end_id: typed(end_to_end_id, SEARCH)?,
        stage,
        direction,
        priority,
        least,
        most,
        date: typed(view.date.map(Date::parse).transpose(), SEARCH)?,
    })
}

fn modification<'m>(
    view: &view::PaymentChange<'m>,
    agent: Bic,
    version: MessageType,
    context: &Context<'_>,
) -> Result<Modification, Breach<'m>> {
    const PAYMENT: &str = "/Document/ModfyTx/Mod/PmtId";
    let priority = view.is_high.map(|is_high| {
        if is_high {
            Priority::High
        } else {
            Priority::Normal
        }
    });
    let transaction_id = view.transaction_id.map(TransactionId::parse).transpose();
    Ok(Modification {
        source: context.source,
        message_id: typed(MessageId::parse(view.message_id), "/Document")?,
        message_version: version_number(version)?,
        agent,
        uetr: typed(Uetr::parse(view.uetr), PAYMENT)?,
        transaction_id: typed(transaction_id, PAYMENT)?,
        priority,
        earliest: view.from_ns.map(Time::from_nanos),
        latest: view.till_ns.map(Time::from_nanos),
    })
}

fn account_request<'m>(
    view: &view::AccountRequest<'m>,
    agent: Bic,
    version: MessageType,
    context: &Context<'_>,
) -> Result<Request, Breach<'m>> {
    const ACCOUNT: &str = "/Document/AcctRptgReq/RptgReq/Acct/Id/Othr/Id";
    const DATE: &str = "/Document/AcctRptgReq/RptgReq/RptgPrd/FrToDt/FrDt";
    let account = Account::from_code(view.account);
    let account = typed(account.ok_or(()), ACCOUNT)?;
    let query = if view.is_statement {
        let date = typed(view.date.map(Date::parse).transpose(), DATE)?;
        let date = typed(date.ok_or(()), DATE)?;
        Query::Statement { account, date }
    } else {
        let from = view.from_sequence.unwrap_or(1);
        Query::Intraday { account, from }
    };
    Ok(Request {
        source: context.source,
        message_id: typed(MessageId::parse(view.message_id), "/Document")?,
        message_version: version_number(version)?,
        agent,
        query,
    })
}

fn instruction<'m>(
    view: &view::SettlementTransfer<'m>,
    instructing_agent: Bic,
    version: MessageType,
    context: &Context<'_>,
) -> Result<Instruction, Breach<'m>> {
    const PLACE: &str = "/Document";
    let references = References {
        message_id: typed(MessageId::parse(view.message_id), PLACE)?,
        instruction_id: typed(
            view.instruction_id.map(InstructionId::parse).transpose(),
            PLACE,
        )?,
        end_to_end_id: Some(typed(EndToEndId::parse(view.end_to_end_id), PLACE)?),
        transaction_id: typed(TransactionId::parse(view.transaction_id), PLACE)?,
        uetr: typed(Uetr::parse(view.uetr), PLACE)?,
        message_version: version_number(version)?,
    };
    let instructed = view.instructed_agent.map(Bic::parse).transpose();
    let instructed = typed(instructed, PLACE)?;
    let account = view.accounts.map(|accounts| Iban::parse(accounts.creditor));
    Ok(Instruction {
        source: context.source,
        references,
        instructing_agent,
        // Addressed to the switch it names nobody.
        instructed_agent: instructed.filter(|bic| !context.network.is_switch(bic)),
        debtor_agent: typed(Bic::parse(view.debtor_agent), PLACE)?,
        creditor_agent: typed(Bic::parse(view.creditor_agent), PLACE)?,
        creditor_account: typed(account.transpose(), PLACE)?,
        amount: Money::kzt(view.tiyn),
        priority: if view.is_high {
            Priority::High
        } else {
            Priority::Normal
        },
        date: typed(view.settlement_date.map(Date::parse).transpose(), PLACE)?,
        earliest: view.from_ns.map(Span::from_nanos),
        latest: view.till_ns.map(Span::from_nanos),
    })
}

fn cancellation<'m>(
    view: &view::CancellationRequest<'m>,
    instructing_agent: Bic,
    version: MessageType,
    context: &Context<'_>,
) -> Result<Cancellation, Breach<'m>> {
    const CANCELLATION_ID: &str = "/Document/FIToFIPmtCxlReq/Undrlyg/TxInf/CxlId";
    Ok(Cancellation {
        source: context.source,
        references: references_to(view.assignment.id, version, &view.original)?,
        cancellation_id: typed(CancellationId::parse(view.cancellation_id), CANCELLATION_ID)?,
        instructing_agent,
    })
}

fn payment_return<'m>(
    view: &view::Return<'m>,
    instructing_agent: Bic,
    version: MessageType,
    context: &Context<'_>,
) -> Result<Return, Breach<'m>> {
    const RETURN_ID: &str = "/Document/PmtRtr/TxInf/RtrId";
    Ok(Return {
        source: context.source,
        references: references_to(view.message_id, version, &view.original)?,
        return_id: typed(ReturnId::parse(view.return_id), RETURN_ID)?,
        instructing_agent,
        amount: Money::kzt(view.tiyn),
    })
}
