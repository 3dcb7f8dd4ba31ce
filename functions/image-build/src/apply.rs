//! Puts the context where CodeBuild finds it and starts the build, and in one case stops it. Decides nothing.

use aws_sdk_codebuild::types::{EnvironmentVariable, SourceType};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use custom_resource::{AwsError, Request, is_withdrawn};
use tracing::{info, warn};

use crate::builds::{IMAGE_TAG, PATCH, REQUEST_ID};
use crate::context::{ARCHIVE, PREFIX, key};
use crate::error::Error;
use crate::handler::Clients;
use crate::properties::Properties;

/// What a step works on.
pub(crate) struct Job<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) request: &'a Request,
    pub(crate) properties: &'a Properties,
    /// The tag without the patch's day.
    pub(crate) content_tag: String,
    /// The whole tag.
    pub(crate) tag: String,
    /// Whether a Delete may have come before this event.
    pub(crate) is_create: bool,
}

impl Job<'_> {
    /// Starts the build; finds the one that an earlier delivery of this event has started a moment ago.
    pub(crate) async fn start(&self) -> Result<String, Error> {
        self.put_context().await?;
        let build = self.run().await?;
        info!(build, tag = self.tag, "the build of this event");
        if self.is_create {
            self.stop_if_withdrawn(&build).await?;
        }
        Ok(build)
    }

    async fn put_context(&self) -> Result<(), Error> {
        let (bucket, key) = (&self.properties.bucket, key());
        let call = self.clients.bucket.put_object().bucket(bucket).key(&key);
        let put = call.body(ByteStream::from_static(ARCHIVE)).send().await;
        put.map_err(AwsError::of("s3:PutObject", format!("{key} in bucket {bucket}")))?;
        Ok(())
    }

    async fn run(&self) -> Result<String, Error> {
        let properties = self.properties;
        let variables = self.variables().map_err(|error| Error::Defect(error.to_string()))?;
        let call = self
            .clients
            .builds
            .start_build()
            .project_name(&properties.project)
            .source_type_override(SourceType::S3)
            .source_location_override(format!("{}/{}", properties.bucket, key()))
            .set_environment_variables_override(Some(variables))
            // Two deliveries of one event, at the same moment, start one build.
            .idempotency_token(self.request.request_id());
        let started = call.send().await;
        let started = started.map_err(AwsError::of(
            "codebuild:StartBuild",
            format!("project {}", properties.project),
        ))?;
        let id = started.build_value().and_then(|build| build.id());
        id.map(str::to_owned)
            .ok_or_else(|| Error::Defect("CodeBuild started a build without an id".to_owned()))
    }

    fn variables(&self) -> Result<Vec<EnvironmentVariable>, aws_sdk_codebuild::error::BuildError> {
        let properties = self.properties;
        // A patch is made from the tag that moves, whatever that names today.
        let (tag, digest) = if properties.patch.as_str().is_empty() {
            (&properties.mautic_tag, properties.mautic_digest.as_str())
        } else {
            (&properties.patch_tag, "")
        };
        [
            (IMAGE_TAG, self.content_tag.as_str()),
            (PATCH, properties.patch.as_str()),
            (REQUEST_ID, self.request.request_id()),
            ("MAUTIC_IMAGE", properties.base_image.as_str()),
            ("MAUTIC_TAG", tag.as_str()),
            ("MAUTIC_DIGEST", digest),
            ("SITE_URL", properties.site_url.as_str()),
        ]
        .into_iter()
        .map(|(name, value)| EnvironmentVariable::builder().name(name).value(value).build())
        .collect()
    }

    /// A Delete that came before there was a build has found nothing to stop. It will not come again.
    async fn stop_if_withdrawn(&self, build: &str) -> Result<(), Error> {
        match is_withdrawn(&self.clients.stacks, self.request.scope()).await {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) if error.is_denied() => return Err(error.into()),
            Err(error) => {
                warn!(%error, "not known whether the image is still wanted: its build goes on");
                return Ok(());
            }
        }
        stop(self.clients, build).await?;
        empty(self.clients, &self.properties.bucket).await?;
        Err(Error::Withdrawn(build.to_owned()))
    }
}

/// Stops a build. One that has ended stays as it is.
pub(crate) async fn stop(clients: &Clients, build: &str) -> Result<(), AwsError> {
    let stopped = clients.builds.stop_build().id(build).send().await;
    match stopped {
        Err(error) if error.code() != Some("ResourceNotFoundException") => {
            Err(AwsError::of("codebuild:StopBuild", format!("build {build}"))(error))
        }
        _ => Ok(()),
    }
}

/// Removes the contexts that this function put into the bucket: one with objects cannot be deleted.
pub(crate) async fn empty(clients: &Clients, bucket: &str) -> Result<(), AwsError> {
    loop {
        let listed = clients
            .bucket
            .list_objects_v2()
            .bucket(bucket)
            .prefix(PREFIX)
            .send()
            .await;
        let listed = match listed {
            Err(error) if error.code() == Some("NoSuchBucket") => return Ok(()),
            listed => listed.map_err(AwsError::of("s3:ListBucket", format!("bucket {bucket}")))?,
        };
        for key in listed.contents().iter().filter_map(|object| object.key()) {
            let deleted = clients.bucket.delete_object().bucket(bucket).key(key).send().await;
            deleted.map_err(AwsError::of("s3:DeleteObject", format!("{key} in bucket {bucket}")))?;
        }
        if listed.is_truncated() != Some(true) {
            return Ok(());
        }
    }
}
