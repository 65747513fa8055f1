//! Drives one websocket: carries frames between the wire and the session, and lets the faults in.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::fault::{Fate, Fault, Garbage};
use crate::garbage::nonsense;
use crate::ledger::Entry;
use crate::protocol::{Action, Desk, Heard, Session};
use crate::record::Way;
use crate::world::{World, true_now};

/// Deadlines, faults and market data are looked at this often.
const BEAT: Duration = Duration::from_millis(20);
/// A client that does not read for this long is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a conversation ended.
type End = String;

pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<TcpStream>,
    pub(crate) session: Box<dyn Session>,
    pub(crate) world: Arc<World>,
    /// Its place in `Seen::connections`.
    pub(crate) id: usize,
    pub(crate) fate: Fate,
    pub(crate) faults: Vec<Fault>,
    pub(crate) close_at: Option<Instant>,
    pub(crate) garbage: usize,
    /// Came just as the connection went deaf; heard when it hears again.
    pub(crate) unheard: Option<Result<Message, Error>>,
}

impl Socket {
    /// Speaks until either side ends it.
    pub(crate) async fn run(mut self) {
        let end = match self.converse().await {
            Ok(end) | Err(end) => end,
        };
        self.note_end(end);
    }

    /// The first end counts: what follows a close frame is only its echo.
    fn note_end(&self, end: End) {
        self.world.record.lock().ended(self.id, std::time::Instant::now());
        let mut seen = self.world.seen.lock();
        let connection = &mut seen.connections[self.id];
        connection.closed_at.get_or_insert_with(true_now);
        connection.end.get_or_insert(end);
    }

