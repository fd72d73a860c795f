//! pacs.008 of the clearing system, by BizSvc: many items in one message.

use torap_domain::{
    Bic, CancellationId, Date, EndToEndId, Iban, IinBin, InstructionId, Knp, MessageId, Money,
    Reason, SectorCode, Text, TransactionId, Uetr,
};
use torap_engine::{
    Command,
    clearing::{
        self, Beneficiaries, Cancellation, Line, LineRule, Order, Party, Priority, RefusedLine,
        RefusedOrder, Submit,
    },
    links,
};
use torap_iso20022::{
    MessageType, Refusal,
    view::{self, BatchEntry, Item, ItemParty, Reader, RefusedItem},
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
    let mut found: Option<Sender> = None;
    let mut message_id = None;
    let mut items: Vec<Order> = Vec::new();
    let mut refused: Vec<RefusedOrder> = Vec::new();
    reader.read_batch(bytes, |entry| {
        let (agent, id) = match entry {
            BatchEntry::Item(item) => (item.instructing_agent, item.message_id),
            BatchEntry::Refused(item) => (item.instructing_agent, item.message_id),
        };
        let agent = typed(Bic::parse(agent), INSTRUCTING_AGENT)?;
        let sender = match found {
            Some(sender) => sender,
            None => *found.insert(sender(agent, context)?),
        };
        if message_id.is_none() {
            message_id = Some(typed(MessageId::parse(id), "/Document")?);
        }
        if agent != sender.agent {
            return Err(Failed::Breach(Breach::of_profile(
                ITEM,
                "one-instructing-agent",
                "all items of a message are of one instructing agent",
                "RC01",
            )));
        }
        match entry {
            BatchEntry::Item(item) => items.push(order(item, &sender, bytes)?),
            BatchEntry::Refused(item) => refused.push(refused_order(item)),
        }
        Ok(())
    })?;
    let breach = || Breach::of_profile(ITEM, "mandatory", "a message has an item", "CH21");
    let (sender, message_id) = found.zip(message_id).ok_or_else(breach)?;
    Ok(Command::Clearing(clearing::Command::Submit(Submit {
        source: context.source,
        message_id,
        message_version: version_number(version)?,
        instructing_agent: sender.agent,
        piece: None,
        items,
        refused,
    })))
}

/// Whose items they are: a bank that the link may speak for.
fn sender(agent: Bic, context: &Context<'_>) -> Result<Sender, Breach<'static>> {
    let owner = context
        .network
        .owner(&agent)
        .filter(|_| context.network.may_send(context.participant, &agent));
    let owner = owner.ok_or_else(|| Breach::of_reason(Reason::UnboundSender, INSTRUCTING_AGENT))?;
    Ok(Sender {
        agent,
        owner: owner.id,
    })
}

/// An item that breaks the usage table, as the bank is told of it.
fn refused_order(item: &RefusedItem<'_>) -> RefusedOrder {
    let refusal = &item.refusal;
    let within = refusal.path.find("CdtTrfTxInf");
    let place = match within.and_then(|start| refusal.path.get(start..)) {
        Some(place) => place.to_owned(),
        None => {
            let path = refusal.path.rsplit("FIToFICstmrCdtTrf/").next();
            format!("CdtTrfTxInf[{}] {}", item.number, path.unwrap_or_default())
        }
    };
    let text = format!("{place} {}: {}", refusal.code(), refusal.rule);
    RefusedOrder {
        number: u16::try_from(item.number).unwrap_or(u16::MAX),
        instruction_id: item.instruction_id.and_then(|id| Text::try_from(id).ok()),
        end_to_end_id: item.end_to_end_id.and_then(|id| Text::try_from(id).ok()),
        transaction_id: item.transaction_id.and_then(|id| Text::try_from(id).ok()),
        uetr: item.uetr.and_then(|uetr| Uetr::parse(uetr).ok()),
        code: Text::truncated(refusal.reason().unwrap_or("NARR")),
        text: Text::truncated(&text),
        lines: item.lines.iter().map(refused_line).collect(),
        more: u16::try_from(item.more).unwrap_or(u16::MAX),
    }
}

fn refused_line(line: &view::WrongLine) -> RefusedLine {
    RefusedLine {
        number: u16::try_from(line.number).unwrap_or(u16::MAX),
        rule: match line.rule {
            view::LineRule::Name => LineRule::Name,
            view::LineRule::Number => LineRule::Number,
            view::LineRule::Amount => LineRule::Amount,
            view::LineRule::Period => LineRule::Period,
            view::LineRule::Repeated => LineRule::Repeated,
        },
    }
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

fn order(item: &Item<'_>, sender: &Sender, message: &[u8]) -> Result<Order, Breach<'static>> {
    let list = item.list.as_ref().map(|list| beneficiaries(list, message));
    let (debtor, creditor) = (party(&item.debtor)?, party(&item.creditor)?);
    let amount = Money::kzt(item.tiyn);
    let value_date = typed(Date::parse(item.value_date), ITEM)?;
    let purpose = typed(Knp::parse(item.knp), ITEM)?;
    let instruction_id = item.instruction_id.map(InstructionId::parse).transpose();
    Ok(Order {
        key: keys::payment_key(sender.owner, item.transaction_id),
        fingerprint: keys::item_fingerprint(
            amount,
            value_date,
            (&debtor.agent, &debtor.account),
            (&creditor.agent, &creditor.account),
            purpose,
            list.as_ref(),
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
        list,
    })
}

/// A list by its place in the message, which becomes the record's evidence. A message is far smaller than the numbers.
fn beneficiaries(list: &view::Beneficiaries, message: &[u8]) -> Beneficiaries {
    let bytes = message.get(list.range.clone()).unwrap_or_default();
    Beneficiaries {
        lines: u16::try_from(list.lines).unwrap_or(u16::MAX),
        start: u32::try_from(list.range.start).unwrap_or(u32::MAX),
        length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        digest: keys::list_digest(bytes),
    }
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
