//! Binance's private stream: balances, orders and executions of the spot account, on the socket of the WebSocket API.
//!
//! Source: <https://developers.binance.com/docs/binance-spot-api-docs/user-data-stream>.

use std::sync::Arc;

use common::account::Balance;
use common::{Amount, Endpoint, Entry, Fault, Feed, Keyring, Kind, Market, Micros, Rows, Signal, Step, Tell, Topic};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::auth::{self, Verdict};
use crate::rows::{Report, SPOT, holding};

pub struct Events {
    url: String,
    keys: Arc<Keyring>,
}

impl Events {
    pub fn new(base: &str, keys: Arc<Keyring>) -> Self {
        Self { url: format!("{base}/ws-api/v3"), keys }
    }
}

impl Feed for Events {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint { url: self.url.clone(), ..crate::market::endpoint() })
    }

    fn opening(&self, now: Micros) -> Result<Vec<Step>, Fault> {
        let params = auth::subscription(&self.keys.keys(), now)?;
        let request =
            serde_json::json!({ "id": "account", "method": "userDataStream.subscribe.signature", "params": params });
        Ok(vec![Step { say: vec![request.to_string()], answers: 1 }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let message: Message<'f> = serde_json::from_str(frame)?;
        match (message.event, message.e, message.error) {
            (Some(wrapped), ..) => event(wrapped.get(), tell),
            (None, Some(_), _) => event(frame, tell),
            // Without an id it is no answer: the session was revoked.
            (None, None, Some(verdict)) if message.id.is_none() => {
                tell(Signal::Over(verdict.fault()).into());
                Ok(())
            }
            (None, None, Some(verdict)) => {
                tell(Signal::Refused(verdict.fault()).into());
                Ok(())
            }
            (None, None, None) if message.id.is_some() => {
                tell(Signal::Accepted.into());
                Ok(())
            }
            (None, None, None) => Err(Fault::protocol("neither an event nor an answer")),
        }
    }
}

#[derive(Deserialize)]
struct Message<'f> {
    #[serde(borrow)]
    event: Option<&'f RawValue>,
    e: Option<&'f str>,
    id: Option<serde_json::Value>,
    error: Option<Verdict>,
}

#[derive(Deserialize)]
struct Named<'f> {
    e: &'f str,
}

fn event<'f>(text: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let named: Named<'f> = serde_json::from_str(text)?;
    match named.e {
        "outboundAccountPosition" => positions(text, tell)?,
        "executionReport" => serde_json::from_str::<Report<'f>>(text)?.tell(Market::Spot, tell),
        // These tell differences; what is there now has to be asked. Transfers concern the other wallet, too.
        "balanceUpdate" | "externalLockUpdate" => {
            tell(Entry::Stir(Topic::Wallet(SPOT)).into());
            tell(Entry::Stir(Topic::Wallet("funding")).into());
        }
        "listStatus" => {}
        "serverShutdown" => tell(Signal::Leaving.into()),
        "eventStreamTerminated" => {
            let why = "the venue ended the stream of the account's events";
            tell(Signal::Over(Fault::new(Kind::Venue, why)).into());
        }
        other => return Err(Fault::protocol(format!("unknown event {}", common::excerpt(other)))),
    }
    Ok(())
}

#[derive(Deserialize)]
struct Positions {
    u: i64,
    #[serde(rename = "B")]
    balances: Rows<Held>,
}

#[derive(Deserialize)]
struct Held {
    #[serde(rename = "a")]
    asset: String,
    #[serde(rename = "f")]
    free: Amount,
    #[serde(rename = "l")]
    locked: Amount,
}

