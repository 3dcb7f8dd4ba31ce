//! What PHP's `serialize()` writes, such as the array columns of Mautic's tables: read, changed in one place, and written
//! again with everything else as it was, to the byte.
//!
//! Nulls, booleans, integers, texts and arrays are values here. All else, floats, objects, enumerations and references
//! among them, is found to its end and kept verbatim ([`Value::Verbatim`]): what is not understood is not lost. Texts are
//! bytes, since PHP's are; their lengths count bytes, not characters.
//!
//! ```
//! use php_serialised::{Array, Value};
//!
//! let mut value = Value::parse(br#"a:1:{s:4:"open";d:0.5;}"#)?;
//! let array = value.as_array_mut().expect("an array");
//! array.entry("seen").push(Value::text("é"));
//! assert_eq!(value.to_bytes(), r#"a:2:{s:4:"open";d:0.5;s:4:"seen";a:1:{i:0;s:2:"é";}}"#.as_bytes());
//! # Ok::<(), php_serialised::Malformed>(())
//! ```
//!
//! It makes no object of anything, and knows nothing of what the texts mean. Nesting deeper than [`DEEPEST`] is refused.

mod reading;
mod writing;

pub use reading::{DEEPEST, Malformed};

/// A value of PHP's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `N;`
    Null,
    /// `b:1;`
    Bool(bool),
    /// `i:7;`
    Int(i64),
    /// `s:2:"é";`
    Text(Vec<u8>),
    /// `a:1:{...}`
    Array(Array),
    /// One whole value of another type, as it stood there. Only [`Value::parse`] makes these.
    Verbatim(Verbatim),
}

/// The bytes of one whole value that is kept as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verbatim(pub(crate) Vec<u8>);

/// The key of an array's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// An index.
    Int(i64),
    /// A name.
    Text(Vec<u8>),
}

/// An array in the order of its entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Array(pub(crate) Vec<(Key, Value)>);

impl Value {
    /// Reads one value, and nothing after it.
    ///
    /// # Errors
    /// If the bytes are no value that PHP writes, or are nested deeper than [`DEEPEST`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        reading::read(bytes)
    }

    /// As PHP writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        writing::write(self, &mut bytes);
        bytes
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }

    /// The array, if it is one.
    pub fn as_array_mut(&mut self) -> Option<&mut Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }
}

impl Array {
    /// An array of named entries.
    #[must_use]
    pub fn of<const N: usize>(entries: [(&str, Value); N]) -> Self {
        let entry = |(name, value): (&str, Value)| (Key::Text(name.as_bytes().to_vec()), value);
        Self(entries.into_iter().map(entry).collect())
    }

    /// The entries in their order.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Value)] {
        &self.0
    }

    /// The value of a name, [`Value::Null`] at the end if there was none: what PHP's `$array['name'] ??= null` leaves.
    pub fn entry(&mut self, name: &str) -> &mut Value {
        let is_it = |(key, _): &(Key, Value)| matches!(key, Key::Text(text) if text == name.as_bytes());
        let at = self.0.iter().position(is_it).unwrap_or_else(|| {
            self.0.push((Key::Text(name.as_bytes().to_vec()), Value::Null));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Appends under the next index, which is one more than the highest that there is, and at least 0.
    ///
    /// Returns false, and changes nothing, if no index is left.
    pub fn push(&mut self, value: Value) -> bool {
        let indices = self.0.iter().filter_map(|(key, _)| match key {
            Key::Int(index) => Some(*index),
            Key::Text(_) => None,
        });
        let next = match indices.max() {
            None | Some(i64::MIN..0) => Some(0),
            Some(highest) => highest.checked_add(1),
        };
        if let Some(next) = next {
            self.0.push((Key::Int(next), value));
        }
        next.is_some()
    }
}

impl Value {
    /// Appends as PHP's `$value[] = ...` does: a null becomes an array first.
    ///
    /// Returns false, and changes nothing, if this is neither array nor null, or no index is left.
    pub fn push(&mut self, value: Value) -> bool {
        if *self == Self::Null {
            *self = Self::Array(Array::default());
        }
        self.as_array_mut().is_some_and(|array| array.push(value))
    }
}
