//! Keeps up with the venue: what it lists, whether it is up, how far its clock is from ours, and as many connections as
//! the chosen symbols need.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::context::Context;
use crate::fault::Fault;
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
    let mut figures: HashMap<String, (f64, f64)> = HashMap::new();
    context
        .rest
        .ask(&context.venue.tickers(), &mut |fact| {
            if let Fact::Ticker(ticker) | Fact::Seed(ticker) = fact {
                let known = |said: crate::number::Said| said.number().unwrap_or(0.0);
                figures.insert(ticker.symbol.to_owned(), (known(ticker.volume_quote), known(ticker.last)));
            }
        })
        .await?;
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
    let mut lines = Lines { context: Arc::clone(&context), keepers: JoinSet::new(), cargoes: Vec::new() };
    let mut backoff = Backoff::default();
    loop {
        let wait = match take_stock(&context).await {
            Ok(ranked) => {
                backoff = Backoff::default();
                let before: BTreeSet<String> =
                    context.board.table().rows.iter().map(|row| row.symbol.clone()).collect();
                lines.apply(&choose(&selection, &ranked, &before), &before);
                every.mul_f64(0.9 + 0.1 * rand::random::<f64>())
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
        sleep(if measured.is_ok() { CLOCK } else { AGAIN }).await;
    }
}

async fn watch_status(context: Arc<Context>) {
    let Some(query) = context.venue.status() else { return };
    loop {
        // A refusal is counted, and a venue down for work is noted, by the REST client.
        let _ = context.rest.ask(&query, &mut |_| {}).await;
        sleep(STATUS).await;
    }
}

/// The connections of the public stream.
struct Lines {
    context: Arc<Context>,
    keepers: JoinSet<()>,
    cargoes: Vec<watch::Sender<Cargo>>,
}

impl Lines {
    /// Makes rows and connections those of a choice.
    fn apply(&mut self, chosen: &Chosen, before: &BTreeSet<String>) {
        let context = Arc::clone(&self.context);
        let table = context.board.set(chosen);
        report(&context, chosen, before);
        let old: Vec<_> = self.cargoes.iter().map(|cargo| cargo.borrow().instruments.clone()).collect();
        let spread = spread(&chosen.wanted, chosen.pilot.as_ref(), context.about.symbols_per_line, &old);
        if spread.len() != old.len() {
            let (lines, symbols) = (spread.len(), chosen.wanted.len());
            tracing::info!(
                connections = lines,
                symbols,
                at_most = context.about.symbols_per_line,
                "symbols spread over connections"
            );
        }
        for (number, instruments) in spread.into_iter().enumerate() {
            match self.cargoes.get(number) {
                Some(_) if old.get(number) == Some(&instruments) => {}
                Some(cargo) => {
                    cargo.send_replace(load(&context, &table, instruments));
                }
                None => {
                    let (send, receive) = watch::channel(load(&context, &table, instruments));
                    self.cargoes.push(send);
                    self.keepers.spawn_local(keep(Arc::clone(&context), number, receive));
                }
            }
        }
        context.health.learn(|known| {
            known.no_list = None;
            known.listed_at = Some(unix_now());
        });
    }
}

/// What a connection over these instruments carries.
pub fn load(context: &Context, table: &Table, instruments: Vec<Arc<Instrument>>) -> Cargo {
    let asked: HashSet<&str> = instruments.iter().map(|one| one.asked.as_str()).collect();
    let wanted = |row: &&Arc<Row>| asked.contains(row.instrument.asked.as_str());
    let rows = table.rows.iter().filter(wanted).cloned().collect();
    Cargo { feed: context.venue.feed(instruments.clone()).into(), instruments, rows }
}

/// Says what changed, and what was asked for and can't be had.
fn report(context: &Context, chosen: &Chosen, before: &BTreeSet<String>) {
    let now: BTreeSet<String> = chosen.wanted.iter().map(|one| one.symbol()).collect();
    if before.is_empty() {
        tracing::info!(symbols = now.len(), rejected = chosen.rejected.len(), "symbols chosen");
    } else {
        let names = |set: Vec<&String>| set.iter().take(20).map(|name| name.as_str()).collect::<Vec<_>>().join(",");
        let (added, gone): (Vec<_>, Vec<_>) = (now.difference(before).collect(), before.difference(&now).collect());
        if !added.is_empty() || !gone.is_empty() {
            tracing::info!(added = names(added), gone = names(gone), "symbols changed");
        }
    }
    let known_before = context.health.known().config_errors.contains("unknown_symbol");
    let unknown = chosen.rejected.iter().any(|one| one.unknown);
    for one in chosen.rejected.iter().filter(|_| !known_before) {
        tracing::warn!(symbol = one.name, "symbol not streamed: {}", one.why);
    }
    context.health.learn(|known| {
        if unknown {
            known.config_errors.insert("unknown_symbol");
        } else {
            known.config_errors.remove("unknown_symbol");
        }
    });
}
