//! Alertmanager's configuration: harmless as it is shipped, right with everything that a user may uncomment; where alerts go; what
//! messages say.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use fake_venues::stack::{Scratch, find_tool, have_tools, repository};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a user may want, and uncomments: all blocks of one word belong together.
const WISHES: [&str; 6] = ["pagerduty", "slack", "telegram", "email", "webhook", "okx"];

/// Settings that are commented out: `#` and no blank, while prose has one blank.
fn is_setting(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix('#') else { return false };
    !rest.is_empty() && (!rest.starts_with(' ') || rest.starts_with("  "))
}

/// The wish that a block belongs to, by its first line. One that is not known here is not tested, so it fails.
fn wish(first: &str) -> &'static str {
    let first = first.trim_start().trim_start_matches('#');
    match first {
        "global:" => "email",
        r#"- matchers: [exchange="okx"]"# | "- name: okx" => "okx",
        _ => {
            let kind = first.strip_suffix("_configs:");
            let known = WISHES.into_iter().find(|wish| kind == Some(wish));
            known.unwrap_or_else(|| panic!("a block that no wish asks for: {first}"))
        }
    }
}

/// The configuration with the blocks of these wishes in force, and how many blocks there are of each.
fn with(config: &str, wishes: &[&str]) -> (String, usize) {
    let (mut result, mut within, mut blocks) = (String::new(), None, 0);
    for line in config.lines() {
        let begins = is_setting(line) && !line.trim_start().starts_with("# ");
        within = if begins { Some(wish(line)) } else { within.filter(|_| is_setting(line)) };
        let wanted = within.is_some_and(|within| wishes.contains(&within));
        blocks += usize::from(begins && wanted);
        result += &if wanted { line.replacen('#', "", 1) } else { line.to_owned() };
        result.push('\n');
    }
    (result, blocks)
}

fn shipped() -> PathBuf {
    repository().join("alertmanager/alertmanager.yml")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Checks a configuration, and tries routes on it.
fn check(config: &Path, cases: &Path) -> Result<(), String> {
    let output = Command::new(repository().join("scripts/check-routes")).args([config, cases]).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(said(&output)) }
}

#[test]
fn as_shipped_it_is_valid_and_tells_nobody() {
    let config = fs::read_to_string(shipped()).unwrap();
    let in_force: String = config.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    assert!(!in_force.contains("_configs") && !in_force.contains("_file"), "a user without secrets gets errors");
    if have_tools(&["amtool"]).unwrap() {
        check(&shipped(), &repository().join("alertmanager/routes.tests")).unwrap();
    }
}

#[test]
fn everything_that_can_be_uncommented_is_valid_alone_and_together() {
    if !have_tools(&["amtool"]).unwrap() {
        return;
    }
    let scratch = Scratch::new("alertmanager").unwrap();
    symlink(repository().join("alertmanager/templates"), scratch.path().join("templates")).unwrap();
    let source = fs::read_to_string(shipped()).unwrap();
    let cases = fs::read_to_string(repository().join("alertmanager/routes.tests")).unwrap();
    let alone = WISHES.iter().map(|wish| vec![*wish]);
    for wishes in alone.chain([WISHES.to_vec()]) {
        let (config, blocks) = with(&source, &wishes);
        assert!(blocks > 0, "nothing to uncomment for {wishes:?}");
        let path = scratch.path().join("alertmanager.yml");
        fs::write(&path, &config).unwrap();
        // A venue's own route takes all that is about the venue, and nothing else.
        let own = wishes.contains(&"okx");
        let moved = |line: &str| match line.split_once(": ") {
            Some((_, labels)) if own && labels.contains("exchange=okx") => format!("okx: {labels}\n"),
            _ => format!("{line}\n"),
        };
        let moved_cases = scratch.path().join("routes.tests");
        fs::write(&moved_cases, cases.lines().map(moved).collect::<String>()).unwrap();
        check(&path, &moved_cases).unwrap_or_else(|why| panic!("{wishes:?}: {why}"));
    }
    let (everything, _) = with(&source, &WISHES);
    assert!(!everything.lines().any(is_setting), "a setting that no wish puts in force");
}

