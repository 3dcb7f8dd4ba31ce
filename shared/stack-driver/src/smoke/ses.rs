//! A mail to SES's mailbox simulator, handed to SES directly: the identity, the configuration set, the account.

use crate::cloud::{Cloud, CloudError};
use crate::smoke::outcome::Judgement;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailInputBuilder;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

/// The mailbox that takes everything; what it gets counts for no reputation.
/// <https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html>
const MAILBOX: &str = "success@simulator.amazonses.com";

/// Hands the mail over.
pub async fn check(cloud: &Cloud, client: &Client, sender: &str, configuration_set: &str) -> Judgement {
    let from = address(sender);
    match wish(from, configuration_set).send_with(client).await {
        Ok(answer) => {
            let id = answer.message_id().unwrap_or("it gave no id");
            Judgement::passed(format!(
                "SES took a mail from {from} to {MAILBOX} with the configuration set {configuration_set} ({id})."
            ))
        }
        Err(error) => refused(&cloud.explain(&format!("a mail from {from}"), &error)),
    }
}

/// The address of `Name <address>`, or of an address alone.
fn address(sender: &str) -> &str {
    sender
        .split_once('<')
        .map_or(sender, |(_, rest)| rest.trim_end_matches('>'))
}

/// The mail.
fn wish(from: &str, configuration_set: &str) -> SendEmailInputBuilder {
    let text = |words: &str| Content::builder().data(words).build().ok();
    let body = Body::builder().set_text(text("Sent by the smoke test.")).build();
    let message = Message::builder().set_subject(text("Smoke test")).body(body).build();
    SendEmailInputBuilder::default()
        .from_email_address(from)
        .destination(Destination::builder().to_addresses(MAILBOX).build())
        .content(EmailContent::builder().simple(message).build())
        .configuration_set_name(configuration_set)
}

/// Whether SES would take mail, without handing any over.
pub async fn look(cloud: &Cloud, client: &Client, domain: &str) -> Judgement {
    let (identity, account) = tokio::join!(
        client.get_email_identity().email_identity(domain).send(),
        client.get_account().send()
    );
    let identity = identity.map_err(|error| cloud.explain(&format!("to read the identity {domain}"), &error));
    let account = account.map_err(|error| cloud.explain("to read the SES account", &error));
    match (identity, account) {
        (Err(error), _) | (_, Err(error)) => refused(&error),
        (Ok(identity), _) if !identity.verified_for_sending_status() => {
            Judgement::failed(format!("SES has not verified {domain}."), UNVERIFIED)
        }
        (_, Ok(account)) if !account.sending_enabled() => {
            Judgement::failed("SES sends nothing for this account.", PAUSED)
        }
        _ => Judgement::passed(format!("SES has verified {domain}, and sends for this account.")),
    }
}

const UNVERIFIED: &str =
    "Look at the output SendingDomainStatus: it is to be VERIFIED; docs/dns-and-mail.md says what SES waits for.";
const PAUSED: &str = "See the SES console, and AWS's message in the support centre.";

/// What to do about a refusal.
fn refused(error: &CloudError) -> Judgement {
    let code = match error {
        CloudError::Refused { code, .. } => code.as_str(),
        _ => return Judgement::failed(format!("{error}."), ""),
    };
    let remedy = match code {
        "MessageRejected" | "MailFromDomainNotVerifiedException" => UNVERIFIED,
        "NotFoundException" => "It is gone: deploy with another value of Reconcile, which makes it again.",
        "SendingPausedException" | "AccountSuspendedException" => PAUSED,
        "LimitExceededException" | "TooManyRequestsException" => {
            "The account's sending quota is used up: `aws sesv2 get-account` shows it."
        }
        _ => {
            "The one who tests needs ses:SendEmail on the identity and the configuration set: docs/operations.md, Smoke test."
        }
    };
    Judgement::failed(format!("{error}."), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
    use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
    use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    fn cloud() -> Cloud {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
        Cloud::new(config.region(Region::new("eu-central-1")).build())
    }

    #[tokio::test]
    async fn a_mail_names_the_sender_the_simulator_and_the_configuration_set() {
        let rule = mock!(Client::send_email)
            .match_requests(|request| {
                request.from_email_address() == Some("news@example.com")
                    && request.destination().is_some_and(|to| to.to_addresses() == [MAILBOX])
                    && request.configuration_set_name() == Some("mautic-test")
            })
            .then_output(|| SendEmailOutput::builder().message_id("0107-1").build());
        let client = mock_client!(aws_sdk_sesv2, [&rule]);
        assert_eq!(
            check(&cloud(), &client, "Example News <news@example.com>", "mautic-test").await,
            Judgement::passed(
                "SES took a mail from news@example.com to success@simulator.amazonses.com with the configuration set mautic-test \
                 (0107-1)."
            )
        );
    }

    async fn looked(verified: bool, sending: bool) -> Judgement {
        let identity = mock!(Client::get_email_identity)
            .match_requests(|request| request.email_identity() == Some("example.com"))
            .then_output(move || {
                GetEmailIdentityOutput::builder()
                    .verified_for_sending_status(verified)
                    .build()
            });
        let account = mock!(Client::get_account)
            .then_output(move || GetAccountOutput::builder().sending_enabled(sending).build());
        let client = mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, [&identity, &account]);
        look(&cloud(), &client, "example.com").await
    }

    #[tokio::test]
    async fn whether_ses_would_take_mail_is_read_without_sending() {
        assert_eq!(
            looked(true, true).await,
            Judgement::passed("SES has verified example.com, and sends for this account.")
        );
        assert_eq!(looked(false, true).await.seen, "SES has not verified example.com.");
        assert_eq!(looked(true, false).await.seen, "SES sends nothing for this account.");
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_its_remedy() {
        let rule = mock!(Client::send_email).then_error(|| {
            let text = "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: mautic@example.com";
            SendEmailError::generic(ErrorMetadata::builder().code("MessageRejected").message(text).build())
        });
        let client = mock_client!(aws_sdk_sesv2, [&rule]);
        assert_eq!(
            check(&cloud(), &client, "mautic@example.com", "mautic-test").await,
            Judgement::failed(
                "AWS refuses a mail from mautic@example.com: Email address is not verified. The following identities failed the check \
                 in region EU-CENTRAL-1: mautic@example.com (MessageRejected).",
                "Look at the output SendingDomainStatus: it is to be VERIFIED; docs/dns-and-mail.md says what SES waits for."
            )
        );
    }
}
