//! What the account holds now, as far as answers and events have told. Pure; time is an argument.
//!
//! An answer states a whole section: what it does not name is gone. An event changes one thing. Between a question and
//! its answer events go on, so they are kept for a while and told again after the answer: they are absolute, and telling
//! one twice does no harm.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::entry::merged;
use super::ledger::{Ledger, Memory};
use super::{Balance, Contract, Entry, Fill, Order, Position, Rate, Rights, Side, Topic, View, label};
use crate::update::{Market, Micros};

/// How long events are kept for answers under way; no question takes longer, with all its pages.
const KEPT: Duration = Duration::from_secs(180);
/// The most events kept.
const MOST: usize = 20_000;
/// Events dated so long before a question was asked are older than its answer. Clocks are compared to some
/// milliseconds; this leaves room.
const MARGIN: i64 = 2_000_000;
/// So many refreshes in a row may fail before what is known counts no more.
pub const FAILURES: u32 = 3;
/// Symbols of a market remembered for questions that are asked by symbol.
const TOUCHED: usize = 100;

/// Something held, and who said so.
#[derive(Clone, Debug)]
struct Held<T> {
    thing: T,
    /// The section whose answer named it; empty where only the stream did.
    from: Arc<str>,
    heard: Instant,
}

/// When a question was asked, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Ours.
    pub instant: Instant,
    /// The venue's.
    pub venue: Micros,
}

/// The account.
#[derive(Debug)]
pub struct Book {
    balances: BTreeMap<(&'static str, String), Held<Balance>>,
    positions: BTreeMap<(Market, String, Side), Held<Position>>,
    orders: BTreeMap<(Market, String), Held<Order>>,
    closed: Memory<(Market, String), ()>,
    /// When the last event about each thing happened: earlier ones that come later are told by nobody any more.
    latest: Memory<String, Micros>,
    events: VecDeque<(Instant, Entry)>,
    contracts: BTreeMap<String, Contract>,
    rates: BTreeMap<(String, String), (Rate, f64)>,
    touched: BTreeMap<Market, BTreeSet<String>>,
    mode: Option<&'static str>,
    /// Counters.
    pub ledger: Ledger,
    /// What the key may do.
    pub rights: Option<Rights>,
    /// What the venue itself says of a part: amount, currency, and which section said it.
    reported: BTreeMap<&'static str, (rust_decimal::Decimal, &'static str, Arc<str>)>,
    /// Whether each wallet could be read at the last refresh.
    pub wallets: BTreeMap<&'static str, bool>,
    /// Which sections of each topic have been answered: without any, nothing is known of it.
    answered: BTreeSet<(Topic, String)>,
    failures: u32,
    /// How many refreshes were complete.
    refreshes: usize,
    /// Events dated before this are older than the last complete refresh.
    floor: Option<Micros>,
    /// Unix seconds of the last complete refresh.
    pub last_success: Option<f64>,
}

/// A position as it is shown: with the labels and the size of its contract.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The position.
    pub position: Position,
    /// Its market.
    pub market: Market,
    /// The `symbol` label.
    pub symbol: String,
    /// Its size in base currency, where that is known.
    pub quantity: Option<rust_decimal::Decimal>,
}

impl Book {
    /// An empty book that counts from this time on.
    pub fn new(started: Micros) -> Self {
        Self {
            balances: BTreeMap::new(),
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            closed: Memory::default(),
            latest: Memory::default(),
            events: VecDeque::new(),
            contracts: BTreeMap::new(),
            rates: BTreeMap::new(),
            touched: BTreeMap::new(),
            mode: None,
            ledger: Ledger::new(started),
            rights: None,
            reported: BTreeMap::new(),
            wallets: BTreeMap::new(),
            answered: BTreeSet::new(),
            failures: 0,
            refreshes: 0,
            floor: None,
            last_success: None,
        }
    }

    /// An answer to the question of this section.
    pub fn answer(&mut self, section: &str, topic: Topic, asked: Asked, now: f64, entries: Vec<Entry>) {
        let from: Arc<str> = section.into();
        self.drop_section(section);
        if let Topic::Wallet(wallet) = topic {
            self.wallets.insert(wallet, true);
        }
        self.answered.insert((topic, section.to_owned()));
        for entry in merged(entries) {
            // Executions that no stream tells are asked for like everything else. What other rows say of the last one is
            // not the whole of it.
            if topic == Topic::Fills {
                self.fill(entry);
                continue;
            }
            // One answer may hold several wallets.
            if let (Topic::Wallet(_), Entry::Balance(balance)) = (topic, &entry) {
                self.wallets.insert(balance.wallet, true);
            }
            self.take(entry, &from, asked.instant, now);
        }
        let later: Vec<Entry> =
            self.events.iter().filter(|(heard, _)| *heard >= asked.instant).map(|(_, entry)| entry.clone()).collect();
        for entry in later {
            self.take(entry, &"".into(), asked.instant, now);
        }
    }

