//! `xmllint` as the judge of documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use torap_iso20022::MessageType;

/// A document and the XSD it is held against.
pub(crate) struct Case {
    pub message: MessageType,
    pub bytes: Vec<u8>,
}

pub(crate) struct Oracle {
    schemas: PathBuf,
    folder: TempDir,
}

/// Files given to one `xmllint` process.
const BATCH: usize = 500;

impl Oracle {
    /// The oracle, or `None` with the reason printed.
    pub(crate) fn find() -> Option<Oracle> {
        let schemas = shared_data().join("xsd");
        if !schemas.is_dir() {
            println!("skipped: no XSD folder at {}", schemas.display());
            return None;
        }
        if Command::new("xmllint").arg("--version").output().is_err() {
            println!("skipped: no xmllint (package libxml2-utils)");
            return None;
        }
        Some(Oracle {
            schemas,
            folder: TempDir::new().unwrap(),
        })
    }

    /// Whether libxml2 accepts each case.
    pub(crate) fn verdicts(&self, cases: &[Case]) -> Vec<bool> {
        let mut by_message: BTreeMap<MessageType, Vec<usize>> = BTreeMap::new();
        for (number, case) in cases.iter().enumerate() {
            fs::write(self.path(number), &case.bytes).unwrap();
            by_message.entry(case.message).or_default().push(number);
        }
        let mut verdicts = vec![false; cases.len()];
        for (message, numbers) in by_message {
            for batch in numbers.chunks(BATCH) {
                let paths: Vec<PathBuf> = batch.iter().map(|&number| self.path(number)).collect();
                let output = self.run(message, &paths);
                for (number, path) in batch.iter().zip(&paths) {
                    let line = format!("{} validates", path.display());
                    verdicts[*number] = output.lines().any(|found| found == line);
                }
            }
        }
        verdicts
    }

    /// What libxml2 says of one case.
    pub(crate) fn explain(&self, case: &Case) -> String {
        let path = self.folder.path().join("one.xml");
        fs::write(&path, &case.bytes).unwrap();
        self.run(case.message, &[path])
    }

    fn run(&self, message: MessageType, paths: &[PathBuf]) -> String {
        let schema = self.schemas.join(format!("{message}.xsd"));
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .args(paths)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("{number}.xml"))
    }
}

/// The folder of XSDs and samples beside the repository.
pub(crate) fn shared_data() -> PathBuf {
    PathBuf::from("../../shared/data")
}
