//! Every query of every dashboard, asked of the real Prometheus that watches the running suite.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod grafana;

use common::metrics::vocabulary::ALL;
use fake_venues::stack::prometheus::encode;
use fake_venues::stack::{Ports, PrometheusSetup, Rewrite, Suite, VENUES, build, get, have_prometheus, until_ready};
use grafana::catalogue;
use grafana::foreign::{recorded, serve};
use grafana::labels::{Known, Labels};
use grafana::model::{self, Ask, Dashboard, labels_in};
use promql_parser::parser::{Expr, parse};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const START: Duration = Duration::from_secs(60);
/// Until the last of the rules that build on one another has something; the rest is for a slow machine.
const PATIENCE: Duration = Duration::from_secs(150);
/// Grafana's, in a short time range.
const STEP: u64 = 15;

/// What is empty while all is well: nothing fails, nobody is shut out, and the fakes' keys do not expire and earn no rebates.
/// Everything else has to show something; and of these, what ends in `> 0` without that.
const EMPTY_WHEN_WELL: [&str; 17] = [
    "bot-arbitrage / Prices that were dead / A",
    "bot-logs / Errors by kind / A",
    "bot-logs / Reconnects by reason / A",
    "bot-logs / Refused by the gateway / A",
    "bot-logs / Errors that bots tell / A",
    "bot-logs / Errors that bots tell / B",
    "bot-logs / Errors that bots tell / C",
    "bot-trader / When they disagreed / A",
    "exchange-keys-audit / Next expiry / A",
    "exchange-keys-audit / Refusals / A",
    "exchange-keys-audit / Rights / F",
    "exchange-operations / Rebates by asset / A",
    "exchange-venue / Errors by kind / A",
    "exchange-venue / Reconnects by reason / A",
    "exchange-venue-health / Errors by kind / A",
    "exchange-venue-health / Reconnects by reason / A",
    "exchange-venue-health / Shut out until / A",
];

/// Agents of other kinds than the one that the dashboard of one agent opens with: what it shows is of any of these.
const OTHER_AGENTS: [&str; 2] = ["gpt", "worker_1"];

#[tokio::test]
async fn every_query_is_answered() {
    if !have_prometheus().unwrap() {
        return;
    }
    let mut suite = start().await;
    let port = suite.ports().prometheus();
    let dashboards = model::all();
    everything_shows_something(&mut suite, &dashboards).await;
    names_and_labels_exist(port, &dashboards).await;
    variables_have_values(port, &dashboards).await;
    several_values_can_be_chosen(port, &dashboards).await;
}

