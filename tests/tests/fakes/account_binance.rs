//! Binance's account, spoken right and wrong.

use crate::client::binance::{PEM, ask, ask_as, balances, event, list, params, refused, signed, subscribed};
use crate::client::sign::now;
use crate::client::{Client, PATIENCE, fake, get, number, request, request_with, said, same_minute};
use fake_venues::account::{Category, Key, KeyState, Money, Role, Side};
use fake_venues::{Fault, Fixed, Venue};
use serde_json::{Value, json};

const ACCOUNT: &str = "/api/v3/account?omitZeroBalances=true";

fn sum(rows: &Value, part: impl Fn(&Value) -> Fixed) -> Fixed {
    list(rows).iter().map(part).sum()
}

#[tokio::test]
async fn spot_is_what_the_books_say_and_savings_are_shown_twice() {
    let fake = fake(Venue::Binance);
    let order = fake.place("BTCUSDT", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let (shown, books) = (balances(&fake, ACCOUNT).await, fake.books());
    for (asset, money) in books.assets("spot") {
        assert_eq!(shown[asset], (money.free, money.locked), "{asset}");
    }
    let earn = |asset| books.money("earn", asset);
    assert_eq!(shown["LDUSDT"], (earn("USDT").free, Fixed::ZERO));
    assert_eq!(shown["LDBNB"], (earn("BNB").free, Fixed::ZERO));
    assert!(shown.contains_key("LDO") && shown.len() == books.assets("spot").count() + 2);
    assert_eq!(balances(&fake, "/api/v3/account").await["ADA"], (Fixed::ZERO, Fixed::ZERO));

    let orders = ask(&fake, "GET", "/api/v3/openOrders").await;
    let open = books.open_orders().filter(|order| order.category == Category::Spot);
    let open: Vec<&str> = open.map(|order| order.id.as_str()).collect();
    assert_eq!(list(&orders).iter().map(|row| row["orderId"].to_string()).collect::<Vec<_>>(), open);
    let mine = list(&orders).last().unwrap();
    assert_eq!((&mine["status"], &mine["cummulativeQuoteQty"]), (&json!("PARTIALLY_FILLED"), &json!("25.00025000")));
    let only = ask(&fake, "GET", "/api/v3/openOrders?symbol=BTCUSDT").await;
    assert_eq!(list(&only).len(), 1);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn trades_come_by_symbol_and_from_an_id_on() {
    let fake = fake(Venue::Binance);
    let books = fake.books();
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let target = format!("/api/v3/myTrades?symbol=ETHUSDT&limit=7&fromId={}", from + 1);
        let page = ask(&fake, "GET", &target).await;
        let Some(last) = list(&page).last() else { break };
        from = last["id"].as_u64().unwrap();
        all.extend(list(&page).iter().cloned());
    }
    let fills: Vec<_> = books.fills.iter().filter(|fill| fill.category == Category::Spot).collect();
    assert!(fills.len() == 20 && all.len() == fills.len());
    for (row, fill) in all.iter().zip(fills) {
        assert_eq!((said(row, "qty"), said(row, "commission")), (fill.quantity, fill.fee));
        assert_eq!((row["id"].as_u64(), row["isMaker"].as_bool()), (Some(fill.trade), Some(fill.role == Role::Maker)));
    }
    let latest = ask(&fake, "GET", "/api/v3/myTrades?symbol=ETHUSDT&limit=2").await;
    assert_eq!(list(&latest)[1], all[19]);
    assert_eq!(fake.violations(), [""; 0]);
    assert_eq!(refused(&fake, &fake.key(), "/api/v3/myTrades", now()).await, (400, -1102));
    assert_eq!(refused(&fake, &fake.key(), "/api/v3/myTrades?symbol=NOPE", now()).await, (400, -1121));
    assert_eq!(refused(&fake, &fake.key(), "/api/v3/myTrades?symbol=ETHUSDT&limit=1001", now()).await, (400, -1130));
    assert_eq!(fake.violations().len(), 3);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let fake = fake(Venue::Binance);
    let key = fake.key();
    let with = |change: fn(&mut Key)| {
        let mut key = key.clone();
        change(&mut key);
        key
    };
    let unsigned = get(&fake, ACCOUNT).await;
    assert_eq!((unsigned.status, &unsigned.json()["code"]), (401, &json!(-1002)));
    assert!(unsigned.head.contains("x-mbx-used-weight-1m: 20"));
    for (key, at, expected) in [
        (with(|key| key.id = "short".into()), 0, (401, -2014)),
        (with(|key| key.id = key.id.to_lowercase()), 0, (401, -2015)),
        (with(|key| key.secret = "wrong".into()), 0, (400, -1022)),
        (with(|key| key.secret = PEM.into()), 0, (400, -1022)),
        (key.clone(), -6_000, (400, -1021)),
        (key.clone(), 4_000, (400, -1021)),
    ] {
        assert_eq!(refused(&fake, &key, ACCOUNT, now() + at).await, expected);
    }
    assert_eq!(refused(&fake, &key, "/api/v3/account?recvWindow=10000", now() - 6_000).await.0, 200);
    for (state, read, expected) in [
        (KeyState::AddressRefused, true, 401),
        (KeyState::Unknown, true, 401),
        (KeyState::Expired, true, 401),
        (KeyState::Good, false, 401),
        (KeyState::Good, true, 200),
    ] {
        fake.change_key(|key| (key.state, key.read) = (state, read));
        assert_eq!(refused(&fake, &key, ACCOUNT, now()).await.0, expected);
    }
    fake.change_key(|key| key.scopes.clear());
    assert_eq!(refused(&fake, &key, "/sapi/v1/margin/account", now()).await, (401, -2015));
    let futures = ask_as(&fake, &key, "GET", "/fapi/v3/account", now()).await.json();
    assert!(
        futures["msg"].as_str().unwrap().starts_with("Invalid API-key, IP, or permissions for action., request ip:")
    );
    fake.inflict(Fault::Clock { ms: -60_000 });
    assert_eq!(refused(&fake, &key, ACCOUNT, now()).await, (400, -1021));
    assert_eq!(refused(&fake, &key, ACCOUNT, now() - 60_000).await.0, 200);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn the_query_is_signed_as_it_was_sent_and_so_is_the_body() {
    let fake = fake(Venue::Binance);
    let key = fake.key();
    let header = [("X-MBX-APIKEY", key.id.clone())];
    let target = signed(&key, "/api/v3/myTrades?symbol=%E8%BF%99%E6%98%AF%E6%B5%8B%E8%AF%95%E5%B8%81456", now());
    assert_eq!(request_with(&fake, "GET", &target, &header, "").await.status, 200);
    let crossed = target.replace("%E8%BF", "%e8%bf");
    assert_eq!(request_with(&fake, "GET", &crossed, &header, "").await.json()["code"], -1022);
    let funding = "/sapi/v1/asset/get-funding-asset";
    let body = signed(&key, "?asset=BTC", now()).split_off(1);
    let rows = request_with(&fake, "POST", funding, &header, &body).await.json();
    assert_eq!((list(&rows).len(), &rows[0]["free"]), (1, &json!("0.1")));
    assert_eq!(fake.violations(), [""; 0]);

    fake.change_key(|key| key.secret = PEM.to_owned());
    let key = fake.key();
    for before in 100..108 {
        assert_eq!(ask_as(&fake, &key, "GET", ACCOUNT, now() - before).await.status, 200);
    }
    let mut at = now();
    let mut plain = signed(&key, ACCOUNT, at);
    while !plain.contains("%2B") {
        at -= 1;
        plain = signed(&key, ACCOUNT, at);
    }
    let spaced = plain.replace("%2B", "+");
    assert_eq!(request_with(&fake, "GET", &spaced, &header, "").await.json()["code"], -1022);
}

#[tokio::test]
async fn every_wallet_and_the_whole() {
    let fake = fake(Venue::Binance);
    let books = fake.books();
    let funding = ask(&fake, "POST", "/sapi/v1/asset/get-funding-asset").await;
    let funds = |asset: &str| list(&funding).iter().find(|row| row["asset"] == asset).map(|row| said(row, "free"));
    assert_eq!(funds("USDC"), Some(books.money("funding", "USDC").free));
    let margin = ask(&fake, "GET", "/sapi/v1/margin/account").await;
    let tether = list(&margin["userAssets"]).iter().find(|row| row["asset"] == "USDT").unwrap();
    assert_eq!(said(tether, "netAsset"), books.money("margin", "USDT").net());
    let isolated = ask(&fake, "GET", "/sapi/v1/margin/isolated/account").await;
    assert_eq!(said(&isolated["assets"][0]["baseAsset"], "netAsset"), books.money("isolated", "BTC").net());

    let earn = |part: fn(Money) -> Fixed| -> Fixed { books.assets("earn").map(|(_, money)| part(money)).sum() };
    let first = ask(&fake, "GET", "/sapi/v1/simple-earn/flexible/position?size=1").await;
    let second = ask(&fake, "GET", "/sapi/v1/simple-earn/flexible/position?size=1&current=2").await;
    assert_eq!((&first["total"], list(&first["rows"]).len()), (&json!(2), 1));
    let flexible = said(&first["rows"][0], "totalAmount") + said(&second["rows"][0], "totalAmount");
    assert_eq!(flexible, earn(|money| money.free));
    let locked = ask(&fake, "GET", "/sapi/v1/simple-earn/locked/position").await;
    assert_eq!(sum(&locked["rows"], |row| said(row, "amount")), earn(|money| money.locked));
    assert!(earn(|money| money.locked) > Fixed::ZERO);

    let wallets = ask(&fake, "GET", "/sapi/v1/asset/wallet/balance?quoteAsset=USDT").await;
    let worth = |name: &str| said(list(&wallets).iter().find(|row| row["walletName"] == name).unwrap(), "balance");
    let savings = ask(&fake, "GET", "/sapi/v1/simple-earn/account").await;
    assert!((worth("Earn") - said(&savings, "totalAmountInUSDT")).as_f64().abs() < 1.0);
    assert_eq!(list(&wallets).len(), 10);
    let futures = books.money("futures", "USDT").total() + books.unrealised("USDT");
    assert!((worth("USDⓈ-M Futures") - futures).as_f64().abs() < 0.01);
    let tether = fake.dollars("USDT").unwrap();
    let priced = |(asset, money): (&str, Money)| Some(money.net().times(fake.dollars(asset)?).over(tether));
    let spot: Fixed = books.assets("spot").filter_map(priced).sum();
    assert!((worth("Spot").as_f64() / spot.as_f64() - 1.0).abs() < 0.01);
    let rights = ask(&fake, "GET", "/sapi/v1/account/apiRestrictions").await;
    assert_eq!(
        [&rights["enableReading"], &rights["enableSpotAndMarginTrading"], &rights["ipRestrict"]],
        [true, false, false]
    );
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn futures_in_dollars_and_in_coins() {
    let began = now();
    let fake = fake(Venue::Binance);
    fake.open_position(Category::Inverse, "BTCUSD_PERP", Side::Sell, number("10"), number("90000"), number("5"))
        .unwrap();
    fake.move_mark(Category::Inverse, "BTCUSD_PERP", number("80000")).unwrap();
    let books = fake.books();
    let account = ask(&fake, "GET", "/fapi/v3/account").await;
    let wallet = books.money("futures", "USDT").total();
    assert_eq!(
        said(&account, "totalMarginBalance"),
        said(&account, "totalWalletBalance") + said(&account, "totalUnrealizedProfit")
    );
    let places = |number: Fixed| format!("{number:.8}");
    assert_eq!(account["totalWalletBalance"], places(wallet));
    let balance = ask(&fake, "GET", "/fapi/v3/balance").await;
    assert_eq!((&balance[0]["asset"], &balance[0]["balance"]), (&json!("USDT"), &json!(places(wallet))));
    for (path, category) in [("/fapi/v3/positionRisk", Category::Linear), ("/dapi/v1/positionRisk", Category::Inverse)]
    {
        let rows = ask(&fake, "GET", path).await;
        for position in books.positions.iter().filter(|position| position.category == category) {
            let row = list(&rows).iter().find(|row| row["symbol"] == *position.symbol).unwrap();
            let size = if position.side == Side::Sell { -position.size } else { position.size };
            assert_eq!(said(row, "positionAmt"), size);
            assert_eq!(row["unRealizedProfit"], places(position.unrealised));
        }
    }
    let coins = ask(&fake, "GET", "/dapi/v1/account").await;
    assert_eq!(coins["assets"][0]["unrealizedProfit"], places(books.unrealised("BTC")));
    assert_eq!(
        ask(&fake, "GET", "/dapi/v1/balance").await[0]["balance"],
        places(books.money("futures", "BTC").total())
    );
    let info = get(&fake, "/dapi/v1/exchangeInfo").await.json();
    assert_eq!(info["symbols"][0]["contractSize"], 100);
    assert_eq!(list(&ask(&fake, "GET", "/fapi/v1/openOrders").await).len(), 1);
    assert_eq!(list(&ask(&fake, "GET", "/dapi/v1/openOrders").await).len(), 0);
    let index = get(&fake, "/fapi/v1/assetIndex?symbol=USDTUSD").await;
    assert_eq!(index.json()["index"], "0.99980000");
    // A turn of the minute in between starts again.
    assert!(index.head.contains("x-mbx-used-weight-1m: 56") || !same_minute(began), "{}", index.head);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn weights_rise_in_pools_of_their_own_and_what_is_gone_is_gone() {
    let began = now();
    let fake = fake(Venue::Binance);
    let key = fake.key();
    for (target, header) in [
        ("/api/v3/account", "x-mbx-used-weight-1m: 20"),
        ("/api/v3/openOrders", "x-mbx-used-weight-1m: 100"),
        ("/sapi/v1/asset/wallet/balance", "x-sapi-used-ip-weight-1m: 60"),
        ("/sapi/v1/account/apiRestrictions", "x-sapi-used-ip-weight-1m: 1"),
        ("/sapi/v1/asset/wallet/balance", "x-sapi-used-ip-weight-1m: 120"),
        ("/fapi/v3/account", "x-mbx-used-weight-1m: 5"),
        ("/dapi/v1/account", "x-mbx-used-weight-1m: 5"),
        ("/api/v3/openOrders?symbol=BTCUSDT", "x-mbx-used-weight-1m: 106"),
    ] {
        let head = ask_as(&fake, &key, "GET", target, now()).await.head;
        // A turn of the minute in between starts again.
        assert!(head.contains(header) || !same_minute(began), "{target}: {head}");
    }
    assert_eq!(fake.violations(), [""; 0]);
    let gone = request(&fake, "POST", "/api/v3/userDataStream", "").await;
    assert!(gone.status == 410 && gone.head.contains("text/html"));
    assert_eq!(ask_as(&fake, &key, "GET", "/sapi/v1/nothing", now()).await.status, 404);
    assert_eq!(fake.violations().len(), 2);
    fake.inflict(Fault::RestLimited { how: fake_venues::Limited::Plain }.private());
    assert_eq!(ask_as(&fake, &key, "GET", "/api/v3/account", now()).await.status, 429);
    assert_eq!(get(&fake, "/api/v3/time").await.status, 200);
}

#[tokio::test]
async fn the_stream_tells_what_happens() {
    let fake = fake(Venue::Binance);
    let mut client = subscribed(&fake).await;
    let order = fake.place("BTCUSDT", Side::Buy, number("50000"), number("0.002")).unwrap();
    let report = event(&mut client).await;
    assert_eq!(
        (&report["x"], &report["X"], &report["t"], &report["N"]),
        (&json!("NEW"), &json!("NEW"), &json!(-1), &json!(null))
    );
    assert_eq!(report["i"].to_string(), order);
    let position = event(&mut client).await;
    assert_eq!((&position["e"], &position["B"][0]["a"]), (&json!("outboundAccountPosition"), &json!("USDT")));
    assert_eq!(said(&position["B"][0], "l"), fake.books().money("spot", "USDT").locked);

    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let (trade, position) = (event(&mut client).await, event(&mut client).await);
    let fill = fake.books().fills.last().unwrap().clone();
    assert_eq!((&trade["x"], &trade["X"], &trade["m"]), (&json!("TRADE"), &json!("PARTIALLY_FILLED"), &json!(true)));
    assert_eq!((said(&trade, "l"), said(&trade, "n"), said(&trade, "Y")), (fill.quantity, fill.fee, fill.quote_volume));
    assert_eq!((trade["t"].as_u64(), &trade["N"]), (Some(fill.trade), &json!("BTC")));
    for row in list(&position["B"]) {
        let money = fake.books().money("spot", row["a"].as_str().unwrap());
        assert_eq!((said(row, "f"), said(row, "l")), (money.free, money.locked));
    }
    fake.cancel(&order).unwrap();
    let canceled = event(&mut client).await;
    assert_eq!((&canceled["x"], &canceled["C"]), (&json!("CANCELED"), &trade["c"]));
    event(&mut client).await;

    fake.transfer("spot", "earn", "USDT", number("25")).unwrap();
    let (delta, position) = (event(&mut client).await, event(&mut client).await);
    assert_eq!((&delta["e"], said(&delta, "d")), (&json!("balanceUpdate"), number("-25")));
    assert_eq!((&position["B"][1]["a"], said(&position["B"][1], "f")), (&json!("LDUSDT"), number("125")));
    fake.hold("spot", "BTC", number("0.1")).unwrap();
    assert_eq!(event(&mut client).await["e"], "externalLockUpdate");
    assert_eq!(said(&event(&mut client).await["B"][0], "l"), number("0.1"));
    // Nothing is told of other wallets.
    fake.deposit("funding", "BTC", number("1"));
    fake.deposit("spot", "BTC", number("1"));
    assert_eq!(event(&mut client).await["e"], "balanceUpdate");
    assert!(fake.settle(PATIENCE).await);
    assert_eq!(fake.violations(), [""; 0]);
    assert!(fake.seen().connections[0].private);
}

#[tokio::test]
async fn one_subscription_and_its_end() {
    let fake = fake(Venue::Binance);
    let mut client = subscribed(&fake).await;
    let again = json!({"id": 2, "method": "userDataStream.subscribe.signature", "params": params(&fake.key(), now())});
    client.say(&again).await;
    let answer = client.json().await;
    assert_eq!((&answer["id"], &answer["status"], &answer["error"]["code"]), (&json!(2), &json!(400), &json!(-2035)));
    assert_eq!(answer["rateLimits"][0]["limit"], 6_000);
    client.say(json!({"id": 3, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 0}})).await;
    assert_eq!(client.json().await["result"], json!({}));
    assert_eq!(event(&mut client).await["e"], "eventStreamTerminated");
    client.say(&again).await;
    assert_eq!(client.json().await["result"]["subscriptionId"], 1);
    fake.inflict(Fault::Shutdown { ms: Some(2_000) });
    let notice = client.json().await;
    assert!(notice["event"]["e"] == "serverShutdown" && notice.get("subscriptionId").is_none());
    fake.change_key(|key| key.state = KeyState::Unknown);
    let revoked = client.json().await;
    assert_eq!(
        (&revoked["id"], &revoked["status"], &revoked["error"]["code"]),
        (&json!(null), &json!(401), &json!(-2015))
    );
    assert_eq!(client.json().await["event"]["e"], "eventStreamTerminated");
}

#[tokio::test]
async fn only_ed25519_logs_on() {
    let fake = fake(Venue::Binance);
    let mut client = Client::dial(&fake, "/ws-api/v3?returnRateLimits=false").await;
    let mut say = async |id: i64, method: &str, params: Value| {
        client.say(json!({"id": id, "method": method, "params": params})).await;
        let answer = client.json().await;
        assert!(answer["id"] == id && answer.get("rateLimits").is_none());
        answer
    };
    assert_eq!(say(1, "session.logon", params(&fake.key(), now())).await["error"]["code"], -4056);
    assert_eq!(say(2, "userDataStream.subscribe", json!({})).await["status"], 401);
    fake.change_key(|key| key.secret = PEM.to_owned());
    let key = fake.key();
    let mut wrong = params(&key, now());
    wrong["recvWindow"] = 4_000.into();
    assert_eq!(say(3, "session.logon", wrong).await["error"]["code"], -1022);
    fake.inflict(Fault::RefuseLogins);
    assert_eq!(say(4, "session.logon", params(&key, now())).await["error"]["code"], -2015);
    fake.clear();
    let status = say(5, "session.logon", params(&key, now())).await;
    assert_eq!((&status["result"]["apiKey"], &status["result"]["userDataStream"]), (&json!(key.id), &json!(false)));
    assert_eq!(say(6, "userDataStream.subscribe", json!({})).await["result"]["subscriptionId"], 0);
    assert_eq!(say(7, "session.status", json!({})).await["result"]["userDataStream"], true);
    assert!(say(8, "time", json!({})).await["result"]["serverTime"].as_i64().unwrap() > now() - 1_000);
    assert_eq!(say(9, "ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn events_are_told_twice_or_in_the_wrong_order_on_demand() {
    let fake = fake(Venue::Binance);
    let mut client = subscribed(&fake).await;
    fake.inflict(Fault::RepeatEvents);
    fake.deposit("spot", "BTC", number("1"));
    let (first, position) = (event(&mut client).await, event(&mut client).await);
    assert_eq!([event(&mut client).await, event(&mut client).await], [first, position]);
    fake.clear();
    fake.inflict(Fault::SwapEvents);
    fake.deposit("spot", "BTC", number("2"));
    fake.deposit("spot", "BTC", number("3"));
    assert_eq!(said(&event(&mut client).await, "d"), number("3"));
    fake.clear();
    fake.inflict(Fault::Close.private());
    assert_eq!(client.closed().await, 1001);
}
