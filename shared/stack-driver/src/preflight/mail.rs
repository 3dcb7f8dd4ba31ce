//! What SES has of the domain already, and to whom the account may write.

use crate::aws_query::Answer;
use crate::preflight::finding::Finding;

/// The tag in which a `Custom::SesDomain` writes down the stack that it belongs to.
const OWNER_TAG: &str = "ses-domain:stack";

/// Judges `sesv2 get-email-identity` of a domain that the stack does not have yet.
#[must_use]
pub fn identity(domain: &str, adopt: bool, answer: &Answer) -> Finding {
    const CHECK: &str = "identity";
    let identity = match answer {
        Ok(identity) => identity,
        Err(error) if error.is(&["NotFoundException"]) => {
            return Finding::fine(CHECK, format!("SES does not have {domain} yet: it will be made."));
        }
        Err(error) => {
            let text = format!("Whether SES has {domain} already could not be read: {error}.");
            return Finding::warning(CHECK, text, "If it has, set AdoptExistingDomain=true.");
        }
    };
    let owner = identity["Tags"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|tag| tag["Key"] == OWNER_TAG)
        .and_then(|tag| tag["Value"].as_str());
    match (owner, adopt) {
        (_, true) => Finding::fine(
            CHECK,
            format!("SES has {domain} already; it is adopted, and given back as it was when the stack is deleted."),
        ),
        (Some(stack), false) => Finding::stop(
            CHECK,
            format!("{domain} is an identity of the stack {stack}."),
            "Choose another Domain, delete that stack first, or take it over with AdoptExistingDomain=true.",
        ),
        (None, false) => Finding::stop(
            CHECK,
            format!("SES has {domain} already, and no stack of this project made it."),
            "Set AdoptExistingDomain=true: its DKIM keys stay, its MAIL FROM domain and configuration set are set, and given back when \
             the stack is deleted. Look at both first: `aws sesv2 get-email-identity --email-identity DOMAIN`."
                .replace("DOMAIN", domain),
        ),
    }
}

/// Judges `sesv2 get-account`.
#[must_use]
pub fn account(answer: &Answer) -> Finding {
    const CHECK: &str = "sandbox";
    let account = match answer {
        Ok(account) => account,
        Err(error) => {
            let text = format!("Whether SES lets this account write to anybody could not be read: {error}.");
            return Finding::warning(CHECK, text, "See it in the SES console, under Account dashboard.");
        }
    };
    let status = account["EnforcementStatus"].as_str().unwrap_or("HEALTHY");
    if account["SendingEnabled"] == false || status == "SHUTDOWN" {
        let text = format!("SES sends nothing for this account (enforcement status {status}).");
        return Finding::warning(
            CHECK,
            text,
            "Answer AWS's message in the support centre; Mautic would run, and send nothing.",
        );
    }
    if account["ProductionAccessEnabled"] != true {
        return Finding::warning(
            CHECK,
            "This account is in the SES sandbox: it writes to verified addresses only, 200 mails a day.",
            "Ask for production access in the SES console of this region, before real mail is to be sent; AWS takes about a day.",
        );
    }
    if status != "HEALTHY" {
        let text = format!("SES has this account under review (enforcement status {status}).");
        return Finding::warning(
            CHECK,
            text,
            "Bounces or complaints are too many: answer AWS's message first.",
        );
    }
    Finding::fine(CHECK, "SES lets this account write to anybody.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::refused;
    use crate::preflight::finding::Weight;
    use serde_json::json;

    #[test]
    fn an_identity_that_exists_is_taken_only_when_told() {
        let strange = Ok(json!({"Tags": [{"Key": "Team", "Value": "mail"}]}));
        let owned = Ok(json!({"Tags": [{"Key": "ses-domain:stack", "Value": "arn:other"}]}));
        let judged = [
            identity("example.com", false, &refused("NotFoundException")),
            identity("example.com", false, &strange),
            identity("example.com", false, &owned),
            identity("example.com", true, &owned),
            identity("example.com", false, &refused("AccessDeniedException")),
        ]
        .map(|finding| (finding.weight, finding.text));
        assert_eq!(
            judged,
            [
                (Weight::Fine, "SES does not have example.com yet: it will be made."),
                (
                    Weight::Stop,
                    "SES has example.com already, and no stack of this project made it."
                ),
                (Weight::Stop, "example.com is an identity of the stack arn:other."),
                (
                    Weight::Fine,
                    "SES has example.com already; it is adopted, and given back as it was when the stack is deleted."
                ),
                (
                    Weight::Warning,
                    "Whether SES has example.com already could not be read: no (AccessDeniedException)."
                ),
            ]
            .map(|(weight, text)| (weight, text.to_owned()))
        );
    }

    #[test]
    fn an_account_that_may_not_write_to_anybody_is_a_warning() {
        let healthy = json!({"SendingEnabled": true, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": true});
        let with = |name: &str, value: serde_json::Value| {
            let mut account = healthy.clone();
            account[name] = value;
            let finding = super::account(&Ok(account));
            (finding.weight, finding.text)
        };
        assert_eq!(super::account(&Ok(healthy.clone())).weight, Weight::Fine);
        assert_eq!(
            [
                with("ProductionAccessEnabled", json!(false)),
                with("EnforcementStatus", json!("PROBATION")),
                with("SendingEnabled", json!(false)),
            ],
            [
                "This account is in the SES sandbox: it writes to verified addresses only, 200 mails a day.",
                "SES has this account under review (enforcement status PROBATION).",
                "SES sends nothing for this account (enforcement status HEALTHY).",
            ]
            .map(|text| (Weight::Warning, text.to_owned()))
        );
    }
}
