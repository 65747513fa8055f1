//! Finds the next byte of a kind, sixteen at a time. What is looked for is rarely further away: how long the texts and numbers of a frame
//! are cannot be foreseen, and a wrong guess of the processor costs more than a whole step.

use wide::u8x16;

/// How many bytes one step looks at.
pub const STEP: usize = 16;

/// The place of the first quote or backslash.
#[inline(always)]
pub fn quote(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| is(word, b'"') | is(word, b'\\'))
}

/// The place behind the bracket that closes so many open ones. Of what is between only brackets and quotes are looked at.
pub fn close(bytes: &[u8], depth: usize) -> Option<usize> {
    let mut nest = Nest { depth, quoted: false, escaped: false };
    let mut steps = bytes.chunks_exact(STEP);
    let mut passed = 0;
    for step in &mut steps {
        let word = u8x16::new(*step.first_chunk()?);
        let turns = (is(word, b'\\') | brackets(word)).any() || nest.escaped;
        if !turns {
            nest.quoted ^= is(word, b'"').to_bitmask().count_ones() % 2 == 1;
        } else if let Some(place) = nest.walk(step)? {
            return Some(passed + place);
        }
        passed += STEP;
    }
    nest.walk(steps.remainder())?.map(|place| passed + place)
}

/// How deep a place is.
struct Nest {
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Nest {
    /// Byte by byte: how many there are up to the last bracket, if that is here; `None` where there is one too many.
    fn walk(&mut self, bytes: &[u8]) -> Option<Option<usize>> {
        for (place, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.quoted,
                b'"' => self.quoted = !self.quoted,
                _ if self.quoted => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.checked_sub(1)?;
                    if self.depth == 0 {
                        return Some(Some(place + 1));
                    }
                }
                _ => {}
            }
        }
        Some(None)
    }
}

/// The place of the first byte that is in no number and no literal.
#[inline]
pub fn delimiter(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| {
        // White space and quotes are the lowest.
        let low = word.min(u8x16::splat(b'"')).simd_eq(word);
        low | is(word, b',') | is(word, b':') | brackets(word)
    })
}

/// The last bytes of a text, filled up with zeros to a whole window.
#[cold]
pub fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut window = [0; N];
    window.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte);
    window
}

/// Which of these bytes are no digits: a bit for each, the lowest for the first.
#[inline(always)]
pub fn no_digits(bytes: &[u8; 2 * STEP]) -> u32 {
    let digits = |step: Option<&[u8; STEP]>| {
        let word = step.map_or(u8x16::splat(0), |step| u8x16::new(*step)) - u8x16::splat(b'0');
        word.min(u8x16::splat(9)).simd_eq(word).to_bitmask()
    };
    !(digits(bytes.first_chunk()) | digits(bytes.last_chunk()) << STEP)
}

#[inline(always)]
fn is(word: u8x16, byte: u8) -> u8x16 {
    word.simd_eq(u8x16::splat(byte))
}

/// Square and curly ones differ in one bit.
#[inline(always)]
fn brackets(word: u8x16) -> u8x16 {
    let curly = word | u8x16::splat(0x20);
    is(curly, b'{') | is(curly, b'}')
}

#[inline(always)]
fn find(bytes: &[u8], kind: impl Fn(u8x16) -> u8x16 + Copy) -> Option<usize> {
    match bytes.first_chunk().map(|step| kind(u8x16::new(*step)).to_bitmask()) {
        None | Some(0) => find_further(bytes, kind),
        Some(found) => Some(found.trailing_zeros() as usize),
    }
}

#[inline(never)]
fn find_further(bytes: &[u8], kind: impl Fn(u8x16) -> u8x16) -> Option<usize> {
    let mut passed = 0;
    let mut steps = bytes.chunks_exact(STEP);
    for step in &mut steps {
        let found = kind(u8x16::new(*step.first_chunk()?)).to_bitmask();
        if found != 0 {
            return Some(passed + found.trailing_zeros() as usize);
        }
        passed += STEP;
    }
    // The last bytes are filled up with others, which do not count.
    let last = steps.remainder();
    let mut step = [0; STEP];
    step.get_mut(..last.len())?.copy_from_slice(last);
    let place = kind(u8x16::new(step)).to_bitmask().trailing_zeros() as usize;
    (place < last.len()).then_some(passed + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What looks for them, and they.
    type Kind = (fn(&[u8]) -> Option<usize>, &'static [u8]);
    const QUOTES: Kind = (quote, b"\"\\");
    /// White space and all below it, too.
    const DELIMITERS: Kind = (delimiter, b"\"!,:{}[] \x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f");

    #[test]
    fn finds_what_a_loop_finds() {
        let text: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        for (find, wanted) in [QUOTES, DELIMITERS] {
            for from in 0..text.len() {
                for length in [0, 1, 15, 16, 17, 40, text.len()] {
                    let bytes = &text[from..(from + length).min(text.len())];
                    let slow = bytes.iter().position(|byte| wanted.contains(byte));
                    assert_eq!(find(bytes), slow, "from {from}, {length} bytes");
                }
            }
        }
    }

    #[test]
    fn what_is_nested_ends_with_its_bracket() {
        for padding in 0..40 {
            let pad = "x".repeat(padding);
            for (inside, closes) in [
                (r#"{"a":[1,{}]}"#, true),
                (r#"["]","\"]","\\"]"#, true),
                (r#"[{"k":"}"},"#, false),
                (r#"["]\"]"#, false),
                ("[[[]]", false),
                ("", false),
            ] {
                let text = format!("{inside}{pad}");
                let end = close(text.as_bytes(), 0);
                assert_eq!(end, closes.then_some(inside.len()), "{text}");
                let deeper = format!(r#""{pad}",{inside}]{pad}"#);
                let end = close(deeper.as_bytes(), 1);
                let whole = closes || inside.is_empty();
                assert_eq!(end, whole.then_some(padding + 4 + inside.len()), "{deeper}");
            }
        }
        assert_eq!(close(b"]", 0), None);
    }
}
