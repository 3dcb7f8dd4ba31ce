//! What is tested: read from the outputs and parameters of the stack and of those that are nested in it.

use crate::cloud::{Cloud, CloudError, Stack};
use crate::event::STACK_TYPE;
use std::collections::{BTreeMap, VecDeque};

/// The outputs that are used; the first stack, from the root down, that has one with a value decides.
const OUTPUTS: [&str; 2] = ["SiteUrl", "ConfigurationSet"];

/// The outputs of the stack that runs Mautic. Other modules have a log group of jobs, too: they are taken together, from the
/// first stack that has schedules.
const SERVICE_OUTPUTS: [&str; 3] = [SCHEDULES, "AdministratorSecretArn", "JobLogGroupName"];

/// What only the stack that runs Mautic has.
const SCHEDULES: &str = "ScheduleGroupName";

/// The parameters that are used. What is blank in the root stands resolved in a nested stack.
const PARAMETERS: [&str; 4] = ["Environment", "Domain", "MauticApi", "HoldMail"];

/// A parameter that may be blank everywhere.
const SENDER: &str = "Sender";

/// An installation, as far as a test from outside must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The stack's name.
    pub stack: String,
    /// `dev`, `test` or `prod`; blank if the stack has no such parameter.
    pub environment: String,
    /// Where the site is, such as `https://mautic.example.org`.
    pub site: Option<String>,
    /// The secret with the first administrator's name and password.
    pub administrator: Option<String>,
    /// Whether Mautic's API is on.
    pub has_api: bool,
    /// Whether mail is held.
    pub holds_mail: bool,
    /// The domain that mail is sent from.
    pub domain: Option<String>,
    /// Who Mautic's mail is from, as `Name <address>` or an address alone.
    pub sender: Option<String>,
    /// The SES configuration set that every mail names.
    pub configuration_set: Option<String>,
    /// The group of the schedules.
    pub schedule_group: Option<String>,
    /// The log group of the jobs.
    pub job_log: Option<String>,
}

/// The first values found under the names above, from the root down.
#[derive(Debug, Default)]
struct Facts {
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Facts {
    fn take(&mut self, stack: &Stack) {
        let runs_mautic = stack.outputs.iter().any(|[name, _, _]| name == SCHEDULES);
        let wanted = if runs_mautic && !self.outputs.contains_key(SCHEDULES) {
            [&OUTPUTS[..], &SERVICE_OUTPUTS].concat()
        } else {
            OUTPUTS.to_vec()
        };
        for [name, value, _] in &stack.outputs {
            note(&mut self.outputs, &wanted, name, value);
        }
        for (name, value) in &stack.parameters {
            note(
                &mut self.parameters,
                &[&PARAMETERS[..], &[SENDER]].concat(),
                name,
                value,
            );
        }
    }

    /// Whether no further stack can add anything.
    fn are_complete(&self) -> bool {
        let has_outputs = OUTPUTS
            .iter()
            .chain([&SCHEDULES])
            .all(|name| self.outputs.contains_key(*name));
        has_outputs && PARAMETERS.iter().all(|name| self.parameters.contains_key(*name))
    }

    fn target(mut self, stack: &str) -> Target {
        let domain = self.parameters.remove("Domain");
        let is_true = |name: &str| self.parameters.get(name).is_some_and(|value| value == "true");
        let (has_api, holds_mail) = (is_true("MauticApi"), is_true("HoldMail"));
        // As cloudformation/modules/mautic-service.yaml makes it of a blank Sender.
        let blank = domain.as_ref().map(|domain| format!("mautic@{domain}"));
        Target {
            stack: stack.to_owned(),
            has_api,
            holds_mail,
            environment: self.parameters.remove("Environment").unwrap_or_default(),
            sender: self.parameters.remove(SENDER).or(blank),
            domain,
            site: self.outputs.remove("SiteUrl"),
            administrator: self.outputs.remove("AdministratorSecretArn"),
            configuration_set: self.outputs.remove("ConfigurationSet"),
            schedule_group: self.outputs.remove("ScheduleGroupName"),
            job_log: self.outputs.remove("JobLogGroupName"),
        }
    }
}

fn note(known: &mut BTreeMap<String, String>, wanted: &[&str], name: &str, value: &str) {
    if wanted.contains(&name) && !value.is_empty() && !known.contains_key(name) {
        known.insert(name.to_owned(), value.to_owned());
    }
}

/// Reads the stack and those below it, level by level, until everything is found.
///
/// # Errors
/// CloudFormation cannot be asked.
pub async fn read(cloud: &Cloud, root: &Stack) -> Result<Target, CloudError> {
    let mut facts = Facts::default();
    facts.take(root);
    let mut open = VecDeque::from([root.id.clone()]);
    while let Some(parent) = open.pop_front().filter(|_| !facts.are_complete()) {
        for resource in cloud.resources(&parent).await? {
            let is_stack = resource.resource_type == STACK_TYPE && !resource.physical_id.is_empty();
            if !is_stack || facts.are_complete() {
                continue;
            }
            if let Some(stack) = cloud.stack(&resource.physical_id).await? {
                facts.take(&stack);
                open.push_back(resource.physical_id);
            }
        }
    }
    Ok(facts.target(&root.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Status;

    fn stack(parameters: &[(&str, &str)], outputs: &[(&str, &str)]) -> Stack {
        let owned = |text: &&str| (*text).to_owned();
        Stack {
            id: String::new(),
            name: "mautic-test".to_owned(),
            status: Status::new("CREATE_COMPLETE"),
            parameters: parameters
                .iter()
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            outputs: outputs
                .iter()
                .map(|(name, value)| [owned(name), owned(value), String::new()])
                .collect(),
            termination_protection: false,
        }
    }

    #[test]
    fn what_is_blank_in_the_root_is_read_where_it_was_resolved() {
        let mut facts = Facts::default();
        facts.take(&stack(
            &[
                ("Environment", "test"),
                ("Domain", "example.com"),
                ("MauticApi", "true"),
                ("HoldMail", ""),
                ("Sender", ""),
            ],
            &[
                ("SiteUrl", "https://mautic.example.com"),
                ("ConfigurationSet", "set"),
                ("Other", "x"),
            ],
        ));
        facts.take(&stack(&[], &[("JobLogGroupName", "of backups")]));
        assert!(!facts.are_complete());
        facts.take(&stack(
            &[("HoldMail", "true"), ("Domain", "another.example")],
            &[
                ("AdministratorSecretArn", "arn:admin"),
                ("ScheduleGroupName", "group"),
                ("JobLogGroupName", "log"),
            ],
        ));
        assert!(facts.are_complete());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            facts.target("mautic-test"),
            Target {
                stack: "mautic-test".to_owned(),
                environment: "test".to_owned(),
                site: some("https://mautic.example.com"),
                administrator: some("arn:admin"),
                has_api: true,
                holds_mail: true,
                domain: some("example.com"),
                sender: some("mautic@example.com"),
                configuration_set: some("set"),
                schedule_group: some("group"),
                job_log: some("log"),
            }
        );
    }

    #[test]
    fn a_stack_of_something_else_has_none_of_it() {
        let mut facts = Facts::default();
        facts.take(&stack(&[("Sender", "A <a@example.com>")], &[]));
        let target = facts.target("other");
        assert_eq!(
            (target.site, target.has_api, target.environment.as_str()),
            (None, false, "")
        );
        assert_eq!(target.sender.as_deref(), Some("A <a@example.com>"));
    }
}
