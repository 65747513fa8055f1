//! What a client told the fake in confidence: signatures, tokens, passphrases. None of it may turn up in what the client shows.

use std::collections::VecDeque;

use serde_json::Value;

use crate::http::Request;

/// So many of the last ones are remembered.
const MOST: usize = 400;
/// What is shorter than this is no secret that one could find again.
const SHORTEST: usize = 16;

const HEADERS: [&str; 5] = ["authorization", "ok-access-sign", "x-bapi-sign", "kc-api-sign", "kc-api-passphrase"];
const PARAMETERS: [&str; 3] = ["signature", "token", "listenKey"];
const MEMBERS: [&str; 5] = ["sign", "signature", "jwt", "passphrase", "args"];

/// The last ones.
#[derive(Debug, Default)]
pub(crate) struct Confided(VecDeque<String>);

impl Confided {
    /// In the head of a request.
    pub(crate) fn request(&mut self, request: &Request) {
        for text in HEADERS.iter().filter_map(|name| request.header(name)) {
            self.note(text.strip_prefix("Bearer ").unwrap_or(text));
        }
        for text in PARAMETERS.iter().filter_map(|name| request.parameter(name)) {
            self.note(&text);
        }
    }

    /// In a frame, wherever it stands in there. Arguments without a name are a login's; topics are short.
    pub(crate) fn frame(&mut self, text: &str) {
        if MEMBERS.iter().any(|name| text.contains(name)) {
            self.value(&serde_json::from_str(text).unwrap_or_default(), false);
        }
    }

    fn value(&mut self, value: &Value, named: bool) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| self.value(value, MEMBERS.contains(&name.as_str())));
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(item, named)),
            Value::String(text) if named && text.len() >= 2 * SHORTEST => self.note(text),
            _ => {}
        }
    }

    fn note(&mut self, text: &str) {
        if text.len() < SHORTEST || self.0.back().is_some_and(|last| last == text) {
            return;
        }
        self.0.push_back(text.to_owned());
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_logins_hold() {
        let signature = "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925";
        for frame in [
            format!(r#"{{"op":"auth","args":["test_api_key","1700000000000","{signature}"]}}"#),
            format!(r#"{{"op":"login","args":[{{"apiKey":"k","sign":"{signature}"}}]}}"#),
            format!(r#"{{"method":"m","params":{{"signature":"{signature}"}}}}"#),
            format!(r#"{{"type":"subscribe","channel":"user","jwt":"{signature}"}}"#),
        ] {
            let mut confided = Confided::default();
            confided.frame(&frame);
            assert_eq!(confided.all().collect::<Vec<_>>(), [signature], "{frame}");
        }
        let mut confided = Confided::default();
        confided.frame(r#"{"op":"subscribe","args":["tickers.BTCUSDT","orderbook.1.BTCUSDT"]}"#);
        assert_eq!(confided.all().count(), 0);
    }
}
