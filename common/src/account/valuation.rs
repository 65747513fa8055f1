//! What holdings are worth, by routes over the venue's own prices. Pure. Nothing is guessed: an asset without a route is
//! told apart, a dollar is not a stablecoin, and every figure says how old the oldest price below it is.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use super::Balance;

/// A price older than this is used only where there is no younger one.
pub const FRESH: f64 = 120.0;
/// A price older than this is not used at all.
pub const STALE: f64 = 900.0;
/// A book wider than this is no price.
const WIDEST: f64 = 0.05;
/// What one more exchange on the way costs: of two routes with like spreads the shorter one is taken.
const HOP: f64 = 0.002;
/// The same for a claim that the venue redeems one for one.
const PAR: f64 = 0.0005;
/// Holdings worth less, in USDT, are dust: they count in sums and not in the coverage.
const DUST: Decimal = Decimal::ONE;
/// What everything is valued in.
pub const USDT: &str = "USDT";
/// Real dollars.
pub const USD: &str = "USD";

/// What a market says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quote {
    /// Best bid.
    pub bid: Option<f64>,
    /// Best ask.
    pub ask: Option<f64>,
    /// Last trade.
    pub last: Option<f64>,
    /// Unix seconds at which it was heard.
    pub at: f64,
    /// It streams on a line that lives: true however long ago it was said.
    pub live: bool,
}

/// One usable price.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Price {
    rate: Decimal,
    cost: f64,
    at: f64,
    fresh: bool,
}

impl Quote {
    /// The middle of the book; the last trade where a side is missing; nothing where the book is no book.
    fn price(&self, now: f64) -> Option<Price> {
        let fresh = self.live || now - self.at <= FRESH;
        if !fresh && now - self.at > STALE {
            return None;
        }
        let (value, cost) = match (self.bid, self.ask) {
            (Some(bid), Some(ask)) if bid > 0.0 && ask > 0.0 => {
                let mid = f64::midpoint(bid, ask);
                let spread = (ask - bid).abs() / mid;
                (mid, (spread <= WIDEST).then_some(spread)?)
            }
            _ => (self.last.filter(|last| *last > 0.0)?, WIDEST),
        };
        // The shortest decimal that is this number: what the venue wrote, or the middle of two such.
        let rate = Decimal::from_f64_retain(value).map(|exact| exact.round_sf(15).unwrap_or(exact))?;
        (!rate.is_zero()).then_some(Price { rate, cost, at: self.at, fresh })
    }
}

/// A way from one asset to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// How much of the target one unit is.
    pub rate: Decimal,
    /// Unix seconds of the oldest price on the way; infinite where none was needed.
    pub oldest: f64,
    /// Every asset on the way, both ends included.
    pub path: Vec<String>,
    weight: f64,
    fresh: bool,
}

impl Route {
    fn none(asset: &str) -> Self {
        Self { rate: Decimal::ONE, oldest: f64::INFINITY, path: vec![asset.to_owned()], weight: 0.0, fresh: true }
    }

    fn then(&self, edge: &Price, to: &str) -> Option<Self> {
        let mut path = self.path.clone();
        path.push(to.to_owned());
        Some(Self {
            rate: self.rate.checked_mul(edge.rate)?,
            oldest: self.oldest.min(edge.at),
            path,
            weight: self.weight + edge.cost,
            fresh: self.fresh && edge.fresh,
        })
    }

    /// Fresh before stale, then cheap, short, and by name.
    fn is_better_than(&self, other: &Route) -> bool {
        let order = other.fresh.cmp(&self.fresh).then(self.weight.total_cmp(&other.weight));
        order.then(self.path.len().cmp(&other.path.len())).then_with(|| self.path.cmp(&other.path)).is_lt()
    }
}

fn better(best: Option<Route>, new: Option<Route>) -> Option<Route> {
    match (best, new) {
        (Some(best), Some(new)) => Some(if new.is_better_than(&best) { new } else { best }),
        (best, new) => best.or(new),
    }
}

/// All prices of one moment.
#[derive(Clone, Debug, Default)]
pub struct Prices<'q> {
    edges: HashMap<(&'q str, &'q str), Price>,
    hubs: &'static [&'static str],
    now: f64,
}

