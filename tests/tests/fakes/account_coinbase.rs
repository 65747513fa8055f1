//! Coinbase's account, spoken right and wrong.

use std::time::Duration;

use crate::client::coinbase::{Claims, EC, all, ask, ask_as, ask_with, event, paged, subscribe, subscribed, token};
use crate::client::{Client, PATIENCE, fake, fake_with, get, number, said};
use fake_venues::account::{Category, KeyState, Role, Side};
use fake_venues::{Fault, Fixed, Venue};
use serde_json::{Value, json};

const URI: &str = "GET api.coinbase.com/api/v3/brokerage/accounts";

#[tokio::test]
async fn accounts_are_what_the_books_say() {
    let fake = paged(4);
    fake.place("BTC-USD", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    let (pages, accounts) = all(&fake, "accounts?limit=250", "accounts").await;
    let books = fake.books();
    assert_eq!(accounts.len(), books.assets("spot").count() + books.assets("vault").count());
    assert!(pages > 2);
    for row in &accounts {
        let wallet = if row["type"] == "ACCOUNT_TYPE_VAULT" { "vault" } else { "spot" };
        let money = books.money(wallet, row["currency"].as_str().unwrap());
        assert_eq!((said(&row["available_balance"], "value"), said(&row["hold"], "value")), (money.free, money.locked));
    }
    let rights = ask(&fake, "key_permissions").await;
    assert_eq!([&rights["can_view"], &rights["can_trade"], &rights["can_transfer"]], [true, false, false]);
    let uuid = rights["portfolio_uuid"].as_str().unwrap();
    assert_eq!(ask(&fake, "portfolios").await["portfolios"][0]["uuid"], uuid);
    let portfolio = ask(&fake, &format!("portfolios/{uuid}?currency=USD")).await;
    let balances = &portfolio["breakdown"]["portfolio_balances"];
    let value = |name: &str| said(&balances[name], "value");
    let parts = value("total_cash_equivalent_balance") + value("total_crypto_balance") + value("total_futures_balance");
    assert_eq!(value("total_balance"), parts);
    let futures = books.money("futures", "USD").total() + books.unrealised("USD");
    assert_eq!(value("total_futures_balance"), futures);
    let positions = portfolio["breakdown"]["spot_positions"].as_array().unwrap();
    let bitcoin = positions.iter().find(|row| row["asset"] == "BTC").unwrap();
    assert_eq!(bitcoin["total_balance_crypto"].as_f64(), Some(books.money("spot", "BTC").total().as_f64()));
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn orders_and_fills_come_in_pages() {
    let fake = paged(50);
    let order = fake.place("BTC-USD", Side::Buy, number("50000"), number("0.002")).unwrap();
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let books = fake.books();
    let (pages, orders) = all(&fake, "orders/historical/batch?order_status=OPEN&limit=250", "orders").await;
    let ids: Vec<&str> = orders.iter().map(|row| row["order_id"].as_str().unwrap()).collect();
    let open: Vec<&str> = books.open_orders().rev().map(|order| order.id.as_str()).collect();
    assert!(pages == 2 && open.len() > 50 && ids == open);
    assert_eq!((said(&orders[0], "filled_size"), &orders[0]["number_of_fills"]), (number("0.0005"), &json!("1")));
    let (pages, fills) = all(&fake, "orders/historical/fills?limit=100", "fills").await;
    assert!(pages == 3 && fills.len() == books.fills.len());
    let mut in_quote = 0;
    for (row, fill) in fills.iter().zip(books.fills.iter().rev()) {
        let size = if row["size_in_quote"] == true { said(row, "size").over(fill.price) } else { said(row, "size") };
        in_quote += usize::from(row["size_in_quote"] == true);
        assert_eq!((size, said(row, "commission"), &row["trade_id"]), (fill.quantity, fill.fee, &json!(fill.id)));
    }
    assert!(in_quote > 0 && fills[0]["liquidity_indicator"] == "MAKER");
    let since = fills[0]["sequence_timestamp"].as_str().unwrap();
    for since in [since.to_owned(), since.replace('Z', "000Z")] {
        let recent = ask(&fake, &format!("orders/historical/fills?start_sequence_timestamp={since}")).await;
        assert_eq!(recent["fills"].as_array().unwrap().len(), 1);
    }
    fake.set_fees(number("0.001"), number("0.002"));
    let summary = ask(&fake, "transaction_summary").await;
    assert_eq!(summary["fee_tier"]["taker_fee_rate"], "0.002");
    assert_eq!(fake.violations(), [""; 0]);
    for bad in
        ["accounts?limit=251", "accounts?cursor=1", "orders/historical/fills?start_sequence_timestamp=1700000000"]
    {
        assert_eq!(ask_as(&fake, &fake.key(), bad).await.json()["error"], "INVALID_ARGUMENT");
    }
    assert_eq!(fake.violations().len(), 3);
}

#[tokio::test]
async fn every_bad_token_is_unauthorized() {
    let fake = fake(Venue::Coinbase);
    let key = fake.key();
    let status = async |token: String| ask_with(&fake, "accounts", &token).await.status;
    let claims = || Claims::now(Some(URI));
    let missing = get(&fake, "/api/v3/brokerage/accounts").await;
    assert_eq!((missing.status, missing.body.as_str()), (401, "Unauthorized\n"));
    let mut other = key.clone();
    other.secret = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=".to_owned();
    assert_eq!(status(token(&other, &claims())).await, 401);
    other.secret = EC.to_owned();
    assert_eq!(status(token(&other, &claims())).await, 401);
    (other.secret, other.id) = (key.secret.clone(), "nobody".to_owned());
    assert_eq!(status(token(&other, &claims())).await, 401);
    for shift in [-121, 30] {
        let mut claims = claims();
        claims.from += shift;
        assert_eq!(status(token(&key, &claims)).await, 401);
    }
    for state in [KeyState::Unknown, KeyState::AddressRefused] {
        fake.change_key(|key| key.state = state);
        assert_eq!(status(token(&key, &claims())).await, 401);
    }
    fake.change_key(|key| (key.state, key.read) = (KeyState::Good, false));
    let scopes = ask_as(&fake, &key, "accounts").await;
    assert_eq!((scopes.status, &scopes.json()["error_details"]), (403, &json!("Missing required scopes")));
    fake.change_key(|key| key.read = true);
    assert_eq!(fake.violations(), [""; 0]);

    let once = token(&key, &claims());
    assert_eq!([status(once.clone()).await, status(once).await], [200, 401]);
    let own = Claims::now(Some(&format!("GET {}/api/v3/brokerage/accounts", fake.address())));
    assert_eq!(status(token(&key, &own)).await, 200);
    let query = Claims::now(Some(&format!("{URI}?limit=1")));
    assert_eq!(status(token(&key, &query)).await, 401);
    let long = Claims { life: 121, ..claims() };
    assert_eq!(status(token(&key, &long)).await, 401);
    assert_eq!(fake.violations().len(), 3);
    fake.change_key(|key| key.secret = EC.to_owned());
    assert_eq!(status(token(&fake.key(), &claims())).await, 200);
}

#[tokio::test]
async fn futures_are_there_if_the_key_has_them() {
    let fake = fake(Venue::Coinbase);
    let symbol = "BIP-20DEC30-CDE";
    fake.open_position(Category::Linear, symbol, Side::Buy, number("2"), number("90000"), number("5")).unwrap();
    fake.move_mark(Category::Linear, symbol, number("90790")).unwrap();
    let books = fake.books();
    let held = books.position(Category::Linear, symbol).unwrap();
    let positions = ask(&fake, "cfm/positions").await;
    let row = &positions["positions"][0];
    assert_eq!((said(row, "number_of_contracts"), said(row, "unrealized_pnl")), (held.size, held.unrealised));
    let summary = ask(&fake, "cfm/balance_summary").await["balance_summary"].clone();
    let value = |name: &str| said(&summary[name], "value");
    assert_eq!(value("cfm_usd_balance"), books.money("futures", "USD").total());
    assert_eq!(value("total_usd_balance"), value("cfm_usd_balance") + books.money("spot", "USD").total());
    let mut client = Client::dial(&fake, "/user").await;
    client.say(subscribe(&fake.key(), "futures_balance_summary")).await;
    let told = event(&mut client, "futures_balance_summary").await;
    assert_eq!(said(&told["fcm_balance_summary"], "unrealized_pnl"), held.unrealised);
    fake.move_mark(Category::Linear, symbol, number("90000")).unwrap();
    let told = event(&mut client, "futures_balance_summary").await;
    assert_eq!(
        (&told["type"], &told["fcm_balance_summary"]["unrealized_pnl"]),
        (&json!("update"), &json!(fake.books().unrealised("USD")))
    );
    fake.change_key(|key| key.scopes.clear());
    let refused = async |target: &str| ask_as(&fake, &fake.key(), target).await.status;
    assert_eq!([refused("cfm/balance_summary").await, refused("cfm/positions").await], [403, 404]);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn what_has_no_key_still_answers() {
    let fake = fake(Venue::Coinbase);
    let rates = get(&fake, "/v2/exchange-rates?currency=USDT").await.json();
    let reais = rates["data"]["rates"]["BRL"].as_str().unwrap();
    assert!(number(reais) > number("5") && number(reais) < number("6"));
    let best = ask(&fake, "best_bid_ask?product_ids=BTC-USD&product_ids=ETH-USD").await;
    assert_eq!(best["pricebooks"].as_array().unwrap().len(), 2);
    let market = fake.market();
    assert!(market.find("USDT-USD").is_some());
    assert!(market.listings().iter().all(|listing| listing.quote.quote != "BRL"));
    assert!(ask_as(&fake, &fake.key(), "accounts").await.head.contains("x-ratelimit-limit: 30"));
    assert_eq!(fake.violations(), [""; 0]);
    assert_eq!(ask_as(&fake, &fake.key(), "nothing").await.status, 404);
    assert_eq!(fake.violations().len(), 1);
}

#[tokio::test]
async fn the_snapshot_comes_in_batches_and_updates_tell_what_changed() {
    let fake = fake(Venue::Coinbase);
    let (mut client, batches) = subscribed(&fake, "/user").await;
    let open = fake.books().open_orders().count();
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [50, open - 50]);
    let order = fake.place("BTC-USD", Side::Buy, number("50000"), number("0.002")).unwrap();
    let placed = event(&mut client, "user").await["orders"][0].clone();
    assert_eq!(
        (&placed["order_id"], &placed["status"], &placed["number_of_fills"]),
        (&json!(order), &json!("OPEN"), &json!("0"))
    );
    assert_eq!(said(&placed, "outstanding_hold_amount"), number("100"));
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let filled = event(&mut client, "user").await["orders"][0].clone();
    let fee = fake.books().fills.last().unwrap().fee;
    assert_eq!(
        (said(&filled, "cumulative_quantity"), said(&filled, "leaves_quantity")),
        (number("0.0005"), number("0.0015"))
    );
    assert_eq!((said(&filled, "total_fees"), &filled["number_of_fills"]), (fee, &json!("1")));
    fake.fill(&order, number("0.0015"), Role::Taker).unwrap();
    let done = event(&mut client, "user").await["orders"][0].clone();
    assert_eq!((&done["status"], &done["number_of_fills"]), (&json!("FILLED"), &json!("2")));
    // Money that comes is not told.
    fake.deposit("spot", "BTC", number("1"));
    let other = fake.place("BTC-USD", Side::Sell, number("100000"), number("0.1")).unwrap();
    fake.cancel(&other).unwrap();
    assert_eq!(event(&mut client, "user").await["orders"][0]["status"], "OPEN");
    assert_eq!(event(&mut client, "user").await["orders"][0]["status"], "CANCELLED");
    assert!(fake.settle(PATIENCE).await);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn an_exact_batch_is_followed_by_an_empty_one() {
    let fake = fake(Venue::Coinbase);
    let open: Vec<String> = fake.books().open_orders().map(|order| order.id.clone()).collect();
    for id in &open[50..] {
        fake.cancel(id).unwrap();
    }
    let (_, batches) = subscribed(&fake, "").await;
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [50, 0]);
}

#[tokio::test]
async fn frames_are_numbered_whatever_they_tell() {
    let fake = fake_with(Venue::Coinbase, |times| times.heartbeat = Duration::from_millis(50));
    let mut client = Client::dial(&fake, "").await;
    client.say(json!({"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]})).await;
    for channel in ["heartbeats", "user", "futures_balance_summary"] {
        client.say(subscribe(&fake.key(), channel)).await;
    }
    let (mut channels, mut frames) = (Vec::new(), 0);
    while !["ticker", "heartbeats", "user", "futures_balance_summary"]
        .iter()
        .all(|wanted| channels.contains(&(*wanted).to_owned()))
        || frames < 20
    {
        let frame: Value = client.json().await;
        assert_eq!(frame["sequence_num"], frames);
        frames += 1;
        channels.push(frame["channel"].as_str().unwrap().to_owned());
    }
    assert!(fake.seen().connections[0].private, "by what it is subscribed to");
    fake.inflict(Fault::Close.private());
    assert_eq!(client.closed().await, 1001);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn a_bad_token_is_an_authentication_failure_and_silence_is_cut() {
    let fake = fake_with(Venue::Coinbase, |times| times.first_subscribe = Duration::from_secs(3));
    let mut client = Client::dial(&fake, "/user").await;
    let failure = json!({"type": "error", "message": "authentication failure"});
    let mut other = fake.key();
    other.secret = EC.to_owned();
    client.say(subscribe(&other, "user")).await;
    assert_eq!(client.json().await, failure);
    fake.inflict(Fault::RefuseLogins);
    client.say(subscribe(&fake.key(), "user")).await;
    assert_eq!(client.json().await, failure);
    fake.clear();
    assert_eq!(fake.violations(), [""; 0]);
    client.say(json!({"type": "subscribe", "channel": "user"})).await;
    assert_eq!(client.json().await, failure);
    let once = subscribe(&fake.key(), "heartbeats");
    client.say(&once).await;
    client.say(&once).await;
    client.find(|frame| *frame == failure).await;
    assert_eq!(fake.violations().len(), 2);
    let mut silent = Client::dial(&fake, "/user").await;
    assert_eq!(silent.closed().await, 1008);
}

#[tokio::test]
async fn events_are_told_twice_or_in_the_wrong_order_on_demand() {
    let fake = fake(Venue::Coinbase);
    let (mut client, _) = subscribed(&fake, "").await;
    fake.inflict(Fault::RepeatEvents.private());
    let order = fake.place("BTC-USD", Side::Buy, number("50000"), number("0.002")).unwrap();
    let first = event(&mut client, "user").await;
    assert_eq!(event(&mut client, "user").await, first);
    fake.clear();
    fake.inflict(Fault::SwapEvents);
    fake.fill(&order, number("0.001"), Role::Maker).unwrap();
    fake.fill(&order, number("0.001"), Role::Maker).unwrap();
    let filled = async |client: &mut Client| said(&event(client, "user").await["orders"][0], "cumulative_quantity");
    assert_eq!([filled(&mut client).await, filled(&mut client).await], [number("0.002"), number("0.001")]);
    fake.clear();
    assert_eq!(fake.books().order(&order).unwrap().remaining(), Fixed::ZERO);
}
