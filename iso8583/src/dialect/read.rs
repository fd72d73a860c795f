//! From TOML to a dialect. docs/dialects/format.md describes the file.

mod place;
mod shape;
mod steps;
mod subfields;

use toml::Table;

pub use place::TableError;
use place::{Keys, wrong};
use shape::Defaults;

use super::{BitmapEncoding, CodeRow, CodeTable, Dialect, FieldRow, MessageRow, Op};
use crate::{
    class::Class,
    code_page::{CODE_PAGES, CodePage},
    field_set::FieldSet,
    mask::Mask,
    mti::Mti,
    step::Step,
    wire::Encoding,
};

/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Most message types, tables of codes, presence rows, and conditional rules each.
const ROWS_MAX: usize = 254;

const SECTIONS: [&str; 13] = [
    "name",
    "title",
    "version",
    "mti",
    "bitmap",
    "code_page",
    "defaults",
    "messages",
    "fields",
    "subfields",
    "codes",
    "rules",
    "presence",
];

pub(super) fn dialect(text: &str) -> Result<Dialect, TableError> {
    if text.len() > FILE_BYTES_MAX {
        return wrong("file", format!("more than {FILE_BYTES_MAX} bytes"));
    }
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            let Some(span) = error.span() else {
                return wrong("file", error.message());
            };
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            return wrong(&format!("line {line}"), error.message());
        }
    };
    let root = Keys::root(&table, &SECTIONS)?;
    let mut dialect = head(&root)?;
    let defaults = Defaults::read(&root, dialect.mti_encoding)?;
    dialect.codes = codes(&root)?;
    messages(&root, &mut dialect)?;
    fields(&root, &defaults, &mut dialect)?;
    subfields::read(&root, &defaults, &mut dialect)?;
    steps::rules(&root, &mut dialect)?;
    steps::presence(&root, &mut dialect)?;
    Ok(dialect)
}

fn head(root: &Keys<'_>) -> Result<Dialect, TableError> {
    let name = root.need("name")?.text()?;
    let title = root.get("title").map_or(Ok(name), |place| place.text())?;
    let version = root.need("version")?;
    let year = match version.number(1987, 2003)? {
        year @ (1987 | 1993 | 2003) => year as u16,
        _ => return version.wrong("1987, 1993 or 2003 is expected"),
    };
    let mti_encoding = root.need("mti")?.one_of(&[
        ("ascii", Encoding::Ascii),
        ("ebcdic", Encoding::Ebcdic),
        ("bcd", Encoding::BcdRight),
    ])?;
    let bitmap_encoding = root.need("bitmap")?.one_of(&[
        ("binary", BitmapEncoding::Binary),
        ("hex", BitmapEncoding::Hex),
        ("hex-ebcdic", BitmapEncoding::HexEbcdic),
    ])?;
    let page = match root.get("code_page") {
        None => &CODE_PAGES[0],
        Some(place) => match CodePage::named(place.text()?) {
            Some(page) => page,
            None => {
                let names: Vec<&str> = CODE_PAGES.iter().map(CodePage::name).collect();
                return place.wrong(format!("is none of {}", names.join(", ")));
            }
        },
    };
    Ok(Dialect {
        name: name.to_owned(),
        title: title.to_owned(),
        year,
        mti_encoding,
        bitmap_encoding,
        page,
        ops: [Op::UNKNOWN; 128],
        known: FieldSet::EMPTY,
        plain: FieldSet::EMPTY,
        places: [0; 129],
        rows: Vec::new(),
        messages: Vec::new(),
        message_places: Box::new([0; 1000]),
        presences: Vec::new(),
        rules: Vec::new(),
        codes: Vec::new(),
    })
}

fn codes(root: &Keys<'_>) -> Result<Vec<CodeTable>, TableError> {
    let Some(place) = root.get("codes") else {
        return Ok(Vec::new());
    };
    let mut tables = Vec::new();
    for (name, place) in place.any_keys()?.all() {
        let mut rows = Vec::new();
        for (code, place) in place.any_keys()?.all() {
            let meaning = place.text()?.to_owned();
            rows.push(CodeRow {
                code: code.to_owned(),
                meaning,
            });
        }
        rows.sort_by(|a, b| a.code.cmp(&b.code));
        if tables.len() == ROWS_MAX {
            return place.wrong(format!("more than {ROWS_MAX} tables of codes"));
        }
        tables.push(CodeTable {
            name: name.to_owned(),
            rows,
        });
    }
    Ok(tables)
}

