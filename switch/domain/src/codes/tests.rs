use super::*;
use proptest::prelude::*;

#[test]
fn knp_is_three_digits() {
    for value in 0..1000 {
        let knp = Knp::from_value(value).unwrap();
        assert_eq!(knp.to_string(), format!("{value:03}"));
        assert_eq!(Knp::parse(&knp.to_string()), Ok(knp));
        assert_eq!(knp.value(), value);
    }
    assert_eq!(Knp::from_value(1000), None);
    for text in ["", "12", "1234", "12A", "+12", "Ж1"] {
        assert_eq!(Knp::parse(text), Err(CodeError::Knp), "{text:?}");
    }
}

#[test]
fn sector_code_is_residency_and_sector() {
    let read: Vec<u8> = (0..=99)
        .filter(|value| SectorCode::parse(&format!("{value:02}")).is_ok())
        .collect();
    let known: Vec<u8> = (0..=255)
        .filter(|value| SectorCode::from_value(*value).is_some())
        .collect();
    assert_eq!(read, (11..=19).chain(21..=29).collect::<Vec<u8>>());
    assert_eq!(read, known);
    let person = SectorCode::parse("19").unwrap();
    assert_eq!(
        (person.is_resident(), person.sector(), person.value()),
        (true, 9, 19)
    );
    assert_eq!(person.to_string(), "19");
    assert!(!SectorCode::parse("27").unwrap().is_resident());
    for text in ["10", "1A", "20"] {
        assert_eq!(SectorCode::parse(text), Err(CodeError::Sector), "{text:?}");
    }
    for text in ["", "1", "09", "39", "199", "A9"] {
        assert_eq!(
            SectorCode::parse(text),
            Err(CodeError::Residency),
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,5}") {
        let _ = Knp::parse(&text);
        let _ = SectorCode::parse(&text);
    }
}
