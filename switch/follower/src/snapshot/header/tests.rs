use torap_core::Recovered;
use torap_domain::{Position, Time};
use torap_engine::Stamp;

use super::Header;

/// The layout of docs/snapshots.md; files of it exist, so these bytes never change.
#[test]
fn the_bytes_of_a_header_are_those_of_the_document() {
    let header = Header {
        rules_version: 3,
        recovered: Recovered {
            last: Stamp {
                position: Position(0x0102_0304),
                time: Time::from_nanos(0x1122_3344_5566_7788),
            },
            running: 0xa1a2_a3a4_a5a6_a7a8,
            marked: Position(0x0102_0300),
        },
        body_bytes: 4096,
        body_hash: [0xbb; 32],
    };
    let bytes = header.encode();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = [
        "544f524150534e50",
        "01000000",
        "03000000",
        "0403020100000000",
        "8877665544332211",
        "a8a7a6a5a4a3a2a1",
        "0003020100000000",
        "0010000000000000",
        &"bb".repeat(32),
        &"00".repeat(24),
        "1fa89abef97cbdbe54376a7c3c13fba1",
    ];
    assert_eq!(hex, expected.concat());
    assert_eq!(Header::decode("file", &bytes).unwrap(), header);
}
