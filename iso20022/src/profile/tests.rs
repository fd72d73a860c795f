use super::generated::FIELDS;
use super::{Table, generated, table_of};
use crate::message::MessageType;

const TRANSFERS: [&Table; 4] = [
    &generated::C2C2_PHONE,
    &generated::C2C2_ACCOUNT,
    &generated::M2M2,
    &generated::C2B2,
];

#[test]
fn every_path_stands_in_a_schema() {
    for fields in FIELDS {
        assert_eq!(
            fields.unknown_paths(),
            Vec::<&str>::new(),
            "{}",
            fields.kind
        );
    }
}

#[test]
fn every_table_is_of_its_message() {
    let others = MessageType::all()
        .filter_map(|message| table_of(message.kind()).map(|table| (message.kind(), table)));
    let transfers = TRANSFERS.map(|table| (crate::MessageKind::Pacs008, table));
    let mut count = 0;
    for (kind, table) in others.chain(transfers) {
        assert_eq!(table.fields.kind, kind);
        assert!(
            table
                .rows
                .iter()
                .all(|row| !table.fields.path(row.slot).is_empty())
        );
        count += 1;
    }
    // 28 versions of the messages with one table each, and four services.
    assert_eq!(count, 32);
}

/// Status reasons are external codes: four capital letters or digits.
#[test]
fn every_refusal_has_a_status_reason() {
    for table in TRANSFERS {
        for reason in table.rows.iter().flat_map(|row| [row.wrong, row.missing]) {
            assert!(
                reason.len() == 4
                    && reason
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            );
        }
    }
}
