//! A deployment from the check of its inputs to the summary.

use crate::aws_cli::AwsCli;
use crate::aws_query::AwsQuery;
use crate::change_set::{Change, render};
use crate::cloud::Cloud;
use crate::command_line::CommandLine;
use crate::error::DriverError;
use crate::event::STACK_TYPE;
use crate::follow::{Ending, Follower};
use crate::guard;
use crate::guarded::{Done, forbid_termination, protect};
use crate::inputs::{Inputs, read};
use crate::package;
use crate::plan::{DeployOptions, Extent, Plan, check, describe, fits, read_inputs};
use crate::preflight::{self, Subject, finding};
use crate::preview::preview;
use crate::private_file::PrivateFile;
use crate::protection::Exceptions;
use crate::readiness::{Operation, goes_on};
use crate::screen::{say, say_line};
use crate::stand::watch;
use crate::steps::{Steps, confirm};
use crate::style::Style;
use crate::template::Template;
use crate::verdict::{Verdict, ended, summarise};

/// Deploys, and shows what happens.
///
/// # Errors
/// The inputs, the account, the stack's state or AWS forbid it; a deployment that was carried out and failed is a [`Verdict`].
pub async fn deploy(cloud: &Cloud, options: &DeployOptions, style: Style) -> Result<Verdict, DriverError> {
    let mut steps = Steps::new(count(options), style);
    steps.begin("Check the template, the parameters and the stack");
    let inputs = read_inputs(options)?;
    if let Some(verdict) = finish_what_runs(cloud, options, &steps, style).await? {
        return Ok(verdict);
    }
    let mut plan = check(cloud, options, inputs).await?;
    steps.note(&describe(&plan, cloud, options));
    if options.package {
        steps.begin("Look at the account, before anything is changed");
        look(cloud, options, &plan, style).await?;
        if options.extent == Extent::Preflight {
            steps.end();
            return Ok(Verdict::Done);
        }
        steps.begin("Upload the package");
        plan.template = upload(cloud, options, &plan).await?;
    }
    steps.begin("Read what would change");
    let changes = changes(cloud, options, &plan, style).await?;
    if options.extent == Extent::Preview {
        steps.end();
        return Ok(Verdict::Done);
    }
    if changes.as_ref().is_some_and(Vec::is_empty) && plan.operation == Operation::Update {
        return unchanged(cloud, options, &plan, &mut steps, style).await;
    }
    let exceptions = judge(options, changes.as_deref())?;
    if !options.yes {
        confirm(&format!("Deploy this to the stack {}?", options.stack))?;
    }
    steps.begin("Deploy with the AWS CLI, and follow the stack's events");
    let verdict = run(cloud, options, &plan, &exceptions, &mut steps, style).await?;
    steps.end();
    Ok(verdict)
}

/// How many steps there will be.
fn count(options: &DeployOptions) -> usize {
    match (options.extent, options.package) {
        (Extent::Preflight, _) | (Extent::Preview, false) => 2,
        (Extent::Preview, true) => 4,
        (Extent::Deployment, false) => 5,
        (Extent::Deployment, true) => 7,
    }
}

/// Whoever was interrupted comes back to a stack on which something runs: that is followed to its end first.
async fn finish_what_runs(
    cloud: &Cloud,
    options: &DeployOptions,
    steps: &Steps,
    style: Style,
) -> Result<Option<Verdict>, DriverError> {
    let Some(stack) = cloud
        .stack(&options.stack)
        .await?
        .filter(|stack| goes_on(&stack.status))
    else {
        return Ok(None);
    };
    if options.extent != Extent::Deployment {
        return Ok(None);
    }
    steps.note(&format!(
        "An operation runs on the stack already ({}): it is followed to its end, then this goes on",
        stack.status
    ));
    let (follower, ending) = watch(cloud, &stack, style).await?;
    if matches!(&ending, Ending::Finished(status) if status.is_success()) {
        return Ok(None);
    }
    ended(cloud, &stack.name, &follower, ending, options.setup.clone(), style)
        .await
        .map(Some)
}

/// Shows what the account is like; what forbids the deployment ends it here.
async fn look(cloud: &Cloud, options: &DeployOptions, plan: &Plan, style: Style) -> Result<(), DriverError> {
    let subject = Subject {
        folder: package::folder(&options.template),
        parameters: options.parameters.as_deref(),
        types: package::types(&plan.template)?,
        settings: plan.settings(),
        present: plan.present.as_ref(),
        bucket: bucket(options)?,
        dns_server: options.dns_server,
    };
    let aws = AwsQuery::new(cloud, &options.aws);
    let findings = finding::ignoring(Box::pin(preflight::look(cloud, aws, &subject)).await?, &options.ignored);
    say(&finding::render(&findings, style));
    let stops = finding::stops(&findings);
    match stops.first() {
        None => Ok(()),
        Some(&first) => Err(DriverError::Preflight {
            checks: stops.join(", "),
            first,
        }),
    }
}

