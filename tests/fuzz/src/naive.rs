//! Second implementations, as plain as can be, of what the targets compare with.

/// The strings of a TXT value, decoded: between quotes, a backslash and three octal digits up to 377 are a byte, a
/// backslash and anything else is that.
#[must_use]
pub fn txt_strings(raw: &str) -> Vec<Vec<u8>> {
    let bytes = raw.as_bytes();
    let (mut strings, mut open, mut at) = (Vec::new(), None::<Vec<u8>>, 0);
    while at < bytes.len() {
        match (&mut open, bytes[at]) {
            (None, b'"') => open = Some(Vec::new()),
            (None, _) => {}
            (Some(_), b'"') => strings.extend(open.take()),
            (Some(string), b'\\') => {
                let octal = raw.get(at + 1..at + 4).filter(|digits| !digits.starts_with('+'));
                if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                    string.push(byte);
                    at += 3;
                } else {
                    at += 1;
                    string.extend(bytes.get(at));
                }
            }
            (Some(string), byte) => string.push(byte),
        }
        at += 1;
    }
    strings
}

/// What MySQL reads between single quotes, and what follows it: the escapes of its manual, or none but a doubled quote.
#[must_use]
pub fn mysql_literal(statement: &str, no_backslash_escapes: bool) -> Option<(String, &str)> {
    let mut characters = statement.strip_prefix('\'')?.char_indices().peekable();
    let mut text = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
            // One byte behind the opening quote, and one behind this.
            '\'' => return Some((text, &statement[at + 2..])),
            '\\' if !no_backslash_escapes => text.push(match characters.next()?.1 {
                '0' => '\0',
                'b' => '\u{8}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'Z' => '\u{1a}',
                other => other,
            }),
            other => text.push(other),
        }
    }
    None
}

/// The name between backticks at the beginning, and what follows it.
#[must_use]
pub fn mysql_identifier(statement: &str) -> Option<(String, &str)> {
    let mut rest = statement.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let (before, after) = rest.split_once('`')?;
        name.push_str(before);
        match after.strip_prefix('`') {
            Some(more) => {
                name.push('`');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// A record of a zone file: absolute name without the final dot, type, the data's words or strings.
#[derive(Debug, PartialEq, Eq)]
pub struct ZoneRecord {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its data: names without the final dot, the strings of a TXT joined.
    pub data: String,
}

/// The records of a zone file with one record a line, an `$ORIGIN` and a `$TTL`, as RFC 1035 (section 5) reads them; none
/// if a line is neither.
#[must_use]
pub fn zone_file(text: &str) -> Option<Vec<ZoneRecord>> {
    let mut origin = "";
    let mut records = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("$ORIGIN ") {
            origin = name.strip_suffix('.')?;
        } else if !line.starts_with("$TTL ") && !line.starts_with(';') {
            let [name, class, kind, data] = line.splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
            if class != "IN" {
                return None;
            }
            let data = match kind {
                "TXT" => String::from_utf8(txt_data(data)?).ok()?,
                "MX" => {
                    let (preference, host) = data.split_once(' ')?;
                    format!("{} {}", preference.parse::<u16>().ok()?, absolute(host, origin)?)
                }
                "CNAME" => absolute(data, origin)?,
                _ => return None,
            };
            records.push(ZoneRecord {
                name: absolute(name, origin)?,
                kind: kind.to_owned(),
                data,
            });
        }
    }
    Some(records)
}

/// A zone file's escapes are decimal, unlike Route 53's: only texts without any are read, so that both agree.
fn txt_data(data: &str) -> Option<Vec<u8>> {
    let strings = txt_strings(data);
    let plain = !data.contains('\\') && data.starts_with('"') && data.ends_with('"');
    (plain && strings.iter().all(|string| string.len() <= 255)).then(|| strings.concat())
}

fn absolute(name: &str, origin: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name == "@" {
        return Some(origin.to_owned());
    }
    if name.is_empty() || !name.chars().all(fits) {
        return None;
    }
    Some(match name.strip_suffix('.') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{name}.{origin}"),
    })
}
