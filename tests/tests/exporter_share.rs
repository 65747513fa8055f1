//! The share: however often the account is to be refreshed, the venue sees no more than a tenth of its limits used.

mod exporter;
#[path = "exporter/keys.rs"]
mod keys;

use std::time::Duration;

use exporter::{Rig, everywhere, fake};
use fake_venues::Venue;
use tokio::time::sleep;

/// What the venue allows in a window, and what of it each request is charged; `None` for requests under other limits.
struct Rule {
    window: u64,
    limit: u64,
    charge: fn(&str, &str) -> Option<u64>,
}

/// The weights of the venues' documents, of the requests that an exporter sends.
fn rules(venue: Venue) -> Vec<Rule> {
    match venue {
        Venue::Binance => vec![
            Rule { window: 60_000, limit: 6_000, charge: binance },
            Rule { window: 60_000, limit: 2_400, charge: binance_futures },
        ],
        Venue::Kucoin => vec![
            Rule { window: 30_000, limit: 2_000, charge: kucoin_management },
            Rule { window: 30_000, limit: 4_000, charge: kucoin_spot },
        ],
        Venue::Bybit => vec![Rule { window: 5_000, limit: 600, charge: |_, _| Some(1) }],
        Venue::Coinbase => vec![Rule { window: 3_600_000, limit: 10_000, charge: coinbase }],
        // Twenty in two seconds is the least that any endpoint but two allows.
        Venue::Okx => vec![Rule { window: 60_000, limit: 600, charge: |_, _| Some(1) }],
    }
}

fn binance(path: &str, query: &str) -> Option<u64> {
    path.starts_with("/api/").then_some(match path {
        "/api/v3/openOrders" => 80,
        "/api/v3/account" | "/api/v3/exchangeInfo" | "/api/v3/myTrades" => 20,
        "/api/v3/ticker/24hr" if query.is_empty() => 80,
        "/api/v3/ticker/24hr" => 40,
        _ => 1,
    })
}

fn binance_futures(path: &str, _: &str) -> Option<u64> {
    path.starts_with("/fapi/").then_some(match path {
        "/fapi/v1/openOrders" => 40,
        "/fapi/v1/listenKey" | "/fapi/v1/assetIndex" => 1,
        _ => 5,
    })
}

fn kucoin_management(path: &str, _: &str) -> Option<u64> {
    match path {
        "/api/v1/accounts" => Some(5),
        "/api/v1/user/api-key" => Some(20),
        _ => None,
    }
}

fn kucoin_spot(path: &str, _: &str) -> Option<u64> {
    match path {
        "/api/v3/margin/accounts" | "/api/v3/isolated/accounts" => Some(15),
        "/api/v1/bullet-private" => Some(10),
        path if path.starts_with("/api/v1/hf/") => Some(2),
        _ => None,
    }
}

fn coinbase(path: &str, _: &str) -> Option<u64> {
    (path.starts_with("/api/v3/brokerage/") && !path.contains("/market/") && !path.ends_with("/time")).then_some(1)
}

/// How much later than it was sent a question may reach the venue, in milliseconds: so much closer may others follow it.
const LATE: u64 = 500;

/// The most that any window was charged.
fn most(charged: &[(u64, u64)], window: u64) -> u64 {
    let window = window - LATE;
    let sum = |begin: u64| {
        charged.iter().filter(|(at, _)| (begin..begin + window).contains(at)).map(|(_, units)| units).sum()
    };
    charged.iter().map(|(at, _)| sum(*at)).max().unwrap_or(0)
}

#[tokio::test]
async fn no_window_holds_more_than_the_share() {
    everywhere(async |venue| {
        let rig = Rig::with_key(fake(venue), &["--exchange.symbols=top:5", "--exchange.account-interval=1s"]);
        rig.until_ready().await;
        sleep(Duration::from_secs(25)).await;
        let asked = rig.fake.seen().asked;
        for rule in rules(venue) {
            let charge = |one: &fake_venues::Asked| Some((one.at, (rule.charge)(&one.path, &one.query)?));
            let charged: Vec<(u64, u64)> = asked.iter().filter_map(charge).collect();
            let (used, share) = (most(&charged, rule.window), rule.limit / 10);
            rig.check(!charged.is_empty(), "something was asked under this limit");
            rig.check(
                used <= share,
                format!("{used} of {} in {} ms, which is more than {share}", rule.limit, rule.window),
            );
        }
        rig.is_polite();
    })
    .await;
}
