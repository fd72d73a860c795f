//! Documents made wrong, or oddly right.

use torap_iso20022::MessageType;

use crate::instance::{Content, Document, Element};
use crate::random::Random;

/// One mutation of a valid document.
pub(crate) fn mutate(document: &Document, random: &mut Random) -> Vec<u8> {
    if random.once_in(2) {
        let mut copy = document.clone();
        for _ in 0..=random.below(2) {
            change_tree(&mut copy.root, random);
        }
        return copy.write(random);
    }
    let mut bytes = document.write(random);
    for _ in 0..=random.below(2) {
        change_bytes(&mut bytes, random);
    }
    bytes
}

/// The root element of a document alone, every other time with a mutation.
pub(crate) fn part(document: &Document, random: &mut Random) -> Vec<u8> {
    let mut copy = document.clone();
    if random.once_in(3) {
        change_tree(&mut copy.root, random);
    }
    copy.write_root(random).into_bytes()
}

fn change_tree(root: &mut Element, random: &mut Random) {
    let count = size(root);
    let target = random.below(count);
    visit(root, &mut target.clone(), &mut |element| {
        change_element(element, random)
    });
}

fn size(element: &Element) -> usize {
    match &element.content {
        Content::Elements(children) => 1 + children.iter().map(size).sum::<usize>(),
        Content::Text(_) | Content::Raw(_) => 1,
    }
}

fn visit(
    element: &mut Element,
    countdown: &mut usize,
    change: &mut dyn FnMut(&mut Element),
) -> bool {
    if *countdown == 0 {
        change(element);
        return true;
    }
    *countdown -= 1;
    match &mut element.content {
        Content::Elements(children) => children
            .iter_mut()
            .any(|child| visit(child, countdown, change)),
        Content::Text(_) | Content::Raw(_) => false,
    }
}

const ATTRIBUTES: &[(&str, &str)] = &[
    ("Ccy", "KZT"),
    ("ccy", "KZT"),
    ("Ccy", "kzt"),
    ("Ccy", "&#75;ZT"),
    ("Ccy", " KZT"),
    ("xml:lang", "kk"),
    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    (
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation",
        "a b",
    ),
    (
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:noNamespaceSchemaLocation",
        "a",
    ),
    (
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil",
        "false",
    ),
    (
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type",
        "Max35Text",
    ),
    (
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:odd",
        "1",
    ),
    ("xsi:nil", "true"),
    ("xmlns", "urn:other"),
    ("xmlns", ""),
    ("xmlns:p", "urn:p"),
    ("p:a", "1"),
    ("a", ""),
];

fn change_element(element: &mut Element, random: &mut Random) {
    match random.below(6) {
        0 => {
            let (name, value) = random.pick(ATTRIBUTES);
            element.attributes.push((name.to_owned(), value.to_owned()));
        }
        1 if !element.attributes.is_empty() => {
            element.attributes.pop();
        }
        2 => {
            element.name = random
                .pick(&["X", "Document", "MsgId", "x:y", "", "a b"])
                .to_owned()
        }
        _ => match &mut element.content {
            Content::Elements(children) if !children.is_empty() => {
                change_children(children, random)
            }
            Content::Elements(_) => element.content = Content::Text("x".to_owned()),
            Content::Raw(raw) => *raw = format!("{raw}{raw}"),
            Content::Text(text) => change_text(text, random),
        },
    }
}

fn change_children(children: &mut Vec<Element>, random: &mut Random) {
    let at = random.below(children.len());
    match random.below(6) {
        0 | 1 => {
            children.remove(at);
        }
        2 => children.insert(at, children[at].clone()),
        3 => {
            let other = random.below(children.len());
            children.swap(at, other);
        }
        4 => {
            let copy = children[at].clone();
            for _ in 0..random.below(12) {
                children.insert(at, copy.clone());
            }
        }
        _ => children.insert(
            at,
            Element {
                name: "Xtra".to_owned(),
                attributes: Vec::new(),
                content: Content::Text(String::new()),
            },
        ),
    }
}

fn change_text(text: &mut String, random: &mut Random) {
    match random.below(6) {
        0 => text.clear(),
        1 => *text = format!(" {text}"),
        2 => text.push('\n'),
        3 => *text = text.repeat(2 + random.below(60)),
        4 => text.push(random.pick(&['ё', ']', '&', '\u{FFFD}', '😀', '\r'])),
        _ => *text = "-1".to_owned(),
    }
}