/// A secret in the file itself would end up in version control.
#[test]
fn secrets_come_from_files_of_one_folder() {
    let (config, _) = with(&fs::read_to_string(shipped()).unwrap(), &WISHES);
    let mut files = BTreeSet::new();
    for line in config.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((name, value)) = line.trim().trim_start_matches("- ").split_once(": ") else { continue };
        let inline =
            ["api_url", "url", "routing_key", "service_key", "bot_token", "auth_password", "smtp_auth_password"];
        assert!(!inline.contains(&name), "{line}");
        if name.ends_with("_file") {
            files.insert(value.strip_prefix("/etc/alertmanager/secrets/").unwrap_or_else(|| panic!("{line}")));
        }
    }
    let guide = fs::read_to_string(repository().join("docs/alertmanager.md")).unwrap();
    for file in files {
        assert!(
            guide.contains(&format!("secrets/alertmanager/{file}")),
            "docs/alertmanager.md does not explain {file}"
        );
    }
}

#[test]
fn a_route_that_leads_elsewhere_is_found() {
    if !have_tools(&["amtool"]).unwrap() {
        return;
    }
    let scratch = Scratch::new("alertmanager").unwrap();
    let cases = scratch.path().join("routes.tests");
    fs::write(&cases, "info: alertname=A severity=critical\n").unwrap();
    assert!(check(&shipped(), &cases).unwrap_err().contains("1 of 1 cases go elsewhere"));
    fs::write(&cases, "# nothing\n").unwrap();
    assert!(check(&shipped(), &cases).unwrap_err().contains("no cases"));
}

/// Each template, with two venues' alerts in one message: the words that count, in their order.
#[test]
fn messages_say_what_happened_where_and_what_to_do() {
    if !have_tools(&["amtool"]).unwrap() {
        return;
    }
    const RUNBOOK: &str = "http://localhost:9090/user/ExchangePriceStale.md";
    const SILENCE: &str = "http://localhost:9093/#/silences/new?filter=%7Balertname%3D%22ExchangePriceStale%22%2C%20exchange%3D%22okx%22%7D";
    const TITLE: &str = "[FIRING 2] warning: ExchangePriceStale";
    let plain = "BTCUSDT <stands> still on okx for 130 s.";
    let escaped = "BTCUSDT &lt;stands&gt; still on okx for 130 s.";
    let alerts = |first| {
        let resolved = ["resolved at", "14:01 UTC", "spot ETHUSDT"];
        [&["okx", "since", "14:03 UTC", first], &resolved[..], &["kucoin", "14:02 UTC", "SOLUSDT stands still"]]
            .concat()
    };
    let whole = |before: &[&'static str], first, after: &[&'static str]| [before, &alerts(first), after].concat();
    let summary = "A price does not move & should.";
    let escaped_summary = "A price does not move &amp; should.";
    let expected = [
        ("title", "text", vec![TITLE]),
        ("text", "text", whole(&[summary], plain, &[RUNBOOK, SILENCE])),
        ("slack", "text", whole(&[escaped_summary, "*"], escaped, &["<", RUNBOOK, "|Runbook>", SILENCE, "|Silence>"])),
        ("telegram", "html", whole(&["<b>", TITLE, escaped_summary], escaped, &["<a href=\"", RUNBOOK, SILENCE])),
        (
            "email",
            "html",
            whole(&["<h3>", TITLE, escaped_summary], escaped, &["<a href=\"", RUNBOOK, SILENCE, "</html>"]),
        ),
    ];
    let source = fs::read_to_string(repository().join("alertmanager/templates/exchange.tmpl")).unwrap();
    let (config, _) = with(&fs::read_to_string(shipped()).unwrap(), &WISHES);
    for (name, kind, words) in &expected {
        assert!(config.contains(&format!("{{{{ template \"exchange.{name}\" . }}}}")), "{name} is not used");
        let text = render(name, kind, &repository().join("tests/tests/alertmanager/data.json"));
        let mut rest = text.as_str();
        for word in words {
            let Some(at) = rest.find(word) else { panic!("{name} lacks {word:?} in its place:\n{text}") };
            rest = &rest[at + word.len()..];
        }
        assert!(!text.contains("<no value>") && !text.contains("ETHUSDT stands still"), "{text}");
    }
    // Every template that a receiver can name is in the list above; those with two dots are parts of them.
    let defined = source.matches("{{ define \"exchange.").count();
    assert_eq!(defined, expected.len() + ["which", "silence", "slack.plain"].len());
}

