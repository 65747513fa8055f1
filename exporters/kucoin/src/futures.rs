//! KuCoin's futures: their wallets, positions, orders and executions, over REST and as events. Sizes are lots; the coin
//! that others call BTC is XBT.
//!
//! Source: <https://www.kucoin.com/docs-new/rest/futures-trading>.

use common::account::{Balance, Contract, Fill, Order, Position, Side, Size, Status};
use common::{Amount, Decimal, Entry, Fault, Market, Rows, Tell};
use serde::Deserialize;

use crate::questions::Data;
use crate::rows::{self, Id, is_trade, millis, nanos};

pub const WALLET: &str = "futures";

/// The coin's name everywhere else.
pub fn coin(code: &str) -> String {
    if code == "XBT" { "BTC".into() } else { code.into() }
}

/// By the name alone: `XBTUSDTM` and `XBTUSDCM` pay in dollars, `XBTUSDM` and the dated `XBTMH26` in coins.
pub fn market(name: &str) -> Market {
    if name.ends_with("USDTM") || name.ends_with("USDCM") { Market::Linear } else { Market::Inverse }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overview {
    currency: String,
    account_equity: Amount,
    #[serde(default)]
    available_balance: Amount,
    #[serde(default)]
    position_margin: Amount,
    #[serde(default)]
    order_margin: Amount,
    #[serde(default)]
    frozen_funds: Amount,
}

/// A wallet of one coin.
pub fn overview<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let Data { data: one }: Data<Overview> = serde_json::from_str(body)?;
    let balance = Balance {
        wallet: WALLET,
        asset: coin(&one.currency),
        free: one.available_balance.0,
        locked: sum(&[one.position_margin, one.order_margin, one.frozen_funds]),
        borrowed: None,
        net: one.account_equity.0,
        at: None,
    };
    tell(Entry::Balance(balance).into());
    Ok(None)
}

fn sum(parts: &[Amount]) -> Option<Decimal> {
    parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.or_zero()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositionRow {
    symbol: String,
    current_qty: Amount,
    #[serde(default)]
    mark_price: Amount,
    #[serde(default)]
    mark_value: Amount,
    #[serde(default)]
    unrealised_pnl: Amount,
    #[serde(default)]
    leverage: Amount,
    #[serde(default)]
    real_leverage: Amount,
    #[serde(default)]
    liquidation_price: Amount,
    #[serde(default)]
    position_side: String,
    #[serde(default)]
    settle_currency: String,
    is_inverse: Option<bool>,
    #[serde(default)]
    current_timestamp: Amount,
}

impl PositionRow {
    /// Tells the position. Where both sides cannot be open its sign is its side, and an event closes the other one.
    fn tell(self, event: bool, tell: Tell<'_, '_>) {
        let lots = self.current_qty.or_zero();
        let side = match self.position_side.as_str() {
            "LONG" => Side::Long,
            "SHORT" => Side::Short,
            _ if lots.is_sign_negative() => Side::Short,
            _ => Side::Long,
        };
        if lots.is_zero() && !event {
            return;
        }
        let inverse = self.is_inverse.map(|inverse| if inverse { Market::Inverse } else { Market::Linear });
        let market = inverse.unwrap_or_else(|| market(&self.symbol));
        // An inverse lot is a dollar: what it holds of the coin depends on the price.
        let coins = self.mark_price.nonzero().and_then(|price| lots.abs().checked_div(price));
        let size = match (market, coins) {
            (Market::Inverse, Some(coins)) => Size::Base(coins),
            _ => Size::Contracts(lots.abs()),
        };
        let settle = coin(&self.settle_currency);
        let paid =
            |amount: Option<Decimal>| amount.filter(|_| !settle.is_empty()).map(|amount| (amount, settle.clone()));
        let position = Position {
            market,
            name: self.symbol,
            side,
            size,
            value: paid(self.mark_value.0.map(|value| value.abs())),
            price: None,
            pnl: paid(self.unrealised_pnl.0),
            leverage: self.leverage.nonzero().or(self.real_leverage.nonzero()),
            liquidation: self.liquidation_price.nonzero(),
            at: millis(self.current_timestamp).filter(|_| event),
        };
        if event && !matches!(self.position_side.as_str(), "LONG" | "SHORT") {
            let other = if side == Side::Long { Side::Short } else { Side::Long };
            let closed = Position { side: other, size: Size::Contracts(Decimal::ZERO), ..position.clone() };
            tell(Entry::Position(closed).into());
        }
        tell(Entry::Position(position).into());
    }
}

pub fn positions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Rows<PositionRow>> = serde_json::from_str(body)?;
    answer.data.good(tell).into_iter().for_each(|row| row.tell(false, tell));
    Ok(None)
}

