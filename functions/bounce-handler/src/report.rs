//! What is told of a batch: metrics, and a line for each incident, without anybody's address.

use std::collections::BTreeMap;

use telemetry::{Metric, Unit, embedded, pseudonym};

use crate::incident::Incident;
use crate::plan::Outcome;
use crate::policy::Verdict;

/// What is counted over a batch.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) messages: u32,
    pub(crate) malformed: u32,
    pub(crate) odd_recipients: u32,
    pub(crate) unknown: u32,
    pub(crate) failed: u32,
    repeated: u32,
    unreadable: u32,
    lags: Vec<f64>,
    /// Events by type.
    pub(crate) types: BTreeMap<String, u32>,
    subtypes: BTreeMap<(&'static str, String), u32>,
    actions: BTreeMap<&'static str, u32>,
    correlations: BTreeMap<&'static str, u32>,
}

/// Subtypes that are a dimension's value by their own name: those that are documented, so that no text of a stranger's
/// makes a metric, which costs.
const SUBTYPES: [&str; 19] = [
    "General",
    "NoEmail",
    "Suppressed",
    "OnAccountSuppressionList",
    "OnTenantSuppressionList",
    "EmailValidationSuppressed",
    "MailboxFull",
    "MessageTooLarge",
    "CustomTimeoutExceeded",
    "ContentRejected",
    "AttachmentRejected",
    "Undetermined",
    "abuse",
    "auth-failure",
    "fraud",
    "not-spam",
    "other",
    "virus",
    "",
];

impl Report {
    /// Counts and logs one recorded incident; `now` is in seconds since 1970.
    pub(crate) fn recorded(&mut self, incident: &Incident, outcome: Outcome, now: f64) {
        if !outcome.fresh {
            self.repeated += 1;
            return;
        }
        let known = SUBTYPES.contains(&incident.subtype.as_str());
        let subtype = if known { incident.subtype.as_str() } else { "another" };
        let subtype = if subtype.is_empty() { "none" } else { subtype };
        self.unknown += u32::from(incident.verdict == Verdict::Unknown);
        *self.subtypes.entry((incident.kind, subtype.to_owned())).or_default() += 1;
        *self.actions.entry(action(incident, outcome)).or_default() += 1;
        if outcome.suppressed {
            *self.correlations.entry(outcome.correlation.name()).or_default() += 1;
        }
        self.unreadable += u32::from(outcome.unreadable);
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit in a double exactly")]
        let lag = (now - incident.at as f64).max(0.0);
        self.lags.push(lag);
        tracing::info!(
            address = pseudonym(incident.address.as_str()),
            kind = incident.kind,
            subtype = cut(&incident.subtype),
            action = action(incident, outcome),
            correlation = outcome.correlation.name(),
            lag,
            "recorded"
        );
        if outcome.unreadable {
            tracing::warn!(
                address = pseudonym(incident.address.as_str()),
                "email_stats.open_details of this send is no text of PHP's serialize() and stays as it is; only is_failed was set"
            );
        }
    }

    /// The metrics, a line each set of dimensions.
    pub(crate) fn lines(&self, namespace: &str, timestamp: u64) -> Vec<String> {
        let count = |name, value: u32| Metric::new(name, Unit::Count, vec![f64::from(value)]);
        let mut totals = vec![
            count("Messages", self.messages),
            count("Malformed", self.malformed),
            count("OddRecipients", self.odd_recipients),
            count("Unknown", self.unknown),
            count("Failed", self.failed),
            count("Repeated", self.repeated),
            count("UnreadableDetails", self.unreadable),
        ];
        if !self.lags.is_empty() {
            totals.push(Metric::new("Lag", Unit::Seconds, self.lags.clone()));
        }
        let mut lines = vec![embedded(namespace, timestamp, &[], &totals)];
        let mut one = |dimensions: &[(&str, &str)], name, value| {
            lines.push(embedded(namespace, timestamp, dimensions, &[count(name, value)]));
        };
        for (kind, number) in &self.types {
            one(&[("Type", kind)], "Events", *number);
        }
        for ((kind, subtype), number) in &self.subtypes {
            one(&[("Type", kind), ("SubType", subtype)], "Recipients", *number);
        }
        for (action, number) in &self.actions {
            one(&[("Action", action)], "Recipients", *number);
        }
        for (correlation, number) in &self.correlations {
            one(&[("Correlation", correlation)], "Recipients", *number);
        }
        lines
    }
}

