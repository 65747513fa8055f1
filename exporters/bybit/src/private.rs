//! Bybit's private stream: balances, positions, orders, executions.
//!
//! Source: <https://bybit-exchange.github.io/docs/v5/websocket/private/wallet>.

use std::sync::Arc;
use std::time::Duration;

use common::{Cause, Endpoint, Fault, Feed, Keyring, Kind, Micros, Rows, Signal, Step, Tell};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rows::{ExecutionRow, OrderRow, PositionRow, Wallet};
use crate::{auth, market};

/// One form of each topic, for all categories: the two forms must not be mixed.
const TOPICS: &str = r#"{"req_id":"topics","op":"subscribe","args":["wallet","position","order","execution"]}"#;

pub struct Events {
    url: String,
    keys: Arc<Keyring>,
}

impl Events {
    pub fn new(base: &str, keys: Arc<Keyring>) -> Self {
        Self { url: format!("{base}/v5/private"), keys }
    }
}

impl Feed for Events {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint {
            url: self.url.clone(),
            heartbeat: Some(market::heartbeat()),
            silence: Duration::from_secs(45),
            pace: Duration::ZERO,
            lifetime: None,
        })
    }

    fn opening(&self, now: Micros) -> Result<Vec<Step>, Fault> {
        Ok(vec![auth::login(&self.keys.keys(), now), Step { say: vec![TOPICS.to_owned()], answers: 1 }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let message: Message<'f> = serde_json::from_str(frame)?;
        match (&message.op, message.data) {
            (Some(op), _) => control(op, &message, tell),
            (None, Some(data)) => rows(&message, data.get(), tell),
            (None, None) => Err(Fault::protocol("neither data nor an answer")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'f> {
    op: Option<String>,
    success: Option<bool>,
    /// Public and private lines write it like this, those for orders the other way.
    #[serde(default, rename = "ret_msg", alias = "retMsg")]
    ret_msg: String,
    #[serde(rename = "retCode")]
    code: Option<i64>,
    #[serde(default)]
    topic: String,
    creation_time: Option<i64>,
    #[serde(borrow)]
    data: Option<&'f RawValue>,
}

/// Topics by category are called `order.spot` and so on.
fn rows<'f>(message: &Message<'_>, data: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let made = message.creation_time.map(Micros::from_millis);
    match message.topic.split('.').next() {
        Some("wallet") => {
            // The unified account is the only one that this stream speaks of.
            read::<Wallet>(data, tell)?.into_iter().for_each(|row| row.tell(made, tell));
        }
        Some("position") => read::<PositionRow>(data, tell)?.into_iter().for_each(|row| row.hear(tell)),
        Some("order") => read::<OrderRow>(data, tell)?.into_iter().for_each(|row| row.hear(tell)),
        Some("execution") => read::<ExecutionRow>(data, tell)?.into_iter().for_each(|row| row.hear(tell)),
        _ => return Err(Fault::protocol(format!("unknown topic {:?}", common::excerpt(&message.topic)))),
    }
    Ok(())
}

fn read<'f, T: Deserialize<'f>>(data: &'f str, tell: Tell<'_, 'f>) -> Result<Vec<T>, Fault> {
    let rows: Rows<T> = serde_json::from_str(data)?;
    Ok(rows.good(tell))
}

fn control<'f>(op: &str, said: &Message<'_>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let accepted = said.success.unwrap_or(said.code == Some(0));
    match op {
        "pong" => tell(Signal::Pong.into()),
        "ping" if said.ret_msg == "pong" => tell(Signal::Pong.into()),
        "auth" | "subscribe" if accepted => tell(Signal::Accepted.into()),
        "auth" | "subscribe" => tell(Signal::Refused(refusal(op, said)).into()),
        "unsubscribe" => {}
        other => return Err(Fault::protocol(format!("unknown answer {:?}", common::excerpt(other)))),
    }
    Ok(())
}

/// Logins are refused in words; a code is the exception.
fn refusal(op: &str, said: &Message<'_>) -> Fault {
    match (said.code, op) {
        (Some(code), _) => auth::refusal(code, &said.ret_msg),
        // What is said of a login that comes too late.
        (None, "auth") if said.ret_msg == "Params Error" => {
            Fault::new(Kind::ClockSkew, "login refused: Params Error").because(Cause::Clock)
        }
        (None, "auth") => {
            let detail = format!("login refused: {}", common::excerpt(&said.ret_msg));
            Fault::new(Kind::Auth, detail).because(Cause::Unsaid)
        }
        (None, _) => Fault::new(Kind::Venue, format!("subscription refused: {}", common::excerpt(&said.ret_msg))),
    }
}

#[cfg(test)]
#[path = "private_tests.rs"]
mod tests;
