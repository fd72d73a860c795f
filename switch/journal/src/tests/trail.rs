//! The cache is told to forget the old part of the log, and only that.

use crate::MediumFile;
use crate::trail::Trail;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

/// A file that only notes what it shall forget.
#[derive(Debug, Default)]
struct Forgetful(Mutex<Vec<(u64, u64)>>);

impl MediumFile for Forgetful {
    fn bytes(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn forget(&self, offset: u64, bytes: u64) {
        self.0.lock().push((offset, bytes));
    }
}

#[test]
fn the_latest_part_stays() {
    const MIB: u64 = 1 << 20;
    let files = [
        Arc::new(Forgetful::default()),
        Arc::new(Forgetful::default()),
    ];
    let mut trail = Trail::default();
    let mut written = 0;
    for file in &files {
        let medium: Arc<dyn MediumFile> = Arc::clone(file) as Arc<dyn MediumFile>;
        // 200 MiB each, behind a header.
        for nth in 0..200 {
            trail.add(&medium, 4096 + nth * MIB, MIB);
            written += MIB;
            let forgotten: u64 = files
                .iter()
                .flat_map(|file| file.0.lock().clone())
                .map(|(_, bytes)| bytes)
                .sum();
            let kept = written - forgotten;
            assert!(
                kept >= written.min(128 * MIB) && kept <= 144 * MIB,
                "{kept}"
            );
        }
    }
    let first = files[0].0.lock().clone();
    assert_eq!(first[0], (4096, 8 * MIB));
    assert_eq!(
        first.iter().map(|(_, bytes)| bytes).sum::<u64>(),
        200 * MIB,
        "all of the file before"
    );
    let mut end = 4096;
    for (offset, bytes) in first {
        assert_eq!(offset, end, "without holes");
        end += bytes;
    }
}