impl<'q> Prices<'q> {
    /// No prices yet; routes go through these assets, at most two of them.
    pub fn new(hubs: &'static [&'static str], now: f64) -> Self {
        Self { edges: HashMap::new(), hubs, now }
    }

    /// A market. Of two quotes for one the fresher counts.
    pub fn market(&mut self, base: &'q str, quote: &'q str, said: &Quote) {
        if let Some(price) = said.price(self.now) {
            self.edge(base, quote, Price { cost: price.cost + HOP, ..price });
        }
    }

    /// A claim that the venue redeems one for one.
    pub fn par(&mut self, base: &'q str, quote: &'q str) {
        self.edge(base, quote, Price { rate: Decimal::ONE, cost: PAR, at: f64::INFINITY, fresh: true });
    }

    /// A price that the venue, or another one, names without a book.
    pub fn rate(&mut self, base: &'q str, quote: &'q str, rate: Decimal, at: f64) {
        let quote_price = Quote { at, ..Quote::default() };
        let age = self.now - quote_price.at;
        if age <= STALE && rate > Decimal::ZERO {
            self.edge(base, quote, Price { rate, cost: HOP + WIDEST, at, fresh: age <= FRESH });
        }
    }

    fn edge(&mut self, base: &'q str, quote: &'q str, price: Price) {
        let old = self.edges.get(&(base, quote));
        if old.is_none_or(|old| old.at < price.at) {
            self.edges.insert((base, quote), price);
        }
    }

    /// The price of one in the other, whichever way the market is written.
    fn between(&self, from: &str, to: &str) -> Option<Price> {
        if let Some(price) = self.edges.get(&(from, to)) {
            return Some(*price);
        }
        let price = self.edges.get(&(to, from))?;
        Some(Price { rate: Decimal::ONE.checked_div(price.rate)?, ..*price })
    }

    /// The best way of at most three exchanges, through hubs.
    pub fn route(&self, from: &str, to: &str) -> Option<Route> {
        self.search(&Route::none(from), to, self.hubs, 3)
    }

    /// The best way with nothing but these in between.
    pub fn route_through(&self, from: &str, to: &str, between: &[&str]) -> Option<Route> {
        self.search(&Route::none(from), to, between, 2)
    }

    fn search(&self, sofar: &Route, to: &str, hubs: &[&str], hops: u32) -> Option<Route> {
        let here = sofar.path.last()?;
        if here == to {
            return Some(sofar.clone());
        }
        let mut best = self.between(here, to).and_then(|price| sofar.then(&price, to));
        if hops < 2 {
            return best;
        }
        for hub in hubs {
            // An asset on the way already leads nowhere new.
            if *hub == to || sofar.path.iter().any(|asset| asset == hub) {
                continue;
            }
            let Some(next) = self.between(here, hub).and_then(|price| sofar.then(&price, hub)) else { continue };
            let beaten = best.as_ref().is_some_and(|best| best.fresh >= next.fresh && best.weight <= next.weight);
            if !beaten {
                best = better(best, self.search(&next, to, hubs, hops - 1));
            }
        }
        best
    }
}

/// What an account is worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worth {
    /// Net of debt, in USDT; what has no price is not in it.
    pub usdt: Decimal,
    /// Value in USDT by asset.
    pub assets: BTreeMap<String, Decimal>,
    /// Net amounts without a route to a price, by asset.
    pub unpriced: BTreeMap<String, Decimal>,
    /// Assets with a price over assets held, dust left out.
    pub coverage: f64,
    /// Unix seconds of the oldest price used; `None` where none was needed.
    pub oldest: Option<f64>,
}

/// Values what the wallets hold: the net amount of each asset, over all wallets.
pub fn value(balances: &[Balance], prices: &Prices<'_>) -> Worth {
    let mut net: BTreeMap<&str, Decimal> = BTreeMap::new();
    for balance in balances {
        let sum = net.entry(&balance.asset).or_default();
        *sum = sum.checked_add(balance.net()).unwrap_or(*sum);
    }
    let mut worth = Worth { coverage: 1.0, ..Worth::default() };
    let (mut covered, mut oldest) = (0usize, f64::INFINITY);
    for (asset, amount) in net.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        let priced = prices.route(asset, USDT).and_then(|route| {
            let value = amount.checked_mul(route.rate)?;
            Some((value, worth.usdt.checked_add(value)?, route.oldest))
        });
        let Some((value, sum, age)) = priced else {
            worth.unpriced.insert(asset.to_owned(), amount);
            continue;
        };
        worth.usdt = sum;
        worth.assets.insert(asset.to_owned(), value);
        oldest = oldest.min(age);
        covered += usize::from(value.abs() >= DUST);
    }
    let held = covered + worth.unpriced.len();
    if held > 0 {
        worth.coverage = covered as f64 / held as f64;
    }
    worth.oldest = oldest.is_finite().then_some(oldest);
    worth
}

#[cfg(test)]
#[path = "valuation_tests.rs"]
mod tests;