/// What moves with the mark price alone names no quantity: what it says is asked over REST.
pub fn position_event<'f>(data: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Hint {
        #[serde(default)]
        current_qty: Amount,
        symbol: Option<String>,
    }
    let hint: Hint = serde_json::from_str(data)?;
    if hint.current_qty.0.is_some() && hint.symbol.is_some() {
        serde_json::from_str::<PositionRow>(data)?.tell(true, tell);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default)]
    current_page: u64,
    #[serde(default)]
    total_page: u64,
    items: Rows<T>,
}

impl<T> Page<T> {
    fn next(&self) -> Option<String> {
        (self.current_page < self.total_page && self.items.count() > 0).then(|| (self.current_page + 1).to_string())
    }
}

/// A numbered page: its rows, and the number of the next one.
pub fn page<'f, T: Deserialize<'f>>(body: &'f str, tell: Tell<'_, 'f>) -> Result<(Vec<T>, Option<String>), Fault> {
    let Data { data: page }: Data<Page<T>> = serde_json::from_str(body)?;
    let next = page.next();
    Ok((page.items.good(tell), next))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow {
    id: String,
    symbol: String,
    #[serde(default)]
    filled_size: Amount,
    #[serde(default)]
    updated_at: Amount,
}

/// A name of the spot market: where both hosts are given as one, its answers come from the same path.
fn is_spot(name: &str) -> bool {
    name.contains('-')
}

pub fn orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (rows, next) = page::<OrderRow>(body, tell)?;
    for row in rows.into_iter().filter(|row| !is_spot(&row.symbol)) {
        let status = if row.filled_size.nonzero().is_some() { Status::Working } else { Status::New };
        let (market, at) = (market(&row.symbol), millis(row.updated_at));
        tell(Entry::Order(Order { market, name: row.symbol, id: row.id, status, at }).into());
    }
    Ok(next)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FillRow {
    symbol: String,
    trade_id: Id,
    side: String,
    #[serde(default)]
    liquidity: String,
    size: Amount,
    price: Amount,
    #[serde(default)]
    fee: Amount,
    #[serde(default)]
    fee_currency: String,
    #[serde(default)]
    trade_type: String,
    #[serde(default)]
    trade_time: Amount,
}

pub fn fills<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (rows, next) = page::<FillRow>(body, tell)?;
    for row in rows.into_iter().filter(|row| !is_spot(&row.symbol) && is_trade(&row.trade_type)) {
        let fill = Fill {
            market: market(&row.symbol),
            name: row.symbol,
            id: row.trade_id.0,
            side: rows::side(&row.side),
            role: rows::role(&row.liquidity),
            quote_volume: None,
            fee: row.fee.0.filter(|_| !row.fee_currency.is_empty()).map(|fee| (fee, coin(&row.fee_currency))),
            at: nanos(row.trade_time),
        };
        tell(Entry::Deal(fill, row.size.or_zero(), row.price.or_zero()).into());
    }
    Ok(next)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WalletEvent {
    currency: String,
    equity: Amount,
    #[serde(default)]
    available_balance: Amount,
    #[serde(default)]
    isolated_pos_margin: Amount,
    #[serde(default)]
    isolated_order_margin: Amount,
    #[serde(default)]
    isolated_funding_fee_margin: Amount,
    #[serde(default)]
    cross_pos_margin: Amount,
    #[serde(default)]
    cross_order_margin: Amount,
    #[serde(default)]
    hold_balance: Amount,
    /// Its `version` counts fewer changes than there are.
    #[serde(default)]
    timestamp: Amount,
}

impl WalletEvent {
    /// Tells the wallet of one coin.
    pub fn tell(self, tell: Tell<'_, '_>) {
        let isolated = [self.isolated_pos_margin, self.isolated_order_margin, self.isolated_funding_fee_margin];
        let cross = [self.cross_pos_margin, self.cross_order_margin, self.hold_balance];
        let balance = Balance {
            wallet: WALLET,
            asset: coin(&self.currency),
            free: self.available_balance.0,
            locked: sum(&[isolated, cross].concat()),
            borrowed: None,
            net: self.equity.0,
            at: millis(self.timestamp),
        };
        tell(Entry::Balance(balance).into());
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContractRow {
    symbol: String,
    base_currency: String,
    quote_currency: String,
    multiplier: Amount,
    #[serde(default)]
    is_inverse: bool,
    #[serde(default)]
    expire_date: Amount,
}

/// A lot is so many coins; -1 stands for a dollar. A date tells futures from perpetuals.
pub fn contracts<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Rows<ContractRow>> = serde_json::from_str(body)?;
    for row in answer.data.good(tell) {
        let day = millis(row.expire_date).map(|at| at.rfc3339()).unwrap_or_default();
        let name = format!("{}{}{}", coin(&row.base_currency), row.quote_currency, day.get(2..10).unwrap_or_default());
        let contract = Contract {
            name: row.symbol,
            market: if row.is_inverse { Market::Inverse } else { Market::Linear },
            symbol: common::account::label(&name),
            size: row.multiplier.0.map(|size| size.abs()),
        };
        tell(Entry::Contract(contract).into());
    }
    Ok(None)
}

#[cfg(test)]
#[path = "futures_tests.rs"]
mod tests;
