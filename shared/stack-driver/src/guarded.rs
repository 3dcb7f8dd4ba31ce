//! Puts the stack policies and the termination protection in place: looks, and makes the calls that [`protection`] plans.
//!
//! [`protection`]: crate::protection

use crate::cloud::{Cloud, CloudError, Stack};
use crate::event::STACK_TYPE;
use crate::protection::{Exceptions, Holder, Plan, plan};
use crate::stateful::stateful;

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The stacks whose policy was set.
    pub set: Vec<String>,
    /// The stacks whose own policy was left alone.
    pub foreign: Vec<String>,
    /// Whether termination protection was turned on.
    pub termination: bool,
}

impl Done {
    /// What is told about it, a sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if !self.set.is_empty() {
            remarks.push(format!(
                "Stack policies forbid the replacement and removal of what holds data in: {}",
                self.set.join(", ")
            ));
        }
        if !self.foreign.is_empty() {
            remarks.push(format!(
                "Left as they are, for somebody else wrote them: the stack policies of {}. See that they protect what holds data",
                self.foreign.join(", ")
            ));
        }
        if self.termination {
            remarks.push("Termination protection is on: the stack cannot be deleted by mistake".to_owned());
        }
        remarks
    }
}

/// Sets the policies of a stack and of all that is nested in it, but for what was confirmed.
///
/// # Errors
/// CloudFormation cannot be asked, or refuses.
pub async fn protect(cloud: &Cloud, root: &Stack, exceptions: &Exceptions) -> Result<Done, CloudError> {
    let mut holders = Vec::new();
    look(cloud, &root.id, Vec::new(), &mut holders).await?;
    let Plan { steps, foreign } = plan(&holders, exceptions);
    let mut done = Done {
        foreign,
        ..Done::default()
    };
    for step in steps {
        let request = cloud.cloudformation.set_stack_policy().stack_name(&step.stack_id);
        let answer = request.stack_policy_body(&step.policy).send().await;
        answer.map_err(|error| cloud.explain(&format!("to set the stack policy of {}", step.name), &error))?;
        done.set.push(step.name);
    }
    Ok(done)
}

/// Turns termination protection on where it is off; whether it was.
///
/// # Errors
/// CloudFormation refuses.
pub async fn forbid_termination(cloud: &Cloud, root: &Stack) -> Result<bool, CloudError> {
    if root.termination_protection {
        return Ok(false);
    }
    let request = cloud
        .cloudformation
        .update_termination_protection()
        .stack_name(&root.id);
    let answer = request.enable_termination_protection(true).send().await;
    answer.map_err(|error| cloud.explain("to turn termination protection on", &error))?;
    Ok(true)
}

/// Gathers the stacks that hold data; whether this one does, itself or below.
async fn look(cloud: &Cloud, id: &str, path: Vec<String>, holders: &mut Vec<Holder>) -> Result<bool, CloudError> {
    let resources = cloud.resources(id).await?;
    let mut holds = resources.iter().any(|one| stateful(&one.resource_type).is_some());
    for nested in resources
        .iter()
        .filter(|one| one.resource_type == STACK_TYPE && !one.physical_id.is_empty())
    {
        let path = [path.clone(), vec![nested.logical_id.clone()]].concat();
        holds |= Box::pin(look(cloud, &nested.physical_id, path, holders)).await?;
    }
    if !holds {
        return Ok(false);
    }
    let policy = cloud.cloudformation.get_stack_policy().stack_name(id).send().await;
    let policy = policy.map_err(|error| cloud.explain(&format!("to read the stack policy of {id}"), &error))?;
    holders.push(Holder {
        stack_id: id.to_owned(),
        path,
        policy: policy.stack_policy_body().map(str::to_owned),
    });
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_and_nothing_where_nothing_was() {
        let done = Done {
            set: vec!["Database".to_owned(), "the stack itself".to_owned()],
            foreign: vec!["Files".to_owned()],
            termination: true,
        };
        assert_eq!(
            done.remarks(),
            [
                "Stack policies forbid the replacement and removal of what holds data in: Database, the stack itself",
                "Left as they are, for somebody else wrote them: the stack policies of Files. See that they protect what holds data",
                "Termination protection is on: the stack cannot be deleted by mistake",
            ]
        );
        assert_eq!(Done::default().remarks(), Vec::<String>::new());
    }
}
