//! What stops a rotation, in which words, and that both clients get in all the same.

use custom_resource::testing::{Log, assert_absent};
use rotate_database::Error;
use rotation::Step;
use rotation::testing::{AGAIN, ARN, Scene, V1, refused, refused_within, version};
use serde_json::{Value, json};

use crate::world::{MASTER, World, fresh, rotation, worlds};

/// Begins a rotation up to the step that will not work.
async fn begun(world: &World) -> Value {
    world.shelf.begin(ARN, &version(2));
    world.step(Step::Create, &version(2)).await.unwrap();
    world.held()
}

async fn ends_well(world: &mut World, before: &Value) {
    for one in Step::ROTATION {
        world.step(one, &version(2)).await.unwrap();
    }
    assert!(world.both_get_in(before).await);
    world.retire(before, &version(2)).await;
    assert!(world.shelf.is_settled(ARN));
    world.sql("DROP USER THEM").await;
}

#[tokio::test]
async fn a_wrong_master_password_is_the_master_s_fault() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        let (host, port) = (world.server.host.clone(), world.server.port);
        let right = world.shelf.content(MASTER, "AWSCURRENT").unwrap();
        let admin = right["username"].as_str().unwrap().to_owned();
        world
            .shelf
            .write_by_hand(MASTER, &version(8), &json!({"username": admin, "password": "wrong"}));
        let error = refused(&world.rotation, Step::Set).await;
        assert!(
            error.starts_with(&format!(
                "setSecret of secret {ARN}: {host}:{port} does not let user `{admin}` in (MySQL error 1045: "
            )),
            "{error}"
        );
        assert!(world.lets_in(&before).await);
        world.shelf.write_by_hand(MASTER, &version(9), &right);
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn a_locked_user_stays_locked_and_is_named() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        world.sql("ALTER USER THEM ACCOUNT LOCK").await;
        let user = world.user.clone();
        assert_eq!(
            refused(&world.rotation, Step::Set).await,
            format!(
                "setSecret of secret {ARN}: user `{user}` is locked; find out who locked it, and unlock it with ALTER USER ... \
                 ACCOUNT UNLOCK, or deploy the stack with another value of Reconcile"
            )
        );
        world.sql("ALTER USER THEM ACCOUNT UNLOCK").await;
        assert!(world.lets_in(&before).await);
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn a_current_password_that_does_not_work_is_not_built_upon() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        world.sql("ALTER USER THEM IDENTIFIED BY 'another'").await;
        let user = world.user.clone();
        assert_eq!(
            refused(&world.rotation, Step::Set).await,
            format!(
                "setSecret of secret {ARN}: user `{user}` does not log in with the secret's current password, so that there is \
                 nothing to keep; deploy the stack with another value of Reconcile, which sets that password, and rotate again"
            )
        );
        let password = world.admin.literal(before["password"].as_str().unwrap());
        world.sql(&format!("ALTER USER THEM IDENTIFIED BY {password}")).await;
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn a_user_that_is_not_there_or_twice_is_named() {
    for mut world in worlds().await {
        begun(&world).await;
        let user = world.user.clone();
        world.admin.run(&format!("CREATE USER `{user}`@`10.%`")).await.unwrap();
        let error = refused(&world.rotation, Step::Set).await;
        let begins = format!("setSecret of secret {ARN}: there are several users `{user}`, from `");
        assert!(
            error.starts_with(&begins) && error.ends_with("; drop all but the one that is used"),
            "{error}"
        );
        world.admin.run(&format!("DROP USER `{user}`@`10.%`")).await.unwrap();
        world.sql("DROP USER THEM").await;
        assert_eq!(
            refused(&world.rotation, Step::Set).await,
            format!(
                "setSecret of secret {ARN}: there is no user `{user}`; deploy the stack with another value of Reconcile, which \
                 makes it"
            )
        );
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_again_and_named() {
    for mut world in worlds().await {
        let log = Log::capture();
        let before = begun(&world).await;
        let mut content = before.clone();
        content["port"] = json!(1);
        world.shelf.hold(ARN, V1, &content);
        let error = refused_within(AGAIN, &world.rotation, Step::Set).await;
        let begins = format!("setSecret of secret {ARN}: no connection to {}:1 (", world.server.host);
        assert!(error.starts_with(&begins), "{error}");
        assert!(log.text().contains("tried again"), "{}", log.text());
        assert!(world.lets_in(&before).await);
        world.shelf.hold(ARN, V1, &before);
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_believed_gets_no_password() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        let wrong = database::Authority::from_file(&world.server.wrong_ca_file).unwrap();
        for one in [Step::Set, Step::Test] {
            let error = refused(&rotation(&world.shelf, wrong.clone()), one).await;
            assert!(error.contains("cannot be trusted ("), "{error}");
        }
        assert!(world.lets_in(&before).await);
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn a_master_without_the_right_changes_nothing() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        let poor = fresh();
        world
            .admin
            .run(&format!("CREATE USER `{poor}`@`%` IDENTIFIED BY 'poor'"))
            .await
            .unwrap();
        world
            .admin
            .run(&format!("GRANT SELECT ON mysql.user TO `{poor}`@`%`"))
            .await
            .unwrap();
        let right = world.shelf.content(MASTER, "AWSCURRENT").unwrap();
        world
            .shelf
            .write_by_hand(MASTER, &version(8), &json!({"username": poor, "password": "poor"}));
        let error = refused(&world.rotation, Step::Set).await;
        assert!(error.contains(&format!("user `{poor}` may not do this on ")), "{error}");
        assert!(
            error.ends_with("; grant it the right, or use RDS's master user"),
            "{error}"
        );
        world.shelf.write_by_hand(MASTER, &version(9), &right);
        world.admin.run(&format!("DROP USER `{poor}`@`%`")).await.unwrap();
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn an_untested_password_is_refused_by_the_test() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        let error = refused(&world.rotation, Step::Test).await;
        assert!(
            error.contains(&format!("does not let user `{}` in (", world.user)),
            "{error}"
        );
        assert_eq!(world.held(), before);
        ends_well(&mut world, &before).await;
    }
}

/// No server here lacks second passwords: these refuse a column and a clause that none has, as an older one refuses those.
#[tokio::test]
async fn a_server_that_lacks_the_column_or_the_clause_of_second_passwords_is_told_by_its_refusal() {
    for mut world in worlds().await {
        let before = begun(&world).await;
        let user = world.user.clone();
        let asked = world
            .admin
            .rows::<(String,)>("SELECT User_second_passwords FROM mysql.user", ())
            .await;
        let given = world
            .admin
            .run(&format!(
                "ALTER USER `{user}`@`%` IDENTIFIED BY 'next' RETAIN SECOND PASSWORD"
            ))
            .await;
        for refusal in [asked.map(drop).unwrap_err(), given.unwrap_err()] {
            let error = Error::about_second_passwords(refusal);
            assert!(matches!(error, Error::NoSecondPasswords), "{error}");
        }
        assert!(world.lets_in(&before).await, "nothing was changed");
        ends_well(&mut world, &before).await;
    }
}

#[tokio::test]
async fn neither_log_nor_error_shows_a_password() {
    for mut world in worlds().await {
        let log = Log::capture();
        let before = begun(&world).await;
        world.sql("ALTER USER THEM ACCOUNT LOCK").await;
        let mut seen = refused(&world.rotation, Step::Set).await;
        world.sql("ALTER USER THEM ACCOUNT UNLOCK").await;
        seen += &refused(&world.rotation, Step::Test).await;
        for one in Step::ROTATION {
            world.step(one, &version(2)).await.unwrap();
        }
        let after = world.held();
        world.step(Step::Retire, &version(2)).await.unwrap();
        seen += &log.text();
        assert!(
            seen.contains("set the pending password, and retain the current one"),
            "{seen}"
        );
        for secret in [
            &before["password"],
            &after["password"],
            &json!(world.server.admin_password),
        ] {
            assert_absent(secret.as_str().unwrap(), &seen);
        }
        world.sql("DROP USER THEM").await;
    }
}
