//! Standard output, whether or not somebody still reads it.

use std::io::Write;

/// Prints a text. A reader who has left (`stack-driver ... | head`) must not end what is going on.
pub fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    // There is nobody else to tell.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

/// Prints a text and ends the line.
pub fn say_line(text: &str) {
    say(&format!("{text}\n"));
}
