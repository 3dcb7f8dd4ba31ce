//! Creates and updates that meet nobody else.

use custom_resource::testing::{Log, assert_absent, create, update};
use serde_json::json;
use smtp_credentials::Endpoint;

use crate::world::{HOST, ID, REGION, Stage, TYPE, fails, password, properties, succeeds, with};

#[tokio::test]
async fn a_key_is_made_and_the_secret_holds_all_that_a_client_needs() {
    let stage = Stage::new();
    let response = succeeds(&stage, &create(TYPE, properties())).await;
    let world = stage.world();
    let [key] = world.keys.as_slice() else {
        panic!("{:?}", world.keys)
    };
    assert_eq!(
        world.current(),
        json!({"username": key.id, "password": password(key, REGION), "host": HOST, "port": 587, "region": REGION})
    );
    assert_eq!(response.physical_id(), ID);
    let attributes = ["Username", "Host", "Port", "Region"].map(|name| response.attribute(name));
    assert_eq!(attributes, [key.id.as_str(), HOST, "587", REGION]);
}

#[tokio::test]
async fn a_repeated_event_and_an_update_without_changes_make_no_second_key() {
    let stage = Stage::new();
    let first = succeeds(&stage, &create(TYPE, properties())).await;
    let before = stage.world();
    let calls = stage.calls().len();
    assert_eq!(succeeds(&stage, &create(TYPE, properties())).await, first);
    let nonce = with(properties(), "Nonce", "2");
    assert_eq!(succeeds(&stage, &update(TYPE, ID, nonce, properties())).await, first);
    assert_eq!(stage.world(), before);
    assert!(
        stage.calls()[calls..]
            .iter()
            .all(|call| call.contains(":List") || call.contains(":Get"))
    );
}

#[tokio::test]
async fn another_region_gets_a_new_key_and_the_way_back_uses_the_first_one_again() {
    let stage = Stage::new();
    let there = with(
        with(properties(), "Region", "us-east-1"),
        "Host",
        "email-smtp.us-east-1.amazonaws.com",
    );
    succeeds(&stage, &create(TYPE, properties())).await;
    let before = stage.world().current();
    let moved = update(TYPE, ID, there.clone(), properties()).with("RequestId", json!("1".repeat(36)));
    let response = succeeds(&stage, &moved).await;
    assert_eq!(
        (response.physical_id(), response.attribute("Region")),
        (ID, "us-east-1")
    );
    assert!(stage.world().serves() && stage.world().keys.len() == 2);
    let back = update(TYPE, ID, properties(), there).with("RequestId", json!("2".repeat(36)));
    succeeds(&stage, &back).await;
    assert_eq!(stage.world().current(), before);
    assert!(stage.world().serves() && stage.world().made == 2, "no third key");
}

#[tokio::test]
async fn another_host_or_port_is_written_with_the_same_key() {
    let stage = Stage::new();
    succeeds(&stage, &create(TYPE, properties())).await;
    let moved = with(with(properties(), "Host", "smtp.internal.example"), "Port", "2587");
    let request = update(TYPE, ID, moved, properties()).with("RequestId", json!("1".repeat(36)));
    succeeds(&stage, &request).await;
    let current = stage.world().current();
    assert_eq!(
        (&current["host"], &current["port"]),
        (&json!("smtp.internal.example"), &json!(2587))
    );
    assert!(stage.world().serves() && stage.world().made == 1);
}

#[tokio::test]
async fn a_server_in_the_place_of_ses_s_is_written_and_reported() {
    let stage = Stage::new();
    let endpoint = Endpoint::parse("localhost:2525").expect("an address");
    let run = create(TYPE, properties()).send(&stage.runtime_at(Some(endpoint))).await;
    let response = run.response();
    assert_eq!(
        (response.attribute("Host"), response.attribute("Port")),
        ("localhost", "2525")
    );
    assert_eq!(
        (&stage.world().current()["host"], &stage.world().current()["port"]),
        (&json!("localhost"), &json!(2525))
    );
}

#[tokio::test]
async fn a_key_that_somebody_disabled_or_deleted_is_replaced_by_the_next_update() {
    for deleted in [true, false] {
        let stage = Stage::new();
        succeeds(&stage, &create(TYPE, properties())).await;
        {
            let mut world = stage.edit();
            world.keys[0].active = false;
            let id = world.keys[0].id.clone();
            if deleted {
                world.delete_key(&id).expect("it is there");
            }
        }
        let again = update(TYPE, ID, properties(), properties()).with("RequestId", json!("1".repeat(36)));
        succeeds(&stage, &again).await;
        assert!(stage.world().serves() && stage.world().made == 2);
    }
}

#[tokio::test]
async fn a_user_who_is_not_there_and_a_secret_that_is_not_are_named() {
    let stage = Stage::new();
    stage.refuse("secretsmanager:PutSecretValue", 1, "ResourceNotFoundException");
    assert_eq!(
        fails(&stage, &create(TYPE, properties())).await,
        "secretsmanager:PutSecretValue for secret arn:aws:secretsmanager:eu-central-1:123456789012:secret:SmtpSecret-GhIjKl \
         failed: ResourceNotFoundException: not now; correct what it names, or try again."
    );
    stage.edit().user = None;
    assert_eq!(
        fails(&stage, &create(TYPE, properties())).await,
        "IAM user shop-MailUser-1ABCDEFGHIJKL does not exist; give UserName as the template's user has it."
    );
}

#[tokio::test]
async fn the_log_tells_the_steps_and_neither_the_key_s_secret_nor_the_password() {
    let log = Log::capture();
    let stage = Stage::new();
    let made = succeeds(&stage, &create(TYPE, properties())).await;
    let moved = with(properties(), "Region", "us-east-1");
    let request = update(TYPE, ID, moved, properties()).with("RequestId", json!("1".repeat(36)));
    stage.refuse("secretsmanager:PutSecretValue", 1, "EncryptionFailure");
    let failed = fails(&stage, &request).await;
    let seen = format!("{}{failed}{}", log.text(), made.body());
    assert!(
        log.text().contains("make an access key and write its password"),
        "{}",
        log.text()
    );
    let world = stage.world();
    for key in &world.keys {
        for secret in [&key.secret, &password(key, REGION), &password(key, "us-east-1")] {
            assert_absent(secret, &seen);
        }
    }
}
