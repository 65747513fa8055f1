//! OKX's signed REST questions: the trading, funding and savings accounts, positions, orders, executions, the key.
//!
//! Source: <https://www.okx.com/docs-v5/en/#trading-account-rest-api>.

use std::sync::Arc;
use std::time::Duration;

use common::account::{Balance, Contract, Rights};
use common::{
    Account, Amount, Ask, Entry, Fault, Feed, Keyring, Market, Micros, Query, Request, Rows, Setup, Tell, Topic, View,
};
use serde::Deserialize;

use crate::rows::{self, FillRow, OrderRow, PositionRow, TRADING};
use crate::{auth, get, private};

const HOURLY: Duration = Duration::from_secs(3600);
/// What moves slowly, or may be asked once a second.
const SLOW: Duration = Duration::from_secs(300);

/// The account behind a key.
pub struct Owner {
    pub setup: Setup,
    pub keys: Arc<Keyring>,
}

impl Owner {
    fn query(&self, name: &'static str, path: &str, query: &str, decode: common::venue::Decoder) -> Query {
        Query::new(name, get(&self.setup, path).query(query), decode)
    }
}

impl Account for Owner {
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault> {
        auth::sign(&self.keys.keys(), request, now);
        Ok(())
    }

    fn survey(&self) -> Vec<Ask> {
        let contracts = |name, kind: &str| {
            let query = self.query(name, "/api/v5/public/instruments", &format!("instType={kind}"), contracts);
            Ask::may(Topic::Facts, query.every(HOURLY)).unsigned()
        };
        vec![
            Ask::may(Topic::Key, self.query("key", "/api/v5/account/config", "", config).every(HOURLY)),
            contracts("swaps", "SWAP"),
            contracts("futures", "FUTURES"),
        ]
    }

    fn asks(&self, _view: &View) -> Vec<Ask> {
        let orders = self.query("orders", "/api/v5/trade/orders-pending", "limit=100", orders).paged("after");
        let valuation = self.query("valuation", "/api/v5/asset/asset-valuation", "ccy=USDT", valuation).every(SLOW);
        let savings = self.query("savings", "/api/v5/finance/savings/balance", "", savings).every(SLOW);
        vec![
            Ask::must(Topic::Wallet(TRADING), self.query("account", "/api/v5/account/balance", "", trading)),
            Ask::may(Topic::Wallet("funding"), self.query("funding", "/api/v5/asset/balances", "", funding)),
            Ask::may(Topic::Wallet("earn"), savings),
            Ask::may(Topic::Positions, self.query("positions", "/api/v5/account/positions", "", positions)),
            Ask::may(Topic::Orders, orders),
            Ask::may(Topic::Facts, valuation),
        ]
    }

    fn fills(&self, since: Micros, _view: &View) -> Vec<Ask> {
        let query = format!("begin={}&limit=100", since.as_millis());
        vec![Ask::may(Topic::Fills, self.query("fills", "/api/v5/trade/fills", &query, fills).paged("after"))]
    }

    fn feeds(&self, _view: &View) -> Vec<Box<dyn Feed>> {
        vec![Box::new(private::Events::new(&self.setup.hosts.ws_private, Arc::clone(&self.keys)))]
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Answer<T> {
    data: Rows<T>,
}

fn read<'f, T: Deserialize<'f>>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Vec<T>, Fault> {
    let answer: Answer<T> = serde_json::from_str(body)?;
    Ok(answer.data.good(tell))
}

fn trading<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for account in read::<rows::Account>(body, tell)? {
        account.tell(tell);
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FundingRow {
    ccy: String,
    bal: Amount,
    #[serde(default)]
    frozen_bal: Amount,
    #[serde(default)]
    avail_bal: Amount,
}

fn funding<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for row in read::<FundingRow>(body, tell)? {
        let (free, locked, net) = (row.avail_bal.0, row.frozen_bal.0, row.bal.0);
        tell(
            Entry::Balance(Balance { wallet: "funding", asset: row.ccy, free, locked, net, ..Balance::default() })
                .into(),
        );
    }
    Ok(None)
}

#[derive(Deserialize)]
struct SavingsRow {
    ccy: String,
    amt: Amount,
}

fn savings<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for row in read::<SavingsRow>(body, tell)? {
        let (free, asset) = (row.amt.0, row.ccy);
        tell(Entry::Balance(Balance { wallet: "earn", asset, free, ..Balance::default() }).into());
    }
    Ok(None)
}

fn positions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for row in read::<PositionRow>(body, tell)? {
        row.tell(tell);
    }
    Ok(None)
}

