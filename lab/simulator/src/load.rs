//! What the customers and back offices of the banks do: every message and every service, by drawn weights.

use serde_json::{Value, json};
use torap_bank::{PayOrder, Payee, Request, customer};
use torap_domain::{
    Money, ParticipantId, QrId, Service, Text, Time,
    qr::{MerchantAccount, QrCode},
};
use torap_engine::{
    Command, Source,
    instant::{self, Limits},
    participants::{self, Direction, State},
};

use crate::{
    draw::{Draw, uetr_of},
    host::Host,
    plan::{Plan, SECOND},
};

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
    PayByPhone = 5..40,
    PayByAccount = 10..40,
    PayOwn = 0..15,
    PayStaticCode = 0..12,
    PayDynamicCode = 0..12,
    PayAfterLookUp = 0..6,
    PayAfterTombstone = 1..4,
    RegisterCode = 0..6,
    CancelCode = 0..2,
    RepeatSame = 1..6,
    RepeatOther = 0..2,
    Return = 1..6,
    Recall = 0..4,
    RefuseRecall = 0..3,
    AskStatus = 1..5,
    LookUp = 0..5,
    Register = 0..5,
    Change = 0..2,
    Remove = 0..2,
    Claim = 0..3,
    Contest = 0..2,
    Release = 0..2,
    Garbage = 0..2,
    Operate = 0..3,
    Settle = 0..6,
    Clear = 0..4,
}

impl Kind {
    /// Whether it sends a new payment.
    pub(crate) fn pays(self) -> bool {
        matches!(
            self,
            Kind::PayByPhone
                | Kind::PayByAccount
                | Kind::PayOwn
                | Kind::PayStaticCode
                | Kind::PayDynamicCode
                | Kind::PayAfterLookUp
                | Kind::PayAfterTombstone
        )
    }
}

/// A payment that a bank sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) bank: usize,
    pub(crate) uetr: String,
    pub(crate) transaction_id: String,
}

/// A dynamic code that a merchant shows.
#[derive(Clone, Debug)]
struct Shown {
    bank: usize,
    id: String,
    text: String,
}

/// The load of a run, and what it remembers to refer to.
#[derive(Debug)]
pub(crate) struct Load {
    draw: Draw,
    pub(crate) sent: Vec<Sent>,
    shown: Vec<Shown>,
    /// Look-ups whose resolution identifier may be used: bank, verification identifier, phone.
    looked_up: Vec<(usize, String, String)>,
    codes: u64,
    /// Requests given to banks, of all kinds.
    pub(crate) requests: u64,
}

/// What the load wants done.
pub(crate) enum Wanted {
    /// It was given to a bank.
    Done,
    /// For the switch, by its operator.
    Operate(Box<Command>),
    /// Something of its operator in IMTS or the clearing system, which depends on what stands there.
    Settle,
    Clear,
}

const MERCHANT_CATEGORY: u16 = 5411;

impl Load {
    pub(crate) fn new(draw: Draw) -> Load {
        Load {
            draw,
            sent: Vec::new(),
            shown: Vec::new(),
            looked_up: Vec::new(),
            codes: 0,
            requests: 0,
        }
    }

    /// Time until the next request.
    pub(crate) fn pause(&mut self, plan: &Plan) -> u64 {
        self.draw.range(0, plan.request_every * 2)
    }

    /// Makes the next request.
    pub(crate) fn request(&mut self, plan: &Plan, hosts: &mut [Host], wall: u64) -> Wanted {
        let kind = Kind::ALL[self.draw.weighted(&plan.weights)];
        let mut bank = self.draw.index(hosts.len());
        if !hosts[bank].is_signed_on() {
            bank = self.draw.index(hosts.len());
        }
        self.requests += 1;
        if kind == Kind::Operate {
            return Wanted::Operate(Box::new(self.operate(plan)));
        }
        if kind == Kind::Settle {
            return Wanted::Settle;
        }
        if kind == Kind::Clear {
            return Wanted::Clear;
        }
        if kind.pays() {
            self.pay(kind, plan, hosts, bank, wall);
        } else {
            self.other(kind, plan, hosts, bank, wall);
        }
        Wanted::Done
    }

