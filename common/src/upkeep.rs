//! Keeps up with the venue: what it lists, whether it is up, how far its clock is from ours, and as many connections as
//! the chosen symbols need.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::context::Context;
use crate::fault::{Fault, Kind, Source};
use crate::metrics::board::{Row, Table};
use crate::metrics::health::unix_now;
use crate::symbols::{Chosen, Ranked, Selection, choose, rank, spread};
use crate::update::{Fact, Instrument};
use crate::websocket::backoff::Backoff;
use crate::websocket::keeper::keep;
use crate::websocket::line::Cargo;

/// How often the venue's clock is compared.
const CLOCK: Duration = Duration::from_secs(300);
/// How often the venue is asked whether it is up.
const STATUS: Duration = Duration::from_secs(60);
/// How often to look whether a venue that trades nothing has opened again.
const CLOSED: Duration = Duration::from_secs(60);
/// How soon an upkeep question that failed is asked again.
const AGAIN: Duration = Duration::from_secs(30);

/// Everything the venue lists, most traded first.
pub async fn take_stock(context: &Context) -> Result<Vec<Ranked>, Fault> {
    let mut listed: Vec<Arc<Instrument>> = Vec::new();
    context
        .rest
        .ask(&context.venue.instruments(), &mut |fact| {
            if let Fact::Instrument(one) = fact {
                listed.push(Arc::new(one));
            }
        })
        .await?;
    // Without an account there is nothing to value.
    let valued = context.desk.is_some();
    if valued {
        context.quotes.list(&listed);
    }
    let mut quotes = context.quotes.collect();
    let mut figures: HashMap<String, (f64, f64)> = HashMap::new();
    context
        .rest
        .ask(&context.venue.tickers(), &mut |fact| {
            if let Fact::Ticker(ticker) | Fact::Seed(ticker) = fact {
                quotes.say(&ticker, unix_now());
                let known = |said: crate::number::Said| said.number().unwrap_or(0.0);
                figures.insert(ticker.symbol.to_owned(), (known(ticker.volume_quote), known(ticker.last)));
            }
        })
        .await?;
    if valued {
        context.quotes.replace(quotes);
    }
    if listed.is_empty() {
        return Err(Fault::protocol("the venue's list is empty"));
    }
    if context.venue.status().is_none() {
        let up = listed.iter().any(|one| one.trading);
        context.health.learn(|known| known.up = Some(up));
    }
    Ok(rank(listed, &figures))
}

/// Runs until dropped: the lists, and the connections that they call for.
pub async fn run(context: Arc<Context>, selection: Selection, every: Duration) {
    let mut tasks = JoinSet::new();
    tasks.spawn_local(compare_clocks(Arc::clone(&context)));
    tasks.spawn_local(watch_status(Arc::clone(&context)));
    let mut lines = Lines { context: Arc::clone(&context), kept: Vec::new(), tasks: JoinSet::new() };
    let mut backoff = Backoff::default();
    loop {
        let wait = match take_stock(&context).await {
            Ok(ranked) => {
                backoff = Backoff::default();
                let before = context.board.table().rows.iter().map(|row| row.symbol.clone()).collect();
                let chosen = choose(&selection, &ranked, &before);
                lines.apply(&chosen);
                // A venue at work on itself may halt everything for an hour; be there when it opens.
                let wait = if chosen.wanted.is_empty() { every.min(CLOSED) } else { every };
                wait.mul_f64(0.9 + 0.1 * rand::random::<f64>())
            }
            Err(fault) => {
                let reason = format!("the venue's list cannot be had: {fault}");
                context.health.learn(|known| {
                    // An old list goes on serving.
                    if known.listed_at.is_none() {
                        known.no_list = Some(reason);
                    }
                });
                backoff.after(Duration::ZERO, rand::random()).max(fault.wait.unwrap_or_default())
            }
        };
        sleep(wait).await;
    }
}

async fn compare_clocks(context: Arc<Context>) {
    loop {
        let measured = context.rest.measure_clock().await;
        if measured.is_err() {
            // Either clock may have been set since the last time.
            context.health.learn(|known| known.skew = None);
        }
        sleep(if measured.is_ok() { CLOCK } else { AGAIN }).await;
    }
}

