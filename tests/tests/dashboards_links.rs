//! The dashboards are one application: from each a way to every other, with what was chosen. Nothing runs here.

mod grafana;

use grafana::model::{self, Dashboard, properties, text};
use grafana::{Complaints, UIDS};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the dashboard has this variable, and takes several values for it.
fn takes_several(dashboard: &Dashboard, name: &str) -> Option<bool> {
    let variable = dashboard.variables().iter().find(|variable| text(variable, "name") == name);
    variable.map(|variable| variable["multi"] == true)
}

/// From a dashboard's menu: where each entry leads. One that unfolds leads to all that have its tags.
fn ways<'a>(dashboard: &'a Dashboard, dashboards: &'a [Dashboard]) -> Vec<(&'a Dashboard, &'a Value)> {
    let mut ways = Vec::new();
    for link in dashboard.links() {
        let uid = text(link, "url").strip_prefix("/d/").map(|rest| rest.split('?').next().unwrap_or_default());
        let wanted = link["tags"].as_array().map_or(&[][..], Vec::as_slice);
        let leads = |other: &&Dashboard| match uid {
            Some(uid) => other.uid == uid,
            None => wanted.iter().all(|tag| other.json["tags"].as_array().is_some_and(|tags| tags.contains(tag))),
        };
        ways.extend(dashboards.iter().filter(leads).map(|other| (other, link)));
    }
    ways
}

#[test]
fn each_leads_to_every_other_with_what_was_chosen() {
    let dashboards = model::all();
    let mut complaints = Complaints::default();
    for dashboard in &dashboards {
        let uid = &dashboard.uid;
        let ways = ways(dashboard, &dashboards);
        for other in UIDS.iter().filter(|other| *other != uid) {
            let there = ways.iter().any(|(target, _)| target.uid == *other);
            complaints.unless(there, || format!("{uid}: no way to {other}"));
        }
        for (target, link) in ways {
            let named = |name: &str| text(link, "url").contains(&format!("${{{name}:queryparam}}"));
            complaints.unless(link["keepTime"] == true, || format!("{uid}: {link} forgets the time"));
            for variable in dashboard.variables() {
                let name = text(variable, "name");
                let carried = link["includeVars"] == true || named(name);
                // Several venues, symbols or agents cannot be shown by a dashboard of one.
                let too_many = variable["multi"] == true && takes_several(target, name) == Some(false);
                complaints.unless(carried != too_many, || format!("{uid}: {link} and ${name} to {}", target.uid));
            }
            // It would hide the link in a menu.
            complaints.unless(link.get("placement").is_none(), || format!("{uid}: {link}"));
        }
        for link in dashboard.links() {
            let unfolds = link["type"] == "dashboards" && link["asDropdown"] == true && text(link, "url").is_empty();
            complaints.unless(unfolds || link["type"] == "link", || format!("{uid}: {link} is of neither kind"));
            complaints
                .unless(!text(link, "tooltip").is_empty(), || format!("{uid}: {link} does not say where it leads"));
        }
    }
}

#[test]
fn links_in_panels_lead_somewhere() {
    let dashboards = model::all();
    let variables: BTreeMap<&str, BTreeSet<&str>> = dashboards
        .iter()
        .map(|one| (one.uid.as_str(), one.variables().iter().map(|variable| text(variable, "name")).collect()))
        .collect();
    let mut complaints = Complaints::default();
    for dashboard in &dashboards {
        for (panel, link) in data_links(dashboard) {
            let url = text(link, "url");
            let place = format!("{} / {panel}: {url}", dashboard.uid);
            if let Some(runbook) = url.strip_prefix("/api/datasources/proxy/uid/${datasource}/user/") {
                complaints.unless(runbook == "${__data.fields.alertname}.md", || place);
                continue;
            }
            let Some((target, query)) = url.strip_prefix("/d/").and_then(|rest| rest.split_once('?')) else {
                complaints.unless(false, || place);
                continue;
            };
            let kept = query.contains("${__url_time_range}") && query.contains("${datasource:queryparam}");
            complaints.unless(kept, || format!("{place} forgets the time or the data source"));
            let Some(known) = variables.get(target) else {
                complaints.unless(false, || format!("{place} leads nowhere"));
                continue;
            };
            for chosen in query.split('&').filter_map(|part| part.strip_prefix("var-")?.split_once('=')) {
                complaints
                    .unless(known.contains(chosen.0), || format!("{place}: {target} has no variable {}", chosen.0));
            }
        }
    }
}

/// Links of fields: the panel's title, and the link.
fn data_links(dashboard: &Dashboard) -> Vec<(&str, &Value)> {
    let mut links = Vec::new();
    for panel in dashboard.panels() {
        let own = panel["fieldConfig"]["defaults"]["links"].as_array();
        let of_columns = properties(panel).filter(|property| property["id"] == "links");
        let found = own.into_iter().chain(of_columns.filter_map(|property| property["value"].as_array())).flatten();
        links.extend(found.map(|link| (text(panel, "title"), link)));
    }
    links
}