    /// An event of the private stream.
    pub fn event(&mut self, entry: Entry, heard: Instant, now: f64) {
        if let Entry::Order(order) = &entry {
            self.ledger.order(order);
        }
        let entry = match self.fill(entry) {
            Some(entry) => entry,
            None => return,
        };
        while self.events.len() >= MOST || self.events.front().is_some_and(|(at, _)| heard.duration_since(*at) > KEPT) {
            self.events.pop_front();
        }
        if matches!(entry, Entry::Balance(_) | Entry::Position(_) | Entry::Order(_)) {
            self.events.push_back((heard, entry.clone()));
        }
        self.take(entry, &"".into(), heard, now);
    }

    /// Counts an execution, by whichever way it was told; what is none comes back.
    pub fn fill(&mut self, entry: Entry) -> Option<Entry> {
        let fill = match entry {
            Entry::Fill(fill) => fill,
            Entry::Deal(fill, contracts, price) => {
                let contract = self.contracts.get(&fill.name);
                let volume = contract.and_then(|contract| {
                    let amount = contracts.checked_mul(contract.size?)?;
                    if contract.market == Market::Inverse { Some(amount) } else { amount.checked_mul(price) }
                });
                Fill { quote_volume: volume, ..fill }
            }
            other => return Some(other),
        };
        self.touch(fill.market, &fill.name);
        self.ledger.fill(&fill);
        None
    }

    fn take(&mut self, entry: Entry, from: &Arc<str>, heard: Instant, now: f64) {
        if from.is_empty() && self.is_late(&entry) {
            return;
        }
        match entry {
            Entry::Balance(balance) => {
                let (key, gone) = ((balance.wallet, balance.asset.clone()), balance.is_empty());
                put(&mut self.balances, key, balance, gone, from, heard);
            }
            Entry::Position(position) => {
                self.touch(position.market, &position.name);
                let key = (position.market, position.name.clone(), position.side);
                let gone = position.size.number().is_zero();
                put(&mut self.positions, key, position, gone, from, heard);
            }
            Entry::Order(order) => self.order(order, from, heard),
            Entry::Rights(rights) => self.rights = Some(rights),
            Entry::Contract(contract) => {
                self.contracts.insert(contract.name.clone(), contract);
            }
            Entry::Rate(rate) => {
                self.rates.insert((rate.base.clone(), rate.quote.clone()), (rate, now));
            }
            Entry::Mode(mode) => self.mode = Some(mode),
            Entry::Touched(name) => self.touch(Market::Spot, &name),
            Entry::Reported(part, amount, currency) => {
                let said = self.reported.get(part).filter(|_| from.is_empty());
                let from = said.map_or_else(|| Arc::clone(from), |(_, _, from)| Arc::clone(from));
                self.reported.insert(part, (amount, currency, from));
            }
            Entry::Fill(_) | Entry::Deal(..) | Entry::Stir(_) => {}
        }
    }

    /// What a later event, or the last complete refresh, has overtaken.
    fn is_late(&mut self, entry: &Entry) -> bool {
        let (key, at) = match entry {
            Entry::Balance(balance) => (format!("{}/{}", balance.wallet, balance.asset), balance.at),
            Entry::Position(position) => {
                (format!("{}/{}/{}", position.market.as_str(), position.name, position.side.as_str()), position.at)
            }
            Entry::Order(order) if order.status.open() => (format!("{}/{}", order.market.as_str(), order.id), order.at),
            _ => return false,
        };
        let Some(at) = at else { return false };
        if self.floor.is_some_and(|floor| at < floor) || self.latest.get(&key).is_some_and(|latest| at < *latest) {
            return true;
        }
        self.latest.put(key, at);
        false
    }

    /// An order that was over stays over, whatever a late event or an answer from before says.
    fn order(&mut self, order: Order, from: &Arc<str>, heard: Instant) {
        self.touch(order.market, &order.name);
        let key = (order.market, order.id.clone());
        if !order.status.open() {
            self.closed.put(key.clone(), ());
            self.orders.remove(&key);
        } else if self.closed.get(&key).is_none() {
            put(&mut self.orders, key, order, false, from, heard);
        }
    }

    fn touch(&mut self, market: Market, name: &str) {
        let names = self.touched.entry(market).or_default();
        if names.len() < TOUCHED && !names.contains(name) {
            names.insert(name.to_owned());
        }
    }

    /// A question was refused for good: what it is about is not known.
    pub fn unread(&mut self, section: &str, topic: Topic) {
        self.drop_section(section);
        if let Topic::Wallet(wallet) = topic {
            self.wallets.insert(wallet, false);
        }
        self.answered.remove(&(topic, section.to_owned()));
        if topic == Topic::Key {
            self.rights = None;
        }
    }

