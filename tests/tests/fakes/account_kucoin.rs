//! KuCoin's account, asked right and wrong.

#![expect(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use crate::client::kucoin::{FUTURES, ask, bare, code, data, futures, headers, raw, spot};
use crate::client::sign::now;
use crate::client::{fake, get, number, request_with, said};
use fake_venues::account::{Category, Key, KeyState, Role, Side};
use fake_venues::{Fake, Fixed, Options, Venue, start};
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/v1/accounts";

/// The code of a question that this key asks at this time.
async fn answered(fake: &Fake, key: &Key, at: i64, version: &str) -> String {
    code(&request_with(fake, "GET", ACCOUNTS, &headers(key, "GET", ACCOUNTS, at, version), "").await)
}

fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

#[tokio::test]
async fn the_wallets_are_what_the_books_say() {
    let fake = fake(Venue::Kucoin);
    let order = fake.place("BTC-USDT", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    fake.deposit("isolated_ETH-USDT", "ETH", number("0.5"));
    fake.set_debt("isolated_ETH-USDT", "USDT", number("100"), number("0.1"));
    let (accounts, books) = (spot(&fake, ACCOUNTS).await, fake.books());
    assert_eq!(rows(&accounts).len(), books.assets("main").count() + books.assets("trade").count());
    for row in rows(&accounts) {
        let money = books.money(row["type"].as_str().unwrap(), row["currency"].as_str().unwrap());
        let sides = (said(row, "balance"), said(row, "available"), said(row, "holds"));
        assert_eq!(sides, (money.total(), money.free, money.locked), "{row}");
    }
    let mut ids: Vec<&str> = rows(&accounts).iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows(&accounts).len());
    assert_eq!(rows(&spot(&fake, "/api/v1/accounts?currency=USDT&type=trade").await).len(), 1);
    let margin = spot(&fake, "/api/v3/margin/accounts?quoteCurrency=USDT&queryType=MARGIN").await;
    let (row, money) = (&margin["accounts"][0], books.money("margin", "USDT"));
    assert_eq!((said(row, "total"), said(row, "liability")), (money.total(), money.borrowed + money.interest));
    assert_eq!(said(&margin, "totalLiabilityOfQuoteCurrency"), number("200.025"));
    let isolated = spot(&fake, "/api/v3/isolated/accounts?quoteCurrency=USDT&queryType=ISOLATED").await;
    let row = &isolated["assets"][0];
    assert_eq!((&row["symbol"], said(&row["baseAsset"], "total")), (&json!("ETH-USDT"), number("0.5")));
    assert_eq!(said(&row["quoteAsset"], "liability"), number("100.1"));
    let earn = spot(&fake, "/api/v1/earn/hold-assets?currentPage=1&pageSize=10").await;
    assert_eq!((&earn["totalNum"], said(&earn["items"][0], "holdAmount")), (&json!(1), money_of(&fake, "earn")));
    let overview = raw(&ask(&fake, "GET", FUTURES, "/api/v1/account-overview").await);
    assert_eq!(overview[0]["currency"].get(), r#""XBT""#);
    for currency in ["USDT", "XBT", "USDC"] {
        let target = format!("/api/v1/account-overview?currency={currency}");
        let row = &raw(&ask(&fake, "GET", FUTURES, &target).await)[0];
        let held = books.money("futures", currency).total();
        assert_eq!(bare(row, "accountEquity"), held + books.unrealised(currency));
        assert_eq!((bare(row, "marginBalance"), bare(row, "unrealisedPNL")), (held, books.unrealised(currency)));
    }
    let prices = data(&get(&fake, "/api/v1/prices?base=USD&currencies=BTC,USDT,AIRDROP").await);
    assert_eq!(prices["USDT"], "0.9998");
    assert!(said(&prices, "BTC") > Fixed::ZERO && prices.get("AIRDROP").is_none());
    let reals = data(&get(&fake, "/api/v1/prices?base=BRL&currencies=USDT").await);
    assert!(said(&reals, "USDT") > number("5"));
    assert_eq!(data(&get(&fake, "/api/v1/my-ip").await), "127.0.0.1");
    assert_eq!(fake.violations(), [""; 0]);
}

fn money_of(fake: &Fake, wallet: &str) -> Fixed {
    fake.books().money(wallet, "USDT").total()
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let fake = fake(Venue::Kucoin);
    let key = fake.key();
    let with = |change: fn(&mut Key)| {
        let mut key = key.clone();
        change(&mut key);
        key
    };
    let answer = get(&fake, ACCOUNTS).await;
    assert_eq!((answer.status, code(&answer)), (400, "400001".to_owned()));
    for (key, at, version, expected) in [
        (key.clone(), 0, "3", "200000"),
        (key.clone(), 0, "2", "200000"),
        (key.clone(), 0, "1", "400009"),
        (key.clone(), -6_000, "3", "400002"),
        (key.clone(), 8_000, "3", "400002"),
        (with(|key| key.id = "nobody".into()), 0, "3", "400003"),
        (with(|key| key.passphrase = "wrong".into()), 0, "3", "400004"),
        // The passphrase is signed with the same secret, and looked at first.
        (with(|key| key.secret = "wrong".into()), 0, "3", "400004"),
    ] {
        assert_eq!(answered(&fake, &key, now() + at, version).await, expected);
    }
    let mut other = headers(&key, "GET", "/api/v1/base-fee", now(), "3");
    assert_eq!(code(&request_with(&fake, "GET", ACCOUNTS, &other, "").await), "400005");
    other[3].1.clone_from(&key.passphrase);
    assert_eq!(code(&request_with(&fake, "GET", "/api/v1/base-fee", &other, "").await), "400004");
    for (change, version, expected) in [
        ((|key| key.scopes.extend(["strict".to_owned()])) as fn(&mut Key), "2", "400009"),
        (|_| (), "3", "200000"),
        (|key| key.scopes.extend(["v2".to_owned()]), "3", "400009"),
        (|key| key.state = KeyState::AddressRefused, "2", "400006"),
        (|key| key.state = KeyState::Frozen, "2", "411100"),
        (|key| key.state = KeyState::Expired, "2", "400003"),
        (|key| (key.state, key.read) = (KeyState::Good, false), "2", "400007"),
        (|key| key.read = true, "2", "200000"),
    ] {
        fake.change_key(change);
        assert_eq!(answered(&fake, &key, now(), version).await, expected);
    }
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn the_query_is_signed_without_its_encoding() {
    let fake = fake(Venue::Kucoin);
    let target = "/api/v1/trade-fees?symbols=BTC-USDT,ETH-USDT";
    let encoded = target.replace(',', "%2C");
    for sent in [target, &encoded] {
        let answer = request_with(&fake, "GET", sent, &headers(&fake.key(), "GET", target, now(), "3"), "").await;
        assert_eq!(rows(&data(&answer)).len(), 2);
    }
    let crossed = request_with(&fake, "GET", &encoded, &headers(&fake.key(), "GET", &encoded, now(), "3"), "").await;
    assert_eq!(code(&crossed), "400005");
    let prefixed = format!("{FUTURES}/api/v1/positions");
    let prefixed = request_with(&fake, "GET", &prefixed, &headers(&fake.key(), "GET", &prefixed, now(), "3"), "").await;
    assert_eq!(code(&prefixed), "400005");
    assert_eq!(fake.violations(), [""; 0]);
    let with_body = request_with(&fake, "GET", target, &headers(&fake.key(), "GET", target, now(), "3"), "{}").await;
    assert_eq!((with_body.status, fake.violations().len()), (403, 1));
}

#[tokio::test]
async fn the_key_tells_what_it_may_and_is_kept_to_it() {
    let fake = fake(Venue::Kucoin);
    let row = spot(&fake, "/api/v1/user/api-key").await;
    assert_eq!((&row["permission"], &row["apiVersion"]), (&json!("General,Spot,Futures,Earn"), &json!(3)));
    assert!(row.get("ipWhitelist").is_none() && row.get("expiredAt").is_none());
    fake.change_key(|key| {
        key.scopes.clear();
        key.addresses = Some(vec!["203.0.113.7".to_owned()]);
        key.expires_at = Some(1_995_136_000_000);
    });
    let row = spot(&fake, "/api/v1/user/api-key").await;
    assert_eq!((&row["permission"], &row["ipWhitelist"]), (&json!("General"), &json!("203.**.7")));
    assert_eq!(row["expiredAt"], 1_995_136_000_000_u64);
    for (host, target) in [("", "/api/v1/hf/orders/active/symbols"), (FUTURES, "/api/v1/account-overview")] {
        assert_eq!(code(&ask(&fake, "GET", host, target).await), "400007");
    }
    assert_eq!(rows(&futures(&fake, "/api/v1/positions").await).len(), fake.books().positions.len());
    assert_eq!(rows(&futures(&fake, "/api/v1/account-overview-all?currency=USDT").await["accounts"]).len(), 1);
    fake.change_key(|key| key.withdraw = true);
    assert_eq!(spot(&fake, "/api/v1/user/api-key").await["permission"], "General,Transfer");
}

#[tokio::test]
async fn orders_and_fills_come_in_pages() {
    let options = Options { page_size: Some(10), ..Options::default() };
    let fake = start(Venue::Kucoin, options).unwrap();
    let order = fake.place("BTC-USDT", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let books = fake.books();
    let symbols = spot(&fake, "/api/v1/hf/orders/active/symbols").await;
    assert_eq!(symbols, json!({"symbols": ["BTC-USDT", "ETH-USDT"]}));
    let bought = spot(&fake, "/api/v1/hf/orders/active?symbol=BTC-USDT").await;
    assert_eq!((rows(&bought).len(), &bought[0]["id"]), (1, &json!(order)));
    assert_eq!((said(&bought[0], "dealSize"), said(&bought[0], "remainSize")), (number("0.0005"), number("0.0015")));
    let mut ids = Vec::new();
    for at in 1.. {
        let target = format!("/api/v1/hf/orders/active/page?symbol=ETH-USDT&pageNum={at}&pageSize=20");
        let page = spot(&fake, &target).await;
        ids.extend(rows(&page["items"]).iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        if page["totalPage"] == at {
            break;
        }
    }
    let open = books.open_orders().rev().filter(|order| order.symbol == "ETH-USDT");
    assert!(ids.len() > 20 && ids == open.map(|order| order.id.clone()).collect::<Vec<_>>());
    let (mut fills, mut last) = (Vec::new(), String::new());
    loop {
        let page = spot(&fake, &format!("/api/v1/hf/fills?symbol=ETH-USDT&limit=100{last}")).await;
        fills.extend(rows(&page["items"]).clone());
        last = format!("&lastId={}", page["lastId"]);
        if rows(&page["items"]).len() < 100 {
            break;
        }
    }
    let past = books.fills.iter().rev().filter(|fill| fill.symbol == "ETH-USDT");
    let told = fills.iter().map(|row| (row["tradeId"].as_u64().unwrap().to_string(), said(row, "fee")));
    assert!(fills.len() > 100 && told.eq(past.map(|fill| (fill.id.clone(), fill.fee))));
    assert_eq!(spot(&fake, "/api/v1/stop-order?pageSize=50").await["totalNum"], 0);
    assert_eq!(said(&spot(&fake, "/api/v1/base-fee").await, "makerFeeRate"), books.fees.maker);
    assert_eq!(fake.violations(), [""; 0]);
    assert_eq!(code(&ask(&fake, "GET", "", "/api/v1/hf/fills?limit=100").await), "400100");
    assert_eq!(code(&ask(&fake, "GET", "", "/api/v1/hf/orders/active?symbol=NOPE-USDT").await), "900001");
    assert_eq!(fake.violations().len(), 1);
}

#[tokio::test]
async fn futures_count_in_lots() {
    let fake = fake(Venue::Kucoin);
    fake.move_mark(Category::Inverse, "XBTUSDM", number("95000.5")).unwrap();
    let (positions, books) = (raw(&ask(&fake, "GET", FUTURES, "/api/v1/positions").await), fake.books());
    let contracts = raw(&get(&fake, "/futures/api/v1/contracts/active").await);
    assert_eq!(positions.len(), books.positions.len());
    for (row, position) in positions.iter().zip(&books.positions) {
        let size = if position.side == Side::Sell { -position.size } else { position.size };
        assert_eq!((bare(row, "currentQty"), bare(row, "unrealisedPnl")), (size, position.unrealised));
        assert_eq!((bare(row, "markPrice"), bare(row, "avgEntryPrice")), (position.mark, position.entry));
        let contract = contracts.iter().find(|contract| contract["symbol"].get() == row["symbol"].get()).unwrap();
        let multiplier = if position.category == Category::Inverse { number("-1") } else { position.contract_size };
        assert_eq!(bare(contract, "multiplier"), multiplier);
    }
    assert!(positions.iter().any(|row| row["unrealisedPnl"].get().contains("E-")), "small numbers have an exponent");
    let orders = futures(&fake, "/api/v1/orders?status=active&pageSize=1000").await;
    let order = books.open_orders().find(|order| order.category != Category::Spot).unwrap();
    assert_eq!((&orders["totalNum"], &orders["items"][0]["id"]), (&json!(1), &json!(order.id)));
    assert_eq!(orders["items"][0]["size"].to_string(), order.quantity.to_string());
    assert_eq!(orders["items"][0]["orderTime"], order.created_at * 1_000_000);
    let fills = futures(&fake, "/api/v1/fills?pageSize=100").await;
    let recent = futures(&fake, "/api/v1/recentFills?symbol=XBTUSDTM").await;
    assert_eq!((rows(&fills["items"]).len(), rows(&recent).len()), (2, 1));
    assert!(fake.books().fills.iter().any(|fill| recent[0]["tradeId"] == fill.id));
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn every_pool_tells_its_own_limits() {
    let fake = fake(Venue::Kucoin);
    let mut seen = Vec::new();
    for (host, target) in [
        ("", ACCOUNTS),
        ("", "/api/v1/base-fee"),
        ("", "/api/v1/earn/hold-assets"),
        (FUTURES, "/api/v1/positions"),
        ("", ACCOUNTS),
    ] {
        let head = ask(&fake, "GET", host, target).await.head;
        let find = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok());
        assert!(find("gw-ratelimit-reset: ").is_some_and(|reset| (1..=30_000).contains(&reset)));
        seen.push((find("gw-ratelimit-limit: ").unwrap(), find("gw-ratelimit-remaining: ").unwrap()));
    }
    assert_eq!(seen, [(2_000, 1_995), (4_000, 3_997), (2_000, 1_995), (2_000, 1_998), (2_000, 1_990)]);
    assert!(!get(&fake, "/futures/api/v1/timestamp").await.head.contains("gw-ratelimit"));
    for _ in 0..99 {
        spot(&fake, "/api/v1/user/api-key").await;
    }
    let answer = ask(&fake, "GET", "", "/api/v1/user/api-key").await;
    assert_eq!((answer.status, code(&answer)), (429, "429000".to_owned()));
    assert!(answer.head.contains("gw-ratelimit-remaining: 0"));
    assert_eq!(fake.violations().len(), 1);
}

#[tokio::test]
async fn an_account_in_unified_mode_has_one_wallet() {
    let fake = fake(Venue::Kucoin);
    let mode = "/api/ua/v2/account/mode";
    assert_eq!(spot(&fake, mode).await["selfAccountMode"], "CLASSIC");
    let overview = "/api/ua/v2/unified/account/overview";
    assert_eq!(code(&ask(&fake, "GET", "", overview).await), "400007");
    fake.change_key(|key| key.scopes.extend(["unified".to_owned()]));
    assert_eq!(spot(&fake, mode).await["selfAccountMode"], "UNIFIED");
    assert_eq!(code(&ask(&fake, "GET", "", ACCOUNTS).await), "400100");
    let (balance, books) = (spot(&fake, "/api/ua/v2/unified/account/balance").await, fake.books());
    let all = rows(&balance["accounts"][0]["currencies"]);
    let mut worth = Fixed::ZERO;
    for row in all {
        let currency = row["currency"].as_str().unwrap();
        let names = if currency == "BTC" { ["BTC", "XBT"] } else { [currency, ""] };
        let wallets = ["trade", "margin", "futures"];
        let money = || names.iter().flat_map(|name| wallets.map(|wallet| books.money(wallet, name)));
        let gain: Fixed = names.iter().map(|name| books.unrealised(name)).sum();
        assert_eq!(said(row, "equity"), money().map(|money| money.net()).sum::<Fixed>() + gain, "{currency}");
        assert_eq!(said(row, "balance"), money().map(|money| money.total()).sum::<Fixed>());
        worth += said(row, "equity").times(fake.dollars(currency).unwrap_or_default());
    }
    assert!((said(&spot(&fake, overview).await, "equity") - worth).as_f64().abs() < 50.0);
    let funding = spot(&fake, "/api/ua/v2/account/balance?accountType=FUNDING").await;
    for row in rows(&funding["accounts"][0]["currencies"]) {
        let money = books.money("main", row["currency"].as_str().unwrap());
        assert_eq!((said(row, "balance"), said(row, "locked")), (money.total(), money.locked));
    }
    fake.open_position(Category::Linear, "ETHUSDTM", Side::Sell, number("7"), number("3000"), number("5")).unwrap();
    let positions = spot(&fake, "/api/ua/v2/unified/position/open-list?symbol=ETHUSDTM").await;
    assert_eq!((rows(&positions).len(), said(&positions[0], "size")), (1, number("-7")));
    let orders = spot(&fake, "/api/ua/v2/unified/order/open-list?tradeType=SPOT").await;
    let open = books.open_orders().filter(|order| order.category == Category::Spot);
    assert_eq!(rows(&orders["items"]).len(), open.count());
    let page = spot(&fake, "/api/ua/v2/unified/order/execution?tradeType=SPOT&pageSize=100").await;
    let rest = format!("/api/ua/v2/unified/order/execution?tradeType=SPOT&pageSize=100&lastId={}", page["lastId"]);
    let told = rows(&page["items"]).len() + rows(&spot(&fake, &rest).await["items"]).len();
    assert_eq!(told, books.fills.iter().filter(|fill| fill.category == Category::Spot).count());
}
