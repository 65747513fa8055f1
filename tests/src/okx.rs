//! OKX v5: the public websocket, and where the others are.

mod frames;
mod news;
mod private;
mod rest;
mod rows;
mod signed;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

pub use frames::{bbo_frame, ticker_frame};

use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::limiter::{Limit, Tally};
use crate::options::Times;
use crate::protocol::{Desk, Heard, Protocol, Session, object};
use crate::streams::Streams;
use crate::world::{World, true_now};

/// Subscribe, unsubscribe and login requests of one connection.
const REQUESTS: Limit = Limit::per_millis(480, 3_600_000);
const ARGS_BYTES: usize = 64 * 1024;

pub(crate) struct Okx;

impl Protocol for Okx {
    fn dials(&self) -> Limit {
        Limit::per_millis(3, 1_000)
    }

    fn connect(&self, world: &World, request: &Request) -> Result<Box<dyn Session>, Reply> {
        match request.path.as_str() {
            "/ws/v5/public" => Ok(Box::new(Public::new())),
            "/ws/v5/private" => Ok(Box::new(private::Private::new(world))),
            _ => Err(Reply::text(404, "")),
        }
    }

    fn rest(&self, world: &World, request: &Request) -> Reply {
        rest::answer(world, request)
    }

    fn is_private(&self, _world: &World, request: &Request) -> bool {
        request.path == "/ws/v5/private" || is_signed(&request.path)
    }

    fn limited(&self, how: Limited) -> Reply {
        match how {
            Limited::Plain => Reply::json(429, &json!({"msg": "Too Many Requests", "code": "50011"})),
            Limited::Other => Reply::json(
                200,
                &json!({"code": "50011", "msg": "Rate limit reached. Please refer to API documentation and throttle requests accordingly.", "data": []}),
            ),
            Limited::Banned => Reply::html(403, "403 Forbidden"),
        }
    }
}

/// Whether a REST path needs a signature.
fn is_signed(path: &str) -> bool {
    ["account", "asset", "trade", "finance"].iter().any(|group| path.starts_with(&format!("/api/v5/{group}/")))
}

/// What can be subscribed without a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    Tickers,
    Bbo,
}

impl Channel {
    const fn name(self) -> &'static str {
        match self {
            Self::Tickers => "tickers",
            Self::Bbo => "bbo-tbt",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Tickers, Self::Bbo].into_iter().find(|channel| channel.name() == name)
    }
}

impl crate::streams::Channel for Channel {
    fn every(self, times: &Times) -> Duration {
        match self {
            Self::Tickers => times.ticker,
            Self::Bbo => times.ticker / 10,
        }
    }
}

struct Public {
    connection: String,
    streams: Streams<Channel>,
    /// The `status` channel, and whether it last said that there is maintenance.
    status: Option<bool>,
    requests: Tally,
    /// When the server last sent anything: that is what its idle rule looks at.
    spoke: Instant,
}

impl Public {
    fn new() -> Self {
        let connection = format!("{:08x}", true_now() as u32);
        Self { connection, streams: Streams::new(), status: None, requests: Tally::default(), spoke: Instant::now() }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let request = object(text);
        let id = request.as_ref().and_then(|request| request.get("id"));
        let Some(request) = &request else { return self.malformed(None, text, desk) };
        let Some(args) = request["args"].as_array().filter(|args| !args.is_empty()) else {
            return self.malformed(id, text, desk);
        };
        if id.is_some_and(|id| !is_id(id)) {
            return self.malformed(None, text, desk);
        }
        if self.requests.count(REQUESTS, 1, desk.now).is_none() {
            desk.violation("more than 480 requests in an hour");
            return self.error(id, "60014", "Requests too frequent", desk);
        }
        if request["args"].to_string().len() > ARGS_BYTES {
            desk.violation("args over 64 KB");
            return desk.close(1009, "Request message exceeds the maximum frame length");
        }
        match request["op"].as_str() {
            Some(op @ ("subscribe" | "unsubscribe")) => args.iter().for_each(|arg| self.turn_on(op, arg, id, desk)),
            Some("login") => self.error(id, "60008", "The current WebSocket endpoint does not support login.", desk),
            op => {
                desk.violation(format!("unknown op {op:?}"));
                self.error(id, "60019", &format!("Invalid op: {{\"op\": {}}}", request["op"]), desk);
            }
        }
    }

