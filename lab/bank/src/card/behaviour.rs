//! What a card host does with what it is asked. The default is to decide by card, PIN and balance; a script queues other behaviours.

use std::collections::VecDeque;

/// What a behaviour is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// 0100 and 0200.
    Request,
    /// Advices, reversals and whatever else the switch sends until it is acknowledged.
    Letter,
    /// A scheme is asked.
    Enquiry,
    /// A key is handed over, or a set put into use.
    Key,
}

/// Behaviour towards one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Approves whatever the balance says.
    Approve,
    /// Approves so many tiyn of it.
    Part(u64),
    /// Declines with this code.
    Decline(String),
    /// Decides as always, and says nothing.
    Silent,
    /// Decides as always, and answers after so many milliseconds.
    Delay(u64),
    /// The answer twice.
    Twice,
    /// The answer bears a trace that nobody gave.
    WrongTrace,
    /// Bytes that are no message in place of the answer.
    Garbage,
    /// Every link is cut without an answer; they come back.
    DropLink,
    /// The answer on another link.
    OtherLink,
    /// The answer with a MAC that is wrong.
    BadMac,
    /// As the first ones, for the next letter.
    Letter(Toward),
    /// As the first ones, for the next enquiry.
    Enquiry(Toward),
    /// What becomes of the next message about keys.
    Key(KeyWord),
}

/// What may happen to a message about keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyWord {
    Silent,
    Refuse(String),
    /// A check value that is not that of the key.
    WrongValue,
}

/// What may happen to a letter or an enquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toward {
    Silent,
    Delay(u64),
    Refuse(String),
    DropLink,
}

/// Scripted behaviours, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Script(VecDeque<Behaviour>);

impl Behaviour {
    /// Reads `approve`, `part:TENGE`, `decline:51`, `silent`, `delay:MS`, `twice`, `wrong-trace`, `garbage`, `drop-link`, `other-link`,
    /// `bad-mac`; for the next letter `letter-silent`, `letter-delay:MS`, `letter-refuse:CODE`, `letter-drop-link`; for the next
    /// enquiry to a scheme the same with `enquiry-`; for the next message about keys `key-silent`, `key-refuse:CODE`, `key-wrong-value`.
    ///
    /// # Errors
    /// The words that are allowed.
    pub fn parse(text: &str) -> Result<Behaviour, String> {
        let (word, value) = text
            .split_once(':')
            .map_or((text, None), |(word, value)| (word, Some(value)));
        let plain = match (word, value) {
            ("approve", None) => Behaviour::Approve,
            ("part", Some(tenge)) => Behaviour::Part(super::terminal::tiyn("part", tenge)?),
            ("decline", Some(code)) => Behaviour::Decline(response_code(code)?),
            ("silent", None) => Behaviour::Silent,
            ("delay", Some(millis)) => Behaviour::Delay(milliseconds(millis)?),
            ("twice", None) => Behaviour::Twice,
            ("wrong-trace", None) => Behaviour::WrongTrace,
            ("garbage", None) => Behaviour::Garbage,
            ("drop-link", None) => Behaviour::DropLink,
            ("other-link", None) => Behaviour::OtherLink,
            ("bad-mac", None) => Behaviour::BadMac,
            _ => {
                return match word.split_once('-') {
                    Some(("letter", word)) => toward(text, word, value).map(Behaviour::Letter),
                    Some(("enquiry", word)) => toward(text, word, value).map(Behaviour::Enquiry),
                    Some(("key", word)) => key_word(text, word, value).map(Behaviour::Key),
                    _ => Err(unknown(text)),
                };
            }
        };
        Ok(plain)
    }

    pub(crate) fn aim(&self) -> Aim {
        match self {
            Behaviour::Letter(_) => Aim::Letter,
            Behaviour::Enquiry(_) => Aim::Enquiry,
            Behaviour::Key(_) => Aim::Key,
            _ => Aim::Request,
        }
    }
}

impl Script {
    pub(crate) fn push(&mut self, behaviour: Behaviour, count: usize) -> usize {
        self.0.extend(std::iter::repeat_n(behaviour, count));
        self.0.len()
    }

    /// The next one that is meant for such a message.
    pub(crate) fn next(&mut self, aim: Aim) -> Option<Behaviour> {
        let place = self.0.iter().position(|behaviour| behaviour.aim() == aim)?;
        self.0.remove(place)
    }
}

fn toward(whole: &str, word: &str, value: Option<&str>) -> Result<Toward, String> {
    match (word, value) {
        ("silent", None) => Ok(Toward::Silent),
        ("delay", Some(millis)) => milliseconds(millis).map(Toward::Delay),
        ("refuse", Some(code)) => response_code(code).map(Toward::Refuse),
        ("drop-link", None) => Ok(Toward::DropLink),
        _ => Err(unknown(whole)),
    }
}

fn key_word(whole: &str, word: &str, value: Option<&str>) -> Result<KeyWord, String> {
    match (word, value) {
        ("silent", None) => Ok(KeyWord::Silent),
        ("refuse", Some(code)) => response_code(code).map(KeyWord::Refuse),
        ("wrong-value", None) => Ok(KeyWord::WrongValue),
        _ => Err(unknown(whole)),
    }
}

fn unknown(text: &str) -> String {
    format!(
        "`{text}` is none of approve, part:TENGE, decline:CODE, silent, delay:MS, twice, wrong-trace, garbage, drop-link, other-link, \
         bad-mac, letter-… and enquiry-… with silent, delay:MS, refuse:CODE, drop-link, \
         key-silent, key-refuse:CODE, key-wrong-value"
    )
}

fn milliseconds(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("`{text}`: milliseconds are a number"))
}

fn response_code(text: &str) -> Result<String, String> {
    let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match fits {
        true => Ok(text.to_string()),
        false => Err(format!("`{text}`: a response code has two characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        assert_eq!(
            Behaviour::parse("decline:51"),
            Ok(Behaviour::Decline("51".into()))
        );
        assert_eq!(Behaviour::parse("part:12.50"), Ok(Behaviour::Part(1250)));
        assert_eq!(
            Behaviour::parse("letter-refuse:25"),
            Ok(Behaviour::Letter(Toward::Refuse("25".into())))
        );
        assert_eq!(
            Behaviour::parse("key-wrong-value"),
            Ok(Behaviour::Key(KeyWord::WrongValue))
        );
        for wrong in [
            "",
            "decline",
            "decline:510",
            "delay:soon",
            "letter-approve",
            "key-twice",
            "hum",
        ] {
            assert!(Behaviour::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_message_gets_the_next_behaviour_that_is_meant_for_it() {
        let mut script = Script::default();
        script.push(Behaviour::Letter(Toward::Silent), 1);
        script.push(Behaviour::Twice, 1);
        assert_eq!(script.next(Aim::Request), Some(Behaviour::Twice));
        assert_eq!(script.next(Aim::Request), None);
        assert_eq!(
            script.next(Aim::Letter),
            Some(Behaviour::Letter(Toward::Silent))
        );
    }
}
