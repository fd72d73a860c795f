//! TOML files to usage tables: a table with a base gets the rows and rules of its base, its own on top.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// One usage table: a message, or one service of a message.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    /// Name of the file, such as `c2c2-phone`.
    pub name: String,
    /// Name of the file that declares the fields: the base's, or its own.
    pub fields: String,
    pub title: String,
    pub order: u32,
    pub intro: String,
    /// Definition, such as `pacs.008`.
    pub message: String,
    /// Path from the root element to where the rows' paths begin; may be empty.
    pub root: String,
    /// Definitions that answer it, in words.
    pub answer: Option<String>,
    pub rows: Vec<Row>,
    pub rules: Vec<Rule>,
}

/// One field.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Name of the field in the code; absent for a field that is only mentioned.
    pub name: Option<String>,
    pub path: String,
    /// The other place where the field may stand.
    pub or: Option<String>,
    pub usage: Use,
    pub format: Format,
    /// The format shown to the reader where a rule checks the field.
    pub shown: Option<String>,
    pub values: Vec<String>,
    pub repeat: bool,
    pub wrong: String,
    pub missing: String,
    /// The rule that governs the field.
    pub rule: Option<String>,
    pub meaning: String,
}

/// A rule over several fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub name: String,
    pub wrong: Option<String>,
    pub missing: Option<String>,
    pub text: String,
}

/// Who fills a field, and whether it must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Use {
    Mandatory,
    Optional,
    Conditional,
    Switch,
    Carried,
    /// Read by the code, not a field of its own to the reader.
    Internal,
}

/// How the content of a field is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Format {
    Amount,
    Bic,
    Boolean,
    /// Checked by a rule only.
    ByRule,
    Code,
    Date,
    DateTime,
    Element,
    Iban,
    Identifier,
    Knp,
    Phone,
    Reason,
    Text,
    Time,
    Uetr,
}

impl Format {
    /// The status reason of a field that is wrong, unless its row says otherwise.
    fn wrong(self) -> &'static str {
        match self {
            Format::Identifier => "RR10",
            Format::Date | Format::DateTime | Format::Time => "DT01",
            _ => "CH16",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Option<String>,
    base: Option<String>,
    message: Option<String>,
    root: Option<String>,
    order: Option<u32>,
    intro: Option<String>,
    answer: Option<String>,
    rows: Vec<RowPatch>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowPatch {
    name: Option<String>,
    path: Option<String>,
    or: Option<String>,
    r#use: Option<Use>,
    format: Option<Format>,
    shown: Option<String>,
    values: Option<Vec<String>>,
    repeat: Option<bool>,
    wrong: Option<String>,
    missing: Option<String>,
    rule: Option<String>,
    meaning: Option<String>,
}

/// All tables of a folder, in their order.
pub(super) fn usages(folder: &Path) -> Result<Vec<Usage>, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = super::read_file(&path)?;
            files.insert(name, text);
        }
    }
    assemble(&files)
}

/// The tables of files given by name and text. A file without a title is only a base.
pub(super) fn assemble(files: &BTreeMap<String, String>) -> Result<Vec<Usage>, String> {
    let mut parsed = BTreeMap::new();
    for (name, text) in files {
        let file: File = toml::from_str(text).map_err(|error| format!("{name}.toml: {error}"))?;
        parsed.insert(name.as_str(), file);
    }
    let mut usages = Vec::new();
    for (name, file) in parsed.iter().filter(|(_, file)| file.title.is_some()) {
        let usage =
            assemble_one(name, file, &parsed).map_err(|error| format!("{name}.toml: {error}"))?;
        usages.push(usage);
    }
    usages.sort_by_key(|usage| usage.order);
    Ok(usages)
}

