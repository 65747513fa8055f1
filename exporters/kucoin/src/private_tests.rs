//! The guide's frames, read.

use super::*;
use common::account::{Role, Side, Status, Topic};
use common::{Entry, Fact, Host, Market};

fn told(place: Place, frame: &str) -> Result<Vec<Update<'_>>, Fault> {
    let mut told = Vec::new();
    Events::new(place, None).decode(frame, &mut |update| told.push(update)).map(|()| told)
}

fn entries(place: Place, frame: &str) -> Vec<Entry> {
    let entry = |update| match update {
        Update::Fact(Fact::Entry(entry)) => entry,
        other => panic!("{other:?}"),
    };
    told(place, frame).unwrap().into_iter().map(entry).collect()
}

const BALANCE: &str = r#"{"topic":"/account/balance","type":"message","subject":"account.balance","id":"354689988084000","userId":"633559791e1cbc0001f319bc","channelType":"private","data":{"accountId":"548674591753","currency":"USDT","total":"21.133773","available":"20.132773","hold":"1.001","availableChange":"-0.5005","holdChange":"0.5005","relationContext":{"symbol":"BTC-USDT","orderId":"6721d0632db25b0007071fdc"},"relationEvent":"trade.hold","relationEventId":"354689988084000","time":"1763600000892"}}"#;

