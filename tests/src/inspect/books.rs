//! What an exporter has to show of an account, by the fake's books.

use std::collections::{BTreeMap, BTreeSet};

use super::account::state;
use super::exposition::{Exposition, Sample};
use super::prices;
use crate::account::{Books, Category, Money, Role, Side, Status};
use crate::record::Part;
use crate::{Fake, Fixed, Venue};

/// Wallets that a key of the venue's API cannot see, or whose exporter says that it does not read them.
pub fn unseen(venue: Venue) -> &'static [&'static str] {
    match venue {
        Venue::Bybit => &["earn"],
        _ => &[],
    }
}

pub(super) fn code(venue: Venue, asset: &str) -> &str {
    if venue == Venue::Kucoin && asset == "XBT" { "BTC" } else { asset }
}

/// The wallets in which profits of positions appear: what of them is free is the venue's own reckoning.
pub(super) fn is_derivatives(wallet: &str) -> bool {
    matches!(wallet, "futures" | "coin_futures")
}

/// How the exporter calls a part of a wallet.
fn wallet(venue: Venue, wallet: &str, state: &str) -> String {
    match (venue, wallet, state) {
        (Venue::Binance, "margin", _) => "cross_margin",
        (Venue::Binance, "isolated", _) => "isolated_margin",
        // Flexible claims stand in the spot account, locked ones are asked for.
        (Venue::Binance, "earn", "locked") => "earn_locked",
        _ => wallet,
    }
    .to_owned()
}

/// The labels of a part of a wallet: wallet, asset, state.
pub(super) fn label(venue: Venue, name: &str, asset: &str, part: Part) -> [String; 3] {
    let state = state(part);
    [wallet(venue, name, state), code(venue, asset).to_owned(), state.to_owned()]
}

pub(super) fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-6)
}

fn label_of(sample: &Sample, label: &str) -> String {
    sample.labels.get(label).cloned().unwrap_or_default()
}

/// The wallet that trades pairs.
pub fn spot_wallet(venue: Venue) -> &'static str {
    match venue {
        Venue::Binance | Venue::Coinbase => "spot",
        Venue::Bybit => "unified",
        Venue::Kucoin => "trade",
        Venue::Okx => "trading",
    }
}

type Rows = BTreeMap<Vec<String>, f64>;

fn shown(scrape: &Exposition, name: &str, labels: &[&str]) -> Rows {
    let row = |sample: &Sample| (labels.iter().map(|label| label_of(sample, label)).collect(), sample.value);
    scrape.all(name).map(row).collect()
}

fn compare(name: &str, expected: &Rows, shown: &Rows, told: &mut Vec<String>) {
    for (labels, value) in expected {
        match shown.get(labels) {
            Some(there) if near(*there, *value) => {}
            there => told.push(format!("{name}{labels:?} is {there:?}, not {value}")),
        }
    }
    for (labels, value) in shown.iter().filter(|(labels, _)| !expected.contains_key(*labels)) {
        told.push(format!("{name}{labels:?} is {value}, and the books know nothing of it"));
    }
}

/// All that differs.
pub fn differences(fake: &Fake, books: &Books, scrape: &Exposition, since: Option<&Books>) -> Vec<String> {
    let mut told = Vec::new();
    balances(fake, books, scrape, &mut told);
    positions(books, scrape, &mut told);
    orders(books, scrape, &mut told);
    equity(fake, books, scrape, &mut told);
    if let Some(since) = since {
        history(fake.venue(), books, since, scrape, &mut told);
    }
    told
}

fn seen(fake: &Fake, books: &Books) -> Vec<(String, String, Money)> {
    let rows = books.wallets.iter().filter(|(wallet, _)| !unseen(fake.venue()).contains(&wallet.as_str()));
    let rows = rows.flat_map(|(wallet, assets)| {
        assets.iter().map(|(asset, money)| (wallet.clone(), code(fake.venue(), asset).to_owned(), *money))
    });
    rows.filter(|(_, _, money)| !money.is_nothing()).collect()
}

fn balances(fake: &Fake, books: &Books, scrape: &Exposition, told: &mut Vec<String>) {
    let mut expected = Rows::new();
    for (wallet, asset, money) in seen(fake, books).into_iter().filter(|(wallet, ..)| !is_derivatives(wallet)) {
        let states = [("free", money.free), ("locked", money.locked), ("borrowed", money.borrowed + money.interest)];
        for (state, amount) in states {
            let shown = self::wallet(fake.venue(), &wallet, state);
            expected.insert(vec![shown, asset.clone(), state.to_owned()], amount.as_f64());
        }
    }
    let mut there = shown(scrape, "exchange_balance", &["wallet", "asset", "state"]);
    there.retain(|labels, _| !is_derivatives(&labels[0]));
    // A state that a wallet does not have is left out; a zero says as much.
    expected.retain(|labels, amount| *amount != 0.0 || there.contains_key(labels));
    there.retain(|labels, amount| *amount != 0.0 || expected.contains_key(labels));
    compare("exchange_balance", &expected, &there, told);
}

