//! The commented blocks of `prometheus.yml` for long-term storage, uncommented as they say, against a real VictoriaMetrics;
//! by Prometheus as usual, and as an agent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use fake_venues::stack::{
    Market, Ports, Process, PrometheusSetup, Rewrite, Scratch, Suite, VENUES, build, find_tool, get, have_tools,
    prometheus, repository, until_ready,
};
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(60);
/// A scrape, the queue of remote write, and VictoriaMetrics's pause before what is new can be found; on a slow machine.
const ARRIVAL: Duration = Duration::from_secs(90);
const STORES: [&str; 3] = ["victoria-metrics", "mimir", "thanos"];

/// The configuration with the blocks of these stores as the comments say: without the # of the first line and of the entry.
fn uncomment(config: &str, stores: &[&str]) -> String {
    let mut inside = false;
    let line = |line: &str| {
        if let Some(name) = line.strip_prefix("#  - name: ") {
            inside = stores.contains(&name);
        } else if !line.starts_with("#    ") {
            inside = line == "#remote_write:";
        }
        let plain = if inside { line.strip_prefix('#').unwrap_or(line) } else { line };
        format!("{plain}\n")
    };
    config.lines().map(line).collect()
}

/// Without what the comments tell to take out for an agent.
fn as_agent(config: &str) -> String {
    let (before, rest) = config.split_once("# agent mode: take out from here").unwrap();
    let (_, after) = rest.split_once("# agent mode: take out to here").unwrap();
    format!("{before}#{after}")
}

fn config_of_repository() -> String {
    fs::read_to_string(repository().join("prometheus/prometheus.yml")).unwrap()
}

#[test]
fn every_block_is_what_prometheus_reads() {
    if !have_tools(&["promtool"]).unwrap() {
        return;
    }
    let scratch = Scratch::new("remote-write").unwrap();
    let file = scratch.path().join("prometheus.yml");
    for store in STORES {
        let config = uncomment(&config_of_repository(), &[store]);
        assert_eq!(config.matches("\n  - name: ").count(), 1, "{config}");
        // As it is told for a store that asks for a token.
        let token = "\n    authorization: { credentials_file: /run/secrets/remote_write_token }\n";
        assert!(config_of_repository().contains(&token.replace("\n ", "\n# ")));
        let (head, tail) = config.split_once("\n    url: ").unwrap();
        let (url, tail) = tail.split_once('\n').unwrap();
        let with_token = format!("{head}\n    url: {url}{token}{tail}");
        for (text, more) in
            [(config.clone(), &[][..]), (with_token, &["--syntax-only"]), (as_agent(&config), &["--agent"])]
        {
            fs::write(&file, &text).unwrap();
            let check = ["check", "config", "--lint=all", "--lint-fatal"];
            let output =
                Command::new(find_tool("promtool").unwrap()).args(check).args(more).arg(&file).output().unwrap();
            // What is not beside the copy are the folders of targets.
            let said = String::from_utf8_lossy(&output.stderr).replace("does not exist", "");
            assert!(output.status.success(), "{store} {more:?}: {said}\n{text}");
        }
    }
}

#[tokio::test]
async fn victoria_metrics_receives_what_prometheus_scrapes() {
    receives(false).await;
}

#[tokio::test]
async fn victoria_metrics_receives_what_an_agent_scrapes() {
    receives(true).await;
}

async fn receives(agent: bool) {
    if !have_tools(&["prometheus", "victoria-metrics"]).unwrap() {
        return;
    }
    let files = Scratch::new("victoria-metrics").unwrap();
    let (store, _process) = start_victoria_metrics(&files);
    let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
    let fakes = suite.start_fakes().await.unwrap();
    suite.start_exporters(&Market::Fake(fakes)).unwrap();
    let rewrite: Rewrite = Box::new(move |file, text| {
        if file != Path::new("prometheus.yml") {
            return text.to_owned();
        }
        let text = uncomment(text, &["victoria-metrics"]);
        assert!(text.contains("url: http://victoria-metrics:8428/"), "{text}");
        let text = text.replace("victoria-metrics:8428", &format!("localhost:{store}"));
        if agent { as_agent(&text) } else { text }
    });
    let agent_flags = || {
        let data = format!("--storage.agent.path={}", files.path().join("agent").display());
        vec!["--enable-feature=agent".to_owned(), data]
    };
    let flags = if agent { agent_flags() } else { Vec::new() };
    assert!(suite.start_prometheus_with(&PrometheusSetup { rewrite: Some(rewrite), flags }).unwrap());
    assert_eq!(until_ready(&mut suite, START, |_| ()).await.unwrap(), []);

    // The same API, and the labels that tell whose samples these are.
    let expression =
        "exchange_last_price{symbol=~\"BTCUSDT?\",cluster=\"exchanges\",environment=\"local\",replica=\"0\"}";
    let deadline = Instant::now() + ARRIVAL;
    let venues = loop {
        let prices = prometheus::query(store, expression).await.unwrap();
        assert!(prices.iter().all(|price| price.value > 0.0), "{prices:?}");
        let venues: BTreeSet<String> = prices.iter().map(|price| price.labels["exchange"].clone()).collect();
        if venues.len() == VENUES.len() {
            break venues;
        }
        suite.check().unwrap();
        assert!(Instant::now() < deadline, "only {venues:?} came");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(venues, VENUES.iter().map(|venue| venue.name.to_owned()).collect());
    // An agent keeps nothing to ask for.
    let local = get(suite.ports().prometheus(), "/api/v1/query?query=up").await.unwrap();
    assert_eq!(local.status == 200, !agent, "{local:?}");
}

/// On a port of its own, which it returns.
fn start_victoria_metrics(files: &Scratch) -> (u16, Process) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(find_tool("victoria-metrics").unwrap());
    command.arg(format!("-storageDataPath={}", files.path().join("data").display()));
    command.arg(format!("-httpListenAddr=127.0.0.1:{port}"));
    let mut process = Process::start("victoria-metrics", &mut command, &files.path().join("log")).unwrap();
    let deadline = Instant::now() + START;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(process.ended().is_none() && Instant::now() < deadline, "{}", process.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    (port, process)
}
