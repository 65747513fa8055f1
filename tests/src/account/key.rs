//! The one API key that the venue knows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Venue;

/// An API key, and what the venue thinks of it. Tests change it with `Fake::change_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What the client sends.
    pub id: String,
    /// What the client signs with.
    pub secret: String,
    /// The passphrase, at venues that have one.
    pub passphrase: String,
    /// The owner's name for it.
    pub label: String,
    /// It may read.
    pub read: bool,
    /// It may trade.
    pub trade: bool,
    /// It may withdraw.
    pub withdraw: bool,
    /// It may move money within the venue.
    pub transfer: bool,
    /// Further permissions that it has, each named as its venue's fake asks for it: Bybit `wallet`, KuCoin and Binance `futures`, ….
    pub scopes: BTreeSet<String>,
    /// The addresses it is bound to. Only told, never looked at: see [`KeyState::AddressRefused`].
    pub addresses: Option<Vec<String>>,
    /// When it expires, in Unix milliseconds.
    pub expires_at: Option<u64>,
    /// What the venue thinks of it.
    pub state: KeyState,
}

/// What a venue thinks of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It works.
    #[default]
    Good,
    /// It was deleted, or belongs to another region.
    Unknown,
    /// It is of a testing environment.
    WrongEnvironment,
    /// Its time is over.
    Expired,
    /// The client's address is not on its list.
    AddressRefused,
    /// The account is frozen.
    Frozen,
}

impl Key {
    /// The read-only key that a fake venue begins with: the sample of the documentation where there is one.
    #[must_use]
    pub fn documented(venue: Venue) -> Self {
        let (id, secret, passphrase, scopes): (_, _, _, &[&str]) = match venue {
            Venue::Binance => (
                "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
                "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
                "",
                &["futures", "margin"],
            ),
            Venue::Kucoin => (
                "6560c0ffee0000000000abcd",
                "3f1d2c7e-9a55-4c0b-8a10-0123456789ab",
                "Passw0rd-example",
                &["spot", "futures", "earn"],
            ),
            Venue::Bybit => ("test_api_key", "test_secret", "", &["wallet"]),
            Venue::Coinbase => (
                "organizations/test-organization/apiKeys/test-api-key",
                "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputDOKsRAwgyrpEQLeBtS1znTmzPX6Xr2eOWpzx6nW8knkA==",
                "",
                &["futures"],
            ),
            Venue::Okx => (
                "985d5b66-57ce-40fb-b714-afc0b9787083",
                "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO",
                "1234567890",
                &[],
            ),
        };
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            passphrase: passphrase.to_owned(),
            label: "exporter".to_owned(),
            read: true,
            trade: false,
            withdraw: false,
            transfer: false,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            addresses: None,
            expires_at: None,
            state: KeyState::Good,
        }
    }

    /// What the venue thinks of it at a moment.
    #[must_use]
    pub fn state_at(&self, now: u64) -> KeyState {
        match self.state {
            KeyState::Good if self.expires_at.is_some_and(|end| end <= now) => KeyState::Expired,
            state => state,
        }
    }

    /// Whether it has a permission of that name.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}