fn market(category: Category) -> &'static str {
    match category {
        Category::Spot => "spot",
        Category::Linear => "linear",
        Category::Inverse => "inverse",
    }
}

/// A contract's label: base and quote.
pub fn symbol(name: &str) -> String {
    // Bybit's own short name of what is margined in USDC.
    let name = name
        .strip_suffix("PERP")
        .filter(|base| !base.ends_with('_'))
        .map_or(name.to_owned(), |base| format!("{base}USDC"));
    let name = name.trim_end_matches("-SWAP").trim_end_matches("_PERP").replace("XBT", "BTC");
    let name = name.strip_suffix("USDTM").map_or(name.clone(), |base| format!("{base}USDT"));
    let name = name.strip_suffix("USDM").map_or(name.clone(), |base| format!("{base}USD"));
    name.replace('-', "")
}

fn positions(books: &Books, scrape: &Exposition, told: &mut Vec<String>) {
    let mut expected = Rows::new();
    for position in &books.positions {
        let side = if position.side == Side::Buy { "long" } else { "short" };
        let units = position.size.times(position.contract_size);
        let coins = match position.category {
            Category::Inverse => units.as_f64() / position.mark.as_f64(),
            _ => units.as_f64(),
        };
        expected.insert(vec![market(position.category).into(), symbol(&position.symbol), side.into()], coins);
    }
    let there = shown(scrape, "exchange_position_quantity", &["market", "symbol", "side"]);
    // Some venues say what an inverse position is worth, and its size in coins follows, rounded.
    let rounded =
        |rows: &Rows| rows.iter().map(|(labels, value)| (labels.clone(), (value * 1e6).round() / 1e6)).collect();
    compare("exchange_position_quantity", &rounded(&expected), &rounded(&there), told);
    let count = scrape.all("exchange_open_positions").map(|sample| sample.value).sum::<f64>();
    if count != books.positions.len() as f64 {
        told.push(format!("{count} open positions, not {}", books.positions.len()));
    }
}

fn orders(books: &Books, scrape: &Exposition, told: &mut Vec<String>) {
    let mut expected = Rows::from([(vec!["spot".to_owned()], 0.0)]);
    for order in books.open_orders() {
        *expected.entry(vec![market(order.category).to_owned()]).or_default() += 1.0;
    }
    let mut there = shown(scrape, "exchange_open_orders", &["market"]);
    there.retain(|labels, count| *count != 0.0 || expected.contains_key(labels));
    compare("exchange_open_orders", &expected, &there, told);
}

/// What an asset is worth in USDT by the middle of the books of the venue: directly, else through one other asset.
fn worth(fake: &Fake, asset: &str) -> Option<f64> {
    let listings = prices::trading(fake);
    let mid = |base: &str, quote: &str| {
        let listing =
            listings.iter().find(|one| one.quote.base == base && one.quote.quote == quote && one.alias.is_none())?;
        let (bid, ask) = (listing.quote.bid?.price.as_f64(), listing.quote.ask?.price.as_f64());
        Some(f64::midpoint(bid, ask))
    };
    let price = |from: &str, to: &str| mid(from, to).or_else(|| mid(to, from).map(|price| 1.0 / price));
    if asset == "USDT" {
        return Some(1.0);
    }
    let ways = ["USD", "USDC", "BTC", "ETH"];
    let through = |way: &&str| Some(price(asset, way)? * price(way, "USDT")?);
    let further = || Some(price(asset, "BTC")? * price("BTC", "USD")? * price("USD", "USDT")?);
    price(asset, "USDT").or_else(|| ways.iter().find_map(through)).or_else(further)
}

/// What one USDT is by the venue, and how far the exporter may be off. A real rate moves within the minute after it was asked
/// for; a tether is two hundredths of a per cent from a dollar, which must not get lost nor be turned round.
fn fiats(fake: &Fake) -> Vec<(&'static str, f64, f64)> {
    let dollars = fake.dollars("USDT").map(|rate| ("USD", rate.as_f64(), 1e-4));
    let listings = prices::trading(fake);
    let real = listings.iter().find(|one| (&*one.quote.base, &*one.quote.quote) == ("USDT", "BRL"));
    let reals = real.and_then(|one| one.quote.last).map(|rate| ("BRL", rate.as_f64(), 1e-2));
    dollars.into_iter().chain(reals).collect()
}

