//! Fake venues as programs of the suite find them, and nothing of the user's own beside them.

use std::env;
use std::process::Command;

use crate::account::Key;

/// Where one fake venue listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The venue's name.
    pub venue: String,
    /// Base URL of its REST interface.
    pub rest: String,
    /// Base URL of its public stream.
    pub ws: String,
}

/// A line of the fake venues: `<venue> <rest-url> <ws-url>`.
pub(super) fn endpoint(line: &str) -> Option<Endpoint> {
    let mut words = line.split(' ').map(str::to_owned);
    let (venue, rest, ws) = (words.next()?, words.next()?, words.next()?);
    (words.next().is_none() && rest.starts_with("http")).then_some(Endpoint { venue, rest, ws })
}

/// The fake's key, whose secret the venues' documents print, and where the account is to be asked.
pub(super) fn use_fake_account(command: &mut Command, venue: &super::Venue, endpoint: &Endpoint) {
    let Some(fake) = crate::Venue::ALL.into_iter().find(|one| one.name() == venue.name) else { return };
    let key = Key::documented(fake);
    for (name, value) in [("API_KEY", key.id), ("API_SECRET", key.secret), ("API_PASSPHRASE", key.passphrase)] {
        if !value.is_empty() {
            command.env(format!("{}{name}", venue.env_prefix), value);
        }
    }
    let futures = if fake == crate::Venue::Kucoin { "/futures" } else { "" };
    command
        .arg(format!("--exchange.ws-private-url={}", endpoint.ws))
        .arg(format!("--exchange.rest-futures-url={}{futures}", endpoint.rest))
        // Nobody else is asked what a made-up account is worth.
        .arg("--equity.rate-sources=none");
}

/// Keeps the user's own settings, and above all real keys, away from an exporter that talks to a fake venue or in a test.
pub(super) fn forget_settings(command: &mut Command, prefix: &str) {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with(prefix) {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines_of_the_fake_venues() {
        let okx = endpoint("okx http://127.0.0.1:1 ws://127.0.0.1:2").unwrap();
        assert_eq!((okx.venue.as_str(), okx.ws.as_str()), ("okx", "ws://127.0.0.1:2"));
        assert_eq!(endpoint("ready"), None);
        assert_eq!(endpoint("okx is listening now"), None);
    }
}
