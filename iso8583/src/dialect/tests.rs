use super::*;

#[test]
fn the_dialects_that_come_with_the_crate_are_in_order() {
    for name in Dialect::BUILT_IN {
        let dialect = Dialect::built_in(name).unwrap();
        assert_eq!(dialect.name(), name);
        for row in dialect.rows() {
            assert_eq!(dialect.field(row.number).unwrap().name, row.name);
        }
    }
    assert!(Dialect::built_in("iso99").is_none());
}
