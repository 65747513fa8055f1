//! Rules and alerts keep what they promise: names that exist, runbooks, tests of both kinds. What they compute is tested by
//! promtool, in prometheus/tests.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bot::catalogue::Catalogue;
use bot::show::OWN;
use common::metrics::vocabulary::{ALL, COLUMNS, COMPAT, Type};
use fake_venues::stack::{VENUES, repository};
use promql_parser::parser::{Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Metrics of others that alerts are made of, by prefix.
const FOREIGN_PREFIXES: [&str; 12] = [
    "alertmanager_",
    "container_",
    "go_",
    "grafana_",
    "machine_",
    "mongodb_",
    "node_",
    "probe_",
    "process_",
    "prometheus_",
    "redis_",
    "scrape_",
];
/// Those that Prometheus makes itself.
const FOREIGN: [&str; 3] = ["ALERTS", "ALERTS_FOR_STATE", "up"];
/// Fires always, so there is no case in which it does not.
const ALWAYS: &str = "Watchdog";

#[derive(Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    record: Option<String>,
    alert: Option<String>,
    expr: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TestFile {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    alert_rule_test: Vec<AlertTest>,
    #[serde(default)]
    promql_expr_test: Vec<ExprTest>,
}

#[derive(Deserialize)]
struct AlertTest {
    alertname: String,
    exp_alerts: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct ExprTest {
    expr: String,
    exp_samples: Option<Vec<IgnoredAny>>,
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    assert!(!files.is_empty(), "{folder} holds no .{extension}");
    files.sort();
    files
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Every rule of a folder, with its file's name.
fn rules(folder: &str) -> Vec<(String, Rule)> {
    let of = |path: PathBuf| {
        let rules = read::<RuleFile>(&path).groups.into_iter().flat_map(|group| group.rules);
        rules.map(|rule| (stem(&path), rule)).collect::<Vec<_>>()
    };
    files(folder, "yml").into_iter().flat_map(of).collect()
}

fn recorded() -> Vec<(String, String)> {
    rules("prometheus/rules").into_iter().map(|(file, rule)| (file, rule.record.unwrap())).collect()
}

fn alerts() -> Vec<(String, String, Rule)> {
    let alerts = rules("prometheus/alerts").into_iter();
    alerts.map(|(file, mut rule)| (file, rule.alert.take().unwrap(), rule)).collect()
}

fn cases() -> Vec<Case> {
    files("prometheus/tests", "yml").iter().flat_map(|path| read::<TestFile>(path).tests).collect()
}

/// The metric names of an expression.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn of(expression: &str) -> BTreeSet<String> {
        let parsed = parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut names = Self::default();
        walk_expr(&mut names, &parsed).unwrap();
        names.0
    }

    fn selector(&mut self, selector: &VectorSelector) {
        self.0.extend(selector.name.clone());
    }
}

impl ExprVisitor for Names {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            _ => {}
        }
        Ok(true)
    }
}

/// The series of a metric: those of a histogram are its parts.
fn series(name: &str, kind: Type) -> Vec<String> {
    match kind {
        Type::Histogram => ["_bucket", "_count", "_sum"].map(|part| format!("{name}{part}")).to_vec(),
        _ => vec![name.to_owned()],
    }
}

/// What bots may say.
fn catalogue() -> BTreeSet<String> {
    let families = Catalogue::read(None).unwrap().families;
    families.iter().flat_map(|family| series(&family.name, family.shown_as())).collect()
}

/// What our exporters export, compatibility names and the parts of histograms with it, and what bots and their gateway do.
fn vocabulary() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ALL.iter().flat_map(|metric| series(metric.name, metric.kind)).collect();
    names.extend(catalogue());
    names.extend(OWN.iter().map(|(name, ..)| (*name).to_owned()));
    let compat = COLUMNS.iter().filter_map(|column| column.compat.as_ref()).chain(COMPAT.iter().copied());
    for compat in compat {
        names.extend(VENUES.iter().map(|venue| compat.name(venue.name)));
    }
    names
}

