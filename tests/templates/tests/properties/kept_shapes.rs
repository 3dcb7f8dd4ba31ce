//! Prevents: a stack that can be neither updated nor deleted as its owner wishes, since the function no longer reads what an
//! earlier template wrote.
//!
//! Each function's tests read the shapes that stand in its `tests/shapes/`. Here every shape that the templates write is
//! found among them: who changes one keeps the new one, too, in a further file, and from then on both are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::{Deployment, project};

/// The kept shapes, by type.
static KEPT: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let mut kept = BTreeMap::<_, BTreeSet<_>>::new();
    let functions = std::fs::read_dir(project().join("functions")).expect("functions/ is there");
    let folders = functions.filter_map(|function| std::fs::read_dir(function.ok()?.path().join("tests/shapes")).ok());
    for file in folders.flatten() {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let properties = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let kind = name.split('.').next().unwrap_or_default();
        kept.entry(format!("Custom::{kind}"))
            .or_default()
            .insert(shape(&properties));
    }
    kept
});

/// What a value is made of, whatever its texts say: a list is as many items as it likes, of the shapes that it has.
fn shape(value: &Value) -> String {
    let joined = |parts: BTreeSet<String>| parts.into_iter().collect::<Vec<_>>().join(", ");
    match value {
        Value::Object(entries) => {
            let members = entries.iter().map(|(name, value)| format!("{name}: {}", shape(value)));
            format!("{{{}}}", joined(members.collect()))
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(shape).collect())),
        _ => "text".to_owned(),
    }
}

fn is_kept(deployment: &Deployment) -> Vec<Finding> {
    let custom = deployment.resources().filter(|resource| resource.is_custom());
    let unkept = custom.filter(|resource| {
        let kept = KEPT.get(&resource.kind);
        !kept.is_some_and(|kept| kept.contains(&shape(&resource.properties)))
    });
    unkept
        .map(|resource| {
            Finding::new(
                resource,
                "its properties have the shape of no file in its function's tests/shapes/",
            )
        })
        .collect()
}

#[test]
fn every_shape_that_a_template_writes_is_kept_for_the_functions_tests() {
    let unkept = "its properties have the shape of no file in its function's tests/shapes/";
    proven(
        is_kept,
        &Seed::set("modules/ses.yaml", "Resources/SesDomain/Properties/Title", json!("x")),
        &format!("ses: SesDomain (Custom::SesDomain): {unkept}"),
    );
    proven(
        is_kept,
        &Seed::remove("modules/database-init.yaml", "Resources/Database/Properties/Port"),
        &format!("database-init: Database (Custom::Database): {unkept}"),
    );
    proven(
        is_kept,
        &Seed::set(
            "modules/bounces.yaml",
            "Resources/User/Properties/Grants/0/Rows",
            json!("x"),
        ),
        &format!("bounces: User (Custom::DatabaseUser): {unkept}"),
    );
}
