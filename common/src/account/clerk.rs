//! Keeps the book: asks over REST, brings up the private streams, and asks again what they stir.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{Instant as Moment, sleep, sleep_until};

use super::book::{Asked, Book, FAILURES};
use super::desk::Desk;
use super::listen::Listeners;
use super::{Ask, Entry, Need, Topic, watch};
use crate::context::Context;
use crate::fault::{Cause, Fault, Kind, Source};
use crate::metrics::health::unix_now;
use crate::update::{Fact, Market, Micros};

/// How long the first comparison of clocks is waited for.
const CLOCK: Duration = Duration::from_secs(5);
/// Events come in bursts; what they stir is asked once for all of them.
const CALM: Duration = Duration::from_millis(300);
/// What is stirred again and again is asked no more often than this.
const RESTLESS: Duration = Duration::from_secs(3);
/// How long a refused key is left alone, at first and at last.
const SHUT_OUT: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(600)];
/// How long a question that was refused for good is left alone.
const REFUSED: Duration = Duration::from_secs(900);
/// Executions are asked for from a little before the last time that we know of.
const OVERLAP: i64 = 60_000_000;

/// What a refresh is about.
enum Scope {
    /// Everything.
    Whole,
    /// What was stirred.
    Some(BTreeSet<Topic>),
}

/// Why a refresh was not complete.
enum Trouble {
    /// Try again later.
    Failed(Fault),
    /// The key must not be used, by the user's own rule.
    Forbidden(String),
}

struct Clerk {
    context: Arc<Context>,
    desk: Arc<Desk>,
    /// When each question with a rhythm of its own is due.
    due: HashMap<String, Instant>,
    /// How often in a row each question has failed; none that was never answered nor refused.
    failures: HashMap<String, u32>,
    /// Executions are complete up to here.
    fills_known: Micros,
    fills_wanted: bool,
    listeners: Listeners,
    tasks: JoinSet<()>,
}

/// Runs until dropped, or until it turns out that the key must not be used: then it returns why.
pub async fn run(context: Arc<Context>, desk: Arc<Desk>) -> String {
    let mut clerk = Clerk::new(context, desk);
    clerk.tasks.spawn_local(watch::secrets(Arc::clone(&clerk.context), Arc::clone(&clerk.desk)));
    clerk.tasks.spawn_local(watch::prices(Arc::clone(&clerk.context), Arc::clone(&clerk.desk)));
    let mut keys = clerk.desk.keys.watch();
    let mut shut_out = SHUT_OUT[0];
    clerk.await_clock().await;
    loop {
        let wait = match clerk.refresh(Scope::Whole).await {
            Ok(()) => {
                shut_out = SHUT_OUT[0];
                clerk.desk.terms.interval
            }
            Err(Trouble::Forbidden(why)) => return why,
            Err(Trouble::Failed(fault)) if matches!(fault.kind, Kind::Auth | Kind::Permission) => {
                let wait = shut_out;
                shut_out = (shut_out * 2).min(SHUT_OUT[1]);
                wait.max(clerk.desk.terms.interval)
            }
            Err(Trouble::Failed(_)) => clerk.desk.terms.interval,
        };
        let until = Moment::now() + wait;
        loop {
            tokio::select! {
                () = sleep_until(until) => break,
                _ = keys.changed() => {
                    clerk.renew();
                    shut_out = SHUT_OUT[0];
                    break;
                }
                () = clerk.desk.rung() => {
                    sleep(CALM).await;
                    let stirred = clerk.desk.take_stirred();
                    clerk.fills_wanted |= stirred.topics.contains(&Topic::Fills);
                    if stirred.whole {
                        break;
                    }
                    // A failure here is counted; the next refresh makes up for it.
                    let _ = clerk.refresh(Scope::Some(stirred.topics)).await;
                    sleep(RESTLESS).await;
                }
            }
        }
    }
}

