//! Every message with values that nobody chose: written, it is valid against its schema, and reads back equal.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use torap_domain::{BankCode, Iban, IinBin};
use torap_iso20022::profile::Direction;
use torap_iso20022::view::{
    Assignment, Body, Original, Parameters, Party, PersonNumber, Reader, TransferService,
};

use crate::formats::formats;
use crate::samples::{all, header, identifier};
use crate::written;
use crate::written::is_valid_by_xmllint;

/// Values of each message that xmllint looks at.
const XMLLINT_ROUNDS: usize = 8;

/// What messages are filled with. Times are whole milliseconds, as they are written.
#[derive(Clone, Debug)]
struct Values {
    ids: [String; 6],
    uetr: String,
    tiyn: u64,
    created_ns: u64,
    accepted_ns: u64,
    debtor_iban: String,
    creditor_iban: String,
    persons: [String; 2],
    text: String,
    name: String,
    phone: String,
    reason: String,
    /// Which of the optional fields are left out, by bit.
    left_out: u8,
}

fn values() -> impl Strategy<Value = Values> {
    let id = "[A-Za-z0-9/-]{1,35}";
    let ids = [id, id, id, id, id, id];
    let uetr = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    let milliseconds = 1_577_836_800_000..4_102_444_800_000_u64;
    let text = "[!-~А-Яа-яӘәҚқ][ -~А-Яа-яӘәҚқ]{0,68}[!-~А-Яа-яӘәҚқ]";
    let iban = || {
        (0..1000_u16, "[0-9A-Z]{13}").prop_map(|(bank, account)| {
            let bank = BankCode::from_value(bank).unwrap();
            Iban::for_kz(bank, &account).unwrap().as_str().to_owned()
        })
    };
    let person = || {
        (0..36_500_u64, 0..9_999_u64).prop_map(|(day, number)| {
            // Eleven digits: a date of birth, the century, a number; not every one was ever issued.
            let (year, month, day) = (day / 365, day / 31 % 12 + 1, day % 28 + 1);
            let first = (year * 10_000 + month * 100 + day) * 100_000 + 30_000 + number;
            let mut issued = (first..).filter_map(IinBin::with_check);
            issued.next().unwrap().to_string()
        })
    };
    (
        (
            ids,
            uetr,
            1..=99_999_999_999_999_u64,
            milliseconds.clone(),
            milliseconds,
        ),
        (iban(), iban(), [person(), person()], text, text),
        (
            "7(0[0-2578]|47|7[1568])[0-9]{7}",
            "[A-Z]{2}[0-9]{2}",
            any::<u8>(),
        ),
    )
        .prop_map(
            |(
                (ids, uetr, tiyn, created, accepted),
                (debtor_iban, creditor_iban, persons, text, name),
                (phone, reason, left_out),
            )| Values {
                ids,
                uetr,
                tiyn,
                created_ns: created * 1_000_000,
                accepted_ns: accepted * 1_000_000,
                debtor_iban,
                creditor_iban,
                persons,
                text,
                name,
                phone: format!("+7{phone}"),
                reason,
                left_out,
            },
        )
}

impl Values {
    fn keeps(&self, bit: u8) -> bool {
        self.left_out & 1 << bit == 0
    }

    fn text<'a>(&'a self, sample: &Option<Cow<'_, str>>) -> Option<Cow<'a, str>> {
        sample.as_ref()?;
        self.keeps(0).then_some(Cow::Borrowed(self.text.as_str()))
    }

