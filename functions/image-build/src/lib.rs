//! `Custom::ContainerImage`: Mautic's image, built in the account; a machine that deploys needs no docker.
//!
//! The build context travels inside this function ([`context`]). What an image depends on, that context, the base and the
//! build's arguments, makes its tag ([`mod@tag`]); so the repository itself tells whether anything is to be built. The
//! function goes the same three steps until the image is there:
//!
//! 1. observe: the project's builds ([`builds`]), then the repository;
//! 2. plan, [`mod@plan`]: the next step, or why there is none, decided without a connection;
//! 3. apply: put the context into the bucket, start a build of it.
//!
//! Reads: the properties, CodeBuild, ECR; of a failed build the end of its log. Never does: build what is there, start a
//! build beside another of the same tag, change a tag, delete an image.
//!
//! Whether a build succeeded, the repository says: a build whose push was refused because another was faster has failed,
//! and the image is there all the same. An event that is delivered again finds the build by the event's id, which the build
//! carries in its environment; two deliveries at one moment share CodeBuild's idempotency token. A wait that outlasts the
//! invocation goes on in a further one; one that outlasts `WaitSeconds` fails, and leaves the build alone.
//!
//! # Permissions
//! `codebuild:StartBuild`, `codebuild:ListBuildsForProject`, `codebuild:BatchGetBuilds` and `codebuild:StopBuild` on the
//! project; `ecr:DescribeImages` on the repository; `s3:PutObject` and `s3:DeleteObject` on the contexts and
//! `s3:ListBucket` on their bucket; `logs:GetLogEvents` on the builds' log group; `cloudformation:DescribeStackResource` on
//! its stack; `lambda:InvokeFunction` on itself.
//!
//! # Example
//! Without the image a build is started, and once; with it nothing is left to do, however the build ended.
//! ```
//! use image_build::builds::{Build, Ending};
//! use image_build::plan::{Observed, Order, Step, plan};
//!
//! let order = Order { tag: "0123456789abcdef", request_id: "0c5f7c9e", over: None };
//! let mut observed = Observed { builds: Vec::new(), image: None };
//! assert_eq!(plan(order, &observed)?, Step::Start);
//!
//! observed.builds.push(Build {
//!     id: "shop:1".into(),
//!     tag: order.tag.into(),
//!     request_id: order.request_id.into(),
//!     ending: None,
//!     log: None,
//! });
//! assert_eq!(plan(order, &observed)?, Step::Wait("shop:1".into()));
//!
//! observed.builds[0].ending = Some(Ending { status: "FAILED".into(), phase: "BUILD".into(), message: String::new() });
//! assert!(plan(order, &observed).is_err());
//! observed.image = Some("sha256:4e1f".into());
//! assert_eq!(plan(order, &observed)?, Step::Done("sha256:4e1f".into()), "another build was faster");
//! # Ok::<(), image_build::plan::Refusal>(())
//! ```
//!
//! Criteria met: R5 to R11 of the project's list. What the image is stands in docs/operations.md, "The image".

mod apply;
mod attributes;
pub mod builds;
pub mod context;
mod error;
mod handler;
mod images;
pub mod plan;
mod properties;
pub mod tag;

pub use attributes::Attributes;
pub use error::Error;
pub use handler::{Clients, ContainerImage};
pub use properties::{Architecture, BaseImage, ImageDigest, ImageTag, Patch, Properties, SiteUrl};
