//! Messages that a script makes the bank send.

use serde_json::{Value, json};
use torap_domain::{Asset, Bic, Money, Phone, qr::QrCode};
use torap_gateway::wire::ContentType;
use torap_iso20022::{
    view::{
        Assignment, BusinessHeader, CancellationRequest, CancellationStatus, CreditTransfer,
        MASS_SERVICE, Original, Party, PersonNumber, Resolution, Return, StatusRequest,
        TransferService, VerificationRequest,
    },
    write::{self, Carried},
};

use crate::{
    bank::Bank,
    control::{PayOrder, Payee, SentPayment},
    customers::{Customer, customer},
    outgoing::Letter,
};

/// A payment as the bank keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) transaction_id: String,
    pub(crate) end_to_end_id: String,
    pub(crate) uetr: String,
    pub(crate) message_id: String,
    pub(crate) tiyn: u64,
    /// How it was written, to write it again; `None` for a payment received.
    pub(crate) order: Option<Order>,
}

/// What a payment says beside its identifiers.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    payer: Customer,
    service: TransferService,
    creditor_agent: String,
    creditor_iban: Option<String>,
    creditor_phone: Option<String>,
    creditor_name: Option<String>,
    creditor_person: Option<String>,
    chosen_bank: Option<String>,
    qr_id: Option<String>,
    resolution_id: Option<String>,
    accepted_ns: u64,
}

/// KNP of a transfer between persons.
const KNP_TRANSFER: &str = "119";

/// What every payment carries along.
const CARRIED: Carried<'static> = Carried {
    total: false,
    clearing_system: None,
    instruction_priority: None,
    instant_service_level: true,
    category_purpose: None,
    debtor_address: None,
    debtor_proxy_phone: None,
};

/// Texts that a payment holds as numbers.
struct Texts {
    payer_person: String,
    debtor_phone: String,
}

impl Texts {
    /// None of a payment received.
    fn of(payment: &Payment) -> Option<Texts> {
        let order = payment.order.as_ref()?;
        Some(Texts {
            payer_person: order.payer.person.to_string(),
            // CtctDtls/MobNb wants a dash behind the country code (XSD PhoneNumber).
            debtor_phone: format!("+7-{:010}", order.payer.phone.value() % 10_000_000_000),
        })
    }
}

/// A payment as its message says it; none of one received.
fn transfer<'a>(
    payment: &'a Payment,
    texts: &'a Texts,
    bic: &'a str,
    now: u64,
) -> Option<CreditTransfer<'a>> {
    let order = payment.order.as_ref()?;
    Some(CreditTransfer {
        message_id: &payment.message_id,
        created_ns: now,
        settlement_date: None,
        service: order.service,
        instructing_agent: bic,
        instructed_agent: order.chosen_bank.as_deref(),
        instruction_id: None,
        end_to_end_id: &payment.end_to_end_id,
        transaction_id: &payment.transaction_id,
        uetr: &payment.uetr,
        resolution_id: order.resolution_id.as_deref(),
        tiyn: payment.tiyn,
        accepted_ns: order.accepted_ns,
        debtor: Party {
            name: Some(order.payer.name.as_str().into()),
            number: Some(PersonNumber::Iin(&texts.payer_person)),
            phone: Some(&texts.debtor_phone),
        },
        debtor_iban: order.payer.iban.as_str(),
        debtor_agent: bic,
        creditor_agent: &order.creditor_agent,
        creditor: Party {
            name: order.creditor_name.as_deref().map(Into::into),
            number: order.creditor_person.as_deref().map(person_number),
            phone: None,
        },
        creditor_iban: order.creditor_iban.as_deref(),
        creditor_phone: order.creditor_phone.as_deref(),
        knp: KNP_TRANSFER,
        kod: None,
        kbe: None,
        qr_id: order.qr_id.as_deref(),
        remittance: None,
    })
}

impl Bank {
    pub(crate) fn pay(&mut self, pay: PayOrder, now: u64) -> Result<Value, String> {
        let payment = self.payment(pay, now)?;
        self.send_payment(payment, now)
    }

