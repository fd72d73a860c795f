//! `torap card decode|encode|explain`: card messages offline, in any dialect.
//!
//! Messages go in and out as hexadecimal digits, fields as JSON. What has a masking class in the dialect's table is shown only under
//! `--unmask REASON`, and the reason goes to standard error before anything is shown.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

use clap::{Args, Subcommand};
use serde_json::json;
use torap_iso8583::{
    Dialect, Message, Refusal, Step, StepError, Unmask, check_step, explain,
    json::{self as card_json, Document, JsonError, Value},
};

use super::{Ending, Failure};

/// Longest input, in bytes: one file, or all of standard input.
const INPUT_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read messages and print the values of their fields
    Decode(Options),
    /// Write messages from the JSON that decode prints; prints hexadecimal digits
    Encode(Options),
    /// Read messages and tell each field's name, form, place and meaning
    Explain(Options),
}

#[derive(Debug, Args)]
struct Options {
    /// national, iso87-ascii, iso93-bcd, or a dialect's TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "national")]
    dialect: String,
    /// Print JSON, one line a message
    #[arg(long)]
    json: bool,
    /// Check presence, conditional rules and check digit at this step as well, e.g. from-acquirer; without it the format alone is checked
    #[arg(long, value_name = "NAME")]
    step: Option<String>,
    /// Show card numbers and secrets; the reason is logged to standard error
    #[arg(long, value_name = "REASON")]
    unmask: Option<String>,
    /// A message (hexadecimal digits, or JSON for encode), a file with one a line, or `-` for standard input [default: -]
    #[arg(value_name = "HEX|FILE")]
    inputs: Vec<String>,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let mut streams = Streams {
        input: &mut std::io::stdin().lock(),
        output: &mut std::io::stdout().lock(),
        log: &mut std::io::stderr(),
    };
    arguments.command.run(&mut streams)
}

/// What the command reads from and writes to.
struct Streams<'s> {
    input: &'s mut dyn Read,
    output: &'s mut dyn Write,
    log: &'s mut dyn Write,
}

impl Streams<'_> {
    fn print(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.output, "{line}")
            .and_then(|()| self.output.flush())
            .map_err(|error| Failure::Failed(format!("standard output: {error}")))
    }
}

impl Command {
    fn run(&self, streams: &mut Streams<'_>) -> Result<Ending, Failure> {
        let (Self::Decode(options) | Self::Encode(options) | Self::Explain(options)) = self;
        let own;
        let dialect = match Dialect::built_in(&options.dialect) {
            Some(dialect) => dialect,
            None => {
                own = options.dialect_file()?;
                &own
            }
        };
        let step = options.step()?;
        let sources = options.sources(streams, matches!(self, Self::Encode(_)))?;
        let unmask = options.unmask(streams)?;
        let mut ending = Ending::Done;
        for source in &sources {
            for (place, item) in source.items(self) {
                let shown = match (self, item) {
                    (Self::Decode(_), Item::Hex(hex)) => decode(dialect, hex, step, unmask),
                    (Self::Explain(_), Item::Hex(hex)) => explain(dialect, hex, step, unmask),
                    (_, Item::Json(document)) => encode(dialect, &document, step),
                    (_, Item::Wrong(refused)) => Err(refused),
                    (Self::Encode(_), Item::Hex(_)) => continue,
                };
                match shown {
                    Ok(shown) => streams.print(&shown.line(options.json)?)?,
                    Err(refused) => {
                        ending = Ending::Refused;
                        streams.print(&refused.line(&place, options.json))?;
                    }
                }
            }
        }
        Ok(ending)
    }
}

impl Options {
    fn dialect_file(&self) -> Result<Dialect, Failure> {
        let names = Dialect::BUILT_IN.join(", ");
        let wrong = |what: String| Failure::Usage(format!("--dialect {}: {what}", self.dialect));
        let text = read_file(Path::new(&self.dialect))
            .map_err(|error| wrong(format!("neither {names} nor a file to read: {error}")))?;
        Dialect::read(&text).map_err(|error| wrong(error.to_string()))
    }

    fn step(&self) -> Result<Option<Step>, Failure> {
        let Some(name) = &self.step else {
            return Ok(None);
        };
        match Step::named(name) {
            Some(step) => Ok(Some(step)),
            None => Err(Failure::Usage(format!(
                "--step {name}: there are {}",
                Step::ALL.map(Step::name).join(", ")
            ))),
        }
    }

