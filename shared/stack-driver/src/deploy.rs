//! A deployment from the check of its inputs to the summary.

use crate::aws_cli::AwsCli;
use crate::change_set::render;
use crate::cloud::{Cloud, Stack};
use crate::command_line::CommandLine;
use crate::error::DriverError;
use crate::follow::{Ending, Follower};
use crate::inputs::{Inputs, read};
use crate::preview::{PreviewError, preview};
use crate::private_file::PrivateFile;
use crate::readiness::{Operation, readiness};
use crate::report;
use crate::screen::{say, say_line};
use crate::steps::{Steps, confirm};
use crate::style::Style;
use crate::template::{LARGEST_DIRECT_TEMPLATE, Template};
use crate::verdict::{Verdict, ended, summarise};
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
    /// Only the changes are shown.
    pub preview_only: bool,
    /// What happens after a failure.
    pub rollback: Rollback,
    /// What brings a shell to this AWS; shown in the summary.
    pub setup: Option<String>,
}

/// What is known before anything is done.
struct Plan {
    template: Template,
    inputs: Inputs,
    present: Option<Stack>,
    operation: Operation,
}

impl Plan {
    /// Whether what was made before a failure is kept.
    fn disables_rollback(&self, choice: Rollback) -> bool {
        let first_in_prod = self.operation == Operation::Create
            && self
                .inputs
                .parameters
                .get("Environment")
                .is_some_and(|environment| environment == "prod");
        match choice {
            Rollback::On => false,
            Rollback::Off => true,
            Rollback::Auto => first_in_prod || self.operation == Operation::Continue,
        }
    }
}

/// Deploys, and shows what happens.
///
/// # Errors
/// The inputs, the stack's state or AWS forbid it; a deployment that was carried out and failed is a [`Verdict`].
pub async fn deploy(cloud: &Cloud, options: &DeployOptions, style: Style) -> Result<Verdict, DriverError> {
    let mut steps = Steps::new(if options.preview_only { 2 } else { 4 }, style);
    steps.begin("Check the template, the parameters and the stack");
    let plan = check(cloud, options).await?;
    steps.note(&describe(&plan, cloud, options));
    steps.begin("Read what would change");
    let unchanged = show_changes(cloud, options, &plan, style).await?;
    if options.preview_only {
        steps.end();
        return Ok(Verdict::Done);
    }
    if let (true, Some(stack)) = (unchanged, &plan.present) {
        steps.end();
        say_line(&format!(
            "\nNothing to deploy: the stack {} is up to date.\n",
            options.stack
        ));
        summarise(cloud, &stack.id, options.setup.clone(), style).await?;
        return Ok(Verdict::Done);
    }
    if !options.yes {
        confirm(&format!("Deploy this to the stack {}?", options.stack))?;
    }
    steps.begin("Deploy with the AWS CLI, and follow the stack's events");
    let verdict = run(cloud, options, &plan, &mut steps, style).await?;
    steps.end();
    Ok(verdict)
}

async fn check(cloud: &Cloud, options: &DeployOptions) -> Result<Plan, DriverError> {
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
    if !template.fits_in_a_request() && options.s3_bucket.is_none() {
        return Err(DriverError::NeedsBucket {
            template: path,
            bytes: template.body.len(),
            limit: LARGEST_DIRECT_TEMPLATE,
        });
    }
    inputs.check(&template, false)?;
    let present = cloud.stack(&options.stack).await?;
    let operation = readiness(&options.stack, present.as_ref().map(|stack| &stack.status))?;
    inputs.check(&template, operation == Operation::Create)?;
    let present = present.filter(|_| operation != Operation::Create);
    Ok(Plan {
        template,
        inputs,
        present,
        operation,
    })
}

