use torap_domain::card::{Channel, EntryMode, Mcc, ResponseCode};
use torap_domain::{CardService, Money, Text};
use torap_engine::cards::{
    Class, Command, KeyCommand, KeyUses, MacFact, NetworkAction, PinFact, Side, StopAction,
    StopCause, Verdict,
};
use torap_iso8583::Message;

use super::rig::{ready, ready_in, request};
use crate::card::evidence::Evidence;
use crate::card::fixtures::{
    ACQUIRER, ISSUER, PAN, SCHEME, TRACK2, fields, key, network, purchase, purchase_with, vault,
    written,
};
use crate::card::keys::KeyRing;
use crate::card::members::CardNetwork;
use crate::card::secrets;

/// DE90 of the purchase of the fixtures.
const ORIGINAL: &str = "020000041711211304050000000060100000000900";

#[test]
fn a_purchase_becomes_a_request_with_its_facts() {
    let request = request(&ready(ACQUIRER, &purchase()));
    let transaction = request.transaction;
    assert_eq!(transaction.class, Class::Financial);
    assert_eq!(transaction.service, CardService::Purchase);
    assert_eq!(transaction.channel, Channel::Pos);
    assert_eq!(transaction.entry, EntryMode::Stripe);
    assert_eq!(transaction.mcc, Mcc::new(5411).unwrap());
    assert_eq!(transaction.amount, Money::kzt(150_000));
    assert_eq!(transaction.mac, MacFact::NotRequired);
    assert_eq!(transaction.references.retrieval.as_str(), "632613000417");
    assert_eq!(transaction.references.terminal.as_str(), "TERM0001");
    assert_eq!(transaction.references.trace.stan.value(), 417);
    assert_eq!(transaction.card.pan.to_string(), "999999******0013");
    assert_eq!(transaction.route.unwrap().version, 3);
    assert_eq!(request.pin, PinFact::Absent);
    assert!(!request.repeat && !request.token && !request.partial_supported);
}

#[test]
fn evidence_holds_nothing_that_may_not_be_kept_and_opens_where_it_must() {
    let intake = ready(ACQUIRER, &purchase());
    let kept: &[u8] = &intake.evidence;
    for secret in [&PAN.as_bytes()[6..12], TRACK2.as_bytes(), b"CV03123"] {
        let found = kept.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{} is kept", secret.escape_ascii());
    }
    let evidence = Evidence::read(kept).unwrap();
    assert_eq!(
        evidence.message().unwrap().get(37),
        Some(&b"632613000417"[..])
    );
    let card = request(&intake).transaction.card.hash;
    let opened = vault().open(evidence.sealed.unwrap(), card).unwrap();
    assert_eq!(opened.digits(), PAN.as_bytes());
    // The memory holds the message as it came.
    assert_eq!(secrets::read(&intake.secrets).unwrap().message, purchase());
    assert!(!format!("{intake:?}").contains(&PAN[6..12]));
}

#[test]
fn a_repeat_is_the_same_transaction_and_other_content_is_not() {
    let first = request(&ready(ACQUIRER, &purchase())).transaction;
    let repeat = request(&ready(ACQUIRER, &written(201, &purchase_with(&[]))));
    assert!(repeat.repeat);
    assert_eq!(repeat.transaction.key, first.key);
    assert_eq!(repeat.transaction.fingerprint, first.fingerprint);
    let other = written(200, &purchase_with(&[(4, "000000150001")]));
    let other = request(&ready(ACQUIRER, &other)).transaction;
    assert_eq!(other.key, first.key);
    assert_ne!(other.fingerprint, first.fingerprint);
    for change in [
        (7, "1121130406"),
        (11, "000418"),
        (37, "632613000418"),
        (41, "TERM0002"),
    ] {
        let other = request(&ready(ACQUIRER, &written(200, &purchase_with(&[change]))));
        assert_ne!(other.transaction.key, first.key, "{change:?}");
    }
    assert_ne!(
        request(&ready(ISSUER, &purchase())).transaction.key,
        first.key
    );
}

