//! What is built, and when nothing is.

use custom_resource::testing::{create, update};
use image_build::context;
use serde_json::json;

use crate::account::{BUCKET, digest, lock};
use crate::world::{ID, REQUEST, TYPE, URI, World, change, creation, id, plain_tag, properties, with};

#[tokio::test]
async fn an_empty_repository_gets_the_image_from_a_build_of_the_context() {
    let world = World::new();
    let response = world.succeeds(&creation()).await;
    let (tag, digest) = (plain_tag(), digest(&plain_tag()));
    assert_eq!(response.physical_id(), ID);
    let attributes = ["ImageUri", "Digest", "Tag", "ContentTag", "ContextKey"].map(|name| response.attribute(name));
    assert_eq!(
        attributes,
        [&format!("{URI}@{digest}"), &digest, &tag, &tag, &context::key()]
    );
    let account = lock(&world.account);
    assert_eq!(account.objects.keys().collect::<Vec<_>>(), [&context::key()]);
    let [build] = account.builds.as_slice() else {
        panic!("{:?}", account.builds)
    };
    assert_eq!(build.source, format!("{BUCKET}/{}", context::key()));
    let told: Vec<_> = build
        .variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        told,
        [
            format!("IMAGE_TAG={tag}"),
            format!("MAUTIC_DIGEST=sha256:{}", "d".repeat(64)),
            "MAUTIC_IMAGE=mautic/mautic".to_owned(),
            "MAUTIC_TAG=7.2.0-20260902-apache".to_owned(),
            "PATCH=".to_owned(),
            format!("REQUEST_ID={REQUEST}"),
            "SITE_URL=https://shop.example.com".to_owned(),
        ]
    );
}

#[tokio::test]
async fn the_same_context_and_base_give_the_same_image_without_a_build() {
    let world = World::new();
    let first = world.succeeds(&creation()).await;
    let again = change().with("RequestId", json!("another-event"));
    let second = world.succeeds(&again).await;
    assert_eq!(second.body()["Data"], first.body()["Data"]);
    assert_eq!((world.builds(), lock(&world.account).count("s3:PutObject")), (1, 1));
    // Another stack's resource, beside it or after it, with the repository of that name.
    world
        .succeeds(&creation().with("RequestId", json!("a-third-event")))
        .await;
    assert_eq!(world.builds(), 1);
}

#[tokio::test]
async fn another_base_is_another_image_and_the_way_back_needs_no_build() {
    let world = World::new();
    let first = world.succeeds(&creation()).await;
    let newer = with(properties(), "MauticTag", "7.2.1-apache");
    let forward = update(TYPE, ID, newer.clone(), properties()).with("RequestId", json!("forward"));
    let second = world.succeeds(&forward).await;
    assert_ne!(second.attribute("ImageUri"), first.attribute("ImageUri"));
    assert_eq!(world.builds(), 2);
    let back = update(TYPE, ID, properties(), newer).with("RequestId", json!("back"));
    assert_eq!(world.succeeds(&back).await.body()["Data"], first.body()["Data"]);
    assert_eq!(world.builds(), 2);
}

#[tokio::test]
async fn a_patch_is_built_from_the_tag_that_moves_and_known_by_its_day() {
    let world = World::new();
    let patched = with(properties(), "Patch", "20261201");
    let response = world.succeeds(&create(TYPE, patched.clone())).await;
    assert_eq!(response.attribute("Tag"), format!("{}-20261201", plain_tag()));
    assert_eq!(response.attribute("ContentTag"), plain_tag());
    let variables = lock(&world.account).builds[0].variables.clone();
    let told = ["IMAGE_TAG", "PATCH", "MAUTIC_TAG", "MAUTIC_DIGEST"].map(|name| variables[name].clone());
    assert_eq!(told, [plain_tag().as_str(), "20261201", "7.2.0-apache", ""]);
    // The schedule has built another one meanwhile: it is there.
    let tag = format!("{}-20261208", plain_tag());
    lock(&world.account).images.insert(tag.clone(), digest(&tag));
    let next = update(TYPE, ID, with(properties(), "Patch", "20261208"), patched).with("RequestId", json!("next"));
    assert_eq!(world.succeeds(&next).await.attribute("Digest"), digest(&tag));
    assert_eq!(world.builds(), 1);
}

