//! The account at a scrape: valued with the prices of the same moment, and only as far as it is known.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::book::Shown;
use super::desk::Desk;
use super::ledger::Traded;
use super::valuation::{Prices, USD, USDT, Worth, value};
use super::{Balance, Rights, Role, Side, Topic};
use crate::context::Context;
use crate::metrics::encode::{Encoder, block};
use crate::metrics::health::unix_now;
use crate::metrics::vocabulary::{self as names, Compat, Metric};
use crate::update::Market;

/// What one USDT is in another currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Fx {
    /// The currency.
    pub currency: String,
    /// How much one USDT is; `None` where nobody says.
    pub rate: Option<(Decimal, &'static str)>,
}

/// A position, its value and its profit in USDT where they are known.
pub type Valued = (Shown, Option<Decimal>, Option<Decimal>);

/// The account as it is known at one moment.
#[derive(Debug)]
pub struct Picture {
    /// What the wallets hold; empty where it is not known.
    pub balances: Vec<Balance>,
    /// What that is worth; `None` where it is not known.
    pub worth: Option<Worth>,
    /// Dollars and the chosen fiat.
    pub fx: Vec<Fx>,
    /// Open positions with their value and profit in USDT; `None` where they are not known.
    pub positions: Option<Vec<Valued>>,
    /// Open orders by market; `None` where they are not known.
    pub orders: Option<BTreeMap<Market, usize>>,
    /// What the key may do.
    pub rights: Option<Rights>,
    /// Whether each wallet could be read.
    pub wallets: BTreeMap<&'static str, bool>,
    /// What the venue says itself.
    pub reported: BTreeMap<&'static str, (Decimal, &'static str)>,
    /// Unix seconds of the last complete refresh.
    pub last_success: Option<f64>,
}

/// One moment of the account; `None` without a key.
pub fn picture(context: &Context) -> Option<Picture> {
    let desk = context.desk.as_ref()?;
    let now = unix_now();
    let snapshot = context.quotes.snapshot(&context.board);
    let (counts, mut picture, shown, rates) = desk.read(|book| {
        let counts = book.counts();
        let picture = Picture {
            balances: if counts { book.balances() } else { Vec::new() },
            worth: None,
            fx: Vec::new(),
            positions: None,
            orders: (counts && book.knows(Topic::Orders)).then(|| book.open_orders()),
            rights: book.rights.filter(|_| counts),
            wallets: if counts { book.wallets.clone() } else { BTreeMap::new() },
            reported: if counts { book.reported() } else { BTreeMap::new() },
            last_success: book.last_success,
        };
        (counts, picture, (counts && book.knows(Topic::Positions)).then(|| book.positions()), book.rates())
    });
    let mut prices = Prices::new(context.about.hubs, now);
    snapshot.fill(&mut prices);
    for (claim, asset) in context.about.pars {
        prices.par(claim, asset);
    }
    for (rate, at) in &rates {
        prices.rate(&rate.base, &rate.quote, rate.price, *at);
    }
    picture.fx =
        [USD, desk.terms.fiat.as_str()].into_iter().map(|currency| fx(context, desk, &prices, currency, now)).collect();
    picture.fx.dedup_by(|a, b| a.currency == b.currency);
    let to_usdt = |amount: &Option<(Decimal, String)>| {
        let (amount, asset) = amount.as_ref()?;
        amount.checked_mul(prices.route(asset, USDT)?.rate)
    };
    picture.positions = shown.map(|all| {
        let valued = all.into_iter().map(|shown| {
            let (value, pnl) = (to_usdt(&shown.position.value), to_usdt(&shown.position.pnl));
            (shown, value, pnl)
        });
        valued.collect()
    });
    if counts {
        let worth = value(&picture.balances, &prices);
        // Prices that have not come yet are not missing: what they price is worth something.
        let ready = worth.unpriced.is_empty() || context.quotes.loaded();
        let hopeless = worth.assets.is_empty() && !worth.unpriced.is_empty();
        picture.worth = (ready && !hopeless).then_some(worth);
    }
    Some(picture)
}

/// The venue's own market first, then its word, then another venue's.
fn fx(context: &Context, desk: &Desk, prices: &Prices<'_>, currency: &str, now: f64) -> Fx {
    let rate = own_rate(prices, currency)
        .map(|rate| (rate, context.about.name))
        .or_else(|| desk.rate(currency, now).map(|quoted| (quoted.rate, quoted.source)));
    Fx { currency: currency.to_owned(), rate }
}

fn own_rate(prices: &Prices<'_>, currency: &str) -> Option<Decimal> {
    let route = if currency == USD { prices.route(USDT, USD) } else { prices.route_through(USDT, currency, &["USDC"]) };
    route.map(|route| route.rate)
}