    /// Another identifier where the sample has one; where it may be left out, sometimes none.
    fn id<'a>(&'a self, sample: Option<&str>, place: usize) -> Option<&'a str> {
        sample?;
        self.keeps(1).then(|| self.ids[place].as_str())
    }

    fn party<'a>(&'a self, sample: &Party<'_>, place: usize) -> Party<'a> {
        let person = self.persons[place].as_str();
        Party {
            name: sample
                .name
                .as_ref()
                .map(|_| Cow::Borrowed(self.name.as_str())),
            number: sample.number.map(|number| match number {
                PersonNumber::Iin(_) => PersonNumber::Iin(person),
                PersonNumber::Bin(_) => PersonNumber::Bin("980540000397"),
            }),
            phone: None,
        }
    }

    fn original<'a>(&'a self, sample: &Original<'a>) -> Original<'a> {
        Original {
            message_id: sample.message_id.map(|_| self.ids[1].as_str()),
            message_name: sample.message_name,
            instruction_id: self.id(sample.instruction_id, 2),
            end_to_end_id: sample.end_to_end_id.map(|_| self.ids[3].as_str()),
            transaction_id: &self.ids[4],
            uetr: &self.uetr,
        }
    }

    fn assignment<'a>(&'a self, sample: &Assignment<'a>) -> Assignment<'a> {
        Assignment {
            id: &self.ids[0],
            created_ns: self.created_ns,
            ..*sample
        }
    }

    /// The sample with these values in all of its fields but those that the profile gives a list for.
    fn fill<'a>(&'a self, sample: Body<'a>) -> Body<'a> {
        match sample {
            Body::CreditTransfer(mut transfer) => {
                let own = transfer.service == TransferService::Me2Me;
                transfer.message_id = &self.ids[0];
                transfer.created_ns = self.created_ns;
                transfer.instruction_id = self.id(transfer.instruction_id, 2);
                transfer.end_to_end_id = &self.ids[3];
                transfer.transaction_id = &self.ids[4];
                transfer.uetr = &self.uetr;
                transfer.tiyn = self.tiyn;
                transfer.accepted_ns = self.accepted_ns;
                transfer.debtor = self.party(&transfer.debtor, 0);
                transfer.creditor = self.party(&transfer.creditor, usize::from(!own));
                transfer.debtor_iban = &self.debtor_iban;
                transfer.creditor_iban = transfer.creditor_iban.map(|_| &*self.creditor_iban);
                transfer.creditor_phone = transfer.creditor_phone.map(|_| &*self.phone);
                transfer.remittance = self.text(&transfer.remittance);
                Body::CreditTransfer(transfer)
            }
            Body::StatusReport(mut report) => {
                report.message_id = &self.ids[0];
                report.created_ns = self.created_ns;
                report.status_id = self.id(report.status_id, 5);
                report.original = self.original(&report.original);
                report.reason = report.reason.map(|_| &*self.reason);
                report.reason_text = self.text(&report.reason_text);
                report.accepted_ns = report.accepted_ns.map(|_| self.accepted_ns);
                report.clearing_reference = self.id(report.clearing_reference, 5);
                Body::StatusReport(report)
            }
            Body::Return(mut payment_return) => {
                payment_return.message_id = &self.ids[0];
                payment_return.created_ns = self.created_ns;
                payment_return.return_id = &self.ids[5];
                payment_return.original = self.original(&payment_return.original);
                payment_return.original_tiyn = self.keeps(2).then_some(self.tiyn);
                payment_return.tiyn = self.tiyn;
                payment_return.reason_text = self.text(&payment_return.reason_text);
                Body::Return(payment_return)
            }
            Body::StatusRequest(mut request) => {
                request.message_id = &self.ids[0];
                request.created_ns = self.created_ns;
                request.request_id = self.id(request.request_id, 5);
                request.original = self.original(&request.original);
                request.accepted_ns = self.keeps(2).then_some(self.accepted_ns);
                Body::StatusRequest(request)
            }
            Body::CancellationRequest(mut request) => {
                request.assignment = self.assignment(&request.assignment);
                request.case_id = self.id(request.case_id, 5);
                request.cancellation_id = &self.ids[5];
                request.original = self.original(&request.original);
                request.original_tiyn = self.keeps(2).then_some(self.tiyn);
                request.reason_text = self.text(&request.reason_text);
                Body::CancellationRequest(request)
            }
            Body::Resolution(mut resolution) => {
                resolution.assignment = self.assignment(&resolution.assignment);
                resolution.case_id = self.id(resolution.case_id, 5);
                resolution.status_id = self.id(resolution.status_id, 5);
                resolution.original = self.original(&resolution.original);
                resolution.reason_text = self.text(&resolution.reason_text);
                Body::Resolution(resolution)
            }
            Body::VerificationRequest(mut request) => {
                request.assignment = self.assignment(&request.assignment);
                request.verification_id = &self.ids[5];
                request.party = self.party(&request.party, 1);
                request.iban = request.iban.map(|_| &*self.creditor_iban);
                request.phone = request.phone.map(|_| &*self.phone);
                Body::VerificationRequest(request)
            }
            Body::VerificationReport(mut report) => {
                report.assignment = self.assignment(&report.assignment);
                report.original_message_id = self.id(report.original_message_id, 1);
                report.verification_id = &self.ids[5];
                report.name = report.name.map(|_| Cow::Borrowed(&*self.name));
                report.phone = report.phone.map(|_| &*self.phone);
                Body::VerificationReport(report)
            }
            Body::Reject(mut reject) => {
                reject.related = Cow::Borrowed(&self.ids[0]);
                reject.rejected_ns = self.keeps(2).then_some(self.created_ns);
                reject.description = self.text(&reject.description);
                reject.additional = self.text(&reject.additional);
                Body::Reject(reject)
            }
            Body::EventNotice(mut notice) => {
                let parameters = [&*self.ids[1], &*self.ids[2], &*self.ids[3]];
                notice.parameters = Parameters::from_slice(&parameters).unwrap();
                notice.description = self.text(&notice.description);
                notice.time_ns = self.keeps(2).then_some(self.created_ns);
                Body::EventNotice(notice)
            }
            Body::EventAcknowledgement(mut acknowledgement) => {
                acknowledgement.message_id = &self.ids[0];
                acknowledgement.originator_reference =
                    self.id(acknowledgement.originator_reference, 1);
                acknowledgement.parameters = Parameters::from_slice(&[&*self.ids[2]]).unwrap();
                Body::EventAcknowledgement(acknowledgement)
            }
            Body::SettlementTransfer(mut transfer) => {
                transfer.message_id = &self.ids[0];
                transfer.created_ns = self.created_ns;
                transfer.instruction_id = self.id(transfer.instruction_id, 2);
                transfer.end_to_end_id = &self.ids[3];
                transfer.transaction_id = &self.ids[4];
                transfer.uetr = &self.uetr;
                transfer.tiyn = self.tiyn;
                transfer.is_high = self.keeps(2);
                Body::SettlementTransfer(transfer)
            }
            Body::LiquidityTransfer(mut transfer) => {
                transfer.message_id = &self.ids[0];
                transfer.created_ns = self.created_ns;
                transfer.to_position = self.keeps(2);
                transfer.tiyn = self.tiyn;
                Body::LiquidityTransfer(transfer)
            }
            Body::Receipt(mut receipt) => {
                receipt.message_id = &self.ids[0];
                receipt.created_ns = self.created_ns;
                receipt.original_message_id = &self.ids[1];
                receipt.description = self.text(&receipt.description);
                Body::Receipt(receipt)
            }
            Body::AccountRequest(mut request) => {
                request.message_id = &self.ids[0];
                request.created_ns = self.created_ns;
                request.is_statement = self.keeps(2);
                request.from_sequence = request.from_sequence.filter(|_| self.keeps(3));
                Body::AccountRequest(request)
            }
            Body::AccountQuery(mut query) => {
                query.message_id = &self.ids[0];
                query.created_ns = self.created_ns;
                Body::AccountQuery(query)
            }
            Body::PaymentQuery(mut query) => {
                query.message_id = &self.ids[0];
                query.created_ns = self.created_ns;
                query.transaction_id = query.transaction_id.filter(|_| self.keeps(2));
                query.uetr = query.uetr.filter(|_| self.keeps(3));
                query.status = query.status.filter(|_| self.keeps(4));
                query.tiyn = query.tiyn.filter(|_| self.keeps(5));
                Body::PaymentQuery(query)
            }
            Body::PaymentChange(mut change) => {
                change.message_id = &self.ids[0];
                change.created_ns = self.created_ns;
                change.from_ns = change.from_ns.filter(|_| self.keeps(2));
                change.till_ns = change.till_ns.filter(|_| self.keeps(3));
                Body::PaymentChange(change)
            }
            Body::Other => Body::Other,
            Body::Clearing => Body::Clearing,
        }
    }
}

proptest! {
    #[test]
    fn any_message_that_is_written_reads_back_equal(values in values()) {
        let mut reader = Reader::new(formats());
        for (name, sample) in all() {
            let body = values.fill(sample);
            let mut header = header(identifier(&body));
            header.created_ns = values.created_ns;
            header.possible_duplicate = values.keeps(3);
            for header in [None, Some(header)] {
                let bytes = written(header.as_ref(), &body);
                match reader.read(&bytes, Direction::Either) {
                    Ok(message) => prop_assert_eq!((message.header, &message.body), (header, &body), "{}", name),
                    Err(refusal) => prop_assert!(false, "{}: {}\n{}", name, refusal, String::from_utf8_lossy(&bytes)),
                }
            }
        }
    }
}

#[test]
fn any_message_that_is_written_is_valid_for_xmllint() {
    let mut runner = TestRunner::deterministic();
    let strategy = values();
    let drawn: Vec<Values> = (0..XMLLINT_ROUNDS)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let messages = drawn.iter().flat_map(|values| {
        let fill = |(name, sample)| (name, values.fill(sample));
        all().into_iter().map(fill)
    });
    is_valid_by_xmllint(messages);
}
