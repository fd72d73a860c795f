use torap_domain::card::ApprovalCode;
use torap_domain::{Date, Money, Text};
use torap_engine::cards::{
    AdvisedBy, Class, Effect, KEY_OVERLAP, KeyChange, KeyStage, KeyUse, KeyUses, Letter, Message,
    NewKeys, Notice, ReversalCause, Side, Sum, Totals, Trace,
};
use torap_iso8583::{Dialect, Message as Parsed, Step, check_step};

use super::rig::{ORIGINAL, effect, from_the_log, record, render, render_in, session, trace};
use crate::card::fixtures::{
    ACQUIRER, ISSUER, fields, key, network, network_with, purchase, purchase_with, shown, vault,
    view, written,
};
use crate::card::keys::{KeyRing, MadeKey, ZoneUse};
use crate::card::render::{Record, Records, RenderError};
use crate::card::translate::Intake;
use crate::card::vault::CardVault;

fn queued(letter: Letter, repeat: bool) -> Effect {
    let message = Message::Queued {
        letter,
        trace: trace(),
        repeat,
    };
    effect(ISSUER, ORIGINAL, message)
}

fn advice(by: AdvisedBy, class: Class) -> Letter {
    Letter::Advice {
        original: ORIGINAL,
        class,
        about: matches!(by, AdvisedBy::Completion | AdvisedBy::Presentment).then_some(Trace {
            stan: torap_domain::card::Stan::new(8_000).unwrap(),
            ..trace()
        }),
        amount: Money::kzt(150_000),
        approval: ApprovalCode::parse(b"S00003").ok(),
        by,
        session: session(),
    }
}

fn reversal(stands: u64, cause: ReversalCause) -> Letter {
    let about = Trace {
        stan: torap_domain::card::Stan::new(8_000).unwrap(),
        ..trace()
    };
    Letter::Reversal {
        original: ORIGINAL,
        class: Class::Financial,
        about,
        reversal: None,
        amount: Money::kzt(150_000),
        stands: Money::kzt(stands),
        cause,
        session: session(),
    }
}

#[track_caller]
fn checked(step: Step, effect: &Effect, original: Option<&Intake>) -> String {
    let (bytes, _) = render_in(&network(), effect, original, None).unwrap();
    let message = torap_iso8583::Message::parse(Dialect::national(), &bytes).unwrap();
    message.check_subfields().unwrap();
    if let Err(error) = check_step(&message, step) {
        panic!("{error}: {}", shown(&bytes));
    }
    shown(&bytes)
}

