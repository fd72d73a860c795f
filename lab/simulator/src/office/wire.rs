//! Banks' own messages to IMTS and the clearing system: payments, liquidity transfers, withdrawals, returns, items, and the same again.

use torap_bank::{Request, customer};
use torap_domain::Date;
use torap_iso20022::{
    view::{
        Assignment, BusinessHeader, CLEARING_SERVICE, CancellationRequest, CreditTransfer,
        LiquidityTransfer, Original, Party, PaymentChange, PersonNumber, Return,
        SETTLEMENT_SERVICE, SettlementTransfer, TransferService,
    },
    write::{self, Batch, BatchItem, BatchParty, Carried},
};

use super::Turn;
use crate::{
    draw::{Draw, uetr_of},
    host::Host,
    plan::{SECOND, SWITCH_BIC},
};

/// Items of a message, at most.
const ITEMS_MAX: u64 = 14;

/// Identifiers of a payment or an item that was sent.
#[derive(Clone, Debug)]
struct Named {
    bank: usize,
    to: usize,
    message_id: String,
    transaction_id: String,
    uetr: String,
    tiyn: u64,
}

/// What banks remember of what they sent.
#[derive(Debug, Default)]
pub(super) struct Wire {
    number: u64,
    payments: Vec<Named>,
    items: Vec<Named>,
    /// Messages that may be sent again, with the bank.
    texts: Vec<(usize, String)>,
}

impl Wire {
    /// A bank sends something.
    pub(super) fn act(&mut self, draw: &mut Draw, turn: &mut Turn<'_>) {
        let count = draw.range(1, 4);
        for _ in 0..count {
            let bank = draw.index(turn.hosts.len());
            let made = match draw.weighted(&[12, 6, 7, 6, 3, 4, 3, 12, 4, 6]) {
                0 => self.bank_payment(draw, turn, bank),
                1 => self.customer_payment(draw, turn, bank),
                2 => self.liquidity(draw, turn, bank),
                3 => self.withdrawal(draw, turn, SETTLEMENT_SERVICE),
                4 => self.give_back(draw, turn),
                5 => self.again(draw),
                6 => self.changed(draw),
                7 => self.batch(draw, turn, bank),
                8 => self.withdrawal(draw, turn, CLEARING_SERVICE),
                _ => self.modification(draw, turn),
            };
            let Some((bank, text)) = made else {
                continue;
            };
            self.texts.push((bank, text.clone()));
            // A bank can always send.
            let _ = turn.hosts[bank]
                .bank
                .handle(Request::Raw { text }, turn.wall);
        }
    }

    fn named(&mut self, draw: &mut Draw, turn: &Turn<'_>, bank: usize) -> Named {
        self.number += 1;
        let other = (bank + 1 + draw.index(turn.hosts.len() - 1)) % turn.hosts.len();
        let to = if draw.chance(30) { bank } else { other };
        let code = turn.hosts[bank].code;
        Named {
            bank,
            to,
            message_id: format!("W{}-{code}", self.number),
            transaction_id: format!("WT{}-{code}", self.number),
            uetr: uetr_of(draw.next()).to_string(),
            tiyn: draw.range(1, 12_000_000),
        }
    }

    fn bank_payment(
        &mut self,
        draw: &mut Draw,
        turn: &Turn<'_>,
        bank: usize,
    ) -> Option<(usize, String)> {
        let named = self.named(draw, turn, bank);
        let (from, to) = (&turn.hosts[named.bank], &turn.hosts[named.to]);
        let into_day = |wall: u64| wall.saturating_sub(midnight(wall));
        let times = |draw: &mut Draw, most: u64| {
            let seconds = draw.range(1, most);
            into_day(turn.wall) / 1_000_000_000 * 1_000_000_000 + seconds * 1_000_000_000
        };
        let transfer = SettlementTransfer {
            message_id: &named.message_id,
            created_ns: turn.wall,
            settlement_date: None,
            instructing_agent: from.bic.as_str(),
            instructed_agent: Some(SWITCH_BIC),
            instruction_id: None,
            end_to_end_id: "NOTPROVIDED",
            transaction_id: &named.transaction_id,
            uetr: &named.uetr,
            tiyn: named.tiyn,
            is_high: draw.chance(300),
            from_ns: draw.chance(80).then(|| times(draw, 20)),
            till_ns: draw.chance(120).then(|| times(draw, 90)),
            debtor_agent: from.bic.as_str(),
            creditor_agent: to.bic.as_str(),
            accounts: None,
        };
        let header = header(from, &named.message_id, turn.wall, SETTLEMENT_SERVICE);
        let text = written(|out| write::bank_transfer(out, Some(&header), &transfer));
        self.payments.push(named);
        text.map(|text| (bank, text))
    }

