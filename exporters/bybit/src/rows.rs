//! The rows that Bybit's signed REST and its private stream share. Numbers are text, and what there is not is `""`.

use common::account::{Balance, Fill, Order, Position, Role, Side, Size, Status};
use common::{Amount, Decimal, Entry, Fault, Market, Micros, Rows, Tell, Update};
use serde::Deserialize;

/// The unified trading account.
pub const UNIFIED: &str = "unified";

/// Milliseconds as text; zero and `""` are none.
fn at(time: Amount) -> Option<Micros> {
    i64::try_from(time.nonzero()?).ok().map(Micros::from_millis)
}

pub fn market(category: &str) -> Option<Market> {
    match category {
        "spot" => Some(Market::Spot),
        "linear" => Some(Market::Linear),
        "inverse" => Some(Market::Inverse),
        "option" => Some(Market::Option),
        _ => None,
    }
}

/// What a contract pays in: `BTCUSDT`, `BTCUSDT-26DEC25`, `BTC-26DEC25-70000-P-USDT` in USDT, `BTCPERP`, `BTC-26DEC25` in
/// USDC, `BTCUSD`, `BTCUSDH26` in the coin.
fn settle(market: Market, name: &str) -> Option<String> {
    let stem = name.split('-').next().unwrap_or(name);
    match market {
        Market::Spot => None,
        Market::Inverse => stem.split_once("USD").map(|(coin, _)| coin.to_owned()),
        Market::Linear | Market::Option if stem.ends_with("USDT") || name.ends_with("-USDT") => Some("USDT".into()),
        Market::Linear | Market::Option => Some("USDC".into()),
    }
}

/// Tells of a row that says something unknown; it loses no other.
fn misread(what: &str, value: &str, tell: Tell<'_, '_>) {
    tell(Update::Misread(Fault::decode(format!("{what} {:?} is not known", common::excerpt(value)))));
}

/// The unified account; the stream's updates hold only the coins that changed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wallet {
    #[serde(default)]
    total_equity: Amount,
    coin: Rows<Coin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Coin {
    coin: String,
    equity: Amount,
    #[serde(default)]
    wallet_balance: Amount,
    #[serde(default)]
    locked: Amount,
    #[serde(default)]
    borrow_amount: Amount,
    #[serde(default)]
    spot_borrow: Amount,
    #[serde(default)]
    accrued_interest: Amount,
}

