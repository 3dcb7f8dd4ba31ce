//! Whether numbers fit each other: CloudFormation's rules compare for equality only, and the services that compare them are
//! asked half an hour later.

use crate::preflight::finding::Finding;
use crate::settings::Settings;

const CHECK: &str = "parameters";
/// Ranges as `fewest-most`.
const RANGES: [&str; 2] = ["WebTasks", "Workers"];

/// What does not fit; nothing where all does.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Finding> {
    let ranges = RANGES.iter().filter_map(|name| range(name, settings.get(name)?));
    ranges.chain(storage(settings)).collect()
}

fn range(name: &str, value: &str) -> Option<Finding> {
    let (fewest, most) = value.split_once('-')?;
    let (fewest, most): (u32, u32) = (fewest.parse().ok()?, most.parse().ok()?);
    (fewest > most).then(|| {
        Finding::stop(
            CHECK,
            format!("{name}={value}: the fewest, {fewest}, are more than the most, {most}."),
            format!("Set {name} to {most}-{fewest}, or leave it blank."),
        )
    })
}

/// RDS enlarges storage in steps of a tenth, and refuses a limit that leaves no room for one.
fn storage(settings: &Settings) -> Option<Finding> {
    let number = |name| settings.get(name).and_then(|text| text.parse::<u64>().ok());
    let (least, most) = (number("DatabaseStorage")?, number("DatabaseMaxStorage")?);
    let wanted = (least * 11).div_ceil(10);
    (most < wanted).then(|| {
        Finding::stop(
            CHECK,
            format!("DatabaseMaxStorage={most} is not 10 % over DatabaseStorage={least}: RDS refuses it."),
            format!("Set DatabaseMaxStorage to {wanted} or more."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Inputs;
    use crate::template::Template;

    fn found(given: &[&str]) -> Vec<(String, String)> {
        let names = ["WebTasks", "Workers", "DatabaseStorage", "DatabaseMaxStorage"];
        let declared = names
            .map(|name| format!("  {name}: {{Type: String, Default: ''}}\n"))
            .concat();
        let body = format!("Parameters:\n{declared}Resources:\n  T: {{Type: AWS::SNS::Topic}}\n");
        let template = Template::parse("t.yaml", &body).expect("parses");
        let given: Vec<String> = given.iter().map(|&text| text.to_owned()).collect();
        let inputs = Inputs::merge(None, &given, &[]).expect("merges");
        let findings = check(&Settings::resolve(&template, &inputs, None));
        findings.into_iter().map(|one| (one.text, one.remedy)).collect()
    }

    fn stop(text: &str, remedy: &str) -> (String, String) {
        (text.to_owned(), remedy.to_owned())
    }

    #[test]
    fn a_range_that_is_upside_down_is_turned_round() {
        assert_eq!(
            found(&["WebTasks=10-2", "Workers=3-3"]),
            [stop(
                "WebTasks=10-2: the fewest, 10, are more than the most, 2.",
                "Set WebTasks to 2-10, or leave it blank."
            )]
        );
    }

    #[test]
    fn storage_has_room_to_grow_by_a_tenth() {
        assert_eq!(
            found(&["DatabaseStorage=105", "DatabaseMaxStorage=115"]),
            [stop(
                "DatabaseMaxStorage=115 is not 10 % over DatabaseStorage=105: RDS refuses it.",
                "Set DatabaseMaxStorage to 116 or more."
            )]
        );
    }

    #[test]
    fn what_fits_or_is_blank_is_not_mentioned() {
        let none: Vec<(String, String)> = Vec::new();
        assert_eq!(
            found(&["Workers=2-6", "DatabaseStorage=100", "DatabaseMaxStorage=110"]),
            none
        );
        assert_eq!(found(&["DatabaseStorage=100"]), none);
    }
}