#[tokio::test]
async fn a_mirror_and_another_processor_are_told_to_the_build() {
    let world = World::new();
    let mut mirrored = with(properties(), "BaseImage", "mirror.example.com/mautic");
    mirrored["Architecture"] = json!("X86_64");
    world.succeeds(&create(TYPE, mirrored)).await;
    let account = lock(&world.account);
    assert_eq!(account.builds[0].variables["MAUTIC_IMAGE"], "mirror.example.com/mautic");
    assert_ne!(account.builds[0].variables["IMAGE_TAG"], plain_tag());
}

#[tokio::test]
async fn where_tasks_follow_the_newest_build_they_name_a_tag_and_a_patch_changes_nothing_here() {
    let world = World::new();
    lock(&world.account).rolling = true;
    let following = with(properties(), "Rolling", "true");
    let first = world.succeeds(&create(TYPE, following.clone())).await;
    assert_eq!(first.attribute("ImageUri"), format!("{URI}:rolling-{}", plain_tag()));
    assert_eq!(first.attribute("Digest"), digest(&plain_tag()));
    // What the schedule does.
    let newer = digest("newer");
    lock(&world.account)
        .images
        .insert(format!("rolling-{}", plain_tag()), newer.clone());
    let again = update(TYPE, ID, following.clone(), following).with("RequestId", json!("again"));
    let second = world.succeeds(&again).await;
    assert_eq!(second.attribute("ImageUri"), first.attribute("ImageUri"));
    assert_eq!((second.attribute("Digest"), world.builds()), (newer.as_str(), 1));
}

#[tokio::test]
async fn a_tag_to_follow_that_is_not_there_yet_is_made_by_a_build() {
    let world = World::new();
    world.succeeds(&creation()).await;
    lock(&world.account).rolling = true;
    let following = with(properties(), "Rolling", "true");
    let change = update(TYPE, ID, following, properties()).with("RequestId", json!("from-prod-to-test"));
    let response = world.succeeds(&change).await;
    assert_eq!(response.attribute("ImageUri"), format!("{URI}:rolling-{}", plain_tag()));
    assert_eq!(world.builds(), 2);
}

#[tokio::test]
async fn wrong_properties_are_refused_before_anything_is_called() {
    let world = World::new();
    for (name, value, reason) in [
        (
            "SiteUrl",
            "http://shop.example.com",
            "The property `SiteUrl` must be the site's address with https://, or blank; correct it in the template.",
        ),
        (
            "Patch",
            "today",
            "The property `Patch` must be a day as YYYYMMDD, or blank; correct it in the template.",
        ),
        (
            "Architecture",
            "arm64",
            "The property `Architecture` must be one of `ARM64`, `X86_64`, but is something else; correct it in the template.",
        ),
        (
            "Context",
            "x",
            "The property `Context` is not known, known are `Project`, `Bucket`, `Repository`, `RepositoryUri`, `BaseImage`, \
             `MauticTag`, `MauticDigest`, `PatchTag`, `Patch`, `Rolling`, `SiteUrl`, `Architecture`, `WaitSeconds`; correct it in the \
             template.",
        ),
    ] {
        assert_eq!(
            world.fails(&create(TYPE, with(properties(), name, value))).await,
            reason
        );
    }
    let mut incomplete = properties();
    incomplete.as_object_mut().expect("an object").remove("Bucket");
    assert_eq!(
        world.fails(&create(TYPE, incomplete)).await,
        "The property `Bucket` is required, but missing; correct it in the template."
    );
    assert!(lock(&world.account).calls.is_empty());
    assert_eq!(id(1), "shop-prod-image:00000001");
}
