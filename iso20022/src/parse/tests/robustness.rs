//! Bytes that nobody meant as a message: nothing panics, and what is accepted has its ranges inside the input.

use super::*;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Bytes that mean something to the parser.
const MARKUP: &[u8] = b"<>/&;!?-[]CDATA= \"'axml:\n\r#0\0\xEF\xBB\xBF";

fn read_all(parser: &mut Parser, bytes: &[u8]) -> bool {
    let mut is_accepted = false;
    for mode in [Mode::SchemaOnly, Mode::National] {
        match parser.parse(bytes, mode) {
            Ok(parsed) => {
                is_accepted = true;
                for part in [parsed.header(), parsed.document()].into_iter().flatten() {
                    assert_eq!(part.bytes().len(), part.range().len());
                    let slots = part.slots();
                    for slot in [
                        pacs_008::MSG_ID,
                        pacs_008::AMOUNT,
                        pacs_008::REMITTANCE,
                        pacs_008::OWN_DATA,
                    ] {
                        assert_eq!(slots.is_present(slot), slots.text(slot).is_some());
                        let ranges = slots.element_range(slot).zip(slots.content_range(slot));
                        if let Some((element, content)) = ranges {
                            assert!(element.start <= content.start && content.end <= element.end);
                            assert!(
                                part.range().start <= element.start
                                    && element.end <= part.range().end
                            );
                        }
                    }
                }
            }
            Err(refusal) => {
                assert!(refusal.path.starts_with('/'));
                assert!(refusal.offset <= bytes.len());
                assert!(!refusal.to_string().is_empty());
            }
        }
    }
    is_accepted
}

#[test]
fn arbitrary_bytes() {
    let mut random = Random(1);
    let mut parser = Parser::with_captures(&CAPTURES);
    for _ in 0..20_000 {
        let len = random.below(200);
        let bytes: Vec<u8> = (0..len)
            .map(|_| match random.below(3) {
                0 => random.next() as u8,
                _ => MARKUP[random.below(MARKUP.len())],
            })
            .collect();
        assert!(!read_all(&mut parser, &bytes));
    }
}

#[test]
fn mutated_messages() {
    let mut random = Random(2);
    let mut parser = Parser::with_captures(&CAPTURES);
    let base = envelope(&format!("{HEADER}{}", bare())).into_bytes();
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut bytes = base.clone();
        for _ in 0..=random.below(3) {
            if bytes.len() < 2 {
                break;
            }
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] = MARKUP[random.below(MARKUP.len())],
                2 => drop(bytes.remove(at)),
                3 => bytes.insert(at, random.next() as u8),
                _ => bytes.truncate(at.max(1)),
            }
        }
        accepted += usize::from(read_all(&mut parser, &bytes));
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn every_prefix() {
    let mut parser = Parser::with_captures(&CAPTURES);
    let text = envelope(&format!("{HEADER}{}", bare()));
    for len in 0..text.len() {
        assert!(!read_all(&mut parser, &text.as_bytes()[..len]), "{len}");
    }
    assert!(read_all(&mut parser, text.as_bytes()));
}
