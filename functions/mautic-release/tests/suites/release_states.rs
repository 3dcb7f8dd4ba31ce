//! What is done for each state that a schema can be in.

use custom_resource::testing::{create, delete, update};
use recorded_calls::Refusal;
use serde_json::json;

use crate::ecs::lock;
use crate::stand_in::{self, FIRST, NEWER};
use crate::world::{DEFINITION, EARLIER, ID, LATER, TYPE, VERSION, arn, attributes, with, worlds};

const HALF: &str = "nothing of it was dropped: look whether any of it is of worth (docs/operations.md, Releases). If not, start \
                    anew: drop the schema, give Reconcile a new value, so that it is made again, and update the stack; or set \
                    Schema to another name.";
const MARKED: &str = "nothing of it was dropped: look whether anything of worth was brought into it (docs/operations.md, Releases). \
                      If not, start anew: run the task with the command release reinstall, which removes it and installs again, \
                      then update the stack.";

#[tokio::test]
async fn an_empty_schema_is_installed_and_its_administrator_is_there() {
    for world in worlds().await {
        let response = world.succeeds(&world.creation()).await;
        assert_eq!(response.physical_id(), ID);
        assert_eq!(attributes(&response), ["installed", VERSION, FIRST, "install", &arn(1)]);
        assert_eq!(world.started(), ["release install"]);
        world.end().await;
    }
}

#[tokio::test]
async fn an_update_installs_too_where_nothing_is_yet() {
    for world in worlds().await {
        let response = world.succeeds(&world.upgrade()).await;
        assert_eq!(response.attribute("Action"), "install");
        world.end().await;
    }
}

#[tokio::test]
async fn what_the_image_left_of_an_installation_that_made_no_table_is_nothing() {
    for world in worlds().await {
        let table = format!(
            "CREATE TABLE {}.aws_releases (release_id VARCHAR(64) PRIMARY KEY, command VARCHAR(16) NOT NULL, mautic_version VARCHAR(32) NOT NULL, finished_at DATETIME NOT NULL)",
            world.place.schema
        );
        world.run(&[&table]).await;
        assert_eq!(world.succeeds(&world.creation()).await.attribute("Action"), "install");
        world.end().await;
    }
}

#[tokio::test]
async fn an_installed_schema_is_migrated_by_create_and_update_and_never_installed_again() {
    for world in worlds().await {
        world.installed().await;
        // As when a new stack starts from a snapshot.
        let response = world.succeeds(&world.creation()).await;
        assert_eq!(attributes(&response), ["installed", VERSION, NEWER, "migrate", &arn(1)]);
        let next = with(world.properties(), "Nonce", "2");
        let again = update(TYPE, ID, next, world.properties()).with("RequestId", json!("another-event"));
        assert_eq!(world.succeeds(&again).await.attribute("TaskArn"), arn(2));
        assert_eq!(world.started(), ["release migrate", "release migrate"]);
        world.end().await;
    }
}

#[tokio::test]
async fn tables_with_a_prefix_are_mautic_s_if_the_template_says_so() {
    for world in worlds().await {
        world.installed().await;
        let schema = &world.place.schema;
        let renames = ["users", "leads", "lead_fields", "migrations"]
            .map(|name| format!("RENAME TABLE {schema}.{name} TO {schema}.m_{name}"));
        world.run(&renames.each_ref().map(String::as_str)).await;
        let reason = world.fails(&world.creation()).await;
        assert_eq!(
            reason,
            "schema `SCHEMA` at SERVER holds 4 tables, none of which is Mautic's (m_lead_fields, m_leads, m_migrations, m_users); \
             nothing was installed beside them: set Schema to a name of Mautic's own; or TablePrefix, if they are a Mautic's whose \
             tables have one."
        );
        world.play(stand_in::Play::Lies);
        let prefixed = create(TYPE, with(world.properties(), "TablePrefix", "m_"));
        let _ = world.send(&prefixed).await;
        assert_eq!(world.started(), ["release migrate"]);
        world.end().await;
    }
}

