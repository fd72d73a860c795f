//! Banks that flood the switch, or read nothing of what it sends: the payments of others go on as before, and memory stays bounded.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::BytesMut;
use torap_bank::{PayOrder, Payee, Request as BankRequest};
use torap_domain::Bic;
use torap_gateway::{
    session::{ClientConfig, ClientEvent, ClientSession, Secret},
    wire::{Mode, Name, Nonce},
};
use torap_node::{
    control::Request,
    demo::{BANKS, Day, Lab, customer_of},
    folder::read_secret,
};

use crate::{load::settle, program::lab};

/// Payments whose latency is taken.
const SAMPLES: u32 = 21;
/// Latency may grow with a busy machine, but not by an order of magnitude and a pause.
const GROWTH_MAX: u32 = 10;
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// Payments for the bank that reads nothing.
const UNREAD: u32 = 2_000;
/// Resident memory that a flood may cost: buffers, not the flood.
const MEMORY_MAX: u64 = 256 << 20;
const SIGNED_ON_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

fn payment(from: u32, to: &str) -> PayOrder {
    let bank = BANKS.iter().find(|bank| bank.code == to).expect("a bank");
    let customer = customer_of(to, from).expect("customer");
    let payee = Payee::Account {
        bank: bank.bic.into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    PayOrder::new(from, payee, Some("1.00"))
}

/// The median time of a payment between two banks that do no harm, one after the other.
fn latency(day: &Day) -> Duration {
    let mut taken: Vec<Duration> = (0..SAMPLES)
        .map(|number| {
            let begun = Instant::now();
            let sent = day.pay_with("HSBK", payment(number, "IRTY")).expect("sent");
            assert_eq!(day.outcome("HSBK", &sent).as_deref(), Ok("ACSC"));
            begun.elapsed()
        })
        .collect();
    taken.sort_unstable();
    taken[taken.len() / 2]
}

fn memory(day: &Day) -> u64 {
    let status = day.ctl(&Request::Status).expect("status");
    assert_eq!(status["conserved"], true);
    status["memory_bytes"].as_u64().expect("a size")
}

fn goes_on(before: (Duration, u64), during: (Duration, u64)) {
    let (latency, memory) = before;
    assert!(
        during.0 <= latency * GROWTH_MAX + PAUSE_MAX,
        "latency: {latency:?} before, {:?} meanwhile",
        during.0
    );
    assert!(
        during.1 <= memory + MEMORY_MAX,
        "memory: {memory} before, {} meanwhile",
        during.1
    );
}

#[test]
fn a_bank_that_floods_nonsense_slows_and_grows_nobody_else() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    let before = (latency(&day), memory(&day));
    let stop = Arc::new(AtomicBool::new(false));
    let mut client = day.lab.bank_client("TSES").expect("a bank");
    let stopped = Arc::clone(&stop);
    let flood = std::thread::spawn(move || {
        let text = "<nonsense>".repeat(200);
        let mut count = 0;
        while !stopped.load(Ordering::SeqCst) {
            let request = BankRequest::Raw { text: text.clone() };
            client.ask(&request).expect("queued");
            count += 1;
        }
        count
    });
    let during = (latency(&day), memory(&day));
    stop.store(true, Ordering::SeqCst);
    let count = flood.join().expect("the flood ends");
    eprintln!("flood: {count} messages, {before:?} before, {during:?} meanwhile");
    assert!(count > SAMPLES, "no flood: {count}");
    goes_on(before, during);
}

#[test]
fn a_bank_that_reads_nothing_slows_and_grows_nobody_else() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    let before = (latency(&day), memory(&day));
    day.ask("TSES", &BankRequest::Link { up: false })
        .expect("the bank's own host goes");
    wait_until_up(&day, false);
    let unread = sign_on(&day.lab, "TSES");
    wait_until_up(&day, true);
    let mut client = day.lab.bank_client("CASP").expect("a bank");
    for number in 0..UNREAD {
        let order = payment(number, "TSES");
        client.ask(&BankRequest::Pay(order)).expect("sent");
    }
    let during = (latency(&day), memory(&day));
    eprintln!("unread: {before:?} before, {during:?} meanwhile");
    goes_on(before, during);
    drop(unread);
    day.ask("TSES", &BankRequest::Link { up: true })
        .expect("the bank's own host comes back");
    settle(&day);
    assert_eq!(day.differences().expect("books"), Vec::<String>::new());
}

fn wait_until_up(day: &Day, up: bool) {
    let end = Instant::now() + SIGNED_ON_WITHIN;
    loop {
        let status = day.ctl(&Request::Status).expect("status");
        let rows = status["participants"].as_array().expect("rows").clone();
        if rows
            .iter()
            .any(|row| row["code"] == "TSES" && row["up"] == up)
        {
            return;
        }
        assert!(Instant::now() < end, "TSES is not {up}");
        std::thread::sleep(POLL);
    }
}

/// A host of the bank that signs on and then leaves everything unread.
fn sign_on(lab: &Lab, code: &str) -> TcpStream {
    let bank = BANKS.iter().find(|bank| bank.code == code).expect("a bank");
    let secret = Secret::new(read_secret(&lab.folder().secret(code)).expect("the secret"));
    let name = Name::parse(code).expect("a name");
    let bics = vec![Bic::parse(bank.bic).expect("a BIC")];
    let config = ClientConfig::new(name, Mode::Live, bics, secret);
    let begun = Instant::now();
    let now = || u64::try_from(begun.elapsed().as_nanos()).expect("a short time");
    let mut session = ClientSession::new(config, Nonce([7; 32]), &[], now());
    let mut stream = TcpStream::connect(lab.address()).expect("connect");
    let mut output = BytesMut::new();
    let mut input = [0; 4096];
    loop {
        session.poll_output(&mut output, now());
        stream.write_all(&output).expect("written");
        output.clear();
        let count = stream.read(&mut input).expect("read");
        assert!(count > 0, "the switch closed the connection");
        let taken = session.handle_bytes(&input[..count], now());
        assert_eq!(taken, count);
        match session.poll_event() {
            None => {}
            Some(ClientEvent::SignedOn { .. }) => return stream,
            Some(event) => panic!("{event:?}"),
        }
    }
}
