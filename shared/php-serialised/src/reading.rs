//! Bytes to values. The grammar is that of PHP's `var_unserializer`; numbers that PHP would write otherwise are kept
//! verbatim, so that writing gives back what was read.

use thiserror::Error;

use crate::{Array, Key, Value, Verbatim};

/// The deepest nesting of arrays and objects that is read; Mautic's columns have three levels.
pub const DEEPEST: usize = 64;

/// Bytes that are no value of PHP's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no text of PHP's serialize(): {fault} at byte {at}; leave the column as it is")]
pub struct Malformed {
    fault: &'static str,
    at: usize,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    if reader.at == bytes.len() {
        Ok(value)
    } else {
        Err(reader.fault("something follows the value"))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, fault: &'static str) -> Malformed {
        Malformed { fault, at: self.at }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > DEEPEST {
            return Err(self.fault("too deep a nesting"));
        }
        let start = self.at;
        match self.bytes.get(start) {
            Some(b'N') => self.expect(b"N;").map(|()| Value::Null),
            Some(b'b') => self.bool(),
            Some(b'i') => self.int(start),
            Some(b's') => self.text().map(|bytes| Value::Text(bytes.to_vec())),
            Some(b'a') => self.array(depth),
            Some(b'd' | b'R' | b'r') => self.until_semicolon().map(|()| self.verbatim(start)),
            Some(b'E') => {
                self.expect(b"E:")?;
                self.quoted()?;
                self.expect(b";").map(|()| self.verbatim(start))
            }
            Some(b'S') => self.escaped().map(|()| self.verbatim(start)),
            Some(b'O') => self.object(depth).map(|()| self.verbatim(start)),
            Some(b'C') => self.custom().map(|()| self.verbatim(start)),
            _ => Err(self.fault("no type that PHP knows")),
        }
    }

    fn verbatim(&self, start: usize) -> Value {
        Value::Verbatim(Verbatim(self.bytes[start..self.at].to_vec()))
    }

    fn expect(&mut self, what: &'static [u8]) -> Result<(), Malformed> {
        if self.bytes[self.at..].starts_with(what) {
            self.at += what.len();
            Ok(())
        } else {
            Err(self.fault("another character than PHP writes"))
        }
    }

    fn bool(&mut self) -> Result<Value, Malformed> {
        self.expect(b"b:")?;
        let value = match self.bytes.get(self.at) {
            Some(b'0') => false,
            Some(b'1') => true,
            _ => return Err(self.fault("a boolean that is neither 0 nor 1")),
        };
        self.at += 1;
        self.expect(b";").map(|()| Value::Bool(value))
    }

    fn int(&mut self, start: usize) -> Result<Value, Malformed> {
        self.until_semicolon()?;
        let spelled = &self.bytes[start + 2..self.at - 1];
        let digits = spelled
            .strip_prefix(b"-")
            .or_else(|| spelled.strip_prefix(b"+"))
            .unwrap_or(spelled);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Malformed {
                fault: "an integer without digits",
                at: start,
            });
        }
        Ok(canonical(spelled).map_or_else(|| self.verbatim(start), Value::Int))
    }

    /// `T:...;` of a type whose inside holds no semicolon.
    fn until_semicolon(&mut self) -> Result<(), Malformed> {
        let inside = &self.bytes[self.at + 1..];
        let length = inside.iter().position(|byte| matches!(byte, b';' | b'{' | b'}' | b'"'));
        match length {
            Some(length) if length > 1 && inside[0] == b':' && inside[length] == b';' => {
                self.at += length + 2;
                Ok(())
            }
            _ => Err(self.fault("a number without its end")),
        }
    }

    /// A count or a length and the colon after it.
    fn size(&mut self) -> Result<usize, Malformed> {
        let rest = &self.bytes[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Nothing is longer, or holds more, than the bytes that are left: no size leads to an allocation.
        let size = canonical(&rest[..digits])
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| *size <= rest.len());
        let size = size.ok_or_else(|| self.fault("a size that cannot be"))?;
        self.at += digits;
        self.expect(b":").map(|()| size)
    }

    /// `length:"bytes"`.
    fn quoted(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.size()?;
        self.expect(b"\"")?;
        let bytes = self.bytes;
        let inside = bytes
            .get(self.at..self.at + length)
            .ok_or_else(|| self.fault("a text without its end"))?;
        self.at += length;
        self.expect(b"\"").map(|()| inside)
    }

    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b"s:")?;
        let inside = self.quoted()?;
        self.expect(b";").map(|()| inside)
    }

    /// `S:length:"..."`, where `\xx` counts as one byte.
    fn escaped(&mut self) -> Result<(), Malformed> {
        self.expect(b"S:")?;
        let length = self.size()?;
        self.expect(b"\"")?;
        for _ in 0..length {
            match self.bytes.get(self.at) {
                Some(b'\\') => self.at += 3,
                Some(_) => self.at += 1,
                None => return Err(self.fault("a text without its end")),
            }
        }
        self.at = self.at.min(self.bytes.len());
        self.expect(b"\";")
    }

    fn array(&mut self, depth: usize) -> Result<Value, Malformed> {
        self.expect(b"a:")?;
        let count = self.size()?;
        self.expect(b"{")?;
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push((self.key()?, self.value(depth + 1)?));
        }
        self.expect(b"}").map(|()| Value::Array(Array(entries)))
    }

    fn key(&mut self) -> Result<Key, Malformed> {
        let start = self.at;
        match self.bytes.get(start) {
            Some(b's') => self.text().map(|name| Key::Text(name.to_vec())),
            Some(b'i') => match self.int(start)? {
                Value::Int(index) => Ok(Key::Int(index)),
                _ => Err(Malformed {
                    fault: "an index that PHP writes otherwise",
                    at: start,
                }),
            },
            _ => Err(self.fault("a key that is neither integer nor text")),
        }
    }

    /// `O:length:"Class":count:{...}`.
    fn object(&mut self, depth: usize) -> Result<(), Malformed> {
        self.expect(b"O:")?;
        self.quoted()?;
        self.expect(b":")?;
        let count = self.size()?;
        self.expect(b"{")?;
        for _ in 0..count {
            self.key()?;
            self.value(depth + 1)?;
        }
        self.expect(b"}")
    }

    /// `C:length:"Class":length:{bytes}`.
    fn custom(&mut self) -> Result<(), Malformed> {
        self.expect(b"C:")?;
        self.quoted()?;
        self.expect(b":")?;
        let length = self.size()?;
        self.expect(b"{")?;
        self.at = (self.at + length).min(self.bytes.len());
        self.expect(b"}")
    }
}

/// An integer that PHP would write in just this way.
fn canonical(spelled: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(spelled).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
