//! docs/alerts.md: what was provoked and what came of it, and every alert there is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use fake_venues::stack::repository;
use serde_json::Value;

use crate::compress::read;
use crate::play::Case;

const HEAD: &str = "# Alerts

Made by `tests/tests/alerts_matrix.rs` (`UPDATE=1 cargo test -p tests --test alerts_matrix`). [Rules](../prometheus/alerts/), [who is told](alertmanager.md),
[what to do](runbooks/).

## What leads to what

Each line was played: the real exporters against fake venues that fail in this way, bots that post to the real gateway or are scraped, Prometheus with the rules and
alerts of this repository, Alertmanager with its routes and inhibitions, and a receiver that notes every message. All that is listed arrived there and
nothing else did; each message had its severity and a link to its runbook that Prometheus answered; after the recovery
each alert was told to be over. *Kept back* fired as well, and was not sent because of the others. What *may* arrive depends on the moment: a
warning that comes before the critical alert that keeps it back, or that outlasts it.

The run goes twenty times as fast: every `for`, window and interval of rules, alerts and routes is divided. Thresholds are as they are, but for
numbers of seconds and of scrapes in `ExchangeAccountStale`, `ExchangeAuthFailing`, `ExchangePriceStale`, `BotSilent` and `BotAgentDown`, and the six hours of
`BotCascadeStalled`, which are ten minutes (`NUMBERS` in `tests/tests/matrix/stage.rs`); exporters ask and give up sooner by their flags. The last two columns are seconds of one such run, with
Alertmanager's waits (half a minute before a message, five minutes between messages).

| fault | at | arrives | kept back | sent after | over after |
|---|---|---|---|---|---|
";

/// One alert as the repository defines it.
struct Alert {
    file: &'static str,
    name: String,
    severity: String,
    wait: String,
    keeps: String,
    summary: String,
}

/// All alerts, in the order of the files.
fn alerts() -> Vec<Alert> {
    let mut all = Vec::new();
    for file in ["venue", "account", "bots", "bots_trader", "host", "monitoring"] {
        let path = repository().join(format!("prometheus/alerts/{file}.yml"));
        let Ok(text) = fs::read_to_string(path) else { continue };
        let yaml = read(&text);
        let groups = yaml["groups"].as_array().into_iter().flatten();
        for rule in groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()) {
            let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
            all.push(Alert {
                file,
                name: text(&rule["alert"]),
                severity: text(&rule["labels"]["severity"]),
                wait: text(&rule["for"]),
                keeps: text(&rule["keep_firing_for"]),
                summary: text(&rule["annotations"]["summary"]),
            });
        }
    }
    all
}

/// The page, with the times of a run: until the last alert of a case was sent, and from the recovery until the last was over.
pub fn page(cases: &[&Case], times: &[(Duration, Duration)]) -> String {
    let alerts = alerts();
    let known: BTreeMap<&str, &Alert> = alerts.iter().map(|alert| (alert.name.as_str(), alert)).collect();
    let told = |names: &[&str]| {
        let one = |name: &&str| {
            let alert = known.get(name).unwrap_or_else(|| panic!("there is no alert {name}"));
            let wait = if alert.wait.is_empty() { "at once" } else { &alert.wait };
            format!("`{name}` ({}, {wait})", alert.severity)
        };
        names.iter().map(one).collect::<Vec<_>>().join("<br>")
    };
    let mut page = HEAD.to_owned();
    for (place, case) in cases.iter().enumerate() {
        let mut arrives = if case.fires.is_empty() { "nothing".to_owned() } else { told(case.fires) };
        if !case.may.is_empty() {
            let _ = write!(arrives, "<br>*may:* {}", told(case.may));
        }
        let seconds = |time: Option<Duration>| match time {
            Some(time) if !case.fires.is_empty() => format!("{:.0} s", time.as_secs_f64()),
            _ => String::new(),
        };
        let (sent, over) = times.get(place).copied().unzip();
        let (fault, at, kept) = (case.fault, case.place.name(), told(case.kept));
        let _ = writeln!(page, "| {fault} | {at} | {arrives} | {kept} | {} | {} |", seconds(sent), seconds(over));
    }
    page += "\n## All alerts\n\nProof *end to end*: in the table above. The others have their tests in [prometheus/tests](../prometheus/tests/), run by `promtool test rules`, as those above do.\n";
    let mut file = "";
    for alert in &alerts {
        if alert.file != file {
            file = alert.file;
            let _ = write!(
                page,
                "\n### {file}.yml\n\n| alert | severity | for | keeps firing | means | proof |\n|---|---|---|---|---|---|\n"
            );
        }
        let Alert { name, severity, wait, keeps, summary, .. } = alert;
        let played = |case: &&Case| case.fires.contains(&name.as_str()) || case.kept.contains(&name.as_str());
        let proof = if name == "Watchdog" || cases.iter().any(played) { "end to end" } else { "promtool only" };
        let _ =
            writeln!(page, "| [{name}](runbooks/{name}.md) | {severity} | {wait} | {keeps} | {summary} | {proof} |");
    }
    page
}

/// Where the page lies.
pub fn path() -> PathBuf {
    repository().join("docs/alerts.md")
}

/// The page without the times, which are another's next time.
pub fn timeless(page: &str) -> String {
    let is_time = |cell: &str| {
        cell.trim().is_empty() || cell.trim().strip_suffix(" s").is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let line = |line: &str| {
        let cells: Vec<&str> = line.trim_end_matches('|').split('|').collect();
        let timed = cells.len() == 7 && cells[5..].iter().all(|cell| is_time(cell));
        if timed { cells[..5].join("|") } else { line.to_owned() }
    };
    page.lines().map(line).collect::<Vec<_>>().join("\n")
}
