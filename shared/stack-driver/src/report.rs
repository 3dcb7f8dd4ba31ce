//! The story of an operation as lines of text.

use crate::command_line::{CommandLine, own_name};
use crate::event::Status;
use crate::journal::{Row, Waiting};
use crate::readiness::cloudformation;
use crate::root_cause::{Failure, RootCause, advice, log_stream};
use crate::style::{Style, Tone, clock, duration};

/// One event.
#[must_use]
pub fn row(row: &Row, style: Style) -> String {
    let tone = match &row.status {
        status if status.is_failure() || status.is_rollback() => Tone::Bad,
        status if status.is_success() => Tone::Good,
        _ => Tone::Quiet,
    };
    let status = style.paint(tone, &format!("{:<18}", row.status));
    let took = row
        .took
        .map_or_else(String::new, |took| format!("  {}", duration(took)));
    let head = format!("{:>6}  {status}  {}", clock(row.since_start), row.path.text());
    let kind = style.paint(Tone::Quiet, &row.resource_type);
    let bare = 28 + row.path.text().chars().count() + 2 + row.resource_type.chars().count() + took.len();
    // The type is what a narrow terminal can do without.
    let line = if bare <= style.width {
        format!("{head}  {kind}{took}\n")
    } else {
        format!("{head}{took}\n")
    };
    line + &style.wrap(10, &row.reason)
}

/// What the operation waits for, when nothing has happened for a while.
#[must_use]
pub fn waiting(elapsed: std::time::Duration, waiting: &[Waiting], style: Style) -> String {
    let shown: Vec<String> = waiting.iter().take(3).map(wait).collect();
    let more = waiting.len().saturating_sub(shown.len());
    let tail = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    let text = if shown.is_empty() {
        "waiting for CloudFormation".to_owned()
    } else {
        format!("waiting for {}{tail}", shown.join(", "))
    };
    style.paint(Tone::Quiet, &format!("{:>6}  {text}", clock(elapsed))) + "\n"
}

fn wait(waiting: &Waiting) -> String {
    let whom = if waiting.is_custom_resource() {
        ", its function works"
    } else {
        ""
    };
    format!("{} ({}{whom})", waiting.path.text(), duration(waiting.elapsed))
}

/// Why it failed, and how to see more; `shell` brings a shell to this AWS.
#[must_use]
pub fn root_cause(cause: &RootCause, stack: &str, shell: Option<&str>, style: Style) -> String {
    let first = &cause.first;
    let title = format!("Root cause: {} ({})", first.path, first.resource_type);
    let mut parts = vec![style.paint(Tone::Bad, &title), "\n".to_owned(), failure(first, style)];
    if !cause.others.is_empty() {
        parts.push(heading("Failed besides", style));
    }
    for other in &cause.others {
        parts.push(format!("  {} ({})\n", other.path, other.resource_type));
        parts.push(style.wrap(4, &other.reason));
    }
    parts.push(heading("To see more", style));
    parts.extend(shell.map(|line| format!("  {line}\n")));
    parts.extend(
        see_more(first)
            .iter()
            .map(|command| format!("  {}\n", command.one_line())),
    );
    parts.push(format!("  {} why --stack {stack}\n", own_name()));
    parts.concat()
}

fn heading(title: &str, style: Style) -> String {
    format!("\n{}\n", style.paint(Tone::Strong, title))
}

fn failure(failure: &Failure, style: Style) -> String {
    let remedy = advice(&failure.reason).map_or_else(String::new, |advice| style.wrap(2, advice));
    format!("  {}\n{}{remedy}", failure.status, style.wrap(2, &failure.reason))
}

