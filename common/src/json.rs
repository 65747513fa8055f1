//! Reads the frames that come by the thousand: one pass, nothing allocated, values borrowed from the text. Everything
//! rarer goes through serde.
//!
//! It checks the structure that it walks (a truncated frame is an error, so is text where an object should be), and
//! of the values that nobody asked for only that their brackets and quotes close.

use memchr::memchr2;

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
    pub fn object(&mut self, mut each: impl FnMut(&'f str, &mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.raw_text()?;
            self.expect(b':')?;
            each(key, self)?;
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
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
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// A string without escapes: names have none.
    pub fn text(&mut self) -> Result<&'f str, Fault> {
        let start = self.at;
        let text = self.raw_text()?;
        if text.contains('\\') { Err(self.wrong("a plain string", start)) } else { Ok(text) }
    }

    /// A number, bare or as text; `""` and `null` say that there is none.
    pub fn number(&mut self) -> Result<Said, Fault> {
        let start = self.at;
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
    pub fn price(&mut self) -> Result<Said, Fault> {
        self.number().map(Said::as_price)
    }

    /// A whole number, bare or as text, such as milliseconds; `None` for `null` and `""`.
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
    pub fn skip(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.raw_text()?;
                }
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => {
                    self.bare();
                }
                _ => return Err(self.wrong("a value", start)),
            }
            if depth == 0 {
                return Ok(());
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
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong(&format!("'{}'", char::from(byte)), self.at)) }
    }

    /// A string as it stands between its quotes, escapes and all.
    fn raw_text(&mut self) -> Result<&'f str, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(step) = bytes.get(self.at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            self.at += step;
            if bytes.get(self.at) == Some(&b'"') {
                let text = self.text.get(start..self.at);
                self.at += 1;
                return text.ok_or_else(|| self.wrong("a string", start));
            }
            self.at += 2;
        }
        self.at = bytes.len();
        Err(self.wrong("a closing quote", start))
    }

    /// A number or literal: everything up to the next delimiter.
    fn bare(&mut self) -> &'f str {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |b: u8| matches!(b, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t');
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    #[cold]
    fn wrong(&self, wanted: &str, at: usize) -> Fault {
        Fault::decode(format!("wanted {wanted} at byte {at} of {}", self.text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_is_asked_for_and_passes_over_the_rest() {
        let text = r#" {"a":[1,{"b":"]}"},"\"x\\"], "s":"BTCUSDT","p":"1.5","n":null,"e":"","z":"0.000","w":17} "#;
        let (mut symbol, mut price, mut none, mut empty, mut zero, mut whole) =
            ("", Said::Silent, Said::Silent, Said::Silent, Said::Silent, None);
        let mut reader = Reader::new(text);
        reader
            .object(|key, value| {
                match key {
                    "s" => symbol = value.text()?,
                    "p" => price = value.price()?,
                    "n" => none = value.number()?,
                    "e" => empty = value.number()?,
                    "z" => zero = value.price()?,
                    "w" => whole = value.whole()?,
                    _ => value.skip()?,
                }
                Ok(())
            })
            .and_then(|()| reader.end())
            .unwrap();
        assert_eq!(
            (symbol, price, none, empty, zero, whole),
            ("BTCUSDT", Said::Number(1.5), Said::Nothing, Said::Nothing, Said::Nothing, Some(17))
        );
    }

    #[test]
    fn every_truncation_is_an_error() {
        let text = r#"{"s":"BTC","d":{"p":"1.5","l":[["1","2"],[]],"t":true,"n":-1.5e3},"e":"é"}"#;
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let mut reader = Reader::new(&text[..end]);
            assert!(reader.object(|_, value| value.skip()).is_err(), "{}", &text[..end]);
        }
        assert!(Reader::new(text).object(|_, value| value.skip()).is_ok());
    }

    #[test]
    fn wrong_types_are_errors() {
        let number = |text| Reader::new(text).number();
        for text in ["{}", "[1]", "true", "nul", "\"x\"", "\"1,5\"", ""] {
            assert!(number(text).is_err(), "{text}");
        }
        assert!(Reader::new("[]").object(|_, value| value.skip()).is_err());
        assert!(Reader::new(r#"{"a" 1}"#).object(|_, value| value.skip()).is_err());
        assert!(Reader::new(r#"{"a":"b\"c"}"#).object(|_, value| value.text().map(|_| ())).is_err());
    }

    #[test]
    fn the_top_of_a_book_side() {
        assert_eq!(Reader::new(r#"[["91234.0","0.52"],["1","2"]]"#).top().ok(), Some(Said::Number(91234.0)));
        assert_eq!(Reader::new("[]").top().ok(), Some(Said::Nothing));
        assert!(Reader::new(r#"["91234.0"]"#).top().is_err());
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let text = "[".repeat(1_000_000);
        assert!(Reader::new(&text).skip().is_err());
        let closed = format!("{text}{}", "]".repeat(1_000_000));
        assert!(Reader::new(&closed).skip().is_ok());
    }
}
