//! A command as a value: what is run is what is printed.

use std::fmt::Write as _;
use std::sync::OnceLock;

static OWN_NAME: OnceLock<String> = OnceLock::new();

/// Sets how this program was called, so that a command that it prints can be pasted; only the first call counts.
pub fn set_own_name(name: &str) {
    // The name is set before anything is printed; a second one would contradict what stands on the screen.
    let _ = OWN_NAME.set(quote(name));
}

/// How this program was called.
#[must_use]
pub fn own_name() -> &'static str {
    OWN_NAME.get().map_or("stack-driver", String::as_str)
}

/// A command with the environment that it needs besides the inherited one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// Variables to be set; never a secret, for they are printed.
    pub environment: Vec<(String, String)>,
    /// The program.
    pub program: String,
    /// Its arguments, in groups: an option with its values stands on one line.
    pub arguments: Vec<Vec<String>>,
}

impl CommandLine {
    /// A command without arguments.
    #[must_use]
    pub fn new(program: &str) -> Self {
        Self {
            environment: Vec::new(),
            program: program.to_owned(),
            arguments: Vec::new(),
        }
    }

    /// Adds an option with its values.
    #[must_use]
    pub fn with<S: Into<String>>(mut self, group: impl IntoIterator<Item = S>) -> Self {
        self.arguments.push(group.into_iter().map(Into::into).collect());
        self
    }

    /// Every argument in its order.
    pub fn flat(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().flatten().map(String::as_str)
    }

    /// The command for a shell, on one line.
    #[must_use]
    pub fn one_line(&self) -> String {
        let mut text = self.head();
        for argument in self.flat() {
            let _ = write!(text, " {}", quote(argument));
        }
        text
    }

    /// The command for a shell, an option a line, long groups a value a line.
    #[must_use]
    pub fn for_reading(&self, indent: usize) -> String {
        let next = format!(" \\\n{:width$}", "", width = indent + 2);
        let mut text = format!("{:indent$}{}", "", self.head());
        for group in &self.arguments {
            let words: Vec<String> = group.iter().map(|word| quote(word)).collect();
            let joint = if words.len() > 3 {
                format!("{next}  ")
            } else {
                " ".to_owned()
            };
            let first_is_verb = !group.first().is_some_and(|word| word.starts_with('-'));
            text += if first_is_verb { " " } else { &next };
            text += &words.join(&joint);
        }
        text + "\n"
    }

    fn head(&self) -> String {
        let variables: String = self.environment.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = write!(text, "{name}={} ", quote(value));
            text
        });
        variables + &quote(&self.program)
    }
}

/// A word as a POSIX shell reads it back.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    // `Key='two words'` reads better than `'Key=two words'`, and is the same word.
    if let Some((name, value)) = word.split_once('=')
        && !name.is_empty()
        && name.chars().all(plain)
    {
        return if value.is_empty() {
            format!("{name}=")
        } else {
            format!("{name}={}", quote(value))
        };
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_would_misread_them() {
        let quoted: Vec<String> = [
            "plain-1.0",
            "",
            "two words",
            "it's",
            "Name=a b",
            "Empty=",
            "$HOME",
            "Key=$(id)",
            "~/x",
            "A=b=c d",
        ]
        .into_iter()
        .map(quote)
        .collect();
        assert_eq!(
            quoted,
            [
                "plain-1.0",
                "''",
                "'two words'",
                r"'it'\''s'",
                "Name='a b'",
                "Empty=",
                "'$HOME'",
                "Key='$(id)'",
                "'~/x'",
                "A=b='c d'"
            ]
        );
    }

    #[test]
    fn a_shell_reads_back_exactly_what_is_run() {
        let words = ["Note=it's \"a\" $test \\ `x`", "a\nb", "Key=*", "=x y", "A=", "~"];
        let command = CommandLine::new("printf").with(["%s\\0"]).with(words);
        for text in [command.one_line(), command.for_reading(4)] {
            let output = std::process::Command::new("sh")
                .args(["-c", &text])
                .output()
                .expect("sh runs");
            assert_eq!(String::from_utf8(output.stdout).expect("text"), words.join("\0") + "\0");
        }
    }

    #[test]
    fn a_long_command_is_printed_an_option_a_line() {
        let mut command = CommandLine::new("aws")
            .with(["cloudformation", "deploy"])
            .with(["--stack-name", "mautic"])
            .with(["--parameter-overrides", "Environment=dev", "Note=two words", "Size="]);
        command
            .environment
            .push(("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:4566".to_owned()));
        assert_eq!(
            command.for_reading(2),
            "  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws cloudformation deploy \\\n    --stack-name mautic \\\n    \
             --parameter-overrides \\\n      Environment=dev \\\n      Note='two words' \\\n      Size=\n"
        );
    }
}
