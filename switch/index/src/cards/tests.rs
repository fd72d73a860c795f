use torap_domain::{
    Money,
    card::{Stan, Transmission},
};
use torap_engine::cards::Decider;

use super::*;

fn trace() -> Trace {
    Trace {
        transmitted: Transmission::parse(b"1121041527").unwrap(),
        stan: Stan::new(123_456).unwrap(),
    }
}

fn every_step() -> Vec<CardStep> {
    let (a, b) = (ParticipantId(1), ParticipantId(2));
    vec![
        CardStep::Asked {
            to: a,
            trace: trace(),
        },
        CardStep::Enquired {
            to: a,
            trace: trace(),
        },
        CardStep::Answered { to: b, again: true },
        CardStep::Replied {
            to: b,
            refusal: None,
            again: false,
        },
        CardStep::Replied {
            to: b,
            refusal: Some(CardReason::Blocked),
            again: true,
        },
        CardStep::Sent {
            to: a,
            letter: CardLetter::Reversal,
            trace: trace(),
            repeat: true,
        },
        CardStep::Decided(Decision::Approved {
            approval: None,
            amount: Money::kzt(100),
            by: Decider::Issuer,
        }),
        CardStep::Decided(Decision::Declined {
            reason: CardReason::RouteUnknown,
            code: None,
        }),
        CardStep::Posted {
            debit: a,
            credit: b,
            amount: Money::kzt(100),
            reversal: false,
        },
        CardStep::Reversed {
            stands: Money::kzt(0),
        },
        CardStep::Ended {
            completed: Money::kzt(1),
        },
        CardStep::LateAnswer {
            issuer: a,
            approved: true,
        },
        CardStep::Blocked,
        CardStep::Reduced {
            stands: Money::kzt(7),
            disputed: true,
        },
    ]
}

fn written(steps: &[CardStep]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    writer.u8(VERSION);
    for step in steps {
        put(step, &mut writer);
    }
    bytes
}

#[test]
fn steps_read_back_as_they_were_written() {
    assert_eq!(read(&written(&[])), Ok(Vec::new()));
    let steps = every_step();
    assert_eq!(read(&written(&steps)), Ok(steps.clone()));
    // Of one step no part is a step, and no other number is one.
    for step in steps {
        let bytes = written(&[step]);
        for end in 2..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{step:?} cut at {end}");
        }
    }
    assert!(read(&[VERSION, 12]).is_err());
    assert!(read(&[VERSION + 1]).is_err());
    assert!(read(&[]).is_err());
}

#[test]
fn a_name_is_its_participant_s_and_its_day_s() {
    let (a, b) = (ParticipantId(1), ParticipantId(2));
    let texts = [
        CardName::trace(a, trace()).text(),
        CardName::trace(b, trace()).text(),
        CardName::Retrieval {
            participant: a,
            retrieval: "1121123456",
        }
        .text(),
        CardName::Trace {
            participant: a,
            day: 1122,
            stan: Stan::new(123_456).unwrap(),
        }
        .text(),
    ];
    assert_eq!(texts[0], "card-11\u{0}1\u{0}1121123456");
    for (at, text) in texts.iter().enumerate() {
        assert!(!texts[at + 1..].contains(text), "{text}");
    }
}