fn messages(root: &Keys<'_>, dialect: &mut Dialect) -> Result<(), TableError> {
    let rows = root.need("messages")?.keys(&["rows"])?.need("rows")?;
    for place in rows.list()? {
        let keys = place.keys(&["mti", "name", "equivalent"])?;
        let version = match dialect.year {
            1987 => 0,
            1993 => 1,
            _ => 2,
        };
        let mti_place = keys.need("mti")?;
        let Some(mti) =
            Mti::parse(mti_place.text()?.as_bytes()).filter(|mti| mti.version() == version)
        else {
            return mti_place.wrong(format!(
                "four digits are expected, the first of them {version}"
            ));
        };
        let equivalent = match keys.get("equivalent") {
            None => None,
            Some(place) => match Mti::parse(place.text()?.as_bytes()) {
                Some(mti) => Some(mti),
                None => return place.wrong("four digits are expected"),
            },
        };
        let Some(slot) = dialect
            .message_places
            .get_mut(usize::from(mti.number() % 1000))
        else {
            return mti_place.wrong("is no message type");
        };
        if *slot != 0 {
            return mti_place.wrong("stands twice in the table");
        }
        if dialect.messages.len() == ROWS_MAX {
            return place.wrong(format!("more than {ROWS_MAX} message types"));
        }
        dialect.messages.push(MessageRow {
            mti,
            name: keys.need("name")?.text()?.to_owned(),
            equivalent,
            steps: [0; Step::ALL.len()],
        });
        *slot = dialect.messages.len() as u8;
    }
    Ok(())
}

fn fields(root: &Keys<'_>, defaults: &Defaults, dialect: &mut Dialect) -> Result<(), TableError> {
    let rows = root.need("fields")?.keys(&["rows"])?.need("rows")?;
    let mut last = 1;
    for place in rows.list()? {
        let keys = place.keys(&[
            "n",
            "name",
            "type",
            "length",
            "encoding",
            "length_encoding",
            "mask",
            "codes",
        ])?;
        let number_place = keys.need("n")?;
        let number = number_place.number(2, 128)? as u8;
        if number <= last {
            return number_place.wrong("field numbers must ascend");
        }
        // Bit 65 is a third bitmap's.
        if number == 65 {
            return number_place.wrong("field 65 is reserved for a third bitmap");
        }
        last = number;
        let shape = shape::field(&keys, defaults)?;
        let row = FieldRow {
            number,
            name: keys.need("name")?.text()?.to_owned(),
            shape,
            mask: mask(&keys)?,
            codes: code_table(&keys, dialect)?,
            layout: None,
        };
        if row.mask == Mask::Pan && row.shape.class != Class::Numeric {
            return keys.wrong("a card number is of type n");
        }
        dialect.ops[usize::from(number) - 1] = Op::of(&shape);
        dialect.known = dialect.known.with(number);
        if shape.is_plain() {
            dialect.plain = dialect.plain.with(number);
        }
        dialect.rows.push(row);
        dialect.places[usize::from(number)] = dialect.rows.len() as u8;
    }
    Ok(())
}

fn mask(keys: &Keys<'_>) -> Result<Mask, TableError> {
    match keys.get("mask") {
        None => Ok(Mask::Open),
        Some(place) => place.one_of(&Mask::NAMES),
    }
}

fn code_table(keys: &Keys<'_>, dialect: &Dialect) -> Result<Option<usize>, TableError> {
    let Some(place) = keys.get("codes") else {
        return Ok(None);
    };
    let name = place.text()?;
    match dialect.codes.iter().position(|table| table.name == name) {
        Some(table) => Ok(Some(table)),
        None => place.wrong(format!("there is no table codes.{name}")),
    }
}