fn is_word(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c))
}

#[test]
fn every_name_in_an_expression_exists() {
    let (exported, recorded) = (vocabulary(), recorded().into_iter().map(|(_, name)| name).collect::<BTreeSet<_>>());
    let foreign =
        |name: &str| FOREIGN.contains(&name) || FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    for (file, rule) in rules("prometheus/rules").into_iter().chain(rules("prometheus/alerts")) {
        let names = Names::of(&rule.expr);
        assert!(!names.is_empty() || rule.alert.as_deref() == Some(ALWAYS), "{file}: {} is about nothing", rule.expr);
        for name in names {
            let known = exported.contains(&name) || recorded.contains(&name) || foreign(&name);
            assert!(known, "{file}: nobody tells {name}, asked for by {:?}", rule.record.or(rule.alert));
        }
    }
}

/// What bots' metrics begin with, where rules are derived from them.
const BOTS: [&str; 5] = ["agent_", "bot_", "task_", "timeout_", "trader_"];

#[test]
fn recorded_names_follow_the_ecosystem() {
    let catalogue = catalogue();
    for (file, name) in recorded() {
        // Names of before: of users' dashboards, and of bots for what the exchange says of the same.
        if file == "compatibility" || file == "bots" && name.starts_with("maveretta:") {
            let rest = name.strip_prefix("maveretta:").unwrap_or_else(|| panic!("{name} is no name of before"));
            assert!(is_word(rest, "_"), "{name}");
            continue;
        }
        if file == "trader" && catalogue.contains(&name) {
            continue;
        }
        let [level, metric, operation] = name.split(':').collect::<Vec<_>>()[..] else {
            panic!("{file}: {name} is not level:metric:operation")
        };
        assert!(is_word(level, "_") && is_word(operation, "_"), "{file}: {name}");
        let prefixes = if file == "bots" { &BOTS[..] } else { &["exchange_"] };
        let known = prefixes.iter().any(|prefix| metric.starts_with(prefix));
        assert!(is_word(metric, "_") && known, "{file}: {name}: one prefix");
        assert!(!metric.ends_with("_total"), "{file}: {name}: a rate is no total");
    }
}

#[test]
fn every_recorded_name_is_documented_and_no_other() {
    let page = fs::read_to_string(repository().join("docs/recording-rules.md")).unwrap();
    let told: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split('`').map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| name.contains(':') || name.starts_with("trader_"))
        .collect();
    let recorded: BTreeSet<String> = recorded().into_iter().map(|(_, name)| name).collect();
    assert_eq!(told, recorded);
}

/// With a value: a rule that is gone, or that records nothing, fails its test.
#[test]
fn every_recorded_name_is_tested() {
    let tests = cases().into_iter().flat_map(|case| case.promql_expr_test);
    let told = tests.filter(|test| test.exp_samples.as_ref().is_some_and(|samples| !samples.is_empty()));
    let tested: BTreeSet<String> = told.flat_map(|test| Names::of(&test.expr)).collect();
    for (file, name) in recorded() {
        assert!(tested.contains(&name), "{file}: no test expects a value of {name}");
    }
}

/// Two that say the same under one name must be told apart: what the exchange says of a trader has a source, and bots have none.
#[test]
fn what_exchanges_say_under_bots_names_has_a_source() {
    let catalogue = catalogue();
    let rules = rules("prometheus/rules").into_iter();
    let shared: Vec<_> =
        rules.filter(|(_, rule)| rule.record.as_ref().is_some_and(|name| catalogue.contains(name))).collect();
    assert!(!shared.is_empty());
    for (file, rule) in &shared {
        assert_eq!(rule.labels.get("source").map(String::as_str), Some("exchange"), "{file}: {:?}", rule.record);
    }
    let shared: BTreeSet<&str> = shared.iter().filter_map(|(_, rule)| rule.record.as_deref()).collect();
    for (file, name, rule) in alerts() {
        for shared in Names::of(&rule.expr).iter().filter(|name| shared.contains(name.as_str())) {
            let (all, own) = (rule.expr.matches(shared.as_str()).count(), format!("{shared}{{source=\"\"}}"));
            assert_eq!(rule.expr.matches(&own).count(), all, "{file}: {name} also looks at what the exchange says");
        }
    }
}

