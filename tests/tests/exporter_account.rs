//! The account: what exporters show is what is in the fakes' books, through everything that streams and REST do to it.

#![expect(clippy::expect_used, reason = "a test fails where the fake refuses")]

#[path = "exporter/books.rs"]
mod books;
mod exporter;
#[path = "exporter/keys.rs"]
mod keys;

use std::time::Duration;

use exporter::exposition::Exposition;
use exporter::{Rig, dollar, everywhere, fake, start};
use fake_venues::account::{Role, Side};
use fake_venues::inspect::books::{expected_fates, fates, spot_wallet};
use fake_venues::{Fault, Fixed, Options, Venue};
use tokio::time::sleep;

fn units(text: &str) -> Fixed {
    text.parse().expect("a number")
}

/// The pair of ether and dollar, in the venue's spelling.
fn ether(venue: Venue) -> String {
    venue.spell("ETH", dollar(venue))
}

/// Ten times as often as usual, which needs more than the usual share of the venue's limits.
const FLAGS: [&str; 3] =
    ["--exchange.symbols=all", "--exchange.account-interval=3s", "--exchange.rate-limit-share=0.5"];

/// The first refresh has to be behind, and the private stream up.
async fn settled(rig: &Rig) {
    rig.until_ready().await;
    rig.agrees_with_books("at the start", None).await;
}

/// One deed after the other, each shown as the books have it.
async fn shows_the_books(venue: Venue) {
    let rig = Rig::with_key(fake(venue), &FLAGS);
    settled(&rig).await;
    let (fake, since) = (&rig.fake, rig.fake.books());
    let spot = spot_wallet(venue);
    fake.deposit(spot, "SOL", units("3.25"));
    rig.agrees_with_books("a deposit", Some(&since)).await;
    let price = fake.market().find(&ether(venue)).and_then(|listing| listing.quote.last).expect("a price");
    let order = fake.place(&ether(venue), Side::Buy, price, units("0.5")).expect("funds");
    rig.agrees_with_books("an order", Some(&since)).await;
    fake.fill(&order, units("0.2"), Role::Maker).expect("an open order");
    rig.agrees_with_books("a part of it", Some(&since)).await;
    fake.fill(&order, units("0.3"), Role::Taker).expect("an open order");
    let other = fake.place(&ether(venue), Side::Sell, price, units("0.1")).expect("funds");
    fake.cancel(&other).expect("an open order");
    rig.agrees_with_books("the rest, and one that is cancelled", Some(&since)).await;
    let counted = expected_fates(&fake.books(), &since);
    rig.until_scrape("every order's fate is counted", |scrape| fates(scrape) == counted).await;
    for position in fake.books().positions {
        fake.close_position(position.category, &position.symbol).expect("an open position");
    }
    rig.agrees_with_books("positions closed", Some(&since)).await;
    rig.is_polite();
}

/// The account is busy, and the stream is at its worst.
async fn survives(venue: Venue) {
    let options = Options { trader: Some(Duration::from_millis(60)), frozen: true, ..Options::default() };
    let rig = Rig::with_key(start(venue, options), &FLAGS);
    let since = rig.fake.books();
    rig.fake.inflict(Fault::RepeatEvents);
    rig.fake.inflict(Fault::SwapEvents);
    rig.fake.freeze(false);
    rig.until_ready().await;
    for cut in [Fault::Drop, Fault::Close, Fault::Reset] {
        sleep(Duration::from_secs(2)).await;
        rig.fake.inflict(cut.private());
    }
    sleep(Duration::from_secs(2)).await;
    rig.agrees_with_books("after cuts, repetition and disorder", Some(&since)).await;
    let reconnects = rig
        .scrape()
        .await
        .all("exchange_websocket_reconnects_total")
        .filter(|one| one.labels.get("stream").is_some_and(|stream| stream == "private"))
        .map(|one| one.value)
        .sum::<f64>();
    rig.check(reconnects >= 3.0, format!("{reconnects} reconnects of the private stream"));
}

/// One question of many that is not answered: three refreshes wait for it, then the rest is shown and the part is said to be
/// unread, until it is answered again.
#[tokio::test]
async fn a_part_that_is_down_holds_up_the_rest_for_three_refreshes_only() {
    everywhere(async |venue| {
        let (path, wallet) = match venue {
            Venue::Binance => ("get-funding-asset", "funding"),
            Venue::Bybit => ("query-account-coins-balance", "funding"),
            Venue::Coinbase => ("cfm/balance_summary", "futures"),
            Venue::Kucoin => ("margin/accounts", "margin"),
            Venue::Okx => ("asset/balances", "funding"),
        };
        let fake = fake(venue);
        fake.inflict(Fault::RestPathDown { path: path.to_owned() });
        let flags = ["--exchange.account-interval=1s", "--exchange.rate-limit-share=0.5"];
        let rig = Rig::with_key(fake, &flags);
        let read = |now: &Exposition| now.value("exchange_wallet_read_status", &[("wallet", wallet)]);
        let worth = |now: &Exposition| now.value("exchange_equity", &[("currency", "USDT")]);
        let scrape = rig.until_scrape("the rest is shown", |now| worth(now).is_some()).await;
        rig.check(read(&scrape) == Some(0.0), "the part is said to be unread");
        rig.check(scrape.errors("venue", "rest") >= 3.0, "it was waited for");
        rig.fake.clear();
        let whole = rig.until_scrape("it is read", |now| read(now) == Some(1.0)).await;
        rig.check(worth(&whole) > worth(&scrape), "its money counts");
        rig.fake.inflict(Fault::RestPathDown { path: path.to_owned() });
        rig.until_scrape("it is unread again", |now| read(now) == Some(0.0) && worth(now).is_some()).await;
    })
    .await;
}

