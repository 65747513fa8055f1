//! The running gateway: everything about a post but HTTP.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::metrics::health::{lock, unix_now};
use serde_json::value::RawValue;

use crate::catalogue::{Catalogue, Webhook};
use crate::event::{Body, Event, Fields};
use crate::ids::Claim;
use crate::rate::Rate;
use crate::refusal::{Reason, Refusal};
use crate::state::{Dormant, Saved};
use crate::store::{Applied, Bounds, Now, Staged, Store};

/// Refusals that the status page shows.
const RECENT: usize = 10;
/// Bots that are told of; the longest silent makes room.
const BOTS: usize = 200;
/// One line in the log per reason in so long.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// A refusal as the status page shows it.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Unix seconds.
    pub at: f64,
    /// What the sender was told.
    pub refusal: Refusal,
}

/// What was heard of a bot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// Unix seconds of the last event.
    pub at: f64,
    /// Events since the start.
    pub events: u64,
}

/// Everything under one lock: a batch is all of it or none.
#[derive(Debug)]
pub struct Inner {
    /// The series.
    pub store: Store,
    /// Saved series of families that are not declared today.
    pub dormant: Dormant,
    /// By name; who gives none is the empty one.
    pub bots: BTreeMap<String, Heard>,
    /// The last refusals, newest first.
    pub recent: VecDeque<Recent>,
    rate: Rate,
    logged: BTreeMap<Reason, Instant>,
    changes: u64,
}

/// How the gateway is doing, besides what is under the lock.
#[derive(Debug, Default)]
pub struct Own {
    /// Events applied.
    pub applied: AtomicU64,
    /// Events that had been applied before.
    pub repeated: AtomicU64,
    /// By reason, in the order of [`Reason::ALL`].
    pub refused: [AtomicU64; Reason::ALL.len()],
    /// The web configuration changed and cannot be used.
    pub web_broken: AtomicBool,
    /// The file of tokens changed and cannot be used.
    pub tokens_broken: AtomicBool,
    /// The state could not be written.
    pub state_broken: AtomicBool,
    /// The start found a state that it could not use.
    pub state_lost: AtomicBool,
    /// When the state was last written, in Unix seconds.
    pub saved_at: AtomicU64,
}

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    /// What may be said.
    pub catalogue: Arc<Catalogue>,
    /// How it is doing.
    pub own: Own,
    inner: Mutex<Inner>,
    start: Instant,
}

impl Gateway {
    /// Without any series.
    pub fn new(catalogue: Arc<Catalogue>, bounds: Bounds, rate: u32) -> Self {
        let inner = Inner {
            store: Store::new(Arc::clone(&catalogue), bounds),
            dormant: Dormant::default(),
            bots: BTreeMap::new(),
            recent: VecDeque::new(),
            rate: Rate::new(rate),
            logged: BTreeMap::new(),
            changes: 0,
        };
        Self { catalogue, own: Own::default(), inner: Mutex::new(inner), start: Instant::now() }
    }

