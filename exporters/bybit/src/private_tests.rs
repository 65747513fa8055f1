//! The guide's frames, read.

use super::*;
use common::account::{Position, Role, Side, Status};
use common::{Entry, Fact, Market, Update};

fn feed() -> Events {
    Events::new("wss://stream.bybit.com", Keyring::fixed(["key", "secret"]))
}

fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
    let mut told = Vec::new();
    feed().decode(frame, &mut |update| told.push(update)).map(|()| told)
}

fn entries(frame: &str) -> Vec<Entry> {
    let entry = |update| match update {
        Update::Fact(Fact::Entry(entry)) => entry,
        other => panic!("{other:?}"),
    };
    told(frame).unwrap().into_iter().map(entry).collect()
}

fn sides(frame: &str) -> Vec<(Side, String)> {
    let side = |entry| match entry {
        Entry::Position(Position { side, size, .. }) => (side, size.number().to_string()),
        other => panic!("{other:?}"),
    };
    entries(frame).into_iter().map(side).collect()
}

#[test]
fn login_comes_first() {
    let steps = feed().opening(Micros(1_700_000_000_000_000)).unwrap();
    assert_eq!((steps.len(), steps[0].answers, steps[1].answers), (2, 1, 1));
    assert!(steps[0].say[0].contains(r#""op":"auth""#) && steps[1].say[0].contains(r#""wallet","position""#));
}

#[test]
fn a_wallet_names_the_coins_that_changed() {
    let frame = r#"{"id":"8846ac01d2f7b3-70bb","topic":"wallet","creationTime":1763600002000,"data":[{"accountType":"UNIFIED","totalEquity":"10250.48","totalPerpUPL":"32.91","accountLTV":"0","coin":[{"coin":"USDT","equity":"8032.91","usdValue":"8031.30","walletBalance":"8000","locked":"1450","borrowAmount":"0","spotBorrow":"0","accruedInterest":"0","totalOrderIM":"","unrealisedPnl":"32.91","availableToWithdraw":""}]}]}"#;
    let told = entries(frame);
    let [Entry::Balance(one), Entry::Reported("unified", ..)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((one.asset.as_str(), one.net().to_string()), ("USDT", "8032.91".to_owned()));
    assert_eq!(one.at, Some(Micros::from_millis(1_763_600_002_000)));
}

#[test]
fn a_position_that_turns_closes_its_other_side() {
    let frame = r#"{"id":"2210447a9e06c1d5","topic":"position","creationTime":1763600002010,"data":[{"category":"linear","symbol":"BTCUSDT","positionIdx":0,"side":"Buy","size":"0.05","entryPrice":"90581.8","leverage":"10","positionValue":"4529.09","markPrice":"91238.77","liqPrice":"","unrealisedPnl":"32.85","adlRankIndicator":2,"seq":8812046160,"createdTime":"1763500000000","updatedTime":"1763600002005"}]}"#;
    assert_eq!(sides(frame), [(Side::Short, "0".into()), (Side::Long, "0.05".into())]);
    let closed = frame.replace(r#""Buy","size":"0.05""#, r#""","size":"0""#);
    assert_eq!(sides(&closed), [(Side::Short, "0".into()), (Side::Long, "0".into())]);
    let hedged = closed.replace(r#""positionIdx":0"#, r#""positionIdx":2"#);
    assert_eq!(sides(&hedged), [(Side::Short, "0".into())], "the long one is another position");
}

#[test]
fn orders_and_what_becomes_of_them() {
    let frame = r#"{"id":"8846ac01d2f7b3-41ce-9a70","topic":"order","creationTime":1763600002015,"data":[{"category":"linear","symbol":"BTCUSDT","orderId":"c41f7d20-6b95-4e0a-b8c3-52f9e1d07a64","orderLinkId":"","side":"Buy","orderType":"Market","orderStatus":"Filled","rejectReason":"EC_NoError","leavesQty":"","cumFeeDetail":{"USDT":"2.49"},"feeCurrency":"","createdTime":"1763600002010","updatedTime":"1763600002014"}]}"#;
    for (word, status) in [
        ("New", Status::New),
        ("Untriggered", Status::New),
        ("Triggered", Status::Working),
        ("PartiallyFilled", Status::Working),
        ("Filled", Status::Filled),
        ("Cancelled", Status::Canceled),
        ("PartiallyFilledCanceled", Status::Canceled),
        ("Deactivated", Status::Canceled),
        ("Rejected", Status::Rejected),
    ] {
        let told = entries(&frame.replace("Filled\",\"reject", &format!("{word}\",\"reject")));
        let [Entry::Order(order)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((order.status, order.market), (status, Market::Linear), "{word}");
        assert_eq!(order.at, Some(Micros::from_millis(1_763_600_002_014)));
    }
    let by_category = frame.replace(r#""topic":"order""#, r#""topic":"order.linear""#);
    assert_eq!(entries(&by_category).len(), 1);
    assert!(matches!(told(&frame.replace("Filled\"", "Dreamt\"")).unwrap()[..], [Update::Misread(_)]));
}

#[test]
fn executions_with_their_fees() {
    let frame = r#"{"id":"402117735_BTCUSDT_18804","topic":"execution","creationTime":1763600002020,"data":[{"category":"spot","symbol":"BTCUSDT","execId":"a6d3f01c","orderId":"c41f7d20","side":"Sell","orderType":"Limit","execPrice":"90000","execQty":"0.05","execValue":"4500","execFee":"-0.9","feeRate":"-0.0002","feeCurrency":"USDT","execType":"Trade","isMaker":true,"isLeverage":"0","execTime":"1763600002018","seq":188041220573311},{"category":"linear","symbol":"BTCUSDT","execId":"b","side":"Buy","execQty":"1","execType":"Funding","isMaker":false,"execTime":"1763600002019"}]}"#;
    let told = entries(frame);
    let [Entry::Fill(fill)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((fill.market, fill.side, fill.role), (Market::Spot, Side::Sell, Some(Role::Maker)));
    assert_eq!(fill.fee.as_ref().map(|(fee, coin)| (fee.to_string(), coin.as_str())), Some(("-0.9".into(), "USDT")));
}

#[test]
fn answers_and_refusals() {
    for frame in [
        r#"{"success":true,"ret_msg":"","op":"auth","conn_id":"d4m1k7p2c3vq9sb6uh30-4f2"}"#,
        r#"{"retCode":0,"retMsg":"OK","op":"auth","connId":"d4m1"}"#,
        r#"{"success":true,"ret_msg":"","op":"subscribe","conn_id":"d4m1"}"#,
    ] {
        assert_eq!(told(frame), Ok(vec![Signal::Accepted.into()]), "{frame}");
    }
    for frame in [
        r#"{"req_id":"p-1","op":"pong","args":["1763600000000"],"conn_id":"d4m1k7p2c3vq9sb6uh30-4f2"}"#,
        r#"{"success":true,"ret_msg":"pong","conn_id":"6f0c","op":"ping"}"#,
    ] {
        assert_eq!(told(frame), Ok(vec![Signal::Pong.into()]), "{frame}");
    }
    for (frame, kind, cause) in [
        (r#"{"success":false,"ret_msg":"Params Error","op":"auth"}"#, Kind::ClockSkew, Some(Cause::Clock)),
        (r#"{"success":false,"ret_msg":"Invalid","op":"auth"}"#, Kind::Auth, Some(Cause::Unsaid)),
        (r#"{"op":"auth","retCode":10003,"retMsg":"Invalid apikey"}"#, Kind::Auth, Some(Cause::Key)),
        (r#"{"success":false,"ret_msg":"error:invalid op","op":"subscribe"}"#, Kind::Venue, None),
    ] {
        let updates = told(frame).unwrap();
        let [Update::Signal(Signal::Refused(fault))] = &updates[..] else { panic!("{updates:?}") };
        assert_eq!((fault.kind, fault.cause), (kind, cause), "{frame}");
    }
}

#[test]
fn what_is_not_understood_is_named() {
    assert_eq!(told(r#"{"topic":"surprise","data":[]}"#).unwrap_err().kind, Kind::Protocol);
    assert_eq!(told(r#"{"op":"dance"}"#).unwrap_err().kind, Kind::Protocol);
    assert_eq!(told(r#"{"id":"1"}"#).unwrap_err().kind, Kind::Protocol);
    assert_eq!(told(r#"{"topic":"order","data":{"x":1}}"#).unwrap_err().kind, Kind::Decode);
    assert_eq!(told("nonsense").unwrap_err().kind, Kind::Decode);
    let nowhere = r#"{"topic":"order","data":[{"symbol":"X","orderId":"1","orderStatus":"New"}]}"#;
    assert!(matches!(told(nowhere).unwrap()[..], [Update::Misread(_)]), "an order of no category");
}