    fn customer_payment(
        &mut self,
        draw: &mut Draw,
        turn: &Turn<'_>,
        bank: usize,
    ) -> Option<(usize, String)> {
        let named = self.named(draw, turn, bank);
        let (from, to) = (&turn.hosts[named.bank], &turn.hosts[named.to]);
        let debtor = customer(from.bank_code, draw.range(1, 50) as u32);
        let creditor = customer(to.bank_code, draw.range(1, 50) as u32);
        let numbers = [debtor.person.to_string(), creditor.person.to_string()];
        let party = |name: &'static str, number| Party {
            name: Some(name.into()),
            number: Some(PersonNumber::Iin(number)),
            phone: None,
        };
        let transfer = CreditTransfer {
            message_id: &named.message_id,
            created_ns: turn.wall,
            settlement_date: None,
            service: TransferService::C2cAccount,
            instructing_agent: from.bic.as_str(),
            instructed_agent: Some(SWITCH_BIC),
            instruction_id: None,
            end_to_end_id: "NOTPROVIDED",
            transaction_id: &named.transaction_id,
            uetr: &named.uetr,
            resolution_id: None,
            tiyn: named.tiyn,
            accepted_ns: turn.wall,
            debtor: party("PAYER", &numbers[0]),
            debtor_iban: debtor.iban.as_str(),
            debtor_agent: from.bic.as_str(),
            creditor_agent: to.bic.as_str(),
            creditor: party("PAYEE", &numbers[1]),
            creditor_iban: Some(creditor.iban.as_str()),
            creditor_phone: None,
            knp: "119",
            kod: None,
            kbe: None,
            qr_id: None,
            remittance: None,
        };
        let header = header(from, &named.message_id, turn.wall, SETTLEMENT_SERVICE);
        let carried = Carried::default();
        let text = written(|out| write::credit_transfer(out, Some(&header), &transfer, &carried));
        self.payments.push(named);
        text.map(|text| (bank, text))
    }

    fn liquidity(
        &mut self,
        draw: &mut Draw,
        turn: &Turn<'_>,
        bank: usize,
    ) -> Option<(usize, String)> {
        let named = self.named(draw, turn, bank);
        let from = &turn.hosts[bank];
        let transfer = LiquidityTransfer {
            message_id: &named.message_id,
            created_ns: turn.wall,
            agent: from.bic.as_str(),
            to_position: draw.chance(550),
            tiyn: draw.range(1, 4_000_000),
        };
        let header = header(from, &named.message_id, turn.wall, SETTLEMENT_SERVICE);
        let text = written(|out| write::liquidity_transfer(out, Some(&header), &transfer));
        text.map(|text| (bank, text))
    }

    /// Of a payment or an item; sometimes by a bank whose it is not.
    fn withdrawal(
        &mut self,
        draw: &mut Draw,
        turn: &Turn<'_>,
        service: &'static str,
    ) -> Option<(usize, String)> {
        let all = if service == SETTLEMENT_SERVICE {
            &self.payments
        } else {
            &self.items
        };
        let back = all.len().min(8);
        let of = all
            .get(all.len().checked_sub(1 + draw.index(back))?)?
            .clone();
        self.number += 1;
        let bank = if draw.chance(50) { of.to } else { of.bank };
        let from = &turn.hosts[bank];
        let (id, cancellation) = (format!("WC{}", self.number), format!("WX{}", self.number));
        let request = CancellationRequest {
            assignment: Assignment {
                id: &id,
                assigner: from.bic.as_str(),
                assignee: SWITCH_BIC,
                created_ns: turn.wall,
            },
            case_id: None,
            cancellation_id: &cancellation,
            original: original(&of),
            original_tiyn: None,
            reason: "DUPL",
            reason_text: None,
        };
        let header = header(from, &id, turn.wall, service);
        let text = written(|out| write::cancellation_request(out, Some(&header), &request));
        text.map(|text| (bank, text))
    }

    /// Of a payment that may wait; sometimes by a bank whose it is not.
    fn modification(&mut self, draw: &mut Draw, turn: &Turn<'_>) -> Option<(usize, String)> {
        let back = self.payments.len().min(8);
        let last = self.payments.len().checked_sub(1 + draw.index(back))?;
        let of = self.payments.get(last)?.clone();
        self.number += 1;
        let bank = if draw.chance(50) { of.to } else { of.bank };
        let from = &turn.hosts[bank];
        let id = format!("WM{}", self.number);
        let later = |draw: &mut Draw| turn.wall + draw.range(0, 600) * SECOND;
        let change = PaymentChange {
            message_id: &id,
            created_ns: turn.wall,
            uetr: &of.uetr,
            transaction_id: draw.chance(500).then_some(of.transaction_id.as_str()),
            is_high: Some(draw.chance(500)),
            from_ns: draw.chance(200).then(|| later(draw)),
            till_ns: draw.chance(200).then(|| later(draw)),
        };
        let header = header(from, &id, turn.wall, SETTLEMENT_SERVICE);
        let text = written(|out| write::payment_change(out, Some(&header), &change));
        text.map(|text| (bank, text))
    }

    fn give_back(&mut self, draw: &mut Draw, turn: &Turn<'_>) -> Option<(usize, String)> {
        let of = self.payments.get(draw.index(self.payments.len()))?.clone();
        self.number += 1;
        let from = &turn.hosts[of.to];
        let (id, back) = (format!("W{}-R", self.number), format!("WR{}", self.number));
        let request = Return {
            message_id: &id,
            created_ns: turn.wall,
            instructing_agent: from.bic.as_str(),
            instructed_agent: Some(SWITCH_BIC),
            settlement_date: None,
            return_id: &back,
            original: original(&of),
            original_tiyn: None,
            tiyn: of.tiyn,
            reason: "FOCR",
            reason_text: None,
        };
        let header = header(from, &id, turn.wall, SETTLEMENT_SERVICE);
        let text = written(|out| write::payment_return(out, Some(&header), &request));
        text.map(|text| (of.to, text))
    }

    /// The same message once more.
    fn again(&mut self, draw: &mut Draw) -> Option<(usize, String)> {
        let back = self.texts.len().min(12);
        let place = self.texts.len().checked_sub(1 + draw.index(back))?;
        self.texts.get(place).cloned()
    }

    /// The same message with another amount in one place.
    fn changed(&mut self, draw: &mut Draw) -> Option<(usize, String)> {
        let (bank, text) = self.again(draw)?;
        let (before, rest) = text.split_once("Ccy=\"KZT\">")?;
        let (_, behind) = rest.split_once('<')?;
        Some((bank, format!("{before}Ccy=\"KZT\">77.77<{behind}")))
    }

    fn batch(&mut self, draw: &mut Draw, turn: &Turn<'_>, bank: usize) -> Option<(usize, String)> {
        let engine = turn.node.follower().engine();
        let (session, _) = engine.clearing_view().open?;
        let date = session.date.to_string();
        let count = draw.range(1, ITEMS_MAX);
        let named: Vec<Named> = (0..count).map(|_| self.named(draw, turn, bank)).collect();
        let message_id = &named.first()?.message_id;
        let from = &turn.hosts[bank];
        let debtor = customer(from.bank_code, draw.range(1, 50) as u32);
        let debtor_number = debtor.person.to_string();
        let creditors: Vec<_> = named
            .iter()
            .map(|item| {
                let known = customer(turn.hosts[item.to].bank_code, draw.range(1, 50) as u32);
                (known.person.to_string(), known)
            })
            .collect();
        let items: Vec<BatchItem<'_>> = named
            .iter()
            .zip(&creditors)
            .map(|(item, (number, creditor))| BatchItem {
                is_high: item.tiyn.is_multiple_of(5),
                instruction_id: None,
                end_to_end_id: "NOTPROVIDED",
                transaction_id: &item.transaction_id,
                uetr: &item.uetr,
                clearing_reference: "NONE",
                list: None,
                tiyn: item.tiyn,
                debtor: BatchParty {
                    name: "PAYER",
                    number: PersonNumber::Iin(&debtor_number),
                    iban: debtor.iban.as_str(),
                    agent: from.bic.as_str(),
                    sector: "19",
                },
                creditor: BatchParty {
                    name: "PAYEE",
                    number: PersonNumber::Iin(number),
                    iban: creditor.iban.as_str(),
                    agent: turn.hosts[item.to].bic.as_str(),
                    sector: "19",
                },
                knp: "119",
                remittance: None,
            })
            .collect();
        let batch = Batch {
            message_id,
            created_ns: turn.wall,
            settlement_date: &date,
            instructing_agent: from.bic.as_str(),
            instructed_agent: SWITCH_BIC,
        };
        let header = header(from, message_id, turn.wall, CLEARING_SERVICE);
        let text = written(|out| write::batch(out, Some(&header), &batch, &items));
        self.items.extend(named);
        text.map(|text| (bank, text))
    }
}

fn original(of: &Named) -> Original<'_> {
    Original {
        message_id: Some(&of.message_id),
        message_name: Some("pacs.009.001.10"),
        instruction_id: None,
        end_to_end_id: Some("NOTPROVIDED"),
        transaction_id: &of.transaction_id,
        uetr: &of.uetr,
    }
}

/// Of a message of a bank to a system of this service.
pub(super) fn header<'a>(
    from: &'a Host,
    message_id: &'a str,
    wall: u64,
    service: &'static str,
) -> BusinessHeader<'a> {
    BusinessHeader {
        from: from.bic.as_str(),
        to: SWITCH_BIC,
        message_id,
        service: Some(service),
        created_ns: wall,
        possible_duplicate: false,
    }
}

pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
    let mut out = Vec::with_capacity(4096);
    write(&mut out);
    String::from_utf8(out).ok()
}

fn midnight(wall: u64) -> u64 {
    let today = Date::from_time(torap_domain::Time::from_nanos(wall));
    today.start().map_or(wall, torap_domain::Time::nanos)
}
