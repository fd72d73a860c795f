use super::*;
use proptest::prelude::*;
use std::collections::hash_map::DefaultHasher;

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn holds_exactly_its_bytes() {
    assert_eq!(Text::<3>::try_from("abc").unwrap().as_str(), "abc");
    assert_eq!(Text::<3>::try_from("abcd"), Err(TextError::TooLong));
    assert_eq!(Text::<3>::try_from("").unwrap(), Text::EMPTY);
    assert_eq!(
        Text::<255>::try_from("x".repeat(255).as_str())
            .unwrap()
            .len(),
        255
    );
    assert_eq!(
        Text::<255>::try_from("x".repeat(256).as_str()),
        Err(TextError::TooLong)
    );
    assert_eq!(Text::<0>::try_from("x"), Err(TextError::TooLong));
}

#[test]
fn truncates_between_characters() {
    assert_eq!(Text::<5>::truncated("Дүкен").as_str(), "Дү");
    assert_eq!(Text::<5>::truncated("ab").as_str(), "ab");
    assert_eq!(Text::<1>::truncated("Д").as_str(), "");
}

#[test]
fn formats_without_losing_anything() {
    assert_eq!(
        Text::<6>::format(format_args!("{}-{:03}", "TR", 7))
            .unwrap()
            .as_str(),
        "TR-007"
    );
    assert_eq!(
        Text::<5>::format(format_args!("{}-{:03}", "TR", 7)),
        Err(TextError::TooLong)
    );
}

proptest! {
    #[test]
    fn compares_orders_and_hashes_as_its_text(left in "\\PC{0,9}", right in "\\PC{0,9}") {
        let (a, b) = (Text::<40>::try_from(left.as_str()).unwrap(), Text::<40>::try_from(right.as_str()).unwrap());
        prop_assert_eq!(a.as_str(), &left);
        prop_assert_eq!(a == b, left == right);
        prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        prop_assert_eq!(hash(&a) == hash(&b), left == right);
        prop_assert_eq!(a.to_string(), left);
    }

    #[test]
    fn truncated_is_the_longest_prefix_that_fits(text in "\\PC{0,20}") {
        let cut = Text::<12>::truncated(&text);
        prop_assert!(text.starts_with(cut.as_str()));
        let next = text[cut.len()..].chars().next();
        prop_assert!(next.is_none_or(|character| cut.len() + character.len_utf8() > 12));
    }
}