/// Placed while no stream was there to tell, on a pair that nothing had happened on before: REST finds it.
#[tokio::test]
async fn an_order_that_no_stream_told_is_found() {
    everywhere(async |venue| {
        let rig = Rig::with_key(fake(venue), &FLAGS);
        settled(&rig).await;
        rig.fake.inflict(Fault::RefuseDial.private());
        rig.fake.inflict(Fault::Drop.private());
        let away = |now: &Exposition| now.value("exchange_connection_status", &[("stream", "private")]) == Some(0.0);
        rig.until_scrape("the private stream is away", away).await;
        let pair = venue.spell("UNI", dollar(venue));
        let price = rig.fake.market().find(&pair).and_then(|listing| listing.quote.last).expect("a price");
        rig.fake.place(&pair, Side::Buy, price, units("1")).expect("funds");
        rig.fake.clear();
        rig.agrees_with_books("an order that no stream told", None).await;
    })
    .await;
}

/// What a fiat is worth is told by the venue's own market; when that goes, by another venue's, and the label says whose.
#[tokio::test]
async fn fiat_comes_from_another_venue_when_its_own_market_goes() {
    let binance = fake(Venue::Binance);
    let source = format!("--equity.rate-sources=okx,binance={}", binance.rest_url());
    let rig = Rig::with_key(fake(Venue::Okx), &["--exchange.symbols-interval=1s", &source]);
    let by = |source: &'static str| {
        move |now: &Exposition| {
            let rate = now.value("exchange_fx_rate", &[("quote", "BRL"), ("source", source)]);
            let equity = |currency| now.value("exchange_equity", &[("currency", currency)]);
            let both = equity("BRL").zip(equity("USDT"));
            rate.zip(both).is_some_and(|(rate, (fiat, usdt))| (fiat / usdt / rate - 1.0).abs() < 1e-9)
        }
    };
    let scrape = rig.until_scrape("the venue's own market tells", by("okx")).await;
    rig.check(scrape.value("okx_equity_brl", &[]).is_some(), "the compatibility name is there, too");
    rig.check(scrape.value("exchange_equity", &[("currency", "USD")]).is_some(), "and dollars");
    rig.fake.delist("USDC-BRL");
    rig.check(rig.fake.delist("USDT-BRL"), "there was such a market");
    rig.until_scrape("another venue tells", by("binance")).await;
}

/// Nobody tells: then there is no figure, and it is said that there is none.
#[tokio::test]
async fn without_a_rate_there_is_no_equity_in_that_currency() {
    let rig = Rig::with_key(fake(Venue::Coinbase), &["--equity.fiat=XAF"]);
    let scrape = rig
        .until_scrape("equity is known", |now| now.value("exchange_equity", &[("currency", "USDT")]).is_some())
        .await;
    rig.check(scrape.value("exchange_equity", &[("currency", "XAF")]).is_none(), "no figure in that currency");
    rig.check(scrape.value("exchange_fx_available", &[("currency", "XAF")]) == Some(0.0), "which is said");
    rig.check(scrape.value("exchange_fx_available", &[("currency", "USD")]) == Some(1.0), "dollars are known");
    // These tests name no source: what nobody is asked is no failed request of the venue.
    rig.check(scrape.all("exchange_requests_total").all(|one| one.labels["endpoint"] != "fx"), "nobody was asked");
}

macro_rules! on_every_venue {
    ($($venue:ident: $one:ident, $other:ident;)*) => {$(
        #[tokio::test]
        async fn $one() {
            shows_the_books(Venue::$venue).await;
        }

        #[tokio::test]
        async fn $other() {
            survives(Venue::$venue).await;
        }
    )*};
}

on_every_venue! {
    Binance: binance_shows_the_books, binance_survives;
    Bybit: bybit_shows_the_books, bybit_survives;
    Coinbase: coinbase_shows_the_books, coinbase_survives;
    Kucoin: kucoin_shows_the_books, kucoin_survives;
    Okx: okx_shows_the_books, okx_survives;
}
