//! What cardholders, terminals, back offices and the operator do, by drawn weights; and how hosts treat what they get.

use serde_json::Value;
use torap_bank::card::{Order, Request, Side};
use torap_domain::{
    CardService, Date, Time,
    card::{Channel, MonthDay},
};
use torap_engine::{Command, cards};

use super::{
    CardPlan,
    seed::{foreign, institution, local},
    side::CardSide,
};
use crate::{draw::Draw, fault::Fault, load::operator};

macro_rules! kinds {
    ($($variant:ident = $least:literal..$most:literal,)*) => {
        /// A kind of request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($variant,)*
        }

        impl Kind {
            pub(crate) const ALL: &[Kind] = &[$(Kind::$variant,)*];

            /// How often it is drawn in this run.
            pub(crate) fn weight(self, draw: &mut Draw) -> u64 {
                match self {
                    $(Kind::$variant => draw.range($least, $most),)*
                }
            }
        }
    };
}

kinds! {
    Purchase = 15..60,
    Foreign = 2..20,
    Token = 0..8,
    Cash = 1..15,
    CashBack = 0..8,
    PreAuthorise = 4..20,
    Complete = 4..20,
    Refund = 1..8,
    RefundUnasked = 0..3,
    P2p = 0..6,
    Deposit = 0..4,
    Pay = 0..6,
    Enquire = 0..6,
    Offline = 1..8,
    RepeatSame = 1..8,
    RepeatOther = 0..2,
    ReverseFull = 3..14,
    ReversePart = 2..12,
    ReverseAgain = 0..3,
    ReverseUnsent = 0..3,
    SendReversed = 0..3,
    Stop = 0..2,
    Words = 0..3,
    Garbage = 0..2,
    SignOff = 0..3,
    CutOver = 0..2,
    Settle = 0..2,
    Reconcile = 0..4,
}

/// Whom a behaviour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// The issuer of the next transaction.
    Issuer,
    /// Any host, for one of its next letters.
    Anybody,
    Scheme,
}

/// How a host treats one message.
pub(crate) struct Behaviour {
    words: fn(&mut Draw) -> String,
    towards: For,
    pub(crate) least: u64,
    pub(crate) most: u64,
    /// What it counts as.
    pub(crate) fault: Option<Fault>,
}

const fn behaviour(
    towards: For,
    least: u64,
    most: u64,
    fault: Option<Fault>,
    words: fn(&mut Draw) -> String,
) -> Behaviour {
    Behaviour {
        words,
        towards,
        least,
        most,
        fault,
    }
}

/// A delay from short to longer than any clock of a request.
fn delay(draw: &mut Draw) -> u64 {
    draw.span(1, 40_000)
}

/// All of them; the first is to decide as always.
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    behaviour(For::Anybody, 60, 200, None, |_| String::new()),
    behaviour(For::Issuer, 0, 12, None, |draw| {
        format!("decline:{}", ["51", "05", "61"][draw.index(3)])
    }),
    behaviour(For::Issuer, 0, 8, None, |draw| {
        let tiyn = draw.range(1, 100_000);
        format!("part:{}", tenge(tiyn))
    }),
    behaviour(For::Issuer, 1, 12, Some(Fault::SilentIssuer), |_| {
        "silent".into()
    }),
    behaviour(For::Issuer, 1, 14, Some(Fault::SlowIssuer), |draw| {
        format!("delay:{}", delay(draw))
    }),
    behaviour(For::Issuer, 0, 5, None, |_| "twice".into()),
    behaviour(For::Issuer, 0, 3, None, |_| "wrong-trace".into()),
    behaviour(For::Issuer, 0, 3, None, |_| "garbage".into()),
    behaviour(For::Issuer, 0, 4, None, |_| "drop-link".into()),
    behaviour(For::Issuer, 0, 6, None, |_| "other-link".into()),
    behaviour(For::Anybody, 1, 10, Some(Fault::SilentIssuer), |_| {
        "letter-silent".into()
    }),
    behaviour(For::Anybody, 1, 8, Some(Fault::SlowIssuer), |draw| {
        format!("letter-delay:{}", delay(draw))
    }),
    behaviour(For::Anybody, 0, 4, None, |_| "letter-drop-link".into()),
    behaviour(For::Anybody, 0, 3, None, |_| "letter-refuse:06".into()),
    behaviour(For::Scheme, 0, 6, None, |_| "enquiry-silent".into()),
    behaviour(For::Scheme, 0, 6, None, |draw| {
        format!("enquiry-delay:{}", draw.span(1, 5_000))
    }),
    behaviour(For::Scheme, 0, 4, None, |_| "enquiry-refuse:05".into()),
    behaviour(For::Scheme, 0, 2, None, |_| "enquiry-drop-link".into()),
];