fn bucket(options: &DeployOptions) -> Result<&str, DriverError> {
    options.s3_bucket.as_deref().ok_or(DriverError::PackageNeedsBucket)
}

async fn upload(cloud: &Cloud, options: &DeployOptions, plan: &Plan) -> Result<Template, DriverError> {
    let (bucket, prefix) = (bucket(options)?, &options.stack);
    let packaged = package::upload(cloud, &options.aws, &options.template, bucket, prefix).await?;
    let template = Template::parse(
        &packaged.display().to_string(),
        &read("the packaged template", "--template", &packaged)?,
    )?;
    fits(&template, options)?;
    plan.inputs.check(&template, plan.operation == Operation::Create)?;
    Ok(template)
}

/// Shows the changes; `None` where they cannot be known.
async fn changes(
    cloud: &Cloud,
    options: &DeployOptions,
    plan: &Plan,
    style: Style,
) -> Result<Option<Vec<Change>>, DriverError> {
    let Some(stack) = &plan.present else {
        say_line("  Everything is new; nothing that stands is touched.");
        return Ok(None);
    };
    let url = match &options.s3_bucket {
        Some(bucket) if !plan.template.fits_in_a_request() => {
            Some(package::upload_template(cloud, &options.aws, &plan.template, bucket, &options.stack).await?)
        }
        _ => None,
    };
    let role = options.role_arn.as_deref();
    match preview(cloud, stack, &plan.template, &plan.inputs, url.as_deref(), role).await {
        Ok(changes) => {
            say(&render(&changes, style));
            Ok(Some(changes))
        }
        Err(error) if options.unseen => {
            let text =
                format!("{error}. Deployed all the same, as asked; the stack policies still guard what holds data.");
            say(&style.wrap(2, &text));
            Ok(None)
        }
        Err(cause) => Err(DriverError::Unseen { cause }),
    }
}

/// What may be lost, because somebody said so; whoever deploys unseen is taken at their word.
fn judge(options: &DeployOptions, changes: Option<&[Change]>) -> Result<Exceptions, DriverError> {
    if changes.is_none() && options.unseen {
        return Ok(Exceptions {
            resources: options.confirmed.clone(),
            stacks: Vec::new(),
        });
    }
    let changes = changes.unwrap_or_default();
    let allowed = guard::judge(changes, &options.confirmed)?;
    let gone = |change: &&Change| change.action == "Remove" && change.resource_type == STACK_TYPE;
    Ok(Exceptions {
        resources: allowed.into_iter().map(|danger| danger.address).collect(),
        stacks: changes.iter().filter(gone).map(Change::address).collect(),
    })
}

async fn unchanged(
    cloud: &Cloud,
    options: &DeployOptions,
    plan: &Plan,
    steps: &mut Steps,
    style: Style,
) -> Result<Verdict, DriverError> {
    // What an interrupted deployment left open is closed here.
    remark(&secure(cloud, options, plan).await?, steps);
    steps.end();
    say_line(&format!(
        "\nNothing to deploy: the stack {} is up to date.\n",
        options.stack
    ));
    summarise(cloud, &options.stack, options.setup.clone(), style).await?;
    Ok(Verdict::Done)
}

async fn run(
    cloud: &Cloud,
    options: &DeployOptions,
    plan: &Plan,
    exceptions: &Exceptions,
    steps: &mut Steps,
    style: Style,
) -> Result<Verdict, DriverError> {
    let secrets = if plan.inputs.has_secret(&plan.template) {
        Some(private_parameters(&plan.inputs)?)
    } else {
        None
    };
    let command = command(cloud, options, plan, secrets.as_ref());
    say(&command.for_reading(2));
    explain(plan, options, secrets.is_some(), steps);
    guard_before(cloud, plan, exceptions, steps).await?;
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
    conclude(cloud, options, plan, &ending, steps).await?;
    if matches!(ending, Ending::Interrupted) && *exceptions != Exceptions::default() {
        steps.note("The stack policies stay open until the same deployment is run again, which closes them");
    }
    ended(cloud, &options.stack, &follower, ending, options.setup.clone(), style).await
}

/// Sets the policies that what only may be replaced runs into, and lets through what was confirmed.
async fn guard_before(cloud: &Cloud, plan: &Plan, exceptions: &Exceptions, steps: &Steps) -> Result<(), DriverError> {
    let Some(stack) = &plan.present else {
        return Ok(());
    };
    let done = protect(cloud, stack, exceptions).await?;
    if *exceptions == Exceptions::default() {
        remark(&done, steps);
        return Ok(());
    }
    steps.note(&format!(
        "Let through by the stack policies, for this deployment only: {}",
        [exceptions.resources.clone(), exceptions.stacks.clone()]
            .concat()
            .join(", ")
    ));
    Ok(())
}

