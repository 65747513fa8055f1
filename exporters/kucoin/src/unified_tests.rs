//! The unified account's answers and frames, read.

use super::*;
use common::account::{Role, read};
use common::venue::Decoder;
use common::{Fact, Update};

/// Of a reply that is the only page.
fn answered(decode: Decoder, body: &str) -> Vec<Entry> {
    let (entries, next) = read(decode, body).unwrap();
    assert_eq!(next, None);
    entries
}

fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
    let feed = Events::new(None, Keyring::fixed(["key", "secret", "phrase"]));
    let mut told = Vec::new();
    feed.decode(frame, &mut |update| told.push(update)).map(|()| told)
}

fn entries(frame: &str) -> Vec<Entry> {
    let entry = |update| match update {
        Update::Fact(Fact::Entry(entry)) => entry,
        other => panic!("{other:?}"),
    };
    told(frame).unwrap().into_iter().map(entry).collect()
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn wallets() {
    let body = r#"{"code":"200000","data":{"accountType":"UNIFIED","ts":1763600000945,"accounts":[{"currencies":[{"currency":"USDT","equity":"97.99","hold":"7.99","balance":"100","available":"92.01","liability":"2.01"}]}]}}"#;
    let told = answered(unified_wallet, body);
    let [Entry::Balance(one)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (one.wallet, one.net(), one.free, one.borrowed),
        ("unified", dec("97.99"), Some(dec("92.01")), Some(dec("2.01")))
    );
    let funding = body.replace("\"hold\"", "\"locked\"").replace("\"equity\":\"97.99\",", "");
    let told = answered(funding_wallet, &funding);
    let [Entry::Balance(one)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((one.wallet, one.net(), one.locked), ("funding", dec("97.99"), Some(dec("7.99"))));
}

#[test]
fn positions_and_orders_with_a_page_around_them_or_without() {
    let row = r#"{"symbol":"XBTUSDTM","id":"1","marginMode":"CROSS","size":"-3","entryPrice":"91000","positionValue":"273","markPrice":"91000","leverage":"5","unrealizedPnL":"-1.5","liquidationPrice":"0","creationTime":1763600000000000000}"#;
    let list = format!(r#"{{"code":"200000","data":[{row}]}}"#);
    let paged = format!(r#"{{"code":"200000","data":{{"pageNumber":1,"items":[{row}]}}}}"#);
    assert_eq!(answered(positions_open, &list), answered(positions_open, &paged));
    let told = answered(positions_open, &list);
    let [Entry::Position(one)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((one.side, one.size, one.liquidation), (Side::Short, Size::Contracts(dec("3")), None));
    assert_eq!(one.pnl, Some((dec("-1.5"), "USDT".into())));
    let body =
        r#"{"code":"200000","data":{"items":[{"orderId":"7","symbol":"BTC-USDT"},{"orderId":8,"symbol":"XBTUSDM"}]}}"#;
    let markets: Vec<_> = answered(orders, body)
        .into_iter()
        .map(|entry| match entry {
            Entry::Order(order) => (order.id, order.market),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(markets, [("7".into(), Market::Spot), ("8".into(), Market::Inverse)]);
    assert_eq!((settle("XBTUSDM"), settle("SOLUSDCM")), (Some("BTC".into()), Some("USDC".into())));
}

#[test]
fn login_comes_after_the_welcome() {
    let steps = Events::new(None, Keyring::fixed(["key", "secret", "phrase"])).opening(Micros(0)).unwrap();
    let answers: Vec<usize> = steps.iter().map(|step| step.answers).collect();
    assert_eq!((answers, steps[0].say.len()), (vec![1, 1, 5], 0));
    assert!(steps[2].say.iter().all(|text| serde_json::from_str::<serde_json::Value>(text).is_ok()));
    for accepted in [
        r#"{"sessionId":"s","message":"welcome","pingInterval":18000}"#,
        r#"{"sessionId":"s","data":"welcome","pingInterval":18000,"pingTimeout":10000}"#,
        r#"{"id":"auth","result":true}"#,
        r#"{"id":"topics","result":"true"}"#,
    ] {
        assert_eq!(told(accepted), Ok(vec![Signal::Accepted.into()]), "{accepted}");
    }
    assert_eq!(told(r#"{"id":"ping","type":"pong","ts":1763600000000000000}"#), Ok(vec![Signal::Pong.into()]));
    let refused = told(r#"{"id":"auth","result":false,"reason":"invalid sign"}"#).unwrap();
    assert!(matches!(&refused[..], [Update::Signal(Signal::Refused(fault))] if fault.kind == Kind::Auth));
}

#[test]
fn events() {
    let frame = r#"{"T":"balance.UNIFIED","P":"1763600000123456789","d":{"c":"USDT","e":"97.99","b":"100","a":"92.01","h":"7.99","l":"2.01","cS":"1","U":1763600000123000000}}"#;
    let told = entries(frame);
    let [Entry::Balance(one)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((one.net(), one.at), (dec("97.99"), Some(Micros(1_763_600_000_123_456))));
    let order = r#"{"T":"orderAll.UNIFIED","P":1763600000123456789,"d":{"oi":"9","s":"BTC-USDT","os":5}}"#;
    assert!(matches!(&entries(order)[..], [Entry::Order(order)] if order.status == Status::Canceled));
    let fill = r#"{"T":"execution.UNIFIED","P":1763600000123456789,"d":{"oi":"9","s":"BTC-USDT","S":"SELL","oT":"LIMIT","p":"90000","q":"0.1","ti":11029373945659393,"E":1763600000120000000,"lR":"TAKER","f":"9","fC":"USDT"}}"#;
    let told = entries(fill);
    let [Entry::Fill(fill)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((fill.id.as_str(), fill.side, fill.role), ("11029373945659393", Side::Sell, Some(Role::Taker)));
    assert_eq!((fill.quote_volume, fill.fee.clone()), (Some(dec("9000")), Some((dec("9"), "USDT".into()))));
    let position = r#"{"T":"positionAll.UNIFIED","P":1763600000123456789,"d":{"pi":"1","s":"XBTUSDTM","mM":"CROSS","q":"2","mP":"91000","pV":"182","l":"5","uPL":"1","U":1,"O":1}}"#;
    assert_eq!(entries(position).len(), 2, "the other side is closed");
}

#[test]
fn what_is_not_understood_is_named() {
    for unknown in [r#"{"T":"surprise.UNIFIED","P":1,"d":{}}"#, r#"{"id":"1"}"#] {
        assert_eq!(told(unknown).unwrap_err().kind, Kind::Protocol, "{unknown}");
    }
    for bad in ["", "[]", r#"{"T":"balance.UNIFIED","P":1,"d":{"c":5}}"#] {
        assert_eq!(told(bad).unwrap_err().kind, Kind::Decode, "{bad}");
    }
    let odd = r#"{"T":"orderAll.UNIFIED","P":1,"d":{"oi":"9","s":"BTC-USDT","os":77}}"#;
    assert!(matches!(told(odd).unwrap()[..], [Update::Misread(_)]));
}
