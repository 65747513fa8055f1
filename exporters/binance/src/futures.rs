//! Binance's futures over REST: margined in dollars (`/fapi`, USD-M) and in coins (`/dapi`, COIN-M).
//!
//! Source: <https://developers.binance.com/docs/derivatives>.

use common::account::{Balance, Contract, Position, Side, Size};
use common::venue::Decoder;
use common::{Amount, Ask, Decimal, Entry, Fault, Market, Query, Request, Rows, Tell, Topic, View};
use serde::Deserialize;

use crate::account::{HOURLY, PAGE, full};
use crate::rows::{FillRow, OrderRow};

pub const WALLET: &str = "futures";
const WALLET_COIN: &str = "coin_futures";
/// Executions are asked for by contract: of no more contracts than this.
const TOUCHED: usize = 10;

fn usd(name: &'static str, path: &str, weight: u32, decode: Decoder) -> Query {
    Query::new(name, Request::get(path).weight(weight).futures().pool("fapi"), decode)
}

/// Executions of this contract in this time.
pub fn fills(query: String) -> Ask {
    let trades = usd("futures_trades", "/fapi/v1/userTrades", 5, trades);
    Ask::may(Topic::Fills, Query { request: trades.request.query(query), ..trades })
}

fn trades<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<FillRow> = serde_json::from_str(body)?;
    full(rows.count(), PAGE, "executions of a contract in a day", tell);
    rows.good(tell).into_iter().for_each(|row| row.tell(Market::Linear, tell));
    Ok(None)
}

fn coin_trades<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<FillRow> = serde_json::from_str(body)?;
    rows.good(tell).into_iter().for_each(|row| row.tell(Market::Inverse, tell));
    Ok(None)
}

/// What there is to ask. A key needs a permission of its own even to read it.
pub fn asks(view: &View) -> Vec<Ask> {
    let coin = |name, path: &str, weight, decode: Decoder| {
        Query::new(name, Request::get(path).weight(weight).coin().pool("dapi"), decode)
    };
    let mut asks = vec![
        Ask::may(Topic::Wallet(WALLET), usd("futures", "/fapi/v3/account", 5, wallet)),
        Ask::may(Topic::Positions, usd("futures_positions", "/fapi/v3/positionRisk", 5, positions)),
        Ask::may(Topic::Orders, usd("futures_orders", "/fapi/v1/openOrders", 40, orders)),
        Ask::may(Topic::Wallet(WALLET_COIN), coin("coin_futures", "/dapi/v1/account", 5, coin_wallet)),
        Ask::may(Topic::Positions, coin("coin_positions", "/dapi/v1/positionRisk", 1, coin_positions)),
        Ask::may(Topic::Orders, coin("coin_orders", "/dapi/v1/openOrders", 40, coin_orders)),
    ];
    // No stream of theirs is listened to: the last executions of each contract, those counted already among them.
    for symbol in view.touched_inverse.iter().take(TOUCHED) {
        let query = coin("coin_trades", "/dapi/v1/userTrades", 20, coin_trades);
        let request = query.request.clone().query(format!("symbol={symbol}&limit=1000"));
        asks.push(Ask::may(Topic::Fills, Query { request, ..query }));
    }
    asks
}

/// The names of the contracts on coins. Those on dollars are told in coins, under names like those of the spot market.
pub fn contracts() -> Ask {
    let request = Request::get("/dapi/v1/exchangeInfo").coin().pool("dapi");
    Ask::may(Topic::Facts, Query::new("coin_contracts", request, coin_contracts).every(HOURLY)).unsigned()
}

#[derive(Deserialize)]
struct Assets {
    assets: Rows<Asset>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asset {
    asset: String,
    wallet_balance: Amount,
    margin_balance: Amount,
    #[serde(default)]
    available_balance: Amount,
    #[serde(default)]
    initial_margin: Amount,
    /// Zero for an asset that was never there.
    update_time: Option<i64>,
}

impl Asset {
    fn tell(self, wallet: &'static str, tell: Tell<'_, '_>) {
        if self.update_time == Some(0) {
            return;
        }
        let balance = Balance {
            wallet,
            asset: self.asset,
            // What there is, where it is not told what may be used.
            free: self.available_balance.0.or(self.wallet_balance.0),
            locked: self.initial_margin.0,
            // The wallet's balance and unrealised profit.
            net: self.margin_balance.0,
            ..Balance::default()
        };
        if !balance.is_empty() {
            tell(Entry::Balance(balance).into());
        }
    }
}

fn wallet<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let account: Assets = serde_json::from_str(body)?;
    account.assets.good(tell).into_iter().for_each(|row| row.tell(WALLET, tell));
    Ok(None)
}