const SNIPPETS: &[&[u8]] = &[
    b"<",
    b">",
    b"&",
    b"&amp;",
    b"&#65;",
    b"&#0;",
    b"&#x1F600;",
    b"&#xD800;",
    b"&#1114112;",
    b"&#X41;",
    b"&nbsp;",
    b"&amp",
    b"]]>",
    b"]]",
    b"<![CDATA[x]]>",
    b"<![CDATA[]]>",
    b"<![CDATA[ ]]>",
    b"<![CDATA[",
    b"<![cdata[x]]>",
    b"<!-- c -->",
    b"<!---->",
    b"<!--->",
    b"<!-- -- -->",
    b"<!-- x --->",
    b"<!-->",
    b"<!",
    b"<?pi x?>",
    b"<!DOCTYPE x>",
    b"\0",
    b"\x01",
    b"\x0B",
    b"\x7F",
    b"\xC2\x85",
    b"\xE2\x80\xA8",
    b"\xEF\xBF\xBE",
    b"\xEF\xBF\xBF",
    b"\xEF\xBF\xBD",
    b"\xED\xA0\x80",
    b"\xC0\x80",
    b"\xF4\x90\x80\x80",
    b"\xFF",
    b"\xC3",
    b"\xEF\xBB\xBF",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\xC2\xA0",
    b"x",
    b"\"",
    b"'",
    b"=",
    b"/",
    b" a=\"1\"",
    b" xmlns=\"\"",
    b"</",
    b"/>",
    b"<x/>",
    b"<x>",
    b"</x>",
    b":",
    b"&#x20;",
    b"&#10;",
    b"&#x000000000041;",
    b"&#x000000000A;",
    b"&#x0000000000000000000000A;",
    b"&#;",
    b"&;",
    b"& ",
];

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    // Half of the time right behind or before a tag, where more of the grammar is at stake.
    let at = match random.below(4) {
        0 => bytes[at..]
            .iter()
            .position(|&byte| byte == b'>')
            .map_or(at, |found| at + found + 1),
        1 => bytes[at..]
            .iter()
            .position(|&byte| byte == b'<')
            .map_or(at, |found| at + found),
        _ => at,
    };
    match random.below(8) {
        0 => bytes.truncate(at),
        1 => {
            let end = (at + 1 + random.below(4)).min(bytes.len());
            bytes.drain(at..end);
        }
        2 if at < bytes.len() => bytes[at] = random.pick(b"<>&;'\"/=? \tAz09:-\0\x80\xFF"),
        3 => {
            let end = (at + random.below(40)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            let snippet = random.pick(SNIPPETS);
            bytes.splice(at..at, snippet.iter().copied());
        }
    }
}

/// Documents around one message that no mutation would find soon.
pub(crate) fn by_hand(message: MessageType) -> Vec<Vec<u8>> {
    let root = message.root_element();
    let own = message.namespace();
    let mut all: Vec<Vec<u8>> = [
        String::new(),
        " ".to_owned(),
        "text".to_owned(),
        format!("<{root}/>"),
        format!("<{root} xmlns=\"{own}\"/>"),
        format!("<{root} xmlns=\"{own}\">"),
        format!("<x:{root} xmlns:x=\"{own}\"></x:{root}>"),
        format!("<x:{root}/>"),
        format!("<Other xmlns=\"{own}\"/>"),
        format!("<{root} xmlns=\"urn:iso:std:iso:20022:tech:xsd:none.001.001.01\"/>"),
    ]
    .map(String::into_bytes)
    .to_vec();
    if let Some(small) = small(message) {
        for prologue in PROLOGUES {
            all.push([prologue, small.as_slice()].concat());
        }
        for encoding in [
            "ISO-8859-1",
            "latin1",
            "US-ASCII",
            "windows-1251",
            "ISO-8859-5",
        ] {
            let text: Vec<u8> = small
                .iter()
                .map(|byte| if byte.is_ascii() { *byte } else { 0xE6 })
                .collect();
            all.push(
                [
                    format!("<?xml version='1.0' encoding='{encoding}'?>").as_bytes(),
                    text.as_slice(),
                ]
                .concat(),
            );
        }
        let text = String::from_utf8_lossy(&small).into_owned();
        for (mark, declaration) in [
            ("\u{FEFF}", ""),
            ("", ""),
            ("", "<?xml version='1.0'?>"),
            ("\u{FEFF}", "<?xml version='1.0' encoding='UTF-16'?>"),
        ] {
            let units: Vec<u16> = format!("{mark}{declaration}{text}")
                .encode_utf16()
                .collect();
            all.push(units.iter().flat_map(|unit| unit.to_le_bytes()).collect());
            all.push(units.iter().flat_map(|unit| unit.to_be_bytes()).collect());
            all.push(
                units
                    .iter()
                    .flat_map(|unit| unit.to_be_bytes())
                    .chain([0])
                    .collect(),
            );
        }
        for epilogue in EPILOGUES {
            all.push([small.as_slice(), epilogue].concat());
        }
    }
    all
}

