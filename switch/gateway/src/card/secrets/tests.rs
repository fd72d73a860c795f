use bytes::Bytes;
use torap_hsm::{PinBlock, PinFormat};

use super::{Forwardable, ForwardedPin, begin, read, set_pin};

#[test]
fn message_and_pin_block_come_out_as_they_went_in() {
    let message = b"0200 and the rest";
    for block in [None, Some(&[7_u8; 8][..]), Some(&[9; 16])] {
        let mut secrets = begin(message);
        let pin = block.map(|block| ForwardedPin {
            format: PinFormat::Iso3,
            set: 412,
            block: PinBlock::from_bytes(block).unwrap(),
        });
        if let Some(pin) = &pin {
            set_pin(&mut secrets, pin);
        }
        let secrets = Bytes::from(secrets);
        assert_eq!(read(&secrets), Some(Forwardable { pin, message }));
    }
}

#[test]
fn after_a_restart_there_are_none() {
    assert!(read(&Bytes::new()).is_none());
    assert!(read(&Bytes::from_static(&[2; 40])).is_none());
}

#[test]
fn they_are_not_shown() {
    let secrets = Bytes::from(begin(b"9999990000000015"));
    let shown = format!("{:?}", read(&secrets));
    assert_eq!(shown, "Some(Forwardable { pin: None, message: 16 })");
}
