//! The dashboards as files: whole, tidy, linked with one another. Nothing runs here; `dashboards` asks their queries.

mod grafana;

use fake_venues::stack::repository;
use grafana::labels::Known;
use grafana::model::{self, Dashboard, properties, text};
use grafana::{Complaints, UIDS, catalogue};
use promql_parser::parser::{BinaryExpr, Call, Expr};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn is_row(panel: &Value) -> bool {
    panel["type"] == "row"
}

#[test]
fn the_set_is_complete_and_each_is_whole() {
    let found: Vec<String> = model::all().into_iter().map(|dashboard| dashboard.uid).collect();
    assert_eq!(found, UIDS);
    let mut complaints = Complaints::default();
    let mut titles = BTreeSet::new();
    for Dashboard { uid, json } in model::all() {
        complaints.unless(text(&json, "uid") == uid, || format!("{uid}: its uid is not its file's name"));
        complaints.unless(titles.insert(text(&json, "title").to_owned()), || format!("{uid}: its title is another's"));
        complaints.unless(!text(&json, "description").is_empty(), || format!("{uid}: no description"));
        complaints.unless(json["editable"] == false, || format!("{uid}: editable"));
        complaints.unless(json["schemaVersion"].as_u64() >= Some(39), || format!("{uid}: schema of before Grafana 11"));
        complaints.unless(json["time"]["to"] == "now", || format!("{uid}: its time does not end now"));
        complaints.unless(!text(&json, "refresh").is_empty(), || format!("{uid}: it does not refresh"));
        complaints
            .unless(json["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "exchange-suite")), || {
                format!("{uid}: the suite's tag is missing")
            });
        // What an export for sharing leaves, and what a database gives.
        for key in ["__inputs", "__requires", "id", "iteration"] {
            complaints.unless(json.get(key).is_none(), || format!("{uid}: {key}"));
        }
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    let units = fs::read_to_string(repository().join("tests/assets/grafana-units.txt")).unwrap();
    let units: BTreeSet<&str> = units.lines().collect();
    let known = |unit: &str| units.contains(unit) || unit.strip_prefix("suffix:").is_some_and(|rest| !rest.is_empty());
    let mut complaints = Complaints::default();
    for dashboard in model::all() {
        let (mut titles, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for panel in dashboard.panels() {
            let place = format!("{} / {}", dashboard.uid, text(panel, "title"));
            complaints.unless(!text(panel, "title").is_empty(), || format!("{place}: no title"));
            complaints
                .unless(ids.insert(panel["id"].as_u64().unwrap()), || format!("{place}: its number is another's"));
            if is_row(panel) {
                continue;
            }
            complaints.unless(titles.insert(text(panel, "title")), || format!("{place}: the title is another's, too"));
            let description = text(panel, "description");
            complaints.unless(description.ends_with('.'), || format!("{place}: the description is no sentence"));
            let defaults = &panel["fieldConfig"]["defaults"];
            complaints.unless(known(text(defaults, "unit")), || format!("{place}: unit {}", defaults["unit"]));
            for property in properties(panel) {
                if property["id"] == "unit" {
                    complaints
                        .unless(known(text(property, "value")), || format!("{place}: unit {}", property["value"]));
                }
            }
            let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
            complaints.unless(!targets.is_empty(), || format!("{place}: it asks nothing"));
            for source in targets.iter().map(|target| &target["datasource"]).chain([&panel["datasource"]]) {
                complaints.unless(source["uid"] == "${datasource}", || format!("{place}: data source {source}"));
            }
            // Unknown is neither zero nor what was known last.
            complaints
                .unless(!text(defaults, "noValue").is_empty(), || format!("{place}: it says nothing where nothing is"));
            complaints.unless(defaults["custom"]["spanNulls"] != true, || format!("{place}: it draws over holes"));
            let reduced = &panel["options"]["reduceOptions"]["calcs"];
            complaints.unless(reduced.is_null() || *reduced == serde_json::json!(["last"]), || {
                format!("{place}: {reduced} may be of before")
            });
        }
    }
}

#[test]
fn panels_lie_in_the_grid_and_on_nothing() {
    let mut complaints = Complaints::default();
    for dashboard in model::all() {
        let mut taken = BTreeMap::new();
        for panel in dashboard.panels() {
            let title = text(panel, "title");
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap_or_default());
            complaints
                .unless(w > 0 && h > 0 && x + w <= 24, || format!("{} / {title}: no place in the grid", dashboard.uid));
            for cell in (y..y + h).flat_map(|y| (x..x + w).map(move |x| (x, y))) {
                if let Some(other) = taken.insert(cell, title) {
                    complaints.unless(false, || format!("{}: {title} lies on {other}", dashboard.uid));
                    break;
                }
            }
        }
    }
}

#[test]
fn variables_are_those_that_are_used() {
    let mut complaints = Complaints::default();
    for dashboard in model::all() {
        let uid = &dashboard.uid;
        let names: Vec<&str> = dashboard.variables().iter().map(|variable| text(variable, "name")).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        complaints.unless(distinct.len() == names.len(), || format!("{uid}: a variable twice"));
        let sources: Vec<&Value> = dashboard.variables().iter().filter(|one| one["type"] == "datasource").collect();
        complaints
            .unless(sources.len() == 1 && names[0] == "datasource", || format!("{uid}: one data source, and first"));
        let of_bots = uid.starts_with("bot-");
        for needed in if of_bots { &["bot"][..] } else { &["job", "instance", "exchange"] } {
            complaints.unless(distinct.contains(*needed), || format!("{uid}: no variable {needed}"));
        }
        let asks = dashboard.asks().into_iter().map(|ask| ask.expr);
        let everything: Vec<String> = asks.chain(dashboard.label_values().into_iter().map(|values| values.1)).collect();
        for name in &distinct {
            let used = *name == "datasource" || everything.iter().any(|expr| mentioned(expr).contains(name));
            complaints.unless(used, || format!("{uid}: nothing uses ${name}"));
        }
        for name in everything.iter().flat_map(|expr| mentioned(expr)) {
            let macros = ["__rate_interval", "__range", "__interval"];
            complaints
                .unless(distinct.contains(name) || macros.contains(&name), || format!("{uid}: no variable ${name}"));
        }
        for variable in dashboard.variables().iter().filter(|variable| variable["type"] == "query") {
            let name = text(variable, "name");
            complaints
                .unless(variable["refresh"] == 2, || format!("{uid} / {name}: not read again with the time range"));
            // What has no account, or no bot, has no such label.
            let all = if matches!(name, "account" | "bot") { ".*" } else { ".+" };
            complaints
                .unless(variable["multi"] != true || variable["allValue"] == all, || format!("{uid} / {name}: all"));
            complaints
                .unless(variable["datasource"]["uid"] == "${datasource}", || format!("{uid} / {name}: data source"));
        }
    }
}

fn mentioned(expr: &str) -> Vec<&str> {
    let names = expr.split('$').skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    });
    // $1 is of label_replace.
    names.filter(|name| !name.starts_with(|c: char| c.is_ascii_digit())).collect()
}