fn see_more(failure: &Failure) -> Vec<CommandLine> {
    let text = ["--output", "text"];
    let events = cloudformation("describe-stack-events", &failure.stack_id)
        .with([
            "--query",
            "StackEvents[?ends_with(ResourceStatus, `_FAILED`)].[LogicalResourceId, ResourceStatusReason]",
        ])
        .with(text);
    let log = log_stream(&failure.reason).map(|(group, stream)| {
        CommandLine::new("aws")
            .with(["logs", "get-log-events"])
            .with(["--log-group-name", group])
            .with(["--log-stream-name", stream])
            .with(["--query", "events[].message"])
            .with(text)
    });
    log.into_iter().chain([events]).collect()
}

/// What to do after a failure that left the stack in this state.
#[must_use]
pub fn next_step(status: &Status, stack: &str, style: Style) -> String {
    let me = own_name();
    let command = |verb: &str| cloudformation(verb, stack).one_line();
    let text = match status.as_str() {
        "CREATE_FAILED" | "UPDATE_FAILED" => format!(
            "Rollback was off: what was made still stands, and nothing was deleted. Remove the cause and run the same deployment \
             again: it goes on from here. Or undo it all: `{}`",
            command("rollback-stack")
        ),
        "UPDATE_ROLLBACK_COMPLETE" => {
            "The stack is as it was before. Remove the cause and run the same deployment again".to_owned()
        }
        "ROLLBACK_COMPLETE" => format!(
            "What was made is deleted again; the empty stack is left. Remove the cause, then `{me} delete --stack {stack} --wait`, and \
             deploy again"
        ),
        "ROLLBACK_FAILED" | "DELETE_FAILED" => format!(
            "Some of it could not be deleted. Remove what keeps it, as said above, then `{me} delete --stack {stack} --wait`"
        ),
        "UPDATE_ROLLBACK_FAILED" => format!(
            "Neither the update nor its way back went through. Remove the cause, then let the way back go on: `{}`",
            command("continue-update-rollback")
        ),
        _ => format!("See how it stands: `{me} summary --stack {stack}`"),
    };
    heading("What next", style) + &style.wrap(2, &format!("{text}."))
}

