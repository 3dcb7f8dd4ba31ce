//! The command line.

use crate::plan::{DeployOptions, Extent, Rollback};
use crate::smoke::{SmokeOptions, plan::Extent as SmokeExtent, site::Route};
use crate::stand::DeleteOptions;
use lexopt::prelude::{Long, Short, Value, ValueExt};
use lexopt::{Error, Parser};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
stack-driver: deploys a CloudFormation stack and shows what happens

  stack-driver deploy --stack NAME --template FILE [--parameters FILE.json]
      [--override NAME=VALUE]... [--tags KEY=VALUE]... [--s3-bucket BUCKET]
      [--role-arn ARN] [--rollback auto|on|off] [--preview-only] [--yes]
      [--package [--ignore CHECK]... [--dns-server ADDRESS:PORT]] [--unseen]
      [--confirm-replacement NAME[,NAME]]... [--aws PATH] [--setup COMMAND]
                              shows the changes, asks, deploys with the real AWS CLI, follows,
                              protects what holds data, ends with a summary or with the root cause
  stack-driver preflight --stack NAME --template FILE --s3-bucket BUCKET ...
                              looks at the account as deploy --package does, and changes nothing
  stack-driver follow  --stack NAME [--setup COMMAND]
                              follows the operation that runs
  stack-driver summary --stack NAME [--setup COMMAND]
                              what stands: outputs, DNS records, database, what to try next
  stack-driver why     --stack NAME
                              the root cause of the last failure
  stack-driver smoke   --stack NAME [--read-only] [--confirm NAME] [--aws PATH]
      [--site URL] [--connect-to HOST:PORT] [--ca-file FILE]
                              tests what stands: sign-in page, form, mail, job; removes what it made
  stack-driver delete  --stack NAME [--wait] [--yes] [--role-arn ARN]
                              deletes; with --wait follows to the end

  --parameters  {\"Parameters\": {\"Name\": \"value\"}, \"Tags\": {\"Key\": \"value\"}}
  --rollback    auto (default): on, but off on the first create with Environment=prod
  --package     --template stands in a package that is not uploaded: looks at the account (zone,
                certificate, quotas, ...) and stops where a deployment would fail, then uploads
  --ignore      a check of that look, such as zone, that is not to stop the deployment
  --confirm-replacement  Module/Resource that holds data and may be replaced or removed
  --unseen      deploy even where the changes cannot be shown beforehand
  --read-only   test only what changes nothing
  --confirm     the stack's name once more: production is written to only so
  --site        the site's address, if not the output SiteUrl
  --connect-to  where the site is reached, if not where DNS says
  --ca-file     authorities to trust besides the machine's, in PEM
  --setup       a command that brings a shell to this AWS; shown before the commands to try next
  --aws         the AWS CLI, version 1 or 2; default: aws, found on PATH

AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and the other variables of the AWS CLI apply. NO_COLOR is heeded.
Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted (the stack goes on).
";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Deploy.
    Deploy(Box<DeployOptions>),
    /// Follow the operation that runs; the second is `--setup`.
    Follow(String, Option<String>),
    /// Show what stands; the second is `--setup`.
    Summary(String, Option<String>),
    /// Explain the last failure.
    Why(String),
    /// Test what stands.
    Smoke(SmokeOptions),
    /// Delete.
    Delete(DeleteOptions),
    /// Print [`HELP`].
    Help,
}

/// Every option, before it is known which ones the verb takes.
#[derive(Debug, Default)]
struct Options {
    verb: Option<String>,
    given: Vec<String>,
    stack: Option<String>,
    template: Option<PathBuf>,
    parameters: Option<PathBuf>,
    overrides: Vec<String>,
    tags: Vec<String>,
    s3_bucket: Option<String>,
    role_arn: Option<String>,
    rollback: Option<String>,
    aws: Option<String>,
    setup: Option<String>,
    confirmed: Vec<String>,
    ignored: Vec<String>,
    dns_server: Option<String>,
    route: Route,
    confirm: Option<String>,
    help: bool,
}

/// What `deploy` takes.
const DEPLOY: [&str; 17] = [
    "stack",
    "template",
    "parameters",
    "override",
    "tags",
    "s3-bucket",
    "role-arn",
    "aws",
    "ignore",
    "dns-server",
    "package",
    "rollback",
    "setup",
    "yes",
    "preview-only",
    "confirm-replacement",
    "unseen",
];

