//! `Custom::DatabaseUser`: made, changed, its password kept.

use custom_resource::Owner;
use custom_resource::testing::{LOGICAL_ID, STACK_ID, create, update};
use database::{Credentials, Name, NameKind};
use database_init::user::{AccountName, Desired, Rights, apply, observe, plan};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, fresh, worlds};

pub const TYPE: &str = "Custom::DatabaseUser";

pub async fn drop_user(world: &World, user: &str) {
    world.run(&[format!("DROP USER IF EXISTS `{user}`")]).await;
}

/// The state of an account as the handler sees it, and what the handler would still do.
pub async fn left_to_do(world: &World, user: &str, password: &str, properties: &Value, id: &str) -> Vec<String> {
    let name = AccountName {
        user: Name::new(NameKind::User, user).expect("a user"),
        host: Name::new(NameKind::Host, "%").expect("a host"),
    };
    let grants: Vec<_> = serde_json::from_value(properties["Grants"].clone()).expect("grants");
    let rights = Rights::from_properties(&grants).expect("rights");
    let desired = Desired {
        owner: Owner::new(STACK_ID, LOGICAL_ID),
        id: id.to_owned(),
        adopt: false,
        rights,
    };
    let credentials = Credentials::new(user, password.to_owned().into());
    let mut connection = world.connect().await;
    let observed = observe::observe(&mut connection, &world.connector(), &name, &credentials)
        .await
        .expect("a look");
    connection.close().await;
    plan(&desired, &observed)
        .expect("it is ours")
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn a_user_gets_the_secret_s_password_and_exactly_the_listed_rights_over_tls_only() {
    for world in worlds() {
        let (user, password) = (fresh("shop"), r#"p%w'\"`;-- \n"#);
        world.user_secret(&user, password);
        let properties = world.user("my_shop", &["SELECT", "INSERT", "CREATE TEMPORARY TABLES"], &json!({}));
        let scenario = create(TYPE, properties.clone());
        let response = scenario.send(&world.runtime).await.response();
        assert_eq!(response.reason(), "", "{:?} as {}", world.server, world.admin);
        let (host, port) = (&world.server.host, world.server.port);
        assert_eq!(
            response.physical_id(),
            format!("mysql-user:{host}:{port}/{}@%", world.secret_arn)
        );
        assert_eq!(
            response.body()["Data"],
            json!({"Username": user, "UserHost": "%", "AuthenticationPlugin": "caching_sha2_password", "GrantCount": "3"})
        );
        world
            .log_in(&user, password)
            .await
            .expect("the secret's password")
            .close()
            .await;
        assert_eq!(
            world.grants(&user).await,
            [
                format!("GRANT USAGE ON *.* TO `{user}`@`%`"),
                format!(r"GRANT SELECT, INSERT, CREATE TEMPORARY TABLES ON `my\_shop`.* TO `{user}`@`%`"),
            ]
        );
        let tls = format!("SELECT ssl_type FROM mysql.user WHERE User = '{user}'");
        assert_eq!(world.column(&tls).await, ["ANY"]);

        let hash = world.password_hash(&user).await;
        assert_eq!(scenario.send(&world.runtime).await.response(), response);
        assert_eq!(world.password_hash(&user).await, hash, "the password was set again");
        assert_eq!(
            left_to_do(&world, &user, password, &properties, response.physical_id()).await,
            [""; 0]
        );
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn passwords_of_every_printable_character_and_of_unicode_log_in() {
    let printable: String = (' '..='~').collect();
    for world in worlds() {
        for password in [printable.as_str(), "päß wörd 😀", "\\", "'\\''", "100%"] {
            let user = fresh("shop");
            world.user_secret(&user, password);
            let response = create(TYPE, world.user("shop", &["SELECT"], &json!({})))
                .send(&world.runtime)
                .await
                .response();
            assert_eq!(response.reason(), "");
            let log_in = world.log_in(&user, password).await;
            log_in
                .unwrap_or_else(|error| panic!("{:?} as {}: {password}: {error}", world.server, world.admin))
                .close()
                .await;
            drop_user(&world, &user).await;
        }
    }
}

#[tokio::test]
async fn a_rotation_is_not_undone_at_any_of_its_stages() {
    for world in worlds() {
        let user = fresh("rotating");
        world.user_secret(&user, "first");
        let properties = world.user("shop", &["SELECT"], &json!({}));
        let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        let reconcile = update(TYPE, made.physical_id(), properties.clone(), properties);

        // The new password is set, the secret's current version still has the old one: both must go on working.
        world
            .run(&[format!(
                "ALTER USER `{user}` IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD"
            )])
            .await;
        assert_eq!(reconcile.send(&world.runtime).await.response().reason(), "");
        for password in ["first", "second"] {
            world.log_in(&user, password).await.expect(password).close().await;
        }
        // The secret has moved on; the old password is still retained.
        world.user_secret(&user, "second");
        assert_eq!(reconcile.send(&world.runtime).await.response().reason(), "");
        for password in ["first", "second"] {
            world.log_in(&user, password).await.expect(password).close().await;
        }
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn a_password_that_no_longer_opens_the_account_is_replaced_by_the_secret_s() {
    for world in worlds() {
        let user = fresh("changed");
        world.user_secret(&user, "the secret's");
        let properties = world.user("shop", &["SELECT"], &json!({}));
        let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        world
            .run(&[format!(
                "ALTER USER `{user}` IDENTIFIED BY 'somebody''s' REQUIRE NONE ACCOUNT LOCK"
            )])
            .await;
        let reconcile = update(TYPE, made.physical_id(), properties.clone(), properties.clone());
        assert_eq!(reconcile.send(&world.runtime).await.response().reason(), "");
        world
            .log_in(&user, "the secret's")
            .await
            .expect("unlocked, with its password")
            .close()
            .await;
        assert_eq!(
            left_to_do(&world, &user, "the secret's", &properties, made.physical_id()).await,
            [""; 0]
        );
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn a_locked_account_with_the_right_password_is_unlocked_and_keeps_it() {
    for world in worlds() {
        let user = fresh("locked");
        world.user_secret(&user, "the secret's");
        let properties = world.user("shop", &["SELECT"], &json!({}));
        let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        let hash = world.password_hash(&user).await;
        world.run(&[format!("ALTER USER `{user}` ACCOUNT LOCK")]).await;
        let reconcile = update(TYPE, made.physical_id(), properties.clone(), properties);
        assert_eq!(reconcile.send(&world.runtime).await.response().reason(), "");
        world
            .log_in(&user, "the secret's")
            .await
            .expect("unlocked")
            .close()
            .await;
        assert_eq!(world.password_hash(&user).await, hash);
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn a_user_who_was_there_before_is_refused_or_adopted() {
    for world in worlds() {
        let user = fresh("found");
        world.user_secret(&user, "the secret's");
        world
            .run(&[
                format!("CREATE USER `{user}` IDENTIFIED BY 'its own' ATTRIBUTE '{{\"team\": \"blue\"}}'"),
                format!("GRANT SELECT, DELETE ON shop.* TO `{user}`"),
            ])
            .await;
        let refused = create(TYPE, world.user("shop", &["SELECT", "INSERT"], &json!({})))
            .send(&world.runtime)
            .await
            .response();
        assert_eq!(
            refused.reason(),
            format!(
                "the user `{user}`@`%` on localhost:{} exists already and was not made by this stack; set AdoptExisting to true \
                 to take it over, or choose another name.",
                world.server.port
            )
        );
        world
            .log_in(&user, "its own")
            .await
            .expect("nothing was changed")
            .close()
            .await;
        let adopt = world.user("shop", &["SELECT", "INSERT"], &json!({"AdoptExisting": "true"}));
        let adopted = create(TYPE, adopt.clone()).send(&world.runtime).await.response();
        assert_eq!(adopted.reason(), "");
        world
            .log_in(&user, "the secret's")
            .await
            .expect("the secret's password")
            .close()
            .await;
        let team = format!("SELECT ATTRIBUTE->>'$.team' FROM information_schema.USER_ATTRIBUTES WHERE USER = '{user}'");
        assert_eq!(world.column(&team).await, ["blue"], "other people's attributes stay");
        let less = world.user("shop", &["INSERT"], &json!({}));
        update(TYPE, adopted.physical_id(), less, adopt)
            .send(&world.runtime)
            .await;
        let expected = format!("GRANT SELECT, INSERT, DELETE ON `shop`.* TO `{user}`@`%`");
        assert_eq!(world.grants(&user).await[1], expected, "SELECT was its own before");
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn a_create_that_was_killed_after_any_statement_is_completed_by_the_next_delivery() {
    for world in worlds() {
        for done in 0..=2 {
            let user = fresh("killed");
            world.user_secret(&user, "pw");
            let properties = world.user("shop", &["SELECT", "INSERT"], &json!({}));
            let id = format!(
                "mysql-user:{}:{}/{}@%",
                world.server.host, world.server.port, world.secret_arn
            );
            let grants: Vec<_> = serde_json::from_value(properties["Grants"].clone()).expect("grants");
            let rights = Rights::from_properties(&grants).expect("rights");
            let desired = Desired {
                owner: Owner::new(STACK_ID, LOGICAL_ID),
                id: id.clone(),
                adopt: false,
                rights,
            };
            let changes = plan(&desired, &observe::Observed::default()).expect("nothing is there");
            let name = AccountName {
                user: Name::new(NameKind::User, &user).expect("a user"),
                host: Name::new(NameKind::Host, "%").expect("a host"),
            };
            let mut connection = world.connect().await;
            let credentials = Credentials::new(&user, "pw".to_owned().into());
            apply::apply(&mut connection, &name, &credentials, &changes[..done])
                .await
                .expect("the first statements");
            connection.close().await;
            let response = create(TYPE, properties.clone()).send(&world.runtime).await.response();
            assert_eq!(response.reason(), "", "after {done} of {changes:?}");
            assert_eq!(left_to_do(&world, &user, "pw", &properties, &id).await, [""; 0]);
            drop_user(&world, &user).await;
        }
    }
}

#[tokio::test]
async fn many_deliveries_at_once_make_one_user() {
    for world in worlds() {
        let user = fresh("many");
        world.user_secret(&user, "pw");
        let scenario = create(TYPE, world.user("shop", &["SELECT"], &json!({})));
        let runs = join_all((0..8).map(|_| scenario.send(&world.runtime))).await;
        let reasons: Vec<_> = runs.iter().map(|run| run.response().reason().to_owned()).collect();
        assert_eq!(reasons, [""; 8]);
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn dropping_must_be_asked_for_twice() {
    for world in worlds() {
        let user = fresh("refused");
        world.user_secret(&user, "pw");
        let properties = world.user("shop", &["SELECT"], &json!({"DeletionPolicy": "DropAll"}));
        assert_eq!(
            create(TYPE, properties).send(&world.runtime).await.response().reason(),
            format!(
                "DeletionPolicy DropAll destroys `{user}` when the resource is deleted; set ConfirmDeletion to `{user}`, or \
                 DeletionPolicy to Retain."
            )
        );
        assert_eq!(world.grants(&user).await, [""; 0], "the user was not made");
    }
}

#[tokio::test]
async fn the_administrator_is_nobody_s_user() {
    for world in worlds() {
        world.user_secret(&world.admin, "pw");
        let properties = world.user("shop", &["SELECT"], &json!({"AdoptExisting": "true"}));
        assert_eq!(
            create(TYPE, properties).send(&world.runtime).await.response().reason(),
            format!(
                "the secret's user `{}` is MySQL's or RDS's own, or the administrator itself; choose another user name in the \
                 secret.",
                world.admin
            )
        );
    }
}

#[tokio::test]
async fn a_user_s_name_in_the_template_stands_in_the_id_and_must_be_the_secret_s() {
    for world in worlds() {
        let user = fresh("named");
        world.user_secret(&user, "pw");
        let unnamed = world.user("shop", &["SELECT"], &json!({}));
        let named = world.user("shop", &["SELECT"], &json!({"Username": user}));
        let first = create(TYPE, unnamed.clone()).send(&world.runtime).await.response();
        // A stack that gives the name only later goes on with the same user.
        let second = update(TYPE, first.physical_id(), named, unnamed)
            .send(&world.runtime)
            .await
            .response();
        let (host, port) = (&world.server.host, world.server.port);
        assert_eq!(
            (second.reason(), second.physical_id()),
            ("", format!("mysql-user:{host}:{port}/{user}@%").as_str())
        );
        let other = world.user("shop", &["SELECT"], &json!({"Username": "other"}));
        assert_eq!(
            create(TYPE, other).send(&world.runtime).await.response().reason(),
            format!(
                "Username is `other`, but the secret's user is `{user}`; make them the same, or leave Username out."
            )
        );
        drop_user(&world, &user).await;
    }
}
