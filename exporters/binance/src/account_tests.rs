//! The account's questions, with the answers of the venue's documents.

use super::*;
use common::account::{Role, Side, Status, read};
use common::{Decimal, Fact, Hosts, Kind};

fn owner(rest: &'static str) -> Owner {
    let setup =
        Setup { hosts: Hosts::new(rest, "", "", "wss://x"), ws_given: false, ws_private_given: false, testnet: false };
    Owner { setup, keys: Keyring::fixed(["key", "secret"]) }
}

/// Of a reply that is the only page.
fn told(decode: Decoder, body: &str) -> Vec<Entry> {
    let (entries, next) = read(decode, body).unwrap();
    assert_eq!(next, None);
    entries
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Wallet, asset, free, locked, net.
type Line = (&'static str, String, Option<Decimal>, Option<Decimal>, Decimal);

fn held(decode: Decoder, body: &str) -> Vec<Line> {
    let line = |entry| match entry {
        Entry::Balance(one) => (one.wallet, one.asset.clone(), one.free, one.locked, one.net()),
        other => panic!("{other:?}"),
    };
    told(decode, body).into_iter().map(line).collect()
}

#[test]
fn the_spot_wallet_and_what_it_shows_of_simple_earn() {
    let body = r#"{"makerCommission":10,"canWithdraw":true,"updateTime":1795160001234,"balances":[{"asset":"BTC","free":"0.51200000","locked":"0.01000000"},{"asset":"LDUSDT","free":"5000.00000000","locked":"0.00000000"}],"permissions":["SPOT"],"uid":354937868}"#;
    let rows = [
        ("spot", "BTC".to_owned(), Some(dec("0.512")), Some(dec("0.01")), dec("0.522")),
        ("earn", "USDT".to_owned(), Some(dec("5000")), Some(dec("0")), dec("5000")),
    ];
    assert_eq!(held(spot, body), rows);
}

#[test]
fn a_row_that_cannot_be_read_loses_no_other() {
    let mut told = Vec::new();
    let body = r#"{"balances":[{"asset":"BTC","free":"x"},{"asset":"ETH","free":"1","locked":"0"}]}"#;
    spot(body, &mut |update| told.push(update)).unwrap();
    assert!(matches!(told[..], [Update::Misread(_), Update::Fact(Fact::Entry(Entry::Balance(_)))]));
}

#[test]
fn what_lies_elsewhere() {
    let body =
        r#"[{"asset":"USDT","free":"10.0","locked":"1","freeze":"2","withdrawing":"3","btcValuation":"0.00011"}]"#;
    assert_eq!(held(funding, body), [("funding", "USDT".into(), Some(dec("10.0")), Some(dec("6")), dec("16.0"))]);
    let body = r#"{"marginLevel":"2","TotalCollateralValueInUSDT":"5","userAssets":[{"asset":"BTC","borrowed":"0.5","free":"0.1","interest":"0.01","locked":"0","netAsset":"-0.41"},{"asset":"ETH","borrowed":"0","free":"0","interest":"0","locked":"0","netAsset":"0"}]}"#;
    assert_eq!(held(cross, body), [("cross_margin", "BTC".into(), Some(dec("0.1")), Some(dec("0")), dec("-0.41"))]);
    let body = r#"{"assets":[{"symbol":"BTCUSDT","baseAsset":{"asset":"BTC","borrowed":"0","free":"1","interest":"0","locked":"0","netAsset":"1"},"quoteAsset":{"asset":"USDT","borrowed":"20","free":"30","interest":"0","locked":"0","netAsset":"10"}},{"symbol":"ETHUSDT","baseAsset":{"asset":"ETH","borrowed":"0","free":"0","interest":"0","locked":"0","netAsset":"0"},"quoteAsset":{"asset":"USDT","borrowed":"0","free":"5","interest":"0","locked":"0","netAsset":"5"}}]}"#;
    let sums: Vec<_> = held(isolated, body).into_iter().map(|row| (row.1, row.4)).collect();
    assert_eq!(sums, [("BTC".into(), dec("1")), ("USDT".into(), dec("15"))]);
    let body = r#"{"rows":[{"positionId":1,"asset":"ETH","amount":"1.5"},{"positionId":2,"asset":"ETH","amount":"0.5"}],"total":2}"#;
    assert_eq!(held(locked, body), [("earn_locked", "ETH".into(), None, Some(dec("2.0")), dec("2.0"))]);
}

#[test]
fn what_the_venue_makes_of_it() {
    let body = r#"[{"activate":true,"balance":"46310.22","walletName":"Spot"},{"activate":true,"balance":"250.4","walletName":"USDⓈ-M Futures"},{"activate":false,"balance":"0","walletName":"Options"}]"#;
    assert_eq!(told(worth, body), [Entry::Reported("account", dec("46560.62"), "USDT")]);
}

#[test]
fn what_the_key_may_do() {
    let body = r#"{"ipRestrict":true,"createTime":1698645219000,"enableReading":true,"enableWithdrawals":false,"enableInternalTransfer":false,"enableMargin":false,"enableFutures":false,"permitsUniversalTransfer":false,"enableVanillaOptions":false,"enableFixApiTrade":false,"enableFixReadOnly":false,"enableSpotAndMarginTrading":false,"enablePortfolioMarginTrading":false}"#;
    let (no, yes) = (Some(false), Some(true));
    let reads = Rights { read: yes, trade: no, withdraw: no, transfer: no, ip_restricted: yes, expires: None };
    assert_eq!(told(rights, body), [Entry::Rights(reads)]);
    let body = r#"{"enableReading":true,"enableFutures":true,"permitsUniversalTransfer":true}"#;
    let more = Rights { trade: yes, withdraw: None, transfer: yes, ip_restricted: None, ..reads };
    assert_eq!(told(rights, body), [Entry::Rights(more)]);
}

#[test]
fn open_orders_and_executions() {
    let body = r#"[{"symbol":"BTCUSDT","orderId":12569099453,"orderListId":-1,"clientOrderId":"x-a1","price":"88000.00000000","origQty":"0.01000000","executedQty":"0.00000000","cummulativeQuoteQty":"0.00000000","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY","time":1795160000000,"updateTime":1795160000000,"isWorking":true}]"#;
    let entries = told(open_orders, body);
    assert!(matches!(&entries[..], [Entry::Order(one)] if one.id == "12569099453" && one.status == Status::New));
    let body = r#"[{"symbol":"BTCUSDT","id":5414400200,"orderId":12569099000,"orderListId":-1,"price":"90787.70000000","qty":"0.01000000","quoteQty":"907.87700000","commission":"0.00001000","commissionAsset":"BTC","time":1795168799998,"isBuyer":true,"isMaker":false,"isBestMatch":true}]"#;
    let entries = told(my_trades, body);
    let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((fill.id.as_str(), fill.side, fill.role), ("5414400200", Side::Buy, Some(Role::Taker)));
    assert_eq!((fill.quote_volume, &fill.fee), (Some(dec("907.877")), &Some((dec("0.00001"), "BTC".into()))));
}

#[test]
fn executions_are_asked_for_by_symbol_and_day() {
    let hour = |n: i64| Micros::from_millis(n * 3_600_000);
    let view = View { touched: vec!["BTCUSDT".into(), "这456".into()], now: hour(30), ..View::default() };
    let queries: Vec<String> = owner("").fills(hour(0), &view).into_iter().map(|ask| ask.query.request.query).collect();
    assert_eq!(
        queries[..2],
        ["symbol=BTCUSDT&startTime=0&endTime=86400000&limit=1000", "symbol=BTCUSDT&startTime=86400000&limit=1000"]
    );
    assert!(queries.len() == 4 && queries[2].starts_with("symbol=%E8%BF%99456&"));
    let futures = View { touched_linear: vec!["ETHUSDT".into()], read: vec!["futures"], ..view.clone() };
    let asks = owner("").fills(hour(0), &futures);
    let added: Vec<_> = asks[4..].iter().map(|ask| ask.query.request.target()).collect();
    assert_eq!(
        added,
        [
            "/fapi/v1/userTrades?symbol=ETHUSDT&startTime=0&endTime=86400000&limit=1000",
            "/fapi/v1/userTrades?symbol=ETHUSDT&startTime=86400000&limit=1000"
        ]
    );
    let unread = View { read: Vec::new(), ..futures };
    assert_eq!(owner("").fills(hour(0), &unread).len(), 4, "the key may not");
    let view = View { now: hour(0), ..view };
    assert_eq!(owner("").fills(hour(1), &view).len(), 2, "a clock that was set back");
    let mut page = (0..PAGE).map(|_| "{}").collect::<Vec<_>>().join(",");
    page = format!("[{page}]");
    let mut faults = Vec::new();
    my_trades(&page, &mut |update| faults.push(update)).unwrap();
    assert!(matches!(&faults[0], Update::Misread(fault) if fault.kind == Kind::Protocol));
}

#[test]
fn only_the_main_site_has_more_than_the_spot_wallet() {
    let topics = |rest| owner(rest).asks(&View::default()).into_iter().map(|ask| ask.topic).collect::<Vec<_>>();
    assert_eq!(topics("https://testnet.binance.vision"), [Topic::Wallet("spot"), Topic::Orders]);
    assert!(topics("https://api.binance.com").contains(&Topic::Wallet("futures")));
    assert!(owner("https://testnet.binance.vision").survey().is_empty());
}

#[test]
fn the_futures_have_a_stream_where_they_are_read() {
    let names = |owner: Owner, read: &[&'static str]| {
        let view = View { read: read.to_vec(), ..View::default() };
        owner.feeds(&view).iter().map(|feed| feed.name()).collect::<Vec<_>>()
    };
    let live = "https://api.binance.com";
    assert_eq!(names(owner(live), &[]), [""]);
    assert_eq!(names(owner(live), &["coin_futures", "spot"]), [""]);
    assert_eq!(names(owner(live), &["futures", "spot"]), ["", "futures"]);
    assert_eq!(names(owner("https://testnet.binance.vision"), &["futures"]), [""]);
    let url = |given| {
        let owner = owner(live);
        let owner = Owner { setup: Setup { ws_private_given: given, ..owner.setup }, ..owner };
        let view = View { read: vec!["futures"], ..View::default() };
        owner.feeds(&view)[1].endpoint(r#"{"listenKey":"k"}"#).unwrap().url
    };
    assert_eq!(url(false), "wss://fstream.binance.com/private/ws?listenKey=k");
    assert_eq!(url(true), "wss://x/private/ws?listenKey=k");
}