/// Enough of a name that SES may have coined; whoever may publish to the topic writes it.
pub(crate) fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(64)]
}

/// What was done: a soft bounce that was one too many is told from those that were only counted.
fn action(incident: &Incident, outcome: Outcome) -> &'static str {
    match incident.verdict {
        Verdict::Soft if outcome.suppressed => "soft-too-many",
        verdict => verdict.name(),
    }
}

#[cfg(test)]
mod tests {
    use ses_events::Address;

    use super::*;
    use crate::clues::Clues;
    use crate::plan::Correlation;
    use crate::policy::Reason;

    /// Every line that a batch can print, whole; the alarms' and graphs' metrics are compared with it in tests/templates.
    const LINES: &str = include_str!("../tests/metrics.jsonl");

    fn incident(kind: &'static str, subtype: &str, verdict: Verdict) -> Incident {
        Incident {
            key: [0; 32],
            verdict,
            kind,
            subtype: subtype.into(),
            address: Address::parse("jane@example.com").expect("an address"),
            at: 1_795_477_100,
            reason: "said".into(),
            clues: Clues::default(),
            alone: true,
        }
    }

    fn outcome(suppressed: bool, correlation: Correlation) -> Outcome {
        Outcome {
            fresh: true,
            suppressed,
            correlation,
            unreadable: false,
        }
    }

    #[test]
    fn each_verdict_and_each_correlation_has_its_line() {
        use Correlation::{Address, EmailId, Hash, Nobody, Stripped};
        let (bounced, complained) = (
            Verdict::Suppress(Reason::Bounced),
            Verdict::Suppress(Reason::Unsubscribed),
        );
        let mut report = Report {
            messages: 12,
            malformed: 1,
            odd_recipients: 2,
            unknown: 1,
            failed: 3,
            types: [("Bounce", 7), ("Complaint", 3), ("Delivery", 1), ("another", 1)]
                .map(|(name, number)| (name.to_owned(), number))
                .into(),
            ..Report::default()
        };
        for (kind, subtype, verdict, outcome) in [
            ("Bounce", "General", bounced, outcome(true, Hash)),
            ("Bounce", "General", bounced, outcome(true, EmailId)),
            ("Bounce", "MailboxFull", Verdict::Soft, outcome(false, Address)),
            ("Bounce", "MailboxFull", Verdict::Soft, outcome(true, Address)),
            (
                "Bounce",
                "OnAccountSuppressionList",
                Verdict::ProviderSuppressed,
                outcome(false, Nobody),
            ),
            ("Bounce", "a stranger's words", Verdict::Unknown, outcome(false, Nobody)),
            ("Complaint", "", complained, outcome(true, Stripped)),
            ("Complaint", "abuse", complained, outcome(true, Nobody)),
            ("Complaint", "not-spam", Verdict::Harmless, outcome(false, Nobody)),
        ] {
            report.recorded(&incident(kind, subtype, verdict), outcome, 1_795_477_102.5);
        }
        let unreadable = Outcome {
            unreadable: true,
            ..outcome(true, Hash)
        };
        report.recorded(&incident("Bounce", "NoEmail", bounced), unreadable, 1_795_477_100.0);
        let repeated = Outcome {
            fresh: false,
            ..outcome(true, Hash)
        };
        report.recorded(&incident("Bounce", "General", bounced), repeated, 1_795_477_102.5);
        let lines = report.lines("Mautic/test/Bounces", 1_795_477_102_500);
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        let expected: Vec<_> = LINES.lines().map(read).collect();
        assert_eq!(lines.iter().map(|line| read(line)).collect::<Vec<_>>(), expected);
    }
}
