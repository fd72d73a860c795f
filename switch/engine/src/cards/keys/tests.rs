use torap_domain::{CardReason, Position, Span, Text, card::ResponseCode};

use crate::{
    Outcome,
    cards::{world::*, *},
    world::{CASP, HSBK, NOBODY, operator},
};

const BOTH: KeyUses = KeyUses {
    pin: true,
    mac: true,
};

fn digits(text: &str) -> CheckDigits {
    Text::truncated(text)
}

fn new_keys() -> NewKeys {
    NewKeys {
        set: 2,
        pin: Some(digits("A1B2C3")),
        mac: Some(digits("0102030405")),
    }
}

fn order(rail: &mut Rail, uses: KeyUses) {
    rail.accept(Command::Keys(KeyCommand::Order {
        source: operator(),
        participant: HSBK,
        uses,
        length: KeyLength::AsBefore,
        overlap: KEY_OVERLAP,
    }));
}

fn cancel() -> Command {
    Command::Keys(KeyCommand::Cancel {
        source: operator(),
        participant: HSBK,
    })
}

fn state(rail: &Rail) -> KeyState {
    let mut members = rail.world.engine.card_members();
    members.find(|view| view.participant == HSBK).unwrap().keys
}

fn key_set(rail: &Rail) -> u16 {
    let mut members = rail.world.engine.card_members();
    let view = members.find(|view| view.participant == HSBK).unwrap();
    view.profile.key_set
}

fn made(rail: &Rail, made: Result<NewKeys, Text<48>>) -> Command {
    let change = state(rail).change.unwrap();
    Command::Keys(KeyCommand::Made {
        participant: HSBK,
        ordered: change.ordered,
        made,
    })
}

fn answer(rail: &mut Rail, trace: Trace, code: &[u8], value: Option<&str>) {
    rail.accept(Command::Keys(KeyCommand::Answer(KeyAnswer {
        origin: origin(HSBK),
        trace,
        mac: MacFact::NotRequired,
        code: ResponseCode::parse(code).unwrap(),
        check_value: value.map(digits),
    })));
}

fn result(rail: &Rail) -> KeyResult {
    assert_eq!(state(rail).change, None);
    state(rail).last.unwrap().result
}

