//! `kill -9` under traffic, again and again: nothing acknowledged is lost, nothing happens twice, everybody agrees.

use torap_bank::{PayOrder, Payee, Request as BankRequest, WaitFor};
use torap_node::demo::{Day, customer_of};

use crate::program::lab;

const ROUNDS: u32 = 5;
const PAYMENTS: u32 = 40;

#[test]
fn killed_switch_loses_nothing_and_doubles_nothing() {
    let (_dir, lab) = lab();
    let mut day = Day::new(lab);
    let mut sent = Vec::new();
    for round in 0..ROUNDS {
        // Some answers come while the switch is away.
        day.ask(
            "HSBK",
            &BankRequest::Behave {
                behaviour: format!("delay:{}", 50 * round),
                count: PAYMENTS as usize / 2,
            },
        )
        .expect("script");
        for number in 0..PAYMENTS {
            let customer = customer_of("HSBK", number).expect("customer");
            let payee = Payee::Account {
                bank: "HSBKKZKX".into(),
                iban: customer.iban.as_str().into(),
                name: customer.name,
                person: None,
            };
            sent.push(
                day.pay_with("CASP", PayOrder::new(number, payee, Some("1.00")))
                    .expect("payment"),
            );
        }
        // As soon as the first one has been forwarded, the others are somewhere on the way.
        let first = &sent[(round * PAYMENTS) as usize];
        let forwarded = WaitFor {
            kind: Some("pacs.008".into()),
            uetr: Some(first.uetr.clone()),
            ..WaitFor::default()
        };
        day.wait("HSBK", forwarded).expect("forward");
        day.lab.kill_switch().expect("kill");
        day.lab.start_switch().expect("restart");
        day.lab.wait_for_links().expect("links");
    }
    for payment in &sent {
        let outcome = day
            .outcome("CASP", payment)
            .expect("every payment has an outcome");
        assert!(
            outcome == "ACSC" || outcome.starts_with("RJCT AB"),
            "{outcome}"
        );
    }
    // Banks hear their last outcomes a moment after the payer's.
    let open = |code: &str| day.ask(code, &BankRequest::Books).expect("books")["open"] == 0;
    for payment in &sent {
        if day
            .count(
                "HSBK",
                &WaitFor {
                    kind: Some("pacs.008".into()),
                    uetr: Some(payment.uetr.clone()),
                    ..WaitFor::default()
                },
            )
            .expect("count")
            > 0
        {
            day.outcome("HSBK", payment)
                .expect("the payee's bank hears it too");
        }
    }
    assert!(open("CASP") && open("HSBK"));
    assert_eq!(day.differences().expect("books"), Vec::<String>::new());
}