impl Wallet {
    /// Tells its balances. What was borrowed lies in `walletBalance`; `equity` is net of it, and has profits in it.
    pub fn tell(self, at: Option<Micros>, tell: Tell<'_, '_>) {
        for row in self.coin.good(tell) {
            let locked = row.locked.or_zero();
            // Debts of contracts stand in the wallet's balance with their sign; they are told as borrowed.
            let free = row.wallet_balance.0.map(|all| (all - locked).max(Decimal::ZERO));
            let borrowed = row.borrow_amount.or_zero().max(row.spot_borrow.or_zero()) + row.accrued_interest.or_zero();
            let balance = Balance {
                wallet: UNIFIED,
                asset: row.coin,
                free,
                locked: Some(locked),
                borrowed: Some(borrowed),
                net: row.equity.0,
                at,
            };
            tell(Entry::Balance(balance).into());
        }
        // An event that holds some coins has whole totals.
        if let Some(total) = self.total_equity.0 {
            tell(Entry::Reported(UNIFIED, total, "USD").into());
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositionRow {
    /// Of the stream; an answer names it once.
    #[serde(default)]
    category: String,
    symbol: String,
    #[serde(default)]
    side: String,
    size: Amount,
    #[serde(default)]
    position_idx: i64,
    #[serde(default)]
    mark_price: Amount,
    #[serde(default)]
    unrealised_pnl: Amount,
    #[serde(default)]
    leverage: Amount,
    #[serde(default)]
    liq_price: Amount,
    #[serde(default)]
    updated_time: Amount,
}

impl PositionRow {
    /// An event: what it does not tell of this symbol's sides is closed, unless both can be open.
    pub fn hear(self, tell: Tell<'_, '_>) {
        let Some(market) = market(&self.category) else { return misread("category", &self.category, tell) };
        let (both, at) = (self.position_idx == 0, at(self.updated_time));
        let open = self.position(market, at);
        let other = if open.side == Side::Long { Side::Short } else { Side::Long };
        if both {
            tell(Entry::Position(Position { side: other, size: Size::Base(Decimal::ZERO), ..open.clone() }).into());
        }
        tell(Entry::Position(open).into());
    }

    /// A row of an answer.
    pub fn tell(self, market: Market, tell: Tell<'_, '_>) {
        if self.size.nonzero().is_some() {
            tell(Entry::Position(self.position(market, None)).into());
        }
    }

    fn position(self, market: Market, at: Option<Micros>) -> Position {
        let side = match self.position_idx {
            1 => Side::Long,
            2 => Side::Short,
            _ if self.side == "Sell" => Side::Short,
            _ => Side::Long,
        };
        let (number, mark) = (self.size.or_zero().abs(), self.mark_price.nonzero());
        // An inverse contract is a dollar: what it holds of the coin depends on the price.
        let coins = mark.and_then(|mark| number.checked_div(mark));
        let settle = settle(market, &self.symbol);
        let (size, value) = match market {
            Market::Inverse => (coins.map_or(Size::Contracts(number), Size::Base), coins),
            _ => (Size::Base(number), mark.and_then(|mark| number.checked_mul(mark))),
        };
        Position {
            market,
            name: self.symbol,
            side,
            size,
            value: value.zip(settle.clone()),
            price: None,
            pnl: self.unrealised_pnl.0.zip(settle),
            leverage: self.leverage.nonzero(),
            liquidation: self.liq_price.nonzero(),
            at,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRow {
    #[serde(default)]
    category: String,
    symbol: String,
    order_id: String,
    order_status: String,
    #[serde(default)]
    updated_time: Amount,
}

impl OrderRow {
    /// An event.
    pub fn hear(self, tell: Tell<'_, '_>) {
        match market(&self.category) {
            Some(market) => self.tell(market, tell),
            None => misread("category", &self.category, tell),
        }
    }

    /// A row of an answer.
    pub fn tell(self, market: Market, tell: Tell<'_, '_>) {
        let status = match self.order_status.as_str() {
            // A conditional order waits untriggered; triggered it becomes new once more, under the same id.
            "Created" | "New" | "Untriggered" => Status::New,
            "PartiallyFilled" | "Triggered" | "Active" | "PendingCancel" => Status::Working,
            "Filled" => Status::Filled,
            "Cancelled" | "PartiallyFilledCanceled" | "Deactivated" => Status::Canceled,
            "Rejected" => Status::Rejected,
            "Expired" => Status::Expired,
            other => return misread("order status", other, tell),
        };
        let at = at(self.updated_time);
        tell(Entry::Order(Order { market, name: self.symbol, id: self.order_id, status, at }).into());
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionRow {
    #[serde(default)]
    category: String,
    symbol: String,
    exec_id: String,
    exec_type: String,
    side: String,
    exec_qty: Amount,
    #[serde(default)]
    exec_value: Amount,
    #[serde(default)]
    exec_fee: Amount,
    #[serde(default)]
    fee_currency: String,
    is_maker: Option<bool>,
    #[serde(default)]
    exec_time: Amount,
}

impl ExecutionRow {
    /// An event.
    pub fn hear(self, tell: Tell<'_, '_>) {
        match market(&self.category) {
            Some(market) => self.tell(market, tell),
            None => misread("category", &self.category, tell),
        }
    }

    /// A row of an answer. Funding, deliveries and the like are no trades.
    pub fn tell(self, market: Market, tell: Tell<'_, '_>) {
        if self.exec_type != "Trade" {
            return;
        }
        let side = match self.side.as_str() {
            "Buy" => Side::Buy,
            "Sell" => Side::Sell,
            other => return misread("side", other, tell),
        };
        // Of what is paid in coins the quantity is in dollars, the value in coins.
        let quote_volume = if market == Market::Inverse { self.exec_qty.0 } else { self.exec_value.0 };
        let paid_in = Some(self.fee_currency).filter(|coin| !coin.is_empty()).or_else(|| settle(market, &self.symbol));
        let fill = Fill {
            market,
            name: self.symbol,
            id: self.exec_id,
            side,
            role: self.is_maker.map(|maker| if maker { Role::Maker } else { Role::Taker }),
            quote_volume,
            fee: self.exec_fee.0.zip(paid_in),
            at: at(self.exec_time),
        };
        tell(Entry::Fill(fill).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contracts_pay_in() {
        for (market, name, coin) in [
            (Market::Linear, "BTCUSDT", "USDT"),
            (Market::Linear, "BTCUSDT-21FEB25", "USDT"),
            (Market::Linear, "BTCPERP", "USDC"),
            (Market::Linear, "BTC-26DEC25", "USDC"),
            (Market::Inverse, "BTCUSD", "BTC"),
            (Market::Inverse, "BTCUSDH26", "BTC"),
            (Market::Option, "BTC-27MAR26-70000-P-USDT", "USDT"),
            (Market::Option, "BTC-27MAR26-70000-P", "USDC"),
        ] {
            assert_eq!(settle(market, name).as_deref(), Some(coin), "{name}");
        }
        assert_eq!(settle(Market::Spot, "BTCUSDT"), None);
    }
}
