//! The guide's answers, read.

use super::*;
use common::Update;
use common::account::{Side, Size, Status, read};

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn owner() -> Owner {
    let hosts = crate::ABOUT.live.clone();
    let setup = Setup { hosts, ws_given: false, ws_private_given: false, testnet: false };
    Owner { setup, keys: Keyring::fixed(["key", "secret"]) }
}

#[test]
fn the_guide_s_wallet() {
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"list":[{"accountType":"UNIFIED","totalEquity":"10250.48","totalWalletBalance":"10217.57","totalPerpUPL":"32.91","accountIMRate":"","coin":[{"coin":"USDT","equity":"8032.91","usdValue":"8031.30","walletBalance":"8000","locked":"1450","spotHedgingQty":"0","borrowAmount":"0","spotBorrow":"0","accruedInterest":"0","totalOrderIM":"","unrealisedPnl":"32.91","bonus":"0","marginCollateral":true,"availableToWithdraw":""},{"coin":"BTC","equity":"0.5","walletBalance":"1.5","locked":"0","borrowAmount":"1.0","spotBorrow":"1.0","accruedInterest":"0.01"},{"coin":"ETH","equity":"-2","walletBalance":"-2","locked":"0","borrowAmount":"2","spotBorrow":"0","accruedInterest":""}]}]},"retExtInfo":{},"time":1763600001000}"#;
    let (entries, next) = read(unified, body).unwrap();
    let usdt = Balance {
        wallet: "unified",
        asset: "USDT".into(),
        free: Some(dec("6550")),
        locked: Some(dec("1450")),
        borrowed: Some(dec("0")),
        net: Some(dec("8032.91")),
        at: None,
    };
    assert_eq!((&entries[0], next), (&Entry::Balance(usdt), None));
    let [_, Entry::Balance(btc), Entry::Balance(eth), Entry::Reported("unified", total, "USD")] = &entries[..] else {
        panic!("{entries:?}")
    };
    assert_eq!((btc.free, btc.borrowed, btc.net()), (Some(dec("1.5")), Some(dec("1.01")), dec("0.5")));
    assert_eq!((eth.free, eth.borrowed, eth.net()), (Some(dec("0")), Some(dec("2")), dec("-2")));
    assert_eq!(*total, dec("10250.48"));
}

#[test]
fn the_guide_s_funding_wallet() {
    let body = r#"{"retCode":0,"retMsg":"success","result":{"memberId":"1000123","accountType":"FUND","balance":[{"coin":"USDC","transferBalance":"250.5","walletBalance":"300","bonus":""}]},"retExtInfo":{},"time":1763600001100}"#;
    let (entries, _) = read(funding_wallet, body).unwrap();
    let [Entry::Balance(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.wallet, one.free, one.locked), ("funding", Some(dec("250.5")), Some(dec("49.5"))));
    let body = r#"{"retCode":0,"result":{"totalEquity":"10501.2","list":[{"accountType":"Earn","totalEquity":"1"}]}}"#;
    assert_eq!(read(overview, body).unwrap().0, [Entry::Reported("account", dec("10501.2"), "USD")]);
}

