use super::*;
use crate::key::CheckValue;
use crate::response::{Diagnosis, Verdict};
use crate::status::Status;
use crate::wire::{Kind, decode_request, encode_response};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// A link, and an HSM at its other end that does as the test says.
struct Rig {
    link: HsmLink,
    now: u64,
}

/// What the HSM received: correlation and command.
type Received = Vec<(u64, Command)>;

impl Rig {
    fn new(config: HsmLinkConfig) -> Rig {
        let link = HsmLink::new(config, 0);
        Rig { link, now: 0 }
    }

    /// A link that is up.
    fn up() -> Rig {
        let mut rig = Rig::new(HsmLinkConfig::default());
        rig.come_up(100);
        rig
    }

    fn come_up(&mut self, in_flight_max: u32) {
        assert!(matches!(self.link.poll_event(), Some(HsmEvent::Connect)));
        self.link.handle_connected(self.now);
        let received = self.received();
        let [(correlation, Command::Diagnose)] = received[..] else {
            panic!("{received:?}")
        };
        self.answer(
            correlation,
            Ok(Response::Diagnose(diagnosis(in_flight_max))),
        );
        assert!(matches!(self.link.poll_event(), Some(HsmEvent::Up(_))));
        assert!(self.link.poll_event().is_none());
        assert!(self.link.takes_requests() || in_flight_max == 0);
    }

    fn ask(&mut self, timeout: u64) -> Result<RequestId, NotTaken> {
        let deadline = self.now + timeout;
        self.link.request(&Request::Echo(b"x"), deadline, self.now)
    }

    fn received(&mut self) -> Received {
        let mut out = BytesMut::new();
        self.link.poll_output(&mut out);
        let mut received = Vec::new();
        while let Some((frame, length)) = Frame::first(&out).expect("a frame") {
            assert_eq!(frame.kind, Kind::Request);
            decode_request(&frame).expect("a request");
            received.push((frame.correlation, frame.command));
            out.advance(length);
        }
        assert!(out.is_empty());
        received
    }

    fn answer(&mut self, correlation: u64, answer: Result<Response, Status>) {
        let command = answer.as_ref().map_or(Command::Echo, Response::command);
        let mut bytes = BytesMut::new();
        encode_response(command, correlation, &answer, &mut bytes);
        self.bytes(&bytes);
    }

    fn echo(&mut self, id: RequestId) {
        self.answer(id.0, Ok(Response::Echo(b"x".to_vec())));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        assert_eq!(self.link.handle_bytes(bytes, self.now), bytes.len());
    }

    fn pass(&mut self, time: u64) {
        self.now += time;
        self.link.handle_timeout(self.now);
    }

    fn outcome(&mut self) -> (RequestId, Result<(), Failure>) {
        match self.link.poll_event() {
            Some(HsmEvent::Answer(answer)) => (answer.id, answer.outcome.map(|_| ())),
            other => panic!("{other:?}"),
        }
    }

