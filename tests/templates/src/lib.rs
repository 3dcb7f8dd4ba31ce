//! The templates as CloudFormation would see them, for any choice of parameters.
//!
//! [`Deployment::resolve`] resolves the root template and, through its nested stacks, every module: conditions are judged
//! and intrinsic functions carried out. What only AWS could know stays as a [`Placeholder`], so that a value can be
//! followed from one module into another. A property is a function from a deployment to findings; [`proof::proven`] shows
//! that it finds a violation which the test plants, and that it finds none in any combination of [`features`], in any
//! parameter file and in any set that proptest drew.
//!
//! It knows nothing of resource types: what a value must be is a property's business, in `tests/properties/`. It does not
//! replace cfn-lint, which knows the schemas, and never asks AWS.
//!
//! ```
//! use template_properties::value::Look;
//! use template_properties::{Deployment, combinations};
//!
//! let parameters = combinations::minimal("prod");
//! let deployment = Deployment::resolve(&combinations::TEMPLATES, "prod", &parameters).unwrap();
//! let database = deployment.of_type(&["AWS::RDS::DBInstance"]).next().unwrap();
//! assert!(database.properties.at("MultiAZ").is_true());
//! assert_eq!(database.properties.at("MasterUserSecret/KmsKeyId"), "<foundation.DataKey.Arn>");
//! ```

pub mod combinations;
mod covering;
mod deployment;
pub mod draw;
pub mod environments_page;
pub mod features;
pub mod parameters;
mod placeholder;
pub mod proof;
mod resolve;
mod stack;
mod template;
pub mod value;
mod yaml;

pub use deployment::{Deployment, Refusal, refusals};
pub use placeholder::Placeholder;
pub use resolve::PSEUDO;
pub use stack::{NESTED, Resource, Stack, TemplateError, nested_file};
pub use template::{ROOT, Template, Templates, project};