/// Says what the command alone does not.
fn explain(plan: &Plan, options: &DeployOptions, is_secret: bool, steps: &Steps) {
    if is_secret {
        steps.note("One parameter is secret: all of them stand in a private file that is removed afterwards");
    }
    if !plan.disables_rollback(options.rollback) {
        return;
    }
    let why = if plan.operation == Operation::Create && plan.is_production() {
        "This is the first creation in prod, so rollback is off: deletion protection would stop it half-way. What was made before a \
         failure stays, and the same deployment, run again, goes on from there"
    } else {
        "Rollback is off: what was made before a failure stays, and the same deployment, run again, goes on from there"
    };
    steps.note(why);
}

/// Puts the protection in place, or back in place, before the summary.
async fn conclude(
    cloud: &Cloud,
    options: &DeployOptions,
    plan: &Plan,
    ending: &Ending,
    steps: &mut Steps,
) -> Result<(), DriverError> {
    match ending {
        Ending::Finished(status) if status.is_success() => {
            steps.begin("Protect what holds data");
            let done = secure(cloud, options, plan).await?;
            remark(&done, steps);
            if done == Done::default() {
                steps.note("It is protected already, or there is nothing of the kind");
            }
            steps.begin("Look at what stands");
        }
        // A stack that stood before stands still, and what was let through is guarded again.
        Ending::Finished(_) if plan.present.is_some() => remark(&secure(cloud, options, plan).await?, steps),
        Ending::Finished(_) | Ending::Interrupted | Ending::NothingBegun(_) => {}
    }
    Ok(())
}

/// All that protects a stack: the policies, and in prod the termination protection.
async fn secure(cloud: &Cloud, options: &DeployOptions, plan: &Plan) -> Result<Done, DriverError> {
    let Some(stack) = cloud.stack(&options.stack).await? else {
        return Ok(Done::default());
    };
    let done = protect(cloud, &stack, &Exceptions::default()).await?;
    let termination = plan.is_production() && forbid_termination(cloud, &stack).await?;
    Ok(Done { termination, ..done })
}

fn remark(done: &Done, steps: &Steps) {
    for remark in done.remarks() {
        steps.note(&remark);
    }
}

fn private_parameters(inputs: &Inputs) -> Result<PrivateFile, DriverError> {
    // A list of Name=Value is the one form of file that versions 1 and 2 of the AWS CLI both read.
    let text =
        serde_json::to_string(&inputs.parameter_pairs()).map_err(|error| DriverError::PrivateFile(error.into()))?;
    PrivateFile::write(&text).map_err(DriverError::PrivateFile)
}

fn command(cloud: &Cloud, options: &DeployOptions, plan: &Plan, secrets: Option<&PrivateFile>) -> CommandLine {
    let inputs = &plan.inputs;
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
    add("--template-file", vec![plan.template.path.clone()]);
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
    if plan.disables_rollback(options.rollback) {
        command.with(["--disable-rollback"])
    } else {
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change_set::Replacement;

    fn options(arguments: &str) -> DeployOptions {
        let line = format!("deploy --stack s --template t {arguments}");
        match crate::arguments::parse(line.split_whitespace()).expect("parses") {
            crate::arguments::Action::Deploy(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_steps_are_counted_before_the_first() {
        let counts = ["", "--preview-only", "--package", "--package --preview-only"].map(|line| count(&options(line)));
        assert_eq!(counts, [5, 2, 7, 4]);
    }

    #[test]
    fn what_was_confirmed_and_the_stack_that_goes_are_let_through() {
        let change = |path: &[&str], kind: &str| Change {
            action: "Remove".to_owned(),
            path: path.iter().map(|&name| name.to_owned()).collect(),
            resource_type: kind.to_owned(),
            replacement: Replacement::No,
            policy: String::new(),
            causes: Vec::new(),
        };
        let changes = [
            change(&["Cache"], STACK_TYPE),
            change(&["Cache", "Group"], "AWS::ElastiCache::ReplicationGroup"),
            change(&["Topic"], "AWS::SNS::Topic"),
        ];
        let exceptions = judge(&options("--confirm-replacement Cache/Group"), Some(&changes)).expect("allowed");
        assert_eq!(
            exceptions,
            Exceptions {
                resources: vec!["Cache/Group".to_owned()],
                stacks: vec!["Cache".to_owned()],
            }
        );
        assert!(judge(&options(""), Some(&changes)).is_err());
    }

    #[test]
    fn a_confirmation_needs_a_change_that_it_confirms_unless_none_can_be_seen() {
        let confirmed = |more: &str| judge(&options(&format!("--confirm-replacement Data/Files {more}")), None);
        assert!(confirmed("").is_err());
        assert_eq!(confirmed("--unseen").expect("allowed").resources, ["Data/Files"]);
    }
}