    fn disconnected(&mut self) -> DownReason {
        match self.link.poll_event() {
            Some(HsmEvent::Disconnect(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn quiet(&mut self) {
        let event = self.link.poll_event();
        assert!(event.is_none(), "{event:?}");
    }
}

fn diagnosis(in_flight_max: u32) -> Diagnosis {
    Diagnosis {
        name: "test".into(),
        master_key: CheckValue::from_bytes(&[1, 2, 3]).expect("3 bytes"),
        in_flight_max,
    }
}

#[test]
fn answers_come_in_any_order_to_the_requests_they_belong_to() {
    let mut rig = Rig::up();
    let ids: Vec<RequestId> = (0..3).map(|_| rig.ask(S).expect("taken")).collect();
    assert_eq!(rig.received().len(), 3);
    rig.echo(ids[2]);
    rig.answer(ids[0].0, Err(Status::KeyBlockInvalid));
    rig.echo(ids[1]);
    assert_eq!(rig.outcome(), (ids[2], Ok(())));
    let refused = Failure::Refused(Status::KeyBlockInvalid);
    assert_eq!(rig.outcome(), (ids[0], Err(refused)));
    assert_eq!(rig.outcome(), (ids[1], Ok(())));
    rig.quiet();
    assert_eq!(rig.link.in_flight(), 0);
}

#[test]
fn an_answer_in_pieces_is_taken_when_it_is_whole() {
    let mut rig = Rig::up();
    let id = rig.ask(S).expect("taken");
    let mut bytes = BytesMut::new();
    let answer = Ok(Response::Echo(b"x".to_vec()));
    encode_response(Command::Echo, id.0, &answer, &mut bytes);
    for byte in &bytes[..bytes.len() - 1] {
        rig.bytes(&[*byte]);
        rig.quiet();
    }
    rig.bytes(&bytes[bytes.len() - 1..]);
    assert_eq!(rig.outcome(), (id, Ok(())));
}

#[test]
fn a_request_times_out_at_its_deadline_and_its_late_answer_is_dropped() {
    let mut rig = Rig::up();
    let slow = rig.ask(500 * MS).expect("taken");
    let quick = rig.ask(100 * MS).expect("taken");
    assert_eq!(rig.link.poll_timeout(), Some(rig.now + 100 * MS));
    rig.pass(100 * MS);
    assert_eq!(rig.outcome(), (quick, Err(Failure::TimedOut)));
    rig.quiet();
    rig.echo(quick);
    rig.quiet();
    assert_eq!(rig.link.late_answers(), 1);
    rig.pass(399 * MS);
    rig.quiet();
    rig.pass(MS);
    assert_eq!(rig.outcome(), (slow, Err(Failure::TimedOut)));
}

#[test]
fn requests_are_refused_when_they_cannot_be_served() {
    let mut rig = Rig::new(HsmLinkConfig::default());
    assert_eq!(rig.ask(S), Err(NotTaken::Down));
    rig.come_up(2);
    assert_eq!(rig.ask(0), Err(NotTaken::TooLate));
    let first = rig.ask(S).expect("taken");
    rig.ask(S).expect("taken");
    assert!(!rig.link.takes_requests());
    assert_eq!(rig.ask(S), Err(NotTaken::Full));
    rig.echo(first);
    assert_eq!(rig.outcome(), (first, Ok(())));
    assert!(rig.ask(S).is_ok());
    let long = Request::Echo(&[0; 65]);
    assert_eq!(rig.link.request(&long, 2 * S, rig.now), Err(NotTaken::Full));
    let mut rig = Rig::up();
    assert_eq!(
        rig.link.request(&long, 2 * S, rig.now),
        Err(NotTaken::TooLong)
    );
    assert_eq!(rig.link.in_flight(), 0);
}

#[test]
fn output_that_is_not_taken_holds_requests_back() {
    let config = HsmLinkConfig {
        in_flight_max: usize::MAX,
        ..HsmLinkConfig::default()
    };
    let mut rig = Rig::new(config);
    rig.come_up(u32::MAX);
    let mut taken = 0;
    while rig.ask(S).is_ok() {
        taken += 1;
    }
    assert_eq!(rig.ask(S), Err(NotTaken::Full));
    assert!(taken > 10_000, "{taken}");
    assert_eq!(rig.received().len(), taken);
    assert!(rig.ask(S).is_ok());
}

#[test]
fn a_broken_connection_fails_what_is_under_way_and_comes_back() {
    let mut rig = Rig::up();
    let answered = rig.ask(S).expect("taken");
    let lost = rig.ask(S).expect("taken");
    rig.echo(answered);
    rig.link.handle_end(rig.now);
    assert_eq!(rig.ask(S), Err(NotTaken::Down));
    assert_eq!(rig.outcome(), (answered, Ok(())));
    assert_eq!(rig.outcome(), (lost, Err(Failure::LinkLost)));
    assert_eq!(rig.disconnected(), DownReason::LinkLost);
    rig.quiet();
    rig.received();
    assert_eq!(rig.link.poll_timeout(), Some(rig.now + 100 * MS));
    rig.pass(100 * MS);
    rig.come_up(100);
    let next = rig.ask(S).expect("taken");
    assert!(next > lost);
    // An answer of the connection before reaches nobody.
    rig.echo(lost);
    rig.quiet();
    assert_eq!(rig.link.late_answers(), 1);
}

#[test]
fn pauses_between_attempts_double_up_to_a_limit() {
    let mut rig = Rig::new(HsmLinkConfig::default());
    let mut pauses = Vec::new();
    for _ in 0..8 {
        assert!(matches!(rig.link.poll_event(), Some(HsmEvent::Connect)));
        rig.link.handle_end(rig.now);
        assert_eq!(rig.disconnected(), DownReason::Unreachable);
        let pause = rig.link.poll_timeout().expect("another attempt") - rig.now;
        pauses.push(pause / MS);
        rig.pass(pause);
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    rig.come_up(10);
    rig.link.handle_end(rig.now);
    assert_eq!(rig.disconnected(), DownReason::LinkLost);
    assert_eq!(rig.link.poll_timeout(), Some(rig.now + 100 * MS));
}

#[test]
fn an_hsm_that_does_not_say_who_it_is_is_left() {
    let mut rig = Rig::new(HsmLinkConfig::default());
    rig.link.poll_event();
    rig.pass(S);
    rig.link.handle_connected(rig.now);
    rig.quiet();
    assert_eq!(rig.link.poll_timeout(), Some(2 * S));
    rig.pass(S);
    assert_eq!(rig.disconnected(), DownReason::Unreachable);
    rig.quiet();
    let mut rig = Rig::new(HsmLinkConfig::default());
    rig.link.poll_event();
    rig.link.handle_connected(rig.now);
    let [(correlation, _)] = rig.received()[..] else {
        panic!("one question")
    };
    rig.answer(correlation, Err(Status::UnsupportedVersion));
    assert_eq!(rig.disconnected(), DownReason::Unintelligible);
}

#[test]
fn an_idle_link_asks_for_a_sign_of_life() {
    let mut rig = Rig::up();
    assert_eq!(rig.link.poll_timeout(), Some(rig.now + 5 * S));
    for _ in 0..3 {
        rig.pass(5 * S);
        let [(correlation, Command::Echo)] = rig.received()[..] else {
            panic!("an echo")
        };
        rig.echo(RequestId(correlation));
        rig.quiet();
    }
    rig.pass(5 * S);
    rig.received();
    rig.pass(3 * S - 1);
    rig.quiet();
    rig.pass(1);
    assert_eq!(rig.disconnected(), DownReason::Silent);
}

#[test]
fn an_hsm_that_falls_silent_under_load_is_left_and_one_that_is_slow_is_not() {
    let mut rig = Rig::up();
    // Slow: every answer takes longer than its request waits, but answers come.
    let mut waiting = VecDeque::new();
    for _ in 0..20 {
        waiting.push_back(rig.ask(500 * MS).expect("taken"));
        rig.pass(S);
        if waiting.len() > 1 {
            let id = waiting.pop_front().expect("one");
            rig.echo(id);
        }
        while let Some(event) = rig.link.poll_event() {
            assert!(matches!(event, HsmEvent::Answer(_)), "{event:?}");
        }
    }
    assert_eq!(rig.link.late_answers(), 19);
    // Silent: requests still time out by themselves, then the connection goes.
    let mut rig = Rig::up();
    let mut reason = None;
    for _ in 0..10 {
        if rig.ask(500 * MS).is_err() {
            break;
        }
        rig.pass(500 * MS);
        while let Some(event) = rig.link.poll_event() {
            if let HsmEvent::Disconnect(why) = event {
                reason = Some(why);
            }
        }
    }
    assert_eq!(reason, Some(DownReason::Silent));
    assert_eq!(rig.now, 3 * S);
}

#[test]
fn what_cannot_be_understood_ends_the_connection() {
    let garbage: [&[u8]; 2] = [&[0, 0, 0, 1, 9, 9], &[0xFF; 40]];
    for bytes in garbage {
        let mut rig = Rig::up();
        let id = rig.ask(S).expect("taken");
        rig.bytes(bytes);
        assert_eq!(rig.outcome(), (id, Err(Failure::LinkLost)));
        assert_eq!(rig.disconnected(), DownReason::Unintelligible);
        rig.quiet();
    }
    // A right frame with the answer to something else.
    let mut rig = Rig::up();
    let id = rig.ask(S).expect("taken");
    rig.answer(id.0, Ok(Response::VerifyMac(Verdict::Right)));
    assert_eq!(rig.outcome(), (id, Err(Failure::Unintelligible)));
    assert_eq!(rig.disconnected(), DownReason::Unintelligible);
    // A frame that is no answer at all.
    let mut rig = Rig::up();
    let id = rig.ask(S).expect("taken");
    let mut bytes = BytesMut::new();
    encode_request(&Request::Diagnose, id.0, &mut bytes).expect("a request");
    rig.bytes(&bytes);
    assert_eq!(rig.outcome(), (id, Err(Failure::Unintelligible)));
    assert_eq!(rig.disconnected(), DownReason::Unintelligible);
}

#[test]
fn every_request_has_exactly_one_answer_whatever_happens() {
    // A small generator of its own: the test needs no more than variety.
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut draw = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut rig = Rig::up();
    let mut open = BTreeSet::new();
    let mut asked = 0;
    for _ in 0..20_000 {
        match draw(20) {
            0..8 => {
                if let Ok(id) = rig.ask((1 + draw(800)) * MS) {
                    assert!(open.insert(id));
                    asked += 1;
                }
            }
            8..14 => {
                for (correlation, command) in rig.received() {
                    match (command, draw(10)) {
                        (Command::Diagnose, _) => {
                            let answer = Response::Diagnose(diagnosis(50));
                            rig.answer(correlation, Ok(answer));
                        }
                        (_, 0..7) => rig.echo(RequestId(correlation)),
                        (_, 7) => rig.answer(correlation, Err(Status::Overloaded)),
                        _ => {}
                    }
                }
            }
            14..18 => rig.pass(draw(200) * MS),
            18 if draw(30) == 0 => rig.link.handle_end(rig.now),
            19 if draw(30) == 0 => rig.bytes(&[0; 8]),
            _ => {}
        }
        while let Some(event) = rig.link.poll_event() {
            match event {
                HsmEvent::Connect => rig.link.handle_connected(rig.now),
                HsmEvent::Answer(answer) => assert!(open.remove(&answer.id), "{answer:?}"),
                HsmEvent::Up(_) | HsmEvent::Disconnect(_) => {}
            }
        }
        assert!(rig.link.in_flight() >= open.len());
        assert!(rig.link.poll_timeout().is_some());
    }
    assert!(asked > 4_000, "{asked}");
    rig.pass(REQUEST_NS_MAX);
    while let Some(event) = rig.link.poll_event() {
        if let HsmEvent::Answer(answer) = event {
            assert!(open.remove(&answer.id));
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn what_passes_through_is_not_shown() {
    let mut rig = Rig::up();
    let pan = crate::Pan::parse(b"9999500000000004").expect("a PAN");
    let block = crate::KeyRef::parse(
        "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34",
    )
    .expect("a key block");
    let request = Request::TranslatePin {
        from: crate::PinSource {
            key: block.block(),
            format: crate::PinFormat::Iso4,
            block: crate::PinBlock::from_bytes(&[0xA5; 16]).expect("16 bytes"),
        },
        to: crate::PinTarget {
            key: block.block(),
            format: crate::PinFormat::Iso4,
        },
        pan,
    };
    rig.link.request(&request, S, 0).expect("taken");
    rig.bytes(&[0, 0, 0, 60, 0xA5, 0xA5]);
    let shown = format!("{:?}", rig.link);
    for secret in ["9999500000000004", "\\xa5", "165", "B8267911"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
