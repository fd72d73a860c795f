use super::*;

const HEADER: &str = "H,1,ACQB,FILE-1,2026-11-28,2,3500.00,12.50";
const PURCHASE: &str =
    "P,ARN0001,632500000001,TERM0001,999999******0013,A10042,3500.00,2026-11-27,5411";
const REFUND: &str = "R,ARN0002,632500000077,TERM0001,999999******0013,,12.50,2026-11-28,5411";
const TRAILER: &str = "T,2,3500.00,12.50";

fn check(lines: &[&str]) -> Result<FileHeader, (usize, Wrong)> {
    let mut checker = Checker::new();
    for (line, number) in lines.iter().zip(1..) {
        checker.line(line).map_err(|wrong| (number, wrong))?;
    }
    checker.finish().map_err(|wrong| (0, wrong))
}

#[test]
fn a_sound_file_is_read_whole_and_written_again() {
    let header = check(&[HEADER, PURCHASE, REFUND, TRAILER]).unwrap();
    assert_eq!(
        (header.lines, header.purchases, header.refunds),
        (2, 350_000, 1_250)
    );
    let lines: Vec<FileLine> = [PURCHASE, REFUND]
        .iter()
        .map(|text| match Row::parse(text) {
            Ok(Row::Line(line)) => line,
            other => panic!("{other:?}"),
        })
        .collect();
    let fields = lines[0].fields().unwrap();
    assert_eq!(fields.card.to_string(), "999999******0013");
    assert_eq!(fields.approval, ApprovalCode::parse(b"A10042").ok());
    let date = Date::parse("2026-11-28").unwrap();
    let written = write("ACQB", "FILE-1", date, &lines);
    let expected = [HEADER, PURCHASE, REFUND, TRAILER].join("\n") + "\n";
    assert_eq!(written, expected);
}

#[test]
fn what_is_wrong_with_a_line_is_named_with_its_field() {
    let field_of = |place: usize, value: &str| {
        let mut fields: Vec<&str> = PURCHASE.split(',').collect();
        fields[place] = value;
        Row::parse(&fields.join(",")).unwrap_err().field
    };
    assert_eq!(field_of(0, "X"), "line");
    assert_eq!(field_of(1, ""), "reference");
    assert_eq!(field_of(1, "ARN 1"), "reference");
    assert_eq!(field_of(2, "6325000000011"), "retrieval");
    assert_eq!(field_of(3, ""), "terminal");
    assert_eq!(field_of(4, "9999990000000013"), "card");
    assert_eq!(field_of(4, "999999*0013"), "card");
    assert_eq!(field_of(5, "A1-042"), "approval");
    assert_eq!(field_of(6, "0.00"), "amount");
    assert_eq!(field_of(6, "1.005"), "amount");
    assert_eq!(field_of(7, "2026-02-30"), "date");
    assert_eq!(field_of(8, "54"), "mcc");
    let refund = REFUND.replace(",,", ",A10042,");
    assert_eq!(Row::parse(&refund).unwrap_err().field, "approval");
    let header = |place: usize, value: &str| {
        let mut fields: Vec<&str> = HEADER.split(',').collect();
        fields[place] = value;
        Row::parse(&fields.join(",")).unwrap_err().field
    };
    assert_eq!(header(1, "2"), "version");
    assert_eq!(header(3, ""), "file id");
    assert_eq!(header(4, "28.11.2026"), "file date");
    assert_eq!(header(5, "0"), "lines");
    assert_eq!(header(6, "x"), "sum of purchases");
    assert_eq!(Row::parse("T,1,2").unwrap_err().field, "line");
    assert_eq!(Row::parse(&"P".repeat(300)).unwrap_err().field, "line");
}

#[test]
fn a_file_that_does_not_come_to_what_it_states_is_refused() {
    let refused = |lines: &[&str]| {
        let (line, wrong) = check(lines).unwrap_err();
        (line, wrong.field)
    };
    assert_eq!(refused(&[]), (0, "line"));
    assert_eq!(refused(&[PURCHASE]), (1, "line"));
    assert_eq!(refused(&[HEADER, HEADER]), (2, "line"));
    assert_eq!(refused(&[HEADER, PURCHASE, REFUND]), (0, "trailer"));
    assert_eq!(
        refused(&[HEADER, PURCHASE, "T,1,3500.00,12.50"]),
        (3, "trailer")
    );
    assert_eq!(refused(&[HEADER, PURCHASE, TRAILER]), (0, "lines"));
    let less = REFUND.replace("12.50", "12.49");
    assert_eq!(
        refused(&[HEADER, PURCHASE, &less, TRAILER]),
        (0, "sum of refunds")
    );
    assert_eq!(
        refused(&[HEADER, PURCHASE, REFUND, TRAILER, TRAILER]),
        (5, "line")
    );
}