    /// Whether to show what is masked; the reason is on record before anything is shown.
    fn unmask(&self, streams: &mut Streams<'_>) -> Result<Unmask, Failure> {
        let Some(reason) = self.unmask.as_deref() else {
            return Ok(Unmask::No);
        };
        if reason.trim().is_empty() {
            return Err(Failure::Usage("--unmask: a reason is expected".to_owned()));
        }
        // Not through the log's filter, which whoever calls could set to nothing.
        writeln!(
            streams.log,
            "torap: card numbers and secrets are shown: {}",
            reason.escape_debug()
        )
        .and_then(|()| streams.log.flush())
        .map_err(|error| Failure::Failed(format!("nothing is shown without a log: {error}")))?;
        Ok(Unmask::Yes)
    }

    fn sources(&self, streams: &mut Streams<'_>, json: bool) -> Result<Vec<Source>, Failure> {
        if self.inputs.is_empty() {
            return Ok(vec![Source::standard_input(streams)?]);
        }
        let mut sources = Vec::new();
        for input in &self.inputs {
            let is_message = match json {
                true => input.trim_start().starts_with('{'),
                false => input
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace()),
            };
            sources.push(match input.as_str() {
                "-" => Source::standard_input(streams)?,
                text if is_message => Source {
                    name: None,
                    text: text.to_owned(),
                },
                file => Source::file(file, json)?,
            });
        }
        Ok(sources)
    }
}

/// Text with messages in it.
struct Source {
    /// Of a file or standard input; nothing of a message on the command line.
    name: Option<String>,
    text: String,
}

/// One message to work on.
enum Item<'s> {
    Hex(&'s str),
    Json(Document),
    Wrong(Refused),
}

impl Source {
    fn standard_input(streams: &mut Streams<'_>) -> Result<Source, Failure> {
        let text = read_text(streams.input)
            .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
        Ok(Source {
            name: Some("standard input".to_owned()),
            text,
        })
    }

    fn file(name: &str, json: bool) -> Result<Source, Failure> {
        let expected = if json { "JSON" } else { "hexadecimal digits" };
        let text = read_file(Path::new(name)).map_err(|error| {
            let name = shown_name(name);
            Failure::Usage(format!(
                "{name}: neither {expected} nor a file to read: {error}"
            ))
        })?;
        Ok(Source {
            name: Some(name.to_owned()),
            text,
        })
    }

    /// Its messages, and where each stands.
    fn items(&self, command: &Command) -> Vec<(String, Item<'_>)> {
        let place = |line: usize| match &self.name {
            Some(name) => format!("{name}:{line}: "),
            None => String::new(),
        };
        if let Command::Encode(_) = command {
            return match Document::parse_all(&self.text) {
                Ok(documents) => documents
                    .into_iter()
                    .enumerate()
                    .map(|(i, document)| (self.number(i + 1), Item::Json(document)))
                    .collect(),
                Err(error) => vec![(self.number(0), Item::Wrong(error.into()))],
            };
        }
        if self.name.is_none() {
            return vec![(String::new(), Item::Hex(&self.text))];
        }
        let lines = self.text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(i, line)| (place(i + 1), Item::Hex(line)))
            .collect()
    }

    /// Place of a JSON message, counted from 1; 0 is the text as a whole.
    fn number(&self, number: usize) -> String {
        match (&self.name, number) {
            (None, _) => String::new(),
            (Some(name), 0) => format!("{name}: "),
            (Some(name), number) => format!("{name}: message {number}: "),
        }
    }
}

/// Characters shown of an argument that is no path: of a message, what is before its first field.
const SHOWN_CHARACTERS_MAX: usize = 20;

/// An argument as an error names it. It may have been meant as a message, with a card number in it.
fn shown_name(argument: &str) -> String {
    let is_path = argument.contains(['/', '.']) && !argument.contains('"');
    if is_path || argument.chars().count() <= SHOWN_CHARACTERS_MAX {
        return argument.to_owned();
    }
    let shown: String = argument.chars().take(SHOWN_CHARACTERS_MAX).collect();
    format!("{shown}…")
}

fn read_file(path: &Path) -> Result<String, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    read_text(&mut file)
}

