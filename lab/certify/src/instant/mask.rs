//! Messages as a report shows them: identifiers, times, amounts and codes as they are; who a customer is, not.

use serde_json::Value;

/// Elements whose text names a customer, whatever stands above them.
const MASKED: [&str; 9] = [
    "IBAN", "Nm", "MobNb", "PhneNb", "EmailAdr", "AdrLine", "StrtNm", "BldgNb", "Ustrd",
];
/// Digits from which a plain `Id` is a national number or a phone.
const NUMBER_DIGITS_MIN: usize = 10;
/// Keys of JSON commands that name a customer.
const MASKED_KEYS: [&str; 5] = ["phone", "person", "iban", "name", "consent"];
/// How much of a message that is no XML is shown.
const TEXT_CHARACTERS_MAX: usize = 200;

/// A message with the texts of customers masked. What is no XML is shown as it is, cut: only the bench sends such.
pub(super) fn xml(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.chars().take(TEXT_CHARACTERS_MAX).collect();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut element = "";
    while let Some(open) = rest.find('<') {
        let (content, tag) = rest.split_at(open);
        out.push_str(&masked(element, content));
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, behind) = tag.split_at(end);
        out.push_str(tag);
        element = match tag.strip_prefix('<') {
            Some(name) if !name.starts_with(['/', '?', '!']) => local_name(name),
            _ => "",
        };
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// A JSON command with the values of customers masked.
pub(super) fn json(body: &[u8]) -> Value {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return Value::String("no JSON".into());
    };
    if let Some(fields) = value.as_object_mut() {
        for (key, value) in fields {
            if let (true, Some(text)) = (MASKED_KEYS.contains(&key.as_str()), value.as_str()) {
                *value = stars(text).into();
            }
        }
    }
    value
}

fn local_name(tag: &str) -> &str {
    let end = tag.find(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/'));
    let name = tag.get(..end.unwrap_or(tag.len())).unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

fn masked(element: &str, content: &str) -> String {
    let digits = content.bytes().filter(u8::is_ascii_digit).count();
    let is_number = element == "Id" && digits >= NUMBER_DIGITS_MIN && digits * 2 > content.len();
    match MASKED.contains(&element) || is_number {
        true => stars(content),
        false => content.into(),
    }
}

/// The first two and the last two characters of what is long enough; of the rest nothing.
fn stars(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let shown = if letters.len() >= 8 { 2 } else { 0 };
    letters
        .iter()
        .enumerate()
        .map(|(place, letter)| {
            let at_edge = place < shown || place + shown >= letters.len();
            if at_edge { *letter } else { '*' }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_a_customer_is_is_masked_and_what_happened_is_not() {
        let text = "<pacs:TxId>HSBK-T1</pacs:TxId><Nm>АЙДАР АХМЕТОВ</Nm><IBAN>KZ86125KZT5004100100</IBAN>\
            <Othr><Id>790305300457</Id></Othr><Prxy><Id>+77779876543</Id></Prxy><Id>RSLV-00017</Id><Nm>КИМ</Nm>";
        assert_eq!(
            xml(text),
            "<pacs:TxId>HSBK-T1</pacs:TxId><Nm>АЙ*********ОВ</Nm><IBAN>KZ****************00</IBAN>\
            <Othr><Id>79********57</Id></Othr><Prxy><Id>+7********43</Id></Prxy><Id>RSLV-00017</Id><Nm>***</Nm>"
        );
        assert_eq!(xml("no message"), "no message");
        let command = br#"{"command":"register","phone":"+77779876543","name":"X"}"#;
        assert_eq!(
            json(command),
            serde_json::json!({ "command": "register", "phone": "+7********43", "name": "*" })
        );
    }
}
