//! The five exporters under a real Prometheus, with the repository's own configuration.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use fake_venues::stack::prometheus::{self, Sample, configure};
use fake_venues::stack::{
    Market, Ports, Scratch, Suite, VENUES, build, find_tool, get, have_prometheus, repository, until_ready,
};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Prometheus looks for new targets every 5 s, and scrapes each within 5 s more; the rest is for a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// These the users' dashboards read under names that break the rules; nothing else may.
const ACCEPTED_COMPLAINTS: [&str; 2] = [
    "exchange_latency_ms metric names should not contain abbreviated units",
    "exchange_skew_ms metric names should not contain abbreviated units",
];

/// One start of everything for all of it: the start is what takes the time.
#[tokio::test]
async fn prometheus_scrapes_all_five() {
    if !have_prometheus().unwrap() {
        return;
    }
    let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
    let fakes = suite.start_fakes().await.unwrap();
    suite.start_exporters(&Market::Fake(fakes)).unwrap();
    assert!(suite.start_prometheus().unwrap());
    assert_eq!(until_ready(&mut suite, PATIENCE, |_| ()).await.unwrap(), []);

    let port = suite.ports().prometheus();
    every_target_is_up(port).await;
    canonical_series_join_over_venues(port).await;
    compatibility_series_repeat_the_canonical_ones(port).await;
    promtool_has_nothing_new_to_say(suite.ports()).await;
    suite.check().unwrap();
    a_dead_exporter_shows(&mut suite).await;
}

async fn every_target_is_up(port: u16) {
    eventually(port, "up == 0 or absent(up)", <[Sample]>::is_empty).await;
    let jobs: BTreeSet<String> = prometheus::targets(port).await.unwrap().iter().map(|t| t.job().to_owned()).collect();
    let expected = VENUES.iter().map(|venue| venue.exporter).chain(["prometheus"]);
    assert_eq!(jobs, expected.map(str::to_owned).collect());
    eventually(port, "sum by (job) (up)", |up| up.len() == jobs.len() && up.iter().all(|s| s.value == 1.0)).await;
    // What an exporter does not label itself has the venue from the scrape configuration.
    assert_eq!(venues_in(&ask(port, "up{exchange!=\"\"}").await), all_venues());
}

async fn canonical_series_join_over_venues(port: u16) {
    for name in [
        "exchange_last_price",
        "exchange_best_bid_price",
        "exchange_best_ask_price",
        "exchange_volume_24h_base",
        "exchange_ticker_last_update_timestamp_seconds",
        "exchange_symbol_info",
        "exchange_symbols{state=\"streaming\"}",
        "exchange_connection_status{stream=\"public\"} == 1",
        "exchange_websocket_messages_total > 0",
        "exchange_exporter_build_info",
    ] {
        // The last scrape may be older than the readiness of what it scraped.
        eventually(port, &format!("count by (exchange) ({name})"), |samples| venues_in(samples) == all_venues()).await;
    }
    for venue in VENUES {
        let price = format!("exchange_last_price{{exchange=\"{}\",symbol=\"{}\"}} > 0", venue.name, venue.bitcoin);
        eventually(port, &price, |samples| samples.len() == 1).await;
    }
    // No label of the exporter had to give way to one of the scrape configuration.
    assert_eq!(ask(port, "{exported_exchange!=\"\"}").await, []);
}

async fn compatibility_series_repeat_the_canonical_ones(port: u16) {
    for venue in VENUES.map(|venue| venue.name) {
        for (old, new) in [
            ("last_price", "exchange_last_price"),
            ("best_bid", "exchange_best_bid_price"),
            ("best_ask", "exchange_best_ask_price"),
            ("volume_24h", "exchange_volume_24h_base"),
        ] {
            // Of one scrape, so the values are the same to the last bit.
            let canonical = format!("{new}{{exchange=\"{venue}\",market=\"spot\"}}");
            let same = format!("count({venue}_{old} == on (symbol) {canonical}) == count({canonical})");
            eventually(port, &same, |samples| samples.len() == 1).await;
        }
        for expression in [
            format!("{venue}_connection_status == 1"),
            format!("{venue}_exporter_up{{exchange=\"{venue}\"}} == 1"),
            format!("{venue}_websocket_messages_total > 0"),
            format!("count({venue}_latency_seconds)"),
            format!("sum({venue}_api_calls_total{{status=\"success\"}}) > 0"),
            format!("exchange_latency_ms{{exchange=\"{venue}\"}}"),
            format!("exchange_skew_ms{{exchange=\"{venue}\"}}"),
            format!("exchange_state{{exchange=\"{venue}\"}} == 1"),
        ] {
            eventually(port, &expression, |samples| samples.len() == 1).await;
        }
    }
}

async fn promtool_has_nothing_new_to_say(ports: Ports) {
    for (place, venue) in VENUES.iter().enumerate() {
        let metrics = get(ports.exporter(place), "/metrics").await.unwrap().body;
        let complaints = check_metrics(&metrics);
        let new: Vec<&String> =
            complaints.iter().filter(|line| !ACCEPTED_COMPLAINTS.contains(&line.as_str())).collect();
        assert!(new.is_empty(), "{}: {new:#?}", venue.name);
    }
}

async fn a_dead_exporter_shows(suite: &mut Suite) {
    let port = suite.ports().prometheus();
    suite.process("okx-exporter").unwrap().kill();
    eventually(port, "up{job=\"okx-exporter\"} == 0", |down| down.len() == 1).await;
    // Nobody trades on its last prices, and nobody else is touched.
    let left = ask(port, "count by (exchange) (exchange_last_price)").await;
    assert_eq!(venues_in(&left).len(), 4, "{left:?}");
    assert_eq!(ask(port, "up{exchange!=\"\"} == 1").await.len(), 4);
}

/// Both as it is in the repository and as the suite runs it.
#[test]
fn the_configuration_is_valid() {
    if !have_prometheus().unwrap() {
        return;
    }
    let scratch = Scratch::new("prometheus-config").unwrap();
    let moved = configure(&scratch.path().join("moved"), Ports::from_base(20_000)).unwrap();
    for config in [&repository().join("prometheus/prometheus.yml"), &moved] {
        let check = ["check", "config", "--lint=all", "--lint-fatal"].map(Path::new);
        let output = Command::new(find_tool("promtool").unwrap()).args(check).arg(config).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What `promtool check metrics` finds, by line.
fn check_metrics(metrics: &str) -> Vec<String> {
    let mut promtool = Command::new(find_tool("promtool").unwrap());
    let piped = promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = piped.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
}

async fn ask(port: u16, expression: &str) -> Vec<Sample> {
    prometheus::query(port, expression).await.unwrap()
}

/// Asks until the answer is as wanted.
async fn eventually(port: u16, expression: &str, wanted: impl Fn(&[Sample]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let samples = ask(port, expression).await;
        if wanted(&samples) {
            return;
        }
        assert!(Instant::now() < deadline, "{expression} still gives {samples:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn venues_in(samples: &[Sample]) -> BTreeSet<&str> {
    samples.iter().filter_map(|sample| sample.labels.get("exchange")).map(String::as_str).collect()
}

fn all_venues() -> BTreeSet<&'static str> {
    VENUES.iter().map(|venue| venue.name).collect()
}
