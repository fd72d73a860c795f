//! Finds the markup in the bytes of a document: where a tag, a text, a comment, a CDATA section or a reference begins and ends.
//!
//! It looks at eight bytes at a time and notes on the way what the parser asks next anyway: the first bytes of a name as an integer,
//! and whether a text holds anything out of the ordinary. It checks no grammar beyond finding the ends.

use crate::simple::is_blank;

/// The bytes of a document, and the piece looked at last.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    /// UTF-8.
    pub input: &'a [u8],
    /// First byte of the last piece.
    pub start: usize,
    /// Past its last byte.
    pub end: usize,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `<` and a name; the rest of the start tag is still unread.
    Tag(TagName),
    /// `</`; the rest of the end tag is still unread.
    End,
    Text,
    Cdata,
    Comment,
    Reference,
    Eof,
    Doctype,
    Instruction,
    /// Markup that does not end, or that is none.
    Broken(&'static str),
}

/// The name in a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TagName {
    /// As [`name_key`](crate::schema::name_key) of the name.
    pub key: u64,
    /// In bytes.
    pub len: u32,
}

/// What was seen in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// No control character, no `]`, and nothing that could be U+FFFE or U+FFFF: nothing more need be asked about the characters.
    pub is_plain: bool,
    /// No character beyond Basic Latin.
    pub is_ascii: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = ONES * 0x20;

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a [u8], start: usize) -> Scanner<'a> {
        Scanner {
            input,
            start,
            end: start,
        }
    }

    /// Goes to the next piece.
    #[inline]
    pub(super) fn next(&mut self) -> Token {
        self.start = self.end;
        match self.byte(self.start) {
            Some(b'<') => self.markup(),
            Some(b'&') => self.reference(),
            Some(_) => {
                self.text();
                Token::Text
            }
            None => Token::Eof,
        }
    }

    /// Passes over the blanks that come next, if any. Between elements that is nearly always a line feed and spaces.
    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        loop {
            if self.byte(self.end) == Some(b'\n') {
                self.end += 1;
            }
            let word = self.word(self.end);
            let spaces = ((word ^ SPACES).trailing_zeros() / 8) as usize;
            self.end += spaces;
            if spaces == 8 {
                continue;
            }
            match self.byte(self.end) {
                Some(byte) if is_blank(byte) => self.end += 1,
                _ => return,
            }
        }
    }

    /// Passes over the text that comes next, up to markup or a reference; it may be empty.
    #[inline]
    pub(super) fn text(&mut self) -> Seen {
        self.start = self.end;
        let mut odd = 0u64;
        let mut high = 0u64;
        loop {
            let word = self.word(self.end);
            // Past the end of the input a word is filled with zeros.
            let stops = zeros(word ^ (ONES * 0x3C)) | zeros(word ^ (ONES * 0x26)) | zeros(word);
            let stops = stops & HIGHS;
            if stops == 0 {
                odd |= oddities(word);
                high |= word;
                self.end += 8;
                continue;
            }
            let len = stops.trailing_zeros() / 8;
            let kept = mask(len);
            odd |= oddities(word) & kept;
            high |= word & kept;
            self.end += len as usize;
            match self.byte(self.end) {
                // A NUL is text, of an odd kind.
                Some(0) => {
                    odd |= HIGHS;
                    self.end += 1;
                }
                _ => break,
            }
        }
        Seen {
            is_plain: odd == 0,
            is_ascii: high & HIGHS == 0,
        }
    }

    /// Passes over the end tag that comes next if it is exactly `</name>`, the name being the one at `at`.
    #[inline]
    pub(super) fn closes(&mut self, at: u32, len: usize) -> bool {
        let name = self.end + 2;
        let is_closing = self.byte(self.end) == Some(b'<')
            && self.byte(self.end + 1) == Some(b'/')
            && self.byte(name + len) == Some(b'>')
            && self.is_same(at as usize, name, len);
        if is_closing {
            self.start = self.end;
            self.end = name + len + 1;
        }
        is_closing
    }

    /// Reads the rest of an end tag, of which `</` was the last piece; `false` unless its name is the one at `at`.
    #[inline]
    pub(super) fn finish_end_tag(&mut self, at: u32, len: usize) -> bool {
        let name = self.end;
        if !self.is_same(at as usize, name, len) {
            return false;
        }
        self.end = name + len;
        while self.byte(self.end).is_some_and(is_blank) {
            self.end += 1;
        }
        let is_closed = self.byte(self.end) == Some(b'>');
        self.end += 1;
        is_closed
    }

    /// The bytes of the last piece.
    #[inline]
    pub(super) fn piece(&self) -> &'a [u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    #[inline]
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.input.get(at).copied()
    }

    /// Whether the same `len` bytes stand at both places.
    #[inline]
    fn is_same(&self, a: usize, b: usize, len: usize) -> bool {
        if len <= 8 {
            return (self.word(a) ^ self.word(b)) & mask(len as u32) == 0
                && b + len <= self.input.len();
        }
        let wanted = self.input.get(a..a + len);
        wanted.is_some() && wanted == self.input.get(b..b + len)
    }

    /// Eight bytes, little-endian; zeros beyond the end.
    #[inline]
    fn word(&self, at: usize) -> u64 {
        match self
            .input
            .get(at..)
            .and_then(|rest| rest.first_chunk::<8>())
        {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.last_word(at),
        }
    }

    #[cold]
    fn last_word(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        let rest = self.input.get(at..).unwrap_or_default();
        for (to, from) in bytes.iter_mut().zip(rest) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    }

    #[inline]
    fn markup(&mut self) -> Token {
        match self.byte(self.start + 1) {
            Some(b'/') => {
                self.end = self.start + 2;
                Token::End
            }
            Some(b'!') => self.bang(),
            Some(b'?') => Token::Instruction,
            _ => self.tag(),
        }
    }

    /// A start tag: its name ends at a blank, `/` or `>`.
    #[inline]
    fn tag(&mut self) -> Token {
        let start = self.start + 1;
        let first = self.word(start);
        let mut at = start;
        let mut word = first;
        loop {
            let stops =
                controls(word, 0x21) | zeros(word ^ (ONES * 0x3E)) | zeros(word ^ (ONES * 0x2F));
            let stops = stops & HIGHS;
            if stops != 0 {
                at += (stops.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
            word = self.word(at);
        }
        let len = at - start;
        self.end = at;
        let key = if len < 8 {
            first & mask(len as u32)
        } else {
            first
        };
        Token::Tag(TagName {
            key,
            len: len as u32,
        })
    }

    #[cold]
    fn bang(&mut self) -> Token {
        let rest = self.input.get(self.start..).unwrap_or_default();
        let (token, open, close): (_, &[u8], &[u8]) = if rest.starts_with(b"<!--") {
            (Token::Comment, b"<!--", b"-->")
        } else if rest.starts_with(b"<![CDATA[") {
            (Token::Cdata, b"<![CDATA[", b"]]>")
        } else if rest.starts_with(b"<!DOCTYPE") {
            return Token::Doctype;
        } else {
            return Token::Broken("unknown markup");
        };
        let body = rest.get(open.len()..).unwrap_or_default();
        match body.windows(close.len()).position(|window| window == close) {
            Some(len) => {
                self.end = self.start + open.len() + len + close.len();
                token
            }
            None => Token::Broken("unfinished markup"),
        }
    }

    #[cold]
    fn reference(&mut self) -> Token {
        let rest = self.input.get(self.start + 1..).unwrap_or_default();
        match rest
            .iter()
            .position(|byte| matches!(byte, b';' | b'&' | b'<'))
        {
            Some(len) if rest.get(len) == Some(&b';') => {
                self.end = self.start + len + 2;
                Token::Reference
            }
            _ => Token::Broken("unfinished reference"),
        }
    }
}

/// The low `len` bytes, at most eight.
#[inline]
fn mask(len: u32) -> u64 {
    if len >= 8 {
        u64::MAX
    } else {
        (1 << (8 * len)) - 1
    }
}

/// High bits set where a byte is below a space, a delete, a `]` or 0xEF; perhaps also above such a byte.
#[inline]
fn oddities(word: u64) -> u64 {
    (controls(word, 0x20)
        | zeros(word ^ (ONES * 0x5D))
        | zeros(word ^ (ONES * 0x7F))
        | zeros(word ^ (ONES * 0xEF)))
        & HIGHS
}

/// High bits set where a byte is below `bound`, at most 0x80; perhaps also above such a byte. Other bits mean nothing.
#[inline]
fn controls(word: u64, bound: u64) -> u64 {
    word.wrapping_sub(ONES * bound) & !word
}

/// High bits set where a byte is zero; perhaps also above such a byte. Other bits mean nothing.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}
