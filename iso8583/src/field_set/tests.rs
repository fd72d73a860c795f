use super::*;

#[test]
fn every_field_has_its_bit_as_in_the_bitmaps() {
    for field in 0..=255_u8 {
        let set = FieldSet::one(field);
        match field {
            1..=128 => {
                assert_eq!(set.bits(), 1 << (128 - field), "{field}");
                assert_eq!(set.iter().collect::<Vec<u8>>(), [field]);
            }
            _ => assert!(set.is_empty(), "{field}"),
        }
        assert!((0..=255).all(|other| set.contains(other) == (other == field && !set.is_empty())));
    }
}

#[test]
fn sets_are_joined_and_parted() {
    let (a, b) = (FieldSet::of(&[2, 64, 65]), FieldSet::of(&[64, 128, 200]));
    assert_eq!(a.union(b), FieldSet::of(&[2, 64, 65, 128]));
    assert_eq!(a.intersection(b), FieldSet::one(64));
    assert_eq!(a.difference(b), FieldSet::of(&[2, 65]));
    assert_eq!((a.with(3).len(), a.without(2).first()), (4, Some(64)));
    assert!(a.contains_all(FieldSet::one(65)) && !a.contains_all(b) && a.contains_any(b));
    assert_eq!(
        (a.first_from(3), a.first_from(66), a.first_from(0)),
        (Some(64), None, Some(2))
    );
}

#[test]
fn numbers_and_ranges_are_read_and_told() {
    assert_eq!(
        FieldSet::parse("2-4 7  128").unwrap().to_string(),
        "2 3 4 7 128"
    );
    assert_eq!(FieldSet::parse("").unwrap(), FieldSet::EMPTY);
    for wrong in ["0", "129", "4-2", "a", "1-", "-1", "1--2"] {
        assert!(FieldSet::parse(wrong).is_err(), "{wrong}");
    }
}
