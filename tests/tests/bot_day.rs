//! The bots' day: all that the catalogue knows is told, nothing gets lost or doubled, and what bots claim is what the exchange tells,
//! unless they lie.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use fake_venues::bots::{Day, Plan, Post, Seat, Trouble};
use fake_venues::inspect::exposition::Exposition;
use fake_venues::stack::{Endpoint, Ports, Signal, Suite, VENUES, build, get, repository, until_ready};
use fake_venues::{Fake, Options, Venue, start};
use serde_json::Value;
use tokio::time::sleep;

/// For what should happen soon; under load it may take long, and that proves nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// A gateway, fake venues on whose accounts only bots trade, and the day.
struct Stage {
    suite: Suite,
    fakes: Vec<Fake>,
    day: Day,
}

impl Stage {
    async fn set(venues: &[Venue], options: Options) -> Self {
        let fakes: Vec<Fake> = venues.iter().map(|venue| start(*venue, options.clone()).unwrap()).collect();
        let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
        suite.start_gateway().unwrap();
        ready(&mut suite).await;
        let seat =
            |fake: &Fake| Seat { venue: fake.venue(), account: Some("main".into()), port: fake.address().port() };
        let day = Day::new(Plan {
            seed: 7,
            cycles: 48,
            gateway: Post::new(suite.ports().gateway()),
            seats: fakes.iter().map(seat).collect(),
            main: 0,
        });
        Self { suite, fakes, day }
    }

    async fn told(&self) -> Exposition {
        scrape(self.suite.ports().gateway()).await
    }
}

async fn ready(suite: &mut Suite) {
    assert_eq!(until_ready(suite, PATIENCE, |_| ()).await.unwrap(), []);
}

async fn scrape(port: u16) -> Exposition {
    let text = get(port, "/metrics").await.unwrap().body;
    Exposition::text(&text).unwrap_or_else(|problem| panic!("{problem}\n{text}"))
}

/// The families that the catalogues declare, read as text.
fn declared() -> BTreeSet<String> {
    let folder = repository().join("exporters/bot/catalogue");
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let names = |text: String| {
        let name = |line: &str| Some(line.strip_prefix("[family.")?.strip_suffix(']')?.to_owned());
        text.lines().filter_map(name).collect::<Vec<_>>()
    };
    files.flat_map(names).collect()
}

#[tokio::test]
async fn every_family_of_the_catalogue_is_told() {
    let mut stage = Stage::set(&[Venue::Okx, Venue::Coinbase], Options::default()).await;
    let declared = declared();
    let mut missing = declared.clone();
    for cycle in 0..200 {
        stage.day.cycle().await.unwrap();
        let summary: Value =
            serde_json::from_str(&get(stage.suite.ports().gateway(), "/metrics/summary").await.unwrap().body).unwrap();
        missing.retain(|name| summary["families"].get(name).is_none());
        if missing.is_empty() && cycle >= 48 {
            break;
        }
    }
    assert!(missing.is_empty() && declared.len() > 80, "{missing:?}");
    // On a good day nothing fires.
    let told = stage.told().await;
    for name in ["emergency_stop_triggered_total", "trader_circuit_breaker_trips_total", "policy_violations_total"] {
        assert!(told.all(name).all(|sample| sample.value == 0.0), "{name}");
    }
}

/// The gateway is restarted amid the day: what traders counted is exact, by the books of the exchange.
#[tokio::test]
async fn a_gateway_that_is_restarted_loses_and_doubles_no_order() {
    let mut stage = Stage::set(&[Venue::Okx], Options::default()).await;
    let before = stage.fakes[0].books();
    for cycle in 0..30 {
        if cycle == 10 {
            let gateway = stage.suite.process("bot-exporter").unwrap();
            gateway.signal(Signal::TERM);
            let deadline = Instant::now() + PATIENCE;
            while gateway.ended().is_none() {
                assert!(Instant::now() < deadline, "it does not end");
                sleep(Duration::from_millis(10)).await;
            }
        }
        if cycle == 14 {
            stage.suite.start_gateway().unwrap();
            ready(&mut stage.suite).await;
        }
        let outcome = stage.day.cycle().await;
        assert_eq!(outcome.is_err(), (10..14).contains(&cycle), "{cycle}: {outcome:?}");
    }
    let (told, books) = (stage.told().await, stage.fakes[0].books());
    let of = |name: &str| told.value(name, &[("bot", "trader")]).unwrap();
    let since = &books.orders[before.orders.len()..];
    assert!(since.len() > 20, "{}", since.len());
    assert_eq!(of("trader_orders_placed_total"), since.len() as f64);
    let canceled = since.iter().filter(|order| format!("{:?}", order.status) == "Canceled").count();
    assert_eq!(of("trader_orders_canceled_total"), canceled as f64);
    assert_eq!(of("trader_orders_filled_total"), (books.fills.len() - before.fills.len()) as f64);
}

