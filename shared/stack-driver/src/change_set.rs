//! What a deployment would change, for reading.

use crate::style::{Style, Tone, columns};

/// Whether a change gives the resource a new identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Changed in place.
    No,
    /// Known only when it is carried out.
    Maybe,
    /// A new resource takes the old one's place.
    Yes,
}

/// A change of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `Add`, `Modify`, `Remove`, `Import` or `Dynamic`, as CloudFormation says it.
    pub action: String,
    /// The modules and the logical id.
    pub path: String,
    /// The resource's type.
    pub resource_type: String,
    /// Whether it is replaced.
    pub replacement: Replacement,
    /// What happens to what is removed or replaced: `Delete`, `Retain`, `Snapshot`...; empty if unsaid.
    pub policy: String,
    /// The properties, tags or metadata that change; `!` before one that forces replacement.
    pub causes: Vec<String>,
}

impl Change {
    /// Whether something that stands is destroyed or may be.
    #[must_use]
    pub fn is_loud(&self) -> bool {
        self.replacement != Replacement::No || self.action == "Remove"
    }

    fn verb(&self) -> &str {
        match (self.action.as_str(), self.replacement) {
            ("Modify", Replacement::Yes) => "REPLACE",
            ("Modify", Replacement::Maybe) => "REPLACE?",
            ("Remove", _) => "REMOVE",
            ("Modify", Replacement::No) => "modify",
            ("Add", _) => "add",
            ("Import", _) => "import",
            _ => "unknown",
        }
    }

    fn remark(&self) -> String {
        let fate = match self.policy.trim_start_matches("ReplaceAnd") {
            "" => String::new(),
            "Delete" => "the old one is deleted".to_owned(),
            "Retain" => "the old one is kept".to_owned(),
            "Snapshot" => "a snapshot of the old one is kept".to_owned(),
            other => other.to_owned(),
        };
        [self.causes.join(", "), fate]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// The whole change set, nested stacks included.
#[must_use]
pub fn render(changes: &[Change], style: Style) -> String {
    if changes.is_empty() {
        return "  No changes: the stack is as the template and the parameters want it.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = changes
        .iter()
        .map(|change| {
            vec![
                change.verb().to_owned(),
                change.path.clone(),
                change.resource_type.clone(),
                change.remark(),
            ]
        })
        .collect();
    let mut text = String::new();
    for (line, change) in columns(2, &rows).lines().zip(changes) {
        let tone = if change.is_loud() {
            Some(Tone::Bad)
        } else {
            (change.action == "Add").then_some(Tone::Good)
        };
        text += &tone.map_or_else(|| line.to_owned(), |tone| style.paint(tone, line));
        text.push('\n');
    }
    text + &tally(changes, style)
}

fn tally(changes: &[Change], style: Style) -> String {
    let count = |verb: &str| changes.iter().filter(|change| change.verb() == verb).count();
    let parts: Vec<String> = [
        ("add", "to add"),
        ("import", "to import"),
        ("modify", "to modify"),
        ("REPLACE", "to REPLACE"),
        ("REPLACE?", "perhaps to REPLACE"),
        ("REMOVE", "to REMOVE"),
        ("unknown", "known only on the way"),
    ]
    .into_iter()
    .filter(|(verb, _)| count(verb) > 0)
    .map(|(verb, words)| format!("{} {words}", count(verb)))
    .collect();
    let mut text = format!("  {}.\n", parts.join(", "));
    if changes.iter().any(Change::is_loud) {
        let warning = "Look at the lines in capitals: what they name is destroyed, or may be. `!` marks the property that forces it.";
        text += &style
            .wrap(2, warning)
            .lines()
            .map(|line| style.paint(Tone::Bad, line) + "\n")
            .collect::<String>();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: &str, path: &str, replacement: Replacement, policy: &str, causes: &[&str]) -> Change {
        Change {
            action: action.to_owned(),
            path: path.to_owned(),
            resource_type: "AWS::RDS::DBInstance".to_owned(),
            replacement,
            policy: policy.to_owned(),
            causes: causes.iter().map(|&cause| cause.to_owned()).collect(),
        }
    }

    #[test]
    fn replacements_and_removals_are_loud() {
        let changes = [
            change("Add", "Ses / Topic", Replacement::No, "", &[]),
            change(
                "Modify",
                "Database / Instance",
                Replacement::Yes,
                "Snapshot",
                &["!DBInstanceIdentifier", "Tags"],
            ),
            change("Modify", "Vpc", Replacement::Maybe, "", &["CidrBlock"]),
            change("Modify", "Queue", Replacement::No, "", &["Tags"]),
            change("Remove", "Old", Replacement::No, "Delete", &[]),
        ];
        assert_eq!(
            render(&changes, Style::PLAIN),
            "  add       Ses / Topic          AWS::RDS::DBInstance\n\
             \x20 REPLACE   Database / Instance  AWS::RDS::DBInstance  !DBInstanceIdentifier, Tags; a snapshot of the old one is kept\n\
             \x20 REPLACE?  Vpc                  AWS::RDS::DBInstance  CidrBlock\n\
             \x20 modify    Queue                AWS::RDS::DBInstance  Tags\n\
             \x20 REMOVE    Old                  AWS::RDS::DBInstance  the old one is deleted\n\
             \x20 1 to add, 1 to modify, 1 to REPLACE, 1 perhaps to REPLACE, 1 to REMOVE.\n\
             \x20 Look at the lines in capitals: what they name is destroyed, or may be. `!` marks the property that forces it.\n"
        );
    }

    #[test]
    fn a_harmless_change_set_gives_no_warning() {
        let changes = [change("Modify", "Queue", Replacement::No, "", &["Tags"])];
        assert_eq!(
            render(&changes, Style::PLAIN),
            "  modify  Queue  AWS::RDS::DBInstance  Tags\n  1 to modify.\n"
        );
    }

    #[test]
    fn no_changes_are_said_plainly() {
        assert_eq!(
            render(&[], Style::PLAIN),
            "  No changes: the stack is as the template and the parameters want it.\n"
        );
    }
}
