//! What a deployment starts from: what the user wants, what the template asks for, and how the stack stands.

use crate::cloud::{Cloud, Stack};
use crate::error::DriverError;
use crate::inputs::{Inputs, read};
use crate::own_image;
use crate::readiness::{Operation, readiness};
use crate::settings::Settings;
use crate::template::{LARGEST_DIRECT_TEMPLATE, Template};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Whether a failed operation is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// As is best: not on the first create in prod, where a late failure would meet deletion protection.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How far a deployment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The account is looked at.
    Preflight,
    /// The changes are shown.
    Preview,
    /// All of it.
    Deployment,
}

/// What `deploy` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployOptions {
    /// The stack's name.
    pub stack: String,
    /// The template's path.
    pub template: PathBuf,
    /// The parameter file's path.
    pub parameters: Option<PathBuf>,
    /// `Name=Value`, over the file's.
    pub overrides: Vec<String>,
    /// `Key=Value`, over the file's.
    pub tags: Vec<String>,
    /// Where the AWS CLI puts templates too large for a request.
    pub s3_bucket: Option<String>,
    /// The role that CloudFormation assumes.
    pub role_arn: Option<String>,
    /// The AWS CLI.
    pub aws: String,
    /// Nobody is asked.
    pub yes: bool,
    /// How far it goes.
    pub extent: Extent,
    /// What happens after a failure.
    pub rollback: Rollback,
    /// What brings a shell to this AWS; shown in the summary.
    pub setup: Option<String>,
    /// The template stands in a package that is not uploaded yet: the account is looked at, then the package is uploaded.
    pub package: bool,
    /// The resources that hold data and may be lost.
    pub confirmed: Vec<String>,
    /// The checks of the look at the account that do not stop the deployment.
    pub ignored: Vec<String>,
    /// Whom to ask about DNS.
    pub dns_server: Option<SocketAddr>,
    /// Changes that cannot be shown are deployed all the same.
    pub unseen: bool,
}

/// What is known before anything is done.
#[derive(Debug)]
pub struct Plan {
    /// The template, as it lies on this machine.
    pub template: Template,
    /// The parameters and tags that are given.
    pub inputs: Inputs,
    /// The stack, if it stands.
    pub present: Option<Stack>,
    /// What the deployment does to it.
    pub operation: Operation,
}

impl Plan {
    /// Whether what was made before a failure is kept.
    #[must_use]
    pub fn disables_rollback(&self, choice: Rollback) -> bool {
        let first_in_prod = self.operation == Operation::Create && self.is_production();
        match choice {
            Rollback::On => false,
            Rollback::Off => true,
            Rollback::Auto => first_in_prod || self.operation == Operation::Continue,
        }
    }

    /// Whether the stack is what people work with.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.settings().get("Environment") == Some("prod")
    }

    /// The value that each parameter would have.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::resolve(&self.template, &self.inputs, self.present.as_ref())
    }
}

/// Reads what the user hands in, before anything is asked of AWS.
///
/// # Errors
/// A file cannot be read, or the parameters do not fit the template.
pub fn read_inputs(options: &DeployOptions) -> Result<(Template, Inputs), DriverError> {
    let path = options.template.display().to_string();
    let template = Template::parse(&path, &read("the template", "--template", &options.template)?)?;
    let file = match &options.parameters {
        Some(file) => Some((
            file.display().to_string(),
            read("the parameter file", "--parameters", file)?,
        )),
        None => None,
    };
    let file = file.as_ref().map(|(path, text)| (path.as_str(), text.as_str()));
    let inputs = Inputs::merge(file, &options.overrides, &options.tags)?;
    if !options.package {
        fits(&template, options)?;
    }
    inputs.check(&template, false)?;
    Ok((template, inputs))
}

/// Compares the inputs with the stack as it stands.
///
/// # Errors
/// They do not fit, the image that they name would be destroyed, or the stack is in no state for a deployment.
pub async fn check(
    cloud: &Cloud,
    options: &DeployOptions,
    (template, inputs): (Template, Inputs),
) -> Result<Plan, DriverError> {
    let present = cloud.stack(&options.stack).await?;
    let operation = readiness(&options.stack, present.as_ref().map(|stack| &stack.status))?;
    inputs.check(&template, operation == Operation::Create)?;
    let present = present.filter(|_| operation != Operation::Create);
    let plan = Plan {
        template,
        inputs,
        present,
        operation,
    };
    if let Some(stack) = &plan.present {
        own_image::refuse(cloud, stack, &plan.settings()).await?;
    }
    Ok(plan)
}

/// Makes sure that CloudFormation can read a template and all that it nests.
///
/// # Errors
/// It is not packaged, or too large while there is no bucket for it.
pub fn fits(template: &Template, options: &DeployOptions) -> Result<(), DriverError> {
    template.refuse_unpackaged()?;
    if !template.fits_in_a_request() && options.s3_bucket.is_none() {
        return Err(DriverError::NeedsBucket {
            template: template.path.clone(),
            bytes: template.body.len(),
            limit: LARGEST_DIRECT_TEMPLATE,
        });
    }
    Ok(())
}

/// Where the deployment goes and what it begins with, in one sentence.
#[must_use]
pub fn describe(plan: &Plan, cloud: &Cloud, options: &DeployOptions) -> String {
    let operation = match (plan.operation, &plan.present) {
        (Operation::Create, _) => "the stack is new".to_owned(),
        (_, Some(stack)) => format!("the stack is {}", stack.status),
        (_, None) => "the stack stands".to_owned(),
    };
    let place = match (cloud.endpoint(), cloud.region()) {
        (Some(endpoint), _) => format!("the local AWS at {endpoint}"),
        (None, Some(region)) => format!("AWS in {region}"),
        (None, None) => "AWS".to_owned(),
    };
    format!(
        "{} on {place}: {operation}. {}: {} resources, {} of them nested stacks; {} parameters given, {} overridden",
        options.stack,
        plan.template.path,
        plan.template.resources,
        plan.template.nested_stacks,
        plan.inputs.parameters.len(),
        options.overrides.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(operation: Operation, environment: &str) -> Plan {
        let body = "Parameters:\n  Environment: {Type: String}\nResources:\n  Topic: {Type: AWS::SNS::Topic}\n";
        Plan {
            template: Template::parse("t.yaml", body).expect("parses"),
            inputs: Inputs::merge(None, &[format!("Environment={environment}")], &[]).expect("merges"),
            present: None,
            operation,
        }
    }

    #[test]
    fn only_the_first_create_in_prod_and_its_continuation_keep_what_was_made() {
        let kept = [
            plan(Operation::Create, "prod").disables_rollback(Rollback::Auto),
            plan(Operation::Continue, "prod").disables_rollback(Rollback::Auto),
            plan(Operation::Update, "prod").disables_rollback(Rollback::Auto),
            plan(Operation::Create, "dev").disables_rollback(Rollback::Auto),
            plan(Operation::Create, "prod").disables_rollback(Rollback::On),
            plan(Operation::Update, "dev").disables_rollback(Rollback::Off),
        ];
        assert_eq!(kept, [true, true, false, false, false, true]);
    }
}