/// Whoever asks only for what can be had is refused nothing.
#[tokio::test]
async fn on_a_good_day_no_request_fails() {
    let venues = [Venue::Okx, Venue::Binance, Venue::Kucoin, Venue::Bybit, Venue::Coinbase];
    let mut stage = Stage::set(&venues, Options::default()).await;
    for _ in 0..300 {
        stage.day.cycle().await.unwrap();
    }
    let told = stage.told().await;
    let failed: Vec<_> = told.all("trader_api_errors_total").filter(|sample| sample.value > 0.0).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// On a market that stands still, all but measured times follows from the seed.
#[tokio::test]
async fn the_same_seed_plays_the_same_day() {
    let mut days = Vec::new();
    for _ in 0..2 {
        let mut stage = Stage::set(&[Venue::Okx], Options { frozen: true, ..Options::default() }).await;
        for _ in 0..40 {
            stage.day.cycle().await.unwrap();
        }
        let told = stage.told().await;
        let measured = |name: &str| {
            ["bot_gateway_", "process_", "trader_api_", "trader_cycle_", "trader_data_", "trade_execution_"]
                .iter()
                .any(|part| name.starts_with(part))
        };
        let samples = told.samples().filter(|sample| !measured(&sample.name));
        days.push(samples.map(|one| ((one.name.clone(), one.labels.clone()), one.value)).collect::<BTreeMap<_, _>>());
    }
    assert!(days[0].len() > 400, "{}", days[0].len());
    let different = days[0].iter().filter(|(key, value)| days[1].get(*key) != Some(*value)).collect::<Vec<_>>();
    assert!(different.is_empty(), "{different:?}");
}

/// What must be so after some cycles of a trouble, by scrapes before and after.
type Shows = fn(&Exposition, &Exposition) -> bool;

fn sum(told: &Exposition, name: &str) -> f64 {
    told.all(name).map(|sample| sample.value).sum()
}

fn rises(before: &Exposition, after: &Exposition, name: &str) -> f64 {
    sum(after, name) - sum(before, name)
}

/// All but the lie, which has a test of its own.
const TROUBLES: [(Trouble, Shows); 21] = [
    (Trouble::Silence, |a, b| rises(a, b, "bot_gateway_events_total") == 0.0),
    (Trouble::EmergencyStop, |a, b| rises(a, b, "emergency_stop_triggered_total") >= 1.0),
    (Trouble::CircuitBreaker, |a, b| rises(a, b, "trader_circuit_breaker_trips_total") >= 1.0),
    (Trouble::Exposure, |_, b| b.all("trader_exposure_pct").all(|sample| sample.value > 90.0)),
    (Trouble::Crash, |_, b| b.all("trader_max_drawdown_pct").all(|sample| sample.value > 15.0)),
    (Trouble::StaleData, |_, b| b.all("trader_data_staleness_seconds").all(|sample| sample.value > 300.0)),
    (Trouble::ApiErrors, |a, b| rises(a, b, "trader_api_errors_total") > 5.0),
    (Trouble::Timeouts, |a, b| rises(a, b, "timeout_events_total") > 10.0),
    (Trouble::Fallback, |a, b| rises(a, b, "fallback_depth_exceeded_total") >= 1.0),
    (Trouble::TaskFailures, |a, b| rises(a, b, "task_failure_total") > 0.1 * rises(a, b, "task_split_total")),
    (Trouble::SlotDown, |_, b| b.value("bot_slot_status", &[("slot", "slot_2")]) == Some(0.0)),
    (Trouble::SlotDrawdown, |_, b| b.value("bot_slot_drawdown_pct", &[("slot", "slot_3")]) > Some(30.0)),
    (Trouble::SlowCore, |a, b| {
        let quick = |told: &Exposition| -> f64 {
            let buckets = told.all("agent_decision_latency_ms_bucket");
            buckets.filter(|bucket| bucket.labels["le"] == "250").map(|bucket| bucket.value).sum()
        };
        quick(a) == quick(b) && rises(a, b, "agent_decision_latency_ms_count") > 0.0
    }),
    (Trouble::AgentDown, |_, b| {
        b.value("agent_running", &[("agent", "sentiment")]) == Some(0.0)
            && b.value("ia_agent_status", &[("agent", "gpt")]) == Some(0.0)
    }),
    (Trouble::LowConfidence, |_, b| sum(b, "agent_consensus_confidence_avg") < 0.5),
    (Trouble::RiskBlocks, |a, b| rises(a, b, "agent_risk_blocked_total") >= 4.0),
    (Trouble::CascadeStalled, |a, b| rises(a, b, "bot_cascade_transfers_total") == 0.0),
    (Trouble::CascadeFrequent, |a, b| rises(a, b, "bot_cascade_transfers_total") >= 4.0),
    (Trouble::NoApproval, |a, b| rises(a, b, "agent_consensus_approved_total") == 0.0),
    (Trouble::QueueLag, |_, b| b.value("eventbus_queue_lag", &[("topic", "orders")]) > Some(1000.0)),
    (Trouble::PolicyViolation, |a, b| rises(a, b, "policy_violations_total") >= 1.0),
];

#[tokio::test]
async fn every_trouble_shows() {
    let mut stage = Stage::set(&[Venue::Okx], Options::default()).await;
    stage.day.cycle().await.unwrap();
    for (trouble, shows) in TROUBLES {
        let before = stage.told().await;
        stage.day.set_troubles(&[trouble]);
        for _ in 0..8 {
            stage.day.cycle().await.unwrap();
        }
        let after = stage.told().await;
        assert!(shows(&before, &after), "{trouble:?}");
        // And not without it: one cycle puts it right, as far as it is about now.
        stage.day.set_troubles(&[]);
        stage.day.cycle().await.unwrap();
    }
}

/// What a bot claims, or an exchange tells: value, positions, exposure in per cent where it is known.
#[derive(Clone, Copy, Debug)]
struct Figures {
    value: f64,
    open: f64,
    exposure: Option<f64>,
}

impl Figures {
    fn claimed(told: &Exposition, labels: &[(&str, &str)]) -> Option<Self> {
        let of = |name| told.value(name, labels);
        let (value, open) = (of("trader_account_value_usd")?, of("trader_open_positions")?);
        Some(Self { value, open, exposure: of("trader_exposure_pct") })
    }

    fn true_of(scrapes: &[&Exposition]) -> Option<Self> {
        let (mut value, mut open, mut held, mut valued) = (0.0, 0.0, 0.0, 0);
        for scrape in scrapes {
            value += scrape.value("exchange_equity", &[("currency", "USDT")])?;
            open += scrape.all("exchange_open_positions").map(|sample| sample.value).sum::<f64>();
            held += scrape.all("exchange_position_value_usdt").map(|sample| sample.value).sum::<f64>();
            valued += scrape.all("exchange_position_value_usdt").count();
        }
        // A sum without one of them would be too low.
        Some(Self { value, open, exposure: (valued as f64 == open).then_some(100.0 * held / value) })
    }

    /// By how much they differ in value, and whether in positions and in exposure, as the alert has it.
    fn differs(self, truth: Self) -> [bool; 3] {
        [
            (self.value / truth.value - 1.0).abs() > 0.01,
            self.open != truth.open,
            self.exposure.zip(truth.exposure).is_none_or(|(claim, truth)| (claim - truth).abs() > 5.0),
        ]
    }
}

/// All five venues: the trader on one of them, the treasurer over all.
#[tokio::test]
async fn claim_and_truth_agree_and_a_lie_shows() {
    let venues = [Venue::Okx, Venue::Binance, Venue::Kucoin, Venue::Bybit, Venue::Coinbase];
    let mut stage = Stage::set(&venues, Options::default()).await;
    for fake in &stage.fakes {
        let one = VENUES.into_iter().find(|one| one.name == fake.venue().name()).unwrap();
        let endpoint = Endpoint { venue: one.name.to_owned(), rest: fake.rest_url(), ws: fake.ws_url() };
        let flags = ["--exchange.account=main", "--exchange.account-interval=3s", "--exchange.rate-limit-share=0.5"];
        stage
            .suite
            .start_exporter(one, Some(&endpoint), |command| {
                command.args(flags);
            })
            .unwrap();
    }
    ready(&mut stage.suite).await;
    agree(&mut stage).await;

    stage.day.set_troubles(&[Trouble::Lie]);
    stage.day.cycle().await.unwrap();
    let [(claim, truth), (total, all)] = figures(&stage).await.unwrap();
    assert_eq!(claim.differs(truth), [true; 3], "{claim:?}, {truth:?}");
    assert!(!total.differs(all)[0], "only one of them lies: {total:?}, {all:?}");

    stage.day.set_troubles(&[]);
    agree(&mut stage).await;
}

/// After each of several cycles both sides show the same, as soon as the exporters have heard of it.
async fn agree(stage: &mut Stage) {
    for _ in 0..4 {
        stage.day.cycle().await.unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let both = figures(stage).await;
            if both.is_some_and(|both| both.iter().all(|(claim, truth)| claim.differs(*truth) == [false; 3])) {
                break;
            }
            assert!(Instant::now() < deadline, "{both:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Claim and truth of the trader's account, and of all.
async fn figures(stage: &Stage) -> Option<[(Figures, Figures); 2]> {
    let told = stage.told().await;
    let mut scrapes = Vec::new();
    for place in 0..VENUES.len() {
        scrapes.push(scrape(stage.suite.ports().exporter(place)).await);
    }
    let okx = VENUES.iter().position(|venue| venue.name == "okx").unwrap();
    let one = Figures::claimed(&told, &[("bot", "trader"), ("exchange", "okx"), ("account", "main")])?;
    let all = Figures::claimed(&told, &[("bot", "treasurer"), ("exchange", "all")])?;
    let every: Vec<&Exposition> = scrapes.iter().collect();
    Some([(one, Figures::true_of(&[&scrapes[okx]])?), (all, Figures::true_of(&every)?)])
}