/// The page after this one begins behind its last row. An empty page ends: a short one may come in between.
fn orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows = read::<OrderRow>(body, tell)?;
    let next = rows.last().map(|row| row.ord_id.clone());
    rows.iter().for_each(|row| row.tell(tell));
    Ok(next)
}

fn fills<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows = read::<FillRow>(body, tell)?;
    let next = rows.last().map(|row| row.bill_id.clone());
    rows.into_iter().for_each(|row| row.tell(tell));
    Ok(next)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Valuation {
    total_bal: Amount,
}

fn valuation<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for total in read::<Valuation>(body, tell)?.into_iter().filter_map(|row| row.total_bal.0) {
        tell(Entry::Reported("account", total, "USDT").into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    perm: String,
    #[serde(default)]
    ip: String,
}

/// `perm` is a list of `read_only`, `trade`, `withdraw`. A key that may trade may move money between its own accounts.
/// No expiry is told.
fn config<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for row in read::<Config>(body, tell)? {
        let has = |name: &str| Some(row.perm.split(',').any(|one| one.trim() == name));
        let rights = Rights {
            read: Some(!row.perm.is_empty()),
            trade: has("trade"),
            withdraw: has("withdraw"),
            transfer: has("trade"),
            ip_restricted: Some(!row.ip.is_empty()),
            expires: None,
        };
        tell(Entry::Rights(rights).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContractRow {
    inst_id: String,
    inst_type: String,
    #[serde(default)]
    ct_val: Amount,
    #[serde(default)]
    ct_mult: Amount,
}

/// A contract is `ctVal` times `ctMult`: of the coin, or of dollars where it is inverse.
fn contracts<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for row in read::<ContractRow>(body, tell)? {
        let size = row.ct_val.nonzero().zip(Some(row.ct_mult.0.unwrap_or(1.into())));
        let market: Market = rows::market(&row.inst_type, &row.inst_id);
        // `BTC-USDT-SWAP` is what other venues call BTCUSDT; a date tells the others apart.
        let symbol = common::account::label(row.inst_id.strip_suffix("-SWAP").unwrap_or(&row.inst_id));
        let size = size.and_then(|(value, times)| value.checked_mul(times));
        tell(Entry::Contract(Contract { name: row.inst_id, market, symbol, size }).into());
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Decimal;
    use common::account::{Side, read};

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_guide_s_balance() {
        let body = r#"{"code":"0","msg":"","data":[{"uTime":"1763600001000","totalEq":"10250.48","isoEq":"0","details":[{"ccy":"USDT","eq":"8032.845","cashBal":"8000","availBal":"6126.645","availEq":"6126.645","frozenBal":"1906.2","ordFrozen":"1450","eqUsd":"8031.24","upl":"32.845","liab":"","crossLiab":"0","interest":"","colRes":"0","collateralEnabled":false,"uTime":"1763599990000"},{"ccy":"BTC","eq":"-0.5","availBal":"0","frozenBal":"0","liab":"0.5","interest":"0.001","uTime":"1763599990000"}]}]}"#;
        let (entries, _) = read(trading, body).unwrap();
        let at = Some(Micros::from_millis(1_763_599_990_000));
        let usdt = Balance {
            wallet: "trading",
            asset: "USDT".into(),
            free: Some(dec("6126.645")),
            locked: Some(dec("1906.2")),
            borrowed: Some(dec("0")),
            net: Some(dec("8032.845")),
            at,
        };
        assert_eq!(entries[0], Entry::Balance(usdt));
        assert!(
            matches!(&entries[1], Entry::Balance(btc) if btc.net() == dec("-0.5") && btc.borrowed == Some(dec("0.501")))
        );
        assert_eq!(entries[2], Entry::Reported("trading", dec("10250.48"), "USD"));
        assert_eq!(
            read(trading, r#"{"code":"0","data":[{"totalEq":"0","details":[]}]}"#).unwrap().0.len(),
            1,
            "a new account"
        );
    }

    #[test]
    fn the_guide_s_position_in_net_mode() {
        let body = r#"{"code":"0","msg":"","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","mgnMode":"cross","posId":"2291047385510461440","posSide":"net","pos":"-5","posCcy":"","ccy":"USDT","avgPx":"90581.8","markPx":"91238.7","upl":"32.845","lever":"10","liqPx":"","notionalUsd":"4561.9","uTime":"1763599990000"}]}"#;
        let (entries, _) = read(positions, body).unwrap();
        let [Entry::Position(other), Entry::Position(short)] = &entries[..] else { panic!("{entries:?}") };
        assert!(other.side == Side::Long && other.size.number().is_zero());
        assert_eq!((short.side, short.size.number(), short.market), (Side::Short, dec("5"), Market::Linear));
        assert_eq!((short.liquidation, short.leverage), (None, Some(dec("10"))));
    }

    #[test]
    fn pages_go_on_behind_the_last_row_until_one_is_empty() {
        let body = r#"{"code":"0","msg":"","data":[{"instType":"SPOT","instId":"ETH-USDT","ordId":"2290718804425031680","side":"buy","state":"live","uTime":"1763599000000","fillSz":"0","tradeId":""}]}"#;
        let (entries, next) = read(orders, body).unwrap();
        assert!(entries.len() == 1 && next.as_deref() == Some("2290718804425031680"));
        assert_eq!(read(orders, r#"{"code":"0","data":[]}"#).unwrap(), (vec![], None));
    }

    #[test]
    fn a_listed_order_s_last_execution_is_not_told_again() {
        let body = r#"{"code":"0","data":[{"instType":"SPOT","instId":"ETH-USDT","ordId":"7","side":"buy","state":"partially_filled","uTime":"1763599000000","fillPx":"2900","fillSz":"0.1","tradeId":"531180926"}]}"#;
        let (entries, _) = read(orders, body).unwrap();
        assert!(matches!(&entries[..], [Entry::Order(_)]), "{entries:?}");
    }

    #[test]
    fn a_charge_is_negative_here_and_positive_in_the_book() {
        let body = r#"{"code":"0","msg":"","data":[{"instType":"SPOT","instId":"BTC-USDT","tradeId":"918204471","ordId":"1","billId":"2287310457770926080","side":"buy","execType":"T","fillPx":"91200","fillSz":"0.0019","fee":"-0.0000019","feeCcy":"BTC","fillTime":"1763500000361","ts":"1763500000362"}]}"#;
        let (entries, next) = read(fills, body).unwrap();
        let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!(fill.fee, Some((dec("0.0000019"), "BTC".into())));
        assert_eq!((fill.quote_volume, next.as_deref()), (Some(dec("173.28")), Some("2287310457770926080")));
    }

    #[test]
    fn what_the_key_may_do() {
        let rights = |perm: &str, ip: &str| {
            let body = format!(r#"{{"code":"0","data":[{{"uid":"1","perm":"{perm}","ip":"{ip}"}}]}}"#);
            match read(config, &body).unwrap().0[..] {
                [Entry::Rights(rights)] => (rights.trade, rights.withdraw, rights.ip_restricted),
                _ => panic!(),
            }
        };
        assert_eq!(rights("read_only", "203.0.113.7"), (Some(false), Some(false), Some(true)));
        assert_eq!(rights("read_only,withdraw,trade", ""), (Some(true), Some(true), Some(false)));
    }

    #[test]
    fn contracts_have_the_names_of_other_venues() {
        let body = r#"{"code":"0","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","ctVal":"0.01","ctMult":"1"},{"instType":"FUTURES","instId":"BTC-USD-261225","ctVal":"100","ctMult":"1"}]}"#;
        let names: Vec<_> = read(contracts, body)
            .unwrap()
            .0
            .into_iter()
            .map(|entry| match entry {
                Entry::Contract(one) => (one.symbol, one.market, one.size.unwrap()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names[0], ("BTCUSDT".into(), Market::Linear, dec("0.01")));
        assert_eq!(names[1], ("BTCUSD261225".into(), Market::Inverse, dec("100")));
    }
}