    /// Each arg has an answer of its own; a bad one does not hurt its neighbours.
    fn turn_on(&mut self, op: &str, arg: &Value, id: Option<&Value>, desk: &mut Desk<'_>) {
        let (name, symbol) = (arg["channel"].as_str().unwrap_or_default(), arg["instId"].as_str());
        let channel = Channel::named(name);
        match (channel, symbol) {
            (Some(channel), Some(symbol)) if desk.knows(symbol) => {
                if op == "subscribe" {
                    self.streams.add(channel, symbol, 0, desk.now);
                } else {
                    self.streams.remove(channel, symbol);
                }
            }
            (None, None) if name == "status" && !desk.rejects("") => self.status = (op == "subscribe").then_some(false),
            _ => return self.unknown(name, symbol, id, desk),
        }
        let mut answer = json!({"event": op, "arg": arg, "connId": self.connection});
        echo(&mut answer, id);
        desk.acknowledge(answer);
    }

    fn unknown(&self, channel: &str, symbol: Option<&str>, id: Option<&Value>, desk: &mut Desk<'_>) {
        let what =
            symbol.map_or_else(|| format!("channel:{channel}"), |symbol| format!("channel:{channel},instId:{symbol}"));
        let message = format!(
            "Subscribe failed, wrong URL or {what} doesn't exist. Please use the correct URL, channel and parameters referring to API document."
        );
        desk.violation(format!("60018 {what}"));
        self.error(id, "60018", &message, desk);
    }

    fn malformed(&self, id: Option<&Value>, text: &str, desk: &mut Desk<'_>) {
        desk.violation(format!("60012 {text}"));
        self.error(id, "60012", &format!("Invalid request: {text}"), desk);
    }

    fn error(&self, id: Option<&Value>, code: &str, message: &str, desk: &mut Desk<'_>) {
        let mut answer = json!({"event": "error", "code": code, "msg": message, "connId": self.connection});
        echo(&mut answer, id);
        desk.acknowledge(answer);
    }

    fn push_status(&mut self, desk: &mut Desk<'_>) {
        let Some(told) = self.status else { return };
        let maintenance = desk.suffers(&Fault::Maintenance);
        if told != maintenance {
            self.status = Some(maintenance);
            let now = desk.world.now();
            let mut row = rest::upgrade(now, if maintenance { "ongoing" } else { "completed" });
            row["ts"] = now.to_string().into();
            desk.say(json!({"arg": {"channel": "status"}, "data": [row]}));
        }
    }
}

impl Session for Public {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        match frame {
            Heard::Text("ping") => desk.say("pong"),
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => self.malformed(None, "", desk),
            Heard::Ping | Heard::Pong(_) => {}
        }
        if !desk.actions.is_empty() {
            self.spoke = desk.now;
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        self.push_status(desk);
        for (channel, quote) in desk.due(&mut self.streams) {
            let (text, entry) = match channel {
                Channel::Tickers => (ticker_frame(&quote), frames::ticker_entry(&quote)),
                Channel::Bbo => (bbo_frame(&quote), frames::bbo_entry(&quote)),
            };
            desk.data(text, &quote.symbol, entry);
        }
        if !desk.actions.is_empty() {
            self.spoke = desk.now;
        } else if desk.now - self.spoke >= desk.world.times.idle {
            desk.violation("nothing was pushed and no ping came within the idle time");
            desk.close(4004, "No data received in 30s.");
        }
    }

    fn announce(&mut self, desk: &mut Desk<'_>) {
        let message = "The connection will soon be closed for a service upgrade. Please reconnect.";
        desk.say(json!({"event": "notice", "code": "64008", "msg": message, "connId": self.connection}));
    }

    fn subscriptions(&self) -> Vec<String> {
        let status = self.status.map(|_| "status".to_owned());
        self.streams.iter().map(|(channel, symbol)| format!("{}:{symbol}", channel.name())).chain(status).collect()
    }
}

/// At most 32 letters and digits.
fn is_id(id: &Value) -> bool {
    id.as_str().is_some_and(|id| id.len() <= 32 && id.chars().all(|letter| letter.is_ascii_alphanumeric()))
}

fn echo(answer: &mut Value, id: Option<&Value>) {
    if let Some(id) = id {
        answer["id"] = id.clone();
    }
}
