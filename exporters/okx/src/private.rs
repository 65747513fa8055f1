//! OKX's private stream: balances, positions, and orders with their executions.
//!
//! Source: <https://www.okx.com/docs-v5/en/#trading-account-websocket>.

use std::sync::Arc;
use std::time::Duration;

use common::{Endpoint, Fault, Feed, Keyring, Micros, Rows, Signal, Step, Tell};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rows::{Account, OrderRow, PositionRow};
use crate::{auth, market};

/// Only events: what the account's totals do in between is asked over REST.
const CHANNELS: &str = r#"{"op":"subscribe","args":[{"channel":"account","extraParams":"{\"updateInterval\":\"0\"}"},{"channel":"positions","instType":"ANY"},{"channel":"orders","instType":"ANY"}]}"#;

pub struct Events {
    url: String,
    keys: Arc<Keyring>,
}

impl Events {
    pub fn new(base: &str, keys: Arc<Keyring>) -> Self {
        Self { url: format!("{base}/ws/v5/private"), keys }
    }
}

impl Feed for Events {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint {
            url: self.url.clone(),
            // An idle account is quiet: without pings the venue would hang up.
            heartbeat: Some(market::heartbeat()),
            silence: Duration::from_secs(45),
            pace: Duration::ZERO,
            lifetime: None,
        })
    }

    fn opening(&self, now: Micros) -> Result<Vec<Step>, Fault> {
        Ok(vec![auth::login(&self.keys.keys(), now), Step { say: vec![CHANNELS.to_owned()], answers: 3 }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        if frame == "pong" {
            tell(Signal::Pong.into());
            return Ok(());
        }
        let message: Message<'f> = serde_json::from_str(frame)?;
        match (message.event, message.data) {
            (Some(event), _) => control(event, &message, tell),
            (None, Some(data)) => rows(message.arg.map_or("", |arg| arg.channel), data.get(), tell),
            (None, None) => Err(Fault::protocol("neither data nor an event")),
        }
    }
}

#[derive(Deserialize)]
struct Message<'f> {
    event: Option<&'f str>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    msg: String,
    arg: Option<Arg<'f>>,
    #[serde(borrow)]
    data: Option<&'f RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
struct Arg<'f> {
    #[serde(default)]
    channel: &'f str,
}

fn rows<'f>(channel: &str, data: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    match channel {
        "account" => read::<Account>(data, tell)?.into_iter().for_each(|row| row.tell(tell)),
        "positions" => read::<PositionRow>(data, tell)?.into_iter().for_each(|row| row.tell(tell)),
        "orders" => read::<OrderRow>(data, tell)?.into_iter().for_each(|row| row.happen(tell)),
        other => return Err(Fault::protocol(format!("data of the channel {}", common::excerpt(other)))),
    }
    Ok(())
}

fn read<'f, T: Deserialize<'f>>(data: &'f str, tell: Tell<'_, 'f>) -> Result<Vec<T>, Fault> {
    let rows: Rows<T> = serde_json::from_str(data)?;
    Ok(rows.good(tell))
}

fn control<'f>(event: &str, said: &Message<'_>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    match (event, said.code.parse().unwrap_or(0)) {
        ("login" | "subscribe", 0) => tell(Signal::Accepted.into()),
        ("notice", 64_008) => tell(Signal::Leaving.into()),
        ("login" | "subscribe" | "error", code) => tell(Signal::Refused(auth::refusal(code, &said.msg)).into()),
        // Follows the ack of a channel that has too many subscribers: it will bring nothing.
        ("channel-conn-count-error", _) => {
            let why = "too many connections listen to this account's channels";
            tell(Signal::Over(Fault::new(common::Kind::RateLimit, why)).into());
        }
        ("unsubscribe" | "notice" | "channel-conn-count", _) => {}
        (other, _) => return Err(Fault::protocol(format!("unknown event {}", common::excerpt(other)))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::account::{Balance, Role, Status};
    use common::{Cause, Entry, Fact, Kind, Update};

    fn feed() -> Events {
        Events::new("wss://ws.okx.com", Keyring::fixed(["key", "secret", "phrase"]))
    }

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        feed().decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    #[test]
    fn login_comes_first_and_is_answered_before_the_channels() {
        let steps = feed().opening(Micros(1_704_876_947_000_000)).unwrap();
        assert_eq!((steps.len(), steps[0].answers, steps[1].answers), (2, 1, 3));
        assert!(steps[0].say[0].contains(r#""op":"login""#));
        assert!(!format!("{steps:?}").contains("phrase"), "logins are never shown");
    }

    #[test]
    fn an_order_that_fills_is_an_execution_too() {
        let frame = r#"{"arg":{"channel":"orders","instType":"ANY","uid":"61820374459211776"},"data":[{"instType":"SPOT","instId":"ETH-USDT","ordId":"2290718804425031680","side":"buy","posSide":"net","px":"2900","sz":"0.5","state":"filled","accFillSz":"0.5","avgPx":"2900","fillPx":"2900","fillSz":"0.5","tradeId":"531180926","execType":"M","fillTime":"1763600002000","fillFee":"-0.0004","fillFeeCcy":"ETH","uTime":"1763600002001"}]}"#;
        let updates = told(frame).unwrap();
        let [Update::Fact(Fact::Entry(Entry::Order(order))), Update::Fact(Fact::Entry(Entry::Fill(fill)))] =
            &updates[..]
        else {
            panic!("{updates:?}")
        };
        assert_eq!((order.status, order.id.as_str()), (Status::Filled, "2290718804425031680"));
        assert_eq!((fill.role, fill.id.as_str()), (Some(Role::Maker), "531180926"));
        assert_eq!(fill.quote_volume, Some(1450.into()));
    }

    #[test]
    fn a_closed_position_and_a_changed_balance() {
        let closed = r#"{"arg":{"channel":"positions","uid":"1","instType":"ANY"},"eventType":"event_update","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","posSide":"net","pos":"0","ccy":"USDT","avgPx":"","upl":"","markPx":"91238.7","lever":"10","notionalUsd":"","uTime":"1763600002100"}]}"#;
        assert_eq!(told(closed).unwrap().len(), 2, "both sides of a net position are closed");
        let changed = r#"{"arg":{"channel":"account","uid":"1"},"eventType":"event_update","data":[{"totalEq":"1","details":[{"ccy":"BTC","eq":"0.1","availBal":"0.1","frozenBal":"0","liab":"0","interest":"0","coinUsdPrice":"1","uTime":"1763599990000"}]}]}"#;
        let updates = told(changed).unwrap();
        assert!(
            matches!(&updates[0], Update::Fact(Fact::Entry(Entry::Balance(Balance { asset, .. }))) if asset == "BTC")
        );
    }

    #[test]
    fn refusals_name_their_cause() {
        let refused = r#"{"event":"error","msg":"Invalid apiKey","code":"60005","connId":"9d42e761"}"#;
        let updates = told(refused).unwrap();
        assert!(
            matches!(&updates[0], Update::Signal(Signal::Refused(fault)) if fault.kind == Kind::Auth && fault.cause == Some(Cause::Key))
        );
        assert_eq!(told(r#"{"event":"login","code":"0","msg":""}"#), Ok(vec![Signal::Accepted.into()]));
        let dead = r#"{"event":"channel-conn-count-error","channel":"orders","connCount":"20","connId":"3be80f52"}"#;
        assert!(matches!(&told(dead).unwrap()[0], Update::Signal(Signal::Over(_))));
        assert_eq!(told(r#"{"event":"surprise"}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told("[]").unwrap_err().kind, Kind::Decode);
    }
}