impl Desk {
    /// Whether the venue itself says what one USDT is in this currency.
    pub fn has_own_rate(&self, context: &Context, currency: &str) -> bool {
        let snapshot = context.quotes.snapshot(&context.board);
        let rates = self.read(|book| book.rates());
        let mut prices = Prices::new(context.about.hubs, unix_now());
        snapshot.fill(&mut prices);
        context.about.pars.iter().for_each(|(claim, asset)| prices.par(claim, asset));
        rates.iter().for_each(|(rate, at)| prices.rate(&rate.base, &rate.quote, rate.price, *at));
        own_rate(&prices, currency).is_some()
    }
}

/// Writes families whose label values are made now.
struct Pen<'e, 'b> {
    encoder: &'e mut Encoder<'b>,
    exchange: &'static str,
    account: &'e str,
}

impl Pen<'_, '_> {
    fn family<'l>(&mut self, metric: &Metric, samples: impl IntoIterator<Item = (Vec<&'l str>, f64)>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        self.encoder.metric(metric);
        for (values, value) in samples {
            let own = [("exchange", self.exchange), ("account", self.account)];
            let own = own.into_iter().filter(|(_, value)| !value.is_empty());
            let labels = own.chain(metric.labels.iter().copied().zip(values));
            self.encoder.sample(metric.name, &block(labels), value);
        }
    }

    fn one(&mut self, metric: &Metric, value: Option<f64>) {
        self.family(metric, value.map(|value| (vec![], value)));
    }

    fn compat(&mut self, compat: &Compat, value: Option<f64>) {
        if let Some(value) = value {
            let name = compat.name(self.exchange);
            self.encoder.head(&name, compat.kind, compat.help);
            let labels = Some(("account", self.account)).filter(|(_, account)| !account.is_empty());
            self.encoder.sample(&name, &block(labels), value);
        }
    }
}

/// The nearest float: by way of text, which rounds correctly where `to_f64` is an ulp off.
fn float(amount: Decimal) -> f64 {
    amount.to_string().parse().unwrap_or(f64::NAN)
}

fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// Writes the account's families; nothing without a key.
pub fn write(encoder: &mut Encoder<'_>, context: &Context, compat: bool) {
    let (Some(desk), Some(picture)) = (&context.desk, picture(context)) else { return };
    let mut pen = Pen { encoder, exchange: context.about.name, account: &desk.terms.label };
    balances(&mut pen, &picture);
    equity(&mut pen, &picture, compat);
    positions(&mut pen, &picture);
    history(&mut pen, desk);
    key(&mut pen, picture.rights);
}

fn balances(pen: &mut Pen<'_, '_>, picture: &Picture) {
    let states = picture.balances.iter().flat_map(|balance| {
        let states = [("free", balance.free), ("locked", balance.locked), ("borrowed", balance.borrowed)];
        states.into_iter().filter_map(move |(state, amount)| {
            Some((vec![balance.asset.as_str(), balance.wallet, state], float(amount?)))
        })
    });
    pen.family(&names::BALANCE, states);
    pen.family(&names::WALLET_READ, picture.wallets.iter().map(|(wallet, read)| (vec![*wallet], flag(*read))));
    pen.one(&names::ACCOUNT_SUCCESS, picture.last_success);
    let reported = picture.reported.iter();
    pen.family(
        &names::EQUITY_REPORTED,
        reported.map(|(part, (amount, currency))| (vec![*part, *currency], float(*amount))),
    );
}

fn equity(pen: &mut Pen<'_, '_>, picture: &Picture, compat: bool) {
    let rates = picture.fx.iter().filter_map(|fx| Some((fx.currency.as_str(), fx.rate?)));
    pen.family(
        &names::FX_RATE,
        rates.clone().map(|(currency, (rate, source))| (vec![USDT, currency, source], float(rate))),
    );
    pen.family(&names::FX_AVAILABLE, picture.fx.iter().map(|fx| (vec![fx.currency.as_str()], flag(fx.rate.is_some()))));
    let Some(worth) = &picture.worth else { return };
    let converted = rates.filter_map(|(currency, (rate, _))| Some((currency, float(worth.usdt.checked_mul(rate)?))));
    let all: Vec<(&str, f64)> = [(USDT, float(worth.usdt))].into_iter().chain(converted).collect();
    pen.family(&names::EQUITY, all.iter().map(|(currency, amount)| (vec![*currency], *amount)));
    pen.family(&names::ASSET_VALUE, worth.assets.iter().map(|(asset, value)| (vec![asset.as_str()], float(*value))));
    pen.family(&names::UNPRICED, worth.unpriced.iter().map(|(asset, amount)| (vec![asset.as_str()], float(*amount))));
    pen.one(&names::EQUITY_COVERAGE, Some(worth.coverage));
    pen.one(&names::EQUITY_OLDEST, worth.oldest);
    if compat {
        let of = |wanted: &str| all.iter().find(|(currency, _)| *currency == wanted).map(|(_, amount)| *amount);
        pen.compat(&names::OLD_EQUITY_USDT, of(USDT));
        pen.compat(&names::OLD_EQUITY_BRL, of("BRL"));
    }
}

