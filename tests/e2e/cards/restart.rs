//! What a crash leaves: a request under way is reversed and never sent again, what waits in queues arrives, and the books are the same.

use torap_node::control::CardShow;

use super::lab::{CardLab, Keys, purchase};

#[test]
fn a_request_under_way_at_a_crash_is_reversed_and_never_sent_again() {
    let mut lab = CardLab::start(Keys::Macs);
    let (approved, _) = lab.transact(purchase(1, "100.00"));
    lab.behave("ISSB", "silent", 1);
    let sent = lab.send(purchase(1, "20001.00"));
    lab.hears("ISSB", "0200", &sent.reference);
    let before = lab.show(CardShow::Sessions);
    lab.switch.take().expect("a switch").kill();
    lab.start_switch();
    for code in ["ACQB", "ISSB", "SCHM"] {
        lab.is_signed_on(code, true);
    }
    let reversal = lab.hears("ISSB", "0420", &sent.reference);
    assert_eq!(reversal.code.as_deref(), Some("68"));
    assert_eq!(lab.count("ISSB", "0200", &sent.reference), 1);
    // The acquirer learns by a repeat what came of it, and of what was approved before.
    for (reference, code) in [(&sent.reference, "91"), (&approved, "00")] {
        assert_eq!(lab.again(reference, true, None), code, "{reference}");
    }
    assert_eq!(lab.show(CardShow::Sessions), before);
    assert_eq!(lab.transact(purchase(1, "102.00")).1, "00");
    lab.has_no_complaint();
}

#[test]
fn a_queue_survives_a_crash() {
    let mut lab = CardLab::start(Keys::None);
    lab.end_host("ISSB");
    let (stood_in, code) = lab.transact(purchase(1, "100.00"));
    assert_eq!(code, "00");
    lab.switch.take().expect("a switch").kill();
    lab.start_switch();
    lab.start_host("ISSB");
    lab.hears("ISSB", "0220", &stood_in);
    lab.has_no_complaint();
}
