//! What a function's environment must name.

use thiserror::Error;

/// How the variables that name secrets end.
const SECRET: &str = "_SECRET_ARN";

/// Variables that are missing or empty, all at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the function's environment lacks {}; set them in its template", .0.join(", "))]
pub struct MissingVariables(Vec<&'static str>);

/// The values of these variables.
///
/// # Errors
/// [`MissingVariables`], which names all that are missing.
pub fn variables<const N: usize>(names: [&'static str; N]) -> Result<[String; N], MissingVariables> {
    read(names, |name| std::env::var(name).ok())
}

/// The secrets that the variables ending in `_SECRET_ARN` name, but for the variable `except`.
#[must_use]
pub fn secrets_but(except: &str) -> Vec<String> {
    named(std::env::vars(), except)
}

fn read<const N: usize>(
    names: [&'static str; N],
    value: impl Fn(&str) -> Option<String>,
) -> Result<[String; N], MissingVariables> {
    let values = names.map(|name| value(name).unwrap_or_default());
    let missing = names.iter().zip(&values).filter(|(_, value)| value.is_empty());
    let missing: Vec<_> = missing.map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(values);
    }
    Err(MissingVariables(missing))
}

fn named(variables: impl Iterator<Item = (String, String)>, except: &str) -> Vec<String> {
    let secrets = variables.filter(|(name, value)| name.ends_with(SECRET) && name != except && !value.is_empty());
    secrets.map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_variables_are_named_together() {
        let value = |name: &str| (name == "CACHE_HOST").then(|| "cache".to_owned());
        let error = read(["CACHE_HOST", "CACHE_PORT", "CACHE_USER_ID"], value).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the function's environment lacks CACHE_PORT, CACHE_USER_ID; set them in its template"
        );
        assert_eq!(read(["CACHE_HOST"], value), Ok(["cache".to_owned()]));
    }

    #[test]
    fn every_secret_but_the_master_s_may_be_rotated() {
        let variables = [
            ("DATABASE_SECRET_ARN", "arn:one"),
            ("MASTER_SECRET_ARN", "arn:master"),
            ("BOUNCES_SECRET_ARN", ""),
            ("DATABASE_HOST", "db"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(named(variables.into_iter(), "MASTER_SECRET_ARN"), ["arn:one"]);
    }
}