/// What `smoke` takes.
const SMOKE: [&str; 7] = ["stack", "read-only", "confirm", "aws", "site", "connect-to", "ca-file"];

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// An unknown verb or option, one that the verb does not take, or one that is missing.
pub fn parse<I, S>(arguments: I) -> Result<Action, Error>
where
    I: IntoIterator<Item = S>,
    S: Into<std::ffi::OsString>,
{
    let options = collect(Parser::from_args(arguments.into_iter().map(Into::into)))?;
    if options.help {
        return Ok(Action::Help);
    }
    let Some(verb) = options.verb.clone() else {
        return Ok(Action::Help);
    };
    let allowed: &[&str] = match verb.as_str() {
        "deploy" => &DEPLOY,
        // The last of deploy's are about what comes after the look.
        "preflight" => &DEPLOY[..10],
        "follow" | "summary" => &["stack", "setup"],
        "why" => &["stack"],
        "smoke" => &SMOKE,
        "delete" => &["stack", "wait", "yes", "role-arn"],
        other => {
            return Err(
                format!("there is no {other:?}: deploy, preflight, follow, summary, why, smoke or delete").into(),
            );
        }
    };
    if let Some(stray) = options.given.iter().find(|name| !allowed.contains(&name.as_str())) {
        return Err(format!("{verb} takes no --{stray}; see --help").into());
    }
    action(&verb, options)
}

fn action(verb: &str, options: Options) -> Result<Action, Error> {
    let flag = |name: &str| options.given.iter().any(|given| given == name);
    let stack = options.stack.ok_or_else(|| missing(verb, "--stack NAME"))?;
    Ok(match verb {
        "follow" => Action::Follow(stack, options.setup),
        "summary" => Action::Summary(stack, options.setup),
        "why" => Action::Why(stack),
        "smoke" => Action::Smoke(SmokeOptions {
            stack,
            extent: if flag("read-only") {
                SmokeExtent::ReadOnly
            } else {
                SmokeExtent::Whole
            },
            route: options.route,
            confirmed: options.confirm,
            aws: options.aws.unwrap_or_else(|| "aws".to_owned()),
        }),
        "delete" => Action::Delete(DeleteOptions {
            stack,
            wait: flag("wait"),
            yes: flag("yes"),
            role_arn: options.role_arn,
        }),
        _ => Action::Deploy(Box::new(DeployOptions {
            stack,
            template: options.template.ok_or_else(|| missing(verb, "--template FILE"))?,
            parameters: options.parameters,
            overrides: options.overrides,
            tags: options.tags,
            s3_bucket: options.s3_bucket,
            role_arn: options.role_arn,
            aws: options.aws.unwrap_or_else(|| "aws".to_owned()),
            yes: flag("yes"),
            extent: match (verb, flag("preview-only")) {
                ("preflight", _) => Extent::Preflight,
                (_, true) => Extent::Preview,
                (_, false) => Extent::Deployment,
            },
            rollback: rollback(options.rollback.as_deref())?,
            setup: options.setup,
            package: flag("package") || verb == "preflight",
            confirmed: options.confirmed,
            ignored: options.ignored,
            dns_server: options.dns_server.as_deref().map(address).transpose()?,
            unseen: flag("unseen"),
        })),
    })
}