#[tokio::test]
async fn half_an_installation_is_refused_and_nothing_in_it_changes() {
    for world in worlds().await {
        let mut connection = world.place.connect().await;
        stand_in::half_install(&mut connection, &world.place.schema).await;
        connection.close().await;
        let before = world.tables().await;
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` at SERVER holds half a Mautic, without users and fields of contacts, from an installation that \
                 did not reach its end; {MARKED}"
            )
        );
        // The marker gone, the rest tells as well.
        world
            .run(&[&format!("DROP TABLE {}.aws_installation", world.place.schema)])
            .await;
        let half = "schema `SCHEMA` at SERVER holds half a Mautic, without users and fields of contacts; ";
        assert_eq!(world.fails(&world.upgrade()).await, format!("{half}{HALF}"));
        assert_eq!(
            world.tables().await,
            before[1..],
            "only the test itself dropped a table"
        );
        assert!(world.started().is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn a_whole_mautic_with_the_marker_of_an_installation_is_not_finished() {
    for world in worlds().await {
        world.installed().await;
        world
            .run(&[&format!(
                "CREATE TABLE {}.aws_installation (begun_at DATETIME)",
                world.place.schema
            )])
            .await;
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` at SERVER holds half a Mautic, unfinished, from an installation that did not reach its end; {MARKED}"
            )
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_mautic_without_recorded_migrations_is_refused_with_the_way_to_record_them() {
    for world in worlds().await {
        world.installed().await;
        let schema = world.place.schema.clone();
        for statement in [
            format!("DELETE FROM {schema}.migrations"),
            format!("DROP TABLE {schema}.migrations"),
        ] {
            world.run(&[&statement]).await;
            assert_eq!(
                world.fails(&world.upgrade()).await,
                "schema `SCHEMA` at SERVER holds a Mautic whose table of migrations is missing or empty; if its tables are those of \
                 the image's version, record all migrations as docs/operations.md says under Releases, and update the stack again."
            );
        }
        assert!(world.started().is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn tables_of_another_application_are_refused_and_stay() {
    for world in worlds().await {
        let schema = &world.place.schema;
        let tables = ["a", "b", "c", "d", "e", "users"].map(|name| format!("CREATE TABLE {schema}.{name} (id INT)"));
        world.run(&tables.each_ref().map(String::as_str)).await;
        let before = world.tables().await;
        assert_eq!(
            world.fails(&world.creation()).await,
            "schema `SCHEMA` at SERVER holds 6 tables, none of which is Mautic's (a, b, c, d, e, ...); nothing was installed beside \
             them: set Schema to a name of Mautic's own; or TablePrefix, if they are a Mautic's whose tables have one."
        );
        assert_eq!(world.tables().await, before);
        world.end().await;
    }
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_named() {
    for world in worlds().await {
        world.run(&[&format!("DROP DATABASE {}", world.place.schema)]).await;
        assert_eq!(
            world.fails(&world.creation()).await,
            "schema `SCHEMA` at SERVER holds nothing: it does not exist, or its user may not see it; correct Schema, or give \
             Reconcile a new value, so that database-init makes schema and rights again."
        );
        world.end().await;
    }
}

#[tokio::test]
async fn on_the_way_back_nothing_is_started_and_the_attributes_say_what_the_schema_is() {
    for world in worlds().await {
        let back = |world: &crate::world::World| {
            update(
                TYPE,
                ID,
                world.properties(),
                with(world.properties(), "TaskDefinition", LATER),
            )
        };
        assert_eq!(
            attributes(&world.succeeds(&back(&world)).await),
            ["empty", "", "", "none", ""]
        );
        world.installed().await;
        let mut connection = world.place.connect().await;
        stand_in::record_migration(&mut connection, &world.place.schema, NEWER).await;
        connection.close().await;
        assert_eq!(
            attributes(&world.succeeds(&back(&world)).await),
            ["installed", "7.1.0", NEWER, "none", ""]
        );
        assert!(world.started().is_empty());
        // Nor does anything fail then: a rollback that fails is worse than a state that is not known.
        lock(&world.place.ecs).refused = Some(("ecs:ListTasks", 9, Refusal("ServerException", "no".into())));
        world
            .run(&[&format!("ALTER USER {} ACCOUNT LOCK", world.place.schema)])
            .await;
        assert_eq!(
            attributes(&world.succeeds(&back(&world)).await),
            ["unknown", "", "", "none", ""]
        );
        world.end().await;
    }
}

#[tokio::test]
async fn the_next_release_is_no_way_back() {
    for world in worlds().await {
        world.installed().await;
        for old in [
            EARLIER,
            DEFINITION,
            "arn:aws:ecs:eu-central-1:123456789012:task-definition/other:99",
        ] {
            let scenario = update(
                TYPE,
                ID,
                world.properties(),
                with(world.properties(), "TaskDefinition", old),
            );
            let scenario = scenario.with("RequestId", json!(format!("from-{}", &old[old.len() - 2..])));
            assert_eq!(world.succeeds(&scenario).await.attribute("Action"), "migrate", "{old}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn a_delete_changes_nothing() {
    for world in worlds().await {
        world.installed().await;
        let before = world.tables().await;
        world.succeeds(&delete(TYPE, ID, world.properties())).await;
        world.succeeds(&delete(TYPE, ID, json!({"Shape": "unknown"}))).await;
        assert_eq!(world.tables().await, before);
        let calls = lock(&world.place.ecs).calls.clone();
        assert_eq!(calls, ["ecs:ListTasks", "ecs:ListTasks"]);
        world.end().await;
    }
}
