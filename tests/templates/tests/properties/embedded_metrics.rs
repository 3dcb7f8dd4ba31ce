//! Which metrics functions print themselves, in CloudWatch's embedded format: those that alarms and graphs may name.

/// What a function prints in CloudWatch's embedded format, in the namespace that its template tells it.
#[derive(Debug)]
pub struct Embedded {
    /// The function's package.
    pub code: &'static str,
    /// The names of the metrics' dimensions.
    pub dimensions: &'static [&'static str],
    /// The metrics.
    pub metrics: &'static [&'static str],
}

const fn bounces(dimensions: &'static [&'static str], metrics: &'static [&'static str]) -> Embedded {
    Embedded {
        code: "../functions/bounce-handler.zip",
        dimensions,
        metrics,
    }
}

/// Those that there are. functions/bounce-handler/src/report.rs makes them.
pub const EMBEDDED: &[Embedded] = &[
    bounces(
        &[],
        &[
            "Messages",
            "Malformed",
            "OddRecipients",
            "Unknown",
            "Failed",
            "Repeated",
            "UnreadableDetails",
            "Lag",
        ],
    ),
    bounces(&["Type"], &["Events"]),
    bounces(&["Type", "SubType"], &["Recipients"]),
    bounces(&["Action"], &["Recipients"]),
    bounces(&["Correlation"], &["Recipients"]),
];