    /// How the payee's bank will treat one of the next payments.
    pub(crate) fn behaviour(&mut self, plan: &Plan) -> Request {
        let behaviour = match self.draw.weighted(&plan.behaviours) {
            1 => ["reject:AC04", "reject:AC06", "reject:AC01"][self.draw.index(3)].to_string(),
            2 => format!("delay:{}", self.draw.span(1, 20_000)),
            3 => "silent".into(),
            4 => "twice".into(),
            5 => "wrong-id".into(),
            6 => "garbage".into(),
            7 => "drop-link".into(),
            8 => "deny".into(),
            _ => "accept".into(),
        };
        Request::Behave {
            behaviour,
            count: 1,
        }
    }

    fn pay(&mut self, kind: Kind, plan: &Plan, hosts: &mut [Host], bank: usize, wall: u64) {
        let from = self.customer(plan);
        let other = (bank + 1 + self.draw.index(hosts.len() - 1)) % hosts.len();
        let to = self.customer(plan);
        let payee = customer(hosts[other].bank_code, to);
        let account = |person: Option<String>| Payee::Account {
            bank: hosts[other].bic.as_str().into(),
            iban: payee.iban.as_str().into(),
            name: payee.name.clone(),
            person,
        };
        let by_phone = |bank: Option<String>| Payee::Phone {
            phone: payee.phone.to_string(),
            bank,
            person: None,
        };
        let amount = self.amount(plan);
        let mut order = PayOrder::new(from, account(None), Some(&amount));
        match kind {
            Kind::PayByPhone => {
                let chosen = self
                    .draw
                    .chance(100)
                    .then(|| hosts[other].bic.as_str().to_string());
                order.payee = by_phone(chosen);
            }
            Kind::PayOwn => order.me2me = true,
            Kind::PayStaticCode => order.payee = self.static_code(&hosts[other], to),
            Kind::PayDynamicCode => {
                if let Some(shown) = self.pick_shown() {
                    order.payee = Payee::Qr { code: shown.text };
                    if !self.draw.chance(50) {
                        order.amount = None;
                    }
                }
            }
            Kind::PayAfterLookUp => {
                if let Some((asker, resolution, phone)) = self.resolved(hosts) {
                    self.send(
                        asker,
                        PayOrder {
                            payee: Payee::Phone {
                                phone,
                                bank: None,
                                person: None,
                            },
                            resolution_id: Some(resolution),
                            ..order
                        },
                        hosts,
                        wall,
                    );
                    return;
                }
                order.payee = by_phone(None);
            }
            Kind::PayAfterTombstone => {
                // A bank that lost its memory asks about an identifier and then pays under it nevertheless.
                let number = self.draw.next();
                let transaction_id = format!("{}-Z{number:016x}", hosts[bank].code);
                let uetr = uetr_of(number).to_string();
                let _ = hosts[bank].bank.handle(
                    Request::Status {
                        uetr: uetr.clone(),
                        transaction_id: transaction_id.clone(),
                    },
                    wall,
                );
                order.transaction_id = Some(transaction_id);
                order.uetr = Some(uetr);
            }
            _ => {}
        }
        if self.draw.chance(15) {
            order.accepted_shift_ms = [-11_000, -9_500, 1_500, 2_500][self.draw.index(4)];
        }
        self.send(bank, order, hosts, wall);
    }

    fn send(&mut self, bank: usize, order: PayOrder, hosts: &mut [Host], wall: u64) {
        // A refused order (a code of its own bank, for one) is no payment.
        let Ok(value) = hosts[bank].bank.handle(Request::Pay(order), wall) else {
            return;
        };
        if let Some((transaction_id, uetr)) =
            text(&value, "transaction_id").zip(text(&value, "uetr"))
        {
            self.sent.push(Sent {
                bank,
                uetr,
                transaction_id,
            });
        }
    }