/// What is about a bot names the bot, in the title and above the list, with a venue or without one.
#[test]
fn messages_about_bots_name_the_bot() {
    if !have_tools(&["amtool"]).unwrap() {
        return;
    }
    let scratch = Scratch::new("alertmanager").unwrap();
    let path = scratch.path().join("bot.json");
    let mut labels = serde_json::json!({
        "alertname": "BotSlotInactive", "severity": "warning", "scope": "bot", "topic": "slot-inactive", "bot": "alpha", "slot": "s1"
    });
    for (exchange, title, head) in
        [("", "BotSlotInactive of bot alpha", "alpha"), ("okx", "BotSlotInactive on okx of bot alpha", "okx")]
    {
        if !exchange.is_empty() {
            labels["exchange"] = exchange.into();
        }
        let alert = |status: &str| {
            serde_json::json!({
                "status": status, "labels": labels, "annotations": { "summary": "A slot.", "description": "Slot s1 rests." },
                "startsAt": "2026-11-25T14:03:05Z", "endsAt": "2026-11-25T14:05:05Z"
            })
        };
        let data = serde_json::json!({
            "receiver": "warning", "status": "firing", "externalURL": "http://localhost:9093",
            "groupLabels": { "alertname": "BotSlotInactive", "bot": "alpha" }, "commonLabels": labels,
            "commonAnnotations": { "summary": "A slot." }, "alerts": [alert("firing"), alert("resolved")]
        });
        fs::write(&path, data.to_string()).unwrap();
        assert_eq!(render("title", "text", &path).trim(), format!("[FIRING] warning: {title}"));
        for (name, kind) in [("text", "text"), ("slack", "text"), ("telegram", "html"), ("email", "html")] {
            let text = render(name, kind, &path);
            let place = text.find(head).unwrap_or_else(|| panic!("{name}: no {head}:\n{text}"));
            assert!(text[place..].contains("Slot s1 rests.") && !text.contains("elsewhere"), "{name}:\n{text}");
            // What tells it from its siblings is the slot, not the bot that all of them have.
            assert!(
                text.lines().any(|line| line.contains("resolved at") && line.contains("UTC: s1")),
                "{name}:\n{text}"
            );
        }
    }
}

/// Chats refuse long messages, and half a tag is an error: so the list ends, and says so. Mail names all.
#[test]
fn long_lists_are_cut_where_messages_may_not_be_long() {
    if !have_tools(&["amtool"]).unwrap() {
        return;
    }
    let data = fs::read_to_string(repository().join("tests/tests/alertmanager/data.json")).unwrap();
    let mut data: serde_json::Value = serde_json::from_str(&data).unwrap();
    let one = data["alerts"][0].clone();
    let many = (0..200).map(|number| {
        let mut alert = one.clone();
        alert["annotations"]["description"] = format!("number {number} stands still").into();
        alert
    });
    data["alerts"] = many.collect();
    let scratch = Scratch::new("alertmanager").unwrap();
    let path = scratch.path().join("many.json");
    fs::write(&path, data.to_string()).unwrap();
    for (name, kind, listed) in
        [("text", "text", 10), ("slack", "text", 10), ("telegram", "html", 10), ("email", "html", 200)]
    {
        let text = render(name, kind, &path);
        assert_eq!(text.matches("stands still").count(), listed, "{name}");
        assert!(listed == 200 || text.contains("of 200 firing") && text.len() < 4096, "{name}: {text}");
    }
}

fn render(name: &str, kind: &str, data: &Path) -> String {
    let templates = repository().join("alertmanager/templates/*.tmpl");
    let output = Command::new(find_tool("amtool").unwrap())
        .args(["template", "render"])
        .arg(format!("--template.glob={}", templates.display()))
        .arg(format!("--template.type={kind}"))
        .arg(format!("--template.text={{{{ template \"exchange.{name}\" . }}}}"))
        .arg(format!("--template.data={}", data.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
