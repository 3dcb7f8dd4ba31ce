//! Who deploys, and where; and the bucket that holds the package.

use crate::aws_query::Answer;
use crate::preflight::finding::Finding;

/// Judges `sts get-caller-identity`.
#[must_use]
pub fn caller(answer: &Answer, region: &str) -> Finding {
    const CHECK: &str = "account";
    let identity = match answer {
        Ok(identity) => identity,
        Err(error) => {
            return Finding::stop(
                CHECK,
                format!("AWS does not say who deploys: {error}."),
                "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` shows who you are.",
            );
        }
    };
    let text = |name: &str| identity[name].as_str().unwrap_or("unknown");
    let who = format!("{} in {region}, as {}.", text("Account"), text("Arn"));
    if text("Arn").ends_with(":root") {
        let remedy = "Deploy as a role: nothing limits what the account's root user does.";
        return Finding::warning(CHECK, who, remedy);
    }
    Finding::fine(CHECK, who)
}

/// Judges `s3api get-bucket-location`.
#[must_use]
pub fn bucket(name: &str, region: &str, answer: &Answer) -> Finding {
    const CHECK: &str = "bucket";
    let make = format!("`aws s3 mb s3://{name} --region {region}` makes it.");
    match answer {
        Ok(location) => {
            // S3's oldest regions have names of their own.
            let place = match location["LocationConstraint"].as_str() {
                None | Some("") => "us-east-1",
                Some("EU") => "eu-west-1",
                Some(place) => place,
            };
            if place == region {
                return Finding::fine(CHECK, format!("{name} in {place}."));
            }
            Finding::stop(
                CHECK,
                format!(
                    "{name} is in {place}, the stack in {region}: functions are only read from a bucket of their own region."
                ),
                format!("Name a bucket in {region}."),
            )
        }
        Err(error) if error.is(&["NoSuchBucket", "404", "NotFound"]) => {
            Finding::stop(CHECK, format!("There is no bucket {name}."), make)
        }
        Err(error) if error.is(&["AccessDenied", "403"]) => Finding::stop(
            CHECK,
            format!("{name} may not be used: {error}."),
            "It is another account's, or you lack s3:GetBucketLocation, s3:PutObject and s3:GetObject: name a bucket of your own.",
        ),
        Err(error) => Finding::warning(
            CHECK,
            format!("Where {name} lies could not be asked: {error}."),
            format!("It must be in {region}."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::{NoAnswer, refused};
    use crate::preflight::finding::Weight::{self, Fine, Stop, Warning};
    use serde_json::json;

    #[test]
    fn the_account_and_the_one_who_deploys_are_shown() {
        let answer = Ok(json!({"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ada"}));
        assert_eq!(
            caller(&answer, "eu-central-1"),
            Finding::fine(
                "account",
                "111122223333 in eu-central-1, as arn:aws:iam::111122223333:user/ada."
            )
        );
        let root = Ok(json!({"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:root"}));
        assert_eq!(caller(&root, "eu-central-1").weight, Weight::Warning);
        let none = caller(
            &Err(NoAnswer::Failed("Unable to locate credentials".to_owned())),
            "eu-central-1",
        );
        assert_eq!(
            (none.weight, none.text.as_str()),
            (
                Weight::Stop,
                "AWS does not say who deploys: Unable to locate credentials."
            )
        );
    }

    #[test]
    fn a_bucket_is_in_the_stacks_region() {
        let place = |place: &str| Ok(json!({"LocationConstraint": place}));
        let nowhere = Ok(json!({"LocationConstraint": null}));
        let weights = [
            bucket("b", "eu-central-1", &place("eu-central-1")),
            bucket("b", "eu-west-1", &place("EU")),
            bucket("b", "us-east-1", &nowhere),
            bucket("b", "eu-central-1", &nowhere),
            bucket("b", "eu-central-1", &refused("NoSuchBucket")),
            bucket("b", "eu-central-1", &refused("AccessDenied")),
            bucket("b", "eu-central-1", &refused("InternalError")),
        ]
        .map(|finding| finding.weight);
        assert_eq!(weights, [Fine, Fine, Fine, Stop, Stop, Stop, Warning]);
    }

    #[test]
    fn a_bucket_that_is_elsewhere_or_not_there_is_told_with_the_remedy() {
        let elsewhere = bucket("b", "eu-central-1", &Ok(json!({"LocationConstraint": "us-west-2"})));
        assert_eq!(
            elsewhere.text,
            "b is in us-west-2, the stack in eu-central-1: functions are only read from a bucket of their own region."
        );
        let missing = bucket("b", "eu-central-1", &refused("NoSuchBucket"));
        assert_eq!(missing.text, "There is no bucket b.");
        assert_eq!(missing.remedy, "`aws s3 mb s3://b --region eu-central-1` makes it.");
    }
}