    fn other(&mut self, kind: Kind, plan: &Plan, hosts: &mut [Host], bank: usize, wall: u64) {
        let sent = self.recent();
        let number = self.customer(plan);
        let other = self.draw.index(hosts.len());
        let known = customer(hosts[other].bank_code, number);
        let (phone, person) = (known.phone.to_string(), known.person.to_string());
        let own = customer(hosts[bank].bank_code, number);
        let iban = own.iban.as_str();
        let directory = |command: Value| Request::Command { command };
        let (at, request) = match (kind, sent) {
            (Kind::RepeatSame, Some(sent)) => (
                sent.bank,
                Request::PayAgain {
                    transaction_id: sent.transaction_id,
                    amount: None,
                },
            ),
            (Kind::RepeatOther, Some(sent)) => {
                // As long as the switch may have forgotten the first, the second is the payment, and the bank's books are wrong.
                let books = hosts[sent.bank].bank.books();
                if books.outcome(&sent.uetr).is_none() || books.is_postponed(&sent.uetr) {
                    return;
                }
                (
                    sent.bank,
                    Request::PayAgain {
                        transaction_id: sent.transaction_id,
                        amount: Some("7.77".into()),
                    },
                )
            }
            (Kind::Return, Some(sent)) => {
                let amount = self.draw.chance(200).then(|| self.amount(plan));
                // Only the bank that received it knows it; the others refuse to return it.
                let Some(payee) = receiver_of(hosts, &sent) else {
                    return;
                };
                (
                    payee,
                    Request::Return {
                        uetr: sent.uetr,
                        amount,
                        reason: "AC04".into(),
                    },
                )
            }
            (Kind::Recall, Some(sent)) => {
                let reason = ["DUPL", "TECH", "FRAD", "CUST"][self.draw.index(4)];
                (
                    sent.bank,
                    Request::Recall {
                        uetr: sent.uetr,
                        reason: reason.into(),
                    },
                )
            }
            (Kind::RefuseRecall, Some(sent)) => {
                let Some(payee) = receiver_of(hosts, &sent) else {
                    return;
                };
                (
                    payee,
                    Request::RefuseRecall {
                        uetr: sent.uetr,
                        reason: "CUST".into(),
                    },
                )
            }
            (Kind::AskStatus, Some(sent)) => (
                sent.bank,
                Request::Status {
                    uetr: sent.uetr,
                    transaction_id: sent.transaction_id,
                },
            ),
            (Kind::RegisterCode, _) => {
                match self.new_code(&hosts[bank], bank, number, plan, wall) {
                    Some(request) => (bank, request),
                    None => return,
                }
            }
            (Kind::CancelCode, _) => match self.pick_shown() {
                Some(shown) => (
                    shown.bank,
                    directory(json!({ "command": "qr-cancel", "id": shown.id })),
                ),
                None => return,
            },
            (Kind::LookUp, _) => {
                let asked = hosts[bank].bank.handle(
                    Request::LookUp {
                        phone: phone.clone(),
                        person: None,
                        bank: None,
                    },
                    wall,
                );
                if let Some(id) = asked.ok().and_then(|value| text(&value, "verification_id")) {
                    self.looked_up.push((bank, id, phone));
                }
                return;
            }
            (Kind::Register, _) => (
                bank,
                directory(
                    json!({ "command": "register", "phone": phone, "person": person, "iban": iban, "name": known.name }),
                ),
            ),
            (Kind::Change, _) => {
                let moved = customer(hosts[bank].bank_code, number + 1000);
                (
                    bank,
                    directory(
                        json!({ "command": "change", "phone": phone, "person": person, "iban": moved.iban.as_str(), "name": known.name }),
                    ),
                )
            }
            (Kind::Remove, _) => (
                bank,
                directory(json!({ "command": "remove", "phone": phone, "person": person })),
            ),
            (Kind::Claim, _) => (
                bank,
                directory(
                    json!({ "command": "claim", "phone": phone, "person": person, "consent": "C-1" }),
                ),
            ),
            (Kind::Contest, _) => (
                bank,
                directory(json!({ "command": "contest", "phone": phone, "person": person })),
            ),
            (Kind::Release, _) => (
                bank,
                directory(json!({ "command": "release", "phone": phone, "person": person })),
            ),
            (Kind::Garbage, _) => {
                let text = ["<Document/>", "not XML", "", "<a><b></a>"][self.draw.index(4)];
                (bank, Request::Raw { text: text.into() })
            }
            _ => return,
        };
        // A bank that cannot (no such recall, no such payment) simply does not.
        let _ = hosts[at].bank.handle(request, wall);
    }

    /// Something of the operator: money in or out, a suspension, limits.
    fn operate(&mut self, plan: &Plan) -> Command {
        let number = self.draw.index(plan.banks) as u16 + 1;
        let participant = ParticipantId::new(number);
        let source = operator("day");
        match self.draw.index(6) {
            0 | 1 => Command::Participants(participants::Command::Fund {
                source,
                participant,
                direction: if self.draw.chance(600) {
                    Direction::In
                } else {
                    Direction::Out
                },
                amount: Money::kzt(self.draw.range(1, 10_000_000)),
            }),
            2 => Command::Participants(participants::Command::SetState {
                source,
                participant,
                state: State::Suspended {
                    debits: self.draw.chance(700),
                    credits: self.draw.chance(300),
                },
            }),
            3 | 4 => Command::Participants(participants::Command::SetState {
                source,
                participant,
                state: State::Active,
            }),
            _ => Command::Instant(instant::Command::SetLimits {
                source,
                service: Service::ALL[self.draw.index(Service::ALL.len())],
                participant: Some(participant),
                limits: Limits {
                    payment_max: Some(Money::kzt(plan.amount_max / 2 + 1)),
                    customer_day_amount_max: None,
                    customer_day_count_max: None,
                    participant_day_amount_max: None,
                },
            }),
        }
    }

