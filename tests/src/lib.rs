//! Faithful fakes of five crypto exchanges: REST and websockets on one port, with faults on demand and a ledger of what was sent.
//!
//! ```
//! use fake_venues::{Fault, Options, Venue, start};
//!
//! let okx = start(Venue::Okx, Options::default())?;
//! println!("point a client at {} and {}/ws/v5/public", okx.rest_url(), okx.ws_url());
//! okx.inflict(Fault::Silent); // sockets stay open, pings are answered, no data comes
//! okx.clear();
//! okx.freeze(true); // from here on every price can be compared with `okx.ledger("BTC-USDT")`
//! assert!(okx.violations().is_empty());
//! # std::io::Result::Ok(())
//! ```

pub mod account;
pub mod bots;
mod clock;
mod confided;
mod control;
mod fault;
mod fixed;
mod garbage;
mod http;
mod ledger;
mod limiter;
mod options;
mod path;
mod protocol;
mod sampler;
mod server;
mod socket;
mod streams;
mod thread;
mod universe;
mod world;

pub mod binance;
pub mod bybit;
pub mod coinbase;
pub mod flood;
pub mod frames;
pub mod inspect;
pub mod kucoin;
pub mod market;
pub mod okx;
pub mod ordeal;
pub mod record;
pub mod stack;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use fault::{Broken, Fault, Garbage, Limited};
pub use fixed::Fixed;
pub use ledger::{Asked, Connection, Entry, Seen};
pub use options::{Options, Times};
use thread::Thread;
use world::World;

/// An exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Venue {
    /// Binance.
    Binance,
    /// KuCoin, the classic API.
    Kucoin,
    /// Bybit V5.
    Bybit,
    /// Coinbase Advanced Trade.
    Coinbase,
    /// OKX v5.
    Okx,
}

impl Venue {
    /// All of them, in the order of the exporters' default ports.
    pub const ALL: [Self; 5] = [Self::Binance, Self::Kucoin, Self::Bybit, Self::Coinbase, Self::Okx];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Kucoin => "kucoin",
            Self::Bybit => "bybit",
            Self::Coinbase => "coinbase",
            Self::Okx => "okx",
        }
    }

    /// A pair as the venue spells it.
    #[must_use]
    pub fn spell(self, base: &str, quote: &str) -> String {
        match self {
            Self::Binance | Self::Bybit => format!("{base}{quote}"),
            Self::Kucoin | Self::Coinbase | Self::Okx => format!("{base}-{quote}"),
        }
    }

    fn protocol(self) -> &'static dyn protocol::Protocol {
        match self {
            Self::Binance => &binance::Binance,
            Self::Coinbase => &coinbase::Coinbase,
            Self::Kucoin => &kucoin::Kucoin,
            Self::Bybit => &bybit::Bybit,
            Self::Okx => &okx::Okx,
        }
    }
}

/// A running fake venue. Dropping it stops everything.
pub struct Fake {
    world: Arc<World>,
    _thread: Thread,
}

/// Starts a fake venue on a thread of its own, so that a test may block without stopping it.
///
/// # Errors
///
/// When the address cannot be bound or the thread cannot be started.
pub fn start(venue: Venue, mut options: Options) -> io::Result<Fake> {
    options.tick = options.tick.max(Duration::from_millis(1));
    let listener = TcpListener::bind(options.address)?;
    let world = Arc::new(World::new(venue, options, listener.local_addr()?));
    let shared = Arc::clone(&world);
    let thread = Thread::serve(venue.name(), listener, |listener| server::run(listener, shared))?;
    Ok(Fake { world, _thread: thread })
}

impl Fake {
    /// Which venue this is.
    #[must_use]
    pub fn venue(&self) -> Venue {
        self.world.venue
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.world.address
    }

