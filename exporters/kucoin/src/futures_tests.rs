//! The guide's answers about futures, read.

use super::*;
use common::account::{Role, read};
use common::{Fact, Micros, Update};

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_wallet_and_the_coin_that_others_call_btc() {
    let body = r#"{"code":"200000","data":{"currency":"XBT","accountEquity":394.44,"unrealisedPNL":20.15,"marginBalance":374.29,"positionMargin":102.21,"orderMargin":10.06,"frozenFunds":0.0,"availableBalance":-4.069805E-4,"riskRatio":0.0065,"maxWithdrawAmount":262.02,"availableMargin":282.17}}"#;
    let (entries, _) = read(overview, body).unwrap();
    let [Entry::Balance(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.wallet, one.asset.as_str(), one.net()), ("futures", "BTC", dec("394.44")));
    assert_eq!((one.free, one.locked), (Some(dec("-0.0004069805")), Some(dec("112.27"))));
}

const POSITION: &str = r#"{"id":"500000000000988255","symbol":"XBTUSDTM","crossMode":false,"isOpen":true,"currentQty":1,"avgEntryPrice":91694.5,"markPrice":91839.79,"markValue":91.83979,"posCost":91.6945,"unrealisedPnl":0.14529,"liquidationPrice":73853.04,"leverage":4.97,"realLeverage":4.97,"marginMode":"ISOLATED","positionSide":"BOTH","settleCurrency":"USDT","isInverse":false,"openingTimestamp":1763600000000,"currentTimestamp":1763600261000}"#;

#[test]
fn positions_are_lots_with_a_sign() {
    let list = |row: &str| format!(r#"{{"code":"200000","data":[{row}]}}"#);
    let (entries, _) = read(positions, &list(POSITION)).unwrap();
    let [Entry::Position(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.side, one.size, one.market), (Side::Long, Size::Contracts(dec("1")), Market::Linear));
    assert_eq!((one.value.clone(), one.leverage), (Some((dec("91.83979"), "USDT".into())), Some(dec("4.97"))));
    assert_eq!((one.pnl.clone(), one.liquidation), (Some((dec("0.14529"), "USDT".into())), Some(dec("73853.04"))));
    let short = POSITION
        .replace("XBTUSDTM", "XBTUSDM")
        .replace("\"currentQty\":1", "\"currentQty\":-50000")
        .replace("91839.79", "100000")
        .replace("91.83979", "-0.5")
        .replace("\"USDT\"", "\"XBT\"")
        .replace("\"isInverse\":false", "\"isInverse\":true");
    let (entries, _) = read(positions, &list(&short)).unwrap();
    let [Entry::Position(one)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((one.side, one.size, one.market), (Side::Short, Size::Base(dec("0.5")), Market::Inverse));
    assert_eq!(one.value, Some((dec("0.5"), "BTC".into())));
    let none = POSITION.replace("\"currentQty\":1", "\"currentQty\":0");
    assert_eq!(read(positions, &list(&none)).unwrap().0, []);
}

#[test]
fn a_position_s_event_closes_the_other_side_and_a_price_s_says_nothing_here() {
    let sides = |data: &str| {
        let mut sides = Vec::new();
        let mut tell = |update: Update<'_>| match update {
            Update::Fact(Fact::Entry(Entry::Position(one))) => sides.push((one.side, one.size.number(), one.at)),
            other => panic!("{other:?}"),
        };
        position_event(data, &mut tell).unwrap();
        sides
    };
    let at = Some(Micros::from_millis(1_763_600_261_000));
    assert_eq!(sides(POSITION), [(Side::Short, dec("0"), at), (Side::Long, dec("1"), at)]);
    let hedged = POSITION.replace("BOTH", "SHORT").replace("\"currentQty\":1", "\"currentQty\":0");
    assert_eq!(sides(&hedged), [(Side::Short, dec("0"), at)]);
    let moved = r#"{"markPrice":91840.1,"markValue":91.8401,"maintMargin":18.5,"unrealisedPnl":0.1456,"currentTimestamp":1763600262000,"settleCurrency":"USDT"}"#;
    assert_eq!(sides(moved), []);
}

#[test]
fn orders_and_executions_and_their_pages() {
    let body = r#"{"code":"200000","data":{"currentPage":1,"pageSize":1000,"totalNum":1001,"totalPage":2,"items":[{"id":"230181737576050688","symbol":"PEOPLEUSDTM","type":"limit","side":"buy","price":"0.05","size":10,"value":"5","dealValue":"0","dealSize":3,"filledSize":3,"status":"open","isActive":true,"orderTime":1763600000000000000,"updatedAt":1763600000185,"endAt":null},{"id":"2","symbol":"BTC-USDT","filledSize":0}]}}"#;
    let (entries, next) = read(orders, body).unwrap();
    let [Entry::Order(order)] = &entries[..] else { panic!("a name of the spot market is none of these: {entries:?}") };
    assert_eq!((order.market, order.status, next.as_deref()), (Market::Linear, Status::Working, Some("2")));
    let body = r#"{"code":"200000","data":{"currentPage":1,"pageSize":100,"totalNum":2,"totalPage":1,"items":[{"symbol":"XBTUSDTM","tradeId":"1828954878212","orderId":"284486580251463680","side":"sell","liquidity":"maker","price":"86275.1","size":2,"value":"172.5","fee":"-0.0517","feeRate":"0.0006","feeCurrency":"USDT","tradeType":"trade","settleCurrency":"USDT","tradeTime":1763600640773000000,"createdAt":1763600640773},{"symbol":"XBTUSDTM","tradeId":"9","side":"sell","price":"1","size":1,"tradeType":"settlement"}]}}"#;
    let (entries, next) = read(fills, body).unwrap();
    let [Entry::Deal(fill, size, price)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((fill.side, fill.role, *size, *price), (Side::Sell, Some(Role::Maker), dec("2"), dec("86275.1")));
    assert_eq!((fill.at, next), (Some(Micros::from_millis(1_763_600_640_773)), None));
    assert_eq!(fill.fee, Some((dec("-0.0517"), "USDT".into())));
}

#[test]
fn contracts_have_the_names_of_other_venues() {
    let body = r#"{"code":"200000","data":[{"symbol":"XBTUSDTM","baseCurrency":"XBT","quoteCurrency":"USDT","settleCurrency":"USDT","multiplier":0.001,"isInverse":false,"expireDate":null,"status":"Open"},{"symbol":"XBTMZ26","baseCurrency":"XBT","quoteCurrency":"USD","settleCurrency":"XBT","multiplier":-1.0,"isInverse":true,"expireDate":1798185600000}]}"#;
    let (entries, _) = read(contracts, body).unwrap();
    let names: Vec<_> = entries
        .into_iter()
        .map(|entry| match entry {
            Entry::Contract(one) => (one.symbol, one.market, one.size.unwrap().normalize()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names[0], ("BTCUSDT".into(), Market::Linear, dec("0.001")));
    assert_eq!(names[1], ("BTCUSD261225".into(), Market::Inverse, dec("1")));
}
