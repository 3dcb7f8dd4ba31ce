//! The binary behind `make up` and `make deploy`; `stack-driver --help` says what it does.

use stack_driver::arguments::{Action, HELP, parse};
use stack_driver::cloud::Cloud;
use stack_driver::command_line::set_own_name;
use stack_driver::error::DriverError;
use stack_driver::screen::say;
use stack_driver::style::{Style, Tone};
use stack_driver::verdict::{Verdict, summarise};
use stack_driver::{deploy, smoke, stand};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Some(name) = std::env::args_os().next() {
        set_own_name(&name.to_string_lossy());
    }
    let action = match parse(std::env::args_os().skip(1)) {
        Ok(action) => action,
        Err(error) => {
            eprintln!("stack-driver: {error}");
            return ExitCode::from(2);
        }
    };
    let style = Style::detect();
    match act(action, style).await {
        Ok(verdict) => verdict.exit_code(),
        Err(error) => {
            eprintln!("{} {error}", style.paint(Tone::Bad, "stack-driver:"));
            ExitCode::FAILURE
        }
    }
}

async fn act(action: Action, style: Style) -> Result<Verdict, DriverError> {
    let cloud = Cloud::from_environment().await;
    match action {
        Action::Deploy(options) => deploy::deploy(&cloud, &options, style).await,
        Action::Follow(stack, setup) => stand::follow(&cloud, &stack, setup, style).await,
        Action::Summary(stack, setup) => summarise(&cloud, &stack, setup, style).await.map(|()| Verdict::Done),
        Action::Why(stack) => stand::why(&cloud, &stack, style).await,
        Action::Smoke(options) => smoke::smoke(&cloud, &options, style).await,
        Action::Delete(options) => stand::delete(&cloud, &options, style).await,
        Action::Help => {
            say(HELP);
            Ok(Verdict::Done)
        }
    }
}
