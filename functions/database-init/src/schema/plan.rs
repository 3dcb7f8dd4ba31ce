//! What has to change, decided from what is there.

use std::fmt;

use custom_resource::Owner;

use super::{Mark, Observed, Schema};
use crate::error::Refusal;

/// What a schema should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The resource that manages it.
    pub owner: Owner,
    /// That resource's physical id.
    pub id: String,
    /// Whether one that exists already may be taken over.
    pub adopt: bool,
}

/// A step towards what should be. Each may be repeated, and stopping after any of them loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Make the table of owners.
    PrepareRegistry,
    /// Record who owns the schema; before it is made, so that a delivery cut off in between knows it again.
    Record(Mark),
    /// Make the schema.
    Create,
    /// Set its defaults; existing tables stay as they are.
    SetDefaults,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrepareRegistry => "make the table of owners",
            Self::Record(mark) if mark.adopted => "record the owner who adopts it",
            Self::Record(_) => "record its owner",
            Self::Create => "create the schema",
            Self::SetDefaults => "set the schema's defaults",
        })
    }
}

/// A step of the undoing, as repeatable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Drop the schema with its data.
    Drop,
    /// Forget who owned it.
    Forget,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "drop the schema with its data",
            Self::Forget => "forget its owner",
        })
    }
}

/// The changes that lead from what is there to what should be; none if it is so already.
///
/// # Errors
/// If the schema is somebody else's and may not be adopted.
pub fn plan(desired: &Desired, observed: &Observed) -> Result<Vec<Change>, Refusal> {
    let mark = match &observed.schema {
        // A record whose schema is gone protects nothing.
        None => Mark::on_new(&desired.owner, &desired.id),
        Some(_) => Mark::on_existing(observed.mark.as_ref(), &desired.owner, &desired.id, desired.adopt)?,
    };
    let mut changes = Vec::new();
    if !observed.registry {
        changes.push(Change::PrepareRegistry);
    }
    if observed.mark.as_ref() != Some(&mark) {
        changes.push(Change::Record(mark));
    }
    match &observed.schema {
        None => changes.push(Change::Create),
        Some(schema) if *schema != Schema::wanted() => changes.push(Change::SetDefaults),
        Some(_) => {}
    }
    Ok(changes)
}

/// The steps that undo what this very resource made: nothing of anybody else's, nothing that was adopted.
#[must_use]
pub fn plan_removal(owner: &Owner, id: &str, observed: &Observed) -> Vec<Removal> {
    match (&observed.mark, &observed.schema) {
        // Forgotten last: were it cut off in between, the record would still say whose the schema is.
        (Some(mark), Some(_)) if mark.is_of(owner, id) && !mark.adopted => vec![Removal::Drop, Removal::Forget],
        (Some(mark), _) if mark.is_of(owner, id) => vec![Removal::Forget],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn owner(logical_id: &str) -> Owner {
        Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1", logical_id)
    }

    fn mark(logical_id: &str, id: &str, adopted: bool) -> Mark {
        Mark {
            owner: owner(logical_id),
            id: id.into(),
            adopted,
        }
    }

    fn marks() -> impl Strategy<Value = Option<Mark>> {
        prop::option::of(
            (
                select(vec!["Ours", "Theirs"]),
                select(vec!["old", "new"]),
                any::<bool>(),
            )
                .prop_map(|(logical_id, id, adopted)| mark(logical_id, id, adopted)),
        )
    }

    fn states() -> impl Strategy<Value = Observed> {
        let schemas = prop::option::of(select(vec!["utf8mb4", "latin1"]).prop_map(|character_set| Schema {
            character_set: character_set.into(),
            ..Schema::wanted()
        }));
        (any::<bool>(), marks(), schemas).prop_map(|(registry, mark, schema)| {
            let registry = registry || mark.is_some();
            Observed { registry, mark, schema }
        })
    }

    fn desired(adopt: bool) -> Desired {
        Desired {
            owner: owner("Ours"),
            id: "new".into(),
            adopt,
        }
    }

    /// What the statements do, told in the plainest way.
    fn after(mut state: Observed, changes: &[Change]) -> Observed {
        for change in changes {
            match change {
                Change::PrepareRegistry => state.registry = true,
                Change::Record(mark) => {
                    assert!(state.registry, "a record without a place for it");
                    state.mark = Some(mark.clone());
                }
                Change::Create => {
                    assert!(
                        state.schema.is_none() && state.mark.is_some(),
                        "made twice, or before its record"
                    );
                    state.schema = Some(Schema::wanted());
                }
                Change::SetDefaults => state.schema = Some(Schema::wanted()),
            }
        }
        state
    }

    proptest! {
        #[test]
        fn nothing_is_left_to_do_after_the_plan_wherever_it_was_cut_off(state in states(), adopt: bool, cut in 0_usize..4) {
            let Ok(changes) = plan(&desired(adopt), &state) else { return Ok(()) };
            let half_way = after(state.clone(), &changes[..cut.min(changes.len())]);
            let rest = plan(&desired(adopt), &half_way).expect("what was begun may be completed");
            let end = after(half_way, &rest);
            prop_assert_eq!(plan(&desired(adopt), &end), Ok(vec![]));
            prop_assert_eq!(end, after(state, &changes), "cut off or not, the end is the same");
        }

        #[test]
        fn only_what_bears_this_resource_s_mark_and_id_is_dropped(state in states()) {
            let dropped = plan_removal(&owner("Ours"), "new", &state).contains(&Removal::Drop);
            prop_assert_eq!(dropped, state.schema.is_some() && state.mark == Some(mark("Ours", "new", false)));
        }

        #[test]
        fn what_was_adopted_once_stays_adopted(mut state in states(), adopt: bool) {
            prop_assume!(state.schema.is_some() && state.mark.as_ref().is_none_or(|mark| mark.adopted));
            let Ok(changes) = plan(&desired(adopt), &state) else { return Ok(()) };
            state = after(state, &changes);
            prop_assert!(!plan_removal(&owner("Ours"), "new", &state).contains(&Removal::Drop));
        }
    }

    #[test]
    fn a_schema_without_a_mark_is_refused_unless_it_may_be_adopted() {
        let state = Observed {
            registry: true,
            mark: None,
            schema: Some(Schema::wanted()),
        };
        assert_eq!(plan(&desired(false), &state), Err(Refusal::Unmarked));
        assert_eq!(
            plan(&desired(true), &state),
            Ok(vec![Change::Record(mark("Ours", "new", true))])
        );
    }

    #[test]
    fn another_resource_s_schema_is_refused_unless_it_may_be_adopted() {
        let state = Observed {
            registry: true,
            mark: Some(mark("Theirs", "new", false)),
            schema: Some(Schema::wanted()),
        };
        assert_eq!(plan(&desired(false), &state), Err(Refusal::Foreign(owner("Theirs"))));
        assert_eq!(
            plan(&desired(true), &state),
            Ok(vec![Change::Record(mark("Ours", "new", true))])
        );
    }

    #[test]
    fn after_a_replacement_deleting_the_old_id_leaves_the_schema_to_the_new_one() {
        let mut state = Observed {
            registry: true,
            mark: Some(mark("Ours", "old", false)),
            schema: Some(Schema::wanted()),
        };
        let changes = plan(&desired(false), &state).expect("it is ours");
        state = after(state, &changes);
        assert_eq!(plan_removal(&owner("Ours"), "old", &state), []);
        assert_eq!(
            plan_removal(&owner("Ours"), "new", &state),
            [Removal::Drop, Removal::Forget]
        );
    }
}
