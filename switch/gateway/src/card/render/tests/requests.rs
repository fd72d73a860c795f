use torap_domain::ParticipantId;
use torap_engine::cards::{Class, Enrichment, Message};
use torap_hsm::{PinBlock, PinFormat, Response};
use torap_iso8583::{Dialect, Step, check_step};

use super::rig::{
    ORIGINAL, SECOND, borrowed, effect, from_the_log, record, render, render_in, route_of, session,
    trace,
};
use crate::card::fixtures::{
    ACQUIRER, ISSUER, SCHEME, fields, network, network_with, now, origin, purchase, purchase_with,
    shown, vault, written,
};
use crate::card::render::{CardRenderer, Records, RenderError};
use crate::card::translate::{CardTranslator, Inbound, QuestionNumber, Translated};

fn request(enrichment: Enrichment) -> torap_engine::cards::Effect {
    let message = Message::Request {
        original: ORIGINAL,
        class: Class::Financial,
        trace: trace(),
        session: session(),
        expires: now(),
        enrichment,
    };
    effect(ISSUER, ORIGINAL, message)
}

#[track_caller]
fn check_at(step: Step, bytes: &[u8]) {
    let message = torap_iso8583::Message::parse(Dialect::national(), bytes).unwrap();
    message.check_subfields().unwrap();
    if let Err(error) = check_step(&message, step) {
        panic!("{error}: {}", shown(bytes));
    }
}

#[test]
fn the_issuer_gets_the_acquirers_message_with_the_switchs_own_fields() {
    let original = record(ACQUIRER, &purchase());
    let effect = request(Enrichment::NotAsked);
    assert_eq!(
        render(&effect, &original, None),
        "0200 2=9999994712360013 3=000000 4=000000150000 7=1121130406 11=009001 12=180405 13=1121 14=2912 \
         15=1121 18=5411 22=901 24=200 25=00 32=601 33=900 35=9999994712360013=29122011432100000 37=632613000417 \
         41=TERM0001 42=SHOP00000000001 43=TEST SHOP                ALMATY       KZ 48=CH03POSCV03123 49=398 \
         61=001004TILL 63=001002710020102026112101003003012004004HSBK005004KSPI0060060004170070011"
    );
    let (bytes, rendered) = render_in(&network(), &effect, Some(&original), None).unwrap();
    check_at(Step::ToIssuer, &bytes);
    assert_eq!((rendered.mac, rendered.tpdu), (None, None));
    assert!(route_of(&original).is_some());
}

#[test]
fn after_a_restart_no_request_is_sent() {
    let original = from_the_log(&record(ACQUIRER, &purchase()));
    let error = render_in(
        &network(),
        &request(Enrichment::NotAsked),
        Some(&original),
        None,
    );
    assert_eq!(error.unwrap_err(), RenderError::NoSecrets);
}

#[test]
fn a_translated_pin_block_goes_in_the_place_of_the_acquirers() {
    for (format, bytes, fields) in [
        (
            PinFormat::Iso0,
            8,
            "52=\\xb2\\xb2\\xb2\\xb2\\xb2\\xb2\\xb2\\xb2 53=0000000400000000",
        ),
        (PinFormat::Iso4, 16, "53=0400000400000000"),
    ] {
        let mut list = purchase_with(&[(53, "0000000400000000")]);
        list.push((52, vec![0xa1; 8]));
        let message = written(200, &list);
        let mut keys = (*network().keys).clone();
        if format == PinFormat::Iso4 {
            let key = crate::card::fixtures::key("P0AB", '9');
            keys.add(ISSUER, 4, crate::card::keys::ZoneUse::Pin, key);
        }
        let network = network().with_keys(keys.into());
        let inbound = Inbound {
            origin: origin(ACQUIRER),
            tpdu: None,
            message: &message,
            wire: None,
            now: now(),
            overloaded: false,
            hsm_is_up: true,
        };
        let translated = CardTranslator::new(vault()).translate(&inbound, &network);
        let Translated::Ask(mut pending) = translated else {
            panic!("no question");
        };
        let block = PinBlock::from_bytes(&[0xb2; 16][..bytes]).unwrap();
        pending.answer(
            QuestionNumber::TranslatePin,
            &Ok(Response::TranslatePin(block)),
        );
        let (original, _) = pending.finish();
        let effect = request(Enrichment::NotAsked);
        let (out, _) = render_in(&network, &effect, Some(&original), None).unwrap();
        check_at(Step::ToIssuer, &out);
        let text = shown(&out);
        assert!(text.contains(fields), "{text}");
        assert!(!text.contains("\\xa1"), "{text}");
        assert_eq!(text.contains(" 110="), bytes == 16, "{text}");
    }
}

