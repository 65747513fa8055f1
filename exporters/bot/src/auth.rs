//! Who may post: the tokens of `--events.token-file`, read again when they change.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A file with tokens is no larger.
const LARGEST: u64 = 16 * 1024;
/// Shorter ones can be guessed.
const SHORTEST: usize = 16;

type Sum = [u8; 32];

/// Sums of the tokens that are in use.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    sums: Vec<Sum>,
    /// Why the file as it is now is not used.
    broken: Option<String>,
}

/// What a look at the file found.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// As before.
    None,
    /// Other tokens are in use.
    Taken,
    /// It cannot be used, for this reason; those before go on.
    Broken(String),
}

impl Tokens {
    /// From a file: a token a line, so that a new one can be added before the old one goes. An empty file holds none yet. The error
    /// is one line.
    pub fn load(path: &Path) -> Result<Self, String> {
        let sums = read(path)?;
        Ok(Self { path: path.to_owned(), current: Mutex::new(Current { sums, broken: None }) })
    }

    /// Reads the file again.
    pub fn look(&self) -> News {
        let read = read(&self.path);
        let mut current = self.lock();
        match read {
            // Half a file, as an editor may leave it for a moment, must open nothing.
            Ok(sums) if sums.is_empty() && !current.sums.is_empty() => {
                current.breaks(format!("{}: holds no token any more", self.path.display()))
            }
            Ok(sums) => {
                let same = sums == current.sums && current.broken.is_none();
                *current = Current { sums, broken: None };
                if same { News::None } else { News::Taken }
            }
            Err(why) => current.breaks(why),
        }
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        !self.lock().sums.is_empty()
    }

    /// Why the file as it is now is not used.
    pub fn broken(&self) -> Option<String> {
        self.lock().broken.clone()
    }

    /// Whether the headers carry one of them.
    pub fn open(&self, headers: &HeaderMap) -> bool {
        let Some(given) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer) else {
            return false;
        };
        let given: Sum = Sha256::digest(given).into();
        // Sums and not tokens, all of them and to the end: the time that it takes says nothing.
        self.lock().sums.iter().fold(false, |found, sum| found | same(sum, &given))
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn breaks(&mut self, why: String) -> News {
        if self.broken.as_ref() == Some(&why) {
            return News::None;
        }
        self.broken = Some(why.clone());
        News::Broken(why)
    }
}

fn same(one: &Sum, other: &Sum) -> bool {
    one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn read(path: &Path) -> Result<Vec<Sum>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(|error| told(&error))?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| told(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(told(&"larger than 16 KiB: not what belongs here"));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .enumerate()
        .map(|(at, token)| match token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Sha256::digest(token).into()),
            // Without a word of it.
            false => Err(told(&format!("token {} wants {SHORTEST} or more letters, digits and signs", at + 1))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef";

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn only_a_whole_token_opens_and_a_broken_file_opens_nothing() {
        let path = std::env::temp_dir().join(format!("bot-tokens-{}", std::process::id()));
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("");
        let tokens = Tokens::load(&path).unwrap();
        assert!(!tokens.are_there() && !tokens.open(&headers("Bearer ")));
        write(&format!("{GOOD}\n\n  another-long-token \n"));
        assert_eq!(tokens.look(), News::Taken);
        assert_eq!(tokens.look(), News::None);
        for right in ["Bearer 0123456789abcdef", "bearer another-long-token"] {
            assert!(tokens.open(&headers(right)), "{right}");
        }
        for wrong in
            ["Bearer", "Bearer ", "Bearer 0123456789abcde", "Basic 0123456789abcdef", "Bearer 0123456789abcdeg"]
        {
            assert!(!tokens.open(&headers(wrong)), "{wrong}");
        }
        assert!(!tokens.open(&HeaderMap::new()));
        for broken in ["", "\n", "short", "has a blank in it!!"] {
            write(broken);
            let News::Broken(why) = tokens.look() else { panic!("{broken} is taken") };
            assert!(broken.trim().is_empty() || !why.contains(broken), "{why}");
            assert!(tokens.open(&headers("Bearer 0123456789abcdef")) && tokens.broken().is_some());
            write(GOOD);
            assert_eq!(tokens.look(), News::Taken);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(tokens.look(), News::Broken(_)) && tokens.look() == News::None);
        assert!(Tokens::load(&path).is_err());
    }
}
