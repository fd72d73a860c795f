//! Where a code is wrong and which rule it breaks.

use std::fmt;

rules! {
    /// The rule a code breaks.
    QrRule {
        TooLong => "qr-too-long", "the code has more than 512 characters";
        Tag => "qr-tag", "a tag is 2 digits";
        Length => "qr-length", "a length is 2 digits from 01 to 99";
        Truncated => "qr-truncated", "the value ends before its length";
        ValueLength => "qr-value-length", "the value is empty or longer than its field allows";
        Characters => "qr-characters", "the value has a character its field does not allow";
        Duplicate => "qr-duplicate", "the tag stands twice";
        FormatFirst => "qr-format-first", "the code does not begin with 000201";
        CrcLast => "qr-crc-last", "the code does not end with tag 63 and its 4 characters";
        CrcMismatch => "qr-crc", "the CRC is not that of the code, in upper-case hexadecimal digits";
        Missing => "qr-missing", "the field is missing";
        Initiation => "qr-initiation", "the point of initiation is 11 (static) or 12 (dynamic)";
        SchemeMissing => "qr-scheme", "no account template from 26 to 51 is of the scheme kz.torap.qr";
        SchemeTwice => "qr-scheme-twice", "two templates are of the scheme kz.torap.qr";
        Bank => "qr-bank", "the bank is not a BIC";
        Iban => "qr-iban", "the account is not a valid IBAN";
        Bin => "qr-bin", "the merchant's number is not a valid BIN or IIN";
        Mcc => "qr-mcc", "the merchant category code is 4 digits";
        Currency => "qr-currency", "the currency is 398";
        Country => "qr-country", "the country is KZ";
        Amount => "qr-amount", "the amount is a decimal above 0 and up to 9999999999.99, with at most 2 decimals";
        Identifier => "qr-identifier", "the identifier of the code has 1 to 35 allowed characters";
        Expiry => "qr-expiry", "the expiry is whole seconds since 1970-01-01T00:00:00Z, without leading zeros";
        Language => "qr-language", "a language is 2 lower-case letters";
        DynamicIncomplete => "qr-dynamic-incomplete", "a dynamic code needs this field";
        ExpiryWithoutIdentifier => "qr-expiry-without-identifier", "a code with an expiry needs an identifier";
        NoTemplateFree => "qr-no-template-free", "no tag is free for the scheme's template";
        NotReproducible => "qr-not-reproducible", "a field given as unknown is one this version knows, or is not unknown where it stands";
    }
}

/// A tag, or a tag inside a template: `26.01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TagPath {
    /// The tag on the code's own level; none when the code as a whole is meant.
    pub tag: Option<u8>,
    /// The tag inside the template.
    pub sub_tag: Option<u8>,
}

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QrError {
    /// The field.
    pub path: TagPath,
    /// Where the field's value begins, in characters from the start of the code; 0 for a field that is missing.
    pub offset: usize,
    /// The broken rule.
    pub rule: QrRule,
}

impl QrError {
    pub(super) const fn whole(rule: QrRule) -> QrError {
        QrError::at(TagPath::WHOLE, 0, rule)
    }

    pub(super) const fn at(path: TagPath, offset: usize, rule: QrRule) -> QrError {
        QrError { path, offset, rule }
    }
}

impl TagPath {
    pub(super) const WHOLE: TagPath = TagPath {
        tag: None,
        sub_tag: None,
    };

    pub(super) const fn root(tag: u8) -> TagPath {
        TagPath {
            tag: Some(tag),
            sub_tag: None,
        }
    }

    /// The path of `tag` one level below this one.
    pub(super) const fn child(self, tag: u8) -> TagPath {
        match self.tag {
            None => TagPath::root(tag),
            Some(_) => TagPath {
                tag: self.tag,
                sub_tag: Some(tag),
            },
        }
    }
}

impl fmt::Display for TagPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tag, self.sub_tag) {
            (None, _) => formatter.write_str("the code"),
            (Some(tag), None) => write!(formatter, "tag {tag:02}"),
            (Some(tag), Some(sub_tag)) => write!(formatter, "tag {tag:02}.{sub_tag:02}"),
        }
    }
}

impl fmt::Display for QrError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} at character {}: {}",
            self.path, self.offset, self.rule
        )
    }
}

impl std::error::Error for QrError {}
