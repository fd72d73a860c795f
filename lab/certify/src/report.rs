//! What came of a run, as JSON and as a page to read.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The report of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the program that made it.
    pub version: String,
    pub participant: String,
    pub rail: String,
    /// SHA-256 of the catalogue, so that two reports can be told to be about the same cases.
    pub catalogue: String,
    /// RFC 3339.
    pub began: String,
    pub ended: String,
    pub passed: usize,
    pub failed: usize,
    pub left_out: usize,
    pub cases: Vec<Outcome>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub id: String,
    pub title: String,
    pub kind: String,
    pub rows: Vec<String>,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub took_ms: u64,
    /// What went to and fro, card data masked.
    pub messages: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "why", rename_all = "kebab-case")]
pub enum Verdict {
    Passed,
    Failed(String),
    LeftOut(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub way: Way,
    pub message: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    ToHost,
    FromHost,
}

impl Report {
    /// From the outcomes of a run over a catalogue's text; `times` are its begin and end.
    pub fn new(
        participant: &str,
        rail: &str,
        catalogue: &str,
        times: (String, String),
        cases: Vec<Outcome>,
    ) -> Report {
        let count = |wanted: fn(&Verdict) -> bool| {
            let cases = cases.iter().filter(|case| wanted(&case.verdict));
            cases.count()
        };
        Report {
            version: env!("CARGO_PKG_VERSION").into(),
            participant: participant.into(),
            rail: rail.into(),
            catalogue: crate::signature::digest(catalogue.as_bytes()),
            began: times.0,
            ended: times.1,
            passed: count(|verdict| *verdict == Verdict::Passed),
            failed: count(|verdict| matches!(verdict, Verdict::Failed(_))),
            left_out: count(|verdict| matches!(verdict, Verdict::LeftOut(_))),
            cases,
        }
    }

    /// Every case that was run passed, and some were.
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    /// A page without scripts and without anything from elsewhere. `signed` is shown at its end.
    pub fn html(&self, signed: &str) -> String {
        let mut out = String::from(HEAD);
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "<h1>{}: {} rail</h1><p class=\"{}\">{} passed, {} failed, {} left out</p><p>{} to {}, torap {}, catalogue {}</p>",
            escaped(&self.participant),
            escaped(&self.rail),
            if self.is_good() { "passed" } else { "failed" },
            self.passed,
            self.failed,
            self.left_out,
            escaped(&self.began),
            escaped(&self.ended),
            escaped(&self.version),
            escaped(&self.catalogue),
        );
        for case in &self.cases {
            case.write_html(&mut out);
        }
        let _ = writeln!(
            out,
            "<footer><pre>{}</pre></footer></html>",
            escaped(signed)
        );
        out
    }
}

impl Outcome {
    fn write_html(&self, out: &mut String) {
        let (name, why) = self.verdict.words();
        let open = if name == "failed" { " open" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "<details{open}><summary><span class=\"{name}\">{name}</span> <b>{}</b> {} <small>{}, {} ms, {}</small></summary><p>{}</p>",
            escaped(&self.id),
            escaped(&self.title),
            escaped(&self.kind),
            self.took_ms,
            escaped(&self.rows.join(", ")),
            escaped(why),
        );
        for line in &self.messages {
            let way = match line.way {
                Way::ToHost => "to the host",
                Way::FromHost => "from the host",
            };
            let text = escaped(&line.message.to_string());
            let _ = write!(out, "<pre><i>{way}</i> {text}</pre>");
        }
        out.push_str("</details>");
    }
}

impl Verdict {
    /// Its name, and why.
    pub fn words(&self) -> (&'static str, &str) {
        match self {
            Verdict::Passed => ("passed", ""),
            Verdict::Failed(why) => ("failed", why),
            Verdict::LeftOut(why) => ("left-out", why),
        }
    }
}

const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Certification</title><style>\
body{font:15px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;word-break:break-all;font-size:12px}\
.passed{color:#06603a}.failed{color:#a30b0b}.left-out{color:#666}summary{cursor:pointer}</style>";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_case_and_lets_no_markup_in() {
        let outcome = |id: &str, verdict| Outcome {
            id: id.into(),
            title: "A <case>".into(),
            kind: "positive".into(),
            rows: vec!["C-01".into()],
            verdict,
            took_ms: 1,
            messages: vec![Line {
                way: Way::FromHost,
                message: serde_json::json!({ "mti": "<0210>" }),
            }],
        };
        let cases = vec![
            outcome("I-01", Verdict::Passed),
            outcome("I-02", Verdict::Failed("because".into())),
            outcome("I-03", Verdict::LeftOut("no keys".into())),
        ];
        let times = ("begin".to_string(), "end".to_string());
        let report = Report::new("HSBK", "card", "catalogue", times, cases);
        assert_eq!((report.passed, report.failed, report.left_out), (1, 1, 1));
        assert!(!report.is_good());
        let page = report.html("signed by <nobody>");
        for text in [
            "I-01",
            "I-02",
            "because",
            "I-03",
            "no keys",
            "signed by &lt;nobody&gt;",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<0210>") && !page.contains("<case>"));
    }
}
