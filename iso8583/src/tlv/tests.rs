use super::*;

/// What a walk gives: tags with values, or the place and rule at which it ends.
#[track_caller]
fn check(bytes: &[u8], expect: &[(u32, &[u8])], end: Option<(usize, Rule)>) {
    let mut found = Vec::new();
    let mut broken = None;
    for object in Walk::new(bytes) {
        match object {
            Ok(object) => {
                assert_eq!(&bytes[object.offset..][..object.value.len()], object.value);
                found.push((object.tag, object.value));
            }
            Err(breach) => broken = Some(breach),
        }
    }
    assert_eq!(found, expect);
    assert_eq!(broken, end);
}

#[test]
fn data_objects_in_their_order_known_or_not() {
    check(b"", &[], None);
    check(
        &[0x9C, 1, 0x00, 0xDF, 0x01, 2, 7, 8, 0x82, 0, 0x9C, 1, 0x09],
        &[(0x9C, &[0]), (0xDF01, &[7, 8]), (0x82, &[]), (0x9C, &[9])],
        None,
    );
    check(&[0xFF, 0x81, 0x05, 1, 5], &[(0xFF_8105, &[5])], None);
    check(&[0xDF, 0x81, 0x82, 0x03, 0], &[(0xDF81_8203, &[])], None);
}

#[test]
fn lengths_in_the_short_and_the_long_form() {
    let value = [0x5A; 300];
    for (length, form) in [
        (127, &[127][..]),
        (128, &[0x81, 128]),
        (255, &[0x81, 255]),
        (300, &[0x82, 1, 44]),
        (3, &[0x81, 3]),
        (3, &[0x82, 0, 3]),
    ] {
        let bytes = [&[0x9C], form, &value[..length]].concat();
        check(&bytes, &[(0x9C, &value[..length])], None);
    }
}

#[test]
fn what_is_malformed_ends_the_walk() {
    let tag = |at| Some((at, Rule::TlvTag));
    let length = |at| Some((at, Rule::TlvLength));
    check(&[0], &[], tag(0));
    check(&[0x9F], &[], tag(0));
    check(&[0x9F, 0x00, 0], &[], tag(0));
    check(&[0x9F, 0x80, 0x01, 0], &[], tag(0));
    check(&[0x9F, 0x81], &[], tag(0));
    check(&[0x9F, 0x81, 0x81, 0x81, 0x01, 0], &[], tag(0));
    check(&[0x9C, 1, 7, 0x00], &[(0x9C, &[7])], tag(3));
    check(&[0x9C], &[], length(1));
    check(&[0x9C, 1], &[], length(1));
    check(&[0x9C, 0x80, 0, 0], &[], length(1));
    check(&[0x9C, 0x81], &[], length(1));
    check(&[0x9C, 0x82, 0], &[], length(1));
    check(&[0x9C, 0x83, 0, 0, 0], &[], length(1));
    check(&[0x9C, 0, 0x9F, 0x26, 2, 1], &[(0x9C, &[])], length(4));
}

#[test]
fn a_tag_is_looked_for_up_to_what_is_malformed() {
    let bytes = [0x9C, 1, 7, 0x9F, 0x26, 1, 9, 0x00];
    assert_eq!(Walk::new(&bytes).first_of(0x9F26), Ok(Some(&[9][..])));
    assert_eq!(Walk::new(&bytes).first_of(0x95), Err((7, Rule::TlvTag)));
    assert_eq!(Walk::new(&bytes[..7]).first_of(0x95), Ok(None));
}

#[test]
fn what_is_written_is_walked_again() {
    for tag in [0x82, 0x9F26, 0xDF_8101, 0xDF81_8201, 0xE1] {
        for length in [0, 1, 127, 128, 255, 256, 4000] {
            let value = vec![0xA5; length];
            let mut out = vec![0xEE];
            write(&mut out, tag, &value).unwrap();
            check(&out[1..], &[(tag, &value)], None);
        }
    }
}

#[test]
fn a_tag_that_no_walk_would_read_is_not_written() {
    for tag in [0, 0x1F, 0x9F, 0x9F80, 0x009F_8001, 0x8201, 0x009F_2601] {
        let mut out = Vec::new();
        assert_eq!(write(&mut out, tag, &[1]), Err(Rule::TlvTag), "{tag:X}");
        assert!(out.is_empty());
    }
    assert_eq!(
        write(&mut Vec::new(), 0x82, &vec![0; 65_536]),
        Err(Rule::TlvLength)
    );
}

#[test]
fn templates_are_told_by_their_tag() {
    let is_template = |tag| {
        DataObject {
            tag,
            value: &[],
            offset: 0,
        }
        .is_constructed()
    };
    assert!(
        is_template(0x71) && is_template(0xE1) && is_template(0xBF0C) && is_template(0xFF_8105)
    );
    assert!(!is_template(0x5A) && !is_template(0x9F26) && !is_template(0xDF01));
}