async fn watch_status(context: Arc<Context>) {
    let Some(query) = context.venue.status() else { return };
    loop {
        // A venue that says it is down for work is noted by the REST client; any other failure tells nothing.
        let asked = context.rest.ask(&query, &mut |_| {}).await;
        if asked.is_err_and(|fault| fault.kind != Kind::Maintenance) {
            context.health.learn(|known| known.up = None);
        }
        sleep(STATUS).await;
    }
}

/// One connection that is kept.
struct Kept {
    cargo: watch::Sender<Cargo>,
    task: AbortHandle,
}

/// The connections of the public stream.
struct Lines {
    context: Arc<Context>,
    kept: Vec<Kept>,
    tasks: JoinSet<()>,
}

impl Lines {
    /// Makes rows and connections those of a choice.
    fn apply(&mut self, chosen: &Chosen) {
        let context = Arc::clone(&self.context);
        report(&context, chosen);
        let table = context.board.set(chosen);
        let old: Vec<_> = self.kept.iter().map(|line| line.cargo.borrow().instruments.clone()).collect();
        let spread = spread(&chosen.wanted, chosen.pilot.as_ref(), context.about.symbols_per_line, &old);
        if spread.len() != old.len() {
            let (lines, symbols) = (spread.len(), chosen.wanted.len());
            let at_most = context.about.symbols_per_line;
            tracing::info!(connections = lines, symbols, at_most, "symbols spread over connections");
        }
        for line in self.kept.drain(spread.len().min(old.len())..) {
            line.task.abort();
        }
        while self.tasks.try_join_next().is_some() {}
        for (number, instruments) in spread.into_iter().enumerate() {
            match self.kept.get(number) {
                Some(_) if old.get(number) == Some(&instruments) => {}
                Some(line) => {
                    line.cargo.send_replace(load(&context, &table, instruments));
                }
                None => {
                    let (cargo, receive) = watch::channel(load(&context, &table, instruments));
                    let task = self.tasks.spawn_local(keep(Arc::clone(&context), number, receive));
                    self.kept.push(Kept { cargo, task });
                }
            }
        }
        context.health.learn(|known| {
            known.no_list = chosen.wanted.is_empty().then(|| "none of the symbols asked for trades now".into());
            known.listed_at = Some(unix_now());
        });
    }
}

/// What a connection over these instruments carries.
pub fn load(context: &Context, table: &Table, instruments: Vec<Arc<Instrument>>) -> Cargo {
    let asked: HashSet<&str> = instruments.iter().map(|one| one.asked.as_str()).collect();
    let wanted = |row: &&Arc<Row>| asked.contains(row.instrument.asked.as_str());
    let rows = table.rows.iter().filter(wanted).cloned().collect();
    let feed = context.venue.feed(instruments.clone()).into();
    Cargo { feed, instruments, rows, source: Source::Public }
}

/// Says what changed, and what was asked for and can't be had.
fn report(context: &Context, chosen: &Chosen) {
    let table = context.board.table();
    let before: BTreeSet<&str> = table.rows.iter().map(|row| row.symbol.as_str()).collect();
    let symbols: Vec<String> = chosen.wanted.iter().map(|one| one.symbol()).collect();
    let now: BTreeSet<&str> = symbols.iter().map(String::as_str).collect();
    if before.is_empty() {
        tracing::info!(symbols = now.len(), rejected = chosen.rejected.len(), "symbols chosen");
    } else if before != now {
        let names = |set: Vec<&&str>| set.into_iter().take(20).copied().collect::<Vec<_>>().join(",");
        let (added, gone) = (now.difference(&before).collect(), before.difference(&now).collect());
        tracing::info!(added = names(added), gone = names(gone), "symbols changed");
    }
    for one in chosen.rejected.iter().filter(|one| !table.rejected.contains(one)) {
        tracing::warn!(symbol = one.name, "symbol not streamed: {}", one.why);
    }
    let unknown = chosen.rejected.iter().any(|one| one.unknown);
    context.health.learn(|known| {
        if unknown {
            known.config_errors.insert("unknown_symbol");
        } else {
            known.config_errors.remove("unknown_symbol");
        }
    });
}
