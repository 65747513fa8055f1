//! All that runs: five fake venues and the bots in this process, the real exporters and the gateway, Prometheus and Alertmanager with the
//! repository's files in fast motion, and the hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fake_venues::account::Category;
use fake_venues::stack::prometheus::{Sample, query};
use fake_venues::stack::{
    Endpoint, Ports, PrometheusSetup, Scratch, Signal, Suite, VENUES, build, get, repository, until_ready,
};
use fake_venues::{Fake, Options, Venue, start};
use serde_json::{Value, json};

use crate::bots::{Bots, SCRAPED, TOKEN};
use crate::compress::{Speed, read};
use crate::hook::Hook;

/// Twenty times as fast. Exporters are scraped once a second, so a rate needs five to be one.
pub const SPEED: Speed =
    Speed { factor: 20, shortest: Duration::from_secs(1), shortest_window: Duration::from_secs(5) };

/// What is not a duration and has to shrink all the same: numbers of seconds, as the durations do, and numbers of changes that two minutes
/// of scrapes show, 24 at most in truth and five here. The exporters' own times are what flags can make of them: the account is
/// refreshed every 3 s, not 30, and a silent stream is dead after 2 s, not 15. A refresh takes its time on a busy machine, so the
/// age of the account is divided by ten only. Six hours without a transfer would be longer than the run, also when divided.
const NUMBERS: [(&str, &str, &str); 9] = [
    ("ExchangeAccountStale", "> 300", "> 30"),
    ("ExchangeAuthFailing", "time() - 120", "time() - 6"),
    ("ExchangePriceStale", "silence_seconds:current > 120", "silence_seconds:current > 6"),
    ("ExchangePriceStale", "/ 120 > 30", "/ 6 > 6"),
    ("ExchangePriceStale", "avg1h_changes2m >= 5", "avg1h_changes2m >= 4"),
    ("ExchangePriceStale", "changes2m > 2", "changes2m > 0"),
    ("BotSilent", "> 300", "> 15"),
    ("BotAgentDown", "< 300", "< 15"),
    ("bot:bot_cascade_transfers:increase6h", "1080000ms", "30000ms"),
];

/// For servers to start on a busy machine.
const START: Duration = Duration::from_secs(120);

/// The stage.
pub struct Stage {
    pub hook: Hook,
    pub fakes: Vec<Fake>,
    suite: Mutex<Suite>,
    pub ports: Ports,
    pub bots: Bots,
    keys: PathBuf,
    // Fields are dropped in order: the files go last.
    _scratch: Scratch,
}

impl Stage {
    /// Starts everything and waits until it is ready.
    pub async fn set() -> Self {
        let scratch = Scratch::new("alerts-matrix").unwrap();
        let hook = Hook::start().await;
        let fakes: Vec<Fake> = Venue::ALL.into_iter().map(venue).collect();
        let ports = Ports::free().unwrap();
        let suite = Mutex::new(Suite::new(ports, &build().unwrap()).unwrap());
        let keys = scratch.path().join("keys");
        fs::create_dir(&keys).unwrap();
        let bots = Bots::start(ports).await;
        let stage = Self { hook, fakes, suite, ports, bots, keys, _scratch: scratch };
        stage.write_token(TOKEN);
        stage.start_gateway();
        stage.suite().add_target("bots", &stage.bots.address.to_string(), &[("bot", SCRAPED)]).unwrap();
        for venue in Venue::ALL {
            let key = stage.fake(venue).key();
            stage.write_secret(venue, &key.secret);
            fs::write(stage.key_file(venue, "id"), key.id).unwrap();
            fs::write(stage.key_file(venue, "passphrase"), key.passphrase).unwrap();
            stage.start_exporter(venue);
        }
        // Before Prometheus looks, so that the start is no outage.
        stage.ready().await;
        let flags = vec![
            // Five minutes in fast motion.
            format!("--query.lookback-delta={}", SPEED.short("5m")),
            format!("--rules.alert.resend-delay={}", SPEED.short("1m")),
        ];
        let config = stage.alertmanager_config();
        assert!(stage.suite().start_alertmanager_with(&config).unwrap(), "no Alertmanager");
        let setup = PrometheusSetup { rewrite: Some(Box::new(faster)), flags };
        assert!(stage.suite().start_prometheus_with(&setup).unwrap(), "no Prometheus");
        stage.ready().await;
        stage
    }

    #[expect(clippy::await_holding_lock, reason = "nobody else is here yet")]
    async fn ready(&self) {
        assert_eq!(until_ready(&mut self.suite(), START, |_| ()).await.unwrap(), []);
    }