    fn customer(&mut self, plan: &Plan) -> u32 {
        self.draw.range(1, u64::from(plan.customers)) as u32
    }

    fn amount(&mut self, plan: &Plan) -> String {
        let tiyn = self.draw.range(1, plan.amount_max);
        format!("{}.{:02}", tiyn / 100, tiyn % 100)
    }

    /// One of the payments sent lately, or any.
    fn recent(&mut self) -> Option<Sent> {
        if self.sent.is_empty() {
            return None;
        }
        let len = self.sent.len();
        let back = if self.draw.chance(700) {
            len.min(20)
        } else {
            len
        };
        Some(self.sent[len - 1 - self.draw.index(back)].clone())
    }

    fn pick_shown(&mut self) -> Option<Shown> {
        if self.shown.is_empty() {
            return None;
        }
        let back = self.shown.len().min(8);
        Some(self.shown[self.shown.len() - 1 - self.draw.index(back)].clone())
    }

    fn static_code(&mut self, host: &Host, number: u32) -> Payee {
        let code = QrCode::new_static(
            merchant(host, number),
            MERCHANT_CATEGORY,
            "Shop",
            "Almaty",
            None,
        );
        let code = code.unwrap_or_else(|error| unreachable!("a static code: {error}"));
        Payee::Qr {
            code: code.encode(),
        }
    }

    fn new_code(
        &mut self,
        host: &Host,
        bank: usize,
        number: u32,
        plan: &Plan,
        wall: u64,
    ) -> Option<Request> {
        self.codes += 1;
        let id = format!("Q-{}-{}", host.code, self.codes);
        let amount = Money::kzt(self.draw.range(1, plan.amount_max));
        let expires = Time::from_nanos((wall / SECOND + self.draw.range(5, 300)) * SECOND);
        let merchant = merchant(host, number);
        let iban = merchant.iban;
        let qr_id = QrId::parse(&id).ok()?;
        let code = QrCode::new_dynamic(
            merchant,
            MERCHANT_CATEGORY,
            "Shop",
            "Almaty",
            (qr_id, amount, expires),
        )
        .ok()?;
        self.shown.push(Shown {
            bank,
            id: id.clone(),
            text: code.encode(),
        });
        Some(Request::Command {
            command: json!({
                "command": "qr-register",
                "id": id,
                "iban": iban.as_str(),
                "amount": format!("{}.{:02}", amount.minor() / 100, amount.minor() % 100),
                "expires": expires.to_string(),
            }),
        })
    }

    /// A look-up that has been answered, with the identifier that the answer gave.
    fn resolved(&mut self, hosts: &[Host]) -> Option<(usize, String, String)> {
        while let Some((bank, id, phone)) = self.looked_up.pop() {
            let filter = torap_bank::WaitFor {
                kind: Some("acmt.024".into()),
                reference: Some(id),
                ..torap_bank::WaitFor::default()
            };
            let resolution = hosts[bank]
                .bank
                .find(&filter)
                .and_then(|seen| seen.resolution_id.clone());
            if let Some(resolution) = resolution {
                return Some((bank, resolution, phone));
            }
        }
        None
    }
}

/// The operator, by an order.
pub(crate) fn operator(reference: &str) -> Source {
    Source::Operator {
        name: Text::truncated("simulation"),
        reference: Text::truncated(reference),
    }
}

fn merchant(host: &Host, number: u32) -> MerchantAccount {
    MerchantAccount {
        bank: host.bic,
        iban: customer(host.bank_code, number).iban,
        merchant_id: Text::truncated("SHOP"),
        bin: None,
    }
}

/// The bank that the payment was forwarded to, if its books show it.
fn receiver_of(hosts: &[Host], sent: &Sent) -> Option<usize> {
    (0..hosts.len())
        .find(|bank| *bank != sent.bank && hosts[*bank].bank.books().outcome(&sent.uetr).is_some())
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(String::from)
}