fn coin_wallet<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let account: Assets = serde_json::from_str(body)?;
    account.assets.good(tell).into_iter().for_each(|row| row.tell(WALLET_COIN, tell));
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PositionRow {
    symbol: String,
    #[serde(default)]
    position_side: String,
    position_amt: Amount,
    #[serde(default, rename = "unRealizedProfit")]
    profit: Amount,
    #[serde(default)]
    liquidation_price: Amount,
    /// In quote currency; only of contracts on dollars.
    #[serde(default)]
    notional: Amount,
    /// In coins; only of contracts on coins.
    #[serde(default)]
    notional_value: Amount,
    #[serde(default)]
    position_initial_margin: Amount,
    #[serde(default)]
    leverage: Amount,
    #[serde(default)]
    margin_asset: String,
}

impl PositionRow {
    /// The sign is the side, unless both sides are held apart.
    fn side(&self) -> Side {
        match self.position_side.as_str() {
            "LONG" => Side::Long,
            "SHORT" => Side::Short,
            _ if self.position_amt.or_zero().is_sign_negative() => Side::Short,
            _ => Side::Long,
        }
    }

    /// Not told any more for contracts on dollars, but it is what the margin was reckoned by; a whole number here.
    fn leverage(&self) -> Option<Decimal> {
        let reckoned = || {
            let times = self.notional.nonzero()?.abs().checked_div(self.position_initial_margin.nonzero()?)?;
            Some(times.round())
        };
        self.leverage.nonzero().or_else(reckoned)
    }

    /// Value and profit are in this asset.
    fn tell(self, market: Market, size: Size, value: Option<Decimal>, asset: Option<String>, tell: Tell<'_, '_>) {
        let position = Position {
            market,
            side: self.side(),
            size,
            value: value.zip(asset.clone()),
            price: None,
            pnl: self.profit.0.zip(asset),
            leverage: self.leverage(),
            liquidation: self.liquidation_price.nonzero(),
            name: self.symbol,
            at: None,
        };
        tell(Entry::Position(position).into());
    }
}

fn positions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<PositionRow> = serde_json::from_str(body)?;
    for row in rows.good(tell).into_iter().filter(|row| row.position_amt.nonzero().is_some()) {
        let asset = Some(row.margin_asset.clone()).filter(|asset| !asset.is_empty());
        let size = Size::Base(row.position_amt.or_zero().abs());
        let value = row.notional.0.map(|value| value.abs());
        row.tell(Market::Linear, size, value, asset, tell);
    }
    Ok(None)
}

/// Told in contracts of so many dollars; what they are worth is told in the coin.
fn coin_positions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<PositionRow> = serde_json::from_str(body)?;
    for row in rows.good(tell).into_iter().filter(|row| row.position_amt.nonzero().is_some()) {
        // `BTCUSD_PERP`, `BTCUSD_261225`: margined in the coin itself.
        let coin = row.symbol.split_once("USD_").map(|(coin, _)| coin.to_owned());
        let coins = row.notional_value.nonzero().map(|coins| coins.abs());
        let size = coins.map_or(Size::Contracts(row.position_amt.or_zero().abs()), Size::Base);
        row.tell(Market::Inverse, size, coins, coin, tell);
    }
    Ok(None)
}

fn orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<OrderRow> = serde_json::from_str(body)?;
    rows.good(tell).into_iter().for_each(|row| row.tell(Market::Linear, tell));
    Ok(None)
}

fn coin_orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<OrderRow> = serde_json::from_str(body)?;
    rows.good(tell).into_iter().for_each(|row| row.tell(Market::Inverse, tell));
    Ok(None)
}

