//! Banks that settle on the account of a sponsor.

use super::*;
use crate::{
    participants::{self, Profile, State as Standing},
    settlement::End,
};
use torap_domain::{BankCode, Bic};

const SMALL: ParticipantId = ParticipantId(5);

/// A world by the newest rules in which SMAL settles on the account of CASP.
fn sponsored() -> World {
    let mut world = open();
    world.newest_rules();
    let source = operator();
    world.accept(Any::Participants(participants::Command::Add {
        source,
        profile: Profile {
            code: Text::truncated("SMAL"),
            name: Text::truncated("SMAL"),
            bics: vec![small()],
            bank_codes: vec![BankCode::from_value(555).unwrap()],
            sponsor: Some(CASP),
            technical_senders: Vec::new(),
            services: Vec::new(),
            floor: None,
            ceiling: None,
        },
        mode: participants::PositionMode::Prefunded,
    }));
    world.state(SMALL, Standing::Active);
    world
}

fn small() -> Bic {
    Bic::parse("SMALKZKA").unwrap()
}

/// A payment of SMAL on its sponsor's link.
fn of_small(world: &mut World, number: u8, amount: u64) -> Instruction {
    let mut instruction = instruction(world, number, amount);
    instruction.instructing_agent = small();
    instruction.debtor_agent = small();
    instruction
}

fn suspend(world: &mut World, bank: ParticipantId) {
    let (debits, credits) = (true, false);
    world.state(bank, Standing::Suspended { debits, credits });
}

#[test]
fn a_suspended_bank_does_not_pay_in_its_sponsors_name() {
    let mut world = sponsored();
    suspend(&mut world, SMALL);
    for debtor in [small(), bic(CASP)] {
        let mut instruction = of_small(&mut world, 1, 10);
        instruction.debtor_agent = debtor;
        refused(&mut world, Reason::SenderSuspended, instruction);
    }
    let own = instruct(&mut world, 2, 10);
    assert_eq!(world.sent_to(CASP), [told(&world, own, Status::Settled)]);
}

#[test]
fn what_waits_of_a_suspended_bank_is_rejected_and_its_sponsors_goes_on() {
    let mut world = sponsored();
    let instruction = of_small(&mut world, 1, 1_500);
    let waits = send(&mut world, instruction);
    let own = instruct(&mut world, 2, 900);
    suspend(&mut world, SMALL);
    let end_of = |id: Position| {
        let mut done = world.engine.settlement_done();
        done.find(|done| done.id == id).map(|done| done.end)
    };
    let end = End::Rejected(Reason::SenderSuspended);
    assert_eq!(end_of(waits), Some(end));
    assert_eq!(end_of(own), Some(End::Settled));
    assert_eq!(balance(&world, CASP), 100);
}

#[test]
fn references_are_each_banks_own() {
    let mut world = sponsored();
    instruct(&mut world, 1, 10);
    // The same TxId; a UETR names one payment whoever has given it.
    let mut same = of_small(&mut world, 1, 20);
    same.references.uetr = uetr(2);
    let id = send(&mut world, same);
    assert_eq!(balance(&world, CASP), 970);
    // Whose it is stays known as long as the payment.
    assert_eq!(world.engine.imts_parties(id), Some((SMALL, HSBK)));
    let mut again = of_small(&mut world, 1, 20);
    again.references.uetr = uetr(2);
    let command = Any::Settlement(Command::Instruct(again));
    world.refuse(command, Reason::DuplicateReplay);
    assert_eq!(balance(&world, CASP), 970);
    let mut other = of_small(&mut world, 1, 21);
    other.references.uetr = uetr(3);
    refused(&mut world, Reason::DuplicateMismatch, other);
}
