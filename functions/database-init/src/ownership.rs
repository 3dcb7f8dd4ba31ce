//! Who made a thing.

use custom_resource::Owner;

use crate::error::Refusal;

/// The record that stays with a thing: which resource manages it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The stack and the logical id in it.
    pub owner: Owner,
    /// The resource's physical id: after a replacement, Delete of the old id must not undo what the new id needs.
    pub id: String,
    /// It was there before, so it is never dropped.
    pub adopted: bool,
}

impl Mark {
    /// Whether a Delete of this very resource is meant.
    pub(crate) fn is_of(&self, owner: &Owner, id: &str) -> bool {
        self.owner == *owner && self.id == id
    }

    /// The mark to leave on a thing that exists, and may bear one already.
    ///
    /// # Errors
    /// If it is somebody else's and may not be adopted.
    pub(crate) fn on_existing(present: Option<&Self>, owner: &Owner, id: &str, adopt: bool) -> Result<Self, Refusal> {
        let adopted = match present {
            // Whatever was made for this resource under an earlier id is still its own.
            Some(mark) if mark.owner == *owner => mark.adopted,
            _ if adopt => true,
            Some(mark) => return Err(Refusal::Foreign(mark.owner.clone())),
            None => return Err(Refusal::Unmarked),
        };
        Ok(Self {
            owner: owner.clone(),
            id: id.to_owned(),
            adopted,
        })
    }

    /// The mark to leave on a thing that is about to be made.
    pub(crate) fn on_new(owner: &Owner, id: &str) -> Self {
        Self {
            owner: owner.clone(),
            id: id.to_owned(),
            adopted: false,
        }
    }
}
