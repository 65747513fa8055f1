//! What was sent, and what was seen.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::fixed::Fixed;

/// The last values sent for one symbol, as the text that was sent. `None`: never sent; `""`: the venue said that there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Entry {
    /// Last trade.
    pub last: Option<String>,
    /// Best bid.
    pub bid: Option<String>,
    /// Best ask.
    pub ask: Option<String>,
    /// 24 h volume in base currency.
    pub base_volume: Option<String>,
    /// 24 h volume in quote currency.
    pub quote_volume: Option<String>,
    /// 24 h high.
    pub high: Option<String>,
    /// 24 h low.
    pub low: Option<String>,
    /// Price 24 h ago.
    pub open: Option<String>,
    /// 24 h change as the venue sends it: ratio or per cent.
    pub change: Option<String>,
    /// The same as a ratio, computed from the texts that were sent.
    pub change_ratio: Option<f64>,
    /// How often anything was sent.
    pub frames: u64,
}

impl Entry {
    /// Takes over all that a newer entry says, and keeps the rest.
    pub(crate) fn update(&mut self, newer: Self) {
        let pairs = [
            (&mut self.last, newer.last),
            (&mut self.bid, newer.bid),
            (&mut self.ask, newer.ask),
            (&mut self.base_volume, newer.base_volume),
            (&mut self.quote_volume, newer.quote_volume),
            (&mut self.high, newer.high),
            (&mut self.low, newer.low),
            (&mut self.open, newer.open),
            (&mut self.change, newer.change),
        ];
        for (old, new) in pairs.into_iter().filter(|(_, new)| new.is_some()) {
            *old = new;
        }
        self.change_ratio = newer.change_ratio.or(self.change_ratio);
        self.frames += 1;
    }
}

/// A number as most venues send it: the text, or `""` where there is none.
pub(crate) fn text(number: Option<Fixed>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

const MOST_ASKED: usize = 10_000;

/// Everything the fake saw.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Seen {
    /// Every websocket, in the order of dialling.
    pub connections: Vec<Connection>,
    /// REST requests by path.
    pub requests: BTreeMap<String, u64>,
    /// The last ten thousand REST requests in order.
    #[serde(skip)]
    pub asked: VecDeque<Asked>,
    /// What clients did wrong over REST.
    pub violations: Vec<String>,
}

/// One REST request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When, in Unix milliseconds.
    pub at: u64,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// What came after the question mark.
    pub query: String,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
}

impl Seen {
    /// Websockets open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.connections.iter().filter(|connection| connection.closed_at.is_none()).count()
    }

    /// Notes a REST request.
    pub(crate) fn note(&mut self, asked: Asked) {
        self.asked.push_back(asked);
        if self.asked.len() > MOST_ASKED {
            self.asked.pop_front();
        }
    }

    /// All that clients did wrong, on any connection.
    pub fn all_violations(&self) -> impl Iterator<Item = &str> {
        let sockets = self.connections.iter().flat_map(|connection| &connection.violations);
        sockets.chain(&self.violations).map(String::as_str)
    }
}

/// One websocket.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Connection {
    /// The path it was opened with, without tokens.
    pub path: String,
    /// When it was dialled, in Unix milliseconds.
    pub dialled_at: u64,
    /// When it ended.
    pub closed_at: Option<u64>,
    /// Why it ended.
    pub end: Option<String>,
    /// Whether it is about the account.
    pub private: bool,
    /// What it is subscribed to, in the venue's words.
    pub subscriptions: Vec<String>,
    /// Frames that the client sent, control frames included.
    pub heard: u64,
    /// Frames that carried market data.
    pub sent: u64,
    /// What the client did wrong.
    pub violations: Vec<String>,
    /// The step of the market up to which everything is sent.
    #[serde(skip)]
    pub(crate) caught_up: u64,
    /// A private one: the number of the event up to which it was told everything.
    #[serde(skip)]
    pub(crate) told: Option<u64>,
}
