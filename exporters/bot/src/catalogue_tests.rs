//! What a catalogue may declare, and what it then lets through.

use super::*;
use crate::event::{Event, Fields};
use crate::refusal::{Reason, Refusal};
use serde_json::value::RawValue;

fn of(text: &str) -> Result<Catalogue, Vec<String>> {
    Catalogue::of(&[("test.toml".to_owned(), text.to_owned())])
}

fn family(name: &str, more: &str) -> String {
    format!("[family.{name}]\nunit = \"things\"\nhelp = \"Things.\"\n{more}\n")
}

fn check(catalogue: &Catalogue, event: &str) -> Result<Change, Refusal> {
    let raw: &RawValue = serde_json::from_str(event).unwrap();
    catalogue.check(&Event::read(raw)?)
}

#[test]
fn what_is_compiled_in_is_sound() {
    let all = Catalogue::read(None).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(all.families.len() > 80, "{}", all.families.len());
    let hooks: Vec<&str> = all.webhooks.keys().map(String::as_str).collect();
    assert_eq!(hooks, ["chunk_executed", "docker_allocated", "task_split", "timeout"]);
}

/// The names that users' bots and dashboards have: none may get lost.
#[test]
fn every_name_that_was_asked_for_is_there() {
    let names = "bot_slots_active bot_cycles_completed_total bot_slot_status bot_slot_pnl_usd bot_slot_allocation_usd \
        bot_slot_drawdown_pct bot_slot_win_rate bot_slot_trades_total bot_cascade_transfers_total \
        bot_cascade_transfer_amount_usd agent_running agent_decisions_total agent_consensus_approved_total \
        agent_consensus_confidence_avg agent_drawdown_pct agent_risk_blocked_total agent_decision_latency_ms slot_state \
        slot_state_changes_total arb_legs_success_total arb_legs_fail_total arb_legs_hedge_total arb_pnl_realized \
        arb_pnl_unrealized ia_agent_status ia_agent_confidence ia_agent_errors_total ia_agent_decisions_total \
        ia_agent_decision_latency_seconds task_split_total task_split_chunks_total timeout_events_total \
        fallback_depth_exceeded_total task_execution_seconds chunk_execution_seconds task_success_total task_failure_total \
        agent_active_tasks agent_tasks_executed_total docker_container_cpu_limit docker_container_memory_limit_bytes \
        docker_elastic_adjustment_total merge_deduplication_total merge_chunks_combined_total http_requests_total \
        http_request_duration_seconds http_requests_in_progress eventbus_messages_published_total \
        eventbus_messages_consumed_total eventbus_message_processing_duration_seconds eventbus_queue_lag \
        trades_executed_total trade_execution_duration_seconds positions_open portfolio_value_usd signals_generated_total \
        risk_checks_total emergency_stop_triggered_total policy_violations_total redis_operations_total \
        redis_operation_duration_seconds database_operations_total service_health_status dependency_health_status \
        trader_account_value_usd trader_daily_pnl_usd trader_pnl_pct trader_trades_total trader_max_drawdown_pct \
        trader_open_positions trader_exposure_pct trader_position_value_usd trader_risk_rejections_total \
        trader_circuit_breaker_trips_total trader_orders_placed_total trader_orders_filled_total \
        trader_orders_canceled_total trader_order_fill_ratio trader_api_latency_seconds trader_api_errors_total \
        trader_cycle_duration_seconds trader_data_staleness_seconds";
    let all = Catalogue::read(None).unwrap();
    let missing: Vec<&str> = names.split_whitespace().filter(|name| all.find(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(names.split_whitespace().count(), all.families.len(), "and nothing else");
}

#[test]
fn what_cannot_be_declared_is_told_with_file_line_and_field() {
    let gauge = "type = \"gauge\"";
    let cases = [
        (family("a-b", gauge), "test.toml:1: family.a-b: is no name"),
        (family("exchange_x", gauge), "exchange_"),
        (family("okx_x", gauge), "okx_"),
        (family("process_x", gauge), "process_"),
        (family("up", gauge), "up"),
        (family("x", "type = \"counter\""), "counters end in _total"),
        (family("x_total", gauge), "is for counters"),
        (family("x_bucket", gauge), "_bucket"),
        (family("x_info", gauge), "_info"),
        (family("x", &format!("{gauge}\nlabels.le = 3")), "labels.le: is set by"),
        (family("x", &format!("{gauge}\nlabels.bot = 3")), "labels.bot: every metric has it"),
        (family("x", &format!("{gauge}\nlabels.__x = 3")), "labels.__x: is no name"),
        (family("x", &format!("{gauge}\noptional.bot = 3")), "optional.bot: every metric has it"),
        (family("x", &format!("{gauge}\noptional.a = 0")), "optional.a: wants at least one value"),
        (family("x", &format!("{gauge}\nlabels.a = 3\noptional.a = 3")), "optional.a: is among the labels"),
        (family("x", &format!("{gauge}\nlabels.a = 0")), "labels.a: wants at least one value"),
        (family("x", &format!("{gauge}\nlabels.a = []")), "labels.a: wants at least one value"),
        (family("x", &format!("{gauge}\nlabels.a = [\"\"]")), "labels.a: is empty"),
        (family("x", &format!("{gauge}\nlabels.a = [\"b\", \"b\"]")), "labels.a: has a value twice"),
        (family("x", &format!("{gauge}\nbuckets = [1]")), "buckets: only a histogram"),
        (family("x", "type = \"histogram\""), "buckets: wants"),
        (family("x", "type = \"histogram\"\nbuckets = [2, 1]"), "buckets: wants 1 to 100 rising"),
        (family("x", &format!("{gauge}\nmin = 2\nmax = 1")), "min: is not below max"),
        (family("x_total", "type = \"counter\"\nmin = 2"), "neither min nor max"),
        (family("x", "type = \"summary\""), "test.toml:4: "),
        (family("x", &format!("{gauge}\nunits = \"s\"")), "units"),
        ("[families.x]".into(), "families"),
        ("a = ".into(), "test.toml:1: "),
        ("[family.x]\ntype = \"gauge\"\nunit = \"s\"\nhelp = \"no stop\"".into(), "family.x.help: wants a sentence"),
        (
            "[family.x]\ntype = \"gauge\"\nunit = \"s\"\nhelp = \"A \\\"word\\\".\"".into(),
            "family.x.help: wants one line",
        ),
        ("[family.x]\ntype = \"gauge\"\nunit = \"\"\nhelp = \"A.\"".into(), "family.x.unit"),
        (format!("{}{}", family("x", gauge), family("x_total", "type = \"counter\"")), "the same name in OpenMetrics"),
    ];
    for (text, names) in cases {
        let errors = of(&text).map(|_| ()).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(names) && errors[0].starts_with("test.toml:"), "{names}: {errors:?}");
        assert!(!errors[0].contains('\n'), "{errors:?}");
    }
}

#[test]
fn the_same_twice_is_once_and_something_else_is_an_error() {
    let one = ("a.toml".to_owned(), family("x", "type = \"gauge\""));
    let again = ("b.toml".to_owned(), format!("\n{}", one.1));
    assert_eq!(Catalogue::of(&[one.clone(), again]).unwrap().families.len(), 1);
    let other = ("b.toml".to_owned(), family("x", "type = \"gauge\"\nmin = 0"));
    let errors = Catalogue::of(&[one, other]).map(|_| ()).unwrap_err();
    assert!(errors[0].starts_with("b.toml:1: family.x: is declared otherwise at a.toml:1"), "{errors:?}");
}

#[test]
fn an_event_is_held_against_its_declaration() {
    let all = of(&[
        family("deals_total", "type = \"counter\"\nlabels.side = [\"buy\", \"sell\"]\nlabels.symbol = 9"),
        family("share", "type = \"gauge\"\nmin = 0\nmax = 1"),
        family("delay_seconds", "type = \"histogram\"\nbuckets = [1]\nmin = 0"),
    ]
    .concat())
    .unwrap();
    let deal = |more: &str| format!(r#"{{"metric":"deals_total","labels":{{"side":"buy","symbol":"BTC"}},{more}}}"#);
    let change = check(&all, &deal("\"add\":2")).unwrap();
    assert_eq!(change.labels.to_vec(), ["", "buy", "BTC"].map(Box::from));
    assert!(check(&all, r#"{"metric":"share","labels":{"bot":"a"},"set":1}"#).is_ok());
    let long = "x".repeat(200);
    let cases = [
        (deal("\"set\":2"), Reason::Type, "set: deals_total is a counter, which wants add"),
        (deal("\"add\":-1"), Reason::Value, "add: -1: a counter only rises"),
        (deal("\"add\":1e999"), Reason::Value, "add: is too large"),
        (deal("\"add\":1e16"), Reason::Value, "at once"),
        (r#"{"metric":"share","set":85}"#.into(), Reason::Value, "set: 85 is above 1"),
        (r#"{"metric":"delay_seconds","observe":-0.5}"#.into(), Reason::Value, "observe: -0.5 is below 0"),
        (
            r#"{"metric":"deals","add":1}"#.into(),
            Reason::Unknown,
            "metric: \"deals\" is not in the catalogue; is it deals_total?",
        ),
        (
            r#"{"metric":"deals_total","labels":{"side":"buy"},"add":1}"#.into(),
            Reason::Label,
            "labels.symbol: is missing",
        ),
        (deal("\"add\":1").replace("buy", "hold"), Reason::Label, "labels.side: \"hold\" is none of buy, sell"),
        (
            deal("\"add\":1").replace("symbol", "pair"),
            Reason::Label,
            "labels.pair: deals_total has no such label; it has bot, side, symbol",
        ),
        (deal("\"add\":1").replace("BTC", ""), Reason::Label, "labels.symbol: is empty"),
        (deal("\"add\":1").replace("BTC", "a\\nb"), Reason::Label, "control character"),
        (deal("\"add\":1").replace("BTC", &long), Reason::Label, "longer than 128 bytes"),
    ];
    for (event, reason, names) in cases {
        let refusal = check(&all, &event).unwrap_err();
        assert!(refusal.reason == reason && refusal.to_string().contains(names), "{event}: {refusal}");
        assert!(refusal.to_string().len() < 200, "{refusal}");
    }
}

#[test]
fn an_optional_label_may_be_left_out_and_is_held_against_its_declaration_where_it_is_not() {
    let all = of(&family(
        "deals_total",
        "type = \"counter\"\nlabels.side = 3\noptional.venue = [\"okx\"]\noptional.account = 9",
    ));
    let all = all.unwrap();
    let labels = |labels: &str| {
        let change = check(&all, &format!(r#"{{"metric":"deals_total","labels":{labels},"add":1}}"#));
        change.map(|change| change.labels.join("|")).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(labels(r#"{"side":"buy"}"#).unwrap(), "||buy|");
    assert_eq!(labels(r#"{"side":"buy","venue":"okx","bot":"a"}"#).unwrap(), "a||buy|okx");
    assert_eq!(labels(r#"{"side":"buy","account":"main"}"#).unwrap(), "|main|buy|");
    for (wrong, names) in [
        (r#"{"venue":"okx"}"#, "labels.side: is missing"),
        (r#"{"side":"buy","venue":"ftx"}"#, "labels.venue: \"ftx\" is none of okx"),
        (r#"{"side":"buy","account":""}"#, "labels.account: is empty"),
    ] {
        let refusal = labels(wrong).unwrap_err();
        assert!(refusal.contains(names), "{refusal}");
    }
}

/// A trader says which account its figures are about, or does not.
#[test]
fn every_figure_of_a_trader_may_name_its_account() {
    let all = Catalogue::read(None).unwrap();
    let named = |name: &str| name.starts_with("trader_") || ["portfolio_value_usd", "positions_open"].contains(&name);
    for family in &all.families {
        let optional: Vec<&str> =
            family.labels.iter().filter(|label| label.optional).map(|label| label.name.as_str()).collect();
        let expected: &[&str] = if named(&family.name) { &["bot", "account", "exchange"] } else { &["bot"] };
        assert_eq!(optional, expected, "{}", family.name);
    }
}

const HOOK: &str = r#"
[webhook.done]
help = "A thing was done."
fields = { agent = "text", seconds = "number", retries = "number?", venue = "text?", note = "ignored" }
[[webhook.done.change]]
metric = "done_total"
labels = { agent = "$agent" }
add = 1
[[webhook.done.change]]
metric = "retries_total"
add = "$retries"
[[webhook.done.change]]
metric = "took_seconds"
labels = { venue = "$venue" }
observe = "$seconds"
"#;

fn hooked() -> String {
    let families = [
        family("done_total", "type = \"counter\"\nlabels.agent = 5"),
        family("retries_total", "type = \"counter\""),
        family("took_seconds", "type = \"histogram\"\nbuckets = [1]\nmin = 2\noptional.venue = 5"),
    ];
    format!("{}{HOOK}", families.concat())
}

#[test]
fn a_webhook_becomes_the_events_that_its_fields_allow() {
    let all = of(&hooked()).unwrap();
    let events = |object: &str| {
        let raw: &RawValue = serde_json::from_str(object).unwrap();
        let fields = Fields::read(raw)?;
        let (events, id) = all.webhooks["done"].events(&fields)?;
        let told = |event: &Event<'_>| format!("{} {:?} {}", event.metric, event.operation, event.labels.len());
        let told = events.iter().map(told).collect::<Vec<_>>();
        Ok::<_, Refusal>((told, id.map(|id| id.into_owned())))
    };
    let (told, id) = events(r#"{"agent":"a","seconds":2.5,"note":{"any":1},"id":"x"}"#).unwrap();
    assert_eq!(told, ["done_total Add(1.0) 1", "took_seconds Observe(2.5) 0"]);
    assert_eq!(id.as_deref(), Some("x"));
    assert_eq!(events(r#"{"agent":"a","seconds":2,"retries":3}"#).unwrap().0.len(), 3);
    assert_eq!(events(r#"{"agent":"a","seconds":2,"venue":"okx"}"#).unwrap().0[1], "took_seconds Observe(2.0) 1");
    for (object, names) in [
        (r#"{"agent":"a"}"#, "seconds: is missing"),
        (r#"{"agent":"a","seconds":"2"}"#, "seconds: wants a number"),
        (r#"{"agent":3,"seconds":2}"#, "agent: wants a text"),
        (r#"{"agent":"a","seconds":2,"second":2}"#, "\"second\" is no field of this webhook"),
    ] {
        let refusal = events(object).unwrap_err();
        assert!(refusal.to_string().contains(names), "{refusal}");
    }
}

#[test]
fn a_webhook_that_could_never_work_is_no_webhook() {
    let cases = [
        (
            "metric = \"retries_total\"",
            "metric = \"tries_total\"",
            "change[1].metric: tries_total is not in the catalogue",
        ),
        ("add = \"$retries\"", "add = \"$tries\"", "change[1]: $tries is no number"),
        ("add = \"$retries\"", "set = 1", "change[1]: wants add for a counter"),
        ("add = \"$retries\"", "", "change[1]: wants add for a counter"),
        ("\"$agent\"", "\"$seconds\"", "change[0].labels.agent: $seconds is no text"),
        ("labels = { agent = \"$agent\" }", "", "change[0].labels.agent: is missing"),
        ("labels = { agent", "labels = { agnt", "change[0].labels.agnt"),
        ("add = 1", "add = -1", "a counter only rises"),
        ("note =", "id =", "fields.id: every webhook has it"),
        ("\"text\"", "\"texts\"", "texts"),
    ];
    for (from, to, names) in cases {
        let text = hooked();
        assert!(text.contains(from));
        let errors = of(&text.replacen(from, to, 1)).map(|_| ()).unwrap_err();
        assert!(errors[0].contains(names), "{to}: {errors:?}");
    }
}
