//! The simulator itself: reproducible, without false alarms, and not blind.

use crate::{
    Fault, Options, Report, Verdict,
    draw::Draw,
    net::{Arrived, Pipe},
    office::Heard,
    plan::Plan,
    run, simulate,
};

fn small(seed: u64) -> Options {
    Options {
        payments: 120,
        ..Options::new(seed)
    }
}

fn without_faults(seed: u64) -> Options {
    Options {
        without: Fault::ALL.to_vec(),
        ..small(seed)
    }
}

fn told(report: &Report) -> String {
    serde_json::to_string(report).expect("a report is JSON")
}

#[test]
fn a_seed_is_a_whole_run() {
    for seed in 0..4 {
        assert_eq!(told(&simulate(&small(seed))), told(&simulate(&small(seed))));
    }
    assert_ne!(simulate(&small(0)).digest, simulate(&small(1)).digest);
}

#[test]
fn telling_a_run_does_not_change_it() {
    assert_eq!(run(&small(2), true).digest, run(&small(2), false).digest);
}

#[test]
fn without_faults_everything_finishes_and_nothing_crashes() {
    for seed in 0..3 {
        let report = simulate(&without_faults(seed));
        assert_eq!(report.verdict, Verdict::Ok, "{}", told(&report));
        assert_eq!(report.crashes, 0);
        assert!(report.payments >= 120);
    }
}

#[test]
fn cards_take_part_in_about_half_of_the_seeds() {
    let with_cards = (0..200)
        .filter(|seed| Plan::draw(*seed, 100, None, &[]).cards.is_some())
        .count();
    assert!((70..=130).contains(&with_cards), "{with_cards}");
}

#[test]
fn card_traffic_finishes_without_faults() {
    let reports: Vec<Report> = (0..8)
        .filter(|seed| Plan::draw(*seed, 120, None, &[]).cards.is_some())
        .map(|seed| simulate(&without_faults(seed)))
        .collect();
    assert!(!reports.is_empty());
    for report in reports {
        assert_eq!(report.verdict, Verdict::Ok, "{}", told(&report));
        assert!(report.cards > 0, "{}", told(&report));
    }
}

#[test]
fn back_offices_do_everything_without_faults() {
    let mut all = crate::OfficeCounts::default();
    for seed in 0..24 {
        let report = simulate(&Options {
            payments: 200,
            ..without_faults(seed)
        });
        assert_eq!(report.verdict, Verdict::Ok, "{}", told(&report));
        all.add(&report.offices);
    }
    let counts = [
        all.wire,
        all.pages,
        all.notices,
        all.card_settlements,
        all.figures,
        all.extracts,
        all.disputes,
        all.card_disputes,
        all.presented_taken,
        all.tariffs_due,
        all.lines_settled,
        all.approved,
        all.charged,
    ];
    assert!(counts.iter().all(|count| *count > 0), "{all:?}");
}

#[test]
fn what_a_bank_hears_is_counted_by_what_it_names() {
    let mut heard = Heard::default();
    let message = |service: &str, body: &str| {
        format!("<Envelope><AppHdr><BizSvc>{service}</BizSvc></AppHdr>{body}</Envelope>")
    };
    let status = "<FIToFIPmtStsRpt><TxInfAndSts><OrgnlGrpInf><OrgnlMsgId>M-1</OrgnlMsgId></OrgnlGrpInf>\
                  <OrgnlUETR>u-1</OrgnlUETR><TxSts>ACSC</TxSts></TxInfAndSts><TxInfAndSts><OrgnlUETR>u-2</OrgnlUETR>\
                  <TxSts>RJCT</TxSts></TxInfAndSts></FIToFIPmtStsRpt>";
    heard.take(message("torap.imts.1", status).as_bytes());
    heard.take(message("torap.ics.1", status).as_bytes());
    // The instant rail is none of its business.
    heard.take(message("torap.ips.1", status).as_bytes());
    assert_eq!(heard.imts["M-1"].settled, 1);
    assert_eq!(
        (heard.items["u-1"].settled, heard.items["u-2"].rejected),
        (1, 1)
    );
    let items =
        "<CdtTrfTxInf><UETR>u-1</UETR></CdtTrfTxInf><CdtTrfTxInf><UETR>u-2</UETR></CdtTrfTxInf>";
    heard.take(message("torap.ics.1", items).as_bytes());
    heard.take(message("torap.imts.1", items).as_bytes());
    assert_eq!(heard.items_received.len(), 2);
    assert_eq!(heard.received.len(), 1);
}

#[test]
fn damage_to_the_only_copy_is_named() {
    let damaged = (0..30)
        .map(|seed| simulate(&small(seed)))
        .filter(|report| report.verdict == Verdict::Detected);
    let mut seen = 0;
    for report in damaged {
        let place = report.damage.expect("a place");
        assert!(place.segment.ends_with(".seg"), "{}", place.segment);
        assert!(place.offset >= 4096);
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn minutes_spread_the_load() {
    let options = Options {
        minutes: Some(3),
        ..without_faults(1)
    };
    assert!(simulate(&options).seconds >= 180);
}

#[test]
fn a_pipe_keeps_the_order_whatever_happens() {
    let mut draw = Draw::new(7);
    let mut pipe = Pipe::default();
    for number in 0..100_u8 {
        pipe.push(u64::from(number), vec![number], draw.range(0, 50));
        if number % 10 == 0 {
            pipe.delay(draw.range(0, 30));
        }
    }
    let mut arrived = Vec::new();
    let mut now = 0;
    while let Some(at) = pipe.next_at() {
        assert!(at >= now);
        now = at;
        if let Some(Arrived::Bytes(bytes)) = pipe.take(now) {
            arrived.extend(bytes);
        }
    }
    assert_eq!(arrived, (0..100).collect::<Vec<u8>>());
}

#[test]
fn a_cut_ends_inside_what_was_under_way() {
    let mut pipe = Pipe::default();
    pipe.push(0, vec![1, 2, 3], 10);
    pipe.push(0, vec![4, 5, 6], 10);
    pipe.cut(0, 4);
    assert_eq!(pipe.take(10), Some(Arrived::Bytes(vec![1, 2, 3])));
    assert_eq!(pipe.take(10), Some(Arrived::Bytes(vec![4])));
    assert_eq!(pipe.take(10), Some(Arrived::End));
    assert_eq!(pipe.take(10), None);
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    for fault in Fault::ALL {
        assert_eq!(Fault::parse(fault.name()), Some(*fault));
    }
    assert_eq!(Fault::parse("meteor"), None);
}
