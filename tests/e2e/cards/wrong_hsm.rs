//! An HSM that answers wrongly: what needs it is refused, nothing else stops, and when it answers rightly again all is as before.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
};

use bytes::{Buf, BytesMut};
use torap_bank::card::{Order, PinUse};
use torap_hsm::{
    Command, Response,
    wire::{Frame, encode_response},
};
use torap_node::control::CardShow;

use super::lab::{CardLab, Keys, purchase};

/// What happens to answers about PIN blocks on their way from the HSM.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Twist {
    None,
    /// The answer to another command.
    OtherCommand,
    /// Under the number of another question.
    OtherQuestion,
    /// Bytes that are no frame.
    Garbage,
    /// Half of it, and then nothing more on this connection.
    CutOff,
}

impl Twist {
    const ALL: [Twist; 5] = [
        Twist::None,
        Twist::OtherCommand,
        Twist::OtherQuestion,
        Twist::Garbage,
        Twist::CutOff,
    ];

    fn of(number: u8) -> Twist {
        Twist::ALL[usize::from(number)]
    }

    /// What goes out in place of an answer, and whether the connection ends then.
    fn apply(self, frame: &[u8], correlation: u64) -> (Vec<u8>, bool) {
        let mut out = BytesMut::new();
        match self {
            Twist::None => return (frame.to_vec(), false),
            Twist::OtherCommand => {
                let echo = Ok(Response::Echo(vec![7; 16]));
                encode_response(Command::Echo, correlation, &echo, &mut out);
            }
            Twist::OtherQuestion => {
                let mut other = frame.to_vec();
                let place = other
                    .windows(8)
                    .position(|eight| eight == correlation.to_be_bytes())
                    .expect("its correlation");
                other[place] ^= 0x40;
                return (other, false);
            }
            Twist::Garbage => return (vec![0xFF; 64], false),
            Twist::CutOff => return (frame[..frame.len() / 2].to_vec(), true),
        }
        (out.to_vec(), false)
    }
}

/// Stands where the switch looks for its HSM, in front of the real one.
fn stand_between(address: SocketAddr, hsm: SocketAddr, twist: Arc<AtomicU8>) {
    let listener = TcpListener::bind(address).expect("the HSM's place");
    thread::spawn(move || {
        while let Ok((switch, _)) = listener.accept() {
            let Ok(behind) = TcpStream::connect(hsm) else {
                return;
            };
            let (mut from, mut to) = (
                switch.try_clone().expect("a socket"),
                behind.try_clone().expect("a socket"),
            );
            thread::spawn(move || {
                // Questions pass; when either side ends, so does the other.
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let twist = Arc::clone(&twist);
            thread::spawn(move || pass_answers(behind, switch, &twist));
        }
    });
}

fn pass_answers(mut hsm: TcpStream, mut switch: TcpStream, twist: &AtomicU8) {
    let mut stream = BytesMut::new();
    let mut buffer = [0; 4096];
    loop {
        while let Ok(Some((frame, length))) = Frame::first(&stream) {
            let twist = match frame.command {
                Command::TranslatePin => Twist::of(twist.load(Ordering::SeqCst)),
                _ => Twist::None,
            };
            let (out, ends) = twist.apply(&stream[..length], frame.correlation);
            stream.advance(length);
            if switch.write_all(&out).is_err() || ends {
                let _ = switch.shutdown(std::net::Shutdown::Both);
                let _ = hsm.shutdown(std::net::Shutdown::Both);
                return;
            }
        }
        match hsm.read(&mut buffer) {
            Ok(read) if read > 0 => stream.extend_from_slice(&buffer[..read]),
            _ => {
                let _ = switch.shutdown(std::net::Shutdown::Both);
                return;
            }
        }
    }
}

fn with_pin(amount: &str) -> Order {
    Order {
        entry: None,
        pin: PinUse::Right,
        ..purchase(1, amount)
    }
}

#[test]
fn an_hsm_that_answers_wrongly_stops_what_needs_it_and_nothing_else() {
    let mut lab = CardLab::start(Keys::Pins);
    let place = lab.show(CardShow::Status)["hsms"][0]["address"].clone();
    let place: SocketAddr = place
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("an address");
    lab.hsm = None;
    while lab.show(CardShow::Status)["hsms"][0]["up"] != false {}
    let behind = lab.start_hsm("127.0.0.1:0");
    let twist = Arc::new(AtomicU8::new(Twist::None as u8));
    stand_between(place, behind, Arc::clone(&twist));
    let is_up = |lab: &CardLab| while lab.show(CardShow::Status)["hsms"][0]["up"] != true {};
    is_up(&lab);
    assert_eq!(lab.transact(with_pin("100.00")).1, "00");
    for wrong in &Twist::ALL[1..] {
        twist.store(*wrong as u8, Ordering::SeqCst);
        assert_eq!(lab.transact(with_pin("101.00")).1, "96", "{wrong:?}");
        assert_eq!(lab.transact(purchase(1, "102.00")).1, "00", "{wrong:?}");
        twist.store(Twist::None as u8, Ordering::SeqCst);
        is_up(&lab);
        assert_eq!(lab.transact(with_pin("103.00")).1, "00", "after {wrong:?}");
    }
    lab.has_no_complaint();
}
