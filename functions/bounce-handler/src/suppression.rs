//! The account's own suppression list, which also stops what Mautic sends to a contact without asking.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::ProvideErrorMetadata;
use aws_sdk_sesv2::types::SuppressionListReason;
use ses_events::Address;
use telemetry::pseudonym;

use crate::error::Error;

/// Puts an address on the list. It may stand there already.
///
/// # Errors
/// If SES does not take it.
pub(crate) async fn suppress(client: &Client, address: &Address, kind: &str) -> Result<(), Error> {
    let reason = if kind == "Complaint" {
        SuppressionListReason::Complaint
    } else {
        SuppressionListReason::Bounce
    };
    let request = client
        .put_suppressed_destination()
        .email_address(address.as_str())
        .reason(reason);
    request.send().await.map(drop).map_err(|error| Error::NotSuppressed {
        address: pseudonym(address.as_str()),
        // The code alone: messages quote the address.
        reason: error.code().unwrap_or("no answer").to_owned(),
    })
}
