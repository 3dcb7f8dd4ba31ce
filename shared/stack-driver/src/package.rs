//! The package on its way to AWS: the types in its templates, and its upload with the AWS CLI.

use crate::aws_cli::{AwsCli, CliError};
use crate::cloud::Cloud;
use crate::command_line::CommandLine;
use crate::inputs::{InputError, read};
use crate::preflight::package::sha256;
use crate::screen::{say, say_line};
use crate::template::Template;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The types of all resources in a template and in those that it nests from the same package.
///
/// # Errors
/// One of them cannot be read, or is no template.
pub fn types(template: &Template) -> Result<BTreeSet<String>, InputError> {
    let mut types = template.types.clone();
    let folder = folder(Path::new(&template.path));
    for (_, local) in &template.local {
        let path = folder.join(local);
        let body = read("the nested template", "TemplateURL", &path)?;
        types.extend(self::types(&Template::parse(&path.display().to_string(), &body)?)?);
    }
    Ok(types)
}

/// The folder that a file stands in.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Uploads what the template names, and writes the template that names the uploads beside it.
///
/// # Errors
/// The AWS CLI does not run, or refuses; its own words are shown.
pub async fn upload(
    cloud: &Cloud,
    aws: &str,
    template: &Path,
    bucket: &str,
    prefix: &str,
) -> Result<PathBuf, CliError> {
    let packaged = template.with_file_name("packaged.yaml");
    let command = command(cloud, aws, &["cloudformation", "package"])
        .with(["--template-file".to_owned(), template.display().to_string()])
        .with(["--s3-bucket", bucket])
        .with(["--s3-prefix", prefix])
        .with(["--output-template-file".to_owned(), packaged.display().to_string()]);
    // The next command is the driver's; a bar of progress is no line.
    let chatter = ["aws cloudformation deploy", "Execute the following", "Uploading to "];
    run(&command, |line| !chatter.iter().any(|text| line.contains(text))).await?;
    Ok(packaged)
}

/// Uploads a template that is too large for a request; where CloudFormation finds it.
///
/// # Errors
/// The AWS CLI does not run, or refuses.
pub async fn upload_template(
    cloud: &Cloud,
    aws: &str,
    template: &Template,
    bucket: &str,
    prefix: &str,
) -> Result<String, CliError> {
    let key = format!("{prefix}/{}.template", sha256(template.body.as_bytes()));
    let command = command(cloud, aws, &["s3", "cp", "--only-show-errors"])
        .with([template.path.clone(), format!("s3://{bucket}/{key}")]);
    run(&command, |_| true).await?;
    Ok(url(cloud.region().unwrap_or("us-east-1"), bucket, &key))
}

/// The form that `aws cloudformation package` itself writes.
fn url(region: &str, bucket: &str, key: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://s3.{region}.{domain}/{bucket}/{key}")
}

fn command(cloud: &Cloud, aws: &str, words: &[&str]) -> CommandLine {
    let mut command = CommandLine::new(aws).with(words.iter().copied());
    let endpoint = cloud.endpoint().map(str::to_owned);
    command
        .environment
        .extend(endpoint.map(|endpoint| ("AWS_ENDPOINT_URL".to_owned(), endpoint)));
    let region = cloud.region().map(|region| vec!["--region", region]);
    command.with(region.unwrap_or_default())
}

/// Shows the command, runs it to its end, and shows those of its lines that are for the reader.
async fn run(command: &CommandLine, shown: impl Fn(&str) -> bool) -> Result<(), CliError> {
    say(&command.for_reading(2));
    let mut cli = AwsCli::start(command)?;
    while let Some(line) = cli.next_line().await {
        if shown(&line) {
            say_line(&format!("        aws: {}", line.trim_end()));
        }
    }
    let status = cli.end().await?;
    if status.success() {
        return Ok(());
    }
    Err(CliError::Refused {
        command: command.flat().take(2).collect::<Vec<_>>().join(" "),
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_found_under_the_address_that_the_cli_would_write() {
        assert_eq!(
            [url("eu-central-1", "b", "p/k"), url("cn-north-1", "b", "p/k")],
            [
                "https://s3.eu-central-1.amazonaws.com/b/p/k",
                "https://s3.cn-north-1.amazonaws.com.cn/b/p/k"
            ]
        );
    }

    #[test]
    fn the_types_of_nested_templates_count_as_well() {
        let folder = std::env::temp_dir().join(format!("stack-driver-types-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let nested = "Resources:\n  Instance: {Type: AWS::RDS::DBInstance}\n";
        std::fs::write(folder.join("database.yaml"), nested).expect("written");
        let body = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n  Database:\n    Type: AWS::CloudFormation::Stack\n    \
                    Properties: {TemplateURL: ./database.yaml}\n";
        let path = folder.join("mautic.yaml").display().to_string();
        let found = types(&Template::parse(&path, body).expect("parses")).expect("types");
        std::fs::remove_dir_all(&folder).expect("removed");
        assert!(
            found.contains("AWS::RDS::DBInstance") && found.contains("AWS::SNS::Topic"),
            "{found:?}"
        );
    }

    #[test]
    fn a_file_without_a_folder_stands_in_this_one() {
        assert_eq!(folder(Path::new("mautic.yaml")), Path::new("."));
        assert_eq!(folder(Path::new("dist/aws/mautic.yaml")), Path::new("dist/aws"));
    }

    #[tokio::test]
    async fn a_cli_that_refuses_is_told_by_what_it_was_to_do() {
        let command = CommandLine::new("sh").with(["-c", "exit 3"]);
        assert_eq!(
            run(&command, |_| true).await.expect_err("refused").to_string(),
            "`aws -c exit 3` ended with exit status: 3; its own words stand above"
        );
    }
}
