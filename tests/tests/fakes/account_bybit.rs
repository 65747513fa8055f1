//! Bybit's account, spoken right and wrong.

use std::time::Duration;

use crate::client::bybit::{all, get_bybit, headers, refused, result};
use crate::client::sign::now;
use crate::client::{fake, get, number, request_with, said, within};
use fake_venues::account::{Category, Key, KeyState, Role, Side};
use fake_venues::{Fixed, Options, Venue, start};
use serde_json::json;

const WALLET: &str = "/v5/account/wallet-balance?accountType=UNIFIED";
const FUND: &str = "/v5/asset/transfer/query-account-coins-balance?accountType=FUND";

#[tokio::test]
async fn the_wallet_is_what_the_books_say() {
    let fake = fake(Venue::Bybit);
    let order = fake.place("BTCUSDT", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let (wallet, books) = (result(&fake, WALLET).await["list"][0].clone(), fake.books());
    let coins = wallet["coin"].as_array().unwrap();
    assert_eq!(coins.len(), books.assets("unified").count());
    let mut total = Fixed::ZERO;
    for row in coins {
        let coin = row["coin"].as_str().unwrap();
        let money = books.money("unified", coin);
        assert_eq!((said(row, "walletBalance"), said(row, "locked")), (money.total(), money.locked), "{coin}");
        assert_eq!((said(row, "spotBorrow"), said(row, "accruedInterest")), (money.borrowed, money.interest), "{coin}");
        let identity = said(row, "walletBalance") - said(row, "spotBorrow") + said(row, "unrealisedPnl");
        assert_eq!(said(row, "equity"), identity, "{coin}");
        total += row["usdValue"].as_str().unwrap().parse().unwrap_or_default();
    }
    assert!((said(&wallet, "totalEquity") - total).as_f64().abs() < 1.0);
    assert!(coins.iter().any(|row| row["usdValue"] == ""), "a coin without a price");
    let two = result(&fake, &format!("{WALLET}&coin=BTC,ETH")).await;
    assert_eq!(two["list"][0]["coin"].as_array().unwrap().len(), 2);
    let fund = result(&fake, FUND).await;
    assert_eq!(said(&fund["balance"][1], "walletBalance"), books.money("funding", "USDC").total());
    let everything = result(&fake, "/v5/asset/asset-overview?valuationCurrency=USD").await;
    let parts: Fixed = everything["list"].as_array().unwrap().iter().map(|row| said(row, "totalEquity")).sum();
    assert_eq!(said(&everything, "totalEquity"), parts);
    assert_eq!(result(&fake, "/v5/account/info").await["unifiedMarginStatus"], 6);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let fake = fake(Venue::Bybit);
    let key = fake.key();
    assert_eq!(get(&fake, WALLET).await.status, 401);
    let with = |change: fn(&mut Key)| {
        let mut key = key.clone();
        change(&mut key);
        key
    };
    for (key, off, code) in [
        (with(|key| key.id = "nobody".into()), 0, 10_003),
        (with(|key| key.secret = "wrong".into()), 0, 10_004),
        (key.clone(), -6_000, 10_002),
        (key.clone(), 4_000, 10_002),
        (key.clone(), 500, 0),
        (key.clone(), -2_000, 0),
    ] {
        assert_eq!(refused(&fake, &key, now() + off).await, code);
    }
    for (change, code) in [
        ((|key| key.state = KeyState::WrongEnvironment) as fn(&mut Key), 10_003),
        (|key| key.state = KeyState::Expired, 33_004),
        (|key| key.state = KeyState::AddressRefused, 10_010),
        (|key| key.state = KeyState::Frozen, 10_008),
        (|key| (key.state, key.read) = (KeyState::Good, false), 10_005),
        (|key| (key.read, key.expires_at) = (true, Some(1)), 33_004),
        (|key| key.expires_at = None, 0),
    ] {
        fake.change_key(change);
        assert_eq!(refused(&fake, &key, now()).await, code);
    }
    fake.change_key(|key| key.scopes.clear());
    assert_eq!(get_bybit(&fake, FUND).await.json()["retCode"], 10_005);
    assert_eq!(fake.violations(), [""; 0]);
    let body = request_with(&fake, "GET", WALLET, &headers(&key, WALLET, now()), "{}").await;
    assert_eq!((body.status, fake.violations().len()), (403, 1));
}

#[tokio::test]
async fn orders_and_fills_come_in_pages() {
    let fake = fake(Venue::Bybit);
    let order = fake.place("ETHUSDT", Side::Sell, number("4000"), number("0.02")).unwrap();
    fake.set_fees(number("-0.0001"), number("0.001"));
    fake.fill(&order, number("0.005"), Role::Maker).unwrap();
    let books = fake.books();
    let orders = all(&fake, "/v5/order/realtime?category=spot&limit=50").await;
    let ids: Vec<&str> = orders.iter().map(|row| row["orderId"].as_str().unwrap()).collect();
    let open = books.open_orders().rev().filter(|order| order.category == Category::Spot);
    let open: Vec<&str> = open.map(|order| order.id.as_str()).collect();
    assert!(open.len() > 50 && ids == open);
    assert_eq!(orders[0]["orderStatus"], "PartiallyFilled");
    assert_eq!(said(&orders[0]["cumFeeDetail"], "USDT"), books.order(&order).unwrap().fee);
    // Encoded a second time, it is understood as well.
    let first = result(&fake, "/v5/order/realtime?category=spot").await;
    let twice = first["nextPageCursor"].as_str().unwrap().replace('%', "%25");
    let second = result(&fake, &format!("/v5/order/realtime?category=spot&cursor={twice}")).await;
    assert_eq!((first["list"].as_array().unwrap().len(), &second["list"][0]), (20, &orders[20]));

    let fills = all(&fake, "/v5/execution/list?category=spot&limit=100").await;
    let spot: Vec<_> = books.fills.iter().rev().filter(|fill| fill.category == Category::Spot).collect();
    assert!(fills.len() == spot.len() && fills.len() > 100);
    for (row, fill) in fills.iter().zip(spot) {
        assert_eq!((&row["execId"], said(row, "execFee")), (&json!(fill.id), fill.fee));
    }
    assert!(said(&fills[0], "execFee") < Fixed::ZERO && fills[0]["isMaker"] == true, "a rebate is negative");
    let since = format!("/v5/execution/list?category=spot&startTime={}", fills[0]["execTime"].as_str().unwrap());
    assert_eq!(all(&fake, &since).await.len(), 1);
    let long = get_bybit(&fake, "/v5/execution/list?category=spot&startTime=1&endTime=900000000").await;
    assert_eq!(long.json()["retCode"], 10_001);
    assert_eq!(fake.violations(), [""; 0]);
    get_bybit(&fake, "/v5/order/realtime?category=spot&cursor=nonsense").await;
    assert_eq!(fake.violations().len(), 1);
}

#[tokio::test]
async fn positions_come_by_category_and_settlement() {
    let fake = start(Venue::Bybit, Options { page_size: Some(1), ..Options::default() }).unwrap();
    fake.open_position(Category::Linear, "ETHUSDT", Side::Sell, number("0.5"), number("3000"), number("5")).unwrap();
    let bare = get_bybit(&fake, "/v5/position/list?category=linear").await;
    assert_eq!(bare.json()["retCode"], 10_001);
    let mut rows = Vec::new();
    for target in ["category=linear&settleCoin=USDT", "category=linear&settleCoin=USDC", "category=inverse"] {
        rows.extend(all(&fake, &format!("/v5/position/list?{target}&limit=200")).await);
    }
    let books = fake.books();
    assert_eq!(rows.len(), books.positions.len());
    for row in &rows {
        let position = books.positions.iter().find(|position| position.symbol == row["symbol"]).unwrap();
        assert_eq!((said(row, "size"), said(row, "unrealisedPnl")), (position.size, position.unrealised));
        assert_eq!(row["side"] == "Buy", position.side == Side::Buy);
    }
    let none = all(&fake, "/v5/position/list?category=inverse&symbol=ETHUSD").await;
    assert_eq!((&none[0]["size"], &none[0]["side"]), (&json!("0"), &json!("")));
    let linear = get(&fake, "/v5/market/instruments-info?category=linear").await.json();
    assert_eq!(linear["result"]["list"][2]["settleCoin"], "USDC");
}

#[tokio::test]
async fn the_key_tells_what_it_may_do_and_headers_count() {
    let fake = fake(Venue::Bybit);
    let key = result(&fake, "/v5/user/query-api").await;
    assert_eq!((&key["readOnly"], &key["ips"], &key["deadlineDay"]), (&json!(1), &json!(["*"]), &json!(-2)));
    assert_eq!(
        (&key["permissions"]["Wallet"], &key["expiredAt"]),
        (&json!(["AccountTransfer"]), &json!("1970-01-01T00:00:00Z"))
    );
    fake.change_key(|key| {
        (key.withdraw, key.expires_at) = (true, Some(1_900_000_000_000));
        key.addresses = Some(vec!["203.0.113.7".to_owned()]);
    });
    let key = result(&fake, "/v5/user/query-api").await;
    assert_eq!((&key["readOnly"], &key["ips"]), (&json!(0), &json!(["203.0.113.7"])));
    assert_eq!(key["permissions"]["Wallet"], json!(["AccountTransfer", "Withdraw"]));
    assert_eq!(key["expiredAt"], "2030-03-17T17:46:40Z");
    within(Duration::from_secs(1), the_hasty_are_refused).await;
}

async fn the_hasty_are_refused() -> Result<(), String> {
    let fake = fake(Venue::Bybit);
    for left in (0..5).rev() {
        let head = get_bybit(&fake, FUND).await.head;
        if !head.contains("x-bapi-limit: 5") || !head.contains(&format!("limit-status: {left}")) {
            return Err(format!("{left} should be left: {head}"));
        }
    }
    let hasty = get_bybit(&fake, FUND).await;
    let refused = hasty.status == 200 && hasty.json()["retCode"] == 10_006;
    let told = hasty.head.contains("x-bapi-limit-status: 0") && fake.violations().len() == 1;
    if refused && told { Ok(()) } else { Err(format!("{hasty:?}")) }
}