#[test]
fn services_channels_and_entry_modes_follow_their_codes() {
    let check = |changes: &[(u8, &str)], service, channel, entry| {
        let transaction =
            request(&ready(ACQUIRER, &written(100, &purchase_with(changes)))).transaction;
        assert_eq!(
            (transaction.service, transaction.channel, transaction.entry),
            (service, channel, entry),
            "{changes:?}"
        );
    };
    use CardService as S;
    use Channel as C;
    use EntryMode as E;
    check(&[(24, "101")], S::PreAuthorisation, C::Pos, E::Stripe);
    check(
        &[(3, "200000"), (48, "CH03BRN")],
        S::Refund,
        C::Pos,
        E::Stripe,
    );
    check(
        &[(3, "310000"), (48, "CH03ATM")],
        S::BalanceEnquiry,
        C::Atm,
        E::Stripe,
    );
    check(
        &[(22, "812"), (35, ""), (48, "CH03WEBEC0205")],
        S::Purchase,
        C::Web,
        E::ECommerce,
    );
    check(
        &[(22, "102"), (35, ""), (48, "CH03MOB")],
        S::Purchase,
        C::Mobile,
        E::CardOnFile,
    );
    check(&[(22, "011"), (35, "")], S::Purchase, C::Pos, E::Manual);
    check(&[(22, "801")], S::Purchase, C::Pos, E::Fallback);
    check(&[(22, "911")], S::Purchase, C::Pos, E::ContactlessStripe);
    check(
        &[(3, "260000"), (48, "CH03MOBSN04ALMA")],
        S::P2pCredit,
        C::Mobile,
        E::Stripe,
    );
}

#[test]
fn cash_back_is_read_from_its_place() {
    let amounts = "0002398C0000000999990040398D000000050000";
    let changes = [(3, "090000"), (54, amounts)];
    let transaction =
        request(&ready(ACQUIRER, &written(200, &purchase_with(&changes)))).transaction;
    assert_eq!(transaction.service, CardService::PurchaseWithCashBack);
    assert_eq!(transaction.cash_back, Money::kzt(50_000));
}

#[test]
fn a_reversal_names_its_original_and_has_a_key_of_its_own() {
    let original = request(&ready(ACQUIRER, &purchase())).transaction;
    let changes = [
        (7, "1121130505"),
        (11, "000418"),
        (12, "180505"),
        (24, "401"),
        (35, ""),
        (48, ""),
        (90, ORIGINAL),
        (95, "000000100000000000000000C00000000C00000000"),
    ];
    for mti in [400, 401, 420, 421] {
        let intake = ready(ACQUIRER, &written(mti, &purchase_with(&changes)));
        let Command::Reversal(reversal) = &intake.command else {
            panic!("no reversal: {intake:?}");
        };
        assert_eq!(reversal.original.key, original.key);
        assert_eq!(reversal.original.class, Class::Financial);
        assert_eq!(reversal.original.trace, original.references.trace);
        assert_ne!(reversal.key, original.key);
        assert_eq!(reversal.stands, Some(Money::kzt(100_000)));
        assert_eq!(
            (reversal.advice, reversal.repeat),
            (mti >= 420, mti % 2 == 1)
        );
        // It is never sent on: nothing is sealed and nothing kept in memory.
        assert!(Evidence::read(&intake.evidence).unwrap().sealed.is_none());
        assert!(intake.secrets.is_empty());
    }
}

#[test]
fn a_completion_names_the_authorisation_it_completes() {
    let authorisation = request(&ready(
        ACQUIRER,
        &written(100, &purchase_with(&[(24, "101")])),
    ));
    let original = "010000041711211304050000000060100000000900";
    let changes = [
        (11, "000500"),
        (24, "202"),
        (35, ""),
        (38, "A00001"),
        (90, original),
    ];
    let intake = ready(ACQUIRER, &written(220, &purchase_with(&changes)));
    let Command::Advice(advice) = &intake.command else {
        panic!("no advice: {intake:?}");
    };
    let completes = advice.completes.unwrap();
    assert_eq!(completes.key, authorisation.transaction.key);
    assert_eq!(completes.class, Class::Authorisation);
    assert_eq!(advice.approval.unwrap().as_str(), "A00001");
    assert!(Evidence::read(&intake.evidence).unwrap().sealed.is_some());
}

/// An answer of the issuer to the purchase.
fn answer(changes: &[(u8, &str)]) -> Vec<u8> {
    let mut answer = purchase_with(&[
        (2, ""),
        (12, ""),
        (13, ""),
        (14, ""),
        (18, ""),
        (22, ""),
        (24, ""),
        (25, ""),
        (35, ""),
        (38, "B00002"),
        (39, "00"),
        (42, ""),
        (43, ""),
        (48, ""),
        (61, ""),
    ]);
    for (number, value) in changes {
        answer.retain(|(field, _)| field != number);
        if !value.is_empty() {
            answer.push((*number, value.as_bytes().to_vec()));
        }
    }
    written(210, &answer)
}

