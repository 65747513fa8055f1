//! What Coinbase's signed REST and its private stream share.

use common::account::Status;
use common::{Amount, Decimal, Fault, Market, Tell, Update};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// The wallet of the products in which coins are traded.
pub const SPOT: &str = "spot";
/// The wallet of the futures in the United States.
pub const FUTURES: &str = "futures";

/// An amount, bare or with its currency: `"1.5"`, `1.5`, `{"value":"1.5","currency":"USD"}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money(pub Amount);

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Valued {
            #[serde(default)]
            value: Amount,
        }
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('{') {
            return serde_json::from_str(raw).map(|valued: Valued| Money(valued.value)).map_err(D::Error::custom);
        }
        serde_json::from_str(raw).map(Money).map_err(D::Error::custom)
    }
}

/// The sum; what would not fit into a number adds nothing.
pub fn sum(parts: impl IntoIterator<Item = Option<Decimal>>) -> Decimal {
    parts.into_iter().flatten().fold(Decimal::ZERO, |sum, part| sum.checked_add(part).unwrap_or(sum))
}

/// `BTC-USD` is a spot product, `BIT-27NOV26-CDE` a contract.
pub fn market(product: &str) -> Market {
    if product.split('-').count() > 2 { Market::Linear } else { Market::Spot }
}

/// What a product is quoted and its fees are paid in.
pub fn quote(product: &str) -> &str {
    match market(product) {
        Market::Spot => product.rsplit('-').next().unwrap_or_default(),
        _ => "USD",
    }
}

/// What became of an order; one of which nothing is filled is told apart from others that are open.
pub fn status(text: &str, filled: bool, tell: Tell<'_, '_>) -> Option<Status> {
    Some(match text {
        "OPEN" if !filled => Status::New,
        "OPEN" | "PENDING" | "QUEUED" | "CANCEL_QUEUED" | "EDIT_QUEUED" => Status::Working,
        "FILLED" => Status::Filled,
        "CANCELLED" => Status::Canceled,
        "EXPIRED" => Status::Expired,
        "FAILED" => Status::Rejected,
        other => {
            let detail = format!("unknown order status {}", common::excerpt(other));
            tell(Update::Misread(Fault::protocol(detail)));
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_in_both_forms() {
        let read =
            |text: &str| serde_json::from_str::<Money>(text).ok().map(|money| money.0.0.map(|one| one.to_string()));
        for text in [r#""1.50""#, "1.50", r#"{"value":"1.50","currency":"USD"}"#, r#"{"value":1.50}"#] {
            assert_eq!(read(text), Some(Some("1.50".into())), "{text}");
        }
        assert_eq!((read("null"), read(r#""""#), read("{}"), read("true")), (Some(None), Some(None), Some(None), None));
    }

    #[test]
    fn products_and_contracts() {
        assert_eq!((market("BTC-USDC"), quote("BTC-USDC")), (Market::Spot, "USDC"));
        assert_eq!((market("BIP-20DEC30-CDE"), quote("BIP-20DEC30-CDE")), (Market::Linear, "USD"));
    }
}