fn collect(mut parser: Parser) -> Result<Options, Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => options.help = true,
            Value(verb) if options.verb.is_none() => options.verb = Some(verb.string()?),
            Long(name) => {
                let name = name.to_owned();
                options.take(&name, &mut parser)?;
                options.given.push(name);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

impl Options {
    fn take(&mut self, name: &str, parser: &mut Parser) -> Result<(), Error> {
        let mut text = || parser.value()?.string();
        match name {
            "stack" => self.stack = Some(text()?),
            "template" => self.template = Some(text()?.into()),
            "parameters" => self.parameters = Some(text()?.into()),
            "override" => self.overrides.push(text()?),
            "tags" => self.tags.push(text()?),
            "s3-bucket" => self.s3_bucket = Some(text()?),
            "role-arn" => self.role_arn = Some(text()?),
            "rollback" => self.rollback = Some(text()?),
            "aws" => self.aws = Some(text()?),
            "setup" => self.setup = Some(text()?),
            "confirm-replacement" => self.confirmed.extend(names(&text()?)),
            "ignore" => self.ignored.extend(names(&text()?)),
            "dns-server" => self.dns_server = Some(text()?),
            "site" => self.route.site = Some(text()?),
            "connect-to" => self.route.connect_to = Some(text()?),
            "ca-file" => self.route.ca_file = Some(text()?.into()),
            "confirm" => self.confirm = Some(text()?),
            "read-only" | "yes" | "wait" | "preview-only" | "package" | "unseen" => {}
            other => return Err(format!("there is no option --{other}; see --help").into()),
        }
        Ok(())
    }
}

/// Several names in one value, as a variable of make holds them.
fn names(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn address(text: &str) -> Result<SocketAddr, Error> {
    text.parse()
        .map_err(|_| format!("--dns-server {text:?} is no address and port, such as 192.0.2.53:53").into())
}

fn missing(verb: &str, option: &str) -> Error {
    format!("{verb} needs {option}; see --help").into()
}

fn rollback(text: Option<&str>) -> Result<Rollback, Error> {
    match text {
        None | Some("auto") => Ok(Rollback::Auto),
        Some("on") => Ok(Rollback::On),
        Some("off") => Ok(Rollback::Off),
        Some(other) => Err(format!("--rollback {other:?} is none of auto, on, off").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        parse(line.split_whitespace()).expect_err("refused").to_string()
    }

    #[test]
    fn a_deployment_takes_its_options_in_any_order() {
        let line =
            "deploy --yes --template=t.yaml --override A=1 --override B=2=3 --stack mautic --rollback off --tags K=V";
        assert_eq!(
            parse(line.split_whitespace()).expect("parses"),
            Action::Deploy(Box::new(DeployOptions {
                stack: "mautic".to_owned(),
                template: "t.yaml".into(),
                parameters: None,
                overrides: vec!["A=1".to_owned(), "B=2=3".to_owned()],
                tags: vec!["K=V".to_owned()],
                s3_bucket: None,
                role_arn: None,
                aws: "aws".to_owned(),
                yes: true,
                extent: Extent::Deployment,
                rollback: Rollback::Off,
                setup: None,
                package: false,
                confirmed: Vec::new(),
                ignored: Vec::new(),
                dns_server: None,
                unseen: false,
            }))
        );
    }

    #[test]
    fn wrong_usage_is_named_with_the_remedy() {
        let texts = [
            "deploi --stack a",
            "deploy --stack a",
            "why",
            "why --stack a --yes",
            "deploy --stak a",
            "deploy --stack a --template t --rollback no",
            "deploy --stack a --template t --dns-server here",
            "preflight --stack a --template t --yes",
        ]
        .map(refused);
        assert_eq!(
            texts,
            [
                "there is no \"deploi\": deploy, preflight, follow, summary, why, smoke or delete",
                "deploy needs --template FILE; see --help",
                "why needs --stack NAME; see --help",
                "why takes no --yes; see --help",
                "there is no option --stak; see --help",
                "--rollback \"no\" is none of auto, on, off",
                "--dns-server \"here\" is no address and port, such as 192.0.2.53:53",
                "preflight takes no --yes; see --help",
            ]
        );
    }

    #[test]
    fn a_look_at_the_account_is_a_deployment_that_ends_early() {
        let line = "preflight --stack a --template t --s3-bucket b --ignore zone,sandbox --ignore roles --dns-server 192.0.2.53:53";
        let Action::Deploy(options) = parse(line.split_whitespace()).expect("parses") else {
            panic!("no deployment")
        };
        assert_eq!((options.package, options.extent), (true, Extent::Preflight));
        assert_eq!(options.ignored, ["zone", "sandbox", "roles"]);
        assert_eq!(options.dns_server, Some(SocketAddr::from(([192, 0, 2, 53], 53))));
    }

    #[test]
    fn a_smoke_test_takes_the_way_to_the_site_and_how_far_it_may_go() {
        let parsed = |line: &str| match parse(line.split_whitespace()).expect("parses") {
            Action::Smoke(options) => options,
            other => panic!("{other:?}"),
        };
        let plain = SmokeOptions {
            stack: "a".to_owned(),
            route: Route::default(),
            extent: SmokeExtent::Whole,
            confirmed: None,
            aws: "aws".to_owned(),
        };
        assert_eq!(parsed("smoke --stack a"), plain);
        let line =
            "smoke --read-only --confirm a --stack a --site https://b --connect-to c:443 --ca-file d.pem --aws e";
        let route = Route {
            site: Some("https://b".to_owned()),
            connect_to: Some("c:443".to_owned()),
            ca_file: Some("d.pem".into()),
        };
        let whole = SmokeOptions {
            route,
            extent: SmokeExtent::ReadOnly,
            confirmed: Some("a".to_owned()),
            aws: "e".to_owned(),
            ..plain
        };
        assert_eq!(parsed(line), whole);
        assert_eq!(refused("smoke --stack a --yes"), "smoke takes no --yes; see --help");
        assert_eq!(
            refused("deploy --stack a --template t --site b"),
            "deploy takes no --site; see --help"
        );
    }

    #[test]
    fn help_is_given_whenever_it_is_asked_for() {
        for line in ["", "--help", "deploy -h", "deploy --stack a --help"] {
            assert_eq!(parse(line.split_whitespace()).expect("parses"), Action::Help, "{line}");
        }
    }
}
