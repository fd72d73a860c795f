use crate::{MemoryIndex, check::check_index};

#[test]
fn behaves_as_every_index_does() {
    check_index(MemoryIndex::new);
}
