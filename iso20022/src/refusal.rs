//! What the parser says when it refuses a document: the place, the rule, and a stable code.

use std::borrow::Cow;
use std::fmt;

/// A refused document. A value, not a fault of ours: the peer that wrote the document must act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where: local names from the root, such as `/Document/FIToFICstmrCdtTrf/GrpHdr/MsgId`; an attribute is `…/@Ccy`;
    /// `/` when the document has not reached its root element or has left it.
    pub path: String,
    /// Which rule is broken.
    pub rule: Rule,
    /// Byte offset in the input at which the breach was noticed.
    pub offset: usize,
}

impl Refusal {
    /// A refusal at a path and byte offset.
    pub fn new(path: impl Into<String>, rule: Rule, offset: usize) -> Refusal {
        Refusal {
            path: path.into(),
            rule,
            offset,
        }
    }

    /// Stable kebab-case code of the rule.
    pub fn code(&self) -> &'static str {
        self.rule.code()
    }

    /// ISO 20022 external status reason to answer with; only a breach of a usage profile has one.
    pub fn reason(&self) -> Option<&'static str> {
        match self.rule {
            Rule::Profile { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.path, self.rule, self.code())
    }
}

impl std::error::Error for Refusal {}

/// The rule that a refused document breaks; `Display` gives it in words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A named limit of this crate (`limits.rs`).
    Limit {
        /// Name of the limit.
        name: &'static str,
        /// Its value.
        max: usize,
    },
    /// Not well-formed (XML 1.0, fifth edition); the text names the constraint.
    Malformed(&'static str),
    /// A document type declaration.
    Doctype,
    /// A processing instruction.
    ProcessingInstruction,
    /// An encoding that is not read.
    Encoding,
    /// A reference to an entity other than the five predefined ones.
    Entity,
    /// The root element is neither a known message nor an envelope around one.
    UnknownMessage,
    /// An envelope that does not hold exactly a header and a document.
    Envelope(&'static str),
    /// An element that the content model does not allow here.
    UnexpectedElement {
        /// Name found.
        found: String,
        /// Names that could stand here.
        expected: String,
    },
    /// The parent ended while elements were still missing.
    MissingElement {
        /// Names that could stand here.
        expected: String,
    },
    /// Text between the children of an element-only type.
    UnexpectedText,
    /// An attribute that the type does not declare.
    UnexpectedAttribute,
    /// A required attribute is missing.
    MissingAttribute(&'static str),
    /// `xsi:nil` on an element that is not nillable.
    Nil,
    /// `xsi:type` that does not name a type allowed here.
    XsiType,
    /// A strict wildcard met an element that is not global.
    UndeclaredElement,
    /// The text does not belong to the lexical space of the XSD type.
    Lexical(&'static str),
    /// `minLength`, in characters.
    MinLength(u32),
    /// `maxLength`, in characters (octets for base64).
    MaxLength(u32),
    /// `pattern`.
    Pattern(&'static str),
    /// `enumeration`; the values allowed.
    Enumeration(&'static [&'static str]),
    /// `totalDigits`.
    TotalDigits(u8),
    /// `fractionDigits`.
    FractionDigits(u8),
    /// `minInclusive` 0.
    NotNegative,
    /// CDATA under the national profile.
    Cdata,
    /// A character outside the national set.
    CharacterSet,
    /// An undeclared namespace prefix under the national profile.
    Prefix,
    /// A rule of a usage profile.
    Profile {
        /// Stable kebab-case code.
        code: &'static str,
        /// The rule in words.
        text: Cow<'static, str>,
        /// ISO 20022 external status reason to answer with, such as `AM12`.
        reason: &'static str,
    },
}

impl Rule {
    /// Stable kebab-case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Limit { .. } => "limit",
            Self::Malformed(_) => "not-well-formed",
            Self::Doctype => "doctype",
            Self::ProcessingInstruction => "processing-instruction",
            Self::Encoding => "encoding",
            Self::Entity => "entity",
            Self::UnknownMessage => "unknown-message",
            Self::Envelope(_) => "envelope",
            Self::UnexpectedElement { .. } => "unexpected-element",
            Self::MissingElement { .. } => "missing-element",
            Self::UnexpectedText => "unexpected-text",
            Self::UnexpectedAttribute => "unexpected-attribute",
            Self::MissingAttribute(_) => "missing-attribute",
            Self::Nil => "xsi-nil",
            Self::XsiType => "xsi-type",
            Self::UndeclaredElement => "undeclared-element",
            Self::Lexical(_) => "lexical",
            Self::MinLength(_) => "min-length",
            Self::MaxLength(_) => "max-length",
            Self::Pattern(_) => "pattern",
            Self::Enumeration(_) => "enumeration",
            Self::TotalDigits(_) => "total-digits",
            Self::FractionDigits(_) => "fraction-digits",
            Self::NotNegative => "min-inclusive",
            Self::Cdata => "cdata",
            Self::CharacterSet => "character-set",
            Self::Prefix => "undeclared-prefix",
            Self::Profile { code, .. } => code,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { name, max } => write!(f, "{name} {max}"),
            Self::Malformed(what) => write!(f, "not well-formed: {what}"),
            Self::Doctype => f.write_str("a document type declaration is forbidden"),
            Self::ProcessingInstruction => f.write_str("a processing instruction is forbidden"),
            Self::Encoding => f.write_str("the encoding must be UTF-8"),
            Self::Entity => f.write_str("only the predefined entities may be referred to"),
            Self::UnknownMessage => f.write_str("the root element is not a known message"),
            Self::Envelope(what) => write!(f, "envelope: {what}"),
            Self::UnexpectedElement { found, expected } => {
                write!(f, "unexpected element {found}, expected {expected}")
            }
            Self::MissingElement { expected } => write!(f, "missing element, expected {expected}"),
            Self::UnexpectedText => f.write_str("text between elements"),
            Self::UnexpectedAttribute => f.write_str("attribute not declared"),
            Self::MissingAttribute(name) => write!(f, "missing attribute {name}"),
            Self::Nil => f.write_str("the element is not nillable"),
            Self::XsiType => f.write_str("xsi:type does not name a type allowed here"),
            Self::UndeclaredElement => f.write_str("no global element of that name"),
            Self::Lexical(ty) => write!(f, "not a valid {ty}"),
            Self::MinLength(min) => write!(f, "minLength {min}"),
            Self::MaxLength(max) => write!(f, "maxLength {max}"),
            Self::Pattern(pattern) => write!(f, "pattern {pattern}"),
            Self::Enumeration(values) => {
                f.write_str("enumeration ")?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { "|" })?;
                }
                Ok(())
            }
            Self::TotalDigits(max) => write!(f, "totalDigits {max}"),
            Self::FractionDigits(max) => write!(f, "fractionDigits {max}"),
            Self::NotNegative => f.write_str("minInclusive 0"),
            Self::Cdata => f.write_str("CDATA is forbidden"),
            Self::CharacterSet => f.write_str("character outside the national set"),
            Self::Prefix => f.write_str("undeclared namespace prefix"),
            Self::Profile { text, .. } => f.write_str(text),
        }
    }
}
