//! The cases that cost people money when they are guessed.

use super::*;

const NOW: f64 = 1_000_000.0;
const HUBS: &[&str] = &["USDT", "USDC", "USD", "BTC", "ETH", "EUR"];

fn book(bid: f64, ask: f64, age: f64) -> Quote {
    Quote { bid: Some(bid), ask: Some(ask), last: Some(bid), at: NOW - age, live: false }
}

fn prices<'q>(markets: &[(&'q str, &'q str, Quote)]) -> Prices<'q> {
    let mut prices = Prices::new(HUBS, NOW);
    markets.iter().for_each(|(base, quote, said)| prices.market(base, quote, said));
    prices
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn rate(prices: &Prices<'_>, from: &str) -> Option<String> {
    prices.route(from, USDT).map(|route| format!("{} {}", route.rate.normalize(), route.path.join(">")))
}

fn held(asset: &str, net: &str) -> Balance {
    Balance { wallet: "spot", asset: asset.into(), net: Some(dec(net)), ..Balance::default() }
}

#[test]
fn routes_go_over_whatever_market_there_is() {
    let markets = [
        ("BTC", "USDT", book(90_000.0, 90_002.0, 1.0)),
        ("ETH", "BTC", book(0.033, 0.033, 1.0)),
        ("ONLYBTC", "BTC", book(0.0001, 0.0001, 2.0)),
        ("ONLYETH", "ETH", book(0.5, 0.5, 2.0)),
        ("EURO", "EUR", book(2.0, 2.0, 2.0)),
        ("USDT", "EUR", book(0.8, 0.8, 2.0)),
    ];
    let prices = prices(&markets);
    assert_eq!(rate(&prices, "BTC").unwrap(), "90001 BTC>USDT");
    assert_eq!(rate(&prices, "ONLYBTC").unwrap(), "9.0001 ONLYBTC>BTC>USDT");
    assert_eq!(rate(&prices, "ONLYETH").unwrap(), "1485.0165 ONLYETH>ETH>BTC>USDT");
    assert_eq!(rate(&prices, "EURO").unwrap(), "2.5 EURO>EUR>USDT", "a market may be written the other way round");
    assert_eq!(rate(&prices, "USDT").unwrap(), "1 USDT");
    assert_eq!(rate(&prices, "FOO.S"), None, "an unknown suffix is not guessed");
}

#[test]
fn of_two_routes_the_cheaper_wins_and_a_fresh_one_beats_a_stale_one() {
    let wide = [
        ("X", "USDT", book(98.0, 102.0, 1.0)),
        ("X", "USDC", book(100.0, 100.1, 1.0)),
        ("USDC", "USDT", book(0.9999, 1.0001, 1.0)),
    ];
    assert!(rate(&prices(&wide), "X").unwrap().ends_with("X>USDC>USDT"));
    let stale = [
        ("X", "USDT", book(98.0, 102.0, 1.0)),
        ("X", "USDC", book(100.0, 100.1, 1.0)),
        ("USDC", "USDT", book(0.9999, 1.0001, 600.0)),
    ];
    assert!(rate(&prices(&stale), "X").unwrap().ends_with("X>USDT"));
    let dead = [("X", "USDC", book(100.0, 100.1, 1.0)), ("USDC", "USDT", book(0.9999, 1.0001, 901.0))];
    assert_eq!(rate(&prices(&dead), "X"), None);
    let live = Quote { live: true, ..book(1.0, 1.0, 5000.0) };
    assert_eq!(rate(&prices(&[("X", "USDT", live)]), "X").unwrap(), "1 X>USDT", "quiet is not dead");
}

#[test]
fn a_book_that_is_none_is_no_price() {
    let crossed = [("X", "USDT", book(120.0, 100.0, 1.0))];
    assert_eq!(rate(&prices(&crossed), "X"), None);
    let one_sided = Quote { bid: None, ask: Some(500.0), last: Some(100.0), at: NOW, live: false };
    assert_eq!(rate(&prices(&[("X", "USDT", one_sided)]), "X").unwrap(), "100 X>USDT");
    let nothing = Quote { at: NOW, ..Quote::default() };
    assert_eq!(rate(&prices(&[("X", "USDT", nothing)]), "X"), None);
    assert_eq!(rate(&prices(&[("X", "USDT", book(0.0, 0.0, 1.0))]), "X"), None);
}

#[test]
fn debt_is_subtracted_stablecoins_are_priced_and_what_has_no_price_is_told_apart() {
    let markets = [("BTC", "USDT", book(90_000.0, 90_000.0, 60.0)), ("FDUSD", "USDT", book(0.97, 0.97, 5.0))];
    let prices = prices(&markets);
    let balances = [
        held("BTC", "0.5"),
        Balance { wallet: "margin", ..held("BTC", "-0.1") },
        held("FDUSD", "1000"),
        held("USDT", "-250.25"),
        held("SPAM", "1000000"),
        held("DUST", "0"),
    ];
    let worth = value(&balances, &prices);
    assert_eq!(worth.usdt, dec("36719.75"));
    assert_eq!(worth.assets["BTC"], dec("36000"));
    assert_eq!(worth.assets["FDUSD"], dec("970"));
    assert_eq!(worth.unpriced, BTreeMap::from([("SPAM".to_owned(), dec("1000000"))]));
    assert_eq!(worth.coverage, 0.75);
    assert_eq!(worth.oldest, Some(NOW - 60.0));
}

#[test]
fn an_empty_account_is_worth_nothing_and_wholly_covered() {
    assert_eq!(value(&[], &prices(&[])), Worth { coverage: 1.0, ..Worth::default() });
    let dollars = value(&[held("USDT", "5")], &prices(&[]));
    assert_eq!((dollars.usdt, dollars.oldest), (dec("5"), None));
}

#[test]
fn a_claim_at_par_and_a_named_rate_are_edges_too() {
    let mut all = prices(&[("BTC", "USDC", book(90_000.0, 90_000.0, 1.0))]);
    all.par("BYUSDT", "USDT");
    all.par("USDC", "USD");
    all.rate("USDT", "USD", dec("0.9995"), NOW - 10.0);
    assert_eq!(rate(&all, "BYUSDT").unwrap(), "1 BYUSDT>USDT");
    assert_eq!(all.route(USDT, USD).unwrap().rate, dec("0.9995"));
    assert_eq!(all.route("BTC", USDT).unwrap().path.join(">"), "BTC>USDC>USD>USDT");
}

#[test]
fn fiat_is_reached_through_dollars_only() {
    let markets = [
        ("USDT", "BRL", book(5.20, 5.22, 1.0)),
        ("BTC", "BRL", book(460_000.0, 460_000.0, 1.0)),
        ("BTC", "USDT", book(90_000.0, 90_000.0, 1.0)),
    ];
    let all = prices(&markets);
    assert_eq!(all.route_through(USDT, "BRL", &["USDC"]).unwrap().rate, dec("5.21"));
    assert_eq!(prices(&markets[1..]).route_through(USDT, "BRL", &["USDC"]), None);
}

#[test]
fn no_price_moves_a_decimal() {
    let exact = book(0.1, 0.3, 0.0).price(NOW);
    assert_eq!(exact, None, "as wide as that is no book");
    let quote = Quote { last: Some(90_787.7), at: NOW, ..Quote::default() };
    assert_eq!(quote.price(NOW).unwrap().rate, dec("90787.7"));
}
