//! Coinbase's private stream: orders, on the `user` channel, and `heartbeats`, which keep the connection open. It tells
//! neither balances nor executions: what an order stirs is asked over REST.
//!
//! Source: <https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels>.

use std::sync::Arc;

use common::account::{Order, Status};
use common::secrets::signing::nonce;
use common::{Amount, Endpoint, Entry, Fault, Feed, Keyring, Market, Micros, Rows, Signal, Step, Tell, Topic};
use serde::Deserialize;

use crate::auth;
use crate::market::endpoint;
use crate::rows::{FUTURES, SPOT, market, status};

pub struct Events {
    url: String,
    keys: Arc<Keyring>,
}

impl Events {
    pub fn new(base: &str, keys: Arc<Keyring>) -> Self {
        Self { url: base.to_owned(), keys }
    }

    fn subscribe(&self, channel: &str, now: Micros) -> Result<Step, Fault> {
        let token = auth::token(&self.keys.keys(), now, &nonce(), None)?;
        let said = serde_json::json!({ "type": "subscribe", "channel": channel, "jwt": token });
        Ok(Step { say: vec![said.to_string()], answers: 1 })
    }
}

impl Feed for Events {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint { url: self.url.clone(), ..endpoint() })
    }

    /// One after the other: heartbeats without the account would look like a line that is well.
    fn opening(&self, now: Micros) -> Result<Vec<Step>, Fault> {
        Ok(vec![self.subscribe("user", now)?, self.subscribe("heartbeats", now)?])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let message: Message = serde_json::from_str(frame)?;
        if let Some(number) = message.sequence_num {
            tell(Signal::Sequence(number).into());
        }
        match (message.channel.as_str(), message.kind.as_str()) {
            ("user", _) => orders(frame, tell)?,
            ("heartbeats", _) => {}
            ("subscriptions", _) => tell(Signal::Accepted.into()),
            ("", "error") => tell(Signal::Refused(auth::refused(&message.message)).into()),
            (other, _) => return Err(Fault::protocol(format!("unknown channel {:?}", common::excerpt(other)))),
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    channel: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
    sequence_num: Option<u64>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    timestamp: String,
    events: Rows<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "type")]
    kind: String,
    orders: Option<Rows<OrderRow>>,
}

#[derive(Deserialize)]
struct OrderRow {
    order_id: String,
    product_id: String,
    status: String,
    #[serde(default)]
    cumulative_quantity: Amount,
    #[serde(default)]
    filled_value: Amount,
}

fn orders<'f>(frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let user: User = serde_json::from_str(frame)?;
    let at = Micros::of_rfc3339(&user.timestamp);
    let mut stirred = Vec::new();
    for event in user.events.good(tell) {
        // What was open before is no news: it is told, but counts as nothing.
        let snapshot = event.kind == "snapshot";
        for row in event.orders.map(|rows| rows.good(tell)).unwrap_or_default() {
            let filled = row.cumulative_quantity.nonzero().or(row.filled_value.nonzero()).is_some();
            let Some(status) = status(&row.status, filled || snapshot, tell) else { continue };
            if !snapshot {
                stirred.extend(topics(market(&row.product_id), status, filled));
            }
            let market = market(&row.product_id);
            tell(Entry::Order(Order { market, name: row.product_id, id: row.order_id, status, at }).into());
        }
    }
    stirred.sort_unstable();
    stirred.dedup();
    stirred.into_iter().for_each(|topic| tell(Entry::Stir(topic).into()));
    Ok(())
}

