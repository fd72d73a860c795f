//! A dialect's tables as Markdown.

use std::fmt::Write as _;

use super::form;
use crate::{
    dialect::{BitmapEncoding, Condition, Dialect, Layout, StepRule, SubfieldRow, unpack},
    field_set::FieldSet,
    mask::Mask,
    step::Step,
    wire::{Encoding, LengthEncoding, Shape},
};

pub(super) fn tables(dialect: &Dialect) -> String {
    let mut out = String::new();
    messages(dialect, &mut out);
    fields(dialect, &mut out);
    subfields(dialect, &mut out);
    presence(dialect, &mut out);
    rules(dialect, &mut out);
    codes(dialect, &mut out);
    out
}

fn messages(dialect: &Dialect, out: &mut String) {
    let bitmap = match dialect.bitmap_encoding() {
        BitmapEncoding::Binary => "8 bytes each",
        BitmapEncoding::Hex => "16 hexadecimal digits each",
        BitmapEncoding::HexEbcdic => "16 hexadecimal EBCDIC digits each",
    };
    let mti = match dialect.mti_encoding() {
        Encoding::BcdRight | Encoding::BcdLeft => "two bytes of packed digits",
        Encoding::Ebcdic => "four EBCDIC digits",
        _ => "four ASCII digits",
    };
    let _ = write!(
        out,
        "## Message types\n\nMessage type: {mti}. Bitmaps: {bitmap}; the second one only if a field above 64 is there.\n\n"
    );
    out.push_str("| type | message | other version | steps |\n|---|---|---|---|\n");
    for row in dialect.messages() {
        let equivalent = row
            .equivalent
            .map_or_else(String::new, |mti| mti.to_string());
        let steps: Vec<&str> = Step::ALL
            .iter()
            .filter(|step| dialect.presence(row.mti, **step).is_some())
            .map(|step| step.name())
            .collect();
        let _ = writeln!(
            out,
            "| {} | {} | {equivalent} | {} |",
            row.mti,
            row.name,
            steps.join(", ")
        );
    }
    out.push('\n');
}

fn fields(dialect: &Dialect, out: &mut String) {
    out.push_str("## Fields\n\n| field | name | form | masked as | subfields, codes |\n|---|---|---|---|---|\n");
    for row in dialect.rows() {
        let inside = match &row.layout {
            Some(_) => format!("[subfields](#field-{})", row.number),
            None => row
                .codes
                .and_then(|codes| dialect.codes().get(codes))
                .map_or_else(String::new, |codes| {
                    format!("[{}](#codes-{})", codes.name, codes.name)
                }),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {}{} | {} | {inside} |",
            row.number,
            row.name,
            form(&row.shape),
            encoding(&row.shape),
            mask(row.mask)
        );
    }
    out.push('\n');
}

fn mask(mask: Mask) -> &'static str {
    if mask == Mask::Open { "" } else { mask.name() }
}

/// Said only where it is not ASCII or bytes.
fn encoding(shape: &Shape) -> String {
    let value = match shape.encoding {
        Encoding::Ascii | Encoding::Binary => "",
        Encoding::Ebcdic => ", EBCDIC",
        Encoding::BcdRight => ", packed to the right",
        Encoding::BcdLeft => ", packed to the left",
        Encoding::Hex => ", hexadecimal",
    };
    let length = match shape.length_encoding {
        _ if shape.prefix_bytes() == 0 => "",
        LengthEncoding::Ascii => "",
        LengthEncoding::Ebcdic => ", length in EBCDIC",
        LengthEncoding::Bcd => ", length packed",
        LengthEncoding::Binary => ", length binary",
    };
    format!("{value}{length}")
}

fn subfields(dialect: &Dialect, out: &mut String) {
    out.push_str("## Subfields\n\n");
    for row in dialect.rows() {
        let Some(layout) = &row.layout else {
            continue;
        };
        let _ = write!(out, "### Field {}\n\n{}, ", row.number, row.name);
        match layout {
            Layout::Positions { repeat: false, .. } => out.push_str("by position.\n\n"),
            Layout::Positions { repeat: true, .. } => {
                out.push_str("by position; the group may come several times.\n\n")
            }
            Layout::Tags { form, .. } => {
                let tag = if form.binary { "bytes" } else { "characters" };
                let _ = write!(
                    out,
                    "by tag: {} {tag}, then a length of {} digits, then the value. Unknown tags are kept in their place.\n\n",
                    form.tag, form.length
                );
            }
            Layout::Bitmap { bits, hex, .. } => {
                let form = if *hex { "hexadecimal" } else { "binary" };
                let _ = write!(out, "by a {form} bitmap of {bits} bits in front.\n\n");
            }
            Layout::Tlv { .. } => {
                out.push_str("BER-TLV. Unknown tags are kept in their place.\n\n")
            }
        }
        if layout.rows().is_empty() {
            out.push_str("Its writer chooses the tags.\n\n");
            continue;
        }
        out.push_str("| key | name | form | masked as | codes |\n|---|---|---|---|---|\n");
        for own in layout.rows() {
            subfield(dialect, own, out);
        }
        out.push('\n');
    }
}

