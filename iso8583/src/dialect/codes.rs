//! Tables of code values.

/// A table of code values and what they mean. Values that are not in it are carried all the same.
#[derive(Clone, Debug)]
pub struct CodeTable {
    /// Its name, which rows refer to.
    pub name: String,
    /// Ascending by value.
    pub rows: Vec<CodeRow>,
}

/// A code value.
#[derive(Clone, Debug)]
pub struct CodeRow {
    /// As it stands in the message.
    pub code: String,
    /// In words.
    pub meaning: String,
}

impl CodeTable {
    /// What a value means.
    pub fn meaning(&self, code: &str) -> Option<&str> {
        let place = self
            .rows
            .binary_search_by(|row| row.code.as_str().cmp(code))
            .ok()?;
        Some(&self.rows.get(place)?.meaning)
    }
}