#[test]
fn each_place_has_a_ticket_of_its_own() {
    let ticket = |place| Events::new(place, None).ticket().unwrap();
    let (spot, futures) = (ticket(Place::Spot), ticket(Place::Futures));
    assert!(spot.signed && futures.signed && spot.path == futures.path);
    assert_eq!((spot.host, futures.host, futures.pool), (Host::Main, Host::Futures, FUTURES));
    let steps = Events::new(Place::Futures, None).opening(Micros(0)).unwrap();
    assert_eq!((steps[0].say.len(), steps[0].answers, steps[1].say.len(), steps[1].answers), (0, 1, 3, 3));
    assert!(steps[1].say[0].contains(r#""privateChannel":true"#));
}

#[test]
fn an_event_s_name_begins_with_the_wallet_s() {
    let told = entries(Place::Spot, BALANCE);
    let [Entry::Balance(one)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((one.wallet, one.asset.as_str(), one.net().to_string()), ("trade", "USDT", "21.133773".to_owned()));
    assert_eq!(one.at, Some(Micros::from_millis(1_763_600_000_892)));
    for (event, stirs) in [
        ("main.deposit", None),
        ("trade_hf.setted", Some("trade")),
        ("margin.hold", Some("margin")),
        ("marginV2.transfer", Some("margin")),
        ("isolatedV2_BTC-USDT.hold", Some("isolated")),
        ("other", Some("trade")),
    ] {
        let frame = BALANCE.replace("trade.hold", event);
        match (&entries(Place::Spot, &frame)[..], stirs) {
            ([Entry::Balance(one)], None) => assert_eq!(one.wallet, "main"),
            ([Entry::Stir(Topic::Wallet(wallet))], Some(expected)) => assert_eq!(*wallet, expected, "{event}"),
            (other, _) => panic!("{event}: {other:?}"),
        }
    }
}

#[test]
fn a_match_is_an_execution_whose_fee_has_to_be_asked() {
    let frame = r#"{"topic":"/spotMarket/tradeOrdersV2","type":"message","subject":"orderChange","userId":"633559791e1cbc0001f319bc","channelType":"private","data":{"orderId":"6720ecd9ec71f4000747731a","clientOid":"a1","symbol":"BTC-USDT","side":"buy","orderType":"limit","type":"match","status":"match","price":"50000","originSize":"0.001","size":"0.001","filledSize":"0.0004","remainSize":"0.0006","canceledSize":"0","matchPrice":"50000","matchSize":"0.0004","tradeId":"11029373945659392","liquidity":"maker","feeType":"makerFee","orderTime":1763600000305,"ts":1763600000335000000}}"#;
    let told = entries(Place::Spot, frame);
    let [Entry::Order(order), Entry::Fill(fill), Entry::Stir(Topic::Fills)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((order.status, order.at), (Status::Working, Some(Micros::from_millis(1_763_600_000_335))));
    assert_eq!((fill.id.as_str(), fill.side, fill.role), ("11029373945659392", Side::Buy, Some(Role::Maker)));
    assert_eq!((fill.quote_volume.map(|sum| sum.normalize().to_string()).as_deref(), &fill.fee), (Some("20"), &None));
    let received = r#"{"topic":"/spotMarket/tradeOrdersV2","type":"message","subject":"orderChange","data":{"orderId":"1","clientOid":"a","symbol":"BTC-USDT","side":"sell","orderType":"market","originSize":"0.1","orderTime":1763600000305,"status":"new","type":"received","ts":1763600000335000000}}"#;
    for (word, status) in [
        ("received", Status::New),
        ("open", Status::New),
        ("update", Status::Working),
        ("filled", Status::Filled),
        ("canceled", Status::Canceled),
    ] {
        let told = entries(Place::Spot, &received.replace("received", word));
        let [Entry::Order(order)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((order.status, order.market), (status, Market::Spot), "{word}");
    }
}

#[test]
fn futures_tell_their_wallet_orders_and_positions() {
    let wallet = r#"{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","id":"673b","userId":"6335","channelType":"private","data":{"currency":"USDT","equity":"81.273621258","walletBalance":"81.072921258","isolatedUnPnl":"0.2007","crossUnPnl":"0","isolatedPosMargin":"36.80984008","isolatedOrderMargin":"18.1188","isolatedFundingFeeMargin":"0","crossPosMargin":"0","crossOrderMargin":"0","holdBalance":"0","totalCrossMargin":"26.144281178","availableBalance":"26.144281178","version":"1337","timestamp":"1763600996764"}}"#;
    let told = entries(Place::Futures, wallet);
    let [Entry::Balance(one)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((one.wallet, one.net().to_string()), ("futures", "81.273621258".to_owned()));
    assert_eq!(one.locked.unwrap().to_string(), "54.92864008");
    let old = wallet.replace("walletBalance.change", "orderMargin.change");
    assert_eq!(entries(Place::Futures, &old), [], "a part of the other");
    let matched = r#"{"topic":"/contractMarket/tradeOrders","type":"message","subject":"orderChange","channelType":"private","data":{"symbol":"XBTUSDTM","orderType":"limit","side":"sell","liquidity":"taker","type":"match","orderTime":1763600000000000000,"size":"3","filledSize":"1","price":"91000","matchPrice":"91000.5","matchSize":"1","remainSize":"2","tradeId":"7","tradeType":"trade","orderId":"9","status":"match","ts":1763600000123456789}}"#;
    let told = entries(Place::Futures, matched);
    let [Entry::Order(order), Entry::Deal(fill, size, price), Entry::Stir(Topic::Fills)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (order.market, fill.role, fill.at),
        (Market::Linear, Some(Role::Taker), Some(Micros(1_763_600_000_123_456)))
    );
    assert_eq!((size.to_string(), price.to_string()), ("1".to_owned(), "91000.5".to_owned()));
    let position = r#"{"topic":"/contract/position:XBTUSDTM","type":"message","subject":"position.change","data":{"symbol":"XBTUSDTM","currentQty":-2,"markPrice":91839.79,"markValue":-183.6,"unrealisedPnl":0.1,"settleCurrency":"USDT","isInverse":false,"changeReason":"positionChange","currentTimestamp":1763600261000}}"#;
    assert_eq!(entries(Place::Futures, position).len(), 2);
    let settled = r#"{"topic":"/contract/positionAll","type":"message","subject":"position.settlement","data":{"fundingFee":-0.1}}"#;
    assert_eq!(entries(Place::Futures, settled), []);
}

#[test]
fn answers_and_refusals() {
    for frame in [r#"{"id":"x","type":"welcome"}"#, r#"{"id":"/account/balance","type":"ack"}"#] {
        assert_eq!(told(Place::Spot, frame), Ok(vec![Signal::Accepted.into()]));
    }
    let pong = r#"{"id":"ping","type":"pong","timestamp":1790113097236506}"#;
    assert_eq!(told(Place::Spot, pong), Ok(vec![Signal::Pong.into()]));
    let expired = told(Place::Spot, r#"{"id":"1","type":"error","code":401,"data":"token is expired"}"#).unwrap();
    assert!(matches!(&expired[..], [Update::Signal(Signal::Refused(_)), Update::Signal(Signal::Over(_))]));
    let public = told(Place::Spot, r#"{"id":"1","type":"error","code":403,"data":"login is required"}"#).unwrap();
    assert!(matches!(&public[..], [Update::Signal(Signal::Refused(fault))] if fault.kind == Kind::Permission));
    let unknown = r#"{"id":"1","type":"error","code":404,"data":"topic /contractMarket/tradeOrders does not exist"}"#;
    assert!(matches!(
        told(Place::Futures, unknown).unwrap()[..],
        [Update::Misread(_), Update::Signal(Signal::Accepted)]
    ));
    assert!(matches!(told(Place::Spot, unknown).unwrap()[..], [Update::Signal(Signal::Refused(_))]));
}

#[test]
fn what_is_not_understood_is_named() {
    let kind = |frame: &str| told(Place::Spot, frame).unwrap_err().kind;
    assert_eq!(kind(r#"{"type":"surprise"}"#), Kind::Protocol);
    assert_eq!(kind(r#"{"type":"message","topic":"/other","data":{}}"#), Kind::Protocol);
    for bad in ["", "[]", r#"{"type":5}"#, &BALANCE.replace("\"20.132773\"", "[]"), &BALANCE[..200]] {
        assert_eq!(kind(bad), Kind::Decode, "{bad}");
    }
    let odd =
        r#"{"topic":"/spotMarket/tradeOrdersV2","type":"message","data":{"orderId":"1","symbol":"X","type":"dance"}}"#;
    assert!(matches!(told(Place::Spot, odd).unwrap()[..], [Update::Misread(_)]));
}
