//! Prevents: a saved query that never finds anything, because it asks for names that its log does not hold: Logs Insights
//! takes any name, and shows an empty table.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Placeholder, Resource};

use crate::printed::{COMMON, LAMBDAS, lines};
use crate::support::each;

const QUERY: &str = "AWS::Logs::QueryDefinition";

/// What a query reads.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// The names of fields of the log's lines.
    names: BTreeSet<String>,
    /// The one line that it is about, if it is about one.
    message: Option<String>,
}

/// Texts, patterns, names and signs; a name that is followed by a parenthesis is a function's.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let token = r#"'(?<text>[^']*)'|"[^"]*"|/(?<pattern>(?:[^/\\]|\\.)+)/|(?<name>@?[A-Za-z_][\w.]*)(?<call>\()?|(?<sign>[=|])"#;
    Regex::new(token).expect("a pattern")
});
/// `(?<name>...)` in a pattern makes a field.
static CAPTURED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\(\?<(\w+)>").expect("a pattern"));
const WORDS: [&str; 17] = [
    "filter", "fields", "display", "stats", "sort", "limit", "parse", "dedup", "by", "as", "and", "or", "not", "like",
    "in", "asc", "desc",
];

impl Asked {
    fn of(query: &str) -> Self {
        let (mut asked, mut made) = (Self::default(), BTreeSet::new());
        // The name before, and whether an equals sign stood after it.
        let (mut before, mut equals) = (String::new(), false);
        for token in TOKEN.captures_iter(query) {
            let part = |name| token.name(name).map(|found| found.as_str());
            if let Some(pattern) = part("pattern") {
                made.extend(CAPTURED.captures_iter(pattern).map(|found| found[1].to_owned()));
            }
            if let (Some(text), "message", true) = (part("text"), before.as_str(), equals) {
                asked.message = Some(text.to_owned());
            }
            equals = part("sign") == Some("=");
            let Some(name) = part("name") else { continue };
            if before == "as" {
                made.insert(name.to_owned());
            } else if part("call").is_none() && !name.starts_with('@') && !WORDS.contains(&name) {
                asked.names.insert(name.to_owned());
            }
            name.clone_into(&mut before);
        }
        asked.names.retain(|name| !made.contains(name));
        asked
    }
}

/// The functions whose logs a query reads, by the names of their crates.
fn functions(deployment: &Deployment, query: &Resource) -> Vec<String> {
    let groups: Vec<Placeholder> = query
        .properties
        .at("LogGroupNames")
        .texts()
        .iter()
        .flat_map(|text| Placeholder::all(text))
        .collect();
    let logs = |function: &&Resource| {
        Placeholder::parse(&function.properties.at("LoggingConfig/LogGroup").text())
            .is_some_and(|group| groups.contains(&group))
    };
    let code = |function: &Resource| function.properties.at("Code").text();
    let package = |code: String| Some(code.rsplit('/').next()?.strip_suffix(".zip")?.to_owned());
    let functions = deployment.of_type(&["AWS::Lambda::Function"]).filter(logs);
    functions.map(code).filter_map(package).collect()
}

fn fault(deployment: &Deployment, query: &Resource) -> Option<String> {
    let functions = functions(deployment, query);
    if functions.is_empty() {
        return None;
    }
    let asked = Asked::of(&query.properties.at("QueryString").text());
    let printed = functions.iter().flat_map(|function| lines(function));
    let meant: Vec<_> = printed
        .filter(|line| asked.message.is_none() || line.message == asked.message)
        .collect();
    if meant.is_empty() {
        return Some(format!("no function prints '{}'", asked.message?));
    }
    let is_known = |name: &str| {
        [&COMMON[..], &LAMBDAS[..]].concat().contains(&name) || meant.iter().any(|line| line.fields.contains(name))
    };
    let unknown = asked.names.iter().find(|name| !is_known(name))?;
    Some(format!("reads {unknown}, which no such line has"))
}

fn fruitless(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[QUERY], |query| fault(deployment, query))
}

fn is_caught(query: &str, old: &str, new: &str, wrong: &str) {
    let seed = Seed::text("modules/monitoring.yaml", old, new);
    proven(fruitless, &seed, &format!("monitoring: {query} ({QUERY}): {wrong}"));
}

#[test]
fn a_query_over_functions_logs_reads_names_that_they_print() {
    is_caught(
        "BouncesQuery",
        "by kind, subtype, action",
        "by kind, fields.subtype, action",
        "reads fields.subtype, which no such line has",
    );
    is_caught(
        "SesDomainQuery",
        "fields @timestamp, level, message, @message",
        "fields @timestamp, level, lag, @message",
        "reads lag, which no such line has",
    );
}

#[test]
fn a_query_for_one_line_reads_that_line_s_names_and_the_line_is_printed() {
    let failed = "filter message = 'a message failed and comes again'";
    is_caught(
        "FailedReportsQuery",
        failed,
        "filter message = 'recorded'",
        "reads message_id, which no such line has",
    );
    is_caught(
        "FailedReportsQuery",
        failed,
        "filter message = 'a message failed'",
        "no function prints 'a message failed'",
    );
}

#[test]
fn names_are_told_from_functions_words_texts_patterns_and_what_a_query_makes_itself() {
    let query = r"filter message = 'a line' or @message like /x(level)/ and ispresent(detail.code)
        | parse @message /(?<path>[^ ]+)/
        | stats count() as times, max(@timestamp) as last, sum(exit != 0) by path, reason
        | sort times desc | limit 20";
    let names = ["detail.code", "exit", "message", "reason"].map(str::to_owned);
    let expected = Asked {
        names: names.into(),
        message: Some("a line".to_owned()),
    };
    assert_eq!(Asked::of(query), expected);
}
