//! What an exporter has to show, by what the fake venue sent.

use std::collections::BTreeMap;

use super::exposition::Exposition;
use crate::market::{Listing, Product, State};
use crate::record::Said;
use crate::{Entry, Fake, Fixed, Venue};

/// A figure: its canonical name, the end of its compatibility name, and where the ledger has it.
struct Figure {
    name: &'static str,
    compat: Option<&'static str>,
    what: Said,
    /// Zero is a price of nothing, but a true volume or change.
    is_price: bool,
    sent: fn(&Entry) -> Option<&str>,
}

const FIGURES: [Figure; 7] = [
    Figure {
        name: "exchange_last_price",
        compat: Some("last_price"),
        what: Said::Last,
        is_price: true,
        sent: |e| e.last.as_deref(),
    },
    Figure {
        name: "exchange_best_bid_price",
        compat: Some("best_bid"),
        what: Said::Bid,
        is_price: true,
        sent: |e| e.bid.as_deref(),
    },
    Figure {
        name: "exchange_best_ask_price",
        compat: Some("best_ask"),
        what: Said::Ask,
        is_price: true,
        sent: |e| e.ask.as_deref(),
    },
    Figure {
        name: "exchange_volume_24h_base",
        compat: Some("volume_24h"),
        what: Said::BaseVolume,
        is_price: false,
        sent: |e| e.base_volume.as_deref(),
    },
    Figure {
        name: TURNOVER,
        compat: None,
        what: Said::QuoteVolume,
        is_price: false,
        sent: |e| e.quote_volume.as_deref(),
    },
    Figure {
        name: "exchange_high_24h_price",
        compat: None,
        what: Said::High,
        is_price: true,
        sent: |e| e.high.as_deref(),
    },
    Figure {
        name: "exchange_low_24h_price",
        compat: None,
        what: Said::Low,
        is_price: true,
        sent: |e| e.low.as_deref(),
    },
];
const TURNOVER: &str = "exchange_volume_24h_quote";
const CHANGE: &str = "exchange_price_change_24h_ratio";

fn compat_suffix(venue: Venue, name: &str) -> Option<&str> {
    name.strip_prefix(venue.name())?.strip_prefix('_')
}

fn figure(venue: Venue, name: &str) -> Option<&'static Figure> {
    let suffix = compat_suffix(venue, name);
    FIGURES.iter().find(|figure| figure.name == name || (figure.compat.is_some() && figure.compat == suffix))
}

/// Which of the venue's words a metric shows, if any.
pub(super) fn said(venue: Venue, name: &str) -> Option<Said> {
    if name == CHANGE { Some(Said::Change) } else { figure(venue, name).map(|figure| figure.what) }
}

/// The canonical name of a compatibility name of a figure.
pub(super) fn canonical(venue: Venue, name: &str) -> Option<&'static str> {
    figure(venue, name).map(|figure| figure.name).filter(|canonical| *canonical != name)
}

/// Whether a metric leaves with its connection: prices and volumes, and what tells of their age.
pub(super) fn is_figure(venue: Venue, name: &str) -> bool {
    let told = name == "exchange_ticker_last_update_timestamp_seconds";
    told || said(venue, name).is_some() || compat_suffix(venue, name) == Some("latency_seconds")
}

/// The listings that may be shown: spot, and trading.
pub fn trading(fake: &Fake) -> Vec<Listing> {
    let market = fake.market();
    let trades = |listing: &&Listing| listing.state == State::Trading && listing.product == Product::Spot;
    market.listings().iter().filter(trades).cloned().collect()
}

/// The `symbol` label of a listing.
pub fn label(listing: &Listing) -> String {
    format!("{}{}", listing.quote.base, listing.quote.quote).to_uppercase()
}

/// What the exporter heard of a symbol last: over the stream, and over REST where it asks there for what the stream
/// leaves out. A stream that begins anew may leave out everything that does not move.
fn told(fake: &Fake, listing: &Listing) -> Entry {
    // Of a pair with two names the stream speaks under one of them.
    let heard = listing.alias.as_deref().unwrap_or(&listing.quote.symbol);
    let streamed = fake.ledger(heard).unwrap_or_default();
    let asked = fake.rest_ledger(heard).unwrap_or_default();
    match fake.venue() {
        Venue::Binance | Venue::Kucoin if is_current(&asked, listing) && !is_current(&streamed, listing) => {
            rather(asked, streamed)
        }
        Venue::Binance | Venue::Kucoin => rather(streamed, asked),
        Venue::Coinbase => rather(streamed, Entry { quote_volume: asked.quote_volume, ..Entry::default() }),
        Venue::Bybit | Venue::Okx => streamed,
    }
}

