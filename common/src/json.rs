//! Reads the frames that come by the thousand: one pass, nothing allocated, values borrowed from the text. Everything
//! rarer goes through serde.
//!
//! It checks the structure that it walks (a truncated frame is an error, so is text where an object should be), and
//! of the values that nobody asked for only that their brackets and quotes close.

use crate::fault::Fault;
use crate::number::{Said, long, short};
use crate::scan;

/// A place in a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'f> {
    frame: &'f [u8],
    /// What was not read yet.
    rest: &'f [u8],
}

impl<'f> Reader<'f> {
    /// At the start of a text.
    pub fn new(text: &'f str) -> Self {
        Self { frame: text.as_bytes(), rest: text.as_bytes() }
    }

    /// Walks an object: `each` is given every key, and reads or skips its value.
    #[inline]
    pub fn object(&mut self, mut each: impl FnMut(&'f [u8], &mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.object_until(|key, value| each(key, value).map(|()| false))
    }

    /// The same, until `each` says that it has seen enough: the rest is passed over.
    #[inline]
    pub fn object_until(
        &mut self,
        mut each: impl FnMut(&'f [u8], &mut Self) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            if each(key, self)? {
                return self.close(1);
            }
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// A key and its colon.
    #[inline(always)]
    fn key(&mut self) -> Result<&'f [u8], Fault> {
        let key = self.string().ok_or_else(|| self.wrong("a key"))?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Whether there is another element, or the end that is named.
    #[inline(always)]
    fn more(&mut self, end: u8) -> Result<bool, Fault> {
        self.pass_white();
        match self.rest {
            [b',', rest @ ..] => {
                self.rest = rest;
                Ok(true)
            }
            [byte, rest @ ..] if *byte == end => {
                self.rest = rest;
                Ok(false)
            }
            _ => Err(self.wrong("',' or the end")),
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
        let text = self.string().filter(|text| !text.contains(&b'\\'));
        text.and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(|| self.wrong("a plain string"))
    }

    /// A number, bare or as text; `""` and `null` say that there is none.
    #[inline]
    pub fn number(&mut self) -> Result<Said, Fault> {
        let (text, behind, none): (_, _, &[u8]) = match self.string() {
            Some(text) => (text, 1, b""),
            None => (self.bare(), 0, b"null"),
        };
        // With what stands before it, so that nothing is copied.
        let end = self.frame.len() - self.rest.len() - behind;
        let window = self.frame.get(..end).and_then(<[u8]>::last_chunk);
        match window.and_then(|window| short(*window, text.len())) {
            Some(number) => Ok(Said::Number(number)),
            None => self.unusual(text, none),
        }
    }

    /// A number of many digits, or none, or no number.
    fn unusual(&self, text: &[u8], none: &[u8]) -> Result<Said, Fault> {
        if text == none {
            return Ok(Said::Nothing);
        }
        let number = std::str::from_utf8(text).ok().and_then(long);
        number.map(Said::Number).ok_or_else(|| self.wrong("a number"))
    }

    /// A price: as a number, and zero says that there is none.
    #[inline]
    pub fn price(&mut self) -> Result<Said, Fault> {
        self.number().map(Said::as_price)
    }

    /// A whole number, bare or as text, such as milliseconds; `None` for `null` and `""`.
    #[inline]
    pub fn whole(&mut self) -> Result<Option<i64>, Fault> {
        match self.string().unwrap_or_else(|| self.bare()) {
            b"" | b"null" => Ok(None),
            digits => {
                let text = std::str::from_utf8(digits).ok();
                text.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| self.wrong("a whole number"))
            }
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
    #[inline(always)]
    pub fn skip(&mut self) -> Result<(), Fault> {
        if self.string().is_some() { Ok(()) } else { self.skip_other() }
    }

    #[inline]
    fn skip_other(&mut self) -> Result<(), Fault> {
        match self.rest {
            [b'{' | b'[', ..] => self.close(0),
            [b't' | b'f' | b'n' | b'-' | b'0'..=b'9', ..] => {
                self.bare();
                Ok(())
            }
            _ => Err(self.wrong("a value")),
        }
    }

    /// Passes over what is left of so many objects and arrays.
    fn close(&mut self, depth: usize) -> Result<(), Fault> {
        let behind = scan::close(self.rest, depth).and_then(|end| self.rest.get(end..));
        self.rest = behind.ok_or_else(|| self.wrong("an end of what is open"))?;
        Ok(())
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.pass_white();
        if self.rest.is_empty() { Ok(()) } else { Err(self.wrong("the end")) }
    }

    /// Venues write no white space, but they may.
    #[inline(always)]
    fn pass_white(&mut self) {
        if let [..=b' ', ..] = self.rest {
            self.pass_more_white();
        }
    }

    #[cold]
    fn pass_more_white(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        self.pass_white();
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong(char::from(byte).encode_utf8(&mut [0; 4]))) }
    }

    /// A string as it stands between its quotes, escapes and all; `None`, and nothing is passed over, where there is none.
    #[inline(always)]
    fn string(&mut self) -> Option<&'f [u8]> {
        self.pass_white();
        let [b'"', inside @ ..] = self.rest else { return None };
        // A short one without escapes, as most are.
        if let Some((text, [b'"', rest @ ..])) = scan::quote(inside).and_then(|place| inside.split_at_checked(place)) {
            self.rest = rest;
            return Some(text);
        }
        self.escaped(inside)
    }

    #[cold]
    fn escaped(&mut self, inside: &'f [u8]) -> Option<&'f [u8]> {
        let mut end = 0;
        loop {
            end += scan::quote(inside.get(end..)?)?;
            let (text, rest) = inside.split_at_checked(end)?;
            if let [b'"', rest @ ..] = rest {
                self.rest = rest;
                return Some(text);
            }
            // Whatever is escaped, a quote or the next backslash too.
            end += 2;
        }
    }

    /// A number or literal: everything up to the next delimiter.
    #[inline]
    fn bare(&mut self) -> &'f [u8] {
        self.pass_white();
        let place = scan::delimiter(self.rest).unwrap_or(self.rest.len());
        let (bare, rest) = self.rest.split_at_checked(place).unwrap_or((self.rest, b""));
        self.rest = rest;
        bare
    }

    #[cold]
    fn wrong(&self, wanted: &str) -> Fault {
        let at = self.frame.len() - self.rest.len();
        Fault::decode(format!("wanted {wanted} at byte {at} of {}", self.frame.len()))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