#[test]
fn an_issuers_answer_becomes_a_verdict() {
    let check = |changes: &[(u8, &str)], expected: Verdict| {
        let intake = ready(ISSUER, &answer(changes));
        let Command::Answer(answer) = &intake.command else {
            panic!("no answer: {intake:?}");
        };
        assert_eq!(answer.verdict, expected, "{changes:?}");
        assert_eq!(answer.trace.stan.value(), 417);
    };
    let approval = torap_domain::card::ApprovalCode::parse(b"B00002").ok();
    check(
        &[],
        Verdict::Approve {
            approval,
            part: None,
        },
    );
    let part = Some(Money::kzt(100_000));
    check(
        &[(39, "10"), (4, "000000100000")],
        Verdict::Approve { approval, part },
    );
    for code in ["51", "08", "ZZ"] {
        let declined = ResponseCode::parse(code.as_bytes()).unwrap();
        check(&[(39, code), (38, "")], Verdict::Decline { code: declined });
    }
}

#[test]
fn acknowledgements_carry_trace_and_code() {
    let intake = ready(ISSUER, &answer(&[(39, "96"), (38, "")]).clone());
    assert!(matches!(intake.command, Command::Answer(_)));
    let mut acknowledged = answer(&[]);
    acknowledged[..4].copy_from_slice(b"0230");
    let intake = ready(ISSUER, &acknowledged);
    let Command::Acknowledged(acknowledged) = &intake.command else {
        panic!("not acknowledged: {intake:?}");
    };
    assert_eq!(acknowledged.code, ResponseCode::APPROVED);
    let cut_over = fields(&[
        (7, "1121130405"),
        (11, "000001"),
        (33, "722"),
        (39, "00"),
        (70, "201"),
    ]);
    let intake = ready(ISSUER, &written(810, &cut_over));
    assert!(
        matches!(intake.command, Command::Acknowledged(_)),
        "{intake:?}"
    );
}

#[test]
fn a_stop_list_update_says_what_to_do_with_which_card() {
    let update = |action: &str, record: &str| {
        let mut list = fields(&[
            (2, PAN),
            (7, "1121130405"),
            (11, "000001"),
            (33, "722"),
            (91, action),
            (101, "STOP"),
        ]);
        if !record.is_empty() {
            list.push((120, record.as_bytes().to_vec()));
        }
        let intake = ready(ISSUER, &written(302, &list));
        match intake.command {
            Command::FileUpdate(update) => update.action,
            other => panic!("no update: {other:?}"),
        }
    };
    let stop = |cause| StopAction::Stop { cause };
    assert_eq!(update("1", "RS0201"), stop(StopCause::Lost));
    assert_eq!(update("2", "RS0202"), stop(StopCause::Stolen));
    assert_eq!(update("1", "RS0204"), stop(StopCause::Restricted));
    assert_eq!(update("3", ""), StopAction::Release);
}

#[test]
fn totals_are_of_the_side_whose_code_stands_there() {
    let check = |data: &str, side: Side| {
        let mut list = fields(&[
            (7, "1121130405"),
            (11, "000001"),
            (15, "1121"),
            (24, "500"),
            (33, "722"),
            (50, "398"),
            (63, data),
            (97, "C0000000000150000"),
        ]);
        for (field, value) in [(74, 1), (75, 2), (76, 3), (77, 4)] {
            list.push((field, format!("{value:010}").into_bytes()));
        }
        for (field, value) in [(86, 10), (87, 20), (88, 30), (89, 40)] {
            list.push((field, format!("{value:016}").into_bytes()));
        }
        let intake = ready(ISSUER, &written(520, &list));
        let Command::Reconciliation(asked) = &intake.command else {
            panic!("no reconciliation: {intake:?}");
        };
        assert_eq!((asked.side, asked.advice), (side, true));
        assert_eq!(asked.session.value(), 1121);
        let totals = asked.totals;
        let sums = [
            totals.credits,
            totals.credit_reversals,
            totals.debits,
            totals.debit_reversals,
        ];
        let values = sums.map(|sum| (sum.count, sum.amount.minor()));
        assert_eq!(values, [(1, 10), (2, 20), (3, 30), (4, 40)]);
    };
    check("0020102026112101005004KSPI", Side::Acquirer);
    check("0020102026112101004004HSBK", Side::Issuer);
}

