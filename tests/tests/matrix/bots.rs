//! Bots that are well until a case has them say something else: they post to the real gateway every second, and one is scraped itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use fake_venues::bots::Post;
use fake_venues::stack::Ports;
use fake_venues::stack::prometheus::query;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// What they name when they post.
pub const TOKEN: &str = "a-token-for-the-bots";
/// The one that serves its metrics itself.
pub const SCRAPED: &str = "scraped";
/// The one that knows its account at this venue.
pub const TRADER: &str = "trader";
/// What the exchange says of that account.
const EQUITY: &str = "max(exchange_equity{exchange=\"coinbase\",currency=\"USD\"})";
/// How often they speak, in fast motion.
const CYCLE: Duration = Duration::from_secs(1);

/// Labels as they are written in a case.
pub type Labels<'l> = &'l [(&'l str, &'l str)];

/// All of them.
pub struct Bots {
    /// Where the one that is scraped serves its metrics.
    pub address: SocketAddr,
    said: Arc<Mutex<Said>>,
}

#[derive(Default)]
struct Said {
    /// In every cycle, by bot, and by metric and labels.
    always: BTreeMap<(String, String), Value>,
    once: Vec<Value>,
    mute: BTreeSet<String>,
    /// What the scraped one shows, by series.
    shown: BTreeMap<String, f64>,
    /// By what the trader multiplies its account's value; `None` while it believes what it knew last.
    factor: Option<f64>,
}

type Shared = Arc<Mutex<Said>>;

fn look(said: &Shared) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bots {
    /// They speak from now on, whether the gateway runs or not.
    pub async fn start(ports: Ports) -> Self {
        let said = Shared::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/metrics", get(scrape)).with_state(Arc::clone(&said));
        tokio::spawn(async move { axum::serve(listener, router).await });
        tokio::spawn(speak(ports, Arc::clone(&said)));
        let bots = Self { address, said };
        bots.believe(Some(1.0));
        crate::bot_cases::all_is_well(&bots);
        bots
    }

    /// From now on a bot says this in every cycle: `set`, `add` or `observe`.
    pub fn always(&self, bot: &str, metric: &str, labels: Labels, operation: &str, value: f64) {
        let event = event(bot, metric, labels, operation, value);
        look(&self.said).always.insert((bot.to_owned(), format!("{metric}{labels:?}")), event);
    }

    /// A bot says this no more.
    pub fn never(&self, bot: &str, metric: &str, labels: Labels) {
        look(&self.said).always.remove(&(bot.to_owned(), format!("{metric}{labels:?}")));
    }

    /// A counter rises, once.
    pub fn add(&self, bot: &str, metric: &str, labels: Labels, amount: f64) {
        look(&self.said).once.push(event(bot, metric, labels, "add", amount));
    }

    /// A post that the gateway has to refuse.
    pub fn nonsense(&self) {
        look(&self.said).once.push(json!([{ "metric": "no_such_metric", "set": 1 }]));
    }

    /// A bot says nothing, or speaks again.
    pub fn mute(&self, bot: &str, mute: bool) {
        let mut said = look(&self.said);
        if mute {
            said.mute.insert(bot.to_owned())
        } else {
            said.mute.remove(bot)
        };
    }

    /// What the trader makes of its account's value; without it, it does not look.
    pub fn believe(&self, factor: Option<f64>) {
        look(&self.said).factor = factor;
    }

    /// What the scraped bot shows.
    pub fn show(&self, series: &str, value: f64) {
        look(&self.said).shown.insert(series.to_owned(), value);
    }
}

fn event(bot: &str, metric: &str, labels: Labels, operation: &str, value: f64) -> Value {
    let named = [("bot", bot)];
    let labels: Map<String, Value> =
        named.iter().chain(labels).map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    json!({ "metric": metric, "labels": labels, operation: value })
}

async fn speak(ports: Ports, said: Shared) {
    let post = Post::new(ports.gateway()).with_token(TOKEN);
    loop {
        follow(ports, &said).await;
        let (events, once) = {
            let mut said = look(&said);
            let loud = said.always.iter().filter(|((bot, _), _)| !said.mute.contains(bot));
            (Value::from(loud.map(|(_, event)| event.clone()).collect::<Vec<_>>()), std::mem::take(&mut said.once))
        };
        // While the gateway is away nobody hears them, as it is in life.
        let _ = post.events(&events).await;
        let mut unsaid = Vec::new();
        for event in once {
            // What it refuses is not said again; what it did not hear is.
            if post.events(&event).await.is_err_and(|error| !error.to_string().contains("refused with")) {
                unsaid.push(event);
            }
        }
        look(&said).once.extend(unsaid);
        sleep(CYCLE).await;
    }
}

/// The trader asks what its account is worth, as bots ask their exchange.
async fn follow(ports: Ports, said: &Shared) {
    let Some(factor) = look(said).factor else { return };
    let Ok(worth) = query(ports.prometheus(), EQUITY).await else { return };
    let Some(worth) = worth.first() else { return };
    let labels: Labels = &[("exchange", "coinbase"), ("account", "main")];
    let event = event(TRADER, "trader_account_value_usd", labels, "set", worth.value * factor);
    look(said).always.insert((TRADER.to_owned(), "account".to_owned()), event);
}

async fn scrape(State(said): State<Shared>) -> (StatusCode, String) {
    let said = look(&said);
    if said.mute.contains(SCRAPED) {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    (StatusCode::OK, said.shown.iter().map(|(series, value)| format!("{series} {value}\n")).collect())
}
