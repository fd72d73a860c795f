use super::*;

/// Every byte at every place of texts of every short length: the check of eight at a time agrees with the one that says it plainly.
#[test]
fn the_fast_check_agrees_with_the_plain_one() {
    for (class, name) in ALL {
        let good = match class {
            Class::Special => b'-',
            Class::Alpha | Class::AlphaSpecial | Class::Track1 => b'K',
            _ => b'7',
        };
        for length in 0..=26 {
            let mut text = vec![good; length];
            if class == Class::SignedAmount && length > 0 {
                text[0] = b'C';
            }
            assert!(class.holds(&text), "{name} {length}");
            for place in 0..length {
                let before = text[place];
                for byte in 0..=255 {
                    text[place] = byte;
                    assert_eq!(
                        class.holds(&text),
                        class.allows(place, byte),
                        "{name}: {byte:02X} at {place} of {length}"
                    );
                    let wrong = (!class.allows(place, byte)).then_some(place);
                    assert_eq!(class.first_wrong(&text), wrong, "{name}");
                }
                text[place] = before;
            }
        }
    }
}

#[test]
fn names_lead_back() {
    for (class, name) in ALL {
        assert_eq!(Class::named(name), Some(class));
        assert_eq!(class.name(), name);
    }
    assert_eq!(Class::named("ansb"), None);
}
