//! What the clients of a test carry.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::list::{Calls, workspace};

/// An interceptor that notes every call of a function's clients, and stops a test at a call that the function's list lacks.
///
/// ```no_run
/// use aws_sdk_secretsmanager::Client;
/// use aws_smithy_mocks::{RuleMode, mock_client};
/// use recorded_calls::Recorder;
///
/// let rules: [aws_smithy_mocks::Rule; 0] = [];
/// let client: Client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &rules, |config| {
///     config.interceptor(Recorder::of("database-init"))
/// });
/// ```
#[derive(Debug, Clone)]
pub struct Recorder {
    calls: Arc<Calls>,
    folder: PathBuf,
}

impl Recorder {
    /// The recorder of the function `function`.
    ///
    /// # Panics
    /// When the function's list cannot be read.
    #[must_use]
    pub fn of(function: &str) -> Self {
        match Calls::read(function) {
            Ok(calls) => Self::into_folder(calls, folder(function)),
            Err(error) => panic!("{error}"),
        }
    }

    fn into_folder(calls: Calls, folder: PathBuf) -> Self {
        Self {
            calls: Arc::new(calls),
            folder,
        }
    }

    /// A file a call, named as the action: a set that tests in several processes may add to at once.
    fn note(&self, service: &str, operation: &str) {
        let action = action(service, operation);
        let function = self.calls.function();
        assert!(
            self.calls.actions().contains(action.as_str()),
            "functions/{function}/api-calls.txt lacks {action}, which this test called; add the line, and the action to the \
             function's role"
        );
        let noted = fs::create_dir_all(&self.folder).and_then(|()| fs::write(self.folder.join(&action), ""));
        if let Err(error) = noted {
            panic!(
                "{} cannot hold the recording of {action}: {error}",
                self.folder.display()
            );
        }
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    /// The first hook of a client's interceptor that knows the operation.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.load::<Metadata>().ok_or("an SDK call without a name")?;
        self.note(call.service(), call.name());
        Ok(())
    }
}

/// The actions recorded of `function` since `target/api-calls` was last removed.
///
/// # Errors
/// When the recordings are there but cannot be read.
pub fn recordings(function: &str) -> io::Result<BTreeSet<String>> {
    let entries = match fs::read_dir(folder(function)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn folder(function: &str) -> PathBuf {
    Path::new(&workspace()).join("target/api-calls").join(function)
}

/// The IAM action that allows an operation of a service, both as the SDK names them.
///
/// Most actions are the operation's name behind the service's own name in lower case; the others are from the service
/// authorization reference.
fn action(service: &str, operation: &str) -> String {
    let prefix = match service {
        "SESv2" => "ses".to_owned(),
        "CloudWatch Logs" => "logs".to_owned(),
        "Route 53" | "Secrets Manager" => service.replace(' ', "").to_ascii_lowercase(),
        _ => service.to_ascii_lowercase(),
    };
    let name = match (service, operation) {
        ("Lambda", "Invoke") => "InvokeFunction",
        ("S3", "ListObjectsV2") => "ListBucket",
        _ => operation,
    };
    format!("{prefix}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_secretsmanager::Client;
    use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretOutput;
    use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    /// A recorder of database-init, whose recordings nobody else reads.
    fn recorder(test: &str) -> Recorder {
        let folder = std::env::temp_dir().join(format!("recorded-calls-{}-{test}", std::process::id()));
        Recorder::into_folder(Calls::read("database-init").unwrap(), folder)
    }

    fn client(recorder: &Recorder) -> Client {
        let found = mock!(Client::get_secret_value).then_output(|| GetSecretValueOutput::builder().build());
        let deleted = mock!(Client::delete_secret).then_output(|| DeleteSecretOutput::builder().build());
        let recorder = recorder.clone();
        mock_client!(
            aws_sdk_secretsmanager,
            RuleMode::MatchAny,
            [&found, &deleted],
            |config| { config.interceptor(recorder.clone()) }
        )
    }

    #[tokio::test]
    async fn a_call_is_noted_as_its_iam_action() {
        let recorder = recorder("noted");
        client(&recorder)
            .get_secret_value()
            .secret_id("any")
            .send()
            .await
            .unwrap();
        assert!(recorder.folder.join("secretsmanager:GetSecretValue").is_file());
        fs::remove_dir_all(&recorder.folder).unwrap();
    }

    #[tokio::test]
    #[should_panic(
        expected = "functions/database-init/api-calls.txt lacks secretsmanager:DeleteSecret, which this test called; add the \
                    line, and the action to the function's role"
    )]
    async fn a_call_that_the_list_lacks_stops_the_test() {
        let client = client(&recorder("lacking"));
        let _ = client.delete_secret().secret_id("any").send().await;
    }

    #[test]
    fn the_actions_are_those_of_the_service_authorization_reference() {
        let cases = [
            (("SESv2", "GetAccount"), "ses:GetAccount"),
            (("Route 53", "GetChange"), "route53:GetChange"),
            (("Secrets Manager", "PutSecretValue"), "secretsmanager:PutSecretValue"),
            (("Lambda", "Invoke"), "lambda:InvokeFunction"),
            (("CloudWatch Logs", "GetLogEvents"), "logs:GetLogEvents"),
            (("ECS", "RunTask"), "ecs:RunTask"),
            (("IAM", "CreateAccessKey"), "iam:CreateAccessKey"),
            (("STS", "AssumeRole"), "sts:AssumeRole"),
        ];
        for ((service, operation), expected) in cases {
            assert_eq!(action(service, operation), expected);
        }
    }

    #[test]
    fn a_function_without_recordings_has_none() {
        assert_eq!(recordings("no-such-function").unwrap(), BTreeSet::new());
    }
}
