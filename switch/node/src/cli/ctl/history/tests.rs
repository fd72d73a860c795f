use super::indented;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(indented(text), expected);
}

#[test]
fn elements_stand_one_a_line_and_keep_their_text() {
    check(
        "<?xml version=\"1.0\"?><A><B x=\"1\">text &lt; more</B>\n  <C/><D><E>1</E></D><F></F></A>",
        "<?xml version=\"1.0\"?>\n<A>\n  <B x=\"1\">text &lt; more</B>\n  <C/>\n  <D>\n    <E>1</E>\n  </D>\n  <F></F>\n</A>",
    );
}

#[test]
fn what_is_no_xml_stays_as_it_is() {
    check("{\"command\": \"<x>\"}", "{\"command\": \"<x>\"}");
    check("", "");
    check("<A><B", "<A><B");
    check("</A></B>", "</A>\n</B>");
}