const PROLOGUES: &[&[u8]] = &[
    b"<?xml version=\"1.0\"?>",
    b"<?xml version='1.0'encoding='UTF-8'?>",
    b"<?xml version='1.0' encoding='UTF-8'standalone='yes'?>",
    b"<?xml version='1.0' encoding=\"utf8\" standalone='no'?>",
    b"<?xml version='1.0' standalone='maybe'?>",
    b"<?xml version='1.0' standalone='yes' encoding='UTF-8'?>",
    b"<?xml version='1.1'?>",
    b"<?xml version='1.'?>",
    b"<?xml version='2.0'?>",
    b"<?xml version='1.0x'?>",
    b"<?xml version='1'?>",
    b"<?xml encoding='UTF-8'?>",
    b"<?xml version='1.0' encoding=''?>",
    b"<?xml version='1.0' encoding='8'?>",
    b"<?xml version='1.0' encoding='no-such-encoding'?>",
    b"<?xml version='1.0' encoding='UTF-16'?>",
    b"<?xml version='1.0' encoding='US-ASCII'?>",
    b"<?xml version='1.0' encoding='ISO-8859-1'?>",
    b"<?xml version='1.0' encoding='ISO-8859-1'standalone='yes'?>",
    b"<?xml version='1.0' bogus='1'?>",
    b"<?xml version='1.0' ?>",
    b"<?xml version = '1.0' encoding = 'UTF-8' standalone = 'yes' ?>",
    b"<?xml version='1.0\"?>",
    b"<?xml version='1.0'>",
    b"<?xml?>",
    b"<?xml ?>",
    b"<?XML version='1.0'?>",
    b" <?xml version='1.0'?>",
    b"\xEF\xBB\xBF",
    b"\xEF\xBB\xBF\xEF\xBB\xBF",
    b"\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>\n",
    b"<?xml version='1.0'?>\xEF\xBB\xBF",
    b"\n\t ",
    b"\x00",
    b"\xFE\xFF",
    b"\xC2\xA0",
    b"x",
    b"&#32;",
    b"<![CDATA[]]>",
    b"<!-- a --><!-- b -->",
    b"<!-- \xFF -->",
];

const EPILOGUES: &[&[u8]] = &[
    b"\n",
    b"<!-- x -->",
    b"<!-- x -->\r\n<!-- y -->",
    b"x",
    b"<x/>",
    b"&#32;",
    b"&amp;",
    b"<![CDATA[ ]]>",
    b"\x00",
    b"\n\x00",
    b"\x00garbage <<<",
    b"\xFF",
    b"\xEF\xBB\xBF",
    b"\xC2\xA0",
    b"</x>",
    b"<!-- x",
    b"<",
];

/// A smallest valid document, if one can be made without choices to think about.
fn small(message: MessageType) -> Option<Vec<u8>> {
    let mut random = Random::new(1);
    let mut coverage = crate::instance::Coverage::default();
    let documents = crate::instance::generate(message, &mut coverage, &mut random);
    let first = documents.first()?;
    let mut plain = Vec::new();
    for _ in 0..64 {
        plain = first.write(&mut random);
        if plain.starts_with(b"<Doc") || plain.starts_with(b"<App") {
            return Some(plain);
        }
    }
    Some(plain)
}
