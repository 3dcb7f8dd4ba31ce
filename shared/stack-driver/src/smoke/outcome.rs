//! What a check came to, as a value and as a line.

use crate::style::{Style, Tone, duration};
use std::time::Duration;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The sign-in page over HTTPS.
    Login,
    /// A form that a visitor fills in.
    Form,
    /// A mail that is handed to SES directly.
    Ses,
    /// A mail that Mautic sends.
    Mail,
    /// The arrival of both mails.
    Delivery,
    /// A scheduled job.
    Job,
    /// The removal of what the others made.
    Removal,
}

impl Check {
    /// As the lines name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Form => "form",
            Self::Ses => "ses",
            Self::Mail => "mail",
            Self::Delivery => "delivery",
            Self::Job => "job",
            Self::Removal => "removal",
        }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It works.
    Passed,
    /// It was not tried, or its end was not seen.
    Skipped,
    /// It does not work.
    Failed,
}

/// What was seen, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How it ended.
    pub mark: Mark,
    /// What was seen.
    pub seen: String,
    /// What to do; empty where nothing is to be done.
    pub remedy: String,
}

impl Judgement {
    /// It works.
    pub fn passed(seen: impl Into<String>) -> Self {
        Self::new(Mark::Passed, seen, "")
    }

    /// It was not tried, or its end was not seen.
    pub fn skipped(seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Mark::Skipped, seen, remedy)
    }

    /// It does not work.
    pub fn failed(seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Mark::Failed, seen, remedy)
    }

    fn new(mark: Mark, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            mark,
            seen: seen.into(),
            remedy: remedy.into(),
        }
    }
}

/// A check that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was checked.
    pub check: Check,
    /// What it came to.
    pub judgement: Judgement,
    /// How long it took; nothing is shown for what was not tried.
    pub took: Option<Duration>,
}

/// Where the texts begin.
const INDENT: usize = 33;

impl Outcome {
    /// Its line, with the remedy below.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let (word, tone) = match self.judgement.mark {
            Mark::Passed => ("ok", Tone::Good),
            Mark::Skipped => ("skipped", Tone::Notice),
            Mark::Failed => ("FAILED", Tone::Bad),
        };
        let word = style.paint(tone, &format!("{word:<7}"));
        let took = self.took.map_or_else(String::new, duration);
        let head = format!("  {word}  {:<8}  {took:>10}  ", self.check.name());
        let text = style.wrap(INDENT, &self.judgement.seen) + &style.wrap(INDENT, &self.judgement.remedy);
        head + text.trim_start()
    }
}

/// The last line: how many checks ended how.
#[must_use]
pub fn conclusion(outcomes: &[Outcome], style: Style) -> String {
    let count = |mark: Mark| outcomes.iter().filter(|outcome| outcome.judgement.mark == mark).count();
    let (passed, skipped, failed) = (count(Mark::Passed), count(Mark::Skipped), count(Mark::Failed));
    let tone = match (failed, skipped) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Notice,
        _ => Tone::Bad,
    };
    style.paint(tone, &format!("{passed} ok, {skipped} skipped, {failed} failed"))
}

/// Whether one has failed; a check that was skipped has not.
#[must_use]
pub fn any_failed(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| outcome.judgement.mark == Mark::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        let outcome = |check, took, judgement| Outcome { check, judgement, took };
        let ms = |ms| Some(Duration::from_millis(ms));
        vec![
            outcome(Check::Login, ms(312), Judgement::passed("It answered 200.")),
            outcome(
                Check::Form,
                None,
                Judgement::skipped("The API is off.", "Set MauticApi=true."),
            ),
            outcome(
                Check::Job,
                ms(92_000),
                Judgement::failed("It ended with 1.", "Read its log."),
            ),
        ]
    }

    #[test]
    fn each_check_is_a_line_with_its_time_and_its_remedy_below() {
        let text: String = outcomes().iter().map(|outcome| outcome.render(Style::PLAIN)).collect();
        assert_eq!(
            text,
            "  ok       login          0.3 s  It answered 200.
  skipped  form                  The API is off.
                                 Set MauticApi=true.
  FAILED   job       1 min 32 s  It ended with 1.
                                 Read its log.
"
        );
    }

    #[test]
    fn what_was_skipped_is_counted_and_is_no_failure() {
        let outcomes = outcomes();
        assert_eq!(conclusion(&outcomes, Style::PLAIN), "1 ok, 1 skipped, 1 failed");
        assert!(any_failed(&outcomes));
        assert!(!any_failed(&outcomes[..2]));
    }
}