fn subfield(dialect: &Dialect, own: &SubfieldRow, out: &mut String) {
    let codes = own.codes.and_then(|codes| dialect.codes().get(codes));
    let codes = codes.map_or_else(String::new, |codes| {
        format!("[{}](#codes-{})", codes.name, codes.name)
    });
    let _ = writeln!(
        out,
        "| {} | {} | {} | {} | {codes} |",
        own.key,
        own.name,
        form(&own.shape),
        mask(own.mask)
    );
}

fn presence(dialect: &Dialect, out: &mut String) {
    if dialect.presences().is_empty() {
        return;
    }
    out.push_str("## Presence\n\n| message types | step | must be there | may be there | rules |\n|---|---|---|---|---|\n");
    for row in dialect.presences() {
        let mtis: Vec<String> = row.mtis().iter().map(ToString::to_string).collect();
        let steps: Vec<&str> = row.steps().iter().map(|step| step.name()).collect();
        let rules: Vec<&str> = row
            .rules()
            .iter()
            .filter_map(|rule| dialect.rules().get(usize::from(*rule)))
            .map(|rule| rule.name.as_str())
            .collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            mtis.join(" "),
            steps.join(", "),
            row.must(),
            row.may(),
            rules.join(", ")
        );
    }
    out.push('\n');
}

fn rules(dialect: &Dialect, out: &mut String) {
    if dialect.rules().is_empty() {
        return;
    }
    out.push_str("## Rules\n\n| rule | if | then | in words |\n|---|---|---|---|\n");
    for rule in dialect.rules() {
        let when: Vec<String> = rule.when.iter().map(condition).collect();
        let when = if when.is_empty() {
            "always".to_owned()
        } else {
            when.join(", and ")
        };
        let _ = writeln!(
            out,
            "| {} | {when} | {} | {} |",
            rule.name,
            demands(rule),
            rule.text
        );
    }
    out.push('\n');
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Any(set) if set.len() == 1 => format!("field {set} is there"),
        Condition::Any(set) => format!("any of {} is there", range(*set)),
        Condition::None(set) => format!("none of {} is there", range(*set)),
        Condition::In {
            field,
            from,
            to,
            not,
            values,
        } => {
            let place = match to {
                &u8::MAX => String::new(),
                to => format!(" ({} to {to})", from + 1),
            };
            let values: Vec<String> = values.iter().map(|value| unpack(*value)).collect();
            let verb = if *not { "is none of" } else { "is" };
            format!("field {field}{place} {verb} {}", values.join(", "))
        }
    }
}

/// Long runs as `from–to`.
fn range(set: FieldSet) -> String {
    match (set.first(), set.iter().last()) {
        (Some(first), Some(last)) if set.len() > 4 && u32::from(last - first) + 1 == set.len() => {
            format!("{first}–{last}")
        }
        _ => set.to_string(),
    }
}

fn demands(rule: &StepRule) -> String {
    let mut demands = Vec::new();
    if !rule.must.is_empty() {
        demands.push(format!("{} must be there", rule.must));
    }
    if !rule.must_not.is_empty() {
        demands.push(format!("{} must not be there", rule.must_not));
    }
    if !rule.one_of.is_empty() {
        demands.push(format!("one of {} must be there", rule.one_of));
    }
    if let Some((field, key)) = rule.tag {
        demands.push(format!("{field}.{key} must be there"));
    }
    if let Some(field) = rule.luhn {
        demands.push(format!("{field} ends with its check digit"));
    }
    demands.join("; ")
}

fn codes(dialect: &Dialect, out: &mut String) {
    if dialect.codes().is_empty() {
        return;
    }
    out.push_str("## Codes\n\n");
    for table in dialect.codes() {
        let _ = write!(
            out,
            "### Codes {}\n\n| value | meaning |\n|---|---|\n",
            table.name
        );
        for row in &table.rows {
            let _ = writeln!(out, "| {} | {} |", row.code, row.meaning);
        }
        out.push('\n');
    }
}
