//! Everything that can keep the driver from its work.

use crate::aws_cli::CliError;
use crate::cloud::CloudError;
use crate::follow::FollowError;
use crate::guard::GuardError;
use crate::inputs::InputError;
use crate::own_image::OwnImage;
use crate::preview::PreviewError;
use crate::readiness::NotReady;
use crate::smoke::SmokeError;
use std::process::ExitStatus;

/// Why the driver stopped.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The template or the parameters are wrong.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The stack is in no state for it.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// AWS refuses or does not answer.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The changes could not be worked out.
    #[error(transparent)]
    Preview(#[from] PreviewError),
    /// The operation can no longer be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// Nothing was tested.
    #[error(transparent)]
    Smoke(#[from] SmokeError),
    /// The AWS CLI cannot be used.
    #[error(transparent)]
    Cli(#[from] CliError),
    /// The template is too large for a request.
    #[error(
        "the template {template} has {bytes} bytes, more than the {limit} that CloudFormation takes directly: add --s3-bucket BUCKET"
    )]
    NeedsBucket {
        /// Its path.
        template: String,
        /// Its size.
        bytes: usize,
        /// The largest that is taken.
        limit: usize,
    },
    /// Something that holds data would be lost.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The image that is named would be destroyed.
    #[error(transparent)]
    OwnImage(#[from] OwnImage),
    /// The look at the account found what forbids the deployment.
    #[error(
        "nothing was changed: {checks} must be put right first, as said above. Who knows better goes on with --ignore {first} (with \
         make: IGNORE={first})"
    )]
    Preflight {
        /// The names of the checks.
        checks: String,
        /// The first of them.
        first: &'static str,
    },
    /// The changes cannot be shown.
    #[error("{cause}. Nothing was changed. To deploy without having seen the changes: --unseen")]
    Unseen {
        /// Why not.
        cause: PreviewError,
    },
    /// A package goes to a bucket.
    #[error("--package uploads the package: name the bucket with --s3-bucket BUCKET")]
    PackageNeedsBucket,
    /// The private file of the parameters could not be written.
    #[error(
        "the parameters cannot be written to a private file in the temporary folder: {0}; set TMPDIR to a writable folder"
    )]
    PrivateFile(std::io::Error),
    /// The AWS CLI gave up before anything was changed.
    #[error("the AWS CLI ended with {0} before the stack was changed; its own words stand above")]
    CliRefused(ExitStatus),
    /// There is no such stack.
    #[error(
        "there is no stack {stack} in {place}: look at AWS_REGION and the account; a deleted stack is found by its ARN only"
    )]
    NoStack {
        /// The name or ARN.
        stack: String,
        /// Region or address.
        place: String,
    },
    /// Deletion is forbidden.
    #[error(
        "the stack {stack} has termination protection and cannot be deleted. Turn it off on purpose: `aws cloudformation \
         update-termination-protection --stack-name {stack} --no-enable-termination-protection`"
    )]
    TerminationProtection {
        /// The stack's name.
        stack: String,
    },
    /// A question, and no terminal.
    #[error("\"{question}\" cannot be asked without a terminal: answer beforehand with --yes (with make: YES=1)")]
    NobodyToAsk {
        /// The question.
        question: String,
    },
    /// The user said no.
    #[error("declined: nothing was changed")]
    Declined,
}
