//! Balances and orders while the account is busy: each is what the books said at some time since the refresh that the exporter itself names.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::books::{is_derivatives, label, near, unseen};
use super::exposition::Exposition;
use super::{before, unix_now};
use crate::Venue;
use crate::account::Category;
use crate::record::{History, Part, Record};

/// A refresh asks one question after the other, at the venue's pace: its end is later than what it says.
const REFRESH: Duration = Duration::from_secs(40);
/// Three refreshes in a row fail within this, each question waiting as long as it may.
const OLDEST: f64 = 240.0;

pub(super) fn differences(venue: Venue, scrape: &Exposition, record: &Record, asked: Instant) -> Vec<String> {
    let mut wrong = sums(scrape);
    let shown = || scrape.all("exchange_balance");
    if shown().next().is_none() {
        return wrong;
    }
    let Some(success) = scrape.value("exchange_account_last_success_timestamp_seconds", &[]) else {
        wrong.push("balances without a complete refresh".to_owned());
        return wrong;
    };
    let age = (unix_now() - success).max(0.0);
    if age > OLDEST {
        wrong.push(format!("balances although the last refresh was {age:.0} s ago"));
    }
    let since = before(asked, Duration::from_secs_f64(age) + REFRESH);
    let books: BTreeMap<[String; 3], &History> = record
        .balances()
        .filter(|(wallet, ..)| !is_derivatives(wallet) && !unseen(venue).contains(wallet))
        .map(|(wallet, asset, part, history)| (label(venue, wallet, asset, part), history))
        .collect();
    let mut found = Vec::new();
    for sample in shown() {
        let label = ["wallet", "asset", "state"].map(|name| sample.labels.get(name).cloned().unwrap_or_default());
        if is_derivatives(&label[0]) {
            continue;
        }
        let known = books.get(&label);
        if !known.map_or(sample.value == 0.0, |history| history.held(since, |value| near(value, sample.value))) {
            wrong.push(format!("{sample}: the books say {}", known.map_or("nothing".to_owned(), |one| one.last(4))));
        }
        found.push(label);
    }
    // What a key may not read, or what could not be read for long, is said to be unread, and not shown.
    if scrape.all("exchange_wallet_read_status").all(|wallet| wallet.value == 1.0) {
        let gone =
            books.iter().filter(|(label, history)| !found.contains(label) && !history.held(since, |one| one == 0.0));
        wrong.extend(gone.map(|(label, history)| format!("{label:?} is missing: the books say {}", history.last(2))));
    }
    for sample in scrape.all("exchange_open_orders") {
        let on = sample.labels.get("market").map(String::as_str).unwrap_or_default();
        let (fewest, most) = record.orders(category(on), since);
        if !(fewest..=most).contains(&sample.value) {
            wrong.push(format!("{sample}: by the books between {fewest} and {most}"));
        }
    }
    wrong
}

/// Equity is the sum of what its assets are worth.
fn sums(scrape: &Exposition) -> Vec<String> {
    let Some(equity) = scrape.value("exchange_equity", &[("currency", "USDT")]) else { return Vec::new() };
    let assets: f64 = scrape.all("exchange_asset_value_usdt").map(|sample| sample.value).sum();
    let off = (equity - assets).abs() > 1e-6 * equity.abs().max(1.0);
    off.then(|| format!("equity is {equity} USDT, and the assets are worth {assets}")).into_iter().collect()
}

fn category(market: &str) -> Category {
    match market {
        "linear" => Category::Linear,
        "inverse" => Category::Inverse,
        _ => Category::Spot,
    }
}

/// States as they are labelled.
pub(super) const fn state(part: Part) -> &'static str {
    match part {
        Part::Free => "free",
        Part::Locked => "locked",
        Part::Owed => "borrowed",
    }
}
