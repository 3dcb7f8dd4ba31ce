//! What a look at the account found, as a value.

use crate::style::{Style, Tone};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As it should be.
    Fine,
    /// The deployment may go wrong, or is not all that one might expect.
    Warning,
    /// The deployment would fail, or do harm.
    Stop,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at; `--ignore` takes this name.
    pub check: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// What was found.
    pub text: String,
    /// What to do about it; empty where nothing is to be done.
    pub remedy: String,
}

impl Finding {
    /// As it should be.
    pub fn fine(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Weight::Fine, text, "")
    }

    /// Worth a look.
    pub fn warning(check: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, Weight::Warning, text, remedy)
    }

    /// Nothing can be deployed so.
    pub fn stop(check: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, Weight::Stop, text, remedy)
    }

    fn new(check: &'static str, weight: Weight, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            weight,
            text: text.into(),
            remedy: remedy.into(),
        }
    }

    fn render(&self, style: Style) -> String {
        let (word, tone) = match self.weight {
            Weight::Fine => ("ok", Tone::Good),
            Weight::Warning => ("warning", Tone::Notice),
            Weight::Stop => ("STOP", Tone::Bad),
        };
        let head = format!("  {}  {:<11}  ", style.paint(tone, &format!("{word:<7}")), self.check);
        let text = style.wrap(INDENT, &self.text) + &style.wrap(INDENT, &self.remedy);
        head + text.trim_start()
    }
}

/// Where the texts begin.
const INDENT: usize = 24;

/// Makes warnings of the stops that the user knows better about.
#[must_use]
pub fn ignoring(findings: Vec<Finding>, names: &[String]) -> Vec<Finding> {
    let weigh = |finding: Finding| {
        let known = finding.weight == Weight::Stop && names.iter().any(|name| name == finding.check);
        if !known {
            return finding;
        }
        Finding {
            weight: Weight::Warning,
            text: format!("{} Ignored, as asked.", finding.text),
            ..finding
        }
    };
    findings.into_iter().map(weigh).collect()
}

/// All of them, one below the other.
#[must_use]
pub fn render(findings: &[Finding], style: Style) -> String {
    findings.iter().map(|finding| finding.render(style)).collect()
}

/// The names of the checks that stop the deployment.
#[must_use]
pub fn stops(findings: &[Finding]) -> Vec<&'static str> {
    let stop = |finding: &&Finding| finding.weight == Weight::Stop;
    let mut names: Vec<&'static str> = findings.iter().filter(stop).map(|finding| finding.check).collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::fine("account", "111122223333 in eu-central-1."),
            Finding::warning("sandbox", "SES is in its sandbox.", "Ask for production access."),
            Finding::stop("zone", "There is no zone.", "Make one."),
        ]
    }

    #[test]
    fn findings_stand_in_columns_with_their_remedies_below() {
        assert_eq!(
            render(&findings(), Style::PLAIN),
            "  ok       account      111122223333 in eu-central-1.
  warning  sandbox      SES is in its sandbox.
                        Ask for production access.
  STOP     zone         There is no zone.
                        Make one.
"
        );
    }

    #[test]
    fn only_a_stop_stops_and_one_that_is_ignored_does_not() {
        assert_eq!(stops(&findings()), ["zone"]);
        let ignored = ignoring(findings(), &["zone".to_owned()]);
        assert_eq!(stops(&ignored), Vec::<&str>::new());
        assert_eq!(ignored[2].text, "There is no zone. Ignored, as asked.");
        assert_eq!(ignored[1], findings()[1]);
    }
}
