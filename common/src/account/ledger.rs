//! What happened on the account while this process runs: orders by fate, executions, fees. Pure; whatever is told
//! twice, by the stream and over REST, late or out of order, is counted once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;

use rust_decimal::Decimal;

use super::{Fill, Order, Role, Side, Status};
use crate::update::{Market, Micros};

/// How many ids are remembered; venues repeat themselves within seconds, a reconnect within minutes.
const REMEMBERED: usize = 50_000;

/// Remembers the last things that were seen, and a word on each.
#[derive(Debug)]
pub struct Memory<K, V> {
    words: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self { words: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Memory<K, V> {
    /// The word on it, if it was seen.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.words.get(key)
    }

    /// Sees it; returns the former word.
    pub fn put(&mut self, key: K, word: V) -> Option<V> {
        let former = self.words.insert(key.clone(), word);
        if former.is_none() {
            self.order.push_back(key);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.words.remove(&oldest);
            }
        }
        former
    }
}

/// Executions of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traded {
    /// How many.
    pub count: u64,
    /// Their sum in quote currency.
    pub quote_volume: Decimal,
}

/// The labels of executions: market, the venue's name, side, role.
pub type Deal = (Market, String, Side, Option<Role>);

/// The counters.
#[derive(Debug)]
pub struct Ledger {
    started: Micros,
    /// By market: the same ids may be given in each.
    seen_orders: Memory<(Market, String, Status), ()>,
    /// By market, the venue's name and id; whether the fee is known.
    seen_fills: Memory<(Market, String, String), bool>,
    /// By market, the venue's name and fate.
    pub orders: BTreeMap<(Market, String, &'static str), u64>,
    /// By market, the venue's name, side and role.
    pub fills: BTreeMap<Deal, Traded>,
    /// Paid, by asset.
    pub fees: BTreeMap<String, Decimal>,
    /// Received, by asset: counters do not fall.
    pub rebates: BTreeMap<String, Decimal>,
}

impl Ledger {
    /// Counts what happens from this time on, by the venue's clock.
    pub fn new(started: Micros) -> Self {
        Self {
            started,
            seen_orders: Memory::default(),
            seen_fills: Memory::default(),
            orders: BTreeMap::new(),
            fills: BTreeMap::new(),
            fees: BTreeMap::new(),
            rebates: BTreeMap::new(),
        }
    }

    /// From when on it counts.
    pub fn started(&self) -> Micros {
        self.started
    }

    /// An event of the stream.
    pub fn order(&mut self, order: &Order) {
        let Some(status) = order.status.as_str() else { return };
        if self.seen_orders.put((order.market, order.id.clone(), order.status), ()).is_none() {
            *self.orders.entry((order.market, order.name.clone(), status)).or_default() += 1;
        }
    }

    /// An execution; true where it was news.
    pub fn fill(&mut self, fill: &Fill) -> bool {
        if fill.at.is_some_and(|at| at < self.started) {
            return false;
        }
        let key = (fill.market, fill.name.clone(), fill.id.clone());
        let former = self.seen_fills.get(&key).copied();
        let news = former.is_none();
        if news {
            let deal = (fill.market, fill.name.clone(), fill.side, fill.role);
            let traded = self.fills.entry(deal).or_default();
            traded.count += 1;
            let sum = traded.quote_volume.checked_add(fill.quote_volume.unwrap_or_default());
            traded.quote_volume = sum.unwrap_or(traded.quote_volume);
        }
        if let (None | Some(false), Some((amount, asset))) = (former, &fill.fee) {
            self.fee(*amount, asset);
        }
        self.seen_fills.put(key, former == Some(true) || fill.fee.is_some());
        news
    }

    fn fee(&mut self, amount: Decimal, asset: &str) {
        if amount.is_zero() || asset.is_empty() {
            return;
        }
        let sums = if amount.is_sign_negative() { &mut self.rebates } else { &mut self.fees };
        let sum = sums.entry(asset.to_owned()).or_default();
        *sum = sum.checked_add(amount.abs()).unwrap_or(*sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(id: &str, fee: Option<i64>, at: i64) -> Fill {
        Fill {
            market: Market::Spot,
            name: "BTC-USDT".into(),
            id: id.into(),
            side: Side::Buy,
            role: Some(Role::Maker),
            quote_volume: Some(Decimal::new(50, 0)),
            fee: fee.map(|fee| (Decimal::new(fee, 3), "USDT".into())),
            at: Some(Micros(at)),
        }
    }

    #[test]
    fn an_execution_counts_once_and_its_fee_when_it_is_known() {
        let mut ledger = Ledger::new(Micros(100));
        assert!(ledger.fill(&fill("1", None, 100)));
        assert!(!ledger.fill(&fill("1", Some(25), 100)), "the stream told it, without its fee");
        assert!(!ledger.fill(&fill("1", Some(25), 100)));
        assert!(ledger.fill(&fill("2", Some(-10), 101)));
        assert!(!ledger.fill(&fill("0", Some(10), 99)), "before this process");
        assert!(ledger.fill(&Fill { market: Market::Linear, ..fill("1", None, 102) }), "of the same name elsewhere");
        let traded = ledger.fills.values().next().copied();
        assert_eq!(traded, Some(Traded { count: 2, quote_volume: Decimal::new(100, 0) }));
        assert_eq!(ledger.fees["USDT"], Decimal::new(25, 3));
        assert_eq!(ledger.rebates["USDT"], Decimal::new(10, 3));
    }

    #[test]
    fn an_order_counts_once_for_each_fate() {
        let mut ledger = Ledger::new(Micros(0));
        let order = |status| Order { market: Market::Spot, name: "BTC-USDT".into(), id: "7".into(), status, at: None };
        for status in [Status::New, Status::New, Status::Working, Status::Filled, Status::New, Status::Filled] {
            ledger.order(&order(status));
        }
        let counts: Vec<_> = ledger.orders.iter().map(|((_, _, status), count)| (*status, *count)).collect();
        assert_eq!(counts, [("filled", 1), ("new", 1)]);
    }
}
