//! Quoting, read back by every real server under both SQL modes.

use crate::common::{admin_connection, connector};
use database::quoting::{identifier, schema_pattern};
use database::{Connection, Credentials, Name, NameKind};
use proptest::prelude::*;
use proptest::sample::select;

/// Values in one statement: a round trip costs more than a value.
const BATCH: usize = 200;

/// Texts full of what quoting has to get right.
fn texts() -> impl Strategy<Value = String> {
    let awkward = select(vec![
        '\'', '"', '`', '\\', '%', '_', '\0', '\n', '\r', '\u{1a}', ';', '-', '#', ' ', 'é', '😀', 'n', 'Z', '0',
    ]);
    prop::collection::vec(prop_oneof![3 => awkward, 1 => any::<char>()], 0..24).prop_map(String::from_iter)
}

/// Names that MySQL takes, made of the same.
fn names() -> impl Strategy<Value = String> {
    texts().prop_filter_map("not a name", |text| {
        let name: String = text.chars().filter(|c| !c.is_control() && *c <= '\u{FFFF}').collect();
        Name::new(NameKind::Column, name.trim())
            .ok()
            .map(|name| name.to_string())
    })
}

/// Every server, every administrator: with backslash escapes and without.
async fn each_mode() -> Vec<Connection> {
    let mut connections = Vec::new();
    for server in local_servers::mysql() {
        for user in server.admins() {
            connections.push(admin_connection(&server, user).await);
        }
    }
    connections
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn the_two_administrators_read_backslashes_differently() {
    runtime().block_on(async {
        for connections in each_mode().await.chunks_mut(2) {
            let [with, without] = connections else {
                panic!("two administrators a server")
            };
            for (connection, expected) in [(with, "\\"), (without, "\\\\")] {
                let read: Option<String> = connection.first(r"SELECT '\\'", ()).await.expect("a row");
                assert_eq!(read.as_deref(), Some(expected), "{}", connection.version());
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_quoted_text_is_read_as_what_it_was(texts in prop::collection::vec(texts(), BATCH)) {
        runtime().block_on(async {
            for mut connection in each_mode().await {
                let list: Vec<_> = texts.iter().map(|text| format!("SELECT {} AS text", connection.literal(text))).collect();
                let read: Vec<String> = connection.rows(&list.join(" UNION ALL "), ()).await.expect("every text parses");
                prop_assert_eq!(&read, &texts, "{}", connection.version());
                connection.close().await;
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_quoted_name_is_read_as_what_it_was(names in prop::collection::vec(names(), BATCH)) {
        runtime().block_on(async {
            for mut connection in each_mode().await {
                let query: Vec<_> = names.iter().map(|name| format!("(SELECT 1 AS {}) AS {}", identifier(name), identifier("t"))).collect();
                for (part, name) in query.iter().zip(&names) {
                    let column = format!("SELECT {}.{} FROM {part}", identifier("t"), identifier(name));
                    let read: Option<u8> = connection.first(&column, ()).await.expect("every name parses");
                    prop_assert_eq!(read, Some(1), "{}", connection.version());
                }
                connection.close().await;
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_grant_on_a_schema_opens_no_schema_that_its_wildcards_would_match() {
    runtime().block_on(async {
        for mut connection in each_mode().await {
            let grantee = format!("pattern_{}", std::process::id());
            for statement in [
                "CREATE DATABASE IF NOT EXISTS `quoting_a%\\b`".to_owned(),
                "CREATE DATABASE IF NOT EXISTS `quotingXaYY\\b`".to_owned(),
                format!("DROP USER IF EXISTS {grantee}"),
                format!("CREATE USER {grantee} IDENTIFIED BY 'for-this-test'"),
                format!("GRANT SELECT ON {}.* TO {grantee}", schema_pattern("quoting_a%\\b")),
            ] {
                connection.run(&statement).await.expect(&statement);
            }
            let server = local_servers::mysql()
                .into_iter()
                .find(|one| connection.version().starts_with(&one.version));
            let login = Credentials::new(&grantee, "for-this-test".to_owned().into());
            let mut guest = connector(&server.expect("the same server"))
                .connect(&login)
                .await
                .expect("the new user");
            let seen: Vec<String> = guest.rows("SHOW DATABASES LIKE 'quoting%'", ()).await.expect("a list");
            assert_eq!(seen, ["quoting_a%\\b"], "{}", connection.version());
            guest.close().await;
            connection
                .run(&format!("DROP USER {grantee}"))
                .await
                .expect("it exists");
            connection.close().await;
        }
    });
}

#[test]
fn a_password_of_any_characters_logs_in() {
    let printable: String = (' '..='~').collect();
    let passwords = [
        printable.as_str(),
        "100%_\\'\"`",
        "\\",
        "'",
        "päß wörd 😀 \\n",
        "' OR 1=1 -- ",
        "\\' \\\\'",
        "a\tb",
    ];
    runtime().block_on(async {
        for server in local_servers::mysql() {
            for admin in server.admins() {
                let mut connection = admin_connection(&server, admin).await;
                let user = format!("password_{}", std::process::id());
                connection
                    .run(&format!("CREATE USER {user} REQUIRE SSL"))
                    .await
                    .expect("a new user");
                for password in passwords {
                    let quoted = connection.literal(password);
                    connection
                        .run(&format!("ALTER USER {user} IDENTIFIED BY {quoted}"))
                        .await
                        .expect("a password");
                    let login = Credentials::new(&user, password.to_owned().into());
                    let guest = connector(&server).connect(&login).await;
                    guest
                        .unwrap_or_else(|error| panic!("{server:?} as {admin}: {password:?}: {error}"))
                        .close()
                        .await;
                }
                connection.run(&format!("DROP USER {user}")).await.expect("it exists");
                connection.close().await;
            }
        }
    });
}
