//! The five exporters under a real Prometheus, with the repository's own configuration.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use fake_venues::stack::prometheus::{self, Sample};
use fake_venues::stack::{Market, Ports, Suite, VENUES, build, find_tool, get, have_tools, until_ready};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
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
    if !have_tools(&["prometheus", "promtool", "alertmanager"]).unwrap() {
        return;
    }
    let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
    let fakes = suite.start_fakes().await.unwrap();
    suite.start_exporters(&Market::Fake(fakes)).unwrap();
    assert!(suite.start_prometheus().unwrap());
    assert!(suite.start_alertmanager().unwrap());
    assert_eq!(until_ready(&mut suite, PATIENCE, |_| ()).await.unwrap(), []);

    let port = suite.ports().prometheus();
    every_target_is_up(port).await;
    alerts_lead_somewhere(&suite).await;
    jobs_are_as_urgent_as_they_should_be(&suite).await;
    canonical_series_join_over_venues(port).await;
    compatibility_series_repeat_the_canonical_ones(port).await;
    promtool_has_nothing_new_to_say(suite.ports()).await;
    suite.check().unwrap();
    a_dead_exporter_shows(&mut suite).await;
}

async fn every_target_is_up(port: u16) {
    eventually(port, "up", |up| up.len() == VENUES.len() + 2 && up.iter().all(|s| s.value == 1.0)).await;
    let jobs: BTreeSet<String> = prometheus::targets(port).await.unwrap().iter().map(|t| t.job().to_owned()).collect();
    let expected = VENUES.iter().map(|venue| venue.exporter).chain(["prometheus", "alertmanager"]);
    assert_eq!(jobs, expected.map(str::to_owned).collect());
    // What an exporter does not label itself has the venue from the scrape configuration.
    assert_eq!(venues_in(&ask(port, "up{exchange!=\"\"}").await), all_venues());
}

/// Prometheus knows the Alertmanager that it scrapes, and serves the runbooks that its alerts name.
async fn alerts_lead_somewhere(suite: &Suite) {
    let port = suite.ports().prometheus();
    let known = get(port, "/api/v1/alertmanagers").await.unwrap().body;
    let address = format!("http://localhost:{}/api/v2/alerts", suite.ports().alertmanager());
    assert!(known.contains(&address), "{known}");
    assert_eq!(get(port, "/user/README.md").await.unwrap().status, 200);
}

/// The intervals, and how a URL is probed, told by Prometheus itself.
async fn jobs_are_as_urgent_as_they_should_be(suite: &Suite) {
    let port = suite.ports().prometheus();
    // Port 1 refuses; what is scraped does not matter here.
    for job in
        ["node-exporter", "cadvisor", "mongodb-exporter", "redis-exporter", "grafana", "bots", "bot-exporter", "other"]
    {
        suite.add_target(job, "localhost:1", &[]).unwrap();
    }
    suite.add_target("blackbox-exporter", "https://localhost:1/health", &[("module", "tcp_connect")]).unwrap();
    suite.add_target("blackbox-exporter", "https://localhost:2/health", &[]).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut targets = Vec::new();
    while targets.len() != VENUES.len() + 2 + 10 {
        assert!(Instant::now() < deadline, "{targets:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
        targets = prometheus::targets(port).await.unwrap();
    }
    let told: BTreeMap<&str, (&str, &str)> =
        targets.iter().map(|t| (t.job(), (t.scrape_interval.as_str(), t.scrape_timeout.as_str()))).collect();
    let expected = [
        ("binance-exporter", ("3s", "2s")),
        ("kucoin-exporter", ("5s", "4s")),
        ("bybit-exporter", ("5s", "4s")),
        ("coinbase-exporter", ("5s", "4s")),
        ("okx-exporter", ("5s", "4s")),
        ("bot-exporter", ("5s", "4s")),
        ("node-exporter", ("10s", "10s")),
        ("cadvisor", ("10s", "10s")),
        ("mongodb-exporter", ("15s", "10s")),
        ("redis-exporter", ("15s", "10s")),
        ("grafana", ("15s", "10s")),
        ("alertmanager", ("15s", "10s")),
        ("blackbox-exporter", ("30s", "10s")),
        ("prometheus", ("5s", "5s")),
        ("bots", ("5s", "5s")),
        ("other", ("15s", "10s")),
    ];
    assert_eq!(told, BTreeMap::from(expected));

    let probes: BTreeSet<(&str, &str)> = targets
        .iter()
        .filter(|target| target.job() == "blackbox-exporter")
        .map(|target| (target.labels["instance"].as_str(), target.scrape_url.as_str()))
        .collect();
    let url = |port, module| {
        format!("http://blackbox-exporter:9115/probe?module={module}&target=https%3A%2F%2Flocalhost%3A{port}%2Fhealth")
    };
    let (tcp, http) = (url(1, "tcp_connect"), url(2, "http_2xx"));
    let expected = [("https://localhost:1/health", tcp.as_str()), ("https://localhost:2/health", http.as_str())];
    assert_eq!(probes, BTreeSet::from(expected));
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