    async fn converse(&mut self) -> Result<End, End> {
        let opened = Instant::now();
        let mut beat = interval(BEAT.min(self.world.options.tick));
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let deaf = self.faults.contains(&Fault::Deaf);
            let frame = match self.unheard.take_if(|_| !deaf) {
                Some(frame) => Some(Some(frame)),
                None => tokio::select! {
                    frame = self.stream.next(), if !deaf => Some(frame),
                    _ = beat.tick() => None,
                },
            };
            let (faults, events) = self.fate.now(&self.world.faults.lock());
            self.faults = faults;
            for event in events {
                if let Some(end) = self.suffer(event).await? {
                    return Ok(end);
                }
            }
            if self.faults.contains(&Fault::Deaf) {
                if let Some(frame) = frame {
                    self.unheard = frame;
                }
                continue;
            }
            let ended = match frame {
                Some(frame) => self.hear(frame).await?,
                None => self.turn(opened).await?,
            };
            if let Some(end) = ended {
                return Ok(end);
            }
        }
    }

    async fn hear(&mut self, frame: Option<Result<Message, Error>>) -> Result<Option<End>, End> {
        let message = match frame {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(format!("the client broke off: {error}")),
            None => return Err("the client is gone".to_owned()),
        };
        let heard = match &message {
            Message::Text(text) => Heard::Text(text),
            Message::Binary(_) => Heard::Binary,
            Message::Ping(_) => Heard::Ping,
            Message::Pong(payload) => Heard::Pong(payload),
            Message::Close(_) | Message::Frame(_) => return Ok(Some("the client closed".to_owned())),
        };
        if let Heard::Text(text) = &heard {
            self.world.confided.lock().frame(text);
        }
        let mut desk = desk(&self.world, &self.faults);
        self.session.heard(heard, &mut desk);
        let outcome = outcome(desk);
        {
            let mut seen = self.world.seen.lock();
            let connection = &mut seen.connections[self.id];
            connection.heard += 1;
            connection.subscriptions = self.session.subscriptions();
            connection.private |= self.session.is_private();
            self.world.record.lock().subscribed(self.id, &connection.subscriptions);
        }
        if self.session.is_private() {
            self.world.record.lock().turned_private(self.id);
            self.fate.turn_private(&mut self.world.faults.lock());
        }
        self.act(outcome).await
    }

    async fn turn(&mut self, opened: Instant) -> Result<Option<End>, End> {
        let lifetime = self
            .faults
            .iter()
            .find_map(|fault| if let Fault::Lifetime { ms } = fault { Some(Duration::from_millis(*ms)) } else { None });
        let lifetime = lifetime.or(self.world.times.lifetime);
        if lifetime.is_some_and(|lifetime| opened.elapsed() >= lifetime) {
            return self.close(1001, "connection lifetime").await.map(Some);
        }
        if self.close_at.is_some_and(|at| at <= Instant::now()) {
            return self.close(1001, "service upgrade").await.map(Some);
        }
        let mut desk = desk(&self.world, &self.faults);
        self.session.turn(&mut desk);
        let outcome = outcome(desk);
        self.act(outcome).await
    }

    /// Lets an event happen; `Some` when it ends the connection.
    async fn suffer(&mut self, event: Fault) -> Result<Option<End>, End> {
        match event {
            Fault::Close => return self.close(1001, "closed on demand").await.map(Some),
            Fault::Drop => {
                self.note_end("dropped on demand".to_owned());
                // The error, if any, is that the client was faster.
                let _ = self.stream.get_mut().shutdown().await;
                return Ok(Some("dropped on demand".to_owned()));
            }
            Fault::Reset => {
                self.note_end("reset on demand".to_owned());
                let _ = self.stream.get_ref().set_zero_linger();
                return Ok(Some("reset on demand".to_owned()));
            }
            Fault::Shutdown { ms } => {
                self.close_at = Some(Instant::now() + ms.map_or(self.world.times.notice, Duration::from_millis));
                let mut desk = desk(&self.world, &self.faults);
                self.session.announce(&mut desk);
                let outcome = outcome(desk);
                return self.act(outcome).await;
            }
            Fault::SkipSequence { by } => self.session.skip(by),
            _ => {}
        }
        Ok(None)
    }

    /// Sends what the session had to say; `Some` when that was the end.
    async fn act(&mut self, outcome: Outcome) -> Result<Option<End>, End> {
        if let Some(step) = outcome.caught_up {
            self.world.seen.lock().connections[self.id].caught_up = step;
        }
        if outcome.told.is_some() {
            self.world.seen.lock().connections[self.id].told = outcome.told;
        }
        if !outcome.violations.is_empty() {
            self.world.seen.lock().connections[self.id].violations.extend(outcome.violations);
        }
        if outcome.actions.is_empty() {
            return Ok(None);
        }
        for action in outcome.actions {
            match action {
                Action::Say(text) => self.feed(self.worded(text)).await?,
                Action::Ping(payload) => self.feed(Message::Ping(payload.into())).await?,
                Action::Data { text, entries } => self.push(text, entries).await?,
                Action::Close(code, reason) => return self.close(code, reason).await.map(Some),
            }
        }
        self.patiently(WebSocketStream::flush).await?;
        Ok(None)
    }

    async fn push(&mut self, text: String, entries: Vec<(String, Entry)>) -> Result<(), End> {
        if let Some(kind) = self.next_garbage() {
            let symbol = entries.first().map_or("", |(symbol, _)| symbol);
            // What tells of the account names no symbol here.
            let kind = if symbol.is_empty() && kind == Garbage::UnknownSymbol { Garbage::UnknownEvent } else { kind };
            self.feed(nonsense(kind, &text, symbol)).await?;
        }
        self.record(&entries);
        // Noted before it is sent: a client can never hold a value that the ledger lacks.
        for (symbol, entry) in entries {
            self.world.streamed.lock().entry(symbol).or_default().update(entry);
        }
        self.world.seen.lock().connections[self.id].sent += 1;
        self.feed(self.worded(text)).await
    }

    fn record(&self, entries: &[(String, Entry)]) {
        let (mut record, now) = (self.world.record.lock(), std::time::Instant::now());
        record.spoke(self.id, None, now);
        for (symbol, entry) in entries {
            record.spoke(self.id, Some(symbol), now);
            record.said(Way::Stream, symbol, entry, now);
        }
    }

    fn worded(&self, text: String) -> Message {
        self.world.sampler.lock().take(&text);
        if self.session.is_binary() { Message::binary(text) } else { Message::text(text) }
    }

    fn next_garbage(&mut self) -> Option<Garbage> {
        let kind = self
            .faults
            .iter()
            .find_map(|fault| if let Fault::Garbage { kind } = fault { Some(*kind) } else { None })?;
        self.garbage += 1;
        Some(kind.unwrap_or(Garbage::SURVIVABLE[self.garbage % Garbage::SURVIVABLE.len()]))
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        self.patiently(async |stream| stream.feed(message).await).await
    }

    async fn patiently(
        &mut self,
        send: impl AsyncFnOnce(&mut WebSocketStream<TcpStream>) -> Result<(), Error>,
    ) -> Result<(), End> {
        match timeout(PATIENCE, send(&mut self.stream)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("the client broke off: {error}")),
            Err(_) => Err("the client does not read".to_owned()),
        }
    }

    /// Closes properly and gives the client a second to agree.
    async fn close(&mut self, code: u16, reason: &'static str) -> Result<End, End> {
        let end = format!("{code} {reason}");
        self.note_end(end.clone());
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        self.patiently(async |stream| stream.close(Some(frame)).await).await?;
        let farewell = async { while let Some(Ok(_)) = self.stream.next().await {} };
        // Either way it is over.
        let _ = timeout(Duration::from_secs(1), farewell).await;
        Ok(end)
    }
}

/// A desk without its borrows.
struct Outcome {
    actions: Vec<Action>,
    violations: Vec<String>,
    caught_up: Option<u64>,
    told: Option<u64>,
}

fn desk<'a>(world: &'a World, faults: &'a [Fault]) -> Desk<'a> {
    Desk {
        world,
        now: Instant::now(),
        faults,
        actions: Vec::new(),
        violations: Vec::new(),
        caught_up: None,
        told: None,
    }
}

fn outcome(desk: Desk<'_>) -> Outcome {
    Outcome { actions: desk.actions, violations: desk.violations, caught_up: desk.caught_up, told: desk.told }
}
