//! pacs.008 of the clearing system, by BizSvc: many items in one message.

use torap_domain::{
    Bic, CancellationId, Date, EndToEndId, Iban, IinBin, InstructionId, Knp, MessageId, Money,
    Reason, SectorCode, TransactionId, Uetr,
};
use torap_engine::{
    Command,
    clearing::{self, Cancellation, Line, Order, Party, Priority, Submit},
    links,
};
use torap_iso20022::{
    MessageType, Refusal,
    view::{self, Item, ItemParty, Reader, check_sum},
};

use super::{
    context::{Context, Sender, references_to, typed, version_number},
    keys,
    refusal::{self, Breach},
};

const ITEM: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf";
const INSTRUCTING_AGENT: &str = "/Document/FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI";

/// Why a message becomes no command.
enum Failed {
    Refused(Refusal),
    Breach(Breach<'static>),
}

impl From<Refusal> for Failed {
    fn from(refused: Refusal) -> Failed {
        Failed::Refused(refused)
    }
}

impl From<Breach<'static>> for Failed {
    fn from(breach: Breach<'static>) -> Failed {
        Failed::Breach(breach)
    }
}

/// The command of a pacs.008 that is valid against its schema; its items are checked here.
#[expect(
    clippy::result_large_err,
    reason = "a command is larger still, and a refusal becomes one"
)]
pub(super) fn submission(
    bytes: &[u8],
    version: MessageType,
    reader: &mut Reader,
    context: &Context<'_>,
) -> Result<Command, links::Refusal> {
    collect(bytes, version, reader, context).map_err(|failed| match failed {
        Failed::Refused(refused) => refusal::of_parser(&refused, bytes),
        Failed::Breach(breach) => breach.of_message(bytes),
    })
}

fn collect(
    bytes: &[u8],
    version: MessageType,
    reader: &mut Reader,
    context: &Context<'_>,
) -> Result<Command, Failed> {
    let mut found: Option<(MessageId, Bic)> = None;
    let mut items: Vec<Order> = Vec::new();
    let mut sum: u128 = 0;
    reader.read_batch(bytes, |item| {
        let agent = typed(Bic::parse(item.instructing_agent), INSTRUCTING_AGENT)?;
        let (_, instructing_agent) = match found {
            Some(found) => found,
            None => *found.insert((
                typed(MessageId::parse(item.message_id), "/Document")?,
                agent,
            )),
        };
        if agent != instructing_agent {
            return Err(Failed::Breach(Breach::of_profile(
                ITEM,
                "one-instructing-agent",
                "all items of a message are of one instructing agent",
                "RC01",
            )));
        }
        let order = order(item, &agent, context)?;
        sum = sum.saturating_add(u128::from(order.amount.minor()));
        items.push(order);
        Ok(())
    })?;
    let breach = || Breach::of_profile(ITEM, "mandatory", "a message has an item", "CH21");
    let (message_id, instructing_agent) = found.ok_or_else(breach)?;
    check_sum(bytes, sum)?;
    Ok(Command::Clearing(clearing::Command::Submit(Submit {
        source: context.source,
        message_id,
        message_version: version_number(version)?,
        instructing_agent,
        piece: None,
        items,
    })))
}

/// The command of a camt.056 about an item.
pub(super) fn cancellation<'m>(
    view: &view::CancellationRequest<'m>,
    sender: Option<Sender>,
    version: MessageType,
    context: &Context<'_>,
) -> Result<Command, Breach<'m>> {
    const CANCELLATION_ID: &str = "/Document/FIToFIPmtCxlReq/Undrlyg/TxInf/CxlId";
    let unbound = || Breach::of_reason(Reason::UnboundSender, "/Document");
    let sender = sender.ok_or_else(unbound)?;
    let references = references_to(view.assignment.id, version, &view.original)?;
    Ok(Command::Clearing(clearing::Command::Cancel(Cancellation {
        source: context.source,
        key: keys::payment_key(sender.owner, view.original.transaction_id),
        references,
        cancellation_id: typed(CancellationId::parse(view.cancellation_id), CANCELLATION_ID)?,
        instructing_agent: sender.agent,
    })))
}

fn order(item: &Item<'_>, agent: &Bic, context: &Context<'_>) -> Result<Order, Breach<'static>> {
    let owner = context
        .network
        .owner(agent)
        .filter(|_| context.network.may_send(context.participant, agent));
    let owner = owner.ok_or_else(|| Breach::of_reason(Reason::UnboundSender, INSTRUCTING_AGENT))?;
    let (debtor, creditor) = (party(&item.debtor)?, party(&item.creditor)?);
    let amount = Money::kzt(item.tiyn);
    let value_date = typed(Date::parse(item.value_date), ITEM)?;
    let purpose = typed(Knp::parse(item.knp), ITEM)?;
    let instruction_id = item.instruction_id.map(InstructionId::parse).transpose();
    Ok(Order {
        key: keys::payment_key(owner.id, item.transaction_id),
        fingerprint: keys::item_fingerprint(
            amount,
            value_date,
            (&debtor.agent, &debtor.account),
            (&creditor.agent, &creditor.account),
            purpose,
        ),
        uetr: typed(Uetr::parse(item.uetr), ITEM)?,
        transaction_id: typed(TransactionId::parse(item.transaction_id), ITEM)?,
        instruction_id: typed(instruction_id, ITEM)?,
        end_to_end_id: typed(EndToEndId::parse(item.end_to_end_id), ITEM)?,
        amount,
        value_date,
        priority: if item.is_high {
            Priority::High
        } else {
            Priority::Normal
        },
        debtor,
        creditor,
        purpose,
        remittance: item.remittance.as_deref().map(line).transpose()?,
    })
}

fn party(party: &ItemParty<'_>) -> Result<Party, Breach<'static>> {
    Ok(Party {
        agent: typed(Bic::parse(party.agent), ITEM)?,
        account: typed(Iban::parse(party.iban), ITEM)?,
        number: typed(IinBin::parse(party.number.digits()), ITEM)?,
        name: line(&party.name)?,
        sector: typed(SectorCode::parse(party.sector), ITEM)?,
    })
}

fn line(text: &str) -> Result<Line<140>, Breach<'static>> {
    typed(Line::parse(text).ok_or(()), ITEM)
}
