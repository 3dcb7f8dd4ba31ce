//! What a function's log holds: the names of the fields of each line, read from the code that prints it. A list of them
//! would be a second one, which nobody keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use template_properties::project;

/// A line that a macro of tracing's makes. Its fields stand at the line's top, beside [`COMMON`]: the proof that a line of the
/// log holds listed fields only, in `shared/custom-resource`, would find them anywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its fixed text.
    pub message: Option<String>,
    /// Its fields.
    pub fields: BTreeSet<String>,
}

/// What every line of a function's has.
pub const COMMON: [&str; 3] = ["timestamp", "level", "message"];
/// What Lambda's own lines have, where they say how an invocation ended.
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>
pub const LAMBDAS: [&str; 4] = ["time", "type", "record.requestId", "record.status"];

/// Folder -> the lines that its code may print.
static PRINTED: LazyLock<BTreeMap<String, Vec<Line>>> = LazyLock::new(|| {
    let crates = ["functions", "shared"].map(|part| entries(&project().join(part)));
    let name = |path: &Path| {
        path.strip_prefix(project())
            .expect("a folder of the project")
            .to_string_lossy()
            .into_owned()
    };
    let read = |path: PathBuf| (name(&path), read(&path.join("src")));
    crates.into_iter().flatten().map(read).collect()
});

/// Every line that a function may print: its own crate's, and those of the crates that functions share.
pub fn lines(function: &str) -> impl Iterator<Item = &'static Line> {
    let own = &PRINTED[&format!("functions/{function}")];
    let shared = PRINTED.iter().filter(|(folder, _)| folder.starts_with("shared/"));
    own.iter().chain(shared.flat_map(|(_, lines)| lines))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    found.map(|entry| entry.expect("a readable folder").path()).collect()
}

/// All of a folder's code.
fn read(folder: &Path) -> Vec<Line> {
    let of = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => read(&path),
        Some(kind) if kind == "rs" => lines_of(&fs::read_to_string(path).expect("a readable file")),
        _ => Vec::new(),
    };
    entries(folder).into_iter().flat_map(of).collect()
}

static MACRO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\btracing::(?:trace|debug|info|warn|error)!\(").expect("a pattern"));

fn lines_of(code: &str) -> Vec<Line> {
    MACRO
        .find_iter(code)
        .map(|found| line(&arguments(&code[found.end()..])))
        .collect()
}

/// What stands between the commas of a call, up to the parenthesis that ends it.
fn arguments(code: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut found = vec![String::new()];
    for letter in code.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            ')' if depth == 0 => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        found.last_mut().expect("one is always there").push(letter);
    }
    found.iter().map(|one| one.trim().to_owned()).collect()
}

fn line(arguments: &[String]) -> Line {
    let text = |one: &String| Some(one.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let name = |one: &String| {
        let name = one.split(" = ").next().unwrap_or(one).trim_start_matches(['%', '?']);
        (!name.is_empty() && !name.starts_with('"')).then(|| name.to_owned())
    };
    Line {
        message: arguments.iter().find_map(text),
        fields: arguments.iter().filter_map(name).collect(),
    }
}

#[test]
fn a_line_s_fields_are_found_however_they_are_written() {
    let code = r#"
        tracing::info!("started");
        tracing::warn!(%error, incidents = items.len(), address = pseudonym(one(a, "b,)")), lag, ?self.kind, "a \"text\", too");
        tracing::error!(outcome = "FAILED");
        println!("tracing is not asked");
    "#;
    let of = |message: Option<&str>, fields: &[&str]| Line {
        message: message.map(str::to_owned),
        fields: fields.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(
        lines_of(code),
        [
            of(Some("started"), &[]),
            of(
                Some(r#"a \"text\", too"#),
                &["error", "incidents", "address", "lag", "self.kind"]
            ),
            of(None, &["outcome"]),
        ]
    );
}
