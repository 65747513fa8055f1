//! OKX's account, spoken right and wrong.

use std::time::Duration;

use crate::client::okx::{all, get_okx, refused, rows};
use crate::client::sign::{now, okx};
use crate::client::{fake, get, number, request, request_with, said, within};
use fake_venues::account::{Category, Key, KeyState, Role, Side};
use fake_venues::{Fixed, Venue};
use serde_json::json;

const BALANCE: &str = "/api/v5/account/balance";

#[tokio::test]
async fn the_balance_is_what_the_books_say() {
    let fake = fake(Venue::Okx);
    let order = fake.place("BTC-USDT", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let (data, books) = (rows(&get_okx(&fake, BALANCE).await), fake.books());
    let details = data[0]["details"].as_array().unwrap();
    assert_eq!(details.len(), books.assets("trading").count());
    let mut total = Fixed::ZERO;
    for row in details {
        let currency = row["ccy"].as_str().unwrap();
        let money = books.money("trading", currency);
        assert_eq!((said(row, "availBal"), said(row, "frozenBal")), (money.free, money.locked), "{currency}");
        assert_eq!(said(row, "eq"), money.net() + books.unrealised(currency), "{currency}");
        assert_eq!((said(row, "liab"), said(row, "interest")), (money.borrowed, money.interest));
        total += row["eqUsd"].as_str().unwrap().parse().unwrap_or_default();
    }
    assert!((said(&data[0], "totalEq") - total).as_f64().abs() < 1.0);
    assert!(details.iter().any(|row| row["eqUsd"] == ""), "a coin without a price");
    let two = rows(&get_okx(&fake, "/api/v5/account/balance?ccy=BTC,ETH").await);
    assert_eq!(two[0]["details"].as_array().unwrap().len(), 2);
    let funding = rows(&get_okx(&fake, "/api/v5/asset/balances").await);
    assert!(funding.len() == 2 && funding.iter().all(|row| said(row, "bal") > Fixed::ZERO));
    let earn = rows(&get_okx(&fake, "/api/v5/finance/savings/balance").await);
    assert_eq!(said(&earn[0], "amt"), books.money("earn", "USDT").total());
    let worth = rows(&get_okx(&fake, "/api/v5/asset/asset-valuation?ccy=USD").await);
    let parts: Fixed = ["funding", "trading", "earn"].iter().map(|part| said(&worth[0]["details"], part)).sum();
    assert_eq!(said(&worth[0], "totalBal"), parts);
    let index = rows(&get(&fake, "/api/v5/market/index-tickers?instId=USDT-USD").await);
    assert_eq!(index[0]["idxPx"], "0.9998");
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let fake = fake(Venue::Okx);
    let key = fake.key();
    let with = |change: fn(&mut Key)| {
        let mut key = key.clone();
        change(&mut key);
        key
    };
    let answer = get(&fake, BALANCE).await;
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("50103")));
    assert!(answer.json().get("data").is_none());
    for (key, at, status, code) in [
        (with(|key| key.id = "nobody".into()), 0, 401, "50119"),
        (with(|key| key.passphrase = "wrong".into()), 0, 401, "50105"),
        (with(|key| key.passphrase.clear()), 0, 401, "50104"),
        (with(|key| key.secret = "wrong".into()), 0, 401, "50113"),
        (key.clone(), -31_000, 401, "50102"),
        (key.clone(), 33_000, 401, "50102"),
    ] {
        assert_eq!(refused(&fake, &key, now() + at).await, (status, code.to_owned()));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (change, status, code) in [
        ((|key| key.state = KeyState::WrongEnvironment) as fn(&mut Key), 401, "50101"),
        (|key| key.state = KeyState::AddressRefused, 401, "50110"),
        (|key| key.state = KeyState::Frozen, 400, "50100"),
        (|key| key.state = KeyState::Expired, 401, "50119"),
        (|key| (key.state, key.read) = (KeyState::Good, false), 200, "50120"),
        (|key| key.read = true, 200, "0"),
    ] {
        fake.change_key(change);
        assert_eq!(refused(&fake, &key, now()).await, (status, code.to_owned()));
    }
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn the_query_is_signed_as_it_was_sent() {
    let fake = fake(Venue::Okx);
    let (raw, encoded) = ("/api/v5/account/balance?ccy=BTC,ETH", "/api/v5/account/balance?ccy=BTC%2CETH");
    for target in [raw, encoded] {
        assert_eq!(rows(&get_okx(&fake, target).await)[0]["details"].as_array().unwrap().len(), 2);
    }
    let crossed = request_with(&fake, "GET", encoded, &okx(&fake.key(), raw, now()), "").await;
    assert_eq!((crossed.status, &crossed.json()["code"]), (401, &json!("50113")));
}

#[tokio::test]
async fn orders_and_fills_come_in_pages() {
    let fake = fake(Venue::Okx);
    let order = fake.place("ETH-USDT", Side::Sell, number("4000"), number("0.02")).unwrap();
    fake.set_fees(number("-0.0001"), number("0.001"));
    fake.fill(&order, number("0.005"), Role::Maker).unwrap();
    let books = fake.books();
    let orders = all(&fake, "/api/v5/trade/orders-pending", "ordId").await;
    let ids: Vec<&str> = orders.iter().map(|row| row["ordId"].as_str().unwrap()).collect();
    let open: Vec<&str> = books.open_orders().rev().map(|order| order.id.as_str()).collect();
    assert!(open.len() > 100 && ids == open);
    assert_eq!((&orders[0]["state"], &orders[0]["accFillSz"]), (&json!("partially_filled"), &json!("0.005")));
    let fills = all(&fake, "/api/v5/trade/fills", "billId").await;
    assert_eq!(fills.len(), books.fills.len());
    for (row, fill) in fills.iter().zip(books.fills.iter().rev()) {
        assert_eq!((said(row, "fillSz"), said(row, "fee")), (fill.quantity, -fill.fee));
    }
    assert!(fills[0]["execType"] == "M" && said(&fills[0], "fee") > Fixed::ZERO, "a rebate is positive");
    let since = format!("/api/v5/trade/fills-history?instType=SPOT&begin={}", books.fills.last().unwrap().at);
    assert_eq!(rows(&get_okx(&fake, &since).await).len(), 1);
    assert_eq!(fake.violations(), [""; 0]);
    get_okx(&fake, "/api/v5/trade/orders-pending?after=1").await;
    assert_eq!(fake.violations().len(), 1);
}

#[tokio::test]
async fn positions_have_signs_and_contracts_have_sizes() {
    let fake = fake(Venue::Okx);
    let data = rows(&get_okx(&fake, "/api/v5/account/positions").await);
    let swaps = rows(&get(&fake, "/api/v5/public/instruments?instType=SWAP").await);
    let books = fake.books();
    assert_eq!(data.len(), books.positions.len());
    for (row, position) in data.iter().zip(&books.positions) {
        let size = if position.side == Side::Sell { -position.size } else { position.size };
        assert_eq!((said(row, "pos"), said(row, "upl")), (size, position.unrealised));
        let swap = swaps.iter().find(|swap| swap["instId"] == row["instId"]).unwrap();
        assert_eq!(said(swap, "ctVal"), position.contract_size);
    }
    fake.open_position(Category::Inverse, "BTC-USD-SWAP", Side::Sell, number("20"), number("90000"), number("5"))
        .unwrap();
    fake.move_mark(Category::Inverse, "BTC-USD-SWAP", number("80000")).unwrap();
    let short = fake.books().position(Category::Inverse, "BTC-USD-SWAP").unwrap().clone();
    assert!(short.side == Side::Sell && short.unrealised > Fixed::ZERO && short.currency == "BTC");
    let before = fake.books().money("trading", "BTC").free;
    fake.close_position(Category::Inverse, "BTC-USD-SWAP").unwrap();
    let gain = fake.books().money("trading", "BTC").free - before + fake.books().fills.last().unwrap().fee;
    assert_eq!(gain, short.unrealised);
    assert!(fake.books().position(Category::Inverse, "BTC-USD-SWAP").is_none());
}

#[tokio::test]
async fn config_tells_what_the_key_may_do_and_haste_is_refused() {
    let fake = fake(Venue::Okx);
    let config = rows(&get_okx(&fake, "/api/v5/account/config").await);
    assert_eq!((&config[0]["perm"], &config[0]["ip"]), (&json!("read_only"), &json!("")));
    fake.change_key(|key| {
        (key.trade, key.withdraw) = (true, true);
        key.addresses = Some(vec!["203.0.113.7".to_owned()]);
    });
    let config = rows(&get_okx(&fake, "/api/v5/account/config").await);
    assert_eq!((&config[0]["perm"], &config[0]["ip"]), (&json!("read_only,trade,withdraw"), &json!("203.0.113.7")));
    within(Duration::from_secs(1), the_hasty_are_refused).await;
}

async fn the_hasty_are_refused() -> Result<(), String> {
    let fake = fake(Venue::Okx);
    for _ in 0..2 {
        get_okx(&fake, "/api/v5/asset/asset-valuation").await;
    }
    let told: Vec<u16> = fake.seen().asked.iter().map(|asked| asked.status).collect();
    if told == [200, 429] && fake.violations().len() == 1 { Ok(()) } else { Err(format!("{told:?}")) }
}

#[tokio::test]
async fn the_demo_steers_the_account_over_http() {
    let fake = fake(Venue::Okx);
    let act = async |deed: serde_json::Value| request(&fake, "POST", "/fake/account", &deed.to_string()).await;
    let order = json!({"do": "place", "symbol": "BTC-USDT", "side": "buy", "price": "50000", "quantity": "0.001"});
    let id = act(order).await.json()["id"].as_str().unwrap().to_owned();
    act(json!({"do": "fill", "order": id, "quantity": "0.001", "role": "maker"})).await;
    assert_eq!(act(json!({"do": "cancel", "order": id})).await.status, 400);
    let before = fake.books().money("funding", "BTC").free;
    act(json!({"do": "transfer", "from": "trading", "to": "funding", "asset": "BTC", "amount": "0.0005"})).await;
    assert_eq!(fake.books().money("funding", "BTC").free - before, number("0.0005"));
    let books = get(&fake, "/fake/books").await.json();
    assert_eq!(books["orders"].as_array().unwrap().last().unwrap()["status"], "filled");
    let key = request(&fake, "POST", "/fake/key", r#"{"withdraw":true,"state":"frozen"}"#).await;
    assert!(key.status == 200 && fake.key().withdraw && fake.key().state == KeyState::Frozen);
    assert_eq!(request(&fake, "POST", "/fake/key", r#"{"nonsense":true}"#).await.status, 400);
    let fault = r#"{"fault":"private","what":{"fault":"rest_limited","how":"plain"}}"#;
    assert_eq!(request(&fake, "POST", "/fake/fault", fault).await.status, 200);
    assert_eq!(get_okx(&fake, BALANCE).await.status, 429);
    assert_eq!(get(&fake, "/api/v5/public/time").await.status, 200);
}