#[derive(Deserialize)]
struct Contracts {
    symbols: Rows<ContractRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContractRow {
    symbol: String,
    contract_size: Amount,
}

fn coin_contracts<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Contracts = serde_json::from_str(body)?;
    for row in list.symbols.good(tell) {
        // `BTCUSD_PERP` is what other venues call BTCUSD; a date tells the others apart.
        let symbol = common::account::label(row.symbol.strip_suffix("_PERP").unwrap_or(&row.symbol));
        let (market, size) = (Market::Inverse, row.contract_size.nonzero());
        tell(Entry::Contract(Contract { name: row.symbol, market, symbol, size }).into());
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::account::{Role, read};

    /// Of a reply that is the only page.
    fn told(decode: Decoder, body: &str) -> Vec<Entry> {
        let (entries, next) = read(decode, body).unwrap();
        assert_eq!(next, None);
        entries
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn unrealised_profit_counts_and_what_was_never_there_does_not() {
        let body = r#"{"totalWalletBalance":"250.4","assets":[{"asset":"USDT","walletBalance":"250.40","unrealizedProfit":"2.09","marginBalance":"252.49","initialMargin":"45.39","availableBalance":"207.10","updateTime":1795160000000},{"asset":"BNB","walletBalance":"9","unrealizedProfit":"0","marginBalance":"9","updateTime":0}],"positions":[]}"#;
        let entries = told(wallet, body);
        let [Entry::Balance(usdt)] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((usdt.wallet, usdt.net(), usdt.free), ("futures", dec("252.49"), Some(dec("207.10"))));
        assert!(matches!(&told(coin_wallet, body)[..], [Entry::Balance(one)] if one.wallet == "coin_futures"));
    }

    const RISK: &str = r#"[{"symbol":"BTCUSDT","positionSide":"BOTH","positionAmt":"-0.010","entryPrice":"91000.0","breakEvenPrice":"90954.5","markPrice":"90790.10","unRealizedProfit":"2.09","liquidationPrice":"120500.1","isolatedMargin":"0","notional":"-907.90","marginAsset":"USDT","isolatedWallet":"0","initialMargin":"45.39","maintMargin":"3.63","positionInitialMargin":"45.39","openOrderInitialMargin":"0","adl":2,"bidNotional":"0","askNotional":"0","updateTime":1795160000000}]"#;

    #[test]
    fn the_sign_is_the_side_and_the_margin_tells_the_leverage() {
        let short = Position {
            market: Market::Linear,
            name: "BTCUSDT".into(),
            side: Side::Short,
            size: Size::Base(dec("0.010")),
            value: Some((dec("907.90"), "USDT".into())),
            price: None,
            pnl: Some((dec("2.09"), "USDT".into())),
            leverage: Some(dec("20")),
            liquidation: Some(dec("120500.1")),
            at: None,
        };
        assert_eq!(told(positions, RISK), [Entry::Position(short)]);
        let hedged = RISK.replace("BOTH", "LONG").replace("120500.1", "0");
        let [Entry::Position(long)] = &told(positions, &hedged)[..] else { panic!() };
        assert_eq!((long.side, long.liquidation), (Side::Long, None));
        assert_eq!(told(positions, &RISK.replace("-0.010", "0.000")), []);
    }

    #[test]
    fn executions_are_those_that_the_stream_tells() {
        let body = r#"[{"buyer":false,"commission":"0.36315080","commissionAsset":"USDT","id":5414400200,"maker":false,"orderId":8886774,"price":"90787.70","qty":"0.010","quoteQty":"907.87700","realizedPnl":"1.25","side":"SELL","positionSide":"BOTH","symbol":"BTCUSDT","time":1795168800998}]"#;
        let entries = told(trades, body);
        let [Entry::Fill(fill)] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((fill.market, fill.name.as_str(), fill.id.as_str()), (Market::Linear, "BTCUSDT", "5414400200"));
        assert_eq!((fill.side, fill.role, fill.quote_volume), (Side::Sell, Some(Role::Taker), Some(dec("907.877"))));
        assert_eq!(fill.fee, Some((dec("0.3631508"), "USDT".into())));
    }

    #[test]
    fn contracts_on_coins_are_worth_coins() {
        let body = r#"[{"symbol":"BTCUSD_PERP","positionAmt":"-10","entryPrice":"91000","markPrice":"90000","unRealizedProfit":"0.0001","liquidationPrice":"0","leverage":"5","positionSide":"BOTH","notionalValue":"-0.0111"}]"#;
        let entries = told(coin_positions, body);
        let [Entry::Position(short)] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((short.side, short.size), (Side::Short, Size::Base(dec("0.0111"))));
        assert_eq!(short.value, Some((dec("0.0111"), "BTC".into())));
        assert_eq!((short.leverage, short.liquidation), (Some(dec("5")), None));
        let names = told(
            coin_contracts,
            r#"{"symbols":[{"symbol":"BTCUSD_PERP","contractSize":100},{"symbol":"BTCUSD_261225","contractSize":100}]}"#,
        );
        let labels: Vec<_> =
            names.iter().map(|entry| if let Entry::Contract(one) = entry { one.symbol.as_str() } else { "" }).collect();
        assert_eq!(labels, ["BTCUSD", "BTCUSD261225"]);
    }
}
