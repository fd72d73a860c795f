//! The host of a foreign scheme: tells the card behind a token, a 3-D Secure result, a fraud score.
//!
//! What the switch owes it: an enquiry once, and never about a card of the local instrument.

use torap_iso8583::{Message, check_digit};

use super::books::Books;
use super::message::{Draft, text};
use super::pan::EXPIRY;

/// Prefix of tokens: the scheme's own range, which no issuer has.
const TOKEN_PREFIX: &str = "489537";
/// Fraud score of an everyday transaction.
const SCORE: &str = "012";

#[derive(Debug)]
pub(crate) struct SchemeHost {
    /// Prefixes of cards that must never be told to it.
    local: Vec<String>,
    /// Prefixes of cards that have tokens.
    prefixes: Vec<String>,
    asked: u64,
}

/// The token of a card: the scheme's prefix, the card's digits in another order, a check digit.
pub(crate) fn token_of(pan: &str) -> String {
    let body: String = pan.chars().rev().skip(1).take(9).collect();
    let mut token = format!("{TOKEN_PREFIX}{body}");
    token.extend(check_digit(token.as_bytes()).map(char::from));
    token
}

impl SchemeHost {
    pub(crate) fn new(prefixes: Vec<String>, local: Vec<String>) -> SchemeHost {
        SchemeHost {
            local,
            prefixes,
            asked: 0,
        }
    }

    /// Enquiries that came.
    pub(crate) fn asked(&self) -> u64 {
        self.asked
    }

    /// The answer to an enquiry (0600), or a refusal with a code.
    pub(crate) fn answer(
        &mut self,
        message: &Message<'_>,
        refuse: Option<&str>,
        institution: &str,
        books: &mut Books,
    ) -> Draft {
        self.asked += 1;
        let question = Draft::of(message);
        let number = text(message, 2);
        if self.local.iter().any(|prefix| number.starts_with(prefix)) {
            books.violation(
                &question.text(37),
                "a card of the local instrument was told to a foreign scheme",
            );
        }
        let mut answer = question.retyped(610);
        answer.keep(&[7, 11, 24, 32, 37, 41]);
        answer.set(33, institution);
        if let Some(code) = refuse {
            answer.set(39, code);
            return answer;
        }
        answer.set(39, "00");
        if number.starts_with(TOKEN_PREFIX) {
            match self.card_of(&number) {
                Some(pan) => {
                    answer.set(2, &pan);
                    answer.tag("TK", &number).tag("TE", EXPIRY);
                    answer.tag("PR", "V0010013022298169667504231315");
                    answer.tag("TL", "85");
                }
                None => {
                    answer.set(39, "14");
                    return answer;
                }
            }
        }
        answer.tag("EC", "05").tag("DR", "Y");
        answer.tag("FS", SCORE).tag("FO", "SCHEME");
        answer.tag("SC", "VI").tag("ST", "301234567890123");
        answer
    }

    /// The card of a token: what [`token_of`] hid of it is the prefix, and only this host's prefixes are tried.
    fn card_of(&self, token: &str) -> Option<String> {
        let body: String = token.get(6..15)?.chars().rev().collect();
        let cards = self.prefixes.iter().filter_map(|prefix| {
            // Fifteen digits and the check digit; nine of them are in the token.
            let known = prefix.get(..6)?;
            let mut pan = format!("{known}{body}");
            pan.push(char::from(check_digit(pan.as_bytes())?));
            pan.starts_with(prefix).then_some(pan)
        });
        cards.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::pan::TestCard;

    #[test]
    fn the_host_knows_the_card_behind_a_token() {
        let host = SchemeHost::new(vec!["4398601".into(), "4398722".into()], Vec::new());
        for prefix in ["4398601", "4398722"] {
            for number in [0, 7, 12_345_678] {
                let card = TestCard::new(prefix, number).unwrap();
                let token = token_of(card.pan());
                assert_eq!(token.len(), 16);
                assert_eq!(host.card_of(&token).as_deref(), Some(card.pan()));
            }
        }
        assert_eq!(host.card_of("4895379999999991"), None);
    }
}
