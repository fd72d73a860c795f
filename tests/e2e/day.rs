//! The scripted day of `torap demo`: every line as expected, books that agree, a log that verifies.

use torap_node::demo::{CARD_LINES, Day, LINES, RTGS_LINES};

use crate::program::{lab_with, stdout, torap};

#[test]
fn every_line_of_the_day_comes_out_as_expected() {
    let (dir, lab) = lab_with(|options| options.cards = true);
    let mut day = Day::new(lab);
    let mut wrong = Vec::new();
    for line in LINES.iter().chain(CARD_LINES).chain(RTGS_LINES) {
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
