//! `torap ctl payment`, `torap ctl payments` and `torap ctl card transaction`: what one answer of the switch is not enough for, or too much.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Client, Ending, Failure, Refusal, Request, print_line, refused, table};

/// How original messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Originals {
    /// Indented for people.
    Pretty,
    /// As they came.
    Raw,
}

/// A payment with its steps; the original messages only if they are wanted.
pub(super) fn payment(
    client: &mut Client,
    request: &Request,
    originals: Option<Originals>,
    as_json: bool,
) -> Result<Ending, Failure> {
    let mut value = match client.ask(request)? {
        Ok(value) => value,
        Err(refusal) => return refused(&refusal, as_json),
    };
    let texts = value
        .as_object_mut()
        .and_then(|map| map.remove("originals"))
        .unwrap_or_else(|| json!([]));
    if as_json {
        if originals.is_some() {
            value["originals"] = texts;
        }
        print_line(&value.to_string())?;
        return Ok(Ending::Done);
    }
    print_line(table::render(&value).trim_end())?;
    let Some(how) = originals else {
        return Ok(Ending::Done);
    };
    for original in texts.as_array().into_iter().flatten() {
        let text = |key: &str| original[key].as_str().unwrap_or("-");
        print_line(&format!(
            "\n--- record {} {} from {}",
            original["position"],
            text("time"),
            text("from")
        ))?;
        match how {
            Originals::Raw => print_line(text("text"))?,
            Originals::Pretty => print_line(indented(text("text")).trim_end())?,
        }
    }
    Ok(Ending::Done)
}

/// A card transaction with its steps; the messages only if they are wanted.
pub(super) fn transaction(
    client: &mut Client,
    request: &Request,
    with_messages: bool,
    as_json: bool,
) -> Result<Ending, Failure> {
    let mut value = match client.ask(request)? {
        Ok(value) => value,
        Err(refusal) => return refused(&refusal, as_json),
    };
    let fields = value.as_object_mut();
    let messages = fields.and_then(|fields| fields.remove("messages"));
    let messages = messages
        .filter(|_| with_messages)
        .unwrap_or_else(|| json!([]));
    if as_json {
        if with_messages {
            value["messages"] = messages;
        }
        print_line(&value.to_string())?;
        return Ok(Ending::Done);
    }
    print_line(table::render(&value).trim_end())?;
    for message in messages.as_array().into_iter().flatten() {
        let text = |key: &str| message[key].as_str().unwrap_or("-");
        print_line(&format!(
            "\n--- record {} {} from {}\n{}",
            message["position"],
            text("time"),
            text("from"),
            message["message"]
        ))?;
    }
    Ok(Ending::Done)
}

/// A participant's payments, page after page, up to the wanted number.
pub(super) fn all_pages(
    client: &mut Client,
    request: Request,
) -> Result<Result<Value, Refusal>, Failure> {
    let Request::Payments {
        code,
        from,
        until,
        mut after,
        mut max,
    } = request
    else {
        return Ok(client.ask(&request)?);
    };
    let mut payments = Vec::new();
    loop {
        let page = Request::Payments {
            code: code.clone(),
            from: from.clone(),
            until: until.clone(),
            after,
            max,
        };
        let mut value = match client.ask(&page)? {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(Value::Array(rows)) = value.get_mut("payments").map(Value::take) {
            max = max.saturating_sub(rows.len());
            payments.extend(rows);
        }
        after = value["next"].as_str().map(str::to_owned);
        if after.is_none() || max == 0 {
            let more = after.is_some();
            return Ok(Ok(json!({ "payments": payments, "more": more })));
        }
    }
}

/// A message with one element a line; text stays with its element. Whatever is no XML stays as it is.
fn indented(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let (mut out, mut depth) = (String::with_capacity(text.len() * 2), 0_usize);
    // Whether the last thing written was an opening tag, whose end may follow on its line.
    let mut is_open = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let content = before.trim();
        out.push_str(content);
        let Some((tag, behind)) = after.split_once('>') else {
            out.push('<');
            out.push_str(after);
            return out;
        };
        let ends = tag.starts_with('/');
        if ends {
            depth = depth.saturating_sub(1);
        }
        if !(ends && is_open) {
            if !out.is_empty() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n("  ", depth));
        }
        out.push('<');
        out.push_str(tag);
        out.push('>');
        is_open = !ends && !tag.ends_with('/') && !tag.starts_with(['?', '!']);
        if is_open {
            depth += 1;
        }
        rest = behind;
    }
    out.push_str(rest.trim());
    out
}

#[cfg(test)]
mod tests;