fn equity(fake: &Fake, books: &Books, scrape: &Exposition, told: &mut Vec<String>) {
    let (mut expected, mut unpriced) = (0.0, BTreeSet::new());
    let profits =
        books.positions.iter().map(|position| (code(fake.venue(), &position.currency).to_owned(), position.unrealised));
    let held = seen(fake, books).into_iter().map(|(_, asset, money)| (asset, money.net()));
    for (asset, amount) in held.chain(profits) {
        match worth(fake, &asset) {
            Some(price) => expected += amount.as_f64() * price,
            None => {
                unpriced.insert(asset);
            }
        }
    }
    let there = scrape.value("exchange_equity", &[("currency", "USDT")]);
    // The market may have moved between two looks; what is left out or counted twice is far more.
    if there.is_none_or(|there| (there / expected - 1.0).abs() > 2e-3) {
        told.push(format!("equity is {there:?} USDT, not {expected}"));
    }
    for (currency, rate, tolerance) in fiats(fake) {
        let shown = scrape.value("exchange_equity", &[("currency", currency)]).zip(there);
        if shown.is_none_or(|(fiat, usdt)| (fiat / usdt / rate - 1.0).abs() > tolerance) {
            told.push(format!(
                "equity in {currency} over equity in USDT is {shown:?}, and one USDT is {rate} {currency}"
            ));
        }
    }
    let named: BTreeSet<String> =
        scrape.all("exchange_unpriced_balance").map(|sample| label_of(sample, "asset")).collect();
    if named != unpriced {
        told.push(format!("unpriced are {named:?}, not {unpriced:?}"));
    }
}

/// Orders, executions and fees since these books.
fn history(venue: Venue, books: &Books, since: &Books, scrape: &Exposition, told: &mut Vec<String>) {
    let (mut counts, mut volumes, mut fees) = (Rows::new(), Rows::new(), Rows::new());
    for fill in &books.fills[since.fills.len()..] {
        let side = if fill.side == Side::Buy { "buy" } else { "sell" };
        let role = if fill.role == Role::Maker { "maker" } else { "taker" };
        let labels = vec![market(fill.category).to_owned(), symbol(&fill.symbol), side.into(), role.into()];
        *counts.entry(labels.clone()).or_default() += 1.0;
        *volumes.entry(labels).or_default() += fill.quote_volume.as_f64();
        if fill.fee > Fixed::ZERO {
            *fees.entry(vec![code(venue, &fill.fee_asset).to_owned()]).or_default() += fill.fee.as_f64();
        }
    }
    let deal = ["market", "symbol", "side", "role"];
    compare("exchange_fills_total", &counts, &shown(scrape, "exchange_fills_total", &deal), told);
    let name = "exchange_fill_volume_quote_total";
    compare(name, &volumes, &shown(scrape, name, &deal), told);
    compare("exchange_fees_paid_total", &fees, &shown(scrape, "exchange_fees_paid_total", &["asset"]), told);
}

/// How often each fate of an order was counted.
pub fn fates(scrape: &Exposition) -> BTreeMap<String, f64> {
    let mut fates = BTreeMap::new();
    for sample in scrape.all("exchange_orders_total") {
        *fates.entry(label_of(sample, "status")).or_default() += sample.value;
    }
    fates
}

/// The same by the books, for orders that are not in `since`.
pub fn expected_fates(books: &Books, since: &Books) -> BTreeMap<String, f64> {
    let mut fates: BTreeMap<String, f64> = BTreeMap::new();
    let known: BTreeSet<&str> = since.orders.iter().map(|order| order.id.as_str()).collect();
    for order in &books.orders {
        let fate = match order.status {
            Status::New | Status::PartiallyFilled => None,
            Status::Filled => Some("filled"),
            Status::Canceled => Some("canceled"),
            Status::Rejected => Some("rejected"),
            Status::Expired => Some("expired"),
        };
        let ended_before = since.order(&order.id).is_some_and(|old| !old.status.is_open());
        if let Some(fate) = fate.filter(|_| !ended_before) {
            *fates.entry(fate.to_owned()).or_default() += 1.0;
        }
        if !known.contains(order.id.as_str()) && order.status != Status::Rejected {
            *fates.entry("new".to_owned()).or_default() += 1.0;
        }
    }
    fates
}
