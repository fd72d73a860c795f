//! Banks that pay each other without a pause while something happens to the switch, and the reconciliation afterwards.
//!
//! Each pair of banks has a thread that sends payments in bursts: a burst waits for the outcome of its last payment, or for a short
//! while if the switch is away. What was sent is noted before anybody looks at what came of it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use torap_bank::{PayOrder, Payee, Request as BankRequest, Seen, SentPayment, WaitFor};
use torap_node::{
    control::{Client, Request},
    demo::{BANKS, BankRow, Day, Lab, customer_of},
    script::BankClient,
};

/// Payer and payee of each thread.
const PAIRS: [(&str, &str); 3] = [("CASP", "HSBK"), ("HSBK", "IRTY"), ("IRTY", "CASP")];
/// Payments of a burst.
const BURST: u32 = 20;
/// How long a burst waits for its last outcome.
const BURST_PATIENCE_MS: u64 = 250;
/// How long the banks have to hear every outcome: more than a payment may take in all.
const SETTLE_WITHIN: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(50);

/// A payment and its two banks.
#[derive(Clone, Debug)]
pub struct Paid {
    pub payer: &'static str,
    pub payee: &'static str,
    pub sent: SentPayment,
}

/// Running payers.
pub struct Payers {
    stop: Arc<AtomicBool>,
    paid: Arc<Mutex<Vec<Paid>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Payers {
    pub fn start(lab: &Lab) -> Payers {
        let stop = Arc::new(AtomicBool::new(false));
        let paid = Arc::new(Mutex::new(Vec::new()));
        let threads = PAIRS
            .iter()
            .map(|(payer, payee)| {
                let client = lab.bank_client(payer).expect("the bank is there");
                let (stop, paid) = (Arc::clone(&stop), Arc::clone(&paid));
                std::thread::spawn(move || pay(client, payer, payee, &stop, &paid))
            })
            .collect();
        Payers {
            stop,
            paid,
            threads,
        }
    }

    pub fn count(&self) -> usize {
        self.paid.lock().expect("payers do not panic").len()
    }

    /// Waits until so many payments were sent since the start.
    pub fn wait_for(&self, payments: usize) {
        let end = Instant::now() + SETTLE_WITHIN;
        while self.count() < payments {
            assert!(Instant::now() < end, "the payers are stuck");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends the threads; gives everything that was sent.
    pub fn finish(self) -> Vec<Paid> {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("payers do not panic");
        }
        self.paid.lock().expect("payers do not panic").clone()
    }
}

fn pay(
    mut client: BankClient,
    payer: &'static str,
    payee: &'static str,
    stop: &AtomicBool,
    paid: &Mutex<Vec<Paid>>,
) {
    let bic = BANKS
        .iter()
        .find(|bank| bank.code == payee)
        .expect("a bank")
        .bic;
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let mut last = String::new();
        for _ in 0..BURST {
            number += 1;
            let customer = customer_of(payee, number).expect("customer");
            let to = Payee::Account {
                bank: bic.into(),
                iban: customer.iban.as_str().into(),
                name: customer.name,
                person: None,
            };
            let order = PayOrder::new(number, to, Some("1.00"));
            let Ok(sent) = client.ask(&BankRequest::Pay(order)) else {
                // The laboratory is gone: the test has failed already, or fails at the next look at this bank.
                return;
            };
            let sent: SentPayment = serde_json::from_value(sent).expect("a payment");
            last.clone_from(&sent.uetr);
            let mut paid = paid.lock().expect("payers do not panic");
            paid.push(Paid { payer, payee, sent });
        }
        let filter = WaitFor {
            uetr: Some(last),
            is_final: true,
            ..WaitFor::default()
        };
        // No outcome in time: the switch is away, and the next burst waits in the bank.
        let _ = client.ask(&BankRequest::Wait {
            filter,
            within_ms: BURST_PATIENCE_MS,
        });
    }
}

/// Payments that the banks have sent and not heard an outcome of.
pub fn without_outcome(lab: &Lab) -> u64 {
    let open = |bank: &BankRow| {
        let books = lab.bank(bank.code, &BankRequest::Books).expect("books");
        books["open_sent"].as_u64().expect("a count")
    };
    BANKS.iter().map(open).sum()
}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub payments: usize,
    pub settled: usize,
    /// Sent, and not known to both banks and the switch with one outcome.
    pub lost: Vec<String>,
    /// Told in two ways, or booked more than once.
    pub doubled: Vec<String>,
}

