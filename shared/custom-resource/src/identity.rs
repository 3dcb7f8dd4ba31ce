//! Who is asked for what: the resource's place in its stack, its mark of ownership, its physical id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest physical id that CloudFormation stores, in bytes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>).
pub const LONGEST_PHYSICAL_ID: usize = 1024;

/// The start of every id that stands for a resource of which nobody knows whether, or as what, it was made.
const PLACEHOLDER: &str = "unmade:";

/// Where a resource stands: its stack and its logical id in the stack's template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    stack_id: String,
    logical_id: String,
    stack_name: String,
    region: String,
}

/// A stack id that is not the ARN of a stack.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "StackId `{0}` is not the ARN of a stack (arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/ID); \
     only CloudFormation should invoke this function"
)]
pub struct NotAStack(String);

impl Scope {
    /// The place of `logical_id` in the stack whose ARN is `stack_id`.
    ///
    /// # Errors
    /// [`NotAStack`] if `stack_id` has not the shape of a stack's ARN.
    pub fn new(stack_id: impl Into<String>, logical_id: impl Into<String>) -> Result<Self, NotAStack> {
        let stack_id = stack_id.into();
        let Some((region, stack_name)) = region_and_name(&stack_id) else {
            return Err(NotAStack(stack_id));
        };
        let (region, stack_name) = (region.to_owned(), stack_name.to_owned());
        Ok(Self {
            stack_id,
            logical_id: logical_id.into(),
            stack_name,
            region,
        })
    }

    /// The stack's ARN.
    #[must_use]
    pub fn stack_id(&self) -> &str {
        &self.stack_id
    }

    /// The stack's name, as its ARN has it.
    #[must_use]
    pub fn stack_name(&self) -> &str {
        &self.stack_name
    }

    /// The resource's name in the template.
    #[must_use]
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }

    /// The stack's region, as its ARN has it.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The mark to leave on whatever is made for this resource, and to look for before it is deleted.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner::new(&self.stack_id, &self.logical_id)
    }
}

fn region_and_name(stack_id: &str) -> Option<(&str, &str)> {
    let mut parts = stack_id.splitn(6, ':');
    let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let (name, id) = resource.strip_prefix("stack/")?.split_once('/')?;
    let whole = arn == "arn" && service == "cloudformation" && ![region, name, id].contains(&"");
    whole.then_some((region, name))
}

/// The mark of ownership: the stack and the resource in it for which a thing was made.
///
/// Its text form is `STACK-ARN/LOGICAL-ID`, which fits a tag's 256 characters unless both names are near their limits,
/// and reads back with [`FromStr`].
///
/// ```
/// # use custom_resource::Owner;
/// let owner = Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1", "Database");
/// assert_eq!(owner.to_string(), "arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1/Database");
/// assert_eq!(owner.to_string().parse::<Owner>().unwrap(), owner);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    stack_id: String,
    logical_id: String,
}

/// A text that is not a mark of ownership.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a mark of ownership (STACK-ARN/LOGICAL-ID); whoever wrote it was not this runtime")]
pub struct NotAnOwner(String);

impl Owner {
    /// The mark of `logical_id` in the stack `stack_id`.
    #[must_use]
    pub fn new(stack_id: &str, logical_id: &str) -> Self {
        Self {
            stack_id: stack_id.to_owned(),
            logical_id: logical_id.to_owned(),
        }
    }

    /// The ARN of the owning stack.
    #[must_use]
    pub fn stack_id(&self) -> &str {
        &self.stack_id
    }

    /// The owning resource's name in its template.
    #[must_use]
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack_id, self.logical_id)
    }
}

impl FromStr for Owner {
    type Err = NotAnOwner;

    fn from_str(text: &str) -> Result<Self, NotAnOwner> {
        match text.rsplit_once('/') {
            Some((stack_id, logical_id)) if region_and_name(stack_id).is_some() && !logical_id.is_empty() => {
                Ok(Self::new(stack_id, logical_id))
            }
            _ => Err(NotAnOwner(text.to_owned())),
        }
    }
}

/// A physical resource id: 1 to 1,024 bytes without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhysicalId(String);

/// A text that cannot be a physical resource id.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidPhysicalId {
    /// Nothing at all.
    #[error("a physical resource id is empty; build it from what identifies the resource")]
    Empty,
    /// More than CloudFormation stores.
    #[error(
        "a physical resource id of {0} bytes is longer than CloudFormation's {LONGEST_PHYSICAL_ID}; \
         shorten what identifies the resource, or hash it"
    )]
    TooLong(usize),
    /// Line breaks and the like, which no log or console shows faithfully.
    #[error("a physical resource id contains a control character; remove it from what identifies the resource")]
    ControlCharacter,
}

