//! What all connections of one fake venue share.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::account::Account;
use crate::binance::ListenKeys;
use crate::confided::Confided;
use crate::fault::{Fault, Faults};
use crate::kucoin::Ticket;
use crate::ledger::{Entry, Seen};
use crate::limiter::Tallies;
use crate::market::Market;
use crate::options::{Options, Times};
use crate::record::{Record, Way};
use crate::sampler::Sampler;
use crate::{Venue, protocol};

/// A mutex that a panicking test cannot poison for the others.
#[derive(Debug)]
pub(crate) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct World {
    pub(crate) venue: Venue,
    pub(crate) address: SocketAddr,
    pub(crate) times: Times,
    pub(crate) options: Options,
    pub(crate) protocol: &'static dyn protocol::Protocol,
    pub(crate) market: Shared<Market>,
    /// Sent over websockets.
    pub(crate) streamed: Shared<BTreeMap<String, Entry>>,
    /// Sent over REST.
    pub(crate) quoted: Shared<BTreeMap<String, Entry>>,
    pub(crate) seen: Shared<Seen>,
    /// Locked last of all.
    pub(crate) record: Shared<Record>,
    pub(crate) confided: Shared<Confided>,
    pub(crate) faults: Shared<Faults>,
    pub(crate) tallies: Shared<Tallies>,
    pub(crate) sampler: Shared<Sampler>,
    /// Tickets handed out and not yet used (KuCoin).
    pub(crate) tickets: Shared<HashMap<String, Ticket>>,
    /// Given out for the private stream of futures (Binance). Locked after the account, where both are.
    pub(crate) listen_keys: Shared<ListenKeys>,
    /// Locked before the market, where both are.
    pub(crate) account: Shared<Account>,
    frozen: AtomicBool,
}

impl World {
    pub(crate) fn new(venue: Venue, options: Options, address: SocketAddr) -> Self {
        let times = options.times.clone().unwrap_or(Times::documented(venue));
        let market = Market::new(venue, options.seed, options.symbols, true_now());
        let account = Account::new(venue, &market, options.seed, true_now());
        let mut record = Record::default();
        record.booked(&account.books, Instant::now());
        Self {
            venue,
            address,
            times,
            protocol: venue.protocol(),
            market: Shared::new(market),
            streamed: Shared::new(BTreeMap::new()),
            quoted: Shared::new(BTreeMap::new()),
            seen: Shared::new(Seen::default()),
            record: Shared::new(record),
            confided: Shared::new(Confided::default()),
            faults: Shared::new(Faults::default()),
            tallies: Shared::new(Tallies::default()),
            sampler: Shared::new(Sampler::new(options.samples.clone())),
            tickets: Shared::new(HashMap::new()),
            listen_keys: Shared::new(ListenKeys::default()),
            account: Shared::new(account),
            frozen: AtomicBool::new(options.frozen),
            options,
        }
    }

    /// The venue's clock in Unix milliseconds: right, unless a fault says otherwise.
    pub(crate) fn now(&self) -> u64 {
        let offset = |fault: &Fault| if let Fault::Clock { ms } = fault { Some(*ms) } else { None };
        let offset = self.faults.lock().lasting.iter().find_map(offset).unwrap_or(0);
        true_now().saturating_add_signed(offset)
    }

    /// Moves the market by one step, unless it is frozen.
    pub(crate) fn advance(&self) {
        if !self.frozen.load(Ordering::Relaxed) {
            let now = self.now();
            self.market.lock().advance(now);
        }
    }

    /// Something happens to the account, at the venue's time.
    pub(crate) fn deal<T>(&self, deal: impl FnOnce(&mut Account, &Market, u64) -> T) -> T {
        let now = self.now();
        let mut account = self.account.lock();
        let outcome = deal(&mut account, &self.market.lock(), now);
        self.record.lock().booked(&account.books, Instant::now());
        outcome
    }

    /// The trader does something, unless the market is frozen.
    pub(crate) fn trade(&self) {
        if !self.frozen.load(Ordering::Relaxed) {
            self.deal(crate::account::trade);
        }
    }

    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
    }

    pub(crate) fn suffers(&self, fault: &Fault) -> bool {
        self.faults.lock().lasting.contains(fault)
    }

    /// Notes values sent over REST.
    pub(crate) fn note_quoted(&self, symbol: &str, entry: Entry) {
        self.record.lock().said(Way::Rest, symbol, &entry, Instant::now());
        self.quoted.lock().entry(symbol.to_owned()).or_default().update(entry);
    }
}

/// The right time in Unix milliseconds.
pub(crate) fn true_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
