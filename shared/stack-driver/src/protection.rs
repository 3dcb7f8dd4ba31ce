//! The stack policies that keep an update from replacing or deleting what holds data, as values.
//!
//! A policy of the root does not reach into nested stacks, and one of a nested stack does not keep the root from deleting that
//! whole stack: each stack that holds data gets the policy, each stack above it too, and nested stacks count as what is kept.

use crate::event::STACK_TYPE;
use crate::stateful::STATEFUL;
use serde_json::{Value, json};

/// A stack that holds data, itself or in a stack nested in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its ARN.
    pub stack_id: String,
    /// The nested stacks from the root down; empty for the root.
    pub path: Vec<String>,
    /// The policy that it has now.
    pub policy: Option<String>,
}

/// One call to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPolicy {
    /// The stack's ARN.
    pub stack_id: String,
    /// How the stack is called in what is printed.
    pub name: String,
    /// The policy's text.
    pub policy: String,
}

/// What is to be done about the policies of a stack and all that is nested in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The calls, none where the policy stands already.
    pub steps: Vec<SetPolicy>,
    /// Stacks with a policy that somebody else wrote: they are left as they are.
    pub foreign: Vec<String>,
}

/// What a deployment may lose, because somebody confirmed it; each is named as `Database/Instance`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// Resources that are replaced or removed.
    pub resources: Vec<String>,
    /// Nested stacks that are removed as a whole.
    pub stacks: Vec<String>,
}

/// Compares the policies that stand with those that should.
#[must_use]
pub fn plan(holders: &[Holder], exceptions: &Exceptions) -> Plan {
    let mut plan = Plan::default();
    for holder in holders {
        let wanted = policy(holder, exceptions);
        let present = holder.policy.as_deref().and_then(parse);
        match present {
            Some(present) if present == wanted => {}
            Some(present) if !is_ours(&present) => plan.foreign.push(holder.name()),
            _ => plan.steps.push(SetPolicy {
                stack_id: holder.stack_id.clone(),
                name: holder.name(),
                policy: wanted.to_string(),
            }),
        }
    }
    plan
}

impl Holder {
    fn name(&self) -> String {
        if self.path.is_empty() {
            "the stack itself".to_owned()
        } else {
            self.path.join("/")
        }
    }

    /// The logical ids of those addresses that stand in this very stack.
    fn below(&self, addresses: &[String]) -> Vec<String> {
        let own = |address: &String| {
            let mut parts: Vec<&str> = address.split('/').collect();
            let name = parts.pop()?;
            (parts == self.path).then(|| name.to_owned())
        };
        addresses.iter().filter_map(own).collect()
    }
}

/// The policy that a stack should have.
fn policy(holder: &Holder, exceptions: &Exceptions) -> Value {
    let mut types = STATEFUL.map(|one| one.resource_type).to_vec();
    types.push(STACK_TYPE);
    types.sort_unstable();
    let mut deny = json!({
        "Effect": "Deny", "Action": DENIED, "Principal": "*",
        "Condition": {"StringEquals": {"ResourceType": types}},
    });
    let lifted = [holder.below(&exceptions.resources), holder.below(&exceptions.stacks)].concat();
    if lifted.is_empty() {
        deny["Resource"] = json!("*");
    } else {
        deny["NotResource"] = json!(resources(&lifted));
    }
    let allow = json!({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"});
    json!({ "Statement": [allow, deny] })
}

const DENIED: [&str; 2] = ["Update:Replace", "Update:Delete"];

fn resources(logical_ids: &[String]) -> Vec<String> {
    logical_ids
        .iter()
        .map(|name| format!("LogicalResourceId/{name}"))
        .collect()
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// Whether a policy has the form that this module gives: one permission for everything, then prohibitions of just these two.
fn is_ours(policy: &Value) -> bool {
    let Some([first, rest @ ..]) = policy["Statement"].as_array().map(Vec::as_slice) else {
        return false;
    };
    first["Effect"] == "Allow"
        && first["Action"] == "Update:*"
        && rest
            .iter()
            .all(|one| one["Effect"] == "Deny" && one["Action"] == json!(DENIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(policy: Option<&str>) -> Holder {
        Holder {
            stack_id: "arn:root".to_owned(),
            path: Vec::new(),
            policy: policy.map(str::to_owned),
        }
    }

    fn database() -> Holder {
        Holder {
            stack_id: "arn:database".to_owned(),
            path: vec!["Database".to_owned()],
            policy: None,
        }
    }

    fn replaced() -> Exceptions {
        Exceptions {
            resources: vec!["Database/Instance".to_owned()],
            stacks: Vec::new(),
        }
    }

    /// The second statement of each policy; the first allows the rest.
    fn denials(plan: &Plan) -> Vec<Value> {
        let read = |step: &SetPolicy| parse(&step.policy).expect("JSON")["Statement"][1].clone();
        plan.steps.iter().map(read).collect()
    }

    #[test]
    fn each_stack_gets_the_policy_that_the_package_brings_for_those_without_this_program() {
        let plan = plan(&[root(None), database()], &Exceptions::default());
        assert_eq!(
            plan.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
            ["the stack itself", "Database"]
        );
        let file = include_str!("../../../cloudformation/stack-policy.json");
        for step in &plan.steps {
            assert_eq!(parse(&step.policy), parse(file), "{}", step.name);
        }
    }

    #[test]
    fn a_policy_that_stands_is_not_set_again() {
        let first = plan(&[root(None)], &Exceptions::default());
        let again = plan(&[root(Some(&first.steps[0].policy))], &Exceptions::default());
        assert_eq!(again, Plan::default());
    }

    #[test]
    fn a_confirmed_loss_is_let_through_where_it_stands_and_nowhere_else() {
        let lifted = denials(&plan(&[root(None), database()], &replaced()));
        assert_eq!(lifted[0]["Resource"], "*");
        assert_eq!(lifted[1]["NotResource"], json!(["LogicalResourceId/Instance"]));
        assert_eq!(lifted[1].get("Resource"), None);
        assert!(lifted[1]["Condition"].is_object());
    }

    #[test]
    fn a_nested_stack_that_goes_as_a_whole_is_let_go_by_the_one_above() {
        let exceptions = Exceptions {
            stacks: vec!["Database".to_owned()],
            ..replaced()
        };
        let lifted = denials(&plan(&[root(None)], &exceptions));
        assert_eq!(lifted[0]["NotResource"], json!(["LogicalResourceId/Database"]));
    }

    #[test]
    fn a_lifted_policy_is_put_back() {
        let lifted = plan(&[database()], &replaced()).steps[0].policy.clone();
        let back = plan(
            &[Holder {
                policy: Some(lifted),
                ..database()
            }],
            &Exceptions::default(),
        );
        assert_eq!(back.steps, plan(&[database()], &Exceptions::default()).steps);
    }

    #[test]
    fn a_policy_that_somebody_else_wrote_is_left_alone_and_named() {
        let own = r#"{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}"#;
        let plan = plan(&[root(Some(own))], &Exceptions::default());
        assert_eq!(
            (plan.steps, plan.foreign),
            (vec![], vec!["the stack itself".to_owned()])
        );
    }
}