    fn drop_section(&mut self, section: &str) {
        self.balances.retain(|_, held| &*held.from != section);
        self.positions.retain(|_, held| &*held.from != section);
        self.orders.retain(|_, held| &*held.from != section);
        self.reported.retain(|_, (_, _, from)| &**from != section);
    }

    /// Every question was answered since `began`: what none of these sections named is gone.
    pub fn refreshed(&mut self, sections: &BTreeSet<String>, began: Asked, now: f64) {
        let stays = |from: &str, heard: Instant| {
            if from.is_empty() { heard >= began.instant } else { sections.contains(from) }
        };
        self.floor = Some(Micros(began.venue.0 - MARGIN));
        self.balances.retain(|_, held| stays(&held.from, held.heard));
        self.positions.retain(|_, held| stays(&held.from, held.heard));
        self.orders.retain(|_, held| stays(&held.from, held.heard));
        self.failures = 0;
        self.refreshes = self.refreshes.wrapping_add(1);
        self.last_success = Some(now);
    }

    /// A refresh failed; true when that was one too many.
    pub fn failed(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures == FAILURES
    }

    /// Whether what is known counts: a refresh was complete, and not too many have failed since.
    pub fn counts(&self) -> bool {
        self.last_success.is_some() && self.failures < FAILURES
    }

    /// What the venue itself says of each part: amount and currency.
    pub fn reported(&self) -> BTreeMap<&'static str, (rust_decimal::Decimal, &'static str)> {
        self.reported.iter().map(|(part, (amount, currency, _))| (*part, (*amount, *currency))).collect()
    }

    /// What questions depend on.
    pub fn view(&self, streamed: Vec<String>, now: Micros) -> View {
        let read = self.wallets.iter().filter(|(_, read)| **read).map(|(wallet, _)| *wallet).collect();
        let touched = |market| self.touched.get(&market).into_iter().flatten().cloned().collect::<Vec<String>>();
        View {
            mode: self.mode,
            touched: touched(Market::Spot),
            touched_linear: touched(Market::Linear),
            touched_inverse: touched(Market::Inverse),
            streamed,
            read,
            turn: self.refreshes,
            now,
        }
    }

    /// What the wallets hold.
    pub fn balances(&self) -> Vec<Balance> {
        self.balances.values().map(|held| held.thing.clone()).collect()
    }

    /// Open positions, with the labels of their contracts.
    pub fn positions(&self) -> Vec<Shown> {
        self.positions.values().map(|held| self.named(&held.thing)).collect()
    }

    fn named(&self, position: &Position) -> Shown {
        use super::Size;
        let contract = self.contracts.get(&position.name);
        let quantity = match position.size {
            Size::Base(number) => Some(number),
            Size::Contracts(number) => {
                let linear = contract.filter(|contract| contract.market != Market::Inverse);
                linear.and_then(|contract| contract.size).and_then(|size| number.checked_mul(size))
            }
        };
        let (market, symbol) = contract.map_or_else(
            || (position.market, label(&position.name)),
            |contract| (contract.market, contract.symbol.clone()),
        );
        let value = position.value.clone().or_else(|| {
            let (price, asset) = position.price.clone()?;
            Some((quantity?.checked_mul(price)?, asset))
        });
        Shown { position: Position { value, ..position.clone() }, market, symbol, quantity }
    }

    /// Whether anything of this could be read.
    pub fn knows(&self, topic: Topic) -> bool {
        self.answered.iter().any(|(answered, _)| *answered == topic)
    }

    /// How many orders are open in each market.
    pub fn open_orders(&self) -> BTreeMap<Market, usize> {
        let mut counts = BTreeMap::new();
        for (market, _) in self.orders.keys() {
            *counts.entry(*market).or_default() += 1;
        }
        counts
    }

    /// The market and `symbol` label of a name in orders and executions.
    pub fn names(&self, market: Market, name: &str) -> (Market, String) {
        match self.contracts.get(name).filter(|_| market != Market::Spot) {
            Some(contract) => (contract.market, contract.symbol.clone()),
            None => (market, label(name)),
        }
    }

    /// Prices that the venue named without a market, and when.
    pub fn rates(&self) -> Vec<(Rate, f64)> {
        self.rates.values().cloned().collect()
    }
}

/// Writes a statement down.
fn put<K: Ord, T>(map: &mut BTreeMap<K, Held<T>>, key: K, thing: T, gone: bool, from: &Arc<str>, heard: Instant) {
    // An event about something that an answer named belongs to that answer's section.
    let old = map.get(&key).filter(|_| from.is_empty());
    let from = old.map_or_else(|| Arc::clone(from), |old| Arc::clone(&old.from));
    if gone {
        map.remove(&key);
    } else {
        map.insert(key, Held { thing, from, heard });
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
