use torap_domain::{BankCode, ParticipantId};

use super::*;
use crate::fixtures::{CASP, HSBK, SWITCH, bic, network, view, views};

#[test]
fn participants_are_found_by_every_code() {
    let network = network();
    let casp = network.by_bic(&bic(CASP)).unwrap();
    assert_eq!(casp.id, ParticipantId(2));
    assert_eq!(
        network.by_bic(&bic("CASPKZKAXXX")),
        Some(casp),
        "the branch does not matter"
    );
    assert_eq!(network.by_code("CASP"), Some(casp));
    assert_eq!(network.by_code("casp"), None);
    assert_eq!(network.by_id(ParticipantId(2)), Some(casp));
    assert_eq!(
        network.by_bank_code(BankCode::parse("722").unwrap()),
        Some(casp)
    );
    assert_eq!(network.by_bic(&bic("NBRKKZKX")), None);
    assert_eq!(network.by_id(ParticipantId::SWITCH), None);
    assert_eq!(network.by_bank_code(BankCode::parse("001").unwrap()), None);
    assert!(network.is_switch(&bic(SWITCH)) && !network.is_switch(&bic(CASP)));
}

#[test]
fn a_merger_leads_to_the_successor_and_keeps_the_owner() {
    let mut views = views();
    views[2].successor = Some(ParticipantId(4));
    let network = Network::new(bic(SWITCH), &views);
    let (irty, tses) = (bic("IRTYKZKA"), ParticipantId(4));
    assert_eq!(network.by_bic(&irty).unwrap().id, tses);
    assert_eq!(network.owner(&irty).unwrap().id, ParticipantId(3));
    assert_eq!(
        network
            .by_bank_code(BankCode::parse("965").unwrap())
            .unwrap()
            .id,
        tses
    );
    assert!(
        network.may_send(tses, &irty),
        "the successor speaks for whom it took over"
    );
    assert!(
        network.may_send(ParticipantId(3), &irty),
        "and the old link still may"
    );
    assert_eq!(network.bics_of(tses), [bic("TSESKZKA"), irty]);
}

#[test]
fn sponsors_and_technical_senders_speak_for_others() {
    let mut views = views();
    let mut indirect = view(5, "MICR", "MICRKZKA", "555");
    indirect.sponsor = Some(ParticipantId(1));
    indirect.technical_senders = vec![ParticipantId(2)];
    views.push(indirect);
    let network = Network::new(bic(SWITCH), &views);
    let micr = bic("MICRKZKA");
    assert!(network.may_send(ParticipantId(1), &micr) && network.may_send(ParticipantId(2), &micr));
    assert!(
        !network.may_send(ParticipantId(3), &micr),
        "a stranger does not"
    );
    assert!(
        !network.may_send(ParticipantId(5), &bic(HSBK)),
        "and not the other way round"
    );
    assert_eq!(network.bics_of(ParticipantId(1)), [bic(HSBK), micr]);
    assert_eq!(network.bics_of(ParticipantId(4)), [bic("TSESKZKA")]);
    assert_eq!(network.bics_of(ParticipantId(9)), []);
}

#[test]
fn a_circle_of_successors_ends() {
    let mut views = views();
    views[0].successor = Some(ParticipantId(2));
    views[1].successor = Some(ParticipantId(1));
    let network = Network::new(bic(SWITCH), &views);
    assert!(network.by_bic(&bic(HSBK)).is_some());
}

#[test]
fn order_of_views_does_not_matter() {
    let mut views = views();
    views.reverse();
    let network = Network::new(bic(SWITCH), &views);
    assert_eq!(
        network.by_id(ParticipantId(1)).unwrap().code.as_str(),
        "HSBK"
    );
    assert_eq!(
        network.by_id(ParticipantId(4)).unwrap().code.as_str(),
        "TSES"
    );
}