impl Clerk {
    fn new(context: Arc<Context>, desk: Arc<Desk>) -> Self {
        let fills_known = desk.read(|book| book.ledger.started());
        Self {
            context,
            desk,
            due: HashMap::new(),
            failures: HashMap::new(),
            fills_known,
            fills_wanted: false,
            listeners: Listeners::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Signed requests carry the venue's time, which is being asked for; where it cannot be had ours has to do.
    async fn await_clock(&self) {
        let deadline = Moment::now() + CLOCK;
        while self.context.health.skew().is_none() && Moment::now() < deadline {
            sleep(CALM / 10).await;
        }
    }

    fn asked(&self) -> Asked {
        Asked { instant: Instant::now(), venue: self.context.venue_now() }
    }

    /// Asks what there is to ask. A refresh of the whole counts as success or failure; a partial one as neither.
    async fn refresh(&mut self, scope: Scope) -> Result<(), Trouble> {
        let result = self.ask_around(&scope).await;
        let Scope::Whole = scope else { return result };
        let health = &self.context.health;
        match &result {
            Ok(()) => health.learn(|known| {
                known.config_errors.remove("invalid_credentials");
                known.account_trouble = None;
            }),
            Err(Trouble::Failed(fault)) => {
                if self.desk.read(Book::failed) {
                    tracing::warn!("three account refreshes failed in a row: the account's series leave");
                }
                let counts = self.desk.read(|book| book.counts());
                let refused = matches!(fault.kind, Kind::Auth);
                health.learn(|known| {
                    if refused {
                        known.config_errors.insert("invalid_credentials");
                    }
                    let still = if counts { "the account was not refreshed" } else { "the account is not known" };
                    known.account_trouble = Some(format!("{still}: {fault}"));
                });
            }
            Err(Trouble::Forbidden(_)) => {}
        }
        result
    }

    async fn ask_around(&mut self, scope: &Scope) -> Result<(), Trouble> {
        let began = self.asked();
        let mut sections = BTreeSet::new();
        if matches!(scope, Scope::Whole) {
            let survey = self.desk.account.survey();
            self.ask_all(survey, &mut sections).await.map_err(Trouble::Failed)?;
            self.judge_key()?;
        }
        let view = self.view();
        let mut asks = self.desk.account.asks(&view);
        if let Scope::Some(topics) = scope {
            asks.retain(|ask| topics.contains(&ask.topic));
            for ask in &asks {
                self.due.remove(&ask.section());
            }
        }
        let asked = self.ask_all(asks, &mut sections).await;
        let refused = matches!(&asked, Err(fault) if matches!(fault.kind, Kind::Auth | Kind::Permission));
        if matches!(scope, Scope::Whole) && !refused {
            // Also where not all was answered: what the streams tell need not wait for it.
            self.listeners.settle(&self.context, &*self.desk.account, &self.view());
        }
        asked.map_err(Trouble::Failed)?;
        if matches!(scope, Scope::Whole) {
            self.desk.read(|book| book.refreshed(&sections, began, unix_now()));
        }
        self.ask_fills(began).await.map_err(Trouble::Failed)
    }

    fn view(&self) -> super::View {
        let table = self.context.board.table();
        let spot = table.rows.iter().filter(|row| row.instrument.market == Market::Spot);
        let streamed = spot.map(|row| row.instrument.asked.clone()).collect();
        self.desk.read(|book| book.view(streamed, self.context.venue_now()))
    }

    /// One question after the other; what is refused for good and may be refused goes unread.
    async fn ask_all(&mut self, asks: Vec<Ask>, sections: &mut BTreeSet<String>) -> Result<(), Fault> {
        for ask in asks {
            let section = ask.section();
            sections.insert(section.clone());
            if self.due.get(&section).is_some_and(|due| *due > Instant::now()) {
                continue;
            }
            let asked = self.asked();
            match self.ask(&ask).await {
                Ok(entries) => {
                    self.failures.insert(section.clone(), 0);
                    self.desk.read(|book| book.answer(&section, ask.topic, asked, unix_now(), entries));
                }
                Err(fault) if ask.need == Need::Must || fault.kind == Kind::RateLimit => return Err(fault),
                Err(fault) => {
                    self.goes_unread(&ask, &section, fault)?;
                    continue;
                }
            }
            if let Some(every) = ask.query.every {
                self.due.insert(section, asked.instant + every);
            }
        }
        Ok(())
    }

    /// A part that is refused for good goes unread at once, unless it could be read before; one that fails for other
    /// reasons, or all of a sudden, only after the third time: until then what is known would be less than what is there.
    fn goes_unread(&mut self, ask: &Ask, section: &str, fault: Fault) -> Result<(), Fault> {
        let refused = is_final(&fault);
        let before = if refused { FAILURES } else { 0 };
        let failures = self.failures.entry(section.to_owned()).or_insert(before);
        *failures += 1;
        if *failures < FAILURES {
            return Err(fault);
        }
        self.desk.read(|book| book.unread(section, ask.topic));
        if refused {
            // Asking every time would only annoy; a changed key is asked about at once.
            self.due.insert(section.to_owned(), Instant::now() + REFUSED);
        }
        Ok(())
    }

    async fn ask(&self, ask: &Ask) -> Result<Vec<Entry>, Fault> {
        // While the venue keeps us out there is no refresh: waiting in line would hide that what we know grows old.
        if let Some(wait) = self.context.rest.closed() {
            return Err(Fault::new(
                Kind::RateLimit,
                format!("the venue keeps us out, or others use up its limit, for {} s more", wait.as_secs()),
            ));
        }
        let mut entries = Vec::new();
        let mut take = |fact: Fact<'_>| {
            if let Fact::Entry(entry) = fact {
                entries.push(entry);
            }
        };
        self.context.rest.ask(&ask.query, &mut take).await?;
        Ok(entries)
    }

    /// A key that can move money away is a danger that its owner may not know of.
    fn judge_key(&self) -> Result<(), Trouble> {
        let rights = self.desk.read(|book| book.rights);
        let withdraw = rights.and_then(|rights| rights.withdraw);
        let refuse = self.desk.terms.refuse_withdraw;
        match withdraw {
            Some(true) if refuse => Err(Trouble::Forbidden(
                "this API key may withdraw, which --exchange.refuse-withdraw-key forbids: make a key that may only read"
                    .into(),
            )),
            None if refuse => Err(Trouble::Failed(Fault::new(
                Kind::Permission,
                "the venue does not tell whether this key may withdraw, and --exchange.refuse-withdraw-key demands to know",
            ))),
            Some(true) => {
                self.context.health.learn(|known| {
                    if known.config_warnings.insert("the API key may withdraw: make one that may only read") {
                        tracing::warn!("DANGER: this API key may WITHDRAW. A monitoring key should read and no more: make another one and delete this one");
                    }
                });
                Ok(())
            }
            _ => {
                self.context.health.learn(|known| known.config_warnings.clear());
                Ok(())
            }
        }
    }

    async fn ask_fills(&mut self, began: Asked) -> Result<(), Fault> {
        if self.fills_wanted || !self.desk.account.tells_fills() {
            let since = Micros(self.fills_known.0 - OVERLAP);
            for ask in self.desk.account.fills(since, &self.view()) {
                match self.ask(&ask).await {
                    Ok(entries) => self.desk.read(|book| {
                        for entry in entries {
                            // What is no execution has no place in this answer.
                            let _ = book.fill(entry);
                        }
                    }),
                    Err(fault) if ask.need == Need::May && is_final(&fault) => {}
                    Err(fault) => return Err(fault),
                }
            }
            self.fills_wanted = false;
            self.fills_known = began.venue;
        } else if self.context.health.connected(Source::Private) {
            // The streams tell them as they happen.
            self.fills_known = began.venue;
        }
        Ok(())
    }

    /// The key changed: everything that was learnt with the old one is asked again.
    fn renew(&mut self) {
        tracing::info!("the credentials changed and are in use");
        self.due.clear();
        self.failures.clear();
        self.listeners.hang_up();
    }
}

/// One question that was tried.
#[derive(Debug)]
pub struct Tried {
    /// Its `endpoint` name.
    pub name: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// Whether anything depends on it.
    pub need: Need,
    /// How it went.
    pub result: Result<(), Fault>,
}

/// Asks everything once, whatever fails, and leaves the book as a refresh would.
pub async fn try_once(context: &Arc<Context>, desk: &Arc<Desk>) -> Vec<Tried> {
    let clerk = Clerk::new(Arc::clone(context), Arc::clone(desk));
    let (began, mut sections, mut tried) = (clerk.asked(), BTreeSet::new(), Vec::new());
    let mut asks = desk.account.survey();
    for round in 0..2 {
        for ask in std::mem::take(&mut asks) {
            let (section, asked) = (ask.section(), clerk.asked());
            let result = match clerk.ask(&ask).await {
                Ok(entries) => {
                    desk.read(|book| book.answer(&section, ask.topic, asked, unix_now(), entries));
                    sections.insert(section);
                    Ok(())
                }
                Err(fault) => {
                    desk.read(|book| book.unread(&section, ask.topic));
                    Err(fault)
                }
            };
            tried.push(Tried { name: ask.query.name, topic: ask.topic, need: ask.need, result });
        }
        if round == 0 {
            asks = desk.account.asks(&clerk.view());
        }
    }
    if tried.iter().all(|one| one.need == Need::May || one.result.is_ok()) {
        desk.read(|book| book.refreshed(&sections, began, unix_now()));
    }
    tried
}

/// Refused for good rather than for now.
fn is_final(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::Permission | Kind::Auth) || fault.cause == Some(Cause::Unserved)
}
