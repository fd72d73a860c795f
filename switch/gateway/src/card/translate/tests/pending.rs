use torap_domain::{CardReason, Position};
use torap_engine::cards::{Command, KEY_OVERLAP, KeyChange, KeyStage, KeyUses, MacFact, PinFact};
use torap_hsm::{
    CheckValue, Failure, NewKey, PinBlock, PinFormat, Request, Response, Status, Verdict,
};

use super::rig::{asked, inbound, request, translate_in};
use crate::card::fixtures::{
    ACQUIRER, ISSUER, key, network, network_with, purchase_with, view, written,
};
use crate::card::keys::{KeyRing, ZoneUse};
use crate::card::members::CardNetwork;
use crate::card::secrets;
use crate::card::translate::{Inbound, Pending, QuestionNumber as Q, Translated};

/// PIN format 0 under set 4, MAC with algorithm 3 under set 4.
const SECURITY: &str = "0000000401000004";
const BLOCK: [u8; 8] = [0xa1; 8];

fn with_pin(changes: &[(u8, &str)]) -> Vec<u8> {
    let mut fields = purchase_with(&[(53, SECURITY)]);
    fields.push((52, BLOCK.to_vec()));
    for (number, value) in changes {
        fields.retain(|(field, _)| field != number);
        fields.push((*number, value.as_bytes().to_vec()));
    }
    written(200, &fields)
}

fn with_mac() -> Vec<u8> {
    let mut fields = purchase_with(&[(53, "9900000001000004")]);
    fields.push((64, vec![0xee; 8]));
    written(200, &fields)
}

fn pin_of(mut pending: Box<Pending>, outcome: Result<Response, Failure>) -> PinFact {
    pending.answer(Q::TranslatePin, &outcome);
    assert!(pending.questions().is_empty());
    request(&pending.finish().0).pin
}

#[test]
fn a_pin_block_is_translated_to_the_issuers_key() {
    let mut pending = asked(&network(), &with_pin(&[]));
    assert_eq!(pending.questions(), [Q::TranslatePin]);
    let Some(Request::TranslatePin { from, to, pan }) = pending.request(Q::TranslatePin) else {
        panic!("no translation");
    };
    assert_eq!(from.key.as_str(), key("P0TB", '4').as_str());
    assert_eq!((from.format, to.format), (PinFormat::Iso0, PinFormat::Iso0));
    assert_eq!(from.block.as_bytes(), BLOCK);
    assert_eq!(pan.digits(), b"9999994712360013");
    let translated = PinBlock::from_bytes(&[0xb2; 8]).unwrap();
    pending.answer(
        Q::TranslatePin,
        &Ok(Response::TranslatePin(translated.clone())),
    );
    let (intake, _) = pending.finish();
    assert_eq!(request(&intake).pin, PinFact::Translated);
    let pin = secrets::read(&intake.secrets).unwrap().pin.unwrap();
    assert_eq!(
        (pin.block, pin.format, pin.set),
        (translated, PinFormat::Iso0, 4)
    );
}

#[test]
fn an_issuer_with_an_aes_key_gets_format_4() {
    let mut keys: KeyRing = (*network().keys).clone();
    keys.add(ISSUER, 4, ZoneUse::Pin, key("P0AB", '9'));
    let network = network().with_keys(keys.into());
    let pending = asked(&network, &with_pin(&[]));
    let Some(Request::TranslatePin { to, .. }) = pending.request(Q::TranslatePin) else {
        panic!("no translation");
    };
    assert_eq!(to.format, PinFormat::Iso4);
}

#[test]
fn what_the_hsm_says_of_a_pin_is_the_fact() {
    let refused = |status| Err(Failure::Refused(status));
    for (outcome, fact) in [
        (refused(Status::PinBlockInvalid), PinFact::Refused),
        (refused(Status::TranslationForbidden), PinFact::Refused),
        (refused(Status::Overloaded), PinFact::Unavailable),
        (refused(Status::InternalFault), PinFact::Unavailable),
        (Err(Failure::TimedOut), PinFact::Unavailable),
        (Err(Failure::LinkLost), PinFact::Unavailable),
        // An answer to something else is none.
        (
            Ok(Response::VerifyPin(Verdict::Right)),
            PinFact::Unavailable,
        ),
    ] {
        let pending = asked(&network(), &with_pin(&[]));
        assert_eq!(pin_of(pending, outcome.clone()), fact, "{outcome:?}");
    }
}

