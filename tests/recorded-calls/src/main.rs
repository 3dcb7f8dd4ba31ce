//! `make unit` runs this after all tests: every function's list of calls against what its tests recorded.

use std::error::Error;
use std::process::ExitCode;

use recorded_calls::{Calls, compare, recordings};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let functions = Calls::functions()?;
    let mut agree = true;
    for function in &functions {
        for discrepancy in compare(&Calls::read(function)?, &recordings(function)?) {
            eprintln!("functions/{function}/api-calls.txt: {discrepancy}");
            agree = false;
        }
    }
    if !agree {
        eprintln!(
            "recorded calls: the tests of all functions must have run since target/api-calls was removed: make unit"
        );
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "recorded calls: {} functions do what they list, and nothing else",
        functions.len()
    );
    Ok(ExitCode::SUCCESS)
}
