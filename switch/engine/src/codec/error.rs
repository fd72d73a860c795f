//! Why stored bytes were refused: the place and the rule.

use std::fmt;

/// Stored bytes that do not follow their layout. Bytes come from the journal, the index or a snapshot, which carry their
/// own checksums; so this means damage behind the checksum or a binary older than the one that wrote the bytes, and the
/// operator must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactsError {
    /// Kebab-case name of the layout, e.g. `credit-transfer`.
    pub layout: &'static str,
    /// Name of the field in docs/facts.md.
    pub field: &'static str,
    /// Where the field begins, in bytes from the start.
    pub offset: usize,
    pub rule: LayoutRule,
}

/// The rule of the layout that the bytes break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutRule {
    /// No layout has this kind.
    UnknownKind(u16),
    /// The layout has no such version, or this binary no longer reads it.
    UnknownVersion(u8),
    /// The bytes end inside the field.
    Truncated,
    /// Bytes follow the last field.
    Trailing,
    /// A tag, flag or number outside its table.
    Tag,
    /// A value that its type refuses: check digits, character set, length, range.
    Value,
    /// A value written in a longer form than needed, so that two byte strings would mean the same.
    NotShortest,
}

impl LayoutRule {
    /// Kebab-case name; stable, meant for machines.
    pub const fn name(self) -> &'static str {
        match self {
            LayoutRule::UnknownKind(_) => "unknown-kind",
            LayoutRule::UnknownVersion(_) => "unknown-version",
            LayoutRule::Truncated => "truncated",
            LayoutRule::Trailing => "trailing",
            LayoutRule::Tag => "tag",
            LayoutRule::Value => "value",
            LayoutRule::NotShortest => "not-shortest",
        }
    }
}

impl fmt::Display for FactsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}, field {} at byte {}: ",
            self.layout, self.field, self.offset
        )?;
        match self.rule {
            LayoutRule::UnknownKind(kind) => write!(formatter, "no layout has kind {kind:#06x}"),
            LayoutRule::UnknownVersion(version) => {
                write!(formatter, "version {version} is not read by this binary")
            }
            LayoutRule::Truncated => formatter.write_str("the bytes end inside the field"),
            LayoutRule::Trailing => formatter.write_str("bytes follow the last field"),
            LayoutRule::Tag => formatter.write_str("the tag or number is in no table"),
            LayoutRule::Value => formatter.write_str("the type of the field refuses the value"),
            LayoutRule::NotShortest => formatter.write_str("the value is not in its shortest form"),
        }
    }
}

impl std::error::Error for FactsError {}
