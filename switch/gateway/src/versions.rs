//! Numbers for message versions, as the journal keeps them.
//!
//! Why it exists: an answer repeats the name of the message it answers (`OrgnlMsgNmId`), and a forward names the version it
//! carries; facts hold one byte instead of a text. A number is never reused and never moves: new versions go to the end.

use torap_iso20022::MessageType;

/// Place in the list = number in the journal. Append only.
const NUMBERED: [MessageType; 26] = [
    MessageType::PACS_008_001_08,
    MessageType::PACS_008_001_10,
    MessageType::PACS_008_001_12,
    MessageType::PACS_002_001_10,
    MessageType::PACS_002_001_12,
    MessageType::PACS_002_001_14,
    MessageType::PACS_004_001_09,
    MessageType::PACS_004_001_10,
    MessageType::PACS_004_001_11,
    MessageType::PACS_028_001_03,
    MessageType::PACS_028_001_05,
    MessageType::CAMT_056_001_08,
    MessageType::CAMT_056_001_10,
    MessageType::CAMT_029_001_09,
    MessageType::CAMT_029_001_11,
    MessageType::ACMT_023_001_03,
    MessageType::ACMT_024_001_03,
    MessageType::ADMI_011_001_01,
    MessageType::PACS_009_001_08,
    MessageType::PACS_009_001_10,
    MessageType::CAMT_050_001_06,
    MessageType::CAMT_060_001_05,
    MessageType::CAMT_003_001_07,
    MessageType::CAMT_005_001_08,
    MessageType::CAMT_007_001_08,
    MessageType::CAMT_007_001_10,
];

/// The number of a version; none for messages that become no payment, such as rejects.
pub(crate) fn number(message: MessageType) -> Option<u8> {
    let place = NUMBERED.iter().position(|known| *known == message)?;
    u8::try_from(place).ok()
}

/// The version of a number; none for a number that a newer binary gave.
pub(crate) fn message(number: u8) -> Option<MessageType> {
    NUMBERED.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_held_by_the_journal_and_never_move() {
        let expected = "pacs.008.001.08 pacs.008.001.10 pacs.008.001.12 pacs.002.001.10 pacs.002.001.12 pacs.002.001.14 \
                        pacs.004.001.09 pacs.004.001.10 pacs.004.001.11 pacs.028.001.03 pacs.028.001.05 camt.056.001.08 \
                        camt.056.001.10 camt.029.001.09 camt.029.001.11 acmt.023.001.03 acmt.024.001.03 admi.011.001.01 \
                        pacs.009.001.08 pacs.009.001.10 camt.050.001.06 camt.060.001.05 camt.003.001.07 \
                        camt.005.001.08 camt.007.001.08 camt.007.001.10";
        let names: Vec<&str> = NUMBERED.iter().map(|message| message.as_str()).collect();
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn numbers_go_both_ways() {
        for place in 0..=u8::MAX {
            if let Some(known) = message(place) {
                assert_eq!(number(known), Some(place));
            }
        }
        assert_eq!(number(MessageType::ADMI_004_001_02), None);
        assert_eq!(message(200), None);
    }
}
