//! Keeps one connection of a stream for ever: dials, backs off, dials again, and changes lines without a gap where a
//! change is planned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep_until;

use super::backoff::Backoff;
use super::line::{Cargo, Line, News};
use super::session::End;
use crate::context::Context;
use crate::fault::{Kind, Source};
use crate::metrics::health::{LineState, Standing, unix_now};

/// Where the door is shut, knocking sooner would only annoy.
const SHUT_OUT: Duration = Duration::from_secs(60);

struct Keeper {
    context: Arc<Context>,
    number: usize,
    source: Source,
    cargo: watch::Receiver<Cargo>,
    /// The line that carries the data.
    current: Option<Line>,
    /// The line that is coming up.
    next: Option<Line>,
    /// When to dial.
    dial_at: Option<Instant>,
    backoff: Backoff,
    live_since: Option<Instant>,
}

/// Runs until dropped. Its cargo may change at any time; then it changes lines.
pub async fn keep(context: Arc<Context>, number: usize, cargo: watch::Receiver<Cargo>) {
    let source = cargo.borrow().source;
    let mut keeper = Keeper {
        context,
        number,
        source,
        cargo,
        current: None,
        next: None,
        dial_at: Some(Instant::now()),
        backoff: Backoff::default(),
        live_since: None,
    };
    while keeper.step().await {}
}

async fn news(line: &mut Option<Line>) -> News {
    match line {
        // A line tells its end before it goes; without one the task was dropped with the runtime.
        Some(line) => match line.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

impl Keeper {
    /// Waits for one thing to happen; false when the cargo's owner is gone.
    async fn step(&mut self) -> bool {
        let dial_at = self.dial_at;
        let rings = async {
            match dial_at {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = news(&mut self.current) => self.on_current(told),
            told = news(&mut self.next) => self.on_next(told),
            changed = self.cargo.changed() => {
                if changed.is_err() {
                    return false;
                }
                if self.current.is_some() {
                    self.context.health.reconnect(self.source, "symbols");
                }
                self.dial();
            }
            () = rings => self.dial(),
        }
        true
    }

    fn dial(&mut self) {
        self.dial_at = None;
        let cargo = self.cargo.borrow_and_update().clone();
        if self.current.is_none() {
            self.stands(Standing::Dialling);
        }
        self.drop_next();
        self.next = Some(Line::start(&self.context, cargo));
    }

    fn on_current(&mut self, told: News) {
        match told {
            News::Open | News::Live => {}
            News::Move(reason) => {
                self.context.health.reconnect(self.source, reason);
                if self.next.is_none() {
                    self.dial();
                }
            }
            News::End(end) => {
                self.current = None;
                self.context.health.reconnect(self.source, end.reason());
                let lived = self.live_since.take().map_or(Duration::ZERO, |since| since.elapsed());
                self.failed(&end, lived);
            }
        }
    }

    fn on_next(&mut self, told: News) {
        match told {
            News::Open => {
                if self.current.is_none() {
                    self.stands(Standing::Opening);
                }
            }
            News::Live => {
                let line = self.next.take();
                if let (Some(old), Some(new)) = (&self.current, &line) {
                    old.hold.bequeath(&new.hold);
                }
                self.current = line;
                self.live_since = Some(Instant::now());
                self.stands(Standing::Live);
                if let (Source::Private, Some(desk)) = (self.source, &self.context.desk) {
                    desk.connected();
                }
            }
            // It is new and has to go already: the venue restarts. Another one at once would meet the same.
            News::Move(_) => {}
            News::End(end) => {
                self.drop_next();
                self.failed(&end, Duration::ZERO);
            }
        }
    }

    /// What it said in its short life stays true: the line that it was to follow listened all along.
    fn drop_next(&mut self) {
        if let (Some(current), Some(next)) = (&self.current, self.next.take()) {
            next.hold.bequeath(&current.hold);
        }
    }

    /// Notes what went wrong and sets the time of the next dial, unless a line is coming up already.
    fn failed(&mut self, end: &End, lived: Duration) {
        self.context.health.fault(self.source, &end.fault);
        if self.next.is_none() {
            let least = match end.fault.kind {
                Kind::Auth | Kind::Permission => SHUT_OUT,
                _ => Duration::ZERO,
            };
            let wait = self.backoff.after(lived, rand::random()).max(end.fault.wait.unwrap_or(least));
            self.dial_at = Some(Instant::now() + wait);
        }
        if self.current.is_none() {
            let why = if self.next.is_some() { Standing::Dialling } else { Standing::Waiting(end.fault.to_string()) };
            self.stands(why);
        }
    }

    fn stands(&self, standing: Standing) {
        let symbols = self.cargo.borrow().rows.len();
        let host = self.context.stream_host(self.source);
        let state = LineState { source: self.source, standing, since: unix_now(), symbols, host };
        self.context.health.line(self.number, state);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.context.health.line_gone(self.source, self.number);
    }
}
