//! Reads the frames that come by the thousand: one pass, nothing allocated, values borrowed from the text. Everything
//! rarer goes through serde.
//!
//! It checks the structure that it walks (a truncated frame is an error, so is text where an object should be), and
//! of the values that nobody asked for only that their brackets and quotes close.

use crate::fault::Fault;
use crate::number::{Said, decimal};

/// A place in a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'f> {
    text: &'f str,
    at: usize,
}

impl<'f> Reader<'f> {
    /// At the start of a text.
    pub fn new(text: &'f str) -> Self {
        Self { text, at: 0 }
    }

    /// Walks an object: `each` is given every key, and reads or skips its value.
    #[inline]
    pub fn object(&mut self, mut each: impl FnMut(&'f str, &mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            each(key, self)?;
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self) -> Result<&'f str, Fault> {
        // As venues write it: no white space.
        if let Some((key, next)) = self.string_at(self.at)
            && self.text.as_bytes().get(next) == Some(&b':')
        {
            self.at = next + 1;
            return Ok(key);
        }
        let key = self.raw_text()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Whether there is another element, or the end that is named.
    #[inline]
    fn more(&mut self, end: u8) -> Result<bool, Fault> {
        let next = self.peek();
        if next == Some(b',') || next == Some(end) {
            self.at += 1;
            Ok(next == Some(b','))
        } else {
            Err(self.wrong("',' or the end", self.at))
        }
    }

    /// Walks an array: `each` reads or skips every element.
    pub fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.expect(b'[')?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// A string without escapes: names have none.
    #[inline]
    pub fn text(&mut self) -> Result<&'f str, Fault> {
        let start = self.at;
        let text = self.raw_text()?;
        if text.as_bytes().contains(&b'\\') { Err(self.wrong("a plain string", start)) } else { Ok(text) }
    }

    /// A number, bare or as text; `""` and `null` say that there is none.
    #[inline]
    pub fn number(&mut self) -> Result<Said, Fault> {
        let start = self.at;
        // As most venues write it: text.
        if let Some((text, next)) = self.string_at(start) {
            self.at = next;
            return Said::parse(text).ok_or_else(|| self.wrong("a number", start));
        }
        match self.peek() {
            Some(b'"') => Said::parse(self.raw_text()?).ok_or_else(|| self.wrong("a number", start)),
            Some(b'n') => {
                if self.bare() == "null" {
                    Ok(Said::Nothing)
                } else {
                    Err(self.wrong("a number", start))
                }
            }
            _ => decimal(self.bare()).map(Said::Number).ok_or_else(|| self.wrong("a number", start)),
        }
    }

    /// A price: as a number, and zero says that there is none.
    #[inline]
    pub fn price(&mut self) -> Result<Said, Fault> {
        self.number().map(Said::as_price)
    }

    /// A whole number, bare or as text, such as milliseconds; `None` for `null` and `""`.
    #[inline]
    pub fn whole(&mut self) -> Result<Option<i64>, Fault> {
        let start = self.at;
        let text = if self.peek() == Some(b'"') { self.raw_text()? } else { self.bare() };
        match text {
            "" | "null" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| self.wrong("a whole number", start)),
        }
    }

    /// The top of a book side, `[["price","size",…],…]`: its first price, or nothing where the side is empty.
    pub fn top(&mut self) -> Result<Said, Fault> {
        let mut top = Said::Nothing;
        let mut levels = 0;
        self.array(|level| {
            levels += 1;
            let mut column = 0;
            level.array(|value| {
                column += 1;
                if levels == 1 && column == 1 {
                    top = value.price()?;
                    Ok(())
                } else {
                    value.skip()
                }
            })
        })?;
        Ok(top)
    }

    /// Passes over one value of any type. Nesting costs no stack.
    #[inline]
    pub fn skip(&mut self) -> Result<(), Fault> {
        // Most values are text.
        if let Some((_, next)) = self.string_at(self.at) {
            self.at = next;
            return Ok(());
        }
        match self.after_value(self.at) {
            Some(next) => {
                self.at = next;
                Ok(())
            }
            None => Err(self.wrong("a value", self.at)),
        }
    }

    /// The place behind the value at a place.
    fn after_value(&self, mut at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        loop {
            match bytes.get(at)? {
                b'"' => at = self.string_at(at)?.1,
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    at += 1;
                }
                b',' | b':' if depth > 0 => {
                    at += 1;
                    continue;
                }
                b' ' | b'\n' | b'\r' | b'\t' => {
                    at += 1;
                    continue;
                }
                b't' | b'f' | b'n' | b'-' | b'0'..=b'9' => at += bare(bytes.get(at..)?),
                _ => return None,
            }
            if depth == 0 {
                return Some(at);
            }
        }
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the end", self.at)),
        }
    }

    /// The next byte after white space.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        // Venues write no white space, but they may.
        if byte > b' ' { Some(byte) } else { self.peek_further() }
    }

    #[cold]
    fn peek_further(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).unwrap_or(rest.len());
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong(&format!("'{}'", char::from(byte)), self.at)) }
    }

    /// A string as it stands between its quotes, escapes and all.
    #[inline]
    fn raw_text(&mut self) -> Result<&'f str, Fault> {
        self.peek();
        match self.string_at(self.at) {
            Some((text, next)) => {
                self.at = next;
                Ok(text)
            }
            None => Err(self.wrong("a string", self.at)),
        }
    }

    /// The string that starts with the quote at a place, and the place behind it. It moves nothing: that keeps places in
    /// registers.
    #[inline]
    fn string_at(&self, at: usize) -> Option<(&'f str, usize)> {
        let bytes = self.text.as_bytes();
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let mut end = at + 1;
        loop {
            end += special(bytes.get(end..)?)?;
            if bytes.get(end) == Some(&b'"') {
                return Some((self.text.get(at + 1..end)?, end + 1));
            }
            end += 2;
        }
    }

    /// A number or literal: everything up to the next delimiter.
    #[inline]
    fn bare(&mut self) -> &'f str {
        self.peek();
        let start = self.at;
        self.at += self.text.as_bytes().get(start..).map_or(0, bare);
        self.text.get(start..self.at).unwrap_or_default()
    }

    #[cold]
    fn wrong(&self, wanted: &str, at: usize) -> Fault {
        Fault::decode(format!("wanted {wanted} at byte {at} of {}", self.text.len()))
    }
}

/// The length of the number or literal that the text starts with.
#[inline]
fn bare(bytes: &[u8]) -> usize {
    let ends = |b: u8| matches!(b, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t');
    bytes.iter().position(|b| !b.is_ascii_digit() && ends(*b)).unwrap_or(bytes.len())
}

/// How far the next quote or backslash is, eight bytes at a time: strings are short here, and a call to `memchr` for
/// each costs more than the search.
#[inline]
fn special(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // Marks the bytes that are zero; of the bytes above the first of them it may mark too many.
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word & (LOW << 7);
    let mut rest = bytes;
    while let Some((eight, more)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let marks = zeros(word ^ (LOW * 0x22)) | zeros(word ^ (LOW * 0x5c));
        if marks != 0 {
            return Some(bytes.len() - rest.len() + (marks.trailing_zeros() / 8) as usize);
        }
        rest = more;
    }
    let step = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(bytes.len() - rest.len() + step)
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
