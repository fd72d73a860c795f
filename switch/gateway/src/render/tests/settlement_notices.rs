//! Notices about card nets, defaults, the guarantee fund and cases.

use torap_domain::{Date, Money, ParticipantId, Position, Sequence, Time, Uetr};
use torap_engine::{
    CardCycle, CaseNotice, CaseStep, CaseSubject, Message, Notice, Outbound,
    disputes::{End, Move, Stage},
    participants::Direction,
};
use torap_iso20022::{
    profile::Direction as Towards,
    view::{Body, Reader},
};

use super::world::Log;
use crate::{
    fixtures::{ACCEPTED_NS, cold, network},
    formats::formats,
    render::Renderer,
};

/// Code, BizSvc and parameters of a notice as it is written; valid against its schema and under the profile.
fn written(notice: Notice) -> (String, String, Vec<String>) {
    let effect = cold(Outbound {
        to: ParticipantId(1),
        sequence: Sequence::new(3),
        cause: Position::new(9),
        time: Time::from_nanos(ACCEPTED_NS),
        expires: None,
        message: Message::Notice { notice },
    });
    let mut out = Vec::new();
    // An empty log: the text is written from the entry alone.
    let log = Log::with([]);
    let rendered = Renderer::new().render(&effect, None, &log, &network(), false, &mut out);
    rendered.unwrap();
    let mut reader = Reader::new(*formats());
    let read = reader.read(&out, Towards::FromSwitch).unwrap();
    let service = read.header.unwrap().service.unwrap().to_owned();
    let Body::EventNotice(notice) = read.body else {
        panic!("{:?}", read.body)
    };
    assert!(notice.description.is_some() && notice.time_ns.is_some());
    let parameters = notice.parameters.iter().map(str::to_owned).collect();
    (notice.code.to_owned(), service, parameters)
}

#[test]
fn what_a_settlement_came_to_is_told_under_imts() {
    let of = CardCycle {
        session: Date::parse("2026-12-01").unwrap(),
        cycle: 2,
    };
    let kzt = Money::kzt;
    let net = |direction| Notice::CardNet {
        of,
        direction,
        net: kzt(125_050),
        moved: kzt(100_000),
    };
    for (notice, code, parameters) in [
        (
            net(Direction::In),
            "CNET",
            vec!["2026-12-01/2", "IN", "1250.50", "1000.00"],
        ),
        (
            net(Direction::Out),
            "CNET",
            vec!["2026-12-01/2", "OUT", "1250.50", "1000.00"],
        ),
        (
            Notice::Defaulted {
                of,
                contribution: kzt(5_000),
                short: kzt(1),
            },
            "DFLT",
            vec!["2026-12-01/2", "50.00", "0.01"],
        ),
        (
            Notice::FundUsed { of, amount: kzt(7) },
            "GFUS",
            vec!["2026-12-01/2", "0.07"],
        ),
        (
            Notice::NetLost {
                of,
                amount: kzt(70),
            },
            "LOSS",
            vec!["2026-12-01/2", "0.70"],
        ),
        (
            Notice::TopUpCalled {
                missing: kzt(300),
                required: kzt(3_000),
            },
            "GCAL",
            vec!["3.00", "30.00"],
        ),
    ] {
        let (found, service, values) = written(notice);
        assert_eq!((found.as_str(), service.as_str()), (code, "torap.imts.1"));
        assert_eq!(values, parameters, "{code}");
    }
}

fn case(step: CaseStep, stage: Stage, is_claimant: bool) -> CaseNotice {
    CaseNotice {
        case: Position::new(4711),
        subject: CaseSubject::Payment(Uetr::parse("f47ac10b-58cc-4372-a567-0e02b2c3d479").unwrap()),
        reason_code: *b"FRAD",
        step,
        is_claimant,
        stage,
        end: None,
        stands: 90_000,
        moved: Move::ToClaimant(90_000),
        deadline: Some(Time::parse("2026-12-15T00:00:00+05:00").unwrap()),
    }
}

#[test]
fn a_case_is_told_to_each_party_in_its_role() {
    let told = |notice| {
        let (code, service, parameters) = written(Notice::Case(notice));
        assert_eq!(service, "torap.inst.1");
        (code, parameters.join("|"))
    };
    let uetr = "f47ac10b58cc4372a5670e02b2c3d479";
    let opened = told(case(CaseStep::Opened, Stage::Chargeback, true));
    let expected =
        format!("4711|{uetr}|CLAIMANT|chargeback|FRAD|900.00|900.00|RESPONDENT 2026-12-15");
    assert_eq!(opened, ("DSPO".to_owned(), expected));
    let opened = told(case(CaseStep::Opened, Stage::Chargeback, false));
    let expected =
        format!("4711|{uetr}|RESPONDENT|chargeback|FRAD|900.00|-900.00|RESPONDENT 2026-12-15");
    assert_eq!(opened, ("DSPO".to_owned(), expected));
    let card = CaseNotice {
        subject: CaseSubject::Card(Position::new(4700)),
        moved: Move::ToRespondent(100),
        ..case(CaseStep::Acted, Stage::Represented, false)
    };
    let expected = "4711|CARD 4700|RESPONDENT|represented|FRAD|900.00|1.00|CLAIMANT 2026-12-15";
    assert_eq!(told(card), ("DSPS".to_owned(), expected.to_owned()));
    let expired = CaseNotice {
        moved: Move::Nothing,
        ..case(CaseStep::Expired, Stage::Arbitration, true)
    };
    let expected = format!("4711|{uetr}|CLAIMANT|arbitration|FRAD|900.00|0.00|OPERATOR 2026-12-15");
    assert_eq!(told(expired), ("DSPX".to_owned(), expected));
    for (end, text) in [
        (End::Accepted, "closed: accepted"),
        (End::Withdrawn, "closed: withdrawn"),
        (End::Ruled, "closed: ruled"),
    ] {
        let over = CaseNotice {
            end: Some(end),
            moved: Move::Nothing,
            deadline: None,
            ..case(CaseStep::Acted, Stage::Closed, true)
        };
        let expected = format!("4711|{uetr}|CLAIMANT|{text}|FRAD|900.00|0.00|NOBODY");
        assert_eq!(told(over), ("DSPE".to_owned(), expected));
    }
}