fn read_text(from: &mut dyn Read) -> Result<String, String> {
    let mut text = String::new();
    from.take(INPUT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    match text.len() as u64 > INPUT_BYTES_MAX {
        true => Err(format!("more than {INPUT_BYTES_MAX} bytes")),
        false => Ok(text),
    }
}

/// What is printed of a message.
enum Shown {
    Fields(Document),
    Hex(String),
    Words(explain::Explanation),
}

impl Shown {
    fn line(&self, json: bool) -> Result<String, Failure> {
        let text = match (self, json) {
            (Self::Fields(document), true) => serde_json::to_string(document),
            (Self::Words(explanation), true) => serde_json::to_string(explanation),
            (Self::Hex(hex), true) => Ok(json!({ "hex": hex }).to_string()),
            (Self::Fields(document), false) => Ok(fields(document)),
            (Self::Words(explanation), false) => Ok(explanation.to_string()),
            (Self::Hex(hex), false) => Ok(hex.clone()),
        };
        text.map_err(|error| Failure::Failed(error.to_string()))
    }
}

/// Number and value, one line a field and one a subfield.
fn fields(document: &Document) -> String {
    let mut text = document.mti.clone();
    for (number, value) in &document.fields.0 {
        match value {
            Value::Text(value) => text.push_str(&format!("\n{number:>3} {value}")),
            Value::Parts(parts) => {
                for (key, value) in &parts.0 {
                    text.push_str(&format!("\n{number:>3}.{key} {value}"));
                }
            }
        }
    }
    text
}

fn decode(
    dialect: &Dialect,
    hex: &str,
    step: Option<Step>,
    unmask: Unmask,
) -> Result<Shown, Refused> {
    let bytes = bytes(hex)?;
    let message = read(dialect, &bytes, step)?;
    Ok(Shown::Fields(card_json::decode(&message, unmask)?))
}

fn explain(
    dialect: &Dialect,
    hex: &str,
    step: Option<Step>,
    unmask: Unmask,
) -> Result<Shown, Refused> {
    let bytes = bytes(hex)?;
    let message = read(dialect, &bytes, step)?;
    Ok(Shown::Words(explain::explain(&message, unmask)?))
}

/// The message as it will stand on the wire: whoever encodes has given everything that it holds.
fn encode(dialect: &Dialect, document: &Document, step: Option<Step>) -> Result<Shown, Refused> {
    let mut bytes = Vec::new();
    document.encode(dialect, &mut bytes)?;
    read(dialect, &bytes, step)?;
    let digits = bytes.iter().map(|byte| format!("{byte:02X}"));
    Ok(Shown::Hex(digits.collect()))
}

/// A message whose format is in order, and what else the step asks for.
fn read<'m>(
    dialect: &'m Dialect,
    bytes: &'m [u8],
    step: Option<Step>,
) -> Result<Message<'m>, Refused> {
    let message = Message::parse(dialect, bytes)?;
    message.check_subfields()?;
    if let Some(step) = step {
        check_step(&message, step)?;
    }
    Ok(message)
}

/// Hexadecimal digits to bytes; blanks between them count for nothing.
fn bytes(hex: &str) -> Result<Vec<u8>, Refused> {
    let wrong = |text: String| Refused {
        rule: "hexadecimal".to_owned(),
        text,
        ..Refused::default()
    };
    let mut halves = Vec::with_capacity(hex.len());
    for (place, character) in hex.chars().enumerate() {
        match character.to_digit(16) {
            Some(half) => halves.push(half as u8),
            None if character.is_whitespace() => {}
            None => {
                let text = format!("character {} is no hexadecimal digit", place + 1);
                return Err(wrong(text));
            }
        }
    }
    let (pairs, rest) = halves.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => Err(wrong("hexadecimal digits are expected in twos".to_owned())),
    }
}

/// A refused message. Holds no value of it.
#[derive(Debug, Default)]
struct Refused {
    field: Option<u8>,
    subfield: Option<String>,
    offset: Option<u32>,
    /// Stable kebab-case code.
    rule: String,
    text: String,
}

impl Refused {
    fn line(&self, place: &str, json: bool) -> String {
        if !json {
            return format!("{place}refused {}", self.text);
        }
        let place = place.trim_end_matches([':', ' ']);
        json!({"refused": {
            "place": (!place.is_empty()).then_some(place),
            "field": self.field,
            "subfield": self.subfield,
            "offset": self.offset,
            "rule": self.rule,
            "text": self.text,
        }})
        .to_string()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused {
            field: Some(refusal.field),
            subfield: refusal.subfield.map(|key| key.to_string()),
            offset: Some(refusal.offset),
            rule: refusal.code().to_owned(),
            text: refusal.to_string(),
        }
    }
}

impl From<StepError<'_>> for Refused {
    fn from(error: StepError<'_>) -> Refused {
        Refused {
            field: Some(error.field()),
            rule: error.code().to_owned(),
            text: error.to_string(),
            ..Refused::default()
        }
    }
}

impl From<JsonError> for Refused {
    fn from(error: JsonError) -> Refused {
        let mut path = error.path.split('.');
        let is_field = path.next() == Some("fields");
        Refused {
            field: path
                .next()
                .filter(|_| is_field)
                .and_then(|field| field.parse().ok()),
            subfield: path.next().filter(|_| is_field).map(str::to_owned),
            rule: "json".to_owned(),
            text: error.to_string(),
            ..Refused::default()
        }
    }
}

#[cfg(test)]
mod tests;