fn is_current(entry: &Entry, listing: &Listing) -> bool {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let now = |fixed: Option<Fixed>| fixed.and_then(|fixed| fixed.to_string().parse::<f64>().ok()).unwrap_or(0.0);
    let quote = &listing.quote;
    number(&entry.last) == now(quote.last)
        && number(&entry.bid) == now(quote.bid.map(|bid| bid.price))
        && number(&entry.ask) == now(quote.ask.map(|ask| ask.price))
        && number(&entry.base_volume) == now(Some(quote.base_volume))
}

/// Each figure from the first that has it.
fn rather(first: Entry, second: Entry) -> Entry {
    let changes = first.change.is_some() || first.open.is_some();
    Entry {
        last: first.last.or(second.last),
        bid: first.bid.or(second.bid),
        ask: first.ask.or(second.ask),
        base_volume: first.base_volume.or(second.base_volume),
        quote_volume: first.quote_volume.or(second.quote_volume),
        high: first.high.or(second.high),
        low: first.low.or(second.low),
        open: first.open.or(second.open),
        change: first.change.or(second.change),
        change_ratio: if changes { first.change_ratio } else { second.change_ratio },
        frames: first.frames,
    }
}

/// Every figure that a symbol must show, by name; what is not in it must not be shown.
fn expected(fake: &Fake, listing: &Listing) -> BTreeMap<String, f64> {
    let entry = told(fake, listing);
    let mut expected = BTreeMap::new();
    for figure in &FIGURES {
        let sent: Option<f64> = (figure.sent)(&entry).and_then(|text| text.parse().ok());
        let Some(value) = sent.filter(|value| !figure.is_price || *value != 0.0) else { continue };
        expected.insert(figure.name.to_owned(), value);
        if let Some(compat) = figure.compat {
            expected.insert(format!("{}_{compat}", fake.venue().name()), value);
        }
    }
    if let Some(ratio) = entry.change_ratio {
        expected.insert(CHANGE.to_owned(), ratio);
    }
    expected
}

/// How a scrape differs from what was sent, one line a figure: of symbols that are exported, in both directions.
///
/// Coinbase tells the turnover over REST only, in the list that is also asked for other reasons: where the exporter reads
/// that list often (`relists`), the ledger is ahead of the minute's question that the shown value comes from.
pub fn differences(fake: &Fake, scrape: &Exposition, relists: bool) -> Vec<String> {
    let mut shown: BTreeMap<&str, BTreeMap<String, f64>> = BTreeMap::new();
    for sample in scrape.all("exchange_symbol_info") {
        shown.insert(&sample.labels["symbol"], BTreeMap::new());
    }
    let behind = relists && fake.venue() == Venue::Coinbase;
    let mut differences = Vec::new();
    for sample in scrape.samples().filter(|sample| said(fake.venue(), &sample.name).is_some()) {
        match sample.labels.get("symbol").and_then(|symbol| shown.get_mut(symbol.as_str())) {
            Some(figures) => drop(figures.insert(sample.name.clone(), sample.value)),
            None => differences.push(format!("{} of a symbol without a name: {:?}", sample.name, sample.labels)),
        }
    }
    let listings: BTreeMap<String, Listing> = trading(fake).into_iter().map(|one| (label(&one), one)).collect();
    for (symbol, shown) in shown {
        match listings.get(symbol) {
            Some(listing) => {
                let mut expected = expected(fake, listing);
                // It only grows.
                if behind && shown.get(TURNOVER).zip(expected.get(TURNOVER)).is_some_and(|(shown, sent)| shown <= sent)
                {
                    expected.insert(TURNOVER.to_owned(), shown[TURNOVER]);
                }
                differences.extend(compare(symbol, &expected, &shown));
            }
            None => differences.push(format!("{symbol} does not trade, but is exported")),
        }
    }
    differences
}

fn compare(symbol: &str, expected: &BTreeMap<String, f64>, shown: &BTreeMap<String, f64>) -> Vec<String> {
    let names = expected.keys().chain(shown.keys().filter(|name| !expected.contains_key(*name)));
    let differ = |name: &&String| match (expected.get(*name), shown.get(*name)) {
        // A ratio is computed on both sides; everything else is the very number that was sent.
        (Some(a), Some(b)) if *name == CHANGE => (a - b).abs() > 1e-12,
        (a, b) => a != b,
    };
    let tell = |name| format!("{symbol} {name}: sent {:?}, shown {:?}", expected.get(name), shown.get(name));
    names.filter(differ).map(tell).collect()
}
