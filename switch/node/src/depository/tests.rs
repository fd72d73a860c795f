use super::*;

fn book() -> Book {
    let mut book = Book::default();
    book.issue("KZ1", "HSBK", 10).expect("issued");
    book
}

fn block(quantity: u64) -> Block {
    Block {
        isin: "KZ1".into(),
        quantity,
        seller: "HSBK".into(),
        buyer: "CASP".into(),
        amount: "100.00".into(),
        expires: "2026-12-01T12:00:00+05:00".into(),
    }
}

fn held(book: &Book, holder: &str) -> u64 {
    book.holdings["KZ1"].get(holder).copied().unwrap_or(0)
}

#[test]
fn what_is_blocked_is_nobodys_to_sell_and_goes_one_way() {
    for (end, seller, buyer) in [(End::Delivered, 4, 6), (End::Released, 10, 0)] {
        let mut book = book();
        book.block("D-1", block(6)).expect("blocked");
        assert_eq!((held(&book, "HSBK"), book.total("KZ1")), (4, 10));
        assert!(book.block("D-2", block(5)).is_err());
        book.end("D-1", end).expect("ended");
        assert_eq!((held(&book, "HSBK"), held(&book, "CASP")), (seller, buyer));
        assert_eq!(book.total("KZ1"), 10);
        assert!(book.end("D-1", end).is_err());
        assert!(
            book.block("D-1", block(1)).is_err(),
            "a reference is used once"
        );
    }
}

#[test]
fn only_the_switch_ends_a_block() {
    let steps = [
        (Standing::Settled, Step::Deliver),
        (Standing::Ended, Step::Release),
        (Standing::TooLate, Step::Release),
        (Standing::Unknown, Step::Send),
        (Standing::Waits, Step::Wait),
        (Standing::Refused, Step::Wait),
    ];
    for (standing, step) in steps {
        assert_eq!(standing.step(), step);
    }
}

#[test]
fn a_book_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("book.json");
    assert_eq!(Book::load(&path), Ok(Book::default()));
    let mut book = book();
    book.block("D-1", block(6)).expect("blocked");
    book.save(&path).expect("saved");
    assert_eq!(Book::load(&path), Ok(book));
    fs::write(&path, b"{").expect("written");
    assert!(Book::load(&path).is_err());
}
