//! The bot gateway as bots, operators, Prometheus and strangers meet it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod exporter;
mod gateway;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use exporter::PATIENCE;
use exporter::exposition::Exposition;
use fake_venues::stack::{Ports, PrometheusSetup, Signal, Suite, build, have_tools, prometheus};
use gateway::{Gateway, check_metrics, outcome};
use serde_json::{Value, json};

const TRADE: &str =
    r#"{"metric":"trades_executed_total","labels":{"symbol":"BTCUSDT","side":"buy","status":"filled"},"add":1}"#;
const VALUE: &str = r#"{"metric":"trader_account_value_usd","set":1234.5}"#;
const TOOK: &str = r#"{"metric":"trader_cycle_duration_seconds","observe":0.3}"#;

fn trades(scrape: &Exposition) -> f64 {
    scrape.all("trades_executed_total").map(|sample| sample.value).sum()
}

fn refused(scrape: &Exposition, reason: &str) -> f64 {
    scrape.value("bot_gateway_refused_total", &[("reason", reason)]).unwrap()
}

#[test]
fn events_become_metrics_in_every_format() {
    let gateway = Gateway::new(&[]);
    assert_eq!(gateway.post(TRADE).text(), r#"{"applied":1,"repeated":0}"#);
    let named = TRADE.replace("\"symbol\"", "\"bot\":\"alpha\",\"symbol\"").replace("\"add\":1", "\"add\":2.5");
    assert_eq!(gateway.post(&format!("[{TRADE},{named},{VALUE},{TOOK}]")).text(), r#"{"applied":4,"repeated":0}"#);
    for scrape in [gateway.scrape(), gateway.scrape_open_metrics(), gateway.scrape_gzip()] {
        let trade = [("symbol", "BTCUSDT"), ("side", "buy"), ("status", "filled")];
        let of = |bot: Option<&str>| {
            let mut found =
                scrape.all("trades_executed_total").filter(|one| one.labels.get("bot").map(String::as_str) == bot);
            let sample = found.next().unwrap();
            assert!(trade.iter().all(|(name, value)| sample.labels[*name] == *value), "{sample:?}");
            sample.value
        };
        assert_eq!((of(None), of(Some("alpha"))), (2.0, 2.5));
        assert_eq!(scrape.value("trader_account_value_usd", &[]), Some(1234.5));
        let bucket = |le| scrape.value("trader_cycle_duration_seconds_bucket", &[("le", le)]);
        assert_eq!((bucket("0.25"), bucket("0.5"), bucket("+Inf")), (Some(0.0), Some(1.0), Some(1.0)));
        assert_eq!(scrape.value("trader_cycle_duration_seconds_sum", &[]), Some(0.3));
        assert_eq!(scrape.value("bot_gateway_events_total", &[]), Some(5.0));
        assert!(scrape.value("bot_gateway_last_event_timestamp_seconds", &[("bot", "alpha")]).unwrap() > 1e9);
        assert!(scrape.value("process_resident_memory_bytes", &[]).unwrap() > 0.0);
    }
    assert_eq!(gateway.get("/metrics/prometheus").status, 200);
    let page = gateway.get("/").text();
    for shown in ["alpha", "trades_executed_total", "Everything is well"] {
        assert!(page.contains(shown), "{page}");
    }
}

/// What of the users' names breaks the rules of promtool is theirs; what the gateway adds breaks none.
#[test]
fn promtool_complains_of_nothing_but_names_that_users_have() {
    if !have_tools(&["promtool"]).unwrap() {
        return;
    }
    let gateway = Gateway::new(&[]);
    gateway.post(&format!("[{TRADE},{VALUE},{TOOK}]"));
    let complaints = check_metrics(&gateway.get("/metrics").text());
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn nothing_of_a_refused_batch_is_applied_and_the_field_is_named() {
    let gateway = Gateway::new(&["--events.max-series=8"]);
    let wrong = |from: &str, to: &str| format!("[{TRADE},{}]", TRADE.replace(from, to));
    let cases = [
        (wrong("buy", "hold"), 400, "label", r#"events[1].labels.side: "hold" is none of buy, sell"#),
        (
            wrong("\"side\"", "\"sides\""),
            400,
            "label",
            "events[1].labels.sides: trades_executed_total has no such label",
        ),
        (
            wrong("trades_executed_total", "trades_total"),
            400,
            "unknown",
            "events[1].metric: \"trades_total\" is not in the catalogue",
        ),
        (wrong("\"add\":1", "\"add\":-1"), 400, "value", "events[1].add: -1: a counter only rises"),
        (wrong("\"add\":1", "\"set\":1"), 400, "type", "events[1].set: trades_executed_total is a counter"),
        (wrong("\"add\":1", "\"add\":1,\"add\":1"), 400, "syntax", "events[1]: \"add\" is given twice"),
        (wrong("}", "}]"), 400, "syntax", "no JSON"),
        (format!("[{TRADE},{TOOK}]"), 422, "series", "events[1].labels: a new series of trader_cycle_duration_seconds"),
        (TRADE.replace("buy", "hold"), 400, "label", "event.labels.side"),
    ];
    for (body, status, reason, names) in cases {
        let before = refused(&gateway.scrape(), reason);
        let answer = gateway.post(&body);
        let told: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!((answer.status, told["reason"].as_str()), (status, Some(reason)), "{told}");
        assert!(told["error"].as_str().unwrap().contains(names), "{told} does not say {names}");
        let scrape = gateway.scrape();
        assert_eq!((trades(&scrape), refused(&scrape, reason)), (0.0, before + 1.0));
    }
    assert!(gateway.get("/").text().contains("&quot;hold&quot; is none of buy, sell"), "the page shows them, escaped");
    assert!(gateway.log().contains("refused: "), "{}", gateway.log());
}

#[test]
fn webhooks_are_what_the_catalogue_makes_of_them() {
    let gateway = Gateway::new(&[]);
    let hook = |name: &str, body: Value| gateway.ask("POST", &format!("/events/{name}"), "", &body.to_string());
    let done = [
        ("task_split", json!({"task_id": "t1", "chunks": 4})),
        ("timeout", json!({"agent": "a1", "reason": "slow", "fallback_depth_exceeded": 1})),
        ("timeout", json!([{"agent": "a1", "reason": "slow"}, {"agent": "a2", "reason": "gone"}])),
        ("chunk_executed", json!({"agent": "a1", "seconds": 2.5, "id": "c1"})),
        ("chunk_executed", json!({"agent": "a1", "seconds": 2.5, "id": "c1"})),
        ("docker_allocated", json!({"container": "w1", "cpu_millicores": 1500, "memory_bytes": 536_870_912})),
    ];
    for (name, body) in done {
        let answer = hook(name, body);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    let scrape = gateway.scrape();
    for (name, labels, value) in [
        ("task_split_total", &[][..], 1.0),
        ("task_split_chunks_total", &[], 4.0),
        ("timeout_events_total", &[("agent", "a1"), ("reason", "slow")], 2.0),
        ("timeout_events_total", &[("agent", "a2")], 1.0),
        ("fallback_depth_exceeded_total", &[], 1.0),
        ("chunk_execution_seconds_count", &[("agent", "a1")], 1.0),
        ("agent_tasks_executed_total", &[("agent", "a1")], 1.0),
        ("docker_container_cpu_limit", &[("container", "w1")], 1500.0),
        ("docker_container_memory_limit_bytes", &[("container", "w1")], 536_870_912.0),
    ] {
        assert_eq!(scrape.value(name, labels), Some(value), "{name}{labels:?}");
    }
    let refused = hook("chunk_executed", json!([{"agent": "a1", "seconds": 1}, {"agent": "a1"}]));
    assert!(refused.status == 400 && refused.text().contains("events[1].seconds: is missing"), "{}", refused.text());
    let unknown = hook("merged", json!({}));
    assert!(
        unknown.status == 400 && unknown.text().contains("there are chunk_executed, docker_allocated"),
        "{}",
        unknown.text()
    );
    assert_eq!(gateway.scrape().value("chunk_execution_seconds_count", &[]), Some(1.0));
}

#[test]
fn the_summary_and_the_health_tell_the_same_as_json() {
    let gateway = Gateway::new(&[]);
    gateway.post(&format!("[{TRADE},{TOOK}]"));
    let json = |path: &str| serde_json::from_str::<Value>(&gateway.get(path).text()).unwrap();
    let summary = json("/metrics/summary");
    let trades = &summary["families"]["trades_executed_total"];
    assert_eq!((&trades["type"], &trades["series"][0]["value"]), (&json!("counter"), &json!(1.0)));
    assert_eq!(trades["series"][0]["labels"]["symbol"], "BTCUSDT");
    assert!(trades["series"][0]["history"].is_array());
    let took = &summary["families"]["trader_cycle_duration_seconds"]["series"][0];
    assert_eq!((&took["count"], &took["sum"]), (&json!(1.0), &json!(0.3)));
    let health = json("/metrics/health");
    assert_eq!((&health["status"], &health["events_applied"]), (&json!("ok"), &json!(2)));
    assert_eq!(json("/health"), json!({"status": "ok", "reasons": []}));
}

#[test]
fn gauges_that_nobody_sets_leave_and_counters_stay() {
    let gateway = Gateway::new(&["--events.stale-after=1s"]);
    gateway.post(&format!("[{TRADE},{VALUE}]"));
    gateway.until("the gauge is gone", |scrape| scrape.value("trader_account_value_usd", &[]).is_none());
    let scrape = gateway.scrape();
    assert_eq!((trades(&scrape), scrape.value("bot_gateway_expired_series_total", &[])), (1.0, Some(1.0)));
    gateway.post(VALUE);
    assert_eq!(gateway.scrape().value("trader_account_value_usd", &[]), Some(1234.5));
}

#[test]
fn what_was_answered_outlives_a_restart_and_a_repeated_post_counts_once() {
    let mut gateway = Gateway::with_state(&[]);
    let named = TRADE.replace("\"add\":1", "\"add\":0.1,\"id\":\"order-7\"");
    assert_eq!(gateway.post(&format!("[{named},{TOOK},{VALUE}]")).status, 200);
    assert_eq!(gateway.post(&named).text(), r#"{"applied":0,"repeated":1}"#);
    let other = gateway.post(&named.replace("buy", "sell"));
    assert_eq!(other.status, 409, "{}", other.text());
    // At once after the answer: nothing may wait for the next turn of the clock.
    gateway.post(TOOK);
    gateway.restart(Signal::TERM);
    let scrape = gateway.scrape();
    assert_eq!(trades(&scrape), 0.1);
    assert_eq!(scrape.value("trader_cycle_duration_seconds_count", &[]), Some(2.0));
    assert_eq!(scrape.value("trader_account_value_usd", &[]), None, "a gauge is nobody's word any more");
    assert_eq!(gateway.post(&named).text(), r#"{"applied":0,"repeated":1}"#);
}

#[test]
fn a_crash_loses_at_most_what_was_not_written_and_never_half_of_it() {
    let mut gateway = Gateway::with_state(&["--state.interval=100ms"]);
    let named = TRADE.replace("\"add\":1", "\"add\":1,\"id\":\"1\"");
    gateway.post(&named);
    let state = gateway.state();
    gateway.until("it is written", |_| {
        fs::read_to_string(&state).is_ok_and(|text| text.contains("trades_executed_total"))
    });
    let numbered = |number: usize| named.replace("\"1\"}", &format!("\"{number}\"}}"));
    for number in 2..200 {
        gateway.post(&numbered(number));
    }
    gateway.restart(Signal::KILL);
    // Whatever it remembers it counted, and what it lost it counts now: with ids nothing is counted twice or never.
    for number in 1..200 {
        assert_eq!(gateway.post(&numbered(number)).status, 200);
    }
    assert_eq!(trades(&gateway.scrape()), 199.0);
}

#[test]
fn a_damaged_state_is_kept_aside_told_and_does_not_stop_it() {
    let mut gateway = Gateway::with_state(&[]);
    gateway.post(TRADE);
    gateway.stop(Signal::TERM);
    let state = gateway.state();
    let mut bytes = fs::read(&state).unwrap();
    bytes.truncate(bytes.len() - 5);
    fs::write(&state, &bytes).unwrap();
    gateway.start();
    assert!(gateway.log().contains("set aside"), "{}", gateway.log());
    let scrape = gateway.scrape();
    assert_eq!((trades(&scrape), scrape.value("bot_gateway_state_set_aside", &[])), (0.0, Some(1.0)));
    assert!(gateway.get("/health").text().contains("degraded"));
    let aside = fs::read_dir(state.parent().unwrap()).unwrap().map(|one| one.unwrap().path());
    let aside: Vec<_> = aside.filter(|path| path.to_str().unwrap().contains(".damaged-")).collect();
    assert_eq!(fs::read(&aside[0]).unwrap(), bytes);
}

#[test]
fn all_at_once_is_counted_to_the_last_one() {
    let gateway = Gateway::new(&[]);
    thread::scope(|scope| {
        for bot in 0..8 {
            let gateway = &gateway;
            scope.spawn(move || {
                for number in 0..60 {
                    let id = format!("\"add\":1,\"id\":\"{}\"", number / 2);
                    let event = TRADE
                        .replace("\"add\":1", &id)
                        .replace("\"symbol\"", &format!("\"bot\":\"b{bot}\",\"symbol\""));
                    assert_eq!(gateway.post(&event).status, 200);
                }
            });
        }
    });
    let scrape = gateway.scrape();
    assert_eq!((trades(&scrape), scrape.value("bot_gateway_repeated_events_total", &[])), (240.0, Some(240.0)));
}

#[test]
fn what_cannot_be_used_ends_the_start_with_one_line_and_status_2() {
    let scratch = fake_venues::stack::Scratch::new("bot-unusable").unwrap();
    let folder = scratch.path();
    fs::write(folder.join("bad.toml"), "[family.x]\ntype = \"gauge\"\nunit = \"s\"\nhelp = \"X.\"\nlabel = 3\n")
        .unwrap();
    fs::write(folder.join("short"), "short\n").unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    for (flags, names) in [
        (vec![format!("--catalogue.dir={}", folder.display())], "bad.toml:5: "),
        (vec!["--catalogue.dir=/nonexistent".into()], "/nonexistent: No such file"),
        (vec![format!("--events.token-file={}", path("absent"))], "absent: No such file"),
        (vec![format!("--events.token-file={}", path("short"))], "token 1 wants 16"),
        (vec![format!("--state.file={}", path("absent/state"))], "absent/state: No such file"),
        (vec![format!("--state.file={}", folder.display())], "wants a file's path"),
        (vec!["--exchange.symbols=BTCUSDT".into()], "--exchange.symbols"),
    ] {
        let (status, said) = outcome(&flags);
        assert_eq!(status, Some(2), "{said}");
        assert!(
            said.starts_with("bot-exporter: ") && said.contains(names) && said.trim().lines().count() == 1,
            "{said}"
        );
    }
    let (status, said) = outcome(&[format!("--catalogue.dir={}", folder.display()), "check-catalogue".into()]);
    assert!(status == Some(2) && said.contains("bad.toml:5: unknown field `label`"), "{said}");
    fs::write(folder.join("bad.toml"), "[family.x]\ntype = \"gauge\"\nunit = \"s\"\nhelp = \"X.\"\n").unwrap();
    let (status, said) = outcome(&[format!("--catalogue.dir={}", folder.display()), "check-catalogue".into()]);
    assert_eq!((status, said.as_str()), (Some(0), "ok: 83 metrics, 4 webhooks\n"));
}

#[test]
fn the_healthcheck_asks_the_running_one() {
    let gateway = Gateway::new(&[]);
    let listen = format!("--web.listen-address=127.0.0.1:{}", gateway.port);
    assert_eq!(outcome(&[listen.clone(), "healthcheck".into()]).0, Some(0));
    drop(gateway);
    assert_eq!(outcome(&[listen, "healthcheck".into()]).0, Some(1));
}

#[tokio::test]
async fn prometheus_scrapes_what_bots_posted() {
    if !have_tools(&["prometheus"]).unwrap() {
        return;
    }
    let gateway = Gateway::new(&[]);
    gateway.post(&format!("[{TRADE},{}]", VALUE.replace("\"set\"", "\"labels\":{\"bot\":\"alpha\"},\"set\"")));
    let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
    suite.start_prometheus_with(&PrometheusSetup::default()).unwrap();
    suite.add_target("bot-exporter", &format!("localhost:{}", gateway.port), &[]).unwrap();
    let port = suite.ports().prometheus();
    let deadline = Instant::now() + PATIENCE;
    let ask = async |expression: &str| prometheus::query(port, expression).await.unwrap_or_default();
    let mut found = Vec::new();
    while found.len() < 2 {
        assert!(Instant::now() < deadline, "{found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        found = ask("trades_executed_total or trader_account_value_usd").await;
    }
    // The bot's own label, and not exported_bot.
    assert_eq!(
        found.iter().filter(|one| one.labels.get("bot").is_some_and(|bot| bot == "alpha")).count(),
        1,
        "{found:?}"
    );
    assert_eq!(ask("up{job=\"bot-exporter\"}").await[0].value, 1.0);
}