/// What the member was told last.
fn refusal(rail: &Rail) -> Option<CardReason> {
    match rail.sent_to(HSBK)[..] {
        [Message::Reply { refusal, .. }] => refusal,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn each_key_is_handed_over_and_then_the_set_is_put_into_use() {
    let mut rail = Rail::new();
    order(&mut rail, BOTH);
    assert!(rail.letters(HSBK).is_empty(), "no keys yet");
    let command = made(&rail, Ok(new_keys()));
    rail.accept(command.clone());
    let (letter, trace) = rail.letter(HSBK);
    let of = KeyUse::Pin;
    assert_eq!(letter, Letter::KeyHandedOver { set: 2, of });
    // Made twice, as after a crash between the two: the first counts.
    assert!(matches!(rail.apply(command), Outcome::Refused(_)));
    answer(&mut rail, trace, b"00", Some("A1B2C3"));
    let (letter, trace) = rail.letter(HSBK);
    let of = KeyUse::Mac;
    assert_eq!(letter, Letter::KeyHandedOver { set: 2, of });
    assert_eq!(state(&rail).next_set(), None);
    // Three bytes of five are enough.
    answer(&mut rail, trace, b"00", Some("010203"));
    let (letter, trace) = rail.letter(HSBK);
    assert_eq!(letter, Letter::KeyInUse { set: 2 });
    assert_eq!((key_set(&rail), state(&rail).next_set()), (1, Some(2)));
    answer(&mut rail, trace, b"00", None);
    assert_eq!(result(&rail), KeyResult::Changed);
    assert_eq!(key_set(&rail), 2);
    let until = rail.now().saturating_add(KEY_OVERLAP);
    assert_eq!(state(&rail).before, Some((1, until)));
    assert_eq!(rail.world.engine.card_stats().queued, 0);
}

#[test]
fn a_member_that_refuses_or_finds_another_key_keeps_the_old_one() {
    let refused = KeyResult::RefusedByMember(ResponseCode::parse(b"88").unwrap());
    for (code, value, expected) in [
        (b"88", Some("A1B2C3"), refused),
        (b"00", Some("A1B2C4"), KeyResult::CheckValueWrong),
        (b"00", Some("A1B2"), KeyResult::CheckValueWrong),
        (b"00", Some("A1B2C3D4"), KeyResult::CheckValueWrong),
        (b"00", None, KeyResult::CheckValueWrong),
    ] {
        let mut rail = Rail::new();
        order(&mut rail, BOTH);
        let command = made(&rail, Ok(new_keys()));
        rail.accept(command);
        let (_, trace) = rail.letter(HSBK);
        answer(&mut rail, trace, code, value);
        assert_eq!(result(&rail), expected, "{value:?}");
        assert_eq!(key_set(&rail), 1);
        assert_eq!(rail.world.engine.card_stats().queued, 0);
    }
}

#[test]
fn a_set_that_the_member_will_not_use_is_not_used() {
    let mut rail = Rail::new();
    let uses = KeyUses {
        pin: true,
        mac: false,
    };
    order(&mut rail, uses);
    let keys = NewKeys {
        mac: None,
        ..new_keys()
    };
    let command = made(&rail, Ok(keys));
    rail.accept(command);
    let (_, trace) = rail.letter(HSBK);
    answer(&mut rail, trace, b"00", Some("A1B2C3"));
    let (letter, trace) = rail.letter(HSBK);
    assert_eq!(letter, Letter::KeyInUse { set: 2 });
    // Whoever was told to use it may do so: it cannot be taken back any more.
    rail.refuse(cancel());
    answer(&mut rail, trace, b"96", None);
    assert!(matches!(result(&rail), KeyResult::RefusedByMember(_)));
    assert_eq!((key_set(&rail), state(&rail).next_set()), (1, None));
}

#[test]
fn a_change_waits_for_a_member_that_is_away_and_can_be_taken_back() {
    let mut rail = Rail::new();
    rail.disconnect(HSBK);
    order(&mut rail, BOTH);
    let command = made(&rail, Ok(new_keys()));
    rail.accept(command);
    assert!(rail.letters(HSBK).is_empty());
    rail.connect(HSBK, 9);
    let (_, trace) = rail.letter(HSBK);
    rail.accept(cancel());
    assert_eq!(result(&rail), KeyResult::Cancelled);
    assert_eq!(state(&rail).last.unwrap().set, 2);
    assert_eq!(rail.world.engine.card_stats().queued, 0);
    // What comes after is nothing any more.
    answer(&mut rail, trace, b"00", Some("A1B2C3"));
    assert!(matches!(rail.events()[..], [Event::Unmatched { .. }]));
    rail.refuse(cancel());
}

#[test]
fn letters_behind_a_withdrawn_one_go_on() {
    let mut rail = Rail::new();
    order(&mut rail, BOTH);
    let command = made(&rail, Ok(new_keys()));
    rail.accept(command);
    rail.letter(HSBK);
    rail.advise(1, |_| ());
    assert!(rail.letters(HSBK).is_empty());
    rail.accept(cancel());
    assert!(matches!(rail.letter(HSBK).0, Letter::Advice { .. }));
}

#[test]
fn an_order_needs_a_member_with_connections_of_its_own_and_something_to_change() {
    let mut rail = Rail::new();
    let order = |participant, uses, overlap| {
        Command::Keys(KeyCommand::Order {
            source: operator(),
            participant,
            uses,
            length: KeyLength::AsBefore,
            overlap,
        })
    };
    let none = KeyUses {
        pin: false,
        mac: false,
    };
    rail.refuse(order(NOBODY, BOTH, KEY_OVERLAP));
    rail.refuse(order(HSBK, none, KEY_OVERLAP));
    let beyond = KEY_OVERLAP_MAX.nanos() + 1;
    rail.refuse(order(HSBK, BOTH, Span::from_nanos(beyond)));
    let mut centre = profile(HSBK);
    centre.host = Some(CASP);
    rail.member(HSBK, centre);
    rail.refuse(order(HSBK, BOTH, KEY_OVERLAP));
    rail.member(HSBK, profile(HSBK));
    rail.accept(order(HSBK, BOTH, KEY_OVERLAP));
    rail.refuse(order(HSBK, BOTH, KEY_OVERLAP));
}

#[test]
fn keys_that_do_not_belong_to_the_order_are_not_taken() {
    let mut rail = Rail::new();
    order(&mut rail, BOTH);
    for keys in [
        NewKeys {
            set: 1,
            ..new_keys()
        },
        NewKeys {
            mac: None,
            ..new_keys()
        },
    ] {
        let command = made(&rail, Ok(keys));
        assert!(matches!(rail.apply(command), Outcome::Refused(_)));
    }
    let other = Command::Keys(KeyCommand::Made {
        participant: HSBK,
        ordered: Position(1),
        made: Ok(new_keys()),
    });
    assert!(matches!(rail.apply(other), Outcome::Refused(_)));
    let status: Text<48> = Text::truncated("key-too-weak");
    let command = made(&rail, Err(status));
    rail.accept(command);
    assert_eq!(result(&rail), KeyResult::RefusedByHsm(status));
}

#[test]
fn a_member_asks_for_keys_once() {
    let mut rail = Rail::new();
    let asks = NetworkAction::KeyRequest { uses: BOTH };
    rail.network(HSBK, asks);
    assert_eq!(refusal(&rail), None);
    let change = state(&rail).change;
    rail.network(HSBK, asks);
    assert_eq!(refusal(&rail), None);
    assert_eq!(state(&rail).change, change);
    // What it would hand over itself has to wait.
    rail.network(HSBK, NetworkAction::KeyChange { key_set: 7 });
    let refused = Some(CardReason::FunctionNotSupported);
    assert_eq!((refusal(&rail), key_set(&rail)), (refused, 1));
}

#[test]
fn the_operators_own_key_set_ends_a_change() {
    let mut rail = Rail::new();
    order(&mut rail, BOTH);
    let command = made(&rail, Ok(new_keys()));
    rail.accept(command);
    let mut same = profile(HSBK);
    rail.member(HSBK, same.clone());
    assert!(state(&rail).change.is_some());
    same.key_set = 5;
    rail.member(HSBK, same);
    assert_eq!(result(&rail), KeyResult::Superseded);
    assert_eq!(rail.world.engine.card_stats().queued, 0);
    assert_eq!(state(&rail).before.map(|(set, _)| set), Some(1));
}
