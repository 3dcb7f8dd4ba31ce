//! Prevents: a graph that stays empty, and is taken for a quiet night.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource, project};

use crate::alarm_metrics::{Metric, is_known};
use crate::support::each;

const DASHBOARD: &str = "AWS::CloudWatch::Dashboard";

/// The rows of a widget's metrics: `[namespace, name, dimension, value, ..., options]`, where `.` repeats what stands above.
fn rows(widget: &Value) -> Vec<Vec<Value>> {
    let mut above: Vec<Value> = Vec::new();
    let mut found = Vec::new();
    for row in widget.at("properties/metrics").listed() {
        let cells: Vec<Value> = row
            .listed()
            .into_iter()
            .filter(|cell| !cell.is_object())
            .cloned()
            .collect();
        let same = |index: usize, cell: &Value| {
            if cell == "." {
                above.get(index).cloned()
            } else {
                Some(cell.clone())
            }
        };
        let filled: Vec<Value> = cells
            .iter()
            .enumerate()
            .filter_map(|(index, cell)| same(index, cell))
            .collect();
        // A row of options only is an expression over the others.
        if filled.len() >= 2 {
            found.push(filled.clone());
            above = filled;
        }
    }
    found
}

fn metric(row: &[Value]) -> Metric<'_> {
    let dimensions = row[2..]
        .chunks(2)
        .filter(|pair| pair.len() == 2)
        .map(|pair| (pair[0].text(), &pair[1]));
    Metric {
        namespace: row[0].text(),
        name: row[1].text(),
        dimensions: dimensions.collect(),
    }
}

fn fault(deployment: &Deployment, dashboard: &Resource) -> Option<String> {
    let body = dashboard.properties.at("DashboardBody").text();
    let Ok(body) = serde_json::from_str::<Value>(&body) else {
        return Some("its body is no JSON".to_owned());
    };
    let widgets = body.at("widgets").listed();
    if widgets.is_empty() {
        return Some("shows nothing".to_owned());
    }
    widgets.into_iter().flat_map(rows).find_map(|row| {
        let metric = metric(&row);
        (!is_known(deployment, &metric)).then(|| format!("nobody publishes {}", json!(row)))
    })
}

fn empty_graphs(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[DASHBOARD], |dashboard| fault(deployment, dashboard))
}

#[test]
fn every_graph_shows_a_metric_that_is_published() {
    let planted = "ses: Planted (AWS::CloudWatch::Dashboard)";
    for (body, wrong) in [
        ("{".to_owned(), "its body is no JSON".to_owned()),
        (json!({"widgets": []}).to_string(), "shows nothing".to_owned()),
        (
            json!({"widgets": [{"properties": {"metrics": [
                ["AWS/Lambda", "Errors", "FunctionName", "<ses.SesDomainFunction>"],
                [".", "Successes", ".", "."],
            ]}}]})
            .to_string(),
            "nobody publishes [\"AWS/Lambda\",\"Successes\",\"FunctionName\",\"<ses.SesDomainFunction>\"]".to_owned(),
        ),
    ] {
        let dashboard = json!({"Type": DASHBOARD, "Properties": {"DashboardBody": body}});
        let seed = Seed::set("modules/ses.yaml", "Resources/Planted", dashboard);
        proven(empty_graphs, &seed, &format!("{planted}: {wrong}"));
    }
}

/// What is wrong with a text, which says what is normal, and after "Else" which runbooks to open. A name of one word
/// and another may be a module's; with more hyphens it is a runbook's.
fn text_fault(text: &str) -> Option<String> {
    let Some((normal, rest)) = text.split_once("Else") else {
        return Some(format!("does not say which runbook to open: {text:?}"));
    };
    if !normal.contains("Normal: ") {
        return Some(format!("does not say what is normal: {text:?}"));
    }
    let words = rest.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    let mut runbooks = words.filter(|word| word.matches('-').count() >= 2 && !word.ends_with('-'));
    let folder = project().join("docs/runbooks");
    runbooks
        .find(|name| !folder.join(format!("{name}.md")).is_file())
        .map(|name| format!("there is no runbook {name}"))
}

/// Whoever reads it at night has nobody to ask.
fn explained(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[DASHBOARD], |dashboard| {
        let body: Value = serde_json::from_str(&dashboard.properties.at("DashboardBody").text()).ok()?;
        let widgets = body.at("widgets").listed();
        let texts = widgets.iter().filter(|widget| widget.at("type") == "text");
        // The first, with the heading of the whole, leads in.
        let mut texts = texts
            .map(|text| text.at("properties/markdown").text())
            .filter(|text| !text.starts_with("# "));
        texts.find_map(|text| text_fault(&text))
    })
}

#[test]
fn each_part_of_a_dashboard_says_what_is_normal_and_which_runbook_to_open() {
    let planted = "ses: Planted (AWS::CloudWatch::Dashboard)";
    for (text, wrong) in [
        ("## Mail", "does not say which runbook to open: \"## Mail\""),
        (
            "## Mail Else: mail-stopped",
            "does not say what is normal: \"## Mail Else: mail-stopped\"",
        ),
        ("Normal: quiet. Else: mail-is-lost.", "there is no runbook mail-is-lost"),
    ] {
        let body = json!({"widgets": [{"type": "text", "properties": {"markdown": text}}]}).to_string();
        let dashboard = json!({"Type": DASHBOARD, "Properties": {"DashboardBody": body}});
        let seed = Seed::set("modules/ses.yaml", "Resources/Planted", dashboard);
        proven(explained, &seed, &format!("{planted}: {wrong}"));
    }
}
