//! Reads the frames that come by the thousand: one pass, nothing allocated, values borrowed from the text. Everything
//! rarer goes through serde.
//!
//! It checks the structure that it walks (a truncated frame is an error, so is text where an object should be), and
//! of the values that nobody asked for only that their brackets and quotes close.

use crate::fault::Fault;
use crate::keys::{Key, Place};
use crate::number::{self, Said, WINDOW};
use crate::scan;

/// How far an object has gone along its keys.
struct Way<'k, T> {
    keys: &'k [Key<'k, T>],
    next: usize,
    /// From a first one on, each was the one that should come.
    straight: bool,
}

impl<'k, T: Copy> Way<'k, T> {
    fn new(keys: &'k [Key<'k, T>]) -> Self {
        Self { keys, next: 0, straight: keys.first().is_some_and(|key| key.place() == Place::First) }
    }
}

/// A place in a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'f> {
    frame: &'f str,
    /// What was not read yet.
    rest: &'f [u8],
}

impl<'f> Reader<'f> {
    /// At the start of a text.
    pub fn new(text: &'f str) -> Self {
        Self { frame: text, rest: text.as_bytes() }
    }

    /// Walks an object: `each` reads or skips the value of every key that is wanted. `keys` may come in any order, most quickly in theirs.
    #[inline]
    pub fn object<T: Copy>(
        &mut self,
        keys: &[Key<'_, T>],
        mut each: impl FnMut(T, &mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        let mut way = Way::new(keys);
        loop {
            let last = match self.foreseen(&mut way)? {
                Some(key) => {
                    match key.what() {
                        Some(what) => each(what, self)?,
                        None => self.skip()?,
                    }
                    key.place() == Place::Last
                }
                None => self.skip().map(|()| false)?,
            };
            if last && way.straight {
                return self.close(1);
            }
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// The key that comes, which should be the next one.
    #[inline(always)]
    fn foreseen<'k, T: Copy>(&mut self, way: &mut Way<'k, T>) -> Result<Option<&'k Key<'k, T>>, Fault> {
        if let Some(key) = way.keys.get(way.next)
            && let Some(behind) = key.behind(self.rest)
        {
            self.rest = behind;
            way.next += 1;
            return Ok(Some(key));
        }
        self.unforeseen(way)
    }

    /// Looks it up, and foresees those that come behind it.
    #[inline(never)]
    fn unforeseen<'k, T: Copy>(&mut self, way: &mut Way<'k, T>) -> Result<Option<&'k Key<'k, T>>, Fault> {
        let written = way.keys.iter().enumerate().find_map(|found| Some((found, found.1.behind(self.rest)?)));
        let found = match written {
            Some((found, behind)) => {
                self.rest = behind;
                Some(found)
            }
            // Not there, or with white space.
            None => {
                let name = self.key()?;
                way.keys.iter().enumerate().find(|(_, key)| key.name().as_bytes() == name)
            }
        };
        let begins = way.next == 0 && found.is_some_and(|(_, key)| key.place() == Place::First);
        way.straight &= begins;
        Ok(found.map(|(place, key)| {
            way.next = place + 1;
            key
        }))
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
        self.plain().ok_or_else(|| self.wrong("a plain string"))
    }

    #[inline(always)]
    fn plain(&mut self) -> Option<&'f str> {
        self.pass_white();
        let length = self.unescaped()?.len();
        let end = self.frame.len() - self.rest.len() - 1;
        // It begins and ends with a quote, so it is text as the frame is.
        self.frame.get(end - length..end)
    }

    /// A number, bare or as text; `""` and `null` say that there is none.
    #[inline]
    pub fn number(&mut self) -> Result<Said, Fault> {
        match self.usual(number::leading) {
            Some(number) => Ok(Said::Number(number)),
            None => self.unusual(),
        }
    }

    /// A value that its first bytes tell, as nearly all do.
    #[inline(always)]
    fn usual<T>(&mut self, read: impl Fn(&[u8; WINDOW]) -> Option<(T, usize)>) -> Option<T> {
        let (text, quoted) = match self.rest {
            [b'"', inside @ ..] => (inside, true),
            bare => (bare, false),
        };
        let (value, length) = match text.first_chunk() {
            Some(window) => read(window)?,
            None => read(&scan::padded(text))?,
        };
        self.rest = match text.split_at_checked(length)?.1 {
            [b'"', rest @ ..] if quoted => rest,
            rest @ [b',' | b'}' | b']', ..] if !quoted => rest,
            _ => return None,
        };
        Some(value)
    }

    /// A number of many digits, or at the end of a frame, or none, or no number.
    #[inline(never)]
    fn unusual(&mut self) -> Result<Said, Fault> {
        let (text, none): (_, &[u8]) = match self.string() {
            Some(text) => (text, b""),
            None => (self.bare(), b"null"),
        };
        if text == none {
            return Ok(Said::Nothing);
        }
        let number = std::str::from_utf8(text).ok().and_then(number::decimal);
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
        match self.usual(number::leading_whole) {
            Some(number) => Ok(Some(number)),
            None => self.unusual_whole(),
        }
    }

    #[inline(never)]
    fn unusual_whole(&mut self) -> Result<Option<i64>, Fault> {
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
        match self.rest {
            [b'"', ..] => self.unescaped().or_else(|| self.escaped()),
            _ => None,
        }
    }

    /// One without escapes, as most are.
    #[inline(always)]
    fn unescaped(&mut self) -> Option<&'f [u8]> {
        let [b'"', inside @ ..] = self.rest else { return None };
        let (text, [b'"', rest @ ..]) = inside.split_at_checked(scan::quote(inside)?)? else { return None };
        self.rest = rest;
        Some(text)
    }

    #[cold]
    fn escaped(&mut self) -> Option<&'f [u8]> {
        let [b'"', inside @ ..] = self.rest else { return None };
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