    /// By both clocks.
    pub fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Now { running: self.start.elapsed(), unix }
    }

    /// Takes up a saved state; what it could not take up, one line each.
    pub fn restore(&self, saved: Saved) -> Vec<String> {
        let now = self.now();
        let mut inner = lock(&self.inner);
        let (dormant, lost) = saved.restore(&mut inner.store, now.unix);
        inner.dormant = dormant;
        lost
    }

    /// A body of events.
    pub fn post(&self, body: &[u8]) -> Result<Applied, Refusal> {
        let body = Body::read(body)?;
        let mut batch = Vec::with_capacity(body.events.len());
        for (at, raw) in body.events.iter().enumerate() {
            batch.push(self.staged(raw).map_err(|refusal| refusal.within(&body.place(at)))?);
        }
        self.apply(&batch).map_err(|(at, refusal)| match at {
            Some(at) => refusal.within(&body.place(at)),
            None => refusal,
        })
    }

    fn staged(&self, raw: &RawValue) -> Result<Staged, Refusal> {
        let event = Event::read(raw)?;
        let change = self.catalogue.check(&event)?;
        let claim = event.id.as_ref().map(|id| Claim::new(id, std::slice::from_ref(&event)));
        Ok(Staged { changes: vec![change], claim })
    }

    /// The object of a webhook, or an array of them.
    pub fn hook(&self, webhook: &Webhook, body: &[u8]) -> Result<Applied, Refusal> {
        let body = Body::read(body)?;
        let mut batch = Vec::with_capacity(body.events.len());
        for (at, raw) in body.events.iter().enumerate() {
            batch.push(self.hooked(webhook, raw).map_err(|refusal| refusal.within(&body.place(at)))?);
        }
        self.apply(&batch).map_err(|(at, refusal)| match at {
            Some(at) => refusal.within(&body.place(at)),
            None => refusal,
        })
    }

    fn hooked(&self, webhook: &Webhook, raw: &RawValue) -> Result<Staged, Refusal> {
        let fields = Fields::read(raw)?;
        let (events, id) = webhook.events(&fields)?;
        let changes = events.iter().map(|event| self.catalogue.check(event)).collect::<Result<_, _>>()?;
        Ok(Staged { changes, claim: id.map(|id| Claim::new(&id, &events)) })
    }

    /// Where something is wrong with one of them, its place comes with the refusal.
    fn apply(&self, batch: &[Staged]) -> Result<Applied, (Option<usize>, Refusal)> {
        let now = self.now();
        let mut inner = lock(&self.inner);
        if let Err(wait) = inner.rate.take(batch.len(), now.running) {
            let why = format!("too many events: --events.rate-limit allows no more; try again in {wait} s");
            return Err((None, Refusal { retry: Some(wait), ..Refusal::new(Reason::Rate, why) }));
        }
        let told = inner.store.apply(batch, now).map_err(|(at, refusal)| (Some(at), refusal))?;
        self.own.applied.fetch_add(told.applied as u64, Ordering::Relaxed);
        self.own.repeated.fetch_add(told.repeated as u64, Ordering::Relaxed);
        inner.changes += told.applied as u64;
        let at = unix_now();
        for change in batch.iter().flat_map(|staged| &staged.changes) {
            let bot = change.labels.first().map_or("", |bot| bot);
            match inner.bots.get_mut(bot) {
                Some(heard) => *heard = Heard { at, events: heard.events + 1 },
                None => drop(inner.bots.insert(bot.to_owned(), Heard { at, events: 1 })),
            }
        }
        while inner.bots.len() > BOTS {
            let oldest = inner.bots.iter().min_by(|a, b| a.1.at.total_cmp(&b.1.at)).map(|(name, _)| name.clone());
            inner.bots.remove(&oldest.unwrap_or_default());
        }
        Ok(told)
    }

    /// Counts a refusal, shows it, and logs it unless its like was logged within the minute.
    pub fn refused(&self, refusal: &Refusal) {
        if let Some(at) = Reason::ALL.iter().position(|reason| *reason == refusal.reason)
            && let Some(count) = self.own.refused.get(at)
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut inner = lock(&self.inner);
        inner.recent.push_front(Recent { at: unix_now(), refusal: refusal.clone() });
        inner.recent.truncate(RECENT);
        let now = Instant::now();
        if inner.logged.get(&refusal.reason).is_some_and(|at| now.duration_since(*at) < LOG_EVERY) {
            return;
        }
        inner.logged.insert(refusal.reason, now);
        drop(inner);
        tracing::warn!(reason = refusal.reason.as_str(), "refused: {refusal}");
    }

    /// What has to be done from time to time: stale gauges and old ids leave.
    pub fn tick(&self) {
        lock(&self.inner).store.expire(self.now());
    }

    /// Notes every figure for this minute.
    pub fn sample(&self, minute: u64) {
        lock(&self.inner).store.sample(minute);
    }

    /// The state to save, with the number of changes that are in it; nothing where none came since.
    pub fn state(&self, since: u64) -> Option<(u64, Saved)> {
        let inner = lock(&self.inner);
        (inner.changes > since).then(|| (inner.changes, Saved::of(&inner.store, &inner.dormant)))
    }

    /// The state as it is.
    pub fn whole_state(&self) -> Saved {
        let inner = lock(&self.inner);
        Saved::of(&inner.store, &inner.dormant)
    }

    /// Looks at what there is, stale gauges left out.
    pub fn look<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        let mut inner = lock(&self.inner);
        inner.store.expire(self.now());
        look(&inner)
    }

    /// What is wrong, though it goes on.
    pub fn complaints(&self) -> Vec<String> {
        let told = [
            (
                &self.own.web_broken,
                "the web configuration changed and cannot be used; the last good one goes on, see the log",
            ),
            (&self.own.tokens_broken, "the file of tokens changed and cannot be used; those before go on, see the log"),
            (&self.own.state_broken, "the state file cannot be written: a restart would lose counts, see the log"),
            (&self.own.state_lost, "the start found a state file that it could not use and set it aside, see the log"),
        ];
        told.iter().filter(|(flag, _)| flag.load(Ordering::Relaxed)).map(|(_, told)| (*told).to_owned()).collect()
    }
}