#[test]
fn a_pin_that_nobody_can_translate_is_refused_without_a_question() {
    for (network, message) in [
        // A set that is neither the newest nor the one before, and an unknown format.
        (network(), with_pin(&[(53, "0000000200000000")])),
        (network(), with_pin(&[(53, "0200000400000000")])),
        // The issuer has no keys of its newest set.
        (
            network_with(ISSUER, |profile| profile.key_set = 9),
            with_pin(&[]),
        ),
    ] {
        let Translated::Ready(intake) = translate_in(&network, &inbound(ACQUIRER, &message)) else {
            panic!("a question was asked");
        };
        assert_eq!(request(&intake).pin, PinFact::Refused);
    }
}

#[test]
fn keys_of_the_set_before_are_still_taken() {
    let pending = asked(&network(), &with_pin(&[(53, "0000000300000000")]));
    let Some(Request::TranslatePin { from, to, .. }) = pending.request(Q::TranslatePin) else {
        panic!("no translation");
    };
    assert_eq!(from.key.as_str(), key("P0TB", '3').as_str());
    assert_eq!(to.key.as_str(), key("P0TB", '4').as_str());
}

fn delegated() -> CardNetwork {
    let mut keys: KeyRing = (*network().keys).clone();
    keys.pin_verification.insert(9, key("V2TV", '7'));
    network().with_keys(keys.into())
}

#[test]
fn where_it_is_delegated_a_pin_is_also_tried() {
    let translated = Ok(Response::TranslatePin(
        PinBlock::from_bytes(&BLOCK).unwrap(),
    ));
    for (verdict, fact) in [
        (Ok(Response::VerifyPin(Verdict::Right)), PinFact::Verified),
        (Ok(Response::VerifyPin(Verdict::Wrong)), PinFact::Wrong),
        // The issuer will tell.
        (Err(Failure::TimedOut), PinFact::Translated),
    ] {
        let mut pending = asked(&delegated(), &with_pin(&[]));
        assert_eq!(pending.questions(), [Q::TranslatePin, Q::VerifyPin]);
        let Some(Request::VerifyPin { pvv, .. }) = pending.request(Q::VerifyPin) else {
            panic!("not tried");
        };
        assert_eq!((pvv.index(), pvv.digits()), (1, b"4321"));
        pending.answer(Q::VerifyPin, &verdict);
        assert_eq!(pin_of(pending, translated.clone()), fact);
    }
}

#[test]
fn a_mac_is_verified_over_everything_before_it() {
    let network = network_with(ACQUIRER, |profile| profile.mac = true);
    let message = with_mac();
    for (outcome, fact) in [
        (Ok(Response::VerifyMac(Verdict::Right)), MacFact::Good),
        (Ok(Response::VerifyMac(Verdict::Wrong)), MacFact::Bad),
        (Err(Failure::Refused(Status::KeyBlockInvalid)), MacFact::Bad),
        (
            Err(Failure::Refused(Status::Overloaded)),
            MacFact::Unavailable,
        ),
        (Err(Failure::TimedOut), MacFact::Unavailable),
    ] {
        let mut pending = asked(&network, &message);
        let Some(Request::VerifyMac { data, mac, .. }) = pending.request(Q::Mac) else {
            panic!("not verified");
        };
        assert_eq!(data, &message[..message.len() - 8]);
        assert_eq!(mac.as_bytes(), [0xee; 8]);
        pending.answer(Q::Mac, &outcome);
        assert_eq!(request(&pending.finish().0).transaction.mac, fact);
    }
}

#[test]
fn a_mac_that_is_missing_or_names_another_key_is_known_without_an_hsm() {
    let network = network_with(ACQUIRER, |profile| profile.mac = true);
    let check = |message: &[u8], fact| {
        let Translated::Ready(intake) = translate_in(&network, &inbound(ACQUIRER, message)) else {
            panic!("a question was asked");
        };
        assert_eq!(request(&intake).transaction.mac, fact);
    };
    check(&written(200, &purchase_with(&[])), MacFact::Missing);
    // Set 2 is gone; algorithm 02 is not that of the key.
    for security in ["9900000001000002", "9900000002000004"] {
        let mut fields = purchase_with(&[(53, security)]);
        fields.push((64, vec![0xee; 8]));
        check(&written(200, &fields), MacFact::Bad);
    }
}

#[test]
fn a_question_that_nobody_took_leaves_it_open() {
    let network = network_with(ACQUIRER, |profile| profile.mac = true);
    let mut pending = asked(&network, &with_mac());
    pending.fail(Q::Mac);
    pending.fail(Q::Mac);
    assert!(pending.questions().is_empty());
    assert_eq!(
        request(&pending.finish().0).transaction.mac,
        MacFact::Unavailable
    );
}