#[test]
fn an_issuer_that_wants_macs_gets_room_for_one_and_its_key_named() {
    let network = network_with(ISSUER, |profile| profile.mac = true);
    let original = record(ACQUIRER, &purchase());
    let (bytes, rendered) = render_in(
        &network,
        &request(Enrichment::NotAsked),
        Some(&original),
        None,
    )
    .unwrap();
    let wanted = rendered.mac.unwrap();
    assert_eq!(wanted.key, crate::card::fixtures::key("M3TC", '4'));
    assert_eq!(bytes[bytes.len() - 8..], [0; 8]);
    check_at(Step::ToIssuer, &bytes);
    let text = shown(&bytes);
    assert!(text.contains("53=9900000001000004"), "{text}");
    assert!(text.contains(" 64=\\x00"), "{text}");
    // With a field above 64 it stands in 128.
    let message = written(200, &purchase_with(&[(102, "KZ86125KZT5004100100")]));
    let original = record(ACQUIRER, &message);
    let (bytes, _) = render_in(
        &network,
        &request(Enrichment::NotAsked),
        Some(&original),
        None,
    )
    .unwrap();
    assert!(shown(&bytes).contains(" 128=\\x00"));
    let keyless = network_with(ISSUER, |profile| {
        profile.mac = true;
        profile.key_set = 9;
    });
    let error = render_in(
        &keyless,
        &request(Enrichment::NotAsked),
        Some(&original),
        None,
    );
    assert_eq!(error.unwrap_err(), RenderError::NoMacKey);
}

/// A purchase with a token: a cryptogram and a requestor, and no card number elsewhere.
fn with_token() -> Vec<u8> {
    let cryptogram = "QUFBQUFBQUFBQUFBQUFBQUFBQUE=";
    let tags = format!(
        "CH03MOBTR1112345678901TC{:02}{cryptogram}",
        cryptogram.len()
    );
    let changes = [(22, "072"), (35, ""), (48, tags.as_str())];
    let mut list = purchase_with(&changes);
    list.push((55, vec![0x9f, 0x27, 1, 0x80, 0x9f, 0x36, 2, 0, 7]));
    written(200, &list)
}

#[test]
fn a_schemes_data_are_spliced_in_and_the_card_takes_the_tokens_place() {
    let original = record(ACQUIRER, &with_token());
    let answer = fields(&[
        (2, "9999995555550008"),
        (7, "1121130406"),
        (11, "009000"),
        (33, "777"),
        (37, "632613000417"),
        (39, "00"),
        (48, "FS03120SC02VIST05ABCDE"),
    ]);
    let second = record(SCHEME, &written(610, &answer));
    let effect = request(Enrichment::Answered(SECOND));
    let (bytes, _) = render_in(&network(), &effect, Some(&original), Some(&second)).unwrap();
    let text = shown(&bytes);
    assert!(text.starts_with("0200 2=9999995555550008 "), "{text}");
    assert!(
        text.contains("FS03120SC02VIST05ABCDETK169999994712360013"),
        "{text}"
    );
    check_at(Step::ToIssuer, &bytes);
}

#[test]
fn without_the_schemes_data_the_request_says_why() {
    let original = record(ACQUIRER, &purchase());
    let effect = request(Enrichment::Missing);
    let vault = vault();
    for (enquired, mark) in [(false, "SM0201"), (true, "SM0202")] {
        let records = Records {
            original: Some(borrowed(&original)),
            second: None,
            enquired,
        };
        let mut out = Vec::new();
        let network = network();
        CardRenderer::new(vault.clone())
            .render(&effect, &records, &network, &mut out)
            .unwrap();
        let text = shown(&out);
        assert!(text.contains(mark), "{text}");
    }
}

#[test]
fn an_enquiry_asks_for_the_card_or_for_everything_and_tells_no_verification_value() {
    let enquiry = Message::Enquiry {
        original: ORIGINAL,
        trace: trace(),
        expires: now(),
    };
    let effect = effect(SCHEME, ORIGINAL, enquiry);
    for (message, function) in [(with_token(), " 24=600 "), (purchase(), " 24=604 ")] {
        let original = record(ACQUIRER, &message);
        let (bytes, _) = render_in(&network(), &effect, Some(&original), None).unwrap();
        let text = shown(&bytes);
        assert!(
            text.starts_with("0600 ") && text.contains(function),
            "{text}"
        );
        assert!(!text.contains("CV03") && !text.contains(" 35="), "{text}");
        check_at(Step::ToScheme, &bytes);
    }
}

#[test]
fn nobody_else_gets_anything() {
    let original = record(ACQUIRER, &purchase());
    let mut effect = request(Enrichment::NotAsked);
    effect.to = ParticipantId(99);
    let error = render_in(&network(), &effect, Some(&original), None);
    assert_eq!(error.unwrap_err(), RenderError::NotMember);
    let error = render_in(&network(), &request(Enrichment::NotAsked), None, None);
    assert_eq!(error.unwrap_err(), RenderError::NoRecord);
}
