use super::*;
use crate::{
    clearing::{Beneficiaries, ListUse, PURPOSE_ACCOUNTS_MAX, PURPOSE_ROWS_MAX, PurposeRow},
    world::{CASP, HSBK, IRTY},
};
use torap_domain::Iban;

fn knp(text: &str) -> Knp {
    Knp::parse(text).unwrap()
}

fn row(from: &str, to: &str, accounts: Vec<Iban>) -> PurposeRow {
    PurposeRow {
        from: knp(from),
        to: knp(to),
        accounts,
        list: ListUse::Allowed,
    }
}

fn set(rows: Vec<PurposeRow>) -> Any {
    Any::Clearing(Command::SetPurposes {
        source: operator(),
        rows,
    })
}

fn of_purpose(number: u32, purpose: &str, account: Iban) -> Order {
    let mut item = order(number, CASP, HSBK, 100);
    item.purpose = knp(purpose);
    item.creditor.account = account;
    item
}

#[test]
fn a_payment_of_a_purpose_to_another_account_is_refused_and_the_others_are_not() {
    let mut world = World::new();
    let (treasury, fund, customer) = (iban(HSBK, 70), iban(HSBK, 71), iban(HSBK, 72));
    world.accept(set(vec![
        row("010", "012", vec![fund]),
        row("901", "999", vec![treasury, customer]),
    ]));
    let items = vec![
        of_purpose(1, "911", treasury),
        of_purpose(2, "911", fund),
        of_purpose(3, "012", fund),
        of_purpose(4, "013", iban(HSBK, 99)),
        of_purpose(5, "010", treasury),
        of_purpose(6, "999", customer),
    ];
    assert_eq!(world.send(CASP, items), Outcome::Accepted);
    let position = world.stamp.position;
    let mismatch = rejected(Reason::PurposeAccountMismatch);
    assert_eq!(
        world.statuses(CASP),
        [
            (position, vec![0, 2, 3, 5], Status::Pending),
            (position, vec![1, 4], mismatch),
        ]
    );
    // Put right, a line is taken.
    let again = of_purpose(2, "911", treasury);
    assert_eq!(world.send(CASP, vec![again]), Outcome::Accepted);
    // What is known stands, whatever is set later; without rows every account takes everything.
    world.accept(set(vec![row("000", "999", vec![fund])]));
    assert_eq!(world.item(1), Status::Pending);
    world.accept(set(Vec::new()));
    world.send_one(7, CASP, HSBK, 100);
}

#[test]
fn rows_are_bounded_in_order_and_of_the_operator() {
    let mut world = World::new();
    let account = || vec![iban(IRTY, 1)];
    let many = |count: usize| {
        (0..count)
            .map(|place| {
                let text = format!("{place:03}");
                row(&text, &text, account())
            })
            .collect::<Vec<_>>()
    };
    for unsound in [
        vec![row("912", "911", account())],
        vec![row("911", "911", Vec::new())],
        vec![row(
            "911",
            "911",
            vec![iban(IRTY, 1); PURPOSE_ACCOUNTS_MAX + 1],
        )],
        vec![row("911", "920", account()), row("920", "930", account())],
        vec![row("911", "920", account()), row("010", "010", account())],
        many(PURPOSE_ROWS_MAX + 1),
    ] {
        world.refuse(set(unsound), Reason::OperatorRefused);
    }
    let source = world.link(CASP);
    let by_bank = Any::Clearing(Command::SetPurposes {
        source,
        rows: Vec::new(),
    });
    world.refuse(by_bank, Reason::OperatorRefused);
    world.accept(set(many(PURPOSE_ROWS_MAX)));
    assert_eq!(world.engine.clearing_purposes().len(), PURPOSE_ROWS_MAX);
}

#[test]
fn a_purpose_says_whether_its_payments_have_lists() {
    let mut world = World::new();
    let fund = iban(HSBK, 71);
    let with = |from: &str, list| PurposeRow {
        list,
        ..row(from, from, vec![fund])
    };
    world.accept(set(vec![
        with("010", ListUse::Required),
        with("011", ListUse::Allowed),
        with("012", ListUse::Refused),
    ]));
    let listed = |number: u32, purpose: &str| Order {
        list: Some(Beneficiaries {
            lines: 2,
            start: 700,
            length: 900,
            digest: [3; 16],
        }),
        ..of_purpose(number, purpose, fund)
    };
    let items = vec![
        listed(1, "010"),
        of_purpose(2, "010", fund),
        listed(3, "011"),
        of_purpose(4, "011", fund),
        listed(5, "012"),
        of_purpose(6, "012", fund),
        listed(7, "911"),
    ];
    assert_eq!(world.send(CASP, items), Outcome::Accepted);
    let position = world.stamp.position;
    let mismatch = rejected(Reason::PurposeListMismatch);
    assert_eq!(
        world.statuses(CASP),
        [
            (position, vec![0, 2, 3, 5, 6], Status::Pending),
            (position, vec![1, 4], mismatch),
        ]
    );
    let rows = world.engine.clearing_purposes();
    assert_eq!(rows[0].list, ListUse::Required, "also from a snapshot");
}