#[test]
fn counters_stand_only_under_a_rate() {
    let mut complaints = Complaints::default();
    for dashboard in model::all() {
        for ask in dashboard.asks() {
            let sent = dashboard.sent(&ask.expr, &dashboard.opened());
            match promql_parser::parser::parse(&sent) {
                Err(error) => complaints.unless(false, || format!("{}: {error}: {sent}", ask.place)),
                Ok(expr) => {
                    bare_counters(&expr, &mut |what| complaints.unless(false, || format!("{}: {what}", ask.place)))
                }
            }
        }
    }
}

/// A counter that began within the window has risen from nothing: `x unless x offset window`.
fn just_begun(binary: &BinaryExpr) -> bool {
    let (Expr::VectorSelector(now), Expr::VectorSelector(before)) = (&*binary.lhs, &*binary.rhs) else { return false };
    let same = now.name == before.name && now.matchers == before.matchers;
    binary.op.to_string() == "unless" && same && now.offset.is_none() && before.offset.is_some()
}

fn bare_counters(expr: &Expr, complain: &mut dyn FnMut(String)) {
    let is_counter = |name: &str| name.ends_with("_total") || name.ends_with("_bucket");
    match expr {
        Expr::VectorSelector(selector) => {
            let name = selector.name.as_deref().unwrap_or_default();
            if is_counter(name) {
                complain(format!("the counter {name} as it is"));
            }
        }
        Expr::Call(Call { func, args }) => {
            for argument in &args.args {
                if let Expr::MatrixSelector(matrix) = argument.as_ref() {
                    let name = matrix.vs.name.as_deref().unwrap_or_default();
                    if is_counter(name) && !matches!(func.name, "rate" | "increase") {
                        complain(format!("the counter {name} under {}", func.name));
                    }
                    if matches!(func.name, "rate" | "increase") && !is_counter(name) {
                        complain(format!("the gauge {name} under {}", func.name));
                    }
                }
                bare_counters(argument, complain);
            }
        }
        Expr::Aggregate(aggregate) => bare_counters(&aggregate.expr, complain),
        Expr::Binary(binary) if just_begun(binary) => {}
        Expr::Binary(binary) => {
            bare_counters(&binary.lhs, complain);
            bare_counters(&binary.rhs, complain);
        }
        Expr::Paren(paren) => bare_counters(&paren.expr, complain),
        Expr::Unary(unary) => bare_counters(&unary.expr, complain),
        Expr::Subquery(subquery) => bare_counters(&subquery.expr, complain),
        Expr::MatrixSelector(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

/// The selectors of an expression, as they are written: name, and what stands in the braces.
fn selectors(expr: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = expr.split('{').collect();
    let written = parts.windows(2).map(|pair| {
        let start = pair[0].rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').map_or(0, |at| at + 1);
        (&pair[0][start..], pair[1].split('}').next().unwrap_or_default())
    });
    written.collect()
}

/// The exporters' own series have both labels in every dashboard that has these variables; what rules record has neither.
#[test]
fn what_the_exporters_serve_is_chosen_by_target() {
    let vocabulary = Known::vocabulary();
    let mut complaints = Complaints::default();
    for dashboard in model::all() {
        let chooses = dashboard.variables().iter().any(|variable| text(variable, "name") == "job");
        for ask in dashboard.asks() {
            for (name, inner) in selectors(&ask.expr) {
                let chosen = inner.contains("job=~\"$job\"") && inner.contains("instance=~\"$instance\"");
                let right = !vocabulary.has(name) || chosen || !chooses;
                complaints.unless(right, || format!("{}: {name} of all targets", ask.place));
                complaints.unless(!name.contains(':') || !chosen, || format!("{}: {name} has no target", ask.place));
            }
        }
    }
}

/// Others have names such as http_requests_total, too: what bots tell is chosen by their jobs and by bot. What rules record under
/// these names has no job, and says its source.
#[test]
fn what_bots_tell_is_chosen_and_all_of_it_shown() {
    let families = catalogue::families();
    let whole = |name: &str| {
        let parts = ["_bucket", "_sum", "_count"];
        let family = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
        [name, family].into_iter().find(|name| families.contains(*name)).map(str::to_owned)
    };
    let (mut complaints, mut shown) = (Complaints::default(), BTreeSet::new());
    for dashboard in model::all() {
        for ask in dashboard.asks() {
            for (name, inner) in selectors(&ask.expr) {
                let Some(family) = whole(name) else { continue };
                let told = inner.contains("job=~\"bot-exporter|bots\"") && inner.contains("bot=~\"$bot\"");
                let right = told || inner.contains("source=\"exchange\"");
                complaints.unless(right, || format!("{}: {name} of anybody", ask.place));
                if told {
                    shown.insert(family);
                }
            }
        }
    }
    for family in &families {
        complaints.unless(shown.contains(family), || format!("{family} is on no dashboard"));
    }
}

#[test]
fn grafana_is_given_these_folders() {
    let read = |file: &str| fs::read_to_string(repository().join("grafana/provisioning").join(file)).unwrap();
    let sources: Value = serde_saphyr::from_str(&read("datasources/datasources.yml")).unwrap();
    let uids: Vec<&str> = sources["datasources"].as_array().unwrap().iter().map(|source| text(source, "uid")).collect();
    assert_eq!(uids, ["prometheus", "alertmanager"]);
    let providers: Value = serde_saphyr::from_str(&read("dashboards/dashboards.yml")).unwrap();
    let provider = &providers["providers"][0];
    assert!(provider["allowUiUpdates"] == false && provider["type"] == "file", "{provider}");
    // What Grafana opens with is one of them, where the compose file mounts them.
    let compose = fs::read_to_string(repository().join("docker-compose-observability.yml")).unwrap();
    let home = compose.lines().find_map(|line| line.trim().strip_prefix("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: "));
    let start = format!("{}/bot-start.json", text(&provider["options"], "path"));
    assert!(home == Some(start.as_str()) && UIDS.contains(&"bot-start"), "{home:?}");
    for dashboard in model::all() {
        let opened = dashboard.opened();
        assert_eq!(opened.get("datasource").map(String::as_str), Some(uids[0]), "{}", dashboard.uid);
    }
}
