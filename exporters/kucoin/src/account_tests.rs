//! The guide's answers, read.

use super::*;
use common::account::{Role, Side, read};
use common::{Decimal, Update};

fn balances(decode: Decoder, body: &str) -> Vec<(&'static str, String, String)> {
    let balance = |entry| match entry {
        Entry::Balance(one) => (one.wallet, one.asset.clone(), one.net().normalize().to_string()),
        other => panic!("{other:?}"),
    };
    read(decode, body).unwrap().0.into_iter().map(balance).collect()
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn owner(ws_private_given: bool) -> Owner {
    let hosts = crate::ABOUT.live.clone();
    let setup = Setup { hosts, ws_given: false, ws_private_given, testnet: false };
    Owner { setup, keys: Keyring::fixed(["key", "secret", "phrase"]), signer: Signer::default() }
}

#[test]
fn an_account_counts_once_by_its_id() {
    let body = r#"{"code":"200000","data":[{"id":"548674591753","currency":"USDT","type":"main","balance":"120.5","available":"120.5","holds":"0"},{"id":"63355cd156298d0001b66e61","currency":"BTC","type":"trade","balance":"0.25","available":"0.2","holds":"0.05"},{"id":"63355cd156298d0001b66e61","currency":"BTC","type":"trade_hf","balance":"0.25","available":"0.2","holds":"0.05"},{"id":"7","currency":"ETH","type":"trade_hf","balance":"2","available":"2","holds":"0"},{"id":"8","currency":"ETH","type":"margin","balance":"1","available":"1","holds":"0"},{"id":"9","currency":"XYZ","type":"main","balance":"0","available":"0","holds":"0"}]}"#;
    let expected = [("main", "USDT", "120.5"), ("trade", "BTC", "0.25"), ("trade_hf", "ETH", "2")]
        .map(|(wallet, asset, net)| (wallet, asset.to_owned(), net.to_owned()));
    assert_eq!(balances(wallets, body), expected);
    let surprise = body.replace("\"margin\"", "\"points\"");
    let mut misread = 0;
    wallets(&surprise, &mut |update| misread += usize::from(matches!(update, Update::Misread(_)))).unwrap();
    assert_eq!(misread, 1, "money of an unknown kind is not passed over in silence");
}

#[test]
fn margin_is_net_of_what_is_owed() {
    let body = r#"{"code":"200000","data":{"totalAssetOfQuoteCurrency":"1040.86","totalLiabilityOfQuoteCurrency":"200.02","debtRatio":"0.19","status":"EFFECTIVE","accounts":[{"currency":"USDT","total":"1040.86","available":"1022.19","hold":"18.67","liability":"200.02","liabilityPrincipal":"200","liabilityInterest":"0.02","borrowEnabled":true},{"currency":"KCS","total":"0","available":"0","hold":"0","liability":"0"}]}}"#;
    let (entries, _) = read(cross_margin, body).unwrap();
    let [Entry::Balance(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.wallet, one.borrowed, one.net()), ("margin", Some(dec("200.02")), dec("840.84")));
    let side = |coin: &str, total: &str, owed: &str| {
        format!(r#"{{"currency":"{coin}","total":"{total}","available":"{total}","hold":"0","liability":"{owed}"}}"#)
    };
    let pair = |coin: &str, usdt: &str, owed: &str| {
        let (base, quote) = (side(coin, "1", "0"), side("USDT", usdt, owed));
        format!(r#"{{"symbol":"{coin}-USDT","status":"EFFECTIVE","baseAsset":{base},"quoteAsset":{quote}}}"#)
    };
    let pairs = [pair("BTC", "10", "0"), pair("ETH", "20", "5")].join(",");
    let body = format!(r#"{{"code":"200000","data":{{"timestamp":1,"assets":[{pairs}]}}}}"#);
    let held = balances(isolated_margin, &body);
    assert!(held.contains(&("isolated", "USDT".into(), "25".into())), "both pairs' dollars: {held:?}");
    assert_eq!(held.len(), 3);
}

#[test]
fn earn_holdings_are_money_too() {
    let body = r#"{"code":"200000","data":{"totalNum":2,"totalPage":1,"currentPage":1,"pageSize":500,"items":[{"orderId":"1","productId":"2","productType":"DEMAND","currency":"USDT","incomeCurrency":"USDT","holdAmount":"100","redeemedAmount":"0","redeemingAmount":"0","status":"LOCKED"},{"orderId":"3","currency":"USDT","holdAmount":"1.5"}]}}"#;
    assert_eq!(balances(holdings, body), [("earn", "USDT".to_owned(), "101.5".to_owned())]);
    assert_eq!(read(holdings, body).unwrap().1, None);
    let more = body.replace(r#""totalPage":1"#, r#""totalPage":2"#);
    assert_eq!(read(holdings, &more).unwrap().1.as_deref(), Some("2"));
}

#[test]
fn open_orders_of_a_symbol() {
    let body = r#"{"code":"200000","data":[{"id":"67120bbef094e200070976f6","clientOid":"a1","symbol":"BTC-USDT","opType":"DEAL","type":"limit","side":"buy","price":"50000","size":"0.001","dealSize":"0","fee":"0","feeCurrency":"USDT","tradeType":"TRADE","inOrderBook":true,"active":true,"createdAt":1763600000000,"lastUpdatedAt":1763600000100,"stp":null}]}"#;
    let (entries, _) = read(orders_of_a_symbol, body).unwrap();
    let [Entry::Order(order)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((order.status, order.at), (Status::New, Some(Micros::from_millis(1_763_600_000_100))));
    assert_eq!(read(orders_of_a_symbol, r#"{"code":"200000","data":null}"#).unwrap().0, []);
    let named = read(active_symbols, r#"{"code":"200000","data":{"symbols":["BTC-USDT","ETH-USDT"]}}"#).unwrap().0;
    assert_eq!(named, [Entry::Touched("BTC-USDT".into()), Entry::Touched("ETH-USDT".into())]);
}

#[test]
fn executions_and_ids_beyond_what_floats_hold() {
    let row = r#"{"id":19814995255305,"orderId":"6717","tradeId":11029373945659393,"symbol":"BTC-USDT","side":"buy","liquidity":"taker","type":"limit","price":"67717.6","size":"0.00001","funds":"0.677176","fee":"0.000677176","feeRate":"0.001","feeCurrency":"USDT","tradeType":"TRADE","createdAt":1729577515473}"#;
    let page = |rows: usize| {
        format!(r#"{{"code":"200000","data":{{"items":[{}],"lastId":19814995255305}}}}"#, vec![row; rows].join(","))
    };
    let (entries, next) = read(spot_fills, &page(1)).unwrap();
    let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((fill.id.as_str(), fill.side, fill.role), ("11029373945659393", Side::Buy, Some(Role::Taker)));
    assert_eq!(fill.fee, Some((dec("0.000677176"), "USDT".into())));
    assert_eq!((fill.quote_volume, next), (Some(dec("0.677176")), None));
    assert_eq!(read(spot_fills, &page(FILLS)).unwrap().1.as_deref(), Some("19814995255305"));
}

#[test]
fn what_the_key_may_do() {
    let rights = |permission: &str, more: &str| {
        let body = format!(
            r#"{{"code":"200000","data":{{"remark":"x","apiKey":"6560","apiVersion":3,"permission":"{permission}","createdAt":1763600000000,"isMaster":true{more}}}}}"#
        );
        match read(key_info, &body).unwrap().0[..] {
            [Entry::Rights(rights)] => rights,
            _ => panic!(),
        }
    };
    let reader = rights("General", r#","ipWhitelist":"203.**.154","expiredAt":1795136000000"#);
    let no = Some(false);
    assert_eq!((reader.read, reader.trade, reader.withdraw, reader.transfer), (Some(true), no, no, no));
    assert_eq!((reader.ip_restricted, reader.expires), (Some(true), Some(Micros::from_millis(1_795_136_000_000))));
    let trader = rights("General, Spot, InnerTransfer", r#","expiredAt":null"#);
    assert_eq!((trader.trade, trader.withdraw, trader.transfer), (Some(true), no, Some(true)));
    assert_eq!((trader.ip_restricted, trader.expires), (no, None));
    assert_eq!(rights("General,Transfer", "").withdraw, Some(true));
}

#[test]
fn each_kind_of_account_has_its_questions_and_streams() {
    let mode = |word: &str| {
        let body = format!(
            r#"{{"code":"200000","data":{{"selfAccountMode":"{word}","unifiedSubAccount":[],"classicSubAccount":[165112000]}}}}"#
        );
        match read(mode_info, &body).unwrap().0[..] {
            [Entry::Mode(mode)] => mode,
            _ => panic!(),
        }
    };
    let view = |word: &str| View { mode: Some(mode(word)), ..View::default() };
    let (classic, unified) = (view("CLASSIC"), view("UNIFIED"));
    let paths = |view: &View| -> Vec<String> {
        owner(false).asks(view).into_iter().map(|ask| ask.query.request.path).collect()
    };
    assert!(paths(&classic).iter().all(|path| !path.starts_with("/api/ua/")));
    assert!(paths(&unified).iter().all(|path| path.starts_with("/api/ua/") || path.contains("earn")));
    assert_eq!((owner(false).feeds(&classic).len(), owner(false).feeds(&unified).len()), (1, 1));
    let reads_futures = View { read: vec![crate::futures::WALLET], ..view("CLASSIC") };
    assert_eq!(owner(false).feeds(&reads_futures).len(), 2);
    assert_eq!(paths(&View::default()), paths(&classic), "an account that does not tell is classic");
    let given = owner(true).feeds(&unified).remove(0).endpoint("").unwrap();
    assert_eq!(given.url, crate::ABOUT.live.ws_private);
}

#[test]
fn orders_are_asked_of_the_symbols_in_use_and_of_some_more() {
    let names = |text: &str, number: usize| (0..number).map(|one| format!("{text}{one:02}-USDT")).collect();
    let asked = |touched, streamed| {
        let view = View { touched: names("T", touched), streamed: names("S", streamed), ..View::default() };
        let orders = |ask: &Ask| ask.query.request.path.contains("hf/orders");
        owner(false).asks(&view).iter().filter(|ask| orders(ask)).count()
    };
    assert_eq!([asked(0, 3), asked(0, 50), asked(3, 50), asked(50, 50)], [3, LEAST, LEAST, TOUCHED + SCOUTED]);
    let turns = (0..9).flat_map(|turn| {
        let view = View { touched: names("T", 20), streamed: names("S", 42), turn, ..View::default() };
        symbols(&view, LEAST).into_iter().skip(20).cloned().collect::<Vec<_>>()
    });
    let found: std::collections::BTreeSet<String> = turns.collect();
    assert_eq!(found.len(), 42, "all have their turn");
    let view =
        View { touched: vec!["BTC-USDT".into()], now: Micros(SPAN.as_micros() as i64 * 3 / 2), ..View::default() };
    let fills = owner(false).fills(Micros(0), &view);
    let texts: Vec<&str> = fills.iter().map(|ask| ask.query.request.query.as_str()).collect();
    assert_eq!(
        texts,
        [
            "symbol=BTC-USDT&startAt=0&endAt=604799999&limit=100",
            "startAt=0&endAt=604799999&pageSize=100",
            "symbol=BTC-USDT&startAt=604800000&limit=100",
            "startAt=604800000&pageSize=100",
        ]
    );
}

#[test]
fn only_public_questions_go_without_a_signature() {
    let (own, view) = (owner(false), View { streamed: vec!["BTC-USDT".into()], ..View::default() });
    for ask in [own.survey(), own.asks(&view), own.fills(Micros(0), &view), unified::asks()].concat() {
        let request = ask.query.request;
        assert_eq!(request.signed, !request.path.contains("/contracts/active"), "{request:?}");
        assert!(request.pool.is_empty() != request.signed, "{request:?}");
        assert!(request.pool.is_empty() || crate::ABOUT.pools.iter().any(|(name, _)| *name == request.pool));
    }
}
