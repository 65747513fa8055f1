//! What the account's part shares with the streams and the scrape: the key, the book, and what is to be asked soon.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::book::Book;
use super::rates::{Quoted, Sources};
use super::{Account, Entry, Topic};
use crate::metrics::health::{lock, unix_now};
use crate::secrets::keyring::Keyring;
use crate::update::Micros;

/// A rate of another venue counts no longer than this.
const RATE_AGE: f64 = 300.0;

/// Settings of the account's part.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The `account` label; empty for none.
    pub label: String,
    /// Between two refreshes.
    pub interval: Duration,
    /// Have nothing to do with a key that may withdraw.
    pub refuse_withdraw: bool,
    /// The fiat besides dollars.
    pub fiat: String,
    /// Who else may tell what USDT is worth.
    pub sources: Sources,
}

/// What the account's part shares with the streams and the scrape.
pub struct Desk {
    /// The venue's side of it.
    pub account: Arc<dyn Account>,
    /// The key.
    pub keys: Arc<Keyring>,
    /// Settings.
    pub terms: Terms,
    book: Mutex<Book>,
    rates: Mutex<HashMap<String, Quoted>>,
    stirred: Mutex<Stirred>,
    bell: Notify,
}

/// What has to be asked before its time.
#[derive(Debug, Default)]
pub struct Stirred {
    /// Everything.
    pub whole: bool,
    /// These.
    pub topics: BTreeSet<Topic>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk(..)")
    }
}

impl Desk {
    /// A desk with an empty book.
    pub fn new(account: Arc<dyn Account>, keys: Arc<Keyring>, terms: Terms) -> Self {
        let book = Mutex::new(Book::new(Micros::of_unix(unix_now())));
        Self { account, keys, terms, book, rates: Mutex::default(), stirred: Mutex::default(), bell: Notify::new() }
    }

    /// Looks into the book, briefly.
    pub fn read<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut lock(&self.book))
    }

    /// What other venues say that one USDT is in this currency.
    pub fn rate(&self, currency: &str, now: f64) -> Option<Quoted> {
        lock(&self.rates).get(currency).filter(|quoted| now - quoted.at <= RATE_AGE).cloned()
    }

    /// Another venue's word on what one USDT is.
    pub fn quote(&self, currency: &str, quoted: Quoted) {
        lock(&self.rates).insert(currency.to_owned(), quoted);
    }

    /// An event of a private stream.
    pub fn hear(&self, entry: Entry) {
        if let Entry::Stir(topic) = &entry {
            return self.stir(*topic);
        }
        self.read(|book| book.event(entry, Instant::now(), unix_now()));
    }

    /// A private stream is up: what it could not tell before has to be asked.
    pub fn connected(&self) {
        lock(&self.stirred).whole = true;
        self.stir(Topic::Fills);
    }

    fn stir(&self, topic: Topic) {
        lock(&self.stirred).topics.insert(topic);
        self.bell.notify_one();
    }

    /// Waits until something is to be asked before its time.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    /// What that is; forgets it.
    pub fn take_stirred(&self) -> Stirred {
        std::mem::take(&mut *lock(&self.stirred))
    }
}
