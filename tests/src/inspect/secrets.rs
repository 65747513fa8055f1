//! Secrets in what an exporter shows.

use std::collections::HashSet;

/// A part of each secret that is long enough to be nothing else, to be looked for in any text.
#[derive(Debug)]
pub struct Needles {
    /// Runs of letters and digits: found by cutting the text into such runs.
    runs: HashSet<String>,
    /// Short ones are looked for as they are.
    whole: Vec<String>,
}

/// A run of this length does not come about by chance.
const LONG: usize = 12;

impl Needles {
    /// For these secrets.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut needles = Self { runs: HashSet::new(), whole: Vec::new() };
        for secret in secrets {
            // The head of a JWT is the same for all: its tail is the signature.
            let secret = secret.rsplit('.').next().unwrap_or(&secret);
            match runs(secret).max_by_key(|run| run.len()) {
                Some(run) if run.len() >= LONG => drop(needles.runs.insert(run.to_owned())),
                _ if secret.len() >= LONG => needles.whole.push(secret.to_owned()),
                // Too short to be told from a number or a word.
                _ => {}
            }
        }
        needles
    }

    /// The lines of a text that show one.
    #[must_use]
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let shows = |line: &&str| {
            runs(line).any(|run| self.runs.contains(run)) || self.whole.iter().any(|whole| line.contains(whole))
        };
        text.lines().filter(shows).map(str::to_owned).collect()
    }
}

fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|run| run.len() >= LONG)
}