#[test]
fn network_messages_become_their_action() {
    let check = |changes: &[(u8, &str)], expected: NetworkAction| {
        let mut list = fields(&[(7, "1121130405"), (11, "000001"), (33, "601")]);
        list.extend(fields(changes));
        let intake = ready(ACQUIRER, &written(800, &list));
        let Command::Network(network) = &intake.command else {
            panic!("no network message: {intake:?}");
        };
        assert_eq!(network.action, expected);
    };
    check(&[(70, "001")], NetworkAction::SignOn);
    check(&[(70, "002")], NetworkAction::SignOff);
    check(&[(70, "201"), (15, "1122")], NetworkAction::CutOver);
    let key_set = 4;
    check(
        &[(70, "161"), (53, "0000000401000004")],
        NetworkAction::KeyChange { key_set },
    );
}

#[test]
fn a_member_asks_for_the_keys_that_it_has() {
    let asked = |network: &CardNetwork, data: Option<&str>| {
        let mut list = fields(&[(7, "1121130405"), (11, "000001"), (33, "601"), (70, "162")]);
        if let Some(data) = data {
            list.push((125, data.as_bytes().to_vec()));
        }
        ready_in(network, ACQUIRER, &written(800, &list)).command
    };
    let without = network();
    let mut keys: KeyRing = (*without.keys).clone();
    keys.members.get_mut(&ACQUIRER).unwrap().key_encryption = Some(key("K0AB", '5'));
    let with = network().with_keys(keys.into());
    for (data, pin, mac) in [
        (None, true, true),
        (Some("KU001P"), true, false),
        (Some("KU001M"), false, true),
    ] {
        let Command::Network(network) = asked(&with, data) else {
            panic!("{data:?}");
        };
        let uses = KeyUses { pin, mac };
        assert_eq!(network.action, NetworkAction::KeyRequest { uses });
    }
    for (network, data, rule) in [
        (&with, Some("KU001X"), "key-use"),
        (&without, None, "no-key-encryption-key"),
    ] {
        let Command::Malformed(malformed) = asked(network, data) else {
            panic!("{rule}");
        };
        assert_eq!(malformed.rule.as_str(), rule);
    }
}

#[test]
fn the_answer_to_a_key_tells_the_check_value_in_capitals() {
    let answered = |purpose: &str, data: Option<&str>| {
        let mut list = fields(&[
            (7, "1121130405"),
            (11, "000001"),
            (33, "601"),
            (39, "00"),
            (70, purpose),
        ]);
        if let Some(data) = data {
            list.push((125, data.as_bytes().to_vec()));
        }
        ready(ACQUIRER, &written(810, &list)).command
    };
    let value = |command| match command {
        Command::Keys(KeyCommand::Answer(answer)) => answer.check_value,
        other => panic!("{other:?}"),
    };
    let stated = value(answered("101", Some("KS006000005KU001PKV006a1b2c3")));
    assert_eq!(stated, Some(Text::truncated("A1B2C3")));
    assert_eq!(value(answered("101", Some("KS006000005"))), None);
    assert_eq!(value(answered("101", None)), None);
    assert!(matches!(answered("161", None), Command::Acknowledged(_)));
}

#[test]
fn a_schemes_answer_is_one_only_from_a_scheme() {
    let list = fields(&[
        (7, "1121130405"),
        (11, "000001"),
        (33, "777"),
        (37, "632613000417"),
        (39, "00"),
        (48, "FS03120"),
    ]);
    let intake = ready(SCHEME, &written(610, &list));
    let Command::SchemeAnswer(answer) = &intake.command else {
        panic!("no answer of a scheme: {intake:?}");
    };
    assert_eq!(answer.declines, None);
    assert!(secrets::read(&intake.secrets).is_some());
    let intake = ready(ISSUER, &written(610, &list));
    assert!(
        matches!(intake.command, Command::Acknowledged(_)),
        "{intake:?}"
    );
}

#[test]
fn the_image_that_is_kept_still_parses_for_every_kind() {
    let intake = ready(ACQUIRER, &purchase());
    let evidence = Evidence::read(&intake.evidence).unwrap();
    let message = Message::parse(evidence.dialect, evidence.image).unwrap();
    assert_eq!(
        message.fields(),
        Message::parse(evidence.dialect, &purchase())
            .unwrap()
            .fields()
    );
    assert!(network().member(ACQUIRER).is_some());
}
