//! Whether `ImageUri` names an image that the deployment itself would destroy: the repository of the images that a stack builds
//! is the stack's own, and goes with all that it holds once another image is named.

use crate::cloud::{Cloud, Stack};
use crate::error::DriverError;
use crate::event::STACK_TYPE;
use crate::settings::Settings;

const PARAMETER: &str = "ImageUri";
const REPOSITORY_TYPE: &str = "AWS::ECR::Repository";

/// The image lies in a repository that would be removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "ImageUri names {image}, which the stack has built: with ImageUri set it removes its repository {repository}, and this image \
     with it. Nothing was changed. To go back to that image leave ImageUri blank, and deploy the package, MauticVersion and \
     ImagePatches that it came from. To keep it as one of your own, copy it (docker buildx imagetools create --tag \
     YOUR-REPOSITORY:TAG {image}) and name the copy"
)]
pub struct OwnImage {
    /// As given.
    pub image: String,
    /// The repository's name.
    pub repository: String,
}

/// Looks for the image in the repositories of a stack that builds its own.
///
/// # Errors
/// It is in one of them, or CloudFormation cannot be asked.
pub async fn refuse(cloud: &Cloud, stack: &Stack, settings: &Settings) -> Result<(), DriverError> {
    let builds = stack.parameters.get(PARAMETER).is_none_or(String::is_empty);
    let Some(image) = settings.get(PARAMETER).filter(|_| builds) else {
        return Ok(());
    };
    let mut open = vec![stack.id.clone()];
    while let Some(id) = open.pop() {
        for resource in cloud.resources(&id).await? {
            if resource.resource_type == REPOSITORY_TYPE && lies_in(image, &id, &resource.physical_id) {
                let (image, repository) = (image.to_owned(), resource.physical_id);
                return Err(OwnImage { image, repository }.into());
            }
            if resource.resource_type == STACK_TYPE && !resource.physical_id.is_empty() {
                open.push(resource.physical_id);
            }
        }
    }
    Ok(())
}

/// Whether an image's name leads into this repository of the stack's account and region, by whichever of ECR's host names.
fn lies_in(image: &str, stack_arn: &str, repository: &str) -> bool {
    let mut place = stack_arn.split(':').skip(3);
    let (Some(region), Some(account), Some((host, path))) = (place.next(), place.next(), image.split_once('/')) else {
        return false;
    };
    let is_here = host
        .strip_prefix(account)
        .is_some_and(|rest| rest.starts_with(".dkr") && rest.split('.').any(|part| part == region));
    is_here && path.split([':', '@']).next() == Some(repository)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::arn;

    #[test]
    fn an_image_lies_in_the_repository_of_that_name_account_and_region() {
        let lies = |image: &str| lies_in(image, &arn("mautic"), "shop-image");
        for own in [
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop-image",
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop-image:0123",
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop-image@sha256:4567",
            "111122223333.dkr-ecr.eu-central-1.on.aws/shop-image:0123@sha256:4567",
        ] {
            assert!(lies(own), "{own}");
        }
        for other in [
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop-image-2:0123",
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/shop-image:0123",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop-image:0123",
            "444455556666.dkr.ecr.eu-central-1.amazonaws.com/shop-image:0123",
            "example.org/shop-image:0123",
            "shop-image",
        ] {
            assert!(!lies(other), "{other}");
        }
    }

    #[test]
    fn the_refusal_names_the_image_its_repository_and_both_ways_out() {
        let error = OwnImage {
            image: "r/shop:0123".to_owned(),
            repository: "shop".to_owned(),
        };
        assert_eq!(
            error.to_string(),
            "ImageUri names r/shop:0123, which the stack has built: with ImageUri set it removes its repository shop, and this \
             image with it. Nothing was changed. To go back to that image leave ImageUri blank, and deploy the package, \
             MauticVersion and ImagePatches that it came from. To keep it as one of your own, copy it (docker buildx imagetools \
             create --tag YOUR-REPOSITORY:TAG r/shop:0123) and name the copy"
        );
    }
}