/// What is there now of everything that may have changed; nothing, too.
fn positions<'f>(text: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let told: Positions = serde_json::from_str(text)?;
    let at = Some(Micros::from_millis(told.u));
    for held in told.balances.good(tell) {
        let (wallet, asset) = holding(&held.asset);
        let asset = asset.to_owned();
        let balance = Balance { wallet, asset, free: held.free.0, locked: held.locked.0, at, ..Balance::default() };
        tell(Entry::Balance(balance).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::account::{Fill, Order, Role, Side, Status};
    use common::{Fact, Update};

    fn feed() -> Events {
        Events::new("wss://ws-api.binance.com:443", Keyring::fixed(["the-key", "the-secret"]))
    }

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        feed().decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    #[test]
    fn the_subscription_is_signed_and_answered() {
        let steps = feed().opening(Micros::from_millis(1_795_168_800_000)).unwrap();
        assert_eq!((steps.len(), steps[0].answers), (1, 1));
        let said: serde_json::Value = serde_json::from_str(&steps[0].say[0]).unwrap();
        assert_eq!(said["method"], "userDataStream.subscribe.signature");
        assert_eq!(said["params"]["apiKey"], "the-key");
        assert_eq!(feed().endpoint("").unwrap().url, "wss://ws-api.binance.com:443/ws-api/v3");
        let good = r#"{"id":"s1","status":200,"result":{"subscriptionId":0},"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":4}]}"#;
        assert_eq!(told(good), Ok(vec![Signal::Accepted.into()]));
    }

    #[test]
    fn what_is_there_now() {
        let frame = r#"{"subscriptionId":0,"event":{"e":"outboundAccountPosition","E":1795168801000,"u":1795168800998,"B":[{"a":"BTC","f":"0.52200000","l":"0.00000000"},{"a":"LDUSDT","f":"0","l":"0"}]}}"#;
        let at = Some(Micros::from_millis(1_795_168_800_998));
        let held = |wallet, asset: &str, free: &str| {
            let (free, locked) = (free.parse().ok(), Some(0.into()));
            let asset = asset.to_owned();
            Update::from(Entry::Balance(Balance { wallet, asset, free, locked, at, ..Balance::default() }))
        };
        assert_eq!(told(frame), Ok(vec![held("spot", "BTC", "0.522"), held("earn", "USDT", "0")]));
    }

    #[test]
    fn an_execution_is_an_order_and_a_fill() {
        let frame = r#"{"subscriptionId":0,"event":{"e":"executionReport","E":1795168801000,"s":"BTCUSDT","c":"x-a1","S":"BUY","o":"LIMIT","f":"GTC","q":"0.01000000","p":"90787.70","P":"0.0","F":"0.0","g":-1,"C":"","x":"TRADE","X":"FILLED","r":"NONE","i":12569099453,"l":"0.01000000","z":"0.01000000","L":"90787.70","n":"0.00001000","N":"BTC","T":1795168800998,"t":5414400200,"v":3,"I":8641984,"w":false,"m":false,"M":true,"O":1795168700000,"Z":"907.877","Y":"907.877","Q":"0.0","W":1795168700000,"V":"NONE"}}"#;
        let at = Some(Micros::from_millis(1_795_168_800_998));
        let (market, name) = (Market::Spot, "BTCUSDT".to_owned());
        let order = Order { market, name: name.clone(), id: "12569099453".into(), status: Status::Filled, at };
        let fill = Fill {
            market,
            name,
            id: "5414400200".into(),
            side: Side::Buy,
            role: Some(Role::Taker),
            quote_volume: "907.877".parse().ok(),
            fee: "0.00001".parse().ok().zip(Some("BTC".into())),
            at,
        };
        assert_eq!(told(frame), Ok(vec![Entry::Order(order).into(), Entry::Fill(fill).into()]));
        let new = frame.replace("TRADE", "NEW").replace("FILLED", "NEW").replace(r#""N":"BTC""#, r#""N":null"#);
        assert_eq!(told(&new).unwrap().len(), 1);
        let odd = frame.replace("FILLED", "SURPRISE");
        assert!(matches!(told(&odd).unwrap()[..], [Update::Misread(_), Update::Fact(Fact::Entry(Entry::Fill(_)))]));
    }

    #[test]
    fn differences_are_asked_for() {
        let frame = r#"{"subscriptionId":0,"event":{"e":"balanceUpdate","E":1795168801000,"a":"USDT","d":"-100.00000000","T":1795168800990}}"#;
        let stirs = ["spot", "funding"].map(|wallet| Update::from(Entry::Stir(Topic::Wallet(wallet))));
        assert_eq!(told(frame).unwrap(), stirs);
    }

    #[test]
    fn refusals_farewells_and_what_is_not_understood() {
        let refused = r#"{"id":"s1","status":400,"error":{"code":-1022,"msg":"Signature for this request is not valid."},"rateLimits":[]}"#;
        assert!(
            matches!(&told(refused).unwrap()[..], [Update::Signal(Signal::Refused(fault))] if fault.kind == Kind::Auth)
        );
        let revoked = r#"{"id":null,"status":401,"error":{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}}"#;
        assert!(
            matches!(&told(revoked).unwrap()[..], [Update::Signal(Signal::Over(fault))] if fault.kind == Kind::Auth)
        );
        let ended = r#"{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}"#;
        assert!(matches!(told(ended).unwrap()[..], [Update::Signal(Signal::Over(_))]));
        for leaving in [r#"{"event":{"e":"serverShutdown","E":1}}"#, r#"{"e":"serverShutdown","E":1}"#] {
            assert_eq!(told(leaving), Ok(vec![Signal::Leaving.into()]));
        }
        assert_eq!(told(r#"{"event":{"e":"surprise"}}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told("{}").unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(r#"{"event":{"e":"executionReport"}}"#).unwrap_err().kind, Kind::Decode);
    }
}