    /// Payments as lines of one message.
    pub(crate) fn pay_file(
        &mut self,
        message_id: String,
        orders: Vec<PayOrder>,
        now: u64,
    ) -> Result<Value, String> {
        let mut payments = Vec::with_capacity(orders.len());
        for order in orders {
            let payment = self.payment(order, now)?;
            payments.push(Payment {
                message_id: message_id.clone(),
                ..payment
            });
        }
        let bic = self.config.bic.as_str().to_string();
        let texts: Vec<Texts> = payments.iter().filter_map(Texts::of).collect();
        let lines = payments.iter().zip(&texts);
        let lines: Vec<CreditTransfer<'_>> = lines
            .filter_map(|(payment, texts)| transfer(payment, texts, &bic, now))
            .collect();
        let header = BusinessHeader {
            service: Some(MASS_SERVICE),
            ..self.header(&bic, &message_id, now)
        };
        let mut body = Vec::with_capacity(2048 * lines.len());
        write::credit_transfers(&mut body, Some(&header), &lines, &CARRIED);
        let mut sent = Vec::with_capacity(payments.len());
        for payment in payments {
            sent.push(self.note_sent(payment));
        }
        self.post(body);
        serde_json::to_value(sent).map_err(|error| error.to_string())
    }

    fn payment(&mut self, pay: PayOrder, now: u64) -> Result<Payment, String> {
        let (mut order, amount_of_code) = self.order(&pay)?;
        order.accepted_ns =
            now.saturating_add_signed(pay.accepted_shift_ms.saturating_mul(1_000_000));
        let money = match &pay.amount {
            Some(text) => {
                Money::parse(text, Asset::Kzt).map_err(|error| format!("amount: {error}"))?
            }
            None => amount_of_code.ok_or("amount: is missing")?,
        };
        Ok(Payment {
            transaction_id: pay.transaction_id.unwrap_or_else(|| self.identifier('T')),
            end_to_end_id: self.identifier('E'),
            uetr: pay.uetr.unwrap_or_else(|| self.uetr()),
            message_id: self.identifier('M'),
            tiyn: money.minor(),
            order: Some(order),
        })
    }

    /// The same identifiers again under a fresh MsgId; another amount makes it another payment under the same identifiers.
    pub(crate) fn pay_again(
        &mut self,
        transaction_id: &str,
        amount: Option<&str>,
        now: u64,
    ) -> Result<Value, String> {
        let known = self
            .sent
            .get(transaction_id)
            .ok_or_else(|| format!("transaction_id: `{transaction_id}` was not sent"))?;
        let mut payment = known.clone();
        if let Some(text) = amount {
            payment.tiyn = Money::parse(text, Asset::Kzt)
                .map_err(|error| format!("amount: {error}"))?
                .minor();
        }
        payment.message_id = self.identifier('M');
        self.send_payment(payment, now)
    }

    fn order(&self, pay: &PayOrder) -> Result<(Order, Option<Money>), String> {
        let mut order = Order {
            payer: customer(self.config.bank_code, pay.from),
            service: TransferService::C2cAccount,
            creditor_agent: self.config.switch_bic.as_str().to_string(),
            creditor_iban: None,
            creditor_phone: None,
            creditor_name: None,
            creditor_person: None,
            chosen_bank: None,
            qr_id: None,
            resolution_id: pay.resolution_id.clone(),
            accepted_ns: 0,
        };
        let mut amount_of_code = None;
        match &pay.payee {
            Payee::Phone {
                phone,
                bank,
                person,
            } => {
                order.service = TransferService::C2cPhone;
                order.creditor_phone = Some(
                    Phone::parse(phone)
                        .map_err(|error| format!("phone: {error}"))?
                        .to_string(),
                );
                order.chosen_bank = bank.clone();
                order.creditor_person = person.clone();
            }
            Payee::Account {
                bank,
                iban,
                name,
                person,
            } => {
                order.creditor_agent = Bic::parse(bank)
                    .map_err(|error| format!("bank: {error}"))?
                    .as_str()
                    .to_string();
                order.creditor_iban = Some(iban.clone());
                order.creditor_name = Some(name.clone());
                order.creditor_person = person.clone();
            }
            Payee::Qr { code } => {
                let code = QrCode::decode(code).map_err(|error| format!("code: {error}"))?;
                let fields = code.fields();
                order.service = TransferService::Qr;
                order.creditor_agent = fields.merchant.bank.as_str().to_string();
                order.creditor_iban = Some(fields.merchant.iban.as_str().to_string());
                order.creditor_name = Some(fields.name.clone());
                order.creditor_person = fields.merchant.bin.map(|bin| bin.to_string());
                order.qr_id = Some(
                    fields
                        .id
                        .map_or_else(|| "STATIC".to_string(), |id| id.as_str().to_string()),
                );
                amount_of_code = fields.amount;
            }
        }
        if pay.me2me {
            order.service = TransferService::Me2Me;
            order.creditor_person = Some(
                order
                    .creditor_person
                    .unwrap_or_else(|| order.payer.person.to_string()),
            );
        }
        Ok((order, amount_of_code))
    }

