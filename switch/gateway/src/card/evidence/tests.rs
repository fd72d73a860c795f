use torap_iso8583::{Dialect, Message, Mti, Writer};

use super::{Evidence, EvidenceError, dialect_number, write_head};
use crate::card::framing::Tpdu;
use crate::card::vault::SEALED_BYTES;

fn echo() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(800).unwrap(), &mut bytes);
    for (field, value) in [(7, "1121130405"), (11, "000001"), (33, "601"), (70, "301")] {
        writer.field(field, value.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

#[test]
fn every_part_comes_out_as_it_went_in() {
    let image = echo();
    for tpdu in [None, Some(Tpdu([0x60, 1, 2, 3, 4]))] {
        for sealed in [None, Some(&[9; SEALED_BYTES])] {
            let mut bytes = Vec::new();
            write_head(Dialect::national(), tpdu, sealed.is_some(), &mut bytes);
            bytes.extend_from_slice(sealed.map_or(&[], |sealed| sealed.as_slice()));
            bytes.extend_from_slice(&image);
            let evidence = Evidence::read(&bytes).unwrap();
            assert_eq!(evidence.dialect.name(), "national");
            assert_eq!((evidence.tpdu, evidence.sealed), (tpdu, sealed));
            assert_eq!(evidence.message().unwrap().bytes(), image);
        }
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_panic() {
    assert_eq!(Evidence::read(b"").unwrap_err(), EvidenceError::Absent);
    for bytes in [
        &[2, 1, 0][..],
        &[1, 9, 0],
        &[1, 1, 4],
        &[1, 1, 1, 0x60, 0],
        &[1, 1, 2, 0],
        &[1],
    ] {
        assert_eq!(
            Evidence::read(bytes).unwrap_err(),
            EvidenceError::Layout,
            "{bytes:?}"
        );
    }
    let evidence = Evidence::read(&[1, 1, 0, b'0']).unwrap();
    let image = Message::parse(Dialect::national(), b"0").unwrap_err();
    assert_eq!(evidence.message().unwrap_err(), EvidenceError::Image(image));
}

#[test]
fn every_dialect_of_the_program_has_a_number() {
    assert_eq!(dialect_number(Dialect::national()), Some(1));
    for name in Dialect::BUILT_IN {
        assert!(
            super::DIALECTS.iter().any(|(_, known)| *known == name),
            "{name}"
        );
    }
}