/// A transaction that a host sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) side: usize,
    pub(crate) reference: String,
    pub(crate) service: CardService,
    tiyn: u64,
    /// When it was sent, by the hosts' clock, and whether the load has reversed it.
    at: u64,
    reversed: bool,
    /// Its bank gives back by file or in a case, and reverses and completes it no more.
    reserved: bool,
}

/// The load of a run, and what it remembers to refer to.
#[derive(Debug)]
pub(crate) struct Load {
    draw: Draw,
    pub(crate) sent: Vec<Sent>,
    /// Reversed before they are sent, and not sent yet.
    unsent: Vec<(usize, String)>,
    /// Sessions that the operator has ended.
    cut_overs: u64,
    /// Requests that were tried, of all kinds.
    pub(crate) tried: u64,
}

/// What a turn of the load comes to.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// For the switch, by its operator.
    pub(crate) operate: Option<Command>,
    pub(crate) faults: Vec<Fault>,
    /// In words.
    pub(crate) text: String,
}

/// Codes of outcomes that the switch remembers.
const REMEMBERED: [&str; 9] = ["00", "10", "51", "61", "91", "68", "21", "41", "43"];

impl Load {
    pub(crate) fn new(draw: Draw) -> Load {
        Load {
            draw,
            sent: Vec::new(),
            unsent: Vec::new(),
            cut_overs: 0,
            tried: 0,
        }
    }

    /// Time until the next request.
    pub(crate) fn pause(&mut self, plan: &CardPlan) -> u64 {
        self.draw.range(0, plan.request_every * 2)
    }

    /// Makes the next request.
    pub(crate) fn request(&mut self, plan: &CardPlan, sides: &mut [CardSide], wall: u64) -> Told {
        let mut told = Told::default();
        self.tried += 1;
        let kind = Kind::ALL[self.draw.weighted(&plan.weights)];
        let acquirer = self.draw.index(plan.banks);
        let issuer = (acquirer + 1 + self.draw.index(plan.banks - 1)) % plan.banks;
        self.behave(plan, sides, issuer, wall, &mut told);
        match kind {
            Kind::SignOff if plan.signs_off => self.sign_off(sides, wall, &mut told),
            Kind::SignOff => {}
            Kind::CutOver => {
                self.cut_overs += 1;
                told.operate = Some(Command::Cards(cards::Command::CutOver {
                    source: operator("cards"),
                }));
                told.text = "the operator cuts over".into();
            }
            Kind::Settle => told.operate = self.settle(wall),
            Kind::Reconcile => self.reconcile(&mut sides[issuer], wall),
            Kind::Stop | Kind::Words | Kind::Garbage => {
                self.office(kind, plan, &mut sides[issuer], issuer, wall);
            }
            _ => {
                let order = self.order(kind, plan, issuer);
                match order {
                    Some(order) => self.transact(kind, acquirer, order, sides, wall, &mut told),
                    None => self.follow_up(kind, plan, sides, wall, &mut told),
                }
            }
        }
        told
    }

    /// How one of the hosts will treat one of the next messages.
    fn behave(
        &mut self,
        plan: &CardPlan,
        sides: &mut [CardSide],
        issuer: usize,
        wall: u64,
        told: &mut Told,
    ) {
        let behaviour = &BEHAVIOURS[self.draw.weighted(&plan.behaviours)];
        let words = (behaviour.words)(&mut self.draw);
        let side = match behaviour.towards {
            For::Issuer => issuer,
            For::Anybody => self.draw.index(plan.banks),
            For::Scheme => plan.banks,
        };
        if words.is_empty() {
            return;
        }
        told.faults.extend(behaviour.fault);
        if told.text.is_empty() {
            told.text = format!("card host {} will once {}", sides[side].code, words);
        }
        let request = Request::Behave {
            behaviour: words,
            count: 1,
        };
        sides[side].ask(request, wall);
    }