    fn suite(&self) -> MutexGuard<'_, Suite> {
        self.suite.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fake(&self, venue: Venue) -> &Fake {
        self.fakes.iter().find(|fake| fake.venue() == venue).unwrap()
    }

    fn key_file(&self, venue: Venue, part: &str) -> PathBuf {
        self.keys.join(format!("{}_{part}", venue.name()))
    }

    /// Another secret for an exporter that runs: it looks at its files every few seconds.
    pub fn write_secret(&self, venue: Venue, secret: &str) {
        fs::write(self.key_file(venue, "secret"), secret).unwrap();
    }

    /// Starts a venue's exporter, for the first time or again.
    pub fn start_exporter(&self, venue: Venue) {
        self.start_exporter_with(venue, symbols(venue));
    }

    /// The same with other symbols.
    pub fn start_exporter_with(&self, venue: Venue, symbols: &str) {
        let fake = self.fake(venue);
        let endpoint = Endpoint { venue: venue.name().to_owned(), rest: fake.rest_url(), ws: fake.ws_url() };
        let one = VENUES.into_iter().find(|one| one.name == venue.name()).unwrap();
        let change = |command: &mut Command| {
            for part in ["KEY", "SECRET", "PASSPHRASE"] {
                command.env_remove(format!("{}API_{part}", one.env_prefix));
            }
            let has_passphrase = matches!(venue, Venue::Kucoin | Venue::Okx);
            let parts = [("KEY", "id"), ("SECRET", "secret"), ("PASSPHRASE", "passphrase")];
            for (part, file) in parts.iter().filter(|(part, _)| has_passphrase || *part != "PASSPHRASE") {
                command.env(format!("{}API_{part}_FILE", one.env_prefix), self.key_file(venue, file));
            }
            command.args([
                &format!("--exchange.symbols={symbols}"),
                "--exchange.account=main",
                "--exchange.account-interval=3s",
                "--exchange.rate-limit-share=0.5",
                "--exchange.symbols-interval=5s",
                "--exchange.data-timeout=2s",
            ]);
        };
        self.suite().start_exporter(one, Some(&endpoint), change).unwrap();
    }

    /// Ends a venue's exporter as a crash would.
    pub fn kill_exporter(&self, venue: Venue) {
        self.suite().process(&format!("{}-exporter", venue.name())).unwrap().kill();
    }

    /// What the bots have to name; the gateway looks at the file every few seconds.
    pub fn write_token(&self, token: &str) {
        fs::write(self.keys.join("bots_token"), token).unwrap();
    }

    /// Starts the gateway, for the first time or again.
    pub fn start_gateway(&self) {
        let change = |command: &mut Command| {
            command.args([
                format!("--events.token-file={}", self.keys.join("bots_token").display()),
                format!("--events.stale-after={}", SPEED.short("5m")),
                "--state.interval=1s".to_owned(),
            ]);
        };
        self.suite().start_gateway_with(change).unwrap();
    }

    /// Ends the gateway, which writes its state.
    pub fn stop_gateway(&self) {
        self.suite().process("bot-exporter").unwrap().signal(Signal::TERM);
    }

    /// Lets something lie where the gateway's state file has to be, or takes it away.
    pub fn bar_state_file(&self, barred: bool) {
        let file = self.suite().prometheus_folder().with_file_name("bot-state");
        if barred {
            let _ = fs::remove_file(&file);
            fs::create_dir_all(file.join("not-empty")).unwrap();
        } else {
            fs::remove_dir_all(file).unwrap();
        }
    }

    /// Takes a venue's exporter from the list of targets, or puts it back.
    pub fn list_target(&self, venue: Venue, listed: bool) {
        let file = self.suite().prometheus_folder().join(format!("targets/{}-exporter/suite.yml", venue.name()));
        let away = file.with_extension("away");
        let (from, to) = if listed { (&away, &file) } else { (&file, &away) };
        fs::rename(from, to).unwrap();
    }

    /// What an expression gives now.
    pub async fn ask(&self, expression: &str) -> Vec<Sample> {
        // A machine that is busy may not answer in time: the next question will be.
        query(self.ports.prometheus(), expression).await.unwrap_or_default()
    }

    /// The one number that an expression gives now.
    pub async fn number(&self, expression: &str) -> Option<f64> {
        self.ask(expression).await.first().map(|sample| sample.value)
    }

