//! What is in the repository.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::types::ImageIdentifier;
use custom_resource::AwsError;

/// The digest of the image with this tag, if there is one.
pub(crate) async fn digest(client: &Client, repository: &str, tag: &str) -> Result<Option<String>, AwsError> {
    let call = client
        .describe_images()
        .repository_name(repository)
        .image_ids(ImageIdentifier::builder().image_tag(tag).build());
    match call.send().await {
        Ok(found) => {
            let digests = found.image_details().iter().filter_map(|image| image.image_digest());
            Ok(digests.map(str::to_owned).next())
        }
        Err(error) if error.code() == Some("ImageNotFoundException") => Ok(None),
        Err(error) => Err(AwsError::of(
            "ecr:DescribeImages",
            format!("image {tag} of repository {repository}"),
        )(error)),
    }
}
