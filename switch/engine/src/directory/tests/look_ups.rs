//! Look-ups and imports.

use super::*;

fn look_up(world: &mut World, bank: ParticipantId, found: LookUpFound) -> LookUp {
    LookUp {
        source: world.link(bank),
        message_id: MessageId::parse("ACMT-1").unwrap(),
        verification_id: MessageId::parse("VRF-1").unwrap(),
        message_version: 0,
        instructing_agent: bic(bank),
        phone: phone(),
        person: None,
        chosen: None,
        as_of: world.stamp.position,
        found,
    }
}

fn hit() -> LookUpFound {
    LookUpFound::Hit {
        agent: bic(HSBK),
        masked_name: mask_name("Иванов Сергей"),
        changed_at: Position(1),
    }
}

/// Applies a look-up; its refusal, which the answer carries too.
fn asked(world: &mut World, look_up: LookUp) -> Option<Reason> {
    let link = look_up.source.link().unwrap();
    let outcome = world.apply(AnyCommand::Directory(Command::LookUp(look_up)));
    let refusal = match outcome {
        Outcome::Accepted => None,
        Outcome::Refused(reason) => Some(reason),
        Outcome::AlreadyApplied => panic!("{outcome:?}"),
    };
    let original = world.stamp.position;
    assert_eq!(
        world.sent_to(link),
        [Message::LookUpAnswer { original, refusal }]
    );
    refusal
}

#[test]
fn a_look_up_is_answered_with_what_was_found() {
    let cases = [
        (hit(), None),
        (LookUpFound::Miss, Some(Reason::AliasUnknown)),
        (LookUpFound::Suspended, Some(Reason::AliasSuspended)),
    ];
    let mut world = World::new();
    for (found, refusal) in cases {
        let command = look_up(&mut world, CASP, found);
        assert_eq!(asked(&mut world, command), refusal, "{found:?}");
    }
}

#[test]
fn look_ups_are_refused() {
    let mut directory = Directory::new();
    directory.accept(HSBK, 1, register(HSBK));
    let mut world = directory.world;
    let mut stale = look_up(&mut world, CASP, LookUpFound::Miss);
    stale.as_of = Position(world.stamp.position.value() - 1);
    assert_eq!(asked(&mut world, stale), Some(Reason::RetryLater));
    let mut foreign = look_up(&mut world, CASP, hit());
    foreign.instructing_agent = bic(HSBK);
    assert_eq!(asked(&mut world, foreign), Some(Reason::UnboundSender));
    world.state(CASP, Standing::Certifying);
    let command = look_up(&mut world, CASP, hit());
    assert_eq!(asked(&mut world, command), Some(Reason::SenderNotActive));
    world.state(
        CASP,
        Standing::Suspended {
            debits: true,
            credits: false,
        },
    );
    let command = look_up(&mut world, CASP, hit());
    assert_eq!(asked(&mut world, command), Some(Reason::SenderSuspended));
}

#[test]
fn the_guard_answers_nothing_when_a_bank_asks_too_much() {
    let mut world = World::new();
    let settings = Settings {
        lookup_capacity: 10,
        lookup_refill_per_s: 1,
        lookup_hit_cost: 1,
        lookup_miss_cost: 5,
        ..Settings::initial()
    };
    world.accept(AnyCommand::Instant(instant::Command::SetSettings {
        source: operator(),
        settings,
    }));
    for _ in 0..2 {
        let miss = look_up(&mut world, CASP, LookUpFound::Miss);
        assert_eq!(asked(&mut world, miss), Some(Reason::AliasUnknown));
    }
    for found in [hit(), LookUpFound::Miss, LookUpFound::Suspended] {
        let command = look_up(&mut world, CASP, found);
        assert_eq!(asked(&mut world, command), Some(Reason::LookupRefused));
    }
    let command = look_up(&mut world, HSBK, hit());
    assert_eq!(asked(&mut world, command), None);
    world.wait(Span::from_secs(5));
    let command = look_up(&mut world, CASP, hit());
    assert_eq!(asked(&mut world, command), None);
}

fn entry(bank: ParticipantId, number: u64) -> ImportEntry {
    ImportEntry {
        phone: Phone::from_value(77_010_000_000 + number).unwrap(),
        person: person(number),
        iban: iban(bank, 1),
        name: Text::truncated("Иванов Сергей"),
    }
}

fn import(source: Source, participant: ParticipantId, entries: Vec<ImportEntry>) -> AnyCommand {
    AnyCommand::Directory(Command::Import {
        source,
        participant,
        entries,
    })
}

#[test]
fn an_import_goes_to_the_index_as_it_is() {
    let mut world = World::new();
    let entries = vec![entry(HSBK, 1), entry(HSBK, 2)];
    world.accept(import(operator(), HSBK, entries.clone()));
    let event = Event::DirectoryImported {
        participant: HSBK,
        agent: bic(HSBK),
        entries: entries.into(),
    };
    assert_eq!(world.out.events, [event]);
    assert!(world.out.effects.is_empty());
}

#[test]
fn imports_are_refused_whole() {
    let mut world = World::new();
    let good = entry(HSBK, 1);
    let mixed = vec![good, entry(CASP, 2)];
    let cases = [
        (NOBODY, vec![good], Reason::UnknownParticipant),
        (HSBK, mixed, Reason::AccountBankMismatch),
        (HSBK, vec![good; IMPORT_MAX + 1], Reason::InternalLimit),
    ];
    for (participant, entries, reason) in cases {
        world.refuse(import(operator(), participant, entries), reason);
        assert_eq!(world.out.events, [Event::Refused { reason }]);
    }
    let source = world.link(HSBK);
    world.refuse(import(source, HSBK, vec![good]), Reason::OperatorRefused);
}

#[test]
fn after_an_import_a_number_not_found_must_be_looked_up_again() {
    let mut directory = Directory::new();
    let source = directory.world.link(CASP);
    let stale = directory.change(source, 1, register(CASP));
    directory
        .world
        .accept(import(operator(), HSBK, vec![entry(HSBK, 1)]));
    directory.refuse_change(CASP, stale, Reason::RetryLater);
    directory.accept(CASP, 1, register(CASP));
    // A number that was found is not concerned.
    let source = directory.world.link(HSBK);
    let found = directory.change(source, 1, register(HSBK));
    directory
        .world
        .accept(import(operator(), HSBK, vec![entry(HSBK, 2)]));
    assert_eq!(directory.apply(found), Outcome::Accepted);
}
