//! The steps of a run with their times, and the one question that it asks.

use crate::error::DriverError;
use crate::screen::{say, say_line};
use crate::style::{Style, Tone, duration};
use std::io::IsTerminal;
use std::time::Instant;

/// Numbers the steps and measures them.
#[derive(Debug)]
pub struct Steps {
    count: usize,
    current: usize,
    start: Instant,
    step: Instant,
    style: Style,
}

impl Steps {
    /// A run of so many steps.
    #[must_use]
    pub fn new(count: usize, style: Style) -> Self {
        Self {
            count,
            current: 0,
            start: Instant::now(),
            step: Instant::now(),
            style,
        }
    }

    /// Ends the step before and begins the next.
    pub fn begin(&mut self, title: &str) {
        self.close();
        self.current += 1;
        self.step = Instant::now();
        say_line(
            &self
                .style
                .paint(Tone::Strong, &format!("[{}/{}] {title}", self.current, self.count)),
        );
    }

    /// A remark within a step.
    pub fn note(&self, text: &str) {
        say(&self.style.wrap(2, &format!("{text}.")));
    }

    /// Ends the run.
    pub fn end(&mut self) {
        self.close();
        let total = format!("{} in all", duration(self.start.elapsed()));
        say_line(&self.style.paint(Tone::Quiet, &total));
    }

    fn close(&self) {
        if self.current > 0 {
            let text = format!("  {}", duration(self.step.elapsed()));
            say_line(&self.style.paint(Tone::Quiet, &text));
        }
    }
}

/// Asks on the terminal.
///
/// # Errors
/// The answer is no, or there is nobody to ask.
pub fn confirm(question: &str) -> Result<(), DriverError> {
    if !std::io::stdin().is_terminal() {
        return Err(DriverError::NobodyToAsk {
            question: question.to_owned(),
        });
    }
    say(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let heard = std::io::stdin().read_line(&mut answer);
    match (heard, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(DriverError::Declined),
    }
}
