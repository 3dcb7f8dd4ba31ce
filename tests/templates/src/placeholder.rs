//! What only AWS could know, an id or an ARN, stays as `<module.LogicalId.Attribute>`. It goes through Sub, Join and Split
//! like any other text, so that a value can be followed from one module into another.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

static ANYWHERE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<([a-z0-9-]+)\.([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?>").expect("a valid pattern"));

/// A value of a resource that only AWS knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placeholder {
    /// The module's name, which is its file's.
    pub module: String,
    /// The resource.
    pub logical_id: String,
    /// The attribute; `None`: what a Ref gives.
    pub attribute: Option<String>,
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}.{}", self.module, self.logical_id)?;
        if let Some(attribute) = &self.attribute {
            write!(f, ".{attribute}")?;
        }
        f.write_str(">")
    }
}

impl Placeholder {
    /// The placeholder that the text is, and nothing besides.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let found = ANYWHERE.captures(text)?;
        (found.get(0)?.as_str() == text).then(|| Self::from_captures(&found))
    }

    /// Every placeholder in a text.
    #[must_use]
    pub fn all(text: &str) -> Vec<Self> {
        // Most texts have none, and the pattern is dear.
        if !text.contains('<') {
            return Vec::new();
        }
        ANYWHERE
            .captures_iter(text)
            .map(|found| Self::from_captures(&found))
            .collect()
    }

    fn from_captures(found: &regex::Captures<'_>) -> Self {
        Self {
            module: found[1].to_owned(),
            logical_id: found[2].to_owned(),
            attribute: found.get(3).map(|attribute| attribute.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_read_as_it_was_written() {
        for text in [
            "<foundation.AlarmTopic>",
            "<database.DatabaseInstance.Endpoint.Address>",
        ] {
            assert_eq!(Placeholder::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Placeholder::parse("arn:<foundation.AlarmTopic>"), None);
    }

    #[test]
    fn several_stand_in_one_text() {
        let found = Placeholder::all("<networking.SubnetA>,<networking.SubnetB>");
        assert_eq!(
            found.iter().map(|one| one.logical_id.as_str()).collect::<Vec<_>>(),
            ["SubnetA", "SubnetB"]
        );
    }
}
