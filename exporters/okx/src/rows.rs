//! The rows that OKX's signed REST and its private stream share. Everything is text, and what there is not is empty.

use common::account::{Balance, Fill, Order, Position, Role, Side, Size, Status};
use common::{Amount, Decimal, Entry, Market, Micros, Rows, Tell};
use serde::Deserialize;

/// The trading account.
pub const TRADING: &str = "trading";

fn at(text: &str) -> Option<Micros> {
    text.parse().ok().map(Micros::from_millis)
}

/// The market of a name: `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD-261225`, `BTC-USD-261225-90000-C`.
pub fn market(kind: &str, name: &str) -> Market {
    match kind {
        "SPOT" | "MARGIN" => Market::Spot,
        "OPTION" => Market::Option,
        _ if name.split('-').nth(1) == Some("USD") => Market::Inverse,
        _ => Market::Linear,
    }
}

/// The trading account; the stream's updates hold only the currencies that changed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    #[serde(default)]
    total_eq: Amount,
    details: Rows<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    ccy: String,
    eq: Amount,
    #[serde(default)]
    avail_bal: Amount,
    #[serde(default)]
    frozen_bal: Amount,
    #[serde(default)]
    liab: Amount,
    #[serde(default)]
    interest: Amount,
    #[serde(default)]
    u_time: String,
}

impl Account {
    /// Tells its balances; `eq` has profits and debts in it already.
    pub fn tell(self, tell: Tell<'_, '_>) {
        for row in self.details.good(tell) {
            let owed = row.liab.or_zero().abs() + row.interest.or_zero().abs();
            let balance = Balance {
                wallet: TRADING,
                asset: row.ccy,
                free: row.avail_bal.0,
                locked: row.frozen_bal.0,
                borrowed: Some(owed),
                net: row.eq.0,
                at: at(&row.u_time),
            };
            tell(Entry::Balance(balance).into());
        }
        // A partial update has whole totals.
        if let Some(total) = self.total_eq.0 {
            tell(Entry::Reported(TRADING, total, "USD").into());
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositionRow {
    inst_type: String,
    inst_id: String,
    pos_side: String,
    pos: Amount,
    #[serde(default)]
    mark_px: Amount,
    #[serde(default)]
    notional_usd: Amount,
    #[serde(default)]
    upl: Amount,
    #[serde(default)]
    ccy: String,
    #[serde(default)]
    lever: Amount,
    #[serde(default)]
    liq_px: Amount,
    #[serde(default)]
    u_time: String,
}

impl PositionRow {
    /// Tells the position. In net mode its sign is its side, and the other side is closed.
    pub fn tell(self, tell: Tell<'_, '_>) {
        // What is bought on margin stands in the balances.
        if self.inst_type == "MARGIN" {
            return;
        }
        let contracts = self.pos.or_zero();
        let side = match self.pos_side.as_str() {
            "long" => Side::Long,
            "short" => Side::Short,
            _ if contracts.is_sign_negative() => Side::Short,
            _ => Side::Long,
        };
        let market = market(&self.inst_type, &self.inst_id);
        let mark = self.mark_px.nonzero();
        // A contract on coins is so many dollars: what it holds of the coin depends on the price.
        let inverse = self.notional_usd.0.zip(mark).and_then(|(value, mark)| value.abs().checked_div(mark));
        let size = match (market, inverse) {
            (Market::Inverse, Some(coins)) if !contracts.is_zero() => Size::Base(coins),
            _ => Size::Contracts(contracts.abs()),
        };
        let position = Position {
            market,
            name: self.inst_id,
            side,
            size,
            value: self.notional_usd.0.map(|value| (value, "USD".into())),
            price: None,
            pnl: self.upl.0.map(|pnl| (pnl, self.ccy)),
            leverage: self.lever.nonzero(),
            liquidation: self.liq_px.nonzero(),
            at: at(&self.u_time),
        };
        if !matches!(self.pos_side.as_str(), "long" | "short") {
            let other = if side == Side::Long { Side::Short } else { Side::Long };
            let closed = Position { side: other, size: Size::Contracts(Decimal::ZERO), ..position.clone() };
            tell(Entry::Position(closed).into());
        }
        tell(Entry::Position(position).into());
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRow {
    inst_type: String,
    inst_id: String,
    /// What pages are named by.
    pub ord_id: String,
    state: String,
    #[serde(default)]
    u_time: String,
    side: String,
    #[serde(default)]
    trade_id: String,
    #[serde(default)]
    fill_px: Amount,
    #[serde(default)]
    fill_sz: Amount,
    #[serde(default)]
    fill_time: String,
    #[serde(default)]
    fill_fee: Amount,
    #[serde(default)]
    fill_fee_ccy: String,
    #[serde(default)]
    exec_type: String,
}

impl OrderRow {
    /// Tells the order. A row of the list names its last execution, too, without role and fee: that is not told.
    pub fn tell(&self, tell: Tell<'_, '_>) {
        let market = market(&self.inst_type, &self.inst_id);
        let status = match self.state.as_str() {
            "live" => Status::New,
            "filled" => Status::Filled,
            "canceled" | "mmp_canceled" => Status::Canceled,
            _ => Status::Working,
        };
        let order = Order { market, name: self.inst_id.clone(), id: self.ord_id.clone(), status, at: at(&self.u_time) };
        tell(Entry::Order(order).into());
    }

    /// Tells an event of the stream, which may be an execution.
    pub fn happen(self, tell: Tell<'_, '_>) {
        self.tell(tell);
        if !self.trade_id.is_empty() && self.fill_sz.nonzero().is_some() {
            FillRow {
                inst_type: self.inst_type,
                inst_id: self.inst_id,
                trade_id: self.trade_id,
                bill_id: String::new(),
                side: self.side,
                exec_type: self.exec_type,
                fill_px: self.fill_px,
                fill_sz: self.fill_sz,
                fee: self.fill_fee,
                fee_ccy: self.fill_fee_ccy,
                fill_time: self.fill_time,
            }
            .tell(tell);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FillRow {
    inst_type: String,
    inst_id: String,
    trade_id: String,
    /// What pages are named by.
    pub bill_id: String,
    side: String,
    #[serde(default)]
    exec_type: String,
    fill_px: Amount,
    fill_sz: Amount,
    #[serde(default)]
    fee: Amount,
    #[serde(default)]
    fee_ccy: String,
    #[serde(default)]
    fill_time: String,
}

impl FillRow {
    /// Tells the execution. A charge is negative here, positive in the book.
    pub fn tell(self, tell: Tell<'_, '_>) {
        let market = market(&self.inst_type, &self.inst_id);
        let (price, size) = (self.fill_px.or_zero(), self.fill_sz.or_zero());
        let fill = Fill {
            market,
            name: self.inst_id,
            id: self.trade_id,
            side: if self.side == "sell" { Side::Sell } else { Side::Buy },
            role: match self.exec_type.as_str() {
                "M" => Some(Role::Maker),
                "T" => Some(Role::Taker),
                _ => None,
            },
            quote_volume: (market == Market::Spot).then(|| price.checked_mul(size)).flatten(),
            fee: self.fee.0.map(|fee| (-fee, self.fee_ccy)),
            at: at(&self.fill_time),
        };
        let entry = if market == Market::Spot { Entry::Fill(fill) } else { Entry::Deal(fill, size, price) };
        tell(entry.into());
    }
}