#[test]
fn the_guide_s_position_and_one_in_coins() {
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"positionIdx":0,"symbol":"BTCUSDT","side":"Buy","size":"0.05","avgPrice":"90581.8","positionValue":"4529.09","leverage":"10","markPrice":"91238.77","liqPrice":"","unrealisedPnl":"32.85","updatedTime":"1763599990000"},{"positionIdx":0,"symbol":"ETHUSDT","side":"","size":"0","leverage":"10","markPrice":"","liqPrice":"","unrealisedPnl":""}],"nextPageCursor":"x%3D1"},"time":1763600001200}"#;
    let (entries, next) = read(positions, body).unwrap();
    let [Entry::Position(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(next.as_deref(), Some("x%3D1"), "a short page may have a successor");
    assert_eq!((one.market, one.side, one.size), (Market::Linear, Side::Long, Size::Base(dec("0.05"))));
    assert_eq!(one.value, Some((dec("4561.9385"), "USDT".into())));
    assert_eq!(one.pnl, Some((dec("32.85"), "USDT".into())));
    assert_eq!((one.leverage, one.liquidation), (Some(dec("10")), None));
    let body = r#"{"retCode":0,"result":{"category":"inverse","list":[{"positionIdx":2,"symbol":"BTCUSD","side":"Sell","size":"50000","markPrice":"100000","liqPrice":"120000.5","unrealisedPnl":"-0.01","leverage":"5"}]}}"#;
    let (entries, _) = read(positions, body).unwrap();
    let [Entry::Position(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.side, one.size), (Side::Short, Size::Base(dec("0.5"))));
    assert_eq!(
        (one.value.clone(), one.pnl.clone()),
        (Some((dec("0.5"), "BTC".into())), Some((dec("-0.01"), "BTC".into())))
    );
    assert_eq!(one.liquidation, Some(dec("120000.5")));
}

#[test]
fn pages_go_on_until_one_is_empty_or_names_no_other() {
    let row = r#"{"orderId":"2087415936211054592","symbol":"ETHUSDT","orderStatus":"New","side":"Buy","leavesQty":"","updatedTime":"1763599000001"}"#;
    let page = |rows: usize, cursor: &str| {
        let list = vec![row; rows].join(",");
        format!(r#"{{"retCode":0,"result":{{"category":"spot","nextPageCursor":"{cursor}","list":[{list}]}}}}"#)
    };
    assert_eq!(read(orders, &page(ORDERS, "a%3Db")).unwrap().1.as_deref(), Some("a%3Db"));
    assert_eq!(read(orders, &page(ORDERS, "")).unwrap().1, None);
    assert_eq!(read(orders, &page(0, "a%3Db")).unwrap().1, None);
    let (entries, _) = read(orders, &page(1, "")).unwrap();
    let [Entry::Order(order)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((order.market, order.status), (Market::Spot, Status::New));
}

#[test]
fn a_row_that_is_not_understood_loses_no_other_and_ends_no_list() {
    let good = r#"{"orderId":"1","symbol":"ETHUSDT","orderStatus":"New"}"#;
    let rows = [vec![good; ORDERS - 1], vec![r#"{"orderId":7}"#]].concat().join(",");
    let body = format!(r#"{{"retCode":0,"result":{{"category":"spot","nextPageCursor":"c","list":[{rows}]}}}}"#);
    let (mut read, mut misread) = (0, 0);
    let next = orders(&body, &mut |update| match update {
        Update::Misread(_) => misread += 1,
        _ => read += 1,
    });
    assert_eq!((read, misread, next), (ORDERS - 1, 1, Ok(Some("c".into()))));
}

#[test]
fn only_trades_are_executions() {
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","nextPageCursor":"","list":[{"symbol":"BTCUSDT","orderId":"1d7e52b8","side":"Buy","orderType":"Market","execId":"f2a90c63-74d8-5b1f-8e27-306d9ac41be5","execPrice":"90581.8","execQty":"0.05","execValue":"4529.09","execFee":"2.4909995","feeCurrency":"","feeRate":"0.00055","execType":"Trade","execTime":"1763500000000","isMaker":false,"extraFees":"","seq":8812046032},{"symbol":"BTCUSDT","execId":"2","side":"Sell","execQty":"0.05","execFee":"0.4","execType":"Funding","execTime":"1763500000001","isMaker":false}]}}"#;
    let (entries, _) = read(executions, body).unwrap();
    let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(fill.fee, Some((dec("2.4909995"), "USDT".into())), "a contract's coin is known by its name");
    assert_eq!(fill.quote_volume, Some(dec("4529.09")));
    assert_eq!(fill.at, Some(Micros::from_millis(1_763_500_000_000)));
    let spot = body.replace("linear", "spot");
    let (entries, _) = read(executions, &spot).unwrap();
    assert!(matches!(&entries[..], [Entry::Fill(fill)] if fill.fee.is_none()), "in spot it may be either coin");
    let inverse = body.replace("linear", "inverse").replace("\"0.05\"", "\"500\"").replace("BTCUSDT", "BTCUSD");
    let (entries, _) = read(executions, &inverse).unwrap();
    let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((fill.quote_volume, fill.fee.clone()), (Some(dec("500")), Some((dec("2.4909995"), "BTC".into()))));
}

#[test]
fn executions_are_asked_for_week_by_week() {
    let now = Micros::from_millis(1_763_600_000_000);
    let since = |days: i64| Micros(now.0 - days * 86_400_000_000);
    let texts = |days| {
        let view = View { now, ..View::default() };
        let asks = owner().fills(since(days), &view);
        asks.into_iter().map(|ask| ask.query.request.query).filter(|text| text.contains("spot")).collect::<Vec<_>>()
    };
    assert_eq!(texts(1), ["category=spot&startTime=1763513600000&limit=100"]);
    let long = texts(10);
    assert_eq!(long.len(), 2);
    assert!(long[0].contains("startTime=1762736000000&endTime=1763340799999"), "{long:?}");
    assert!(long[1].contains("startTime=1763340800000&limit"), "{long:?}");
}

#[test]
fn what_the_key_may_do() {
    let rights = |read_only: u8, wallet: &str, ips: &str, expiry: &str| {
        let body = format!(
            r#"{{"retCode":0,"retMsg":"","result":{{"id":"7315520","apiKey":"X","readOnly":{read_only},"secret":"","permissions":{{"ContractTrade":["Order","Position"],"Spot":["SpotTrade"],"Wallet":[{wallet}],"Options":[],"Earn":[]}},"ips":[{ips}],"deadlineDay":-2,"expiredAt":"{expiry}","uta":1}}}}"#
        );
        match read(key_info, &body).unwrap().0[..] {
            [Entry::Rights(rights)] => rights,
            _ => panic!(),
        }
    };
    let never = "1970-01-01T00:00:00Z";
    let reader = rights(1, r#""AccountTransfer""#, r#""203.0.113.7""#, never);
    let no = Some(false);
    assert_eq!((reader.read, reader.trade, reader.withdraw, reader.transfer), (Some(true), no, no, no));
    assert_eq!((reader.ip_restricted, reader.expires), (Some(true), None));
    let mover = rights(0, r#""AccountTransfer","Withdraw""#, r#""*""#, "2026-02-18T03:20:45Z");
    assert_eq!((mover.trade, mover.withdraw, mover.transfer), (Some(true), Some(true), Some(true)));
    assert_eq!((mover.ip_restricted, mover.expires), (no, Some(Micros::from_millis(1_771_384_845_000))));
    assert_eq!(rights(0, r#""AccountTransfer""#, "", never).withdraw, no);
}

#[test]
fn contracts_have_the_names_of_other_venues() {
    let body = r#"{"retCode":0,"result":{"category":"linear","list":[{"symbol":"BTCPERP","contractType":"LinearPerpetual","baseCoin":"BTC","quoteCoin":"USDC","deliveryTime":"0"},{"symbol":"BTCUSDT-25DEC26","contractType":"LinearFutures","baseCoin":"BTC","quoteCoin":"USDT","deliveryTime":"1798185600000"}],"nextPageCursor":"first%3DAAA"}}"#;
    let (entries, next) = read(contracts, body).unwrap();
    let names: Vec<_> = entries
        .into_iter()
        .map(|entry| match entry {
            Entry::Contract(one) => (one.name, one.symbol),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names[0], ("BTCPERP".into(), "BTCUSDC".into()));
    assert_eq!(names[1], ("BTCUSDT-25DEC26".into(), "BTCUSDT261225".into()));
    assert_eq!(next.as_deref(), Some("first%3DAAA"));
}

#[test]
fn only_public_questions_go_without_a_signature() {
    let asks = [owner().survey(), owner().asks(&View::default()), owner().fills(Micros(0), &View::default())].concat();
    for ask in asks {
        assert_eq!(ask.query.request.signed, !ask.query.request.path.contains("/market/"), "{:?}", ask.query.request);
        let pool = ask.query.request.pool;
        assert!(pool.is_empty() || crate::ABOUT.pools.iter().any(|(name, _)| *name == pool));
    }
}