fn positions(pen: &mut Pen<'_, '_>, picture: &Picture) {
    if let Some(orders) = &picture.orders {
        let spot = [(Market::Spot, orders.get(&Market::Spot).copied().unwrap_or(0))];
        let others =
            orders.iter().filter(|(market, _)| **market != Market::Spot).map(|(market, count)| (*market, *count));
        pen.family(
            &names::OPEN_ORDERS,
            spot.into_iter().chain(others).map(|(market, count)| (vec![market.as_str()], count as f64)),
        );
    }
    let Some(open) = &picture.positions else { return };
    let mut counts = BTreeMap::from([(Market::Linear, 0usize), (Market::Inverse, 0)]);
    open.iter().for_each(|(shown, ..)| *counts.entry(shown.market).or_default() += 1);
    pen.family(&names::OPEN_POSITIONS, counts.into_iter().map(|(market, count)| (vec![market.as_str()], count as f64)));
    type Figure<'f> = (&'f Metric, fn(&Valued) -> Option<Decimal>);
    let figures: [Figure<'_>; 5] = [
        (&names::POSITION_QUANTITY, |(shown, ..)| shown.quantity),
        (&names::POSITION_VALUE, |(_, value, _)| value.map(|value| value.abs())),
        (&names::POSITION_PNL, |(_, _, pnl)| *pnl),
        (&names::POSITION_LEVERAGE, |(shown, ..)| shown.position.leverage),
        (&names::POSITION_LIQUIDATION, |(shown, ..)| shown.position.liquidation),
    ];
    for (metric, figure) in figures {
        let samples = open.iter().filter_map(|one| {
            let shown = &one.0;
            Some((vec![shown.market.as_str(), &shown.symbol, shown.position.side.as_str()], float(figure(one)?)))
        });
        pen.family(metric, samples);
    }
}

/// Counters stay, whatever is known of the account now.
fn history(pen: &mut Pen<'_, '_>, desk: &Desk) {
    type Deals = Vec<((Market, String), Side, Option<Role>, Traded)>;
    type Orders = Vec<((Market, String), &'static str, u64)>;
    let (orders, fills, fees, rebates): (Orders, Deals, _, _) = desk.read(|book| {
        let orders = book.ledger.orders.iter();
        let orders =
            orders.map(|((market, name, status), count)| (book.names(*market, name), *status, *count)).collect();
        let fills = book.ledger.fills.iter();
        let fills = fills
            .map(|((market, name, side, role), traded)| (book.names(*market, name), *side, *role, *traded))
            .collect();
        (orders, fills, book.ledger.fees.clone(), book.ledger.rebates.clone())
    });
    let orders = orders
        .iter()
        .map(|((market, symbol), status, count)| (vec![market.as_str(), symbol.as_str(), *status], *count as f64));
    pen.family(&names::ORDERS, orders);
    let deal = |one: &((Market, String), Side, Option<Role>, Traded), value: f64| {
        let ((market, symbol), side, role, _) = one;
        (
            vec![
                market.as_str().to_owned(),
                symbol.clone(),
                side.as_str().to_owned(),
                role.map_or("unknown", Role::as_str).to_owned(),
            ],
            value,
        )
    };
    let counts: Vec<_> = fills.iter().map(|one| deal(one, one.3.count as f64)).collect();
    let volumes: Vec<_> = fills.iter().map(|one| deal(one, float(one.3.quote_volume))).collect();
    for (metric, samples) in [(&names::FILLS, &counts), (&names::FILL_VOLUME, &volumes)] {
        pen.family(metric, samples.iter().map(|(labels, value)| (labels.iter().map(String::as_str).collect(), *value)));
    }
    for (metric, sums) in [(&names::FEES, &fees), (&names::REBATES, &rebates)] {
        pen.family(metric, sums.iter().map(|(asset, amount)| (vec![asset.as_str()], float(*amount))));
    }
}

fn key(pen: &mut Pen<'_, '_>, rights: Option<Rights>) {
    let Some(rights) = rights else { return };
    let permissions =
        [("read", rights.read), ("trade", rights.trade), ("transfer", rights.transfer), ("withdraw", rights.withdraw)];
    let known = permissions.into_iter().filter_map(|(name, may)| Some((vec![name], flag(may?))));
    pen.family(&names::KEY_PERMISSION, known);
    pen.one(&names::KEY_IP_RESTRICTED, rights.ip_restricted.map(flag));
    pen.one(&names::KEY_EXPIRY, rights.expires.map(|at| at.as_seconds()));
}