async fn everything_shows_something(suite: &mut Suite, dashboards: &[Dashboard]) {
    let port = suite.ports().prometheus();
    let mut open: Vec<(Ask, Vec<String>)> = Vec::new();
    for dashboard in dashboards {
        let mut chosen = vec![dashboard.opened()];
        if dashboard.uid == "bot-agent" {
            chosen.extend(OTHER_AGENTS.map(|agent| {
                let mut values = dashboard.opened();
                values.insert("agent".into(), agent.into());
                values
            }));
        }
        open.extend(dashboard.asks().into_iter().map(|ask| {
            let sent = chosen.iter().map(|values| dashboard.sent(&ask.expr, values)).collect();
            (ask, sent)
        }));
    }
    let total = open.len();
    assert!(total > 500, "only {total} queries were found");
    for place in EMPTY_WHEN_WELL {
        assert!(open.iter().any(|(ask, _)| ask.place == place), "{place} is there no more");
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut still = Vec::new();
        for (ask, sent) in open {
            let mut shown = false;
            for sent in &sent {
                let series = answer(port, sent, ask.instant).await;
                let quiet = sent.strip_suffix(" > 0").filter(|_| EMPTY_WHEN_WELL.contains(&ask.place.as_str()));
                let series = match quiet {
                    Some(all) => answer(port, all, ask.instant).await,
                    None => series,
                };
                shown |= !series.unwrap_or_else(|error| panic!("{}: {error}: {sent}", ask.place)).is_empty();
            }
            if !shown {
                still.push((ask, sent));
            }
        }
        open = still;
        let excused = |ask: &Ask| EMPTY_WHEN_WELL.contains(&ask.place.as_str()) && !ask.expr.ends_with(" > 0");
        let missing = open.iter().filter(|(ask, _)| !excused(ask));
        let missing: Vec<String> = missing.map(|(ask, sent)| format!("{}: {}", ask.place, sent[0])).collect();
        if missing.is_empty() {
            return;
        }
        let count = missing.len();
        assert!(Instant::now() < deadline, "{count} of {total} show nothing:\n{}", missing.join("\n"));
        suite.check().unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// The suite with two named accounts, bots that trade on it, the exporters of others as they were recorded, and something to alert
/// about.
async fn start() -> Suite {
    let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
    let fakes = suite.start_fakes().await.unwrap();
    for venue in VENUES {
        let endpoint = fakes.iter().find(|endpoint| endpoint.venue == venue.name);
        suite
            .start_exporter(venue, endpoint, |command| {
                if matches!(venue.name, "binance" | "okx") {
                    command.arg("--exchange.account=main");
                }
            })
            .unwrap();
    }
    suite.start_gateway().unwrap();
    suite
        .start_bots(&fakes, |command| {
            command.args([
                "--cycle=1s",
                "--trouble=emergency-stop",
                "--trouble=policy-violation",
                "--trouble=timeouts",
            ]);
            command.args(["--trouble=circuit-breaker", "--trouble=fallback", "--trouble=cascade-frequent"]);
        })
        .unwrap();
    let probe = serve(recorded("blackbox-exporter")).await;
    let rewrite: Rewrite =
        Box::new(move |file, text| in_a_hurry(file, text).replace("blackbox-exporter:9115", &probe.to_string()));
    assert!(suite.start_prometheus_with(&PrometheusSetup { rewrite: Some(rewrite), flags: Vec::new() }).unwrap());
    suite.start_alertmanager().unwrap();
    for job in ["node-exporter", "cadvisor", "mongodb-exporter", "redis-exporter"] {
        suite.add_target(job, &serve(recorded(job)).await.to_string(), &[]).unwrap();
    }
    suite.add_target("blackbox-exporter", "https://example.com", &[]).unwrap();
    // One alert fires, and one is pending for as long as this test runs.
    suite.add_target("other", "127.0.0.1:1", &[]).unwrap();
    let down = recorded("mongodb-exporter").replace("mongodb_up{cluster_role=\"mongod\"} 1", "mongodb_up 0");
    suite.add_target("mongodb-exporter", &serve(down).await.to_string(), &[]).unwrap();
    assert_eq!(until_ready(&mut suite, START, |_| ()).await.unwrap(), []);
    suite
}

/// The repository's configuration and rules, with their rhythm quickened: nobody waits seven days here.
fn in_a_hurry(file: &Path, text: &str) -> String {
    let mut text = text.to_owned();
    for (usual, quick) in [
        ("scrape_interval: 15s", "scrape_interval: 5s"),
        ("scrape_interval: 30s", "scrape_interval: 5s"),
        ("evaluation_interval: 15s", "evaluation_interval: 3s"),
        (" interval: 15s", " interval: 3s"),
        (" interval: 30s", " interval: 3s"),
        (" interval: 1m", " interval: 3s"),
        (" interval: 2m", " interval: 6s"),
    ] {
        text = text.replace(usual, quick);
    }
    if file.starts_with("rules") {
        for (usual, quick) in [("1h", "10s"), ("1d", "12s"), ("7d", "14s"), ("10m", "10s"), ("6h", "16s")] {
            text = text.replace(&format!("offset {usual}"), &format!("offset {quick}"));
        }
        // It is always just after midnight.
        text = text.replace("% 86400 < 300", "% 86400 < 86400");
    }
    let mut alert = "";
    let lines = text.lines().map(|line| {
        alert = line.trim().strip_prefix("- alert: ").unwrap_or(alert);
        match (alert, line.trim().starts_with("for: ")) {
            ("PrometheusTargetDown", true) => line.replace("for: 5m", "for: 0s"),
            ("MongodbDown", true) => line.replace("for: 1m", "for: 1h"),
            _ => line.to_owned(),
        }
    });
    lines.map(|line| line + "\n").collect()
}

async fn api(port: u16, path: &str) -> Result<Value, String> {
    let response = get(port, path).await.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_str(&response.body).map_err(|error| error.to_string())?;
    if response.status == 200 { Ok(answer["data"].clone()) } else { Err(answer["error"].to_string()) }
}

/// The labels of each series of the answer, asked as Grafana does.
async fn answer(port: u16, expr: &str, instant: bool) -> Result<Vec<Value>, String> {
    let query = encode(expr);
    let data = if instant {
        api(port, &format!("/api/v1/query?query={query}")).await?
    } else {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / STEP * STEP + STEP;
        let start = now - 10 * STEP;
        api(port, &format!("/api/v1/query_range?query={query}&start={start}&end={now}&step={STEP}")).await?
    };
    Ok(data["result"].as_array().cloned().unwrap_or_default())
}

/// What bots tell, what is recorded and what others serve, added to what the exporters serve.
async fn everything_known(port: u16, dashboards: &[Dashboard]) -> Known {
    let mut known = Known::vocabulary();
    catalogue::series().into_iter().for_each(|(name, labels)| known.add(&name, labels.into_iter().collect()));
    let rules = api(port, "/api/v1/rules").await.unwrap();
    let rules: Vec<&Value> =
        rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    let mut asked: Vec<Expr> = rules.iter().map(|rule| parse(rule["query"].as_str().unwrap()).unwrap()).collect();
    for dashboard in dashboards {
        let exprs = dashboard.asks().into_iter().map(|ask| ask.expr);
        let exprs = exprs.chain(dashboard.label_values().into_iter().map(|(_, series, _)| series));
        asked.extend(exprs.map(|expr| parse(&dashboard.sent(&expr, &dashboard.opened())).unwrap()));
    }
    // Of others: only what is served by a job that is none of our exporters, and what Prometheus itself adds to these.
    let ours: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
    for name in asked.iter().flat_map(names) {
        if known.has(&name) || name.contains(':') || name.starts_with("ALERTS") || ours.contains(name.as_str()) {
            continue;
        }
        let selector = encode(&format!("{{__name__=\"{name}\"}}"));
        let series = api(port, &format!("/api/v1/series?match[]={selector}")).await.unwrap();
        for one in series.as_array().unwrap() {
            let labels: Labels = one.as_object().unwrap().keys().filter(|key| *key != "__name__").cloned().collect();
            let job = one["job"].as_str().unwrap_or_default();
            let of_exporter = VENUES.iter().any(|venue| venue.exporter == job);
            let of_any = ["up", "scrape_", "process_"].iter().any(|start| name.starts_with(start));
            if !of_exporter || of_any {
                known.add(&name, labels);
            }
        }
    }
    // Rules build on one another, in any order.
    for _ in 0..8 {
        for rule in &rules {
            let (name, query) = (rule["name"].as_str().unwrap(), parse(rule["query"].as_str().unwrap()).unwrap());
            // One that goes on from what it recorded itself begins with nothing.
            if names(&query).iter().any(|asked| asked == name) {
                known.add(name, Labels::new());
            }
            let Ok(mut labels) = known.labels(&query) else { continue };
            labels.extend(rule["labels"].as_object().into_iter().flat_map(|own| own.keys().cloned()));
            if rule["type"] == "recording" {
                known.add(name, labels);
            } else {
                labels.insert("alertname".into());
                known.add("ALERTS_FOR_STATE", labels.clone());
                labels.insert("alertstate".into());
                known.add("ALERTS", labels);
            }
        }
    }
    known
}

/// The metrics that an expression names.
fn names(expr: &Expr) -> Vec<String> {
    match expr {
        Expr::VectorSelector(selector) => selector.name.clone().into_iter().collect(),
        Expr::MatrixSelector(matrix) => matrix.vs.name.clone().into_iter().collect(),
        Expr::Aggregate(aggregate) => names(&aggregate.expr),
        Expr::Binary(binary) => [names(&binary.lhs), names(&binary.rhs)].concat(),
        Expr::Paren(paren) => names(&paren.expr),
        Expr::Unary(unary) => names(&unary.expr),
        Expr::Subquery(subquery) => names(&subquery.expr),
        Expr::Call(call) => call.args.args.iter().flat_map(|argument| names(argument)).collect(),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Vec::new(),
    }
}

async fn names_and_labels_exist(port: u16, dashboards: &[Dashboard]) {
    let known = everything_known(port, dashboards).await;
    let mut wrong = Vec::new();
    for dashboard in dashboards {
        for ask in dashboard.asks() {
            let labels = match known.labels(&parse(&dashboard.sent(&ask.expr, &dashboard.opened())).unwrap()) {
                Ok(labels) => labels,
                Err(error) => {
                    wrong.push(format!("{}: {error}", ask.place));
                    continue;
                }
            };
            for label in ask.legends.iter().flat_map(|legend| labels_in(legend)) {
                if !labels.contains(label) {
                    wrong.push(format!("{}: the legend's {label} is none of {labels:?}", ask.place));
                }
            }
        }
        for (place, series, label) in dashboard.label_values() {
            match known.labels(&parse(&dashboard.sent(&series, &dashboard.opened())).unwrap()) {
                Ok(labels) if labels.contains(&label) => {}
                other => wrong.push(format!("{place}: {label} of {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn variables_have_values(port: u16, dashboards: &[Dashboard]) {
    for dashboard in dashboards {
        for (place, series, label) in dashboard.label_values() {
            let selector = encode(&dashboard.sent(&series, &dashboard.opened()));
            let values = api(port, &format!("/api/v1/label/{label}/values?match[]={selector}")).await.unwrap();
            let values = values.as_array().unwrap();
            assert!(!values.is_empty(), "{place} has no values");
            // What is chosen when the dashboard is opened is there.
            let opened = dashboard.opened();
            let name = place.rsplit(' ').next().unwrap();
            if !opened[name].starts_with('.') {
                assert!(
                    values.iter().any(|value| *value == opened[name]),
                    "{place}: {} is none of {values:?}",
                    opened[name]
                );
            }
        }
    }
}

/// Grafana makes one expression of several values; it has to be one that Prometheus takes, and that chooses.
async fn several_values_can_be_chosen(port: u16, dashboards: &[Dashboard]) {
    let several = BTreeMap::from([
        ("exchange", ["okx", "binance"]),
        ("job", ["okx-exporter", "binance-exporter"]),
        ("symbol", ["BTCUSDT", "ETHUSDT"]),
        ("account", ["main", "other"]),
        ("asset", ["BTC", "USDT"]),
        ("severity", ["critical", "warning"]),
        ("bot", ["maveretta", "trader"]),
        ("slot", ["slot_1", "slot_2"]),
        ("strategy", ["grid", "momentum"]),
        ("agent", ["momentum", "gpt"]),
    ]);
    for dashboard in dashboards {
        let chosen = dashboard.chosen(&several);
        for ask in dashboard.asks() {
            let sent = dashboard.sent(&ask.expr, &chosen);
            let series =
                answer(port, &sent, ask.instant).await.unwrap_or_else(|error| panic!("{}: {error}: {sent}", ask.place));
            if !ask.expr.contains("$exchange") || dashboard.uid == "exchange-venue" {
                continue;
            }
            // What is over all accounts stands beside those that are chosen.
            let total = if dashboard.uid == "bot-trader" { "all" } else { "okx" };
            for one in &series {
                let exchange = one["metric"]["exchange"].as_str().unwrap_or("okx");
                assert!(
                    ["okx", "binance", total].contains(&exchange),
                    "{}: {exchange} was not chosen: {sent}",
                    ask.place
                );
            }
        }
    }
}