/// What an interruption leaves behind.
#[must_use]
pub fn interrupted(stack: &str, has_begun: bool, style: Style) -> String {
    if !has_begun {
        return style.wrap(
            0,
            &format!("Interrupted before the stack {stack} was touched: nothing was changed."),
        );
    }
    let cancel = cloudformation("cancel-update-stack", stack).one_line();
    let delete = cloudformation("delete-stack", stack).one_line();
    let me = own_name();
    let lines = format!(
        "Interrupted. The stack {stack} goes on without this terminal.\n  follow it:         {me} follow --stack {stack}\n  cancel \
         an update:  {cancel}\n  cancel a create:   {delete}\n"
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::journal::Journal;
    use crate::testing::{arn, custom, nested, own};
    use std::time::Duration;

    const REASON: &str = "The schema mautic on localhost:3306 exists already and is not this stack's: choose another Name, or set \
                          AdoptExisting. See log group /aws/lambda/database-init, stream 2026/11/24/[$LATEST]0a1b.";

    fn story() -> (Journal, Vec<Row>) {
        let events: Vec<Event> = vec![
            own("root", "CREATE_IN_PROGRESS", 1, "User Initiated"),
            nested("root", "Database", "db", "CREATE_IN_PROGRESS", 2, ""),
            custom("db", "Schema", "CREATE_IN_PROGRESS", 3, ""),
            custom("db", "Schema", "CREATE_FAILED", 74, REASON),
        ];
        let mut journal = Journal::new(&arn("root"), Duration::ZERO);
        let rows = journal.take(events);
        (journal, rows)
    }

    #[test]
    fn the_story_reads_from_left_to_right() {
        let text: String = story()
            .1
            .iter()
            .map(|line| {
                row(
                    line,
                    Style {
                        width: 90,
                        colour: false,
                    },
                )
            })
            .collect();
        assert_eq!(
            text,
            "  0:00  CREATE_IN_PROGRESS  (stack)  AWS::CloudFormation::Stack
          User Initiated
  0:01  CREATE_IN_PROGRESS  Database  AWS::CloudFormation::Stack
  0:02  CREATE_IN_PROGRESS  Database / Schema  Custom::Schema
  1:13  CREATE_FAILED       Database / Schema  Custom::Schema  1 min 11 s
          The schema mautic on localhost:3306 exists already and is not this stack's:
          choose another Name, or set AdoptExisting. See log group
          /aws/lambda/database-init, stream 2026/11/24/[$LATEST]0a1b.
"
        );
    }

    #[test]
    fn a_narrow_terminal_does_without_the_type() {
        let (_, rows) = story();
        assert_eq!(
            row(
                &rows[2],
                Style {
                    width: 50,
                    colour: false
                }
            ),
            "  0:02  CREATE_IN_PROGRESS  Database / Schema\n"
        );
    }

    #[test]
    fn the_root_cause_comes_with_its_path_its_remedy_and_the_commands_that_show_more() {
        let cause = crate::root_cause::root_cause(&story().0).expect("a cause");
        assert_eq!(
            root_cause(&cause, "mautic", Some("export A=b"), Style::PLAIN),
            format!(
                "Root cause: Database / Schema (Custom::Schema)
  CREATE_FAILED
  {REASON}

To see more
  export A=b
  aws logs get-log-events --log-group-name /aws/lambda/database-init --log-stream-name '2026/11/24/[$LATEST]0a1b' --query 'events[].message' --output text
  aws cloudformation describe-stack-events --stack-name {} --query 'StackEvents[?ends_with(ResourceStatus, `_FAILED`)].[LogicalResourceId, ResourceStatusReason]' --output text
  stack-driver why --stack mautic
",
                arn("db")
            )
        );
    }

    #[test]
    fn each_state_after_a_failure_has_its_next_command() {
        let states = [
            "CREATE_FAILED",
            "UPDATE_ROLLBACK_COMPLETE",
            "ROLLBACK_COMPLETE",
            "UPDATE_ROLLBACK_FAILED",
        ];
        let texts = states.map(|state| next_step(&Status::new(state), "mautic", Style::PLAIN));
        let commands = texts.each_ref().map(|text| text.split('`').nth(1).unwrap_or_default());
        assert_eq!(
            commands,
            [
                "aws cloudformation rollback-stack --stack-name mautic",
                "",
                "stack-driver delete --stack mautic --wait",
                "aws cloudformation continue-update-rollback --stack-name mautic",
            ]
        );
        assert_eq!(
            texts[1],
            "\nWhat next\n  The stack is as it was before. Remove the cause and run the same deployment again.\n"
        );
    }

    #[test]
    fn a_quiet_minute_says_what_is_waited_for() {
        let mut journal = Journal::new(&arn("root"), Duration::ZERO);
        journal.take(vec![
            own("root", "CREATE_IN_PROGRESS", 1, ""),
            custom("root", "Domain", "CREATE_IN_PROGRESS", 2, ""),
        ]);
        let waits = journal.waiting(Duration::from_secs(22));
        assert_eq!(
            waiting(Duration::from_secs(21), &waits, Style::PLAIN),
            "  0:21  waiting for Domain (20 s, its function works)\n"
        );
        assert_eq!(
            waiting(Duration::from_secs(3), &[], Style::PLAIN),
            "  0:03  waiting for CloudFormation\n"
        );
    }

    #[test]
    fn an_interruption_says_that_the_stack_goes_on() {
        assert_eq!(
            interrupted("mautic", true, Style::PLAIN),
            "Interrupted. The stack mautic goes on without this terminal.\n  follow it:         stack-driver follow --stack mautic\n  \
             cancel an update:  aws cloudformation cancel-update-stack --stack-name mautic\n  cancel a create:   aws cloudformation \
             delete-stack --stack-name mautic\n"
        );
        assert_eq!(
            interrupted("mautic", false, Style::PLAIN),
            "Interrupted before the stack mautic was touched: nothing was changed.\n"
        );
    }
}