    /// A new transaction of this kind; none for kinds that follow up an earlier one.
    fn order(&mut self, kind: Kind, plan: &CardPlan, issuer: usize) -> Option<Order> {
        let card = self.draw.range(0, u64::from(plan.cards)) as u32;
        let amount = tenge(self.draw.range(100, plan.amount_max));
        let channels = [Channel::Pos, Channel::Web, Channel::Mobile];
        let channel = channels[self.draw.index(channels.len())];
        let (service, channel) = match kind {
            Kind::Purchase | Kind::Foreign | Kind::Offline => (CardService::Purchase, channel),
            Kind::Token => (CardService::Purchase, Channel::Mobile),
            // There is no PIN, which cash machines ask for.
            Kind::Cash => (CardService::Cash, Channel::Pos),
            Kind::CashBack => (CardService::PurchaseWithCashBack, Channel::Pos),
            Kind::PreAuthorise => (CardService::PreAuthorisation, channel),
            Kind::RefundUnasked => (CardService::Refund, Channel::Pos),
            Kind::P2p if self.draw.chance(500) => (CardService::P2pDebit, Channel::Mobile),
            Kind::P2p => (CardService::P2pCredit, Channel::Mobile),
            Kind::Deposit => (CardService::Deposit, Channel::Pos),
            Kind::Pay => (CardService::Payment, Channel::Web),
            Kind::Enquire => match self.draw.index(3) {
                0 => (CardService::BalanceEnquiry, Channel::Mobile),
                1 => (CardService::AccountVerification, Channel::Web),
                _ => (CardService::AccountTransfer, Channel::Mobile),
            },
            Kind::ReverseUnsent => (CardService::Purchase, Channel::Pos),
            _ => return None,
        };
        let prefix = match kind {
            Kind::Foreign => foreign(issuer),
            // Tokens stand for cards of the first bank.
            Kind::Token => foreign(0),
            _ => local(issuer),
        };
        let amount = if service.has_amount() {
            amount
        } else {
            "0.00".into()
        };
        let mut order = Order::new(service, channel, &prefix, card, &amount);
        order.token = kind == Kind::Token;
        order.offline = kind == Kind::Offline;
        order.partial = self.draw.chance(300);
        if service == CardService::PurchaseWithCashBack {
            order.cash_back = Some("1.00".into());
        }
        if self.draw.chance(10) {
            order.clock_shift_ms = [-7_200_000, 600_000, -30_000][self.draw.index(3)];
        }
        Some(order)
    }

    fn transact(
        &mut self,
        kind: Kind,
        side: usize,
        order: Order,
        sides: &mut [CardSide],
        wall: u64,
        told: &mut Told,
    ) {
        let service = CardService::from_name(&order.service).unwrap_or(CardService::Purchase);
        let amount = order.amount.clone();
        let request = if kind == Kind::ReverseUnsent {
            Request::ReverseUnsent { order }
        } else {
            Request::Transact(order)
        };
        // A host without a link sends nothing.
        let value = sides[side].ask(request, wall);
        let Some(reference) = value["reference"].as_str().map(String::from) else {
            return;
        };
        told.text = format!(
            "card host {} sends {} {reference}, trace {}: {service} of {amount}",
            sides[side].code,
            value["mti"].as_str().unwrap_or("-"),
            value["stan"].as_str().unwrap_or("-"),
        );
        if kind == Kind::ReverseUnsent {
            self.unsent.push((side, reference));
            return;
        }
        let tiyn = value["amount"].as_str().and_then(|tiyn| tiyn.parse().ok());
        self.sent.push(Sent {
            side,
            reference,
            service,
            tiyn: tiyn.unwrap_or(0),
            at: wall,
            reversed: false,
            reserved: false,
        });
    }