    /// The base of the REST addresses.
    #[must_use]
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.world.address)
    }

    /// The base of the websocket addresses.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.world.address)
    }

    /// The last values sent over websockets for a symbol, in the venue's spelling or as `BTC-USDT`. An alias shows what was
    /// sent under the name that it stands for.
    #[must_use]
    pub fn ledger(&self, symbol: &str) -> Option<Entry> {
        let alias = self.world.market.lock().find(symbol).and_then(|listing| listing.alias.clone());
        look_up(&self.world.streamed.lock(), alias.as_deref().unwrap_or(symbol))
    }

    /// The last values sent over REST for a symbol, spelt likewise.
    #[must_use]
    pub fn rest_ledger(&self, symbol: &str) -> Option<Entry> {
        look_up(&self.world.quoted.lock(), symbol)
    }

    /// The symbols in the ledger of the websockets, in the venue's spelling.
    #[must_use]
    pub fn streamed_symbols(&self) -> Vec<String> {
        self.world.streamed.lock().keys().cloned().collect()
    }

    /// Everything the fake saw so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.world.seen.lock().clone()
    }

    /// What was true when; held back meanwhile, so not for long.
    pub fn with_record<T>(&self, look: impl FnOnce(&record::Record) -> T) -> T {
        look(&self.world.record.lock())
    }

    /// What nobody else may ever see: the key, and the last signatures and tokens that clients sent.
    #[must_use]
    pub fn confided(&self) -> Vec<String> {
        let key = self.key();
        let parts = [key.id, key.secret, key.passphrase].into_iter().filter(|part| !part.is_empty());
        parts.chain(self.world.confided.lock().all().map(str::to_owned)).collect()
    }

    /// All that clients did wrong so far: empty after a run of a well-behaved one.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.world.seen.lock().all_violations().map(str::to_owned).collect()
    }

    /// The listings as they are now.
    #[must_use]
    pub fn market(&self) -> market::Market {
        self.world.market.lock().clone()
    }

    /// Something goes wrong for all connections, present and future, until it is cleared.
    pub fn inflict(&self, fault: Fault) {
        self.world.faults.lock().inflict(fault);
    }

    /// Something goes wrong for the next websocket (a REST fault: for the next request) only.
    pub fn inflict_next(&self, fault: Fault) {
        self.world.faults.lock().inflict_next(fault);
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.world.faults.lock().clear();
    }

    /// This does not go wrong any more.
    pub fn clear_one(&self, fault: &Fault) {
        self.world.faults.lock().clear_one(fault);
    }

    /// Stops or resumes all motion of the market.
    pub fn freeze(&self, frozen: bool) {
        self.world.freeze(frozen);
    }

    /// Moves the market by one step, frozen or not.
    pub fn advance(&self) {
        let now = self.world.now();
        self.world.market.lock().advance(now);
    }

    /// Whether every open connection was sent everything there is. Only meaningful while frozen.
    #[must_use]
    pub fn settled(&self) -> bool {
        let step = self.world.market.lock().step();
        let happened = self.world.account.lock().journal.end();
        let seen = self.world.seen.lock();
        seen.connections.iter().filter(|connection| connection.closed_at.is_none()).all(|connection| {
            match connection.told {
                Some(told) => told >= happened,
                None => connection.caught_up >= step,
            }
        })
    }

    /// Freezes the market and waits until every open connection was sent everything; false if that takes longer than `within`.
    pub async fn settle(&self, within: Duration) -> bool {
        self.freeze(true);
        let settling = async {
            while !self.settled() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(within, settling).await.is_ok()
    }

    /// Lists a new pair; its symbol.
    pub fn list(&self, base: &str, quote: &str) -> String {
        let now = self.world.now();
        self.world.market.lock().list(self.world.venue, base, quote, now);
        self.world.venue.spell(base, quote)
    }

    /// Moves a symbol, in the venue's spelling, or all of them, to another price, as a ratio to what it cost: here alone, from its
    /// next trade on, and at once where nobody trades; in the stream and in answers.
    pub fn tilt(&self, symbol: Option<&str>, ratio: Fixed) {
        self.world.market.lock().tilt(symbol, ratio);
    }

    /// Removes a symbol: from the lists, and from the streams, which fall silent. Whether there was one.
    pub fn delist(&self, symbol: &str) -> bool {
        self.world.market.lock().delist(symbol)
    }
}

fn look_up(ledger: &BTreeMap<String, Entry>, symbol: &str) -> Option<Entry> {
    ledger.get(symbol).or_else(|| ledger.get(&symbol.replace('-', ""))).cloned()
}
