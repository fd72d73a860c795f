use super::*;
use proptest::prelude::*;
use torap_domain::Money;

fn sample() -> Ledger {
    let mut ledger = Ledger::new();
    let key = |owner, book| AccountKey {
        owner: ParticipantId::new(owner),
        book,
        asset: Asset::Kzt,
    };
    let mirror = ledger.open(key(0, Book::CentralBankMirror));
    let first = ledger.open(key(1, Book::InstantPosition));
    let second = ledger.open(key(0x0203, Book::InstantPosition));
    ledger
        .transfer(mirror, first, Money::kzt(0x0102_0304))
        .unwrap();
    ledger.set_credit_line(second, 0xff).unwrap();
    ledger.reserve(first, second, Money::kzt(0x11)).unwrap();
    ledger
}

fn encoded(ledger: &Ledger) -> Vec<u8> {
    let mut bytes = Vec::new();
    ledger.encode(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_layout_to_the_byte() {
    let bytes = encoded(&sample());
    let (head, accounts) = bytes.split_at(10);
    assert_eq!(hex(head), "544c47520100 03000000".replace(' ', ""));
    let golden = [
        // owner book asset | debits posted | credits posted | debits pending | credits pending | credit line
        "0000 0200 0100 04030201000000000000000000000000 00000000000000000000000000000000 0000000000000000 0000000000000000 0000000000000000",
        "0100 0100 0100 00000000000000000000000000000000 04030201000000000000000000000000 1100000000000000 0000000000000000 0000000000000000",
        "0302 0100 0100 00000000000000000000000000000000 00000000000000000000000000000000 0000000000000000 1100000000000000 ff00000000000000",
    ];
    let found: Vec<String> = accounts.chunks(ACCOUNT_BYTES).map(hex).collect();
    assert_eq!(found, golden.map(|line| line.replace(' ', "")));
}

#[test]
fn reads_what_it_wrote_and_gives_back_the_rest() {
    let ledger = sample();
    let mut bytes = encoded(&ledger);
    bytes.extend_from_slice(b"next");
    assert_eq!(Ledger::decode(&bytes), Ok((ledger, &b"next"[..])));
    assert_eq!(
        Ledger::decode(&encoded(&Ledger::new())),
        Ok((Ledger::new(), &[][..]))
    );
}

#[test]
fn the_digest_is_over_the_account_bytes() {
    let mut fed = Vec::new();
    sample().digest(&mut |piece| fed.extend_from_slice(piece));
    assert_eq!(fed, encoded(&sample())[10..]);
}

#[test]
fn refuses_what_is_not_a_snapshot() {
    let check = |change: fn(&mut Vec<u8>), expect: LedgerDecodeError| {
        let mut bytes = encoded(&sample());
        change(&mut bytes);
        assert_eq!(Ledger::decode(&bytes).map(|_| ()), Err(expect));
        assert!(!expect.to_string().is_empty());
    };
    let account = AccountId(1);
    check(|bytes| bytes[0] = b'X', LedgerDecodeError::Magic);
    check(
        |bytes| bytes[4] = 2,
        LedgerDecodeError::Version { found: 2 },
    );
    check(|bytes| bytes[6] = 4, LedgerDecodeError::Truncated);
    check(|bytes| bytes[9] = 0xff, LedgerDecodeError::Truncated);
    check(|bytes| bytes.truncate(100), LedgerDecodeError::Truncated);
    check(Vec::clear, LedgerDecodeError::Truncated);
    check(
        |bytes| bytes[10 + 62 + 2] = 99,
        LedgerDecodeError::Book { account, found: 99 },
    );
    check(
        |bytes| bytes[10 + 62 + 5] = 9,
        LedgerDecodeError::Asset {
            account,
            found: 0x0901,
        },
    );
    check(
        |bytes| bytes.copy_within(10..72, 72),
        LedgerDecodeError::Duplicate { account },
    );
    check(
        |bytes| bytes[10 + 62 + 37] = 0x80,
        LedgerDecodeError::PostedSum { account },
    );
    let posted = ConservationError::Posted {
        asset: Asset::Kzt,
        debits: 0x0102_0304,
        credits: 0x0102_0305,
    };
    check(
        |bytes| bytes[10 + 62 + 22] = 5,
        LedgerDecodeError::Conservation(posted),
    );
}

proptest! {
    #[test]
    fn damaged_bytes_are_refused_or_read_to_the_same_bytes(
        place: prop::sample::Index, byte: u8, cut: prop::sample::Index,
    ) {
        let mut bytes = encoded(&sample());
        let place = place.index(bytes.len());
        bytes[place] = byte;
        bytes.truncate(cut.index(bytes.len() * 2));
        if let Ok((ledger, rest)) = Ledger::decode(&bytes) {
            prop_assert_eq!([encoded(&ledger), rest.to_vec()].concat(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..300), headed: bool) {
        let head: &[u8] = if headed { b"TLGR\x01\x00\x02\x00\x00\x00" } else { b"" };
        let _ = Ledger::decode(&[head, &tail].concat());
    }
}