    /// Something about an earlier transaction.
    fn follow_up(
        &mut self,
        kind: Kind,
        plan: &CardPlan,
        sides: &mut [CardSide],
        wall: u64,
        told: &mut Told,
    ) {
        if kind == Kind::SendReversed {
            if let Some((side, reference)) = self.unsent.pop() {
                told.text = format!(
                    "card host {} sends {reference}, reversed before",
                    sides[side].code
                );
                sides[side].ask(Request::SendReversed { reference }, wall);
            }
            return;
        }
        let wanted = |sent: &Sent| match kind {
            Kind::Complete => sent.service == CardService::PreAuthorisation,
            Kind::Refund => sent.service == CardService::Purchase,
            _ => true,
        };
        let Some(sent) = self.recent(wanted) else {
            return;
        };
        let gives_back = matches!(
            kind,
            Kind::Complete | Kind::ReverseFull | Kind::ReversePart | Kind::ReverseAgain
        );
        if gives_back && sent.reserved {
            return;
        }
        let (side, reference) = (&mut sides[sent.side], sent.reference.clone());
        if matches!(kind, Kind::ReverseFull | Kind::ReversePart) {
            // A host that has two reversals of one transaction under way cannot tell what each of them moved.
            let is_first = !sent.reversed && wall < sent.at + plan.settings.whole_within.nanos();
            if !is_first && side.ask(Request::Books, wall)["open"] != 0 {
                return;
            }
            self.note_reversed(&sent);
        }
        let part = tenge(self.draw.range(1, sent.tiyn.max(1)));
        let request = match kind {
            Kind::Complete if self.draw.chance(300) => Request::Complete {
                reference,
                amount: tenge(sent.tiyn + sent.tiyn / 10),
            },
            Kind::Complete => Request::Complete {
                reference,
                amount: part,
            },
            Kind::Refund => Request::Refund {
                reference,
                amount: part,
            },
            Kind::ReverseFull | Kind::ReversePart => Request::Reverse {
                reference,
                stands: (kind == Kind::ReversePart).then_some(part),
                request: self.draw.chance(200),
            },
            Kind::ReverseAgain => Request::ReverseAgain { reference },
            Kind::RepeatSame | Kind::RepeatOther => {
                // What the switch does not remember may come out otherwise the second time.
                let row = side.transaction(&reference, wall);
                let code = row["code"].as_str().unwrap_or_default();
                // Whoever has signed off is not answered; what was blocked is declined whatever it says.
                let other_is_new = kind == Kind::RepeatOther && code == "21";
                if !REMEMBERED.contains(&code) || side.is_off || other_is_new {
                    return;
                }
                Request::Again {
                    reference,
                    repeat: self.draw.chance(700),
                    amount: (kind == Kind::RepeatOther).then(|| "7.77".into()),
                }
            }
            _ => return,
        };
        told.text = format!("card host {}: {kind:?} of {}", side.code, sent.reference);
        // A host that cannot (not approved, not sent, no link) simply does not.
        let value = side.ask(request, wall);
        let new = value["reference"].as_str().map(String::from);
        if let Some(reference) = new.filter(|_| matches!(kind, Kind::Complete | Kind::Refund)) {
            let tiyn = value["amount"].as_str().and_then(|tiyn| tiyn.parse().ok());
            told.text += &format!(" as {reference}");
            self.sent.push(Sent {
                side: sent.side,
                reference,
                service: CardService::Refund,
                tiyn: tiyn.unwrap_or(0),
                at: wall,
                reversed: false,
                reserved: false,
            });
        }
    }

    fn note_reversed(&mut self, reversed: &Sent) {
        let same =
            |sent: &&mut Sent| sent.side == reversed.side && sent.reference == reversed.reference;
        if let Some(sent) = self.sent.iter_mut().rev().find(same) {
            sent.reversed = true;
        }
    }

    /// Transactions of a host that have a reference of their own and were not reversed, oldest first, with their places.
    pub(crate) fn of_side(&self, side: usize) -> impl Iterator<Item = (usize, &Sent)> {
        let all = self.sent.iter().enumerate();
        all.filter(move |(_, sent)| {
            sent.side == side && !sent.reversed && !sent.reference.contains('/')
        })
    }

