//! The binary as a shell sees it: what it says, where, and its exit code.

use std::process::{Command, Stdio};

/// A port on which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stack-driver"))
        .args(arguments)
        .env_remove("AWS_PROFILE")
        .env("AWS_ENDPOINT_URL", NOBODY)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_MAX_ATTEMPTS", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_aws_that_does_not_answer_is_named_with_the_remedy() {
    assert_eq!(
        run(&["summary", "--stack", "mautic"]),
        (
            Some(1),
            String::new(),
            format!(
                "stack-driver: cannot reach {NOBODY} to describe the stack mautic: Connection refused (os error 111). Is the local \
                 AWS running? Start it, or unset AWS_ENDPOINT_URL to use AWS itself\n"
            )
        )
    );
}

#[test]
fn wrong_inputs_are_found_before_aws_is_asked() {
    let (code, _, error) = run(&["deploy", "--stack", "mautic", "--template", "/nowhere/mautic.yaml"]);
    assert_eq!(
        (code, error.as_str()),
        (
            Some(1),
            "stack-driver: the template /nowhere/mautic.yaml cannot be read (No such file or directory (os error 2)): give the \
             path of an existing file with --template\n"
        )
    );
}

#[test]
fn wrong_usage_has_an_exit_code_of_its_own_and_help_has_none() {
    let (code, output, error) = run(&["deploi"]);
    assert_eq!((code, output.as_str()), (Some(2), ""));
    assert_eq!(
        error,
        "stack-driver: there is no \"deploi\": deploy, preflight, follow, summary, why, smoke or delete\n"
    );
    let (code, output, _) = run(&["--help"]);
    assert_eq!((code, output.as_str()), (Some(0), stack_driver::arguments::HELP));
}
