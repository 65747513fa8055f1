//! A plain websocket and HTTP client.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails where its client does")]

pub mod binance;
pub mod busiest;
pub mod bybit;
pub mod coinbase;
pub mod kucoin;
pub mod okx;
pub mod sign;

use std::time::{Duration, Instant};

use fake_venues::{Fake, Fixed, Options, Times, Venue, start};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything that is expected to happen takes on a machine that has other things to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A fake venue on a free port, with a lively market.
pub fn fake(venue: Venue) -> Fake {
    fake_with(venue, |_| {})
}

/// The same with other time constants than the documented ones.
pub fn fake_with(venue: Venue, change: impl FnOnce(&mut Times)) -> Fake {
    let mut times = Times::documented(venue);
    change(&mut times);
    let options = Options { tick: Duration::from_millis(10), times: Some(times), ..Options::default() };
    start(venue, options).expect("a free port")
}

/// One websocket.
pub struct Client(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub async fn dial(fake: &Fake, path: &str) -> Self {
        Self::try_dial(fake, path).await.expect("the handshake succeeds")
    }

    pub async fn try_dial(fake: &Fake, path: &str) -> Result<Self, Error> {
        Ok(Self(connect_async(fake.ws_url() + path).await?.0))
    }

    pub async fn say(&mut self, text: impl ToString) {
        self.0.send(Message::text(text.to_string())).await.expect("the socket takes text");
    }

    /// The next frame of any kind; `None` at the end of the connection.
    pub async fn frame(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something happens in time")
    }

    /// The next text.
    pub async fn text(&mut self) -> String {
        loop {
            match self.frame().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected text, got {other:?}"),
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("JSON")
    }

    /// The next JSON for which `wanted` holds.
    pub async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let value = self.json().await;
            if wanted(&value) {
                return value;
            }
        }
    }

    /// Reads on until the connection ends: the close code, 1006 without a close frame.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Some(Ok(Message::Close(frame))) => return frame.map_or(1005, |frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 1006,
            }
        }
    }

    /// Whether no text comes for `time`.
    pub async fn quiet(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while let Ok(frame) = tokio::time::timeout(until.saturating_duration_since(Instant::now()), self.0.next()).await
        {
            match frame {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return false,
            }
        }
        true
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

pub async fn get(fake: &Fake, target: &str) -> Answer {
    request(fake, "GET", target, "").await
}

/// One request on a connection of its own, byte by byte as it goes over the wire.
pub async fn request(fake: &Fake, method: &str, target: &str, body: &str) -> Answer {
    request_with(fake, method, target, &[], body).await
}

/// The same with headers.
pub async fn request_with(fake: &Fake, method: &str, target: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(fake.address()).await.expect("it listens");
    let (length, host) = (body.len(), fake.address());
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request =
        format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut bytes = Vec::new();
    // A reset is an answer, too: an empty one.
    let _ = tokio::time::timeout(PATIENCE, read_answer(&mut stream, &mut bytes)).await.expect("an answer in time");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

async fn read_answer(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    while stream.read_buf(bytes).await? > 0 {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| bytes.len() >= head.len() + 4 + length) {
            break;
        }
    }
    Ok(())
}

/// What has to happen within a venue's window of time to show anything: tried anew, with a fake of its own, where this machine
/// was too slow for it.
pub async fn within(window: Duration, scenario: impl AsyncFn() -> Result<(), String>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let began = Instant::now();
        let Err(problem) = scenario().await else { return };
        assert!(began.elapsed() >= window && began < deadline, "{problem}");
    }
}

/// Whether the clock's minute, in which weights are counted, is still the one of `then`.
pub fn same_minute(then: i64) -> bool {
    sign::now() / 60_000 == then / 60_000
}

/// A decimal number.
pub fn number(text: &str) -> Fixed {
    text.parse().expect("a decimal number")
}

/// The decimal number in a field of text.
pub fn said(row: &Value, field: &str) -> Fixed {
    number(row[field].as_str().unwrap_or_else(|| panic!("{field} in {row}")))
}