/// Waits until every payment has an outcome; then compares what every bank was told with what the switch holds: positions, each
/// payment's outcome, conservation.
pub fn reconcile(day: &Day, paid: &[Paid]) -> Reconciled {
    settle(day);
    let told: HashMap<&str, Told> = BANKS
        .iter()
        .map(|bank| (bank.code, Told::of(&day.lab, bank.code)))
        .collect();
    let mut control = Client::connect(&day.lab.folder().control()).expect("control socket");
    let mut reconciled = Reconciled {
        payments: paid.len(),
        ..Reconciled::default()
    };
    for payment in paid {
        let uetr = payment.sent.uetr.as_str();
        let request = Request::Payment { id: uetr.into() };
        let held = control.ask(&request).expect("an answer");
        let held = held.map(|value| value["outcome"] == "settled");
        let (payer, payee) = (&told[payment.payer], &told[payment.payee]);
        match (held, payer.outcomes(uetr), payee.outcomes(uetr)) {
            (_, [_, _, ..], _) | (_, _, [_, _, ..]) => reconciled
                .doubled
                .push(format!("{uetr}: two outcomes were told")),
            // The payee's bank hears of a rejected payment only if it had been asked.
            (Ok(true), ["ACSC"], ["ACSC"]) => reconciled.settled += 1,
            (Ok(false), ["RJCT"], [] | ["RJCT"]) => {}
            (held, payer, payee) => reconciled.lost.push(format!(
                "{uetr}: switch {held:?}, payer {payer:?}, payee {payee:?}"
            )),
        }
    }
    // Each payment moves 1.00: a position that is not what its bank's books say has lost or doubled one.
    let differences = day.differences().expect("books");
    reconciled.doubled.extend(differences);
    reconciled
}

/// Waits until the banks have heard every outcome, or for as long as that may take.
pub fn settle(day: &Day) {
    let end = Instant::now() + SETTLE_WITHIN;
    while !is_settled(day) && Instant::now() < end {
        std::thread::sleep(POLL);
    }
}

fn is_settled(day: &Day) -> bool {
    BANKS.iter().all(|bank| {
        let books = day.ask(bank.code, &BankRequest::Books).expect("books");
        books["open"] == 0 && books["unacknowledged"] == 0
    })
}

/// Which final outcomes a bank was told of each payment.
struct Told(HashMap<String, Vec<&'static str>>);

impl Told {
    fn of(lab: &Lab, code: &str) -> Told {
        let request = BankRequest::Messages { since: 0 };
        let mut messages = lab.bank(code, &request).expect("messages");
        let messages: Vec<Seen> =
            serde_json::from_value(messages["messages"].take()).expect("messages");
        let mut told: HashMap<String, Vec<&'static str>> = HashMap::new();
        for seen in messages {
            let outcome = match seen.status.as_deref() {
                Some("ACSC") => "ACSC",
                Some("RJCT") => "RJCT",
                _ => continue,
            };
            if let Some(uetr) = seen.uetr {
                let outcomes = told.entry(uetr).or_default();
                // After a crash the same outcome may be told again, word for word.
                if !outcomes.contains(&outcome) {
                    outcomes.push(outcome);
                }
            }
        }
        Told(told)
    }

    fn outcomes(&self, uetr: &str) -> &[&'static str] {
        self.0.get(uetr).map_or(&[], Vec::as_slice)
    }
}
