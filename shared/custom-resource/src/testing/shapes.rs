//! The shapes of properties that were once shipped: stacks send them on, long after the template wrote them last.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::properties::parse;

/// Reads, as the runtime does, every shape that was kept of the type `Custom::KIND`: the files `KIND.1.json`,
/// `KIND.2.json` and so on of `folder`, each the `ResourceProperties` of an event.
///
/// A stack that was made with a shape sends it with its next update, as `OldResourceProperties`, and with its deletion,
/// perhaps years later. So a release that changes what a template writes keeps what it wrote before, and this says when
/// the type no longer reads that.
///
/// ```no_run
/// # #[derive(serde::Deserialize)]
/// # #[serde(rename_all = "PascalCase", deny_unknown_fields)]
/// # struct Properties { name: String }
/// # use custom_resource::testing::kept_shapes;
/// // A test's working directory is that of its crate.
/// let shapes = kept_shapes::<Properties>("tests/shapes", "Greeting");
/// assert_eq!(shapes[0].name, "world");
/// ```
///
/// # Panics
/// If one cannot be read, with the file and the reason; if there is none.
#[must_use]
pub fn kept_shapes<P: DeserializeOwned>(folder: impl AsRef<Path>, kind: &str) -> Vec<P> {
    read(folder.as_ref(), kind).unwrap_or_else(|problem| panic!("{problem}"))
}

fn read<P: DeserializeOwned>(folder: &Path, kind: &str) -> Result<Vec<P>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let mut numbers: Vec<u32> = fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|entry| number(entry.ok()?.file_name().to_str()?, kind))
        .collect();
    if numbers.is_empty() {
        return Err(format!(
            "{} keeps no shape of Custom::{kind}; put the ResourceProperties of an event into {kind}.1.json there",
            folder.display()
        ));
    }
    numbers.sort_unstable();
    let shape = |number| {
        let file = folder.join(format!("{kind}.{number}.json"));
        let text = fs::read_to_string(&file).map_err(|error| error.to_string());
        let shape: Result<Value, _> =
            text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        let shape = shape.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        parse(&shape).map_err(|error| {
            format!(
                "{} {}; stacks still send it, so the type must go on reading it",
                file.display(),
                error.nested()
            )
        })
    };
    numbers.into_iter().map(shape).collect()
}

/// The number in `KIND.NUMBER.json`.
fn number(file: &str, kind: &str) -> Option<u32> {
    file.strip_prefix(kind)?
        .strip_prefix('.')?
        .strip_suffix(".json")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Thing {
        size: u8,
    }

    /// A folder of this test's own with these files.
    fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("custom-resource-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        for (file, text) in files {
            fs::write(folder.join(file), text).expect("a file");
        }
        folder
    }

    fn things(name: &str, files: &[(&str, &str)]) -> Result<Vec<Thing>, String> {
        let folder = folder(name, files);
        let read = read(&folder, "Thing").map_err(|problem| problem.replace(&folder.display().to_string(), "shapes"));
        fs::remove_dir_all(&folder).expect("the folder");
        read
    }

    #[test]
    fn every_shape_of_the_type_is_read_as_the_runtime_reads_it() {
        let files = [
            (
                "Thing.10.json",
                r#"{"Size": "10", "ServiceToken": "arn", "Nonce": "1"}"#,
            ),
            ("Thing.2.json", r#"{"Size": "2"}"#),
            ("ThingUser.1.json", "{}"),
        ];
        assert_eq!(things("read", &files), Ok(vec![Thing { size: 2 }, Thing { size: 10 }]));
    }

    #[test]
    fn one_that_is_no_longer_read_is_named_with_the_property() {
        let unknown = things("unknown", &[("Thing.1.json", r#"{"Size": "1", "Colour": "red"}"#)]);
        assert_eq!(
            unknown.unwrap_err(),
            "shapes/Thing.1.json has a `Colour` that is not known, known are `Size`; stacks still send it, so the type must go \
             on reading it"
        );
        let broken = things("broken", &[("Thing.1.json", "{")]);
        assert_eq!(
            broken.unwrap_err(),
            "shapes/Thing.1.json cannot be read: EOF while parsing an object at line 1 column 1"
        );
    }

    #[test]
    fn a_type_without_a_shape_is_told_how_to_keep_one() {
        assert_eq!(
            things("none", &[("ThingUser.1.json", "{}")]).unwrap_err(),
            "shapes keeps no shape of Custom::Thing; put the ResourceProperties of an event into Thing.1.json there"
        );
    }
}
