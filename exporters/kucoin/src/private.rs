//! KuCoin's private streams of a classic account: one for spot and margin, one for futures, each behind a token of its own.
//! They tell events only; what was before is asked over REST.
//!
//! Source: <https://www.kucoin.com/docs-new/websocket-api/base-info/introduction>.

use common::{Endpoint, Fault, Feed, Kind, Market, Micros, Request, Signal, Step, Tell, Update};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::account::{FUTURES, SPOT};
use crate::rows::{BalanceEvent, OrderEvent};
use crate::{futures, market};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Spot,
    Futures,
}

impl Place {
    fn topics(self) -> &'static [&'static str] {
        match self {
            Place::Spot => &["/account/balance", "/spotMarket/tradeOrdersV2"],
            Place::Futures => &["/contractMarket/tradeOrders", "/contractAccount/wallet", "/contract/positionAll"],
        }
    }
}

pub struct Events {
    place: Place,
    /// Where to dial instead of where the ticket says.
    base: Option<String>,
}

impl Events {
    pub fn new(place: Place, base: Option<String>) -> Self {
        Self { place, base }
    }
}

impl Feed for Events {
    fn name(&self) -> &'static str {
        match self.place {
            Place::Spot => "spot",
            Place::Futures => crate::futures::WALLET,
        }
    }

    fn ticket(&self) -> Option<Request> {
        let request = Request::post("/api/v1/bullet-private").weight(10).signed();
        Some(match self.place {
            Place::Spot => request.pool(SPOT),
            Place::Futures => request.pool(FUTURES).futures(),
        })
    }

    fn endpoint(&self, ticket: &str) -> Result<Endpoint, Fault> {
        market::endpoint(ticket, self.base.as_deref())
    }

    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        let subscribe = |topic: &&str| {
            serde_json::json!({ "id": topic, "type": "subscribe", "topic": topic, "privateChannel": true, "response": true })
                .to_string()
        };
        let say: Vec<String> = self.place.topics().iter().map(subscribe).collect();
        let answers = say.len();
        // Nothing may be said before the welcome.
        Ok(vec![Step { say: Vec::new(), answers: 1 }, Step { say, answers }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let message: Message<'f> = serde_json::from_str(frame)?;
        match (message.kind.as_str(), message.data) {
            ("message", Some(data)) => event(&message.topic, &message.subject, data.get(), tell)?,
            ("welcome" | "ack", _) => tell(Signal::Accepted.into()),
            ("pong", _) => tell(Signal::Pong.into()),
            ("error", data) => self.refusal(message.code, data.map_or("", |data| data.get()), tell),
            ("notice" | "command", _) => {}
            (other, _) => return Err(Fault::protocol(format!("unknown type {:?}", common::excerpt(other)))),
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Message<'f> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    code: i64,
    #[serde(borrow)]
    data: Option<&'f RawValue>,
}

impl Events {
    fn refusal(&self, code: i64, words: &str, tell: Tell<'_, '_>) {
        let kind = match code {
            403 => Kind::Permission,
            509 => Kind::RateLimit,
            _ => Kind::Venue,
        };
        let fault = Fault::new(kind, format!("{code} {}", common::excerpt(words)));
        match (code, self.place) {
            // The next dial asks for another token.
            (401, _) => {
                tell(Signal::Refused(fault.clone()).into());
                tell(Signal::Over(fault).into());
            }
            // A site without futures, or an address that leads to the spot market: then there is nothing to hear.
            (404, Place::Futures) => {
                tell(Update::Misread(fault));
                tell(Signal::Accepted.into());
            }
            _ => tell(Signal::Refused(fault).into()),
        }
    }
}

fn event<'f>(topic: &str, subject: &str, data: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    match topic.split(':').next().unwrap_or(topic) {
        "/account/balance" => serde_json::from_str::<BalanceEvent>(data)?.tell(tell),
        "/spotMarket/tradeOrdersV2" | "/spotMarket/tradeOrders" => {
            serde_json::from_str::<OrderEvent>(data)?.tell(|_| Market::Spot, tell)
        }
        "/contractMarket/tradeOrders" => serde_json::from_str::<OrderEvent>(data)?.tell(futures::market, tell),
        // The others are parts of this one, and deprecated.
        "/contractAccount/wallet" if subject == "walletBalance.change" => {
            serde_json::from_str::<futures::WalletEvent>(data)?.tell(tell);
        }
        "/contract/positionAll" | "/contract/position" if subject == "position.change" => {
            futures::position_event(data, tell)?;
        }
        "/contractAccount/wallet" | "/contract/positionAll" | "/contract/position" => {}
        other => return Err(Fault::protocol(format!("unknown topic {:?}", common::excerpt(other)))),
    }
    Ok(())
}

#[cfg(test)]
#[path = "private_tests.rs"]
mod tests;
