//! A switch that breaks a promise is found out.

use super::{ACQUIRER, FakeSwitch, ISSUER, purchase, switch};
use crate::card::Request;
use crate::card::message::Draft;

#[track_caller]
fn found(switch: &mut FakeSwitch, host: usize, text: &str) {
    let violations = switch.violations(host);
    assert!(
        violations.iter().any(|violation| violation.contains(text)),
        "{violations:?}"
    );
}

/// The last message of that type that a host was sent.
fn last(switch: &FakeSwitch, host: usize, mti: u16) -> Draft {
    let mut sent = switch.log.iter().rev();
    let fits = |(to, draft): &&(usize, Draft)| *to == host && draft.mti() == mti;
    sent.find(fits).unwrap().1.clone()
}

#[test]
fn the_same_answer_twice() {
    let mut switch = switch();
    switch.doubles_answers = true;
    switch.transact(purchase("1.00"));
    found(&mut switch, ACQUIRER, "came twice, unasked");
}

#[test]
fn two_outcomes() {
    let mut switch = switch();
    switch.transact(purchase("1.00"));
    let mut other = last(&switch, ACQUIRER, 210);
    other.set(39, "91").remove(38);
    switch.deliver(ACQUIRER, &other);
    found(&mut switch, ACQUIRER, "two outcomes: first 00, then 91");
}

#[test]
fn an_answer_to_nothing() {
    let mut switch = switch();
    switch.transact(purchase("1.00"));
    let mut other = last(&switch, ACQUIRER, 210);
    other.set(11, "999999");
    switch.deliver(ACQUIRER, &other);
    found(&mut switch, ACQUIRER, "an answer to nothing");
}

#[test]
fn another_transaction_in_the_answer() {
    let mut switch = switch();
    switch.transact(purchase("1.00"));
    let mut other = last(&switch, ACQUIRER, 210);
    other.set(37, "000000000000");
    switch.deliver(ACQUIRER, &other);
    found(&mut switch, ACQUIRER, "field 37 of the answer");
}

#[test]
fn a_request_twice() {
    let mut switch = switch();
    switch.doubles_requests = true;
    switch.transact(purchase("1.00"));
    found(&mut switch, ISSUER, "a request came twice");
}

#[test]
fn a_request_after_its_reversal() {
    let mut switch = switch();
    switch.transact(purchase("1.00"));
    let mut request = last(&switch, ISSUER, 200);
    request.set(11, "700000");
    let mut letter = request.retyped(420);
    letter.keep(&[2, 3, 4, 7, 12, 13, 15, 18, 22, 32, 37, 41, 42, 49, 63]);
    letter.set(11, "700001").set(24, "400").set(39, "68");
    let mut about = letter.text(7);
    about = format!("0200700000{about}0000000072200000000000");
    letter.set(90, about);
    switch.deliver(ISSUER, &letter);
    switch.deliver(ISSUER, &request);
    found(&mut switch, ISSUER, "a request came after its reversal");
}

#[test]
fn a_missing_field() {
    let mut switch = switch();
    switch.transact(purchase("1.00"));
    let mut request = last(&switch, ISSUER, 200);
    request.set(11, "700000").remove(63);
    switch.deliver(ISSUER, &request);
    found(&mut switch, ISSUER, "field 63: must be there");
}

#[test]
fn letters_out_of_order() {
    let mut switch = switch();
    let first = switch.transact(purchase("1.00"));
    switch.behave("letter-silent");
    switch.ask(
        ACQUIRER,
        Request::Reverse {
            reference: first,
            stands: None,
            request: false,
        },
    );
    let mut other = last(&switch, ISSUER, 420);
    other.set(11, "700000");
    switch.deliver(ISSUER, &other);
    found(&mut switch, ISSUER, "while the one before it had no answer");
}

#[test]
fn a_letter_again_without_its_mark() {
    let mut switch = switch();
    let reference = switch.transact(purchase("1.00"));
    switch.ask(
        ACQUIRER,
        Request::Reverse {
            reference,
            stands: None,
            request: false,
        },
    );
    let letter = last(&switch, ISSUER, 420);
    switch.deliver(ISSUER, &letter);
    found(&mut switch, ISSUER, "a letter came twice without its mark");
}

#[test]
fn a_repeat_that_overtakes_the_first_on_another_link_breaks_no_promise() {
    let mut switch = switch();
    let reference = switch.transact(purchase("1.00"));
    switch.ask(
        ACQUIRER,
        Request::Reverse {
            reference,
            stands: None,
            request: false,
        },
    );
    let mut first = last(&switch, ISSUER, 420);
    first.set(11, "700000");
    switch.deliver(ISSUER, &first.retyped(421));
    switch.deliver(ISSUER, &first);
    assert_eq!(switch.violations(ISSUER), [""; 0]);
    switch.deliver(ISSUER, &first);
    found(&mut switch, ISSUER, "a letter came twice without its mark");
}

#[test]
fn totals_that_are_not_the_hosts() {
    let mut switch = switch();
    switch.transact(purchase("1.00"));
    switch.totals[ISSUER].post(
        super::fake_switch::SESSION,
        crate::card::Side::Issuer,
        torap_domain::card::Direction::Debit,
        1,
    );
    switch.close(ISSUER, crate::card::Side::Issuer);
    found(&mut switch, ISSUER, "totals of session 1121");
}

#[test]
fn bytes_that_are_no_message() {
    let mut switch = switch();
    let now = switch.now;
    switch.hosts[ISSUER].receive(0, b"0200", now);
    found(&mut switch, ISSUER, "unreadable");
}