fn describe(plan: &Plan, cloud: &Cloud, options: &DeployOptions) -> String {
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

/// Shows the changes; whether there are none.
async fn show_changes(cloud: &Cloud, options: &DeployOptions, plan: &Plan, style: Style) -> Result<bool, DriverError> {
    let Some(stack) = &plan.present else {
        say_line("  Everything is new; nothing that stands is touched.");
        return Ok(false);
    };
    if !plan.template.fits_in_a_request() {
        let text = "The template is too large for a preview without S3: the changes are not shown. Look at them with `aws \
                    cloudformation deploy --no-execute-changeset`.";
        say(&style.wrap(2, text));
        return Ok(false);
    }
    let changes = match preview(cloud, stack, &plan.template, &plan.inputs, options.role_arn.as_deref()).await {
        Ok(changes) => changes,
        Err(error @ PreviewError::Failed { .. }) if !options.preview_only => {
            // Change sets of nested stacks have limits of their own: the real one is the AWS CLI's to judge.
            say(&style.wrap(2, &format!("{error}. The deployment itself may still go through.")));
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    say(&render(&changes, style));
    // After a failure with rollback disabled even an unchanged template has something to do.
    Ok(changes.is_empty() && plan.operation == Operation::Update)
}

async fn run(
    cloud: &Cloud,
    options: &DeployOptions,
    plan: &Plan,
    steps: &mut Steps,
    style: Style,
) -> Result<Verdict, DriverError> {
    let secrets = if plan.inputs.has_secret(&plan.template) {
        Some(private_parameters(&plan.inputs)?)
    } else {
        None
    };
    let kept = plan.disables_rollback(options.rollback);
    let command = command(cloud, options, &plan.inputs, secrets.as_ref(), kept);
    say(&command.for_reading(2));
    if secrets.is_some() {
        say(&style.wrap(
            2,
            "One parameter is secret: all of them stand in a private file that is removed afterwards.",
        ));
    }
    if kept {
        say(&style.wrap(
            2,
            "Rollback is disabled: after a failure everything stays as it is, to be continued.",
        ));
    }
    let since = cloud.latest_event(&options.stack).await?;
    let mut follower = Follower::new(cloud, &options.stack, since, style)?;
    let mut cli = Some(AwsCli::start(&command)?);
    let ending = follower.follow(&mut cli).await?;
    let was_waiting = match cli {
        Some(cli) => cli.dismiss().await,
        None => false,
    };
    if was_waiting && matches!(ending, Ending::Finished(_)) {
        steps.note(
            "The stack's own events say that it has ended; the CLI, which looks every 30 seconds, was not waited for",
        );
    }
    if matches!(&ending, Ending::Finished(status) if status.is_success()) {
        steps.begin("Look at what stands");
    }
    let verdict = ended(cloud, &options.stack, &follower, ending, options.setup.clone(), style).await?;
    if kept && verdict == Verdict::Failed {
        say(&report::how_to_continue(&options.stack, style));
    }
    Ok(verdict)
}

fn private_parameters(inputs: &Inputs) -> Result<PrivateFile, DriverError> {
    // A list of Name=Value is the one form of file that versions 1 and 2 of the AWS CLI both read.
    let text =
        serde_json::to_string(&inputs.parameter_pairs()).map_err(|error| DriverError::PrivateFile(error.into()))?;
    PrivateFile::write(&text).map_err(DriverError::PrivateFile)
}

fn command(
    cloud: &Cloud,
    options: &DeployOptions,
    inputs: &Inputs,
    secrets: Option<&PrivateFile>,
    disable_rollback: bool,
) -> CommandLine {
    let mut command = CommandLine::new(&options.aws).with(["cloudformation", "deploy"]);
    command.environment.extend(
        cloud
            .endpoint()
            .map(|endpoint| ("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned())),
    );
    let mut add = |option: &str, values: Vec<String>| {
        if !values.is_empty() {
            command.arguments.push([vec![option.to_owned()], values].concat());
        }
    };
    add("--stack-name", vec![options.stack.clone()]);
    add("--template-file", vec![options.template.display().to_string()]);
    add("--region", cloud.region().map(str::to_owned).into_iter().collect());
    add("--s3-bucket", options.s3_bucket.clone().into_iter().collect());
    add("--role-arn", options.role_arn.clone().into_iter().collect());
    add(
        "--capabilities",
        vec!["CAPABILITY_NAMED_IAM".to_owned(), "CAPABILITY_AUTO_EXPAND".to_owned()],
    );
    add("--tags", inputs.tag_pairs());
    let parameters = secrets.map_or_else(|| inputs.parameter_pairs(), |file| vec![file.url()]);
    add("--parameter-overrides", parameters);
    let command = command.with(["--no-fail-on-empty-changeset"]);
    if disable_rollback {
        command.with(["--disable-rollback"])
    } else {
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

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