    /// Labels of all alerts that Prometheus knows: pending, firing, or kept firing.
    pub async fn active(&self) -> Vec<Value> {
        let answer = get(self.ports.prometheus(), "/api/v1/alerts").await;
        let answer: Value = answer.ok().and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default();
        answer["data"]["alerts"].as_array().cloned().unwrap_or_default()
    }

    /// Labels of all alerts that Alertmanager keeps back because of others.
    pub async fn inhibited(&self) -> Vec<Value> {
        let path = "/api/v2/alerts?active=false&silenced=false&unprocessed=false&inhibited=true";
        let answer = get(self.ports.alertmanager(), path).await;
        let answer: Value = answer.ok().and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default();
        answer.as_array().into_iter().flatten().map(|alert| alert["labels"].clone()).collect()
    }

    /// The repository's configuration with its routes and inhibitions, faster, and with every receiver the hook.
    fn alertmanager_config(&self) -> PathBuf {
        let folder = repository().join("alertmanager");
        let mut config = SPEED.file(&read(&fs::read_to_string(folder.join("alertmanager.yml")).unwrap()), &[]);
        config["templates"] = json!([folder.join("templates/*.tmpl")]);
        for receiver in config["receivers"].as_array_mut().into_iter().flatten() {
            let url = format!("http://{}/{}", self.hook.address, receiver["name"].as_str().unwrap());
            *receiver = json!({"name": receiver["name"], "webhook_configs": [{"url": url, "send_resolved": true}]});
        }
        let path = self.keys.join("alertmanager.yml");
        fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// The last lines of a server, for a test that fails.
    pub fn logs(&self, server: &str) -> String {
        let mut suite = self.suite();
        suite.process(server).map(|process| process.log_tail(12)).unwrap_or_default()
    }
}

fn faster(_: &Path, text: &str) -> String {
    SPEED.file(&read(text), &NUMBERS).to_string()
}

/// What is streamed: little, as it costs the machine that runs this; a pair that tells what USDT is worth; and one symbol that
/// never trades, on every venue, for as long as all this runs. It must not alert.
pub fn symbols(venue: Venue) -> &'static str {
    match venue {
        // ADAUSD is nowhere else: it comes and goes.
        Venue::Coinbase => "BTCUSD,ETHUSD,SOLUSD,ADAUSD,USDTUSD,ICXUSD",
        _ => "BTCUSDT,ETHUSDT,SOLUSDT,USDCUSDT,ICXUSDT",
    }
}

/// A venue with an account that nothing is wrong with: its key is bound, all assets have a price, no position is open.
fn venue(venue: Venue) -> Fake {
    let fake = start(venue, Options { tick: Duration::from_millis(200), ..Options::default() }).unwrap();
    fake.change_key(|key| key.addresses = Some(vec!["203.0.113.7".to_owned()]));
    let unpriced = fake
        .books()
        .wallets
        .iter()
        .find_map(|(wallet, assets)| assets.get("AIRDROP").map(|money| (wallet.clone(), money.free)));
    if let Some((wallet, amount)) = unpriced {
        fake.withdraw(&wallet, "AIRDROP", amount).unwrap();
    }
    for position in fake.books().positions {
        fake.close_position(position.category, &position.symbol).unwrap();
    }
    let books = fake.books();
    for order in books.open_orders().filter(|order| order.category != Category::Spot) {
        fake.cancel(&order.id).unwrap();
    }
    fake
}

mod tests {
    use super::*;
    use fake_venues::stack::{find_tool, have_tools};

    /// Every file of rules and alerts survives, by Prometheus's own judgement, and every number that is to change is found.
    #[test]
    fn the_repositorys_rules_can_be_played_faster() {
        let scratch = Scratch::new("faster").unwrap();
        let mut changed = Vec::new();
        for folder in ["rules", "alerts"] {
            for file in fs::read_dir(repository().join("prometheus").join(folder)).unwrap() {
                let path = file.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                let target = scratch.path().join(format!("{folder}-{}", path.file_name().unwrap().display()));
                fs::write(&target, faster(&path, &text)).unwrap();
                let alerts = NUMBERS.iter().map(|(name, ..)| *name);
                let stands =
                    |name: &&str| ["alert", "record"].iter().any(|kind| text.contains(&format!("{kind}: {name}\n")));
                changed.extend(alerts.filter(stands));
                if have_tools(&["promtool"]).unwrap() {
                    let check = ["check", "rules"].map(Path::new);
                    let output =
                        Command::new(find_tool("promtool").unwrap()).args(check).arg(&target).output().unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
            }
        }
        assert_eq!(changed.len(), NUMBERS.len(), "{changed:?}");
    }
}
