//! The rows that Binance's signed REST and its private stream share.

use common::account::{Balance, Fill, Order, Role, Side, Status};
use common::{Amount, Decimal, Entry, Fault, Market, Micros, Tell, Update};
use serde::Deserialize;

/// The core wallet.
pub const SPOT: &str = "spot";
/// What lies in flexible Simple Earn.
const EARN: &str = "earn";

/// The wallet and the asset behind a code of the spot wallet. `LDUSDT` is a claim on flexible Simple Earn; the positions
/// behind such rows are not asked for, so that no money counts twice. `LDO` is a coin.
pub fn holding(code: &str) -> (&'static str, &str) {
    match code {
        "LDO" => (SPOT, code),
        "LDSHIB2" => (EARN, "SHIB"),
        "LDERD" => (EARN, "EGLD"),
        "LDBAKET" => (EARN, "BAKE"),
        _ => match code.strip_prefix("LD").filter(|asset| !asset.is_empty()) {
            Some(asset) => (EARN, asset),
            None => (SPOT, code),
        },
    }
}

/// The sum; what would not fit into a number adds nothing.
pub fn sum(parts: impl IntoIterator<Item = Amount>) -> Decimal {
    parts.into_iter().fold(Decimal::ZERO, |sum, part| sum.checked_add(part.or_zero()).unwrap_or(sum))
}

/// What a wallet holds free and locked.
pub fn balance(wallet: &'static str, asset: &str, free: Amount, locked: Decimal) -> Balance {
    Balance { wallet, asset: asset.to_owned(), free: free.0, locked: Some(locked), ..Balance::default() }
}

/// An open order of any market.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRow {
    pub symbol: String,
    pub order_id: i64,
    pub status: String,
    pub update_time: Option<i64>,
}

impl OrderRow {
    /// Tells the order.
    pub fn tell(self, market: Market, tell: Tell<'_, '_>) {
        let Some(status) = status(&self.status) else {
            let detail = format!("unknown order status {}", common::excerpt(&self.status));
            return tell(Update::Misread(Fault::protocol(detail)));
        };
        let at = self.update_time.map(Micros::from_millis);
        tell(Entry::Order(Order { market, name: self.symbol, id: self.order_id.to_string(), status, at }).into());
    }
}

fn status(text: &str) -> Option<Status> {
    Some(match text {
        "NEW" => Status::New,
        // The last three of the futures: amended, and taken over by the venue in a liquidation.
        "PENDING_NEW" | "PARTIALLY_FILLED" | "PENDING_CANCEL" | "AMENDMENT" | "NEW_INSURANCE" | "NEW_ADL" => {
            Status::Working
        }
        "FILLED" => Status::Filled,
        "CANCELED" => Status::Canceled,
        "REJECTED" => Status::Rejected,
        "EXPIRED" | "EXPIRED_IN_MATCH" => Status::Expired,
        _ => return None,
    })
}

/// An execution.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FillRow {
    pub symbol: String,
    pub id: i64,
    #[serde(default)]
    pub quote_qty: Amount,
    /// Coins, or contracts on coins.
    #[serde(default)]
    pub qty: Amount,
    #[serde(default)]
    pub price: Amount,
    #[serde(default)]
    pub commission: Amount,
    pub commission_asset: Option<String>,
    pub time: i64,
    #[serde(alias = "buyer")]
    pub is_buyer: bool,
    #[serde(alias = "maker")]
    pub is_maker: bool,
}

impl FillRow {
    /// Tells the execution.
    pub fn tell(self, market: Market, tell: Tell<'_, '_>) {
        let (contracts, price) = (self.qty.or_zero(), self.price.or_zero());
        let fill = Fill {
            market,
            name: self.symbol,
            id: self.id.to_string(),
            side: if self.is_buyer { Side::Buy } else { Side::Sell },
            role: Some(if self.is_maker { Role::Maker } else { Role::Taker }),
            quote_volume: self.quote_qty.0,
            fee: self.commission.0.zip(self.commission_asset),
            at: Some(Micros::from_millis(self.time)),
        };
        // A contract on coins is so many dollars, which the list of contracts tells.
        let entry = if market == Market::Inverse { Entry::Deal(fill, contracts, price) } else { Entry::Fill(fill) };
        tell(entry.into());
    }
}

/// What became of an order, as the private streams tell it.
#[derive(Deserialize)]
pub struct Report<'f> {
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "S")]
    side: &'f str,
    #[serde(rename = "i")]
    order: i64,
    #[serde(rename = "x")]
    what: &'f str,
    #[serde(rename = "X")]
    status: &'f str,
    #[serde(rename = "T")]
    at: i64,
    #[serde(rename = "t")]
    trade: Option<i64>,
    #[serde(rename = "l", default)]
    quantity: Amount,
    #[serde(rename = "L", default)]
    price: Amount,
    /// Only of spot.
    #[serde(rename = "Y", default)]
    quote: Amount,
    #[serde(rename = "n", default)]
    fee: Amount,
    #[serde(rename = "N", default)]
    fee_asset: Option<String>,
    #[serde(rename = "m", default)]
    maker: bool,
}

impl Report<'_> {
    /// Tells the order, and its execution if it is one.
    pub fn tell(self, market: Market, tell: Tell<'_, '_>) {
        // An order that was amended is no new one.
        let status = if self.what == "AMENDMENT" { self.what } else { self.status }.to_owned();
        let symbol = self.symbol.clone();
        OrderRow { symbol, order_id: self.order, status, update_time: Some(self.at) }.tell(market, tell);
        if self.what != "TRADE" {
            return;
        }
        let Some(id) = self.trade else {
            return tell(Update::Misread(Fault::decode("an execution without its number")));
        };
        let worth = || self.quantity.0.zip(self.price.0).and_then(|(quantity, price)| quantity.checked_mul(price));
        FillRow {
            symbol: self.symbol,
            id,
            quote_qty: if market == Market::Spot { self.quote } else { Amount(worth()) },
            commission: self.fee,
            commission_asset: self.fee_asset,
            time: self.at,
            is_buyer: self.side == "BUY",
            is_maker: self.maker,
            qty: self.quantity,
            price: self.price,
        }
        .tell(market, tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_on_simple_earn_are_their_own_wallet_and_ldo_is_a_coin() {
        for (code, wallet, asset) in [
            ("USDT", SPOT, "USDT"),
            ("LDUSDT", EARN, "USDT"),
            ("LDO", SPOT, "LDO"),
            ("LDLDO", EARN, "LDO"),
            ("LDSHIB2", EARN, "SHIB"),
            ("LD", SPOT, "LD"),
        ] {
            assert_eq!(holding(code), (wallet, asset));
        }
    }

    #[test]
    fn every_documented_status() {
        assert_eq!(status("EXPIRED_IN_MATCH"), Some(Status::Expired));
        assert_eq!(status("PARTIALLY_FILLED"), Some(Status::Working));
        assert_eq!(status("SURPRISE"), None);
    }
}