    /// Leaves a transaction to its bank's back office; false if it was reversed or completed online.
    pub(crate) fn reserve(&mut self, place: usize) -> bool {
        let Some(sent) = self.sent.get(place) else {
            return false;
        };
        let completion = format!("{}/", sent.reference);
        let is_free = !sent.reversed
            && self
                .sent
                .iter()
                .all(|other| other.side != sent.side || !other.reference.starts_with(&completion));
        if let Some(sent) = self.sent.get_mut(place).filter(|_| is_free) {
            sent.reserved = true;
        }
        is_free
    }

    /// Stop list, words to other institutions, bytes that are no message.
    fn office(
        &mut self,
        kind: Kind,
        plan: &CardPlan,
        side: &mut CardSide,
        number: usize,
        wall: u64,
    ) {
        let request = match kind {
            Kind::Stop => Request::StopList {
                prefix: local(number),
                card: self.draw.range(0, u64::from(plan.cards)) as u32,
                action: ["lost", "stolen", "restricted", "release"][self.draw.index(4)].into(),
            },
            Kind::Words => Request::Administrative {
                to: self
                    .draw
                    .chance(800)
                    .then(|| institution(self.draw.index(plan.banks))),
                text: "CARD LEFT IN MACHINE".into(),
                advice: self.draw.chance(500),
            },
            _ => Request::Raw {
                hex: ["00", "30323030ffff", ""][self.draw.index(3)].into(),
            },
        };
        side.ask(request, wall);
    }

    fn sign_off(&mut self, sides: &mut [CardSide], wall: u64, told: &mut Told) {
        let off = sides.iter_mut().find(|side| side.is_off);
        if let Some(side) = off {
            told.text = format!("card host {} signs on again", side.code);
            side.sign_on(wall);
            return;
        }
        let chosen = self.draw.index(sides.len());
        let side = &mut sides[chosen];
        if side.network("sign-off", wall) {
            side.is_off = true;
            told.text = format!("card host {} signs off", side.code);
            told.faults.push(Fault::SignOff);
        }
    }

    /// A host sends its totals of a session, right or wrong, as a request or an advice; the switch cannot tell of one that is open.
    fn reconcile(&mut self, side: &mut CardSide, wall: u64) {
        let first = Date::from_time(Time::from_nanos(wall));
        let days = self.draw.range(0, self.cut_overs + 1) as i32;
        let session = MonthDay::of(first.add_days(days)).value();
        let request = Request::Reconcile {
            session: format!("{session:04}"),
            side: match self.draw.chance(500) {
                true => Side::Acquirer,
                false => Side::Issuer,
            },
            advice: self.draw.chance(500),
            off_by_tiyn: i64::from(self.draw.chance(200)),
        };
        side.ask(request, wall);
    }

    /// One of the sessions that should be over; refused if it is not.
    fn settle(&mut self, wall: u64) -> Option<Command> {
        let ended = self.cut_overs.checked_sub(1)?;
        let first = Date::from_time(Time::from_nanos(wall));
        let days = self.draw.range(0, ended) as i32;
        Some(Command::Cards(cards::Command::SettleSession {
            source: operator("cards"),
            session: first.add_days(days),
        }))
    }

    /// One of the transactions sent lately, or any.
    fn recent(&mut self, wanted: impl Fn(&Sent) -> bool) -> Option<Sent> {
        let fitting: Vec<usize> = (0..self.sent.len())
            .filter(|place| wanted(&self.sent[*place]))
            .collect();
        let back = if self.draw.chance(700) {
            fitting.len().min(8)
        } else {
            fitting.len()
        };
        let chosen = self.draw.index(back);
        let place = fitting.len().checked_sub(1 + chosen)?;
        self.sent.get(*fitting.get(place)?).cloned()
    }
}

impl CardSide {
    /// What its books say of a transaction.
    fn transaction(&mut self, reference: &str, wall: u64) -> Value {
        let rows = self.ask(Request::Transactions, wall);
        let row = rows
            .as_array()
            .and_then(|rows| rows.iter().find(|row| row["reference"] == reference));
        row.cloned().unwrap_or_default()
    }
}

pub(crate) fn tenge(tiyn: u64) -> String {
    format!("{}.{:02}", tiyn / 100, tiyn % 100)
}