    fn send_payment(&mut self, payment: Payment, now: u64) -> Result<Value, String> {
        let bic = self.config.bic.as_str().to_string();
        let texts = Texts::of(&payment);
        let written = texts
            .as_ref()
            .and_then(|texts| transfer(&payment, texts, &bic, now));
        let Some(transfer) = written else {
            return Err("transaction_id: a received payment cannot be sent again".into());
        };
        let mut body = Vec::with_capacity(4096);
        let header = self.header(&bic, &payment.message_id, now);
        write::credit_transfer(&mut body, Some(&header), &transfer, &CARRIED);
        let sent = self.note_sent(payment);
        self.post(body);
        serde_json::to_value(sent).map_err(|error| error.to_string())
    }

    /// Notes a payment that goes out; the first under its identifiers is the one that is kept.
    fn note_sent(&mut self, payment: Payment) -> SentPayment {
        self.books.sent(&payment.uetr, payment.tiyn);
        let message = self.messages.entry(payment.message_id.clone());
        message.or_default().push(payment.uetr.clone());
        let sent = SentPayment {
            transaction_id: payment.transaction_id.clone(),
            uetr: payment.uetr.clone(),
            message_id: payment.message_id.clone(),
            amount: decimal(payment.tiyn),
        };
        self.sent
            .entry(payment.transaction_id.clone())
            .or_insert(payment);
        sent
    }

    pub(crate) fn return_payment(
        &mut self,
        uetr: &str,
        amount: Option<&str>,
        reason: &str,
        now: u64,
    ) -> Result<Value, String> {
        let payment = self
            .received
            .get(uetr)
            .ok_or_else(|| format!("uetr: `{uetr}` was not received"))?
            .clone();
        let tiyn = match amount {
            Some(text) => Money::parse(text, Asset::Kzt)
                .map_err(|error| format!("amount: {error}"))?
                .minor(),
            None => payment.tiyn,
        };
        let (return_id, message_id) = (self.identifier('R'), self.identifier('M'));
        let bic = self.config.bic.as_str().to_string();
        let payment_return = Return {
            message_id: &message_id,
            created_ns: now,
            instructing_agent: &bic,
            instructed_agent: None,
            settlement_date: None,
            return_id: &return_id,
            original: original(&payment, "pacs.008.001.10"),
            original_tiyn: None,
            tiyn,
            reason,
            reason_text: None,
        };
        let mut body = Vec::with_capacity(4096);
        write::payment_return(
            &mut body,
            Some(&self.header(&bic, &message_id, now)),
            &payment_return,
        );
        self.returning.insert(message_id.clone(), tiyn);
        self.post(body);
        Ok(json!({ "return_id": return_id, "message_id": message_id, "amount": decimal(tiyn) }))
    }

    pub(crate) fn recall(&mut self, uetr: &str, reason: &str, now: u64) -> Result<Value, String> {
        let payment = self.sent.values().find(|payment| payment.uetr == uetr);
        let payment = payment
            .ok_or_else(|| format!("uetr: `{uetr}` was not sent"))?
            .clone();
        let (assignment, cancellation_id) = (self.identifier('A'), self.identifier('C'));
        let bic = self.config.bic.as_str().to_string();
        let switch = self.config.switch_bic.as_str().to_string();
        let request = CancellationRequest {
            assignment: Assignment {
                id: &assignment,
                assigner: &bic,
                assignee: &switch,
                created_ns: now,
            },
            case_id: None,
            cancellation_id: &cancellation_id,
            original: original(&payment, "pacs.008.001.10"),
            original_tiyn: None,
            reason,
            reason_text: None,
        };
        let mut body = Vec::with_capacity(4096);
        write::cancellation_request(
            &mut body,
            Some(&self.header(&bic, &assignment, now)),
            &request,
        );
        self.post(body);
        Ok(json!({ "cancellation_id": cancellation_id, "message_id": assignment }))
    }

    pub(crate) fn refuse_recall(
        &mut self,
        uetr: &str,
        reason: &str,
        now: u64,
    ) -> Result<Value, String> {
        let recalled = self
            .recalls
            .get(uetr)
            .ok_or_else(|| format!("uetr: `{uetr}` was not recalled"))?
            .clone();
        let (assignment, status_id) = (self.identifier('A'), self.identifier('S'));
        let bic = self.config.bic.as_str().to_string();
        let switch = self.config.switch_bic.as_str().to_string();
        let resolution = Resolution {
            assignment: Assignment {
                id: &assignment,
                assigner: &bic,
                assignee: &switch,
                created_ns: now,
            },
            case_id: recalled.case_id.as_deref(),
            status_id: Some(&status_id),
            original: Original {
                message_id: None,
                message_name: None,
                instruction_id: None,
                end_to_end_id: None,
                transaction_id: &recalled.transaction_id,
                uetr,
            },
            status: CancellationStatus::Refused,
            reason: Some(reason),
            reason_text: None,
        };
        let mut body = Vec::with_capacity(4096);
        write::resolution(
            &mut body,
            Some(&self.header(&bic, &assignment, now)),
            &resolution,
        );
        self.post(body);
        Ok(json!({ "message_id": assignment }))
    }