/// PromQL cannot say "all but me": the rule stands there once a venue.
#[test]
fn every_venue_is_compared_with_the_others() {
    let name = "venue_symbol:exchange_mid_price:median_of_others";
    let rules = rules("prometheus/rules").into_iter().map(|(_, rule)| rule);
    let mut compared = BTreeSet::new();
    for rule in rules.filter(|rule| rule.record.as_deref() == Some(name)) {
        let venue = rule.labels.get("exchange").unwrap().clone();
        assert_eq!(rule.expr.matches(&format!(r#"{{exchange!="{venue}"}}"#)).count(), 2, "{venue}: {}", rule.expr);
        compared.insert(venue);
    }
    let folders = fs::read_dir(repository().join("exporters")).unwrap();
    // A venue has a market; the bot gateway has none.
    let venues = folders.map(Result::unwrap).filter(|entry| entry.path().join("src/market.rs").is_file());
    let venues = venues.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(compared, venues);
}

#[test]
fn every_alert_tells_what_is_wrong_where_and_what_to_do() {
    let mut seen = BTreeSet::new();
    for (file, name, rule) in alerts() {
        assert!(seen.insert(name.clone()), "{name} stands there twice");
        let upper = name.chars().next().is_some_and(|c| c.is_ascii_uppercase());
        assert!(upper && name.chars().all(|c| c.is_ascii_alphanumeric()), "{name} is not CamelCase");
        let label = |label: &str| rule.labels.get(label).map(String::as_str).unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&label("severity")), "{name}: severity");
        let scope = if file.starts_with("bots") { "bot" } else { &file };
        assert_eq!(label("scope"), scope, "{name}: the scope is that of its file");
        assert!(is_word(label("topic"), "-"), "{name}: topic");
        let annotation = |name: &str| rule.annotations.get(name).map(|text| text.trim()).unwrap_or_default();
        let summary = annotation("summary");
        assert!(summary.ends_with('.') && !summary.contains("{{"), "{name}: the summary is one static sentence");
        assert!(annotation("description").ends_with('.'), "{name}: a description, of whole sentences");
        let told = name == ALWAYS || annotation("description").contains("{{");
        assert!(told, "{name}: the description says where, and how much");
        assert_eq!(annotation("runbook_url"), format!("{{{{ $externalURL }}}}/user/{name}.md"));
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let names: BTreeSet<String> = alerts().into_iter().map(|(_, name, _)| name).collect();
    let pages = files("docs/runbooks", "md").into_iter().filter(|path| stem(path) != "README");
    let mut told = BTreeSet::new();
    for page in pages {
        let (name, text) = (stem(&page), fs::read_to_string(&page).unwrap());
        assert_eq!(text.lines().next(), Some(format!("# {name}").as_str()));
        assert!(text.lines().count() > 10, "{name}: a runbook says what to do");
        told.insert(name);
    }
    assert_eq!(told, names);
}

#[test]
fn every_alert_is_tested_for_firing_and_for_silence() {
    let (mut fires, mut silent) = (BTreeSet::new(), BTreeSet::from([ALWAYS.to_owned()]));
    for test in cases().into_iter().flat_map(|case| case.alert_rule_test) {
        let some = test.exp_alerts.is_some_and(|alerts| !alerts.is_empty());
        if some { &mut fires } else { &mut silent }.insert(test.alertname);
    }
    let alerts: BTreeSet<String> = alerts().into_iter().map(|(_, name, _)| name).collect();
    let untested = |tested: &BTreeSet<String>| alerts.difference(tested).cloned().collect::<Vec<_>>();
    assert_eq!(untested(&fires), Vec::<String>::new(), "no test in which these fire");
    assert_eq!(untested(&silent), Vec::<String>::new(), "no test in which these are silent");
}
