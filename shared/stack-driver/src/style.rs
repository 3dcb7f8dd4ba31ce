//! How text meets the terminal: width, colour, durations.

use std::io::IsTerminal;
use std::time::Duration;

/// What a piece of text means; shown as colour where colour is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Strong,
    /// It worked.
    Good,
    /// It failed, or destroys.
    Bad,
    /// It goes on, or needs a look.
    Notice,
    /// Detail.
    Quiet,
}

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns; a log file has no end to its lines.
    pub width: usize,
    /// Whether escape sequences are wanted.
    pub colour: bool,
}

impl Style {
    /// No colour and no wrapping: what a log file or a pipe gets.
    pub const PLAIN: Self = Self {
        width: usize::MAX,
        colour: false,
    };

    /// For standard output as it is: width of the terminal, colour unless `NO_COLOR` is set.
    #[must_use]
    pub fn detect() -> Self {
        let output = std::io::stdout();
        if !output.is_terminal() {
            return Self::PLAIN;
        }
        let columns = rustix::termios::tcgetwinsize(&output).map_or(80, |size| usize::from(size.ws_col));
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            width: columns.max(40),
            colour: !no_colour && !dumb,
        }
    }

    /// The text in the colour of its meaning.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Notice => "33",
            Tone::Quiet => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The text in lines that fit, each indented; words longer than a line are left whole, so that they can be copied.
    #[must_use]
    pub fn wrap(&self, indent: usize, text: &str) -> String {
        let room = self.width.saturating_sub(indent).max(20);
        text.lines()
            .flat_map(|line| fold(line, room))
            .map(|line| format!("{:indent$}{line}", "").trim_end().to_owned() + "\n")
            .collect()
    }
}

fn fold(line: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let current = lines.last_mut().expect("there is always a line");
        if current.is_empty() {
            current.push_str(word);
        } else if current.chars().count() + 1 + word.chars().count() <= room {
            current.push(' ');
            current.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A duration for people: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`.
#[must_use]
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A clock since the start: `0:07`, `61:03`.
#[must_use]
pub fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Rows with their columns aligned, two spaces apart; the last column is as long as it is.
#[must_use]
pub fn columns(indent: usize, rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("{:indent$}{}", "", cells.join("  ")).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_to_the_terminal_and_long_words_stay_whole() {
        let style = Style {
            width: 30,
            colour: false,
        };
        assert_eq!(
            style.wrap(
                4,
                "The hosted zone of mail.example.com is arn:aws:route53:::hostedzone/Z0123456789ABCDEF gone.\nLook."
            ),
            "    The hosted zone of\n    mail.example.com is\n    arn:aws:route53:::hostedzone/Z0123456789ABCDEF\n    gone.\n    Look.\n"
        );
    }

    #[test]
    fn a_log_file_gets_neither_colour_nor_line_breaks() {
        let long = "word ".repeat(60);
        assert_eq!(Style::PLAIN.wrap(0, &long), format!("{}\n", long.trim_end()));
        assert_eq!(Style::PLAIN.paint(Tone::Bad, "FAILED"), "FAILED");
        assert_eq!(
            Style {
                width: 80,
                colour: true
            }
            .paint(Tone::Good, "ok"),
            "\u{1b}[32mok\u{1b}[0m"
        );
    }

    #[test]
    fn durations_are_as_exact_as_they_are_short() {
        let shown: Vec<String> = [420, 9_960, 59_000, 185_000, 3_725_000]
            .map(|ms| duration(Duration::from_millis(ms)))
            .into();
        assert_eq!(shown, ["0.4 s", "10.0 s", "59 s", "3 min 05 s", "1 h 02 min"]);
        assert_eq!(clock(Duration::from_secs(3663)), "61:03");
    }

    #[test]
    fn columns_are_aligned_and_lines_end_where_their_text_ends() {
        let rows = [
            vec!["a".to_owned(), "bcd".to_owned(), "e".to_owned()],
            vec!["long".to_owned(), String::new()],
        ];
        assert_eq!(columns(2, &rows), "  a     bcd  e\n  long\n");
    }
}