/// The purchase of the fixtures, read by chip: with its own card number, track and cryptogram inside.
fn by_chip() -> Vec<u8> {
    let mut list = purchase_with(&[(22, "051"), (48, "CH03POSCV03123RC01C")]);
    let mut chip = vec![0x5a, 8, 0x99, 0x99, 0x99, 0x47, 0x12, 0x36, 0x00, 0x13];
    chip.extend_from_slice(&[0x9f, 0x26, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    chip.extend_from_slice(&[0x57, 3, 0x99, 0x99, 0x99, 0x9f, 0x36, 2, 0, 7]);
    list.push((55, chip));
    written(200, &list)
}

#[test]
fn an_advice_is_written_from_the_log_with_the_whole_card_number() {
    let original = from_the_log(&record(ACQUIRER, &by_chip()));
    let effect = queued(advice(AdvisedBy::StandInSilent, Class::Financial), false);
    let text = checked(Step::ToIssuer, &effect, Some(&original));
    assert_eq!(
        text,
        "0220 2=9999994712360013 3=000000 4=000000150000 7=1121130406 11=009001 12=180405 13=1121 14=2912 \
         15=1121 18=5411 22=051 24=200 25=00 32=601 33=900 37=632613000417 38=S00003 39=00 41=TERM0001 \
         42=SHOP00000000001 43=TEST SHOP                ALMATY       KZ 48=CH03POSRC01CSI0203 49=398 \
         55=\\x9f&\\x08\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x9f6\\x02\\x00\\x07 \
         61=001004TILL 63=001002710020102026112101004004HSBK005004KSPI006006000417"
    );
    let repeat = queued(advice(AdvisedBy::StandInSilent, Class::Financial), true);
    let again = checked(Step::ToIssuer, &repeat, Some(&original));
    assert_eq!(again.strip_prefix("0221"), text.strip_prefix("0220"));
}

#[test]
fn every_cause_of_an_advice_has_its_type_and_mark() {
    let original = record(ACQUIRER, &purchase());
    let check = |by, class, start: &str, mark: Option<&str>| {
        let text = checked(
            Step::ToIssuer,
            &queued(advice(by, class), false),
            Some(&original),
        );
        assert!(text.starts_with(start), "{text}");
        assert_eq!(text.contains("SI02"), mark.is_some(), "{text}");
        assert!(mark.is_none_or(|mark| text.contains(mark)), "{text}");
    };
    check(
        AdvisedBy::StandInUnavailable,
        Class::Authorisation,
        "0120 ",
        Some("SI0201"),
    );
    check(
        AdvisedBy::StandInSilent,
        Class::Authorisation,
        "0120 ",
        Some("SI0203"),
    );
    check(AdvisedBy::Offline, Class::Financial, "0220 ", None);
    check(AdvisedBy::Completion, Class::Financial, "0220 ", None);
}

#[test]
fn a_completion_names_the_authorisation_as_the_switch_sent_it() {
    let original = from_the_log(&record(ACQUIRER, &purchase()));
    let completion = queued(advice(AdvisedBy::Completion, Class::Financial), false);
    let text = checked(Step::ToIssuer, &completion, Some(&original));
    assert!(text.contains(" 90=0100008000"), "{text}");
}

#[test]
fn a_line_of_a_presentment_file_is_written_from_its_original() {
    let original = from_the_log(&record(ACQUIRER, &purchase()));
    let of = |by| {
        let letter = queued(advice(by, Class::Financial), false);
        checked(Step::ToIssuer, &letter, Some(&original))
    };
    let presented = of(AdvisedBy::Presentment);
    assert!(presented.starts_with("0220 "), "{presented}");
    assert!(presented.contains(" 24=201 "), "{presented}");
    assert!(presented.contains(" 90=0100008000"), "{presented}");
    let refund = of(AdvisedBy::Refund);
    assert!(
        refund.starts_with("0220 2=9999994712360013 3=200000 4="),
        "{refund}"
    );
    assert!(
        refund.contains(" 24=200 ") && !refund.contains(" 90="),
        "{refund}"
    );
}

#[test]
fn a_reversal_names_what_the_issuer_knows() {
    let original = from_the_log(&record(ACQUIRER, &purchase()));
    let effect = queued(reversal(0, ReversalCause::Silent), false);
    let text = checked(Step::ToIssuer, &effect, Some(&original));
    assert!(text.starts_with("0420 2=9999994712360013 "), "{text}");
    assert!(
        text.contains(" 24=400 ") && text.contains(" 39=68 "),
        "{text}"
    );
    assert!(
        text.contains(" 90=020000800011211304060000000060100000000900"),
        "{text}"
    );
    assert!(!text.contains(" 95=") && !text.contains(" 35="), "{text}");
    let cancelled = queued(reversal(0, ReversalCause::Cancelled), false);
    let text = checked(Step::ToIssuer, &cancelled, Some(&original));
    assert!(text.contains(" 39=68 "), "{text}");
    let text = checked(
        Step::ToIssuer,
        &queued(reversal(0, ReversalCause::Acquirer), true),
        Some(&original),
    );
    assert!(
        text.starts_with("0421 ") && text.contains(" 39=17 "),
        "{text}"
    );
}

#[test]
fn a_partial_reversal_tells_what_stands() {
    let original = record(ACQUIRER, &purchase());
    let effect = queued(reversal(40_000, ReversalCause::Acquirer), false);
    let text = checked(Step::ToIssuer, &effect, Some(&original));
    assert!(
        text.contains(" 4=000000150000 ") && text.contains(" 24=401 "),
        "{text}"
    );
    assert!(
        text.ends_with(" 95=000000040000000000000000C00000000C00000000"),
        "{text}"
    );
}

#[test]
fn another_card_key_opens_nothing() {
    let original = record(ACQUIRER, &purchase());
    let effect = queued(reversal(0, ReversalCause::Silent), false);
    let records = Records {
        original: Some(Record {
            command: &original.command,
            evidence: &original.evidence,
            secrets: &original.secrets,
        }),
        ..Records::default()
    };
    let mut out = Vec::new();
    for (vault, expected) in [
        (vault(), None),
        (
            std::sync::Arc::new(CardVault::new([9; 32], [1; 16])),
            Some(RenderError::NoCard),
        ),
    ] {
        let rendered = crate::card::render::CardRenderer::new(vault).render(
            &effect,
            &records,
            &network(),
            &mut out,
        );
        assert_eq!(rendered.err(), expected);
    }
}

#[test]
fn a_message_of_another_member_goes_on_as_an_advice() {
    let list = fields(&[
        (7, "1121130405"),
        (11, "000003"),
        (24, "650"),
        (33, "601"),
        (44, "PLEASE CALL"),
        (100, "722"),
    ]);
    let original = record(ACQUIRER, &written(600, &list));
    let letter = Letter::Administrative {
        original: ORIGINAL,
        to: ISSUER,
    };
    let text = checked(Step::ToParticipant, &queued(letter, false), Some(&original));
    assert_eq!(
        text,
        "0620 7=1121130406 11=009001 24=650 33=900 44=PLEASE CALL 63=00100271005004KSPI 100=722"
    );
}

#[test]
fn what_the_switch_says_on_its_own_is_complete() {
    let next = Date::from_ymd(2026, 11, 22).unwrap();
    let cut_over = queued(Letter::CutOver { session: next }, false);
    assert_eq!(
        checked(Step::ToParticipant, &cut_over, None),
        "0800 7=1121130406 11=009001 15=1122 33=900 63=0020102026112201 70=201"
    );
    let notice = Notice::NetDebit {
        participant: ISSUER,
        net_debit: Money::kzt(8_000_050),
        cap: Money::kzt(10_000_000),
    };
    let text = checked(
        Step::ToParticipant,
        &queued(Letter::Notice(notice), false),
        None,
    );
    assert!(
        text.contains(" 44=NET DEBIT 80000.50 OF CAP 100000.00 HSBK "),
        "{text}"
    );
    let notice = Notice::OutOfBalance {
        participant: ISSUER,
        session: session(),
        side: Side::Acquirer,
    };
    let text = checked(
        Step::ToParticipant,
        &queued(Letter::Notice(notice), true),
        None,
    );
    assert!(text.starts_with("0621 "), "{text}");
    assert!(
        text.contains(" 44=SESSION OUT OF BALANCE ACQUIRER HSBK "),
        "{text}"
    );
}

#[test]
fn a_key_is_handed_over_and_put_into_use() {
    let made = MadeKey {
        of: ZoneUse::Pin,
        key: key("P0TB", '7'),
        handed: key("P0TB", '8'),
    };
    let base = network_with(ISSUER, |profile| profile.mac = true);
    let mut ring: KeyRing = (*base.keys).clone();
    let members = ring.members.get_mut(&ISSUER).unwrap();
    members.offer(5, 4, std::slice::from_ref(&made));
    let keys = NewKeys {
        set: 5,
        pin: Some(Text::truncated("A1B2C3")),
        mac: None,
    };
    let of = KeyUse::Pin;
    let member = base.member(ISSUER).unwrap();
    let mut changing = view(ISSUER, member.profile.clone());
    changing.keys.change = Some(KeyChange {
        ordered: ORIGINAL,
        uses: KeyUses {
            pin: true,
            mac: false,
        },
        length: torap_engine::cards::KeyLength::AsBefore,
        overlap: KEY_OVERLAP,
        stage: KeyStage::HandingOver { keys, of },
    });
    let network = base
        .with_keys(ring.into())
        .with_member(&changing, member.code);
    let letter = queued(Letter::KeyHandedOver { set: 5, of }, false);
    let (bytes, rendered) = render_in(&network, &letter, None, None).unwrap();
    // The MAC is made with the set in use, whatever the message is about.
    assert_eq!(rendered.mac.unwrap().key, key("M3TC", '4'));
    let message = Parsed::parse(Dialect::national(), &bytes).unwrap();
    check_step(&message, Step::ToParticipant).unwrap();
    let block = made.handed.as_str();
    let data = format!("KB{:03}{block}KS006000005KU001PKV006A1B2C3", block.len());
    let head = "0800 7=1121130406 11=009001 33=900 53=9900000501000004 70=101 125=";
    assert!(shown(&bytes).starts_with(&format!("{head}{data} 128=")));
    let letter = queued(Letter::KeyInUse { set: 5 }, true);
    let (bytes, _) = render_in(&network, &letter, None, None).unwrap();
    let head = "0800 7=1121130406 11=009001 33=900 53=9900000501000004 70=161 128=";
    assert!(shown(&bytes).starts_with(head), "{}", shown(&bytes));
    // Without the block nothing is sent.
    let letter = queued(Letter::KeyHandedOver { set: 6, of }, false);
    let missing = render_in(&network, &letter, None, None);
    assert_eq!(missing.unwrap_err(), RenderError::NoKey);
}

#[test]
fn closing_totals_say_whose_they_are() {
    let totals = Totals {
        credits: Sum {
            count: 2,
            amount: Money::kzt(7_000),
        },
        ..Totals::ZERO
    };
    let message = |participant, repeat| Message::ClosingTotals {
        participant,
        session: session(),
        side: Side::Issuer,
        totals,
        trace: trace(),
        repeat,
    };
    let own = checked(
        Step::ToParticipant,
        &effect(ISSUER, ORIGINAL, message(ISSUER, false)),
        None,
    );
    assert!(
        own.starts_with("0520 7=1121130406 11=009001 15=1121 24=500 33=900 50=398 "),
        "{own}"
    );
    assert!(own.contains(" 63=0020102026112101004004HSBK "), "{own}");
    assert!(own.ends_with(" 97=C0000000000007000"), "{own}");
    // The host of another bank hears whose totals they are.
    let hosted = effect(ISSUER, ORIGINAL, message(ACQUIRER, true));
    let hosted = checked(Step::ToParticipant, &hosted, None);
    assert!(
        hosted.starts_with("0521 ") && hosted.ends_with(" 99=601"),
        "{hosted}"
    );
    assert!(
        render(
            &queued(reversal(0, ReversalCause::Silent), false),
            &record(ACQUIRER, &purchase()),
            None
        )
        .starts_with("0420")
    );
}
