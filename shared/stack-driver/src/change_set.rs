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
    /// The nested stacks from the root down, then the logical id.
    pub path: Vec<String>,
    /// The resource's type.
    pub resource_type: String,
    /// Whether it is replaced.
    pub replacement: Replacement,
    /// What happens to what is removed or replaced: `Delete`, `Retain`, `Snapshot`...; empty if unsaid.
    pub policy: String,
    /// The properties, tags or metadata that change; `!` before one that forces replacement.
    pub causes: Vec<String>,
}

/// The marks in front of the lines, with the words that explain them.
const MARKS: [(char, &str); 7] = [
    ('+', "added"),
    ('>', "imported"),
    ('~', "changed"),
    ('?', "perhaps replaced"),
    ('!', "replaced"),
    ('-', "removed"),
    ('*', "known only on the way"),
];

/// Types whose every change is a new revision beside the old ones: replaced by name, and nothing that stands is lost.
const REVISIONS: [&str; 3] = [
    "AWS::ECS::TaskDefinition",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Version",
];

impl Change {
    /// `Database/Instance`: how a command line names it.
    #[must_use]
    pub fn address(&self) -> String {
        self.path.join("/")
    }

    /// Whether something that stands is destroyed or may be.
    #[must_use]
    pub fn is_loud(&self) -> bool {
        matches!(self.mark(), '!' | '?' | '-')
    }

    fn is_revision(&self) -> bool {
        self.action == "Modify" && REVISIONS.contains(&self.resource_type.as_str())
    }

    fn mark(&self) -> char {
        match (self.action.as_str(), self.replacement) {
            _ if self.is_revision() => '~',
            ("Modify", Replacement::Yes) => '!',
            ("Modify", Replacement::Maybe) => '?',
            ("Modify", Replacement::No) => '~',
            ("Remove", _) => '-',
            ("Add", _) => '+',
            ("Import", _) => '>',
            _ => '*',
        }
    }

    /// The nested stack that it belongs to; empty for the root.
    fn module(&self) -> &[String] {
        self.path.split_last().map_or(&[], |(_, above)| above)
    }

    fn remark(&self) -> String {
        if self.is_revision() {
            return format!("a new revision: {}", self.causes.join(", ").replace('!', ""));
        }
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

/// The whole change set, one nested stack after the other.
#[must_use]
pub fn render(changes: &[Change], style: Style) -> String {
    if changes.is_empty() {
        return "  No changes: the stack is as the template and the parameters want it.\n".to_owned();
    }
    let mut modules: Vec<&[String]> = Vec::new();
    for change in changes {
        if !modules.contains(&change.module()) {
            modules.push(change.module());
        }
    }
    let groups: String = modules.iter().map(|module| group(module, changes, style)).collect();
    groups + &tally(changes, style)
}

fn group(module: &[String], changes: &[Change], style: Style) -> String {
    let own: Vec<&Change> = changes.iter().filter(|change| change.module() == module).collect();
    let title = if module.is_empty() {
        "The stack itself".to_owned()
    } else {
        module.join(" / ")
    };
    let rows: Vec<Vec<String>> = own
        .iter()
        .map(|change| {
            let name = change.path.last().cloned().unwrap_or_default();
            vec![change.mark().to_string(), name, change.resource_type.clone()]
        })
        .collect();
    let mut text = format!("  {}\n", style.paint(Tone::Strong, &title));
    for (line, change) in columns(4, &rows).lines().zip(own) {
        let tone = match change.mark() {
            '!' | '-' | '?' => Some(Tone::Bad),
            '+' => Some(Tone::Good),
            _ => None,
        };
        text += &tone.map_or_else(|| line.to_owned(), |tone| style.paint(tone, line));
        text.push('\n');
        text += &style.wrap(8, &change.remark());
    }
    text
}

fn tally(changes: &[Change], style: Style) -> String {
    let count = |mark: char| changes.iter().filter(|change| change.mark() == mark).count();
    let parts: Vec<String> = MARKS
        .iter()
        .filter(|(mark, _)| count(*mark) > 0)
        .map(|(mark, words)| format!("{mark} {} {words}", count(*mark)))
        .collect();
    let mut text = format!("  In all: {}.\n", parts.join(", "));
    if changes.iter().any(Change::is_loud) {
        let forced = changes.iter().any(|change| matches!(change.mark(), '!' | '?'));
        let mark = if forced {
            " A property with ! in front is the one that forces the replacement."
        } else {
            ""
        };
        let warning =
            format!("What is removed or replaced is gone afterwards, unless its line says that it is kept.{mark}");
        text += &style
            .wrap(2, &warning)
            .lines()
            .map(|line| style.paint(Tone::Notice, line) + "\n")
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
            path: path.split(" / ").map(str::to_owned).collect(),
            resource_type: "AWS::RDS::DBInstance".to_owned(),
            replacement,
            policy: policy.to_owned(),
            causes: causes.iter().map(|&cause| cause.to_owned()).collect(),
        }
    }

    #[test]
    fn each_nested_stack_has_its_own_list_and_each_change_its_mark() {
        let changes = [
            change("Modify", "Vpc", Replacement::Maybe, "", &["CidrBlock"]),
            change("Add", "Ses / Topic", Replacement::No, "", &[]),
            change(
                "Modify",
                "Database / Instance",
                Replacement::Yes,
                "Snapshot",
                &["!DBInstanceIdentifier", "Tags"],
            ),
            change("Modify", "Ses / LongQueue", Replacement::No, "", &["Tags"]),
            change("Remove", "Old", Replacement::No, "Delete", &[]),
        ];
        assert_eq!(
            render(&changes, Style::PLAIN),
            "  The stack itself
    ?  Vpc  AWS::RDS::DBInstance
        CidrBlock
    -  Old  AWS::RDS::DBInstance
        the old one is deleted
  Ses
    +  Topic      AWS::RDS::DBInstance
    ~  LongQueue  AWS::RDS::DBInstance
        Tags
  Database
    !  Instance  AWS::RDS::DBInstance
        !DBInstanceIdentifier, Tags; a snapshot of the old one is kept
  In all: + 1 added, ~ 1 changed, ? 1 perhaps replaced, ! 1 replaced, - 1 removed.
  What is removed or replaced is gone afterwards, unless its line says that it is kept. A property with ! in front is the one that forces the replacement.
"
        );
    }

    #[test]
    fn a_harmless_change_set_gives_no_warning() {
        let changes = [change("Modify", "Queue", Replacement::No, "", &["Tags"])];
        assert_eq!(
            render(&changes, Style::PLAIN),
            "  The stack itself\n    ~  Queue  AWS::RDS::DBInstance\n        Tags\n  In all: ~ 1 changed.\n"
        );
    }

    #[test]
    fn a_new_revision_is_no_loss() {
        let task = Change {
            resource_type: "AWS::ECS::TaskDefinition".to_owned(),
            ..change(
                "Modify",
                "Web",
                Replacement::Yes,
                "Delete",
                &["!ContainerDefinitions", "Tags"],
            )
        };
        assert_eq!(
            render(&[task], Style::PLAIN),
            "  The stack itself\n    ~  Web  AWS::ECS::TaskDefinition\n        a new revision: ContainerDefinitions, Tags\n  In all: ~ 1 \
             changed.\n"
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
