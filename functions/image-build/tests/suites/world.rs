//! An account with an empty repository, and the runtime with the handler.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use custom_resource::Runtime;
use custom_resource::testing::{Response, Run, Scenario, create, update};
use image_build::{ContainerImage, context, tag};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, PROJECT, Play, REPOSITORY, Shared, lock};
use crate::clients::clients;

pub const TYPE: &str = "Custom::ContainerImage";
pub const ID: &str = "container-image:shop/Thing";
pub const URI: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop-prod";
/// CloudFormation's id of every event, unless a test chooses another.
pub const REQUEST: &str = "0c5f7c9e-1111-4444-8888-2f1f5f0f9e01";

pub struct World {
    pub account: Shared,
    pub runtime: Runtime,
}

impl World {
    pub fn new() -> Self {
        let account = Arc::new(Mutex::new(Account::default()));
        let handler = ContainerImage::new(clients(&account));
        Self {
            runtime: Runtime::new().on(TYPE, handler),
            account,
        }
    }

    pub fn playing(play: Play) -> Self {
        let world = Self::new();
        lock(&world.account).play = play;
        world
    }

    pub async fn send(&self, scenario: &Scenario) -> Run {
        scenario.send(&self.runtime).await
    }

    pub async fn succeeds(&self, scenario: &Scenario) -> Response {
        let response = self.send(scenario).await.response();
        assert_eq!((response.status(), response.reason()), ("SUCCESS", ""));
        response
    }

    pub async fn fails(&self, scenario: &Scenario) -> String {
        let response = self.send(scenario).await.response();
        assert_eq!(response.status(), "FAILED");
        response.reason().replace(&plain_tag(), "TAG")
    }

    /// How many builds there are.
    pub fn builds(&self) -> usize {
        lock(&self.account).builds.len()
    }
}

pub fn properties() -> Value {
    json!({
        "Project": PROJECT, "Bucket": BUCKET, "Repository": REPOSITORY, "RepositoryUri": URI,
        "MauticTag": "7.2.0-20260902-apache", "MauticDigest": format!("sha256:{}", "d".repeat(64)), "PatchTag": "7.2.0-apache",
        "SiteUrl": "https://shop.example.com", "Architecture": "ARM64", "WaitSeconds": "30", "Nonce": "1",
    })
}

pub fn with(mut properties: Value, name: &str, value: impl Into<Value>) -> Value {
    properties[name] = value.into();
    properties
}

pub fn creation() -> Scenario {
    create(TYPE, properties())
}

/// An update from another context's image to this one.
pub fn change() -> Scenario {
    let before = with(properties(), "SiteUrl", "https://old.example.com");
    update(TYPE, ID, properties(), before)
}

/// The tag that the properties ask for.
pub fn plain_tag() -> String {
    let mut wanted = properties();
    wanted.as_object_mut().expect("an object").remove("Nonce");
    wanted["WaitSeconds"] = json!(30);
    tag::content_tag(&context::digest(), &serde_json::from_value(wanted).expect("valid"))
}

/// The environment of a build of that tag that something else has started.
pub fn variables(request: &str) -> BTreeMap<String, String> {
    [
        ("IMAGE_TAG", plain_tag().as_str()),
        ("PATCH", ""),
        ("REQUEST_ID", request),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The id of the build that was started as this one.
pub fn id(number: usize) -> String {
    format!("{PROJECT}:{number:08x}")
}
