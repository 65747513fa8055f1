//! The account's questions, with the answers of the venue's documents.

use super::*;
use common::Decimal;
use common::account::{Status, read};

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

const ACCOUNT: &str = r#"{"uuid":"8bfc20d7-f7c6-4422-bf07-8243ca4169fe","name":"BTC Wallet","currency":"BTC","available_balance":{"value":"0.512","currency":"BTC"},"default":true,"active":true,"created_at":"2023-01-04T06:20:06.456Z","updated_at":"2026-11-20T09:00:00Z","deleted_at":null,"type":"ACCOUNT_TYPE_CRYPTO","ready":true,"hold":{"value":"0.01","currency":"BTC"},"retail_portfolio_id":"b87a2d3f-8a1e-49b3-a4ea-402d8c389aca","platform":"ACCOUNT_PLATFORM_CONSUMER"}"#;

#[test]
fn accounts_of_one_currency_are_one_balance_and_vaults_are_another() {
    let vault = ACCOUNT.replace("CRYPTO", "VAULT").replace("0.01", "0");
    let body = format!(r#"{{"accounts":[{ACCOUNT},{ACCOUNT},{vault}],"has_next":true,"cursor":"a+b=","size":3}}"#);
    let (entries, next) = read(accounts, &body).unwrap();
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| match entry {
            Entry::Balance(one) => (one.wallet, one.asset.as_str(), one.free, one.locked),
            other => panic!("{other:?}"),
        })
        .collect();
    let spot = ("spot", "BTC", Some(dec("1.024")), Some(dec("0.02")));
    assert_eq!(rows, [spot, ("vault", "BTC", Some(dec("0.512")), Some(dec("0")))]);
    assert_eq!(next.as_deref(), Some("a%2Bb%3D"));
    assert_eq!(read(accounts, r#"{"accounts":[],"has_next":false,"cursor":"x"}"#).unwrap(), (vec![], None));
}

#[test]
fn open_orders_and_what_may_be_withheld() {
    let body = r#"{"orders":[{"order_id":"0f2c","product_id":"BTC-USD","user_id":"u","side":"BUY","client_order_id":"a1","status":"OPEN","time_in_force":"GOOD_UNTIL_CANCELLED","created_time":"2026-11-20T08:00:00Z","completion_percentage":"0","filled_size":"0","average_filled_price":"0","fee":"","number_of_fills":"0","product_type":"SPOT"}],"has_next":false,"sequence":"0","cursor":"","proof_token_required":false}"#;
    let order =
        Order { market: Market::Spot, name: "BTC-USD".into(), id: "0f2c".into(), status: Status::New, at: None };
    assert_eq!(read(orders, body).unwrap(), (vec![Entry::Order(order)], None));
    let fault = orders(&body.replace("false}", "true}"), &mut |_| {}).unwrap_err();
    assert_eq!((fault.kind, fault.cause), (Kind::Permission, Some(Cause::Account)));
    assert!(fills(r#"{"fills":[],"cursor":"","proof_token_required":true}"#, &mut |_| {}).is_err());
}

#[test]
fn executions_in_quote_currency_and_in_contracts() {
    let row = |product: &str, in_quote: bool| {
        format!(
            r#"{{"entry_id":"e1","trade_id":"t1","order_id":"0f2c","trade_time":"2026-11-20T10:00:00.1Z","trade_type":"FILL","price":"90000","size":"2","commission":"1.5","product_id":"{product}","sequence_timestamp":"2026-11-20T10:00:00.1Z","liquidity_indicator":"MAKER","size_in_quote":{in_quote},"user_id":"u","side":"SELL"}}"#
        )
    };
    let body = |row: String| format!(r#"{{"fills":[{row}],"cursor":"c2"}}"#);
    let (entries, next) = read(fills, &body(row("BTC-USDC", false))).unwrap();
    let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((fill.quote_volume, &fill.fee), (Some(dec("180000")), &Some((dec("1.5"), "USDC".into()))));
    assert_eq!((fill.side, fill.role, fill.at), (Side::Sell, Some(Role::Maker), Some(Micros(1_795_168_800_100_000))));
    assert_eq!(next.as_deref(), Some("c2"));
    let (entries, _) = read(fills, &body(row("BTC-USD", true))).unwrap();
    assert!(matches!(&entries[..], [Entry::Fill(fill)] if fill.quote_volume == Some(dec("2"))));
    let (entries, _) = read(fills, &body(row("BIT-27NOV26-CDE", false))).unwrap();
    let [Entry::Deal(deal, size, price)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((*size, *price, &deal.fee), (dec("2"), dec("90000"), &Some((dec("1.5"), "USD".into()))));
    assert_eq!(read(fills, r#"{"fills":[],"cursor":"c3"}"#).unwrap(), (vec![], None), "an empty page ends");
}

#[test]
fn only_what_lies_with_the_futures_and_its_profit() {
    let money = |name: &str, value: &str| format!(r#""{name}":{{"value":"{value}","currency":"USD"}}"#);
    let body = format!(
        r#"{{"balance_summary":{{{},{},{},{}}}}}"#,
        money("total_usd_balance", "1500"),
        money("cbi_usd_balance", "1000"),
        money("cfm_usd_balance", "500"),
        money("unrealized_pnl", "-15.8")
    );
    let (entries, _) = read(futures, &body).unwrap();
    let [Entry::Balance(usd)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((usd.wallet, usd.free, usd.net()), ("futures", Some(dec("500")), dec("484.2")));
    assert_eq!(read(futures, r#"{"balance_summary":null}"#).unwrap().0, []);
}

#[test]
fn positions_in_both_forms() {
    let plain = r#"{"positions":[{"product_id":"BIP-20DEC30-CDE","expiration_time":"2030-12-20T16:00:00Z","side":"SHORT","number_of_contracts":"2","current_price":"90790","avg_entry_price":"90000","unrealized_pnl":"15.8","daily_realized_pnl":"0"}]}"#;
    let (entries, _) = read(positions, plain).unwrap();
    let [Entry::Position(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.side, one.size, &one.value), (Side::Short, Size::Contracts(dec("2")), &None));
    assert_eq!(one.price, Some((dec("90790"), "USD".into())), "of which the size of the contract makes the value");
    assert_eq!(one.pnl, Some((dec("15.8"), "USD".into())));
    let rich = plain
        .replace(r#""90790""#, r#"{"value":"90790","currency":"USD"}"#)
        .replace(r#""daily"#, r#""contract_size":"0.01","leverage":{"value":"5","currency":""},"daily"#);
    let (entries, _) = read(positions, &rich).unwrap();
    let [Entry::Position(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.size, one.leverage), (Size::Base(dec("0.02")), Some(dec("5"))));
    assert_eq!((&one.value, &one.price), (&None, &Some((dec("90790"), "USD".into()))));
}

#[test]
fn what_the_key_may_do() {
    let body = r#"{"can_view":true,"can_trade":false,"can_transfer":false,"can_receive":false,"portfolio_uuid":"b87a","portfolio_type":"DEFAULT"}"#;
    let (no, yes) = (Some(false), Some(true));
    let reads = Rights { read: yes, trade: no, withdraw: no, transfer: no, ..Rights::default() };
    assert_eq!(read(rights, body).unwrap().0, [Entry::Rights(reads)]);
}

#[test]
fn contracts_of_several_sizes_keep_apart() {
    let row = |id: &str, day: &str, size: &str| {
        format!(
            r#"{{"product_id":"{id}","quote_currency_id":"USD","base_currency_id":"","future_product_details":{{"contract_root_unit":"BTC","contract_size":"{size}","contract_expiry":"{day}T16:00:00Z"}}}}"#
        )
    };
    let rows = [
        row("BIT-27NOV26-CDE", "2026-11-27", "0.01"),
        row("BTI-27NOV26-CDE", "2026-11-27", "1"),
        row("BIP-20DEC30-CDE", "2030-12-20", "0.01"),
    ];
    let body = format!(r#"{{"products":[{}],"pagination":null}}"#, rows.join(","));
    let (entries, _) = read(contracts, &body).unwrap();
    let names: Vec<_> =
        entries.iter().map(|entry| if let Entry::Contract(one) = entry { one.symbol.as_str() } else { "" }).collect();
    assert_eq!(names, ["BIT27NOV26CDE", "BTI27NOV26CDE", "BTCUSD301220"]);
}

#[test]
fn a_refused_token_is_tried_once_more() {
    let setup = Setup { hosts: crate::ABOUT.live.clone(), ws_given: false, ws_private_given: false, testnet: false };
    let owner = Owner { setup, keys: Keyring::fixed(["a", "b"]) };
    assert!(owner.again(&Fault::new(Kind::Auth, "")) && !owner.again(&Fault::new(Kind::Permission, "")));
    assert!(!owner.tells_fills());
    let since = Micros::from_millis(1_795_168_800_123);
    let fills = owner.fills(since, &View::default());
    assert_eq!(fills[0].query.request.query, "start_sequence_timestamp=2026-11-20T10:00:00.123Z&limit=100");
}
