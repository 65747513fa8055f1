//! An exporter with the fake's key.
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::process::Command;

use fake_venues::{Fake, Venue};

use crate::exporter::Rig;

/// The constant label of these tests.
pub const NAME: &str = "main";

/// The environment that holds the fake's key.
pub fn keys(fake: &Fake) -> Vec<(String, String)> {
    let (key, prefix) = (fake.key(), fake.venue().name().to_uppercase());
    let parts = [("API_KEY", key.id), ("API_SECRET", key.secret), ("API_PASSPHRASE", key.passphrase)];
    let parts = parts.into_iter().filter(|(_, value)| !value.is_empty());
    parts.map(|(name, value)| (format!("{prefix}_{name}"), value)).collect()
}

/// Points an exporter at the fake's account.
pub fn use_account(fake: &Fake, command: &mut Command) {
    let futures = if fake.venue() == Venue::Kucoin { "/futures" } else { "" };
    command
        .arg(format!("--exchange.ws-private-url={}", fake.ws_url()))
        .arg(format!("--exchange.rest-futures-url={}{futures}", fake.rest_url()))
        .env("QUOTE_SOURCES", "none")
        .arg(format!("--exchange.account={NAME}"));
}

impl Rig {
    /// With the fake's key and further flags.
    pub fn with_key(fake: Fake, flags: &[&str]) -> Self {
        let keys = keys(&fake);
        Self::with_secrets(fake, flags, &keys)
    }

    /// With a key of its own.
    pub fn with_secrets(fake: Fake, flags: &[&str], secrets: &[(String, String)]) -> Self {
        let mut given = Command::new("true");
        use_account(&fake, &mut given);
        let given: Vec<_> = given.get_args().map(ToOwned::to_owned).collect();
        Self::custom(fake, |command| {
            command.args(given).args(flags).env("QUOTE_SOURCES", "none").envs(secrets.iter().cloned());
        })
    }
}