fn assemble_one(name: &str, file: &File, files: &BTreeMap<&str, File>) -> Result<Usage, String> {
    let base = match &file.base {
        Some(base) => Some(
            files
                .get(base.as_str())
                .ok_or_else(|| format!("no base `{base}`"))?,
        ),
        None => None,
    };
    let mut rows = Vec::new();
    let mut rules = Vec::new();
    for part in base.into_iter().chain([file]) {
        for patch in &part.rows {
            apply(&mut rows, patch)?;
        }
        for rule in &part.rules {
            // A rule of the same name takes the place of the base's: other words or codes for the same check.
            rules.retain(|known: &Rule| known.name != rule.name);
            rules.push(rule.clone());
        }
    }
    let source = base.unwrap_or(file);
    let usage = Usage {
        name: name.to_owned(),
        fields: file.base.clone().unwrap_or_else(|| name.to_owned()),
        title: file.title.clone().unwrap_or_default(),
        order: file.order.ok_or("no order")?,
        intro: file.intro.clone().ok_or("no intro")?,
        message: source.message.clone().ok_or("no message")?,
        root: source.root.clone().ok_or("no root")?,
        answer: file.answer.clone(),
        rows,
        rules,
    };
    check(&usage)?;
    Ok(usage)
}

/// Adds a row, or changes the one of the same name.
fn apply(rows: &mut Vec<Row>, patch: &RowPatch) -> Result<(), String> {
    let known = rows
        .iter_mut()
        .find(|row| patch.name.is_some() && row.name == patch.name);
    let Some(row) = known else {
        rows.push(new_row(patch)?);
        return Ok(());
    };
    if patch.path.is_some() || patch.or.is_some() {
        return Err(format!("row {:?} may not move to another path", patch.name));
    }
    row.usage = patch.r#use.unwrap_or(row.usage);
    row.format = patch.format.unwrap_or(row.format);
    row.repeat = patch.repeat.unwrap_or(row.repeat);
    row.values = patch.values.clone().unwrap_or_else(|| row.values.clone());
    row.wrong = patch.wrong.clone().unwrap_or_else(|| row.wrong.clone());
    row.missing = patch.missing.clone().unwrap_or_else(|| row.missing.clone());
    row.meaning = patch.meaning.clone().unwrap_or_else(|| row.meaning.clone());
    row.shown = patch.shown.clone().or_else(|| row.shown.clone());
    row.rule = patch.rule.clone().or_else(|| row.rule.clone());
    Ok(())
}

fn new_row(patch: &RowPatch) -> Result<Row, String> {
    let path = patch
        .path
        .clone()
        .ok_or_else(|| format!("row {:?} has no path and no base row", patch.name))?;
    let usage = patch.r#use.ok_or_else(|| format!("{path}: no use"))?;
    let format = match patch.format {
        Some(format) => format,
        None if usage == Use::Carried => Format::ByRule,
        None => return Err(format!("{path}: no format")),
    };
    if patch.meaning.is_none() && usage != Use::Internal {
        return Err(format!("{path}: no meaning"));
    }
    if patch.name.is_none() && usage != Use::Carried {
        return Err(format!("{path}: no name"));
    }
    Ok(Row {
        name: patch.name.clone(),
        path,
        or: patch.or.clone(),
        usage,
        format,
        shown: patch.shown.clone(),
        values: patch.values.clone().unwrap_or_default(),
        repeat: patch.repeat.unwrap_or(false),
        wrong: patch
            .wrong
            .clone()
            .unwrap_or_else(|| format.wrong().to_owned()),
        missing: patch.missing.clone().unwrap_or_else(|| "CH21".to_owned()),
        rule: patch.rule.clone(),
        meaning: patch.meaning.clone().unwrap_or_default(),
    })
}

/// What a reader could not spot in the generated code.
fn check(usage: &Usage) -> Result<(), String> {
    for row in &usage.rows {
        if let Some(rule) = &row.rule
            && row.usage == Use::Conditional
            && !usage.rules.iter().any(|known| known.name == *rule)
        {
            return Err(format!("{}: no rule `{rule}`", row.path));
        }
        if row.usage == Use::Conditional && row.rule.is_none() {
            return Err(format!("{}: conditional on no rule", row.path));
        }
        if row.format == Format::Code && row.values.is_empty() {
            return Err(format!("{}: a code without values", row.path));
        }
    }
    Ok(())
}