/// What an order changes: it holds money or sets it free, and where it is filled there are executions.
fn topics(market: Market, status: Status, filled: bool) -> Vec<Topic> {
    let executions = (filled || status == Status::Filled).then_some(Topic::Fills);
    let held: &[Topic] = match market {
        Market::Spot => &[Topic::Wallet(SPOT)],
        _ => &[Topic::Wallet(FUTURES), Topic::Positions],
    };
    held.iter().copied().chain(executions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{Kind, Update};

    fn feed() -> Events {
        let keys = Keyring::fixed(["a/b/c", "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA="]);
        Events::new("wss://advanced-trade-ws-user.coinbase.com", keys)
    }

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        feed().decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    const SNAPSHOT: &str = r#"{"channel":"user","timestamp":"2026-11-20T10:00:00.1Z","sequence_num":1,"events":[{"type":"snapshot","orders":[{"avg_price":"0","cancel_reason":"","client_order_id":"a1","completion_percentage":"0","contract_expiry_type":"UNKNOWN_CONTRACT_EXPIRY_TYPE","cumulative_quantity":"0","filled_value":"0","leaves_quantity":"0.01","limit_price":"88000","number_of_fills":"0","order_id":"0f2c","order_side":"BUY","order_type":"Limit","outstanding_hold_amount":"885.28","post_only":"false","product_id":"BTC-USD","product_type":"SPOT","status":"OPEN","total_fees":"0","creation_time":"2026-11-20T08:00:00Z","end_time":"0001-01-01T00:00:00Z"}],"positions":{"perpetual_futures_positions":[],"expiring_futures_positions":[]}}]}"#;

    fn order(status: Status) -> Update<'static> {
        let at = Some(Micros(1_795_168_800_100_000));
        let (market, name, id) = (Market::Spot, "BTC-USD".into(), "0f2c".into());
        Entry::Order(Order { market, name, id, status, at }).into()
    }

    #[test]
    fn each_channel_has_a_token_of_its_own_and_the_account_comes_first() {
        let steps = feed().opening(Micros::from_millis(1_700_000_003_000)).unwrap();
        assert_eq!((steps.len(), steps[0].answers, steps[1].answers), (2, 1, 1));
        let said = |step: &Step| serde_json::from_str::<serde_json::Value>(&step.say[0]).unwrap();
        let (user, beats) = (said(&steps[0]), said(&steps[1]));
        assert_eq!((&user["channel"], &beats["channel"]), (&"user".into(), &"heartbeats".into()));
        assert_ne!(user["jwt"], beats["jwt"]);
    }

    #[test]
    fn what_was_open_before_is_no_news() {
        assert_eq!(told(SNAPSHOT), Ok(vec![Signal::Sequence(1).into(), order(Status::Working)]));
        let none = r#"{"channel":"user","timestamp":"2026-11-20T10:00:00.1Z","sequence_num":2,"events":[{"type":"snapshot","orders":[]}]}"#;
        assert_eq!(told(none), Ok(vec![Signal::Sequence(2).into()]));
    }

    #[test]
    fn an_order_stirs_what_it_changes() {
        let new = SNAPSHOT.replace("snapshot", "update");
        let stir = |topic| Update::from(Entry::Stir(topic));
        let wallet = || stir(Topic::Wallet(SPOT));
        assert_eq!(told(&new), Ok(vec![Signal::Sequence(1).into(), order(Status::New), wallet()]));
        let filled = new.replace(r#""status":"OPEN""#, r#""status":"FILLED""#);
        let sequence = || Update::from(Signal::Sequence(1));
        assert_eq!(told(&filled), Ok(vec![sequence(), order(Status::Filled), wallet(), stir(Topic::Fills)]));
        let part = new.replace(r#""cumulative_quantity":"0""#, r#""cumulative_quantity":"0.005""#);
        assert_eq!(told(&part), Ok(vec![sequence(), order(Status::Working), wallet(), stir(Topic::Fills)]));
        let contract = new.replace("BTC-USD", "BIP-20DEC30-CDE");
        assert!(told(&contract).unwrap().contains(&stir(Topic::Positions)));
        let odd = new.replace(r#""status":"OPEN""#, r#""status":"SURPRISE""#);
        assert!(matches!(told(&odd).unwrap()[..], [_, Update::Misread(_)]));
    }

    #[test]
    fn answers_heartbeats_and_refusals() {
        let ack = r#"{"channel":"subscriptions","timestamp":"2026-11-20T10:00:00.1Z","sequence_num":0,"events":[{"subscriptions":{"user":["u"]}}]}"#;
        assert_eq!(told(ack), Ok(vec![Signal::Sequence(0).into(), Signal::Accepted.into()]));
        let beat = r#"{"channel":"heartbeats","timestamp":"2026-11-20T10:00:01Z","sequence_num":3,"events":[{"current_time":"2026-11-20 10:00:01 +0000 UTC","heartbeat_counter":"3049"}]}"#;
        assert_eq!(told(beat), Ok(vec![Signal::Sequence(3).into()]));
        let refused = r#"{"type":"error","message":"authentication failure"}"#;
        assert!(
            matches!(&told(refused).unwrap()[..], [Update::Signal(Signal::Refused(fault))] if fault.kind == Kind::Auth)
        );
        assert_eq!(told(r#"{"channel":"surprise"}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(&SNAPSHOT[..80]).unwrap_err().kind, Kind::Decode);
    }
}
