//! The check digit of card numbers (ISO/IEC 7812-1, annex B).

/// Does a card number of ASCII digits end with its check digit? Anything but digits, and nothing, is `false`.
pub fn luhn(digits: &[u8]) -> bool {
    // Twice a digit, its own digits added.
    const TWICE: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let mut sum = 0_u32;
    for (place, byte) in digits.iter().rev().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        let Some(&twice) = TWICE.get(usize::from(digit)) else {
            return false;
        };
        sum = sum.wrapping_add(u32::from(if place % 2 == 0 { digit } else { twice }));
    }
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// The digit that makes a card number of it.
pub fn check_digit(digits: &[u8]) -> Option<u8> {
    let mut number = digits.to_vec();
    number.push(b'0');
    (b'0'..=b'9').find(|digit| {
        if let Some(last) = number.last_mut() {
            *last = *digit;
        }
        luhn(&number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_test_numbers_pass_and_any_other_last_digit_fails() {
        for number in [
            "4111111111111111",
            "5555555555554444",
            "6200000000000005",
            "378282246310005",
            "0",
        ] {
            assert!(luhn(number.as_bytes()), "{number}");
            let (body, last) = number.as_bytes().split_at(number.len() - 1);
            assert_eq!(check_digit(body), Some(last[0]), "{number}");
            for digit in (b'0'..=b'9').filter(|digit| *digit != last[0]) {
                assert!(!luhn(&[body, &[digit]].concat()));
            }
        }
        assert!(!luhn(b""));
        assert!(!luhn(b"41111111 1111111"));
    }
}