    pub(crate) fn ask_status(
        &mut self,
        uetr: &str,
        transaction_id: &str,
        now: u64,
    ) -> Result<Value, String> {
        let (message_id, request_id) = (self.identifier('M'), self.identifier('Q'));
        let bic = self.config.bic.as_str().to_string();
        let request = StatusRequest {
            message_id: &message_id,
            created_ns: now,
            instructing_agent: &bic,
            instructed_agent: None,
            request_id: Some(&request_id),
            original: Original {
                message_id: None,
                message_name: None,
                instruction_id: None,
                end_to_end_id: None,
                transaction_id,
                uetr,
            },
            accepted_ns: None,
        };
        let mut body = Vec::with_capacity(4096);
        write::status_request(
            &mut body,
            Some(&self.header(&bic, &message_id, now)),
            &request,
        );
        self.post(body);
        Ok(json!({ "message_id": message_id }))
    }

    pub(crate) fn look_up(
        &mut self,
        phone: &str,
        person: Option<&str>,
        bank: Option<&str>,
        now: u64,
    ) -> Result<Value, String> {
        let phone = Phone::parse(phone)
            .map_err(|error| format!("phone: {error}"))?
            .to_string();
        let (message_id, verification_id) = (self.identifier('M'), self.identifier('V'));
        let bic = self.config.bic.as_str().to_string();
        let switch = self.config.switch_bic.as_str().to_string();
        let request = VerificationRequest {
            assignment: Assignment {
                id: &message_id,
                assigner: &bic,
                assignee: &switch,
                created_ns: now,
            },
            verification_id: &verification_id,
            party: Party {
                name: None,
                number: person.map(person_number),
                phone: None,
            },
            iban: None,
            phone: Some(&phone),
            agent: bank,
        };
        let mut body = Vec::with_capacity(4096);
        write::verification_request(
            &mut body,
            Some(&self.header(&bic, &message_id, now)),
            &request,
        );
        self.post(body);
        Ok(json!({ "message_id": message_id, "verification_id": verification_id }))
    }

    /// Sends a JSON command; a missing `reference` is filled in.
    pub(crate) fn json_command(&mut self, mut command: Value) -> Result<Value, String> {
        let reference = match command.get("reference").and_then(Value::as_str) {
            Some(reference) => reference.to_string(),
            None => self.identifier('J'),
        };
        let object = command
            .as_object_mut()
            .ok_or("command: must be an object")?;
        object.insert("reference".into(), reference.clone().into());
        self.outgoing.push(Letter {
            content_type: ContentType::CommandJson,
            body: command.to_string().into_bytes(),
        });
        Ok(json!({ "reference": reference }))
    }

    pub(crate) fn post(&mut self, body: Vec<u8>) {
        self.outgoing.push(Letter {
            content_type: ContentType::Iso20022Xml,
            body,
        });
    }

    pub(crate) fn header<'a>(
        &'a self,
        bic: &'a str,
        message_id: &'a str,
        now: u64,
    ) -> BusinessHeader<'a> {
        BusinessHeader {
            from: bic,
            to: self.config.switch_bic.as_str(),
            message_id,
            service: None,
            created_ns: now,
            possible_duplicate: false,
        }
    }
}

/// What later messages repeat of a payment.
fn original<'a>(payment: &'a Payment, message_name: &'a str) -> Original<'a> {
    Original {
        message_id: Some(&payment.message_id),
        message_name: Some(message_name),
        instruction_id: None,
        end_to_end_id: Some(&payment.end_to_end_id),
        transaction_id: &payment.transaction_id,
        uetr: &payment.uetr,
    }
}

/// A BIN has 4, 5 or 6 as its fifth digit.
fn person_number(digits: &str) -> PersonNumber<'_> {
    match digits.as_bytes().get(4) {
        Some(b'4'..=b'6') => PersonNumber::Bin(digits),
        _ => PersonNumber::Iin(digits),
    }
}

/// Tenge with two decimals.
pub(crate) fn decimal(tiyn: u64) -> String {
    format!("{}.{:02}", tiyn / 100, tiyn % 100)
}