impl PhysicalId {
    /// A validated id.
    ///
    /// # Errors
    /// [`InvalidPhysicalId`] if it is empty, too long, or contains a control character.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidPhysicalId> {
        let id = id.into();
        if id.is_empty() {
            return Err(InvalidPhysicalId::Empty);
        }
        if id.len() > LONGEST_PHYSICAL_ID {
            return Err(InvalidPhysicalId::TooLong(id.len()));
        }
        if id.contains(char::is_control) {
            return Err(InvalidPhysicalId::ControlCharacter);
        }
        Ok(Self(id))
    }

    /// The id that answers a Create of which nobody knows whether, or as what, the resource was made: the properties
    /// were malformed, or the function died. It depends on the stack and the logical id alone, so that the runtime and
    /// whoever answers in its stead give the same one.
    #[must_use]
    pub fn placeholder(stack_id: &str, logical_id: &str) -> Self {
        use fmt::Write;
        // 96 bits: two resources of one account never share an id, and the id stays readable.
        let digest = Sha256::digest(format!("{stack_id}/{logical_id}"));
        let mut id = PLACEHOLDER.to_owned();
        for byte in &digest[..12] {
            // Writing into a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self(id)
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this id says nothing about the resource: the placeholder of `scope`, or an id that CloudFormation
    /// invented because it never saw an answer to the Create.
    #[must_use]
    pub fn is_anonymous(&self, scope: &Scope) -> bool {
        *self == Self::placeholder(scope.stack_id(), scope.logical_id()) || self.is_invented(scope)
    }

    /// CloudFormation invents `{StackName}-{LogicalId}-{SUFFIX}`, long names cut short.
    fn is_invented(&self, scope: &Scope) -> bool {
        let Some((names, suffix)) = self.0.rsplit_once('-') else {
            return false;
        };
        let random = (8..=16).contains(&suffix.len()) && suffix.chars().all(|c| c.is_ascii_alphanumeric());
        let begins = |whole: &str, part: &str| !part.is_empty() && whole.starts_with(part);
        random
            && names
                .match_indices('-')
                .any(|(at, _)| begins(scope.stack_name(), &names[..at]) && begins(scope.logical_id(), &names[at + 1..]))
    }
}

impl fmt::Display for PhysicalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/my-shop/5a1c0d70";

    fn scope() -> Scope {
        Scope::new(STACK, "Database").unwrap()
    }

    fn anonymous(id: &str) -> bool {
        PhysicalId::new(id).unwrap().is_anonymous(&scope())
    }

    #[test]
    fn a_scope_tells_name_region_and_owner() {
        assert_eq!(scope().stack_name(), "my-shop");
        assert_eq!(scope().region(), "eu-central-1");
        assert_eq!(scope().owner().to_string(), format!("{STACK}/Database"));
    }

    #[test]
    fn what_is_no_stack_is_refused_with_the_shape_that_it_should_have() {
        for wrong in [
            "",
            "shop",
            "arn:aws:s3:::bucket",
            "arn:aws:cloudformation:eu:1:stack/",
            "arn:aws:cloudformation:eu:1:stack/a",
        ] {
            assert_eq!(
                Scope::new(wrong, "Database").unwrap_err().to_string(),
                format!(
                    "StackId `{wrong}` is not the ARN of a stack (arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/ID); only \
                     CloudFormation should invoke this function"
                )
            );
        }
    }

    #[test]
    fn a_text_that_is_no_mark_is_refused() {
        for wrong in ["", "Database", STACK, &format!("{STACK}/")] {
            assert_eq!(
                wrong.parse::<Owner>().unwrap_err().to_string(),
                format!(
                    "`{wrong}` is not a mark of ownership (STACK-ARN/LOGICAL-ID); whoever wrote it was not this runtime"
                )
            );
        }
    }

    #[test]
    fn an_id_is_neither_empty_nor_long_nor_of_several_lines() {
        assert_eq!(PhysicalId::new(""), Err(InvalidPhysicalId::Empty));
        assert_eq!(PhysicalId::new("a\nb"), Err(InvalidPhysicalId::ControlCharacter));
        assert!(PhysicalId::new("é".repeat(512)).is_ok());
        assert_eq!(
            PhysicalId::new("é".repeat(513)).unwrap_err().to_string(),
            "a physical resource id of 1026 bytes is longer than CloudFormation's 1024; shorten what identifies the resource, or \
             hash it"
        );
    }

    #[test]
    fn an_id_that_cloudformation_invented_for_this_very_resource_is_known() {
        for invented in [
            "my-shop-Database-1K3ZP8QF0WXYZ",
            "my-shop-Database-1a2b3c4d5e6f",
            "my-sh-Datab-1K3ZP8QF0WXYZ",
        ] {
            assert!(anonymous(invented), "{invented}");
        }
        for other in [
            "my-shop-Other-1K3ZP8QF0WXYZ",
            "shop-Database-1K3ZP8QF0WXYZ",
            "my-shop-Database",
            "my-shop-Database-",
            "my-shop-Database-short",
            "my-shop-Database-1K3ZP8QF0WXYZ/x",
            "Database-1K3ZP8QF0WXYZ",
            "-Database-1K3ZP8QF0WXYZ",
            "my-shop--1K3ZP8QF0WXYZ",
        ] {
            assert!(!anonymous(other), "{other}");
        }
    }

    #[test]
    fn the_placeholder_is_of_one_resource_only() {
        let ours = PhysicalId::placeholder(STACK, "Database");
        assert_eq!(ours.as_str(), "unmade:4407f6a536c0c288bb406479");
        assert!(ours.is_anonymous(&scope()));
        assert!(!PhysicalId::placeholder(STACK, "Other").is_anonymous(&scope()));
    }
}
