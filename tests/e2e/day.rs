//! The scripted day of `torap demo`: every line as expected, every row of docs/outcomes.md shown, books that agree, a log that verifies.

use std::path::Path;

use torap_node::demo::{Day, LINES};

use crate::program::{lab, stdout, torap};

#[test]
fn every_line_of_the_day_comes_out_as_expected() {
    let (dir, lab) = lab();
    let mut day = Day::new(lab);
    let mut wrong = Vec::new();
    for line in LINES {
        let report = day.run(line);
        if !report.told.is_as_expected() {
            wrong.push(format!(
                "{}: expected {}; came back {}",
                line.title,
                report.told.expected(),
                report.told.got()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(day.differences().expect("books"), Vec::<String>::new());

    // The log outlives the processes and verifies.
    let root = day.lab.folder().root().to_path_buf();
    drop(day);
    let verified = torap(&["--dir", &root.to_string_lossy(), "journal", "verify"]);
    assert!(verified.status.success(), "{}", stdout(&verified));
    drop(dir);
}

/// Rows of the table in docs/outcomes.md: `| O-12 | …`.
fn documented_rows() -> Vec<String> {
    let path = Path::new("../docs/outcomes.md");
    let text = std::fs::read_to_string(path).expect("docs/outcomes.md");
    let id = |line: &str| {
        line.strip_prefix("| ")
            .and_then(|rest| rest.split(' ').next())
            .filter(|id| id.starts_with("O-"))
            .map(String::from)
    };
    text.lines().filter_map(id).collect()
}

#[test]
fn lines_name_rows_that_are_documented() {
    let rows = documented_rows();
    assert!(rows.len() > 100, "docs/outcomes.md has lost its table");
    for line in LINES {
        for row in line.rows {
            assert!(
                rows.iter().any(|known| known == row),
                "`{}` shows {row}, which docs/outcomes.md does not have",
                line.title
            );
        }
    }
}