#[test]
fn a_request_that_could_not_be_sent_is_refused_at_once() {
    let network = network_with(ISSUER, |profile| profile.mac = true);
    let message = written(200, &purchase_with(&[]));
    for (hsm_is_up, fact) in [(true, MacFact::NotRequired), (false, MacFact::Unavailable)] {
        let inbound = Inbound {
            hsm_is_up,
            ..inbound(ACQUIRER, &message)
        };
        let Translated::Ready(intake) = translate_in(&network, &inbound) else {
            panic!("a question was asked");
        };
        assert_eq!(request(&intake).transaction.mac, fact);
    }
}

fn key_message(check_value: &str) -> Vec<u8> {
    key_message_of(5, check_value)
}

fn key_message_of(set: u32, check_value: &str) -> Vec<u8> {
    let block = key("P0TB", '6');
    let data = format!(
        "KB{:03}{}KV006{check_value}KS006{set:06}KU001P",
        block.as_str().len(),
        block.as_str()
    );
    let mut fields = crate::card::fixtures::fields(&[
        (7, "1121130405"),
        (11, "000001"),
        (33, "601"),
        (53, "0000000500000000"),
        (70, "101"),
    ]);
    fields.push((125, data.into_bytes()));
    written(800, &fields)
}

#[test]
fn a_key_is_handed_over_before_its_command_is_queued() {
    let mut keys: KeyRing = (*network().keys).clone();
    let members = keys.members.get_mut(&ACQUIRER).unwrap();
    members.key_encryption = Some(key("K0AB", '5'));
    let network = network().with_keys(keys.into());
    let new = NewKey {
        block: key("P0TB", '8'),
        check_value: CheckValue::from_bytes(&[0xab, 0xcd, 0xef]).unwrap(),
    };
    let mut pending = asked(&network, &key_message("ABCDEF"));
    let Some(Request::ImportKey { kek, .. }) = pending.request(Q::ImportKey) else {
        panic!("no key to import");
    };
    assert_eq!(kek.as_str(), key("K0AB", '5').as_str());
    pending.answer(Q::ImportKey, &Ok(Response::ImportKey(new.clone())));
    let (intake, delivered) = pending.finish();
    assert!(matches!(intake.command, Command::Network(_)));
    let delivered = delivered.unwrap();
    assert_eq!(
        (delivered.participant, delivered.set, delivered.of),
        (ACQUIRER, 5, ZoneUse::Pin)
    );
    assert_eq!(delivered.key, new.block);

    // A set that is in use, or was, stays what it is; and one change goes before the other.
    let refused_in = |network: &CardNetwork, set: u32| {
        let message = key_message_of(set, "ABCDEF");
        let intake = match translate_in(network, &inbound(ACQUIRER, &message)) {
            Translated::Ready(intake) => intake,
            other => panic!("{other:?}"),
        };
        match intake.command {
            Command::Malformed(malformed) => malformed.rule.as_str().to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused_in(&network, 4), "key-set");
    let member = network.member(ACQUIRER).unwrap();
    let mut busy = view(ACQUIRER, member.profile.clone());
    busy.keys.change = Some(KeyChange {
        ordered: Position(1),
        uses: KeyUses {
            pin: true,
            mac: true,
        },
        length: torap_engine::cards::KeyLength::AsBefore,
        overlap: KEY_OVERLAP,
        stage: KeyStage::Making,
    });
    let busy = network.with_member(&busy, member.code);
    assert_eq!(refused_in(&busy, 5), "key-change-under-way");

    let rejected = |outcome: Result<Response, Failure>| {
        let mut pending = asked(&network, &key_message("123456"));
        pending.answer(Q::ImportKey, &outcome);
        let (intake, delivered) = pending.finish();
        assert_eq!(delivered, None);
        match intake.command {
            Command::Malformed(malformed) => {
                (malformed.reason, malformed.rule.as_str().to_string())
            }
            other => panic!("taken: {other:?}"),
        }
    };
    let other = CardReason::ProfileViolation;
    assert_eq!(
        rejected(Ok(Response::ImportKey(new))),
        (other, "check-value".into())
    );
    let refused = Err(Failure::Refused(Status::KeyBlockInvalid));
    assert_eq!(rejected(refused), (other, "key-block-refused".into()));
    let gone = (CardReason::MacUnavailable, "hsm-unavailable".into());
    assert_eq!(rejected(Err(Failure::LinkLost)), gone);
}
