"""release.php: installs once and never over data, migrates, and judges both by the tables."""

import os
import time
import unittest

from mautic import Mautic, until
from support import LIBRARY, TestCase, evaluate, on_each_mysql

SITE = "https://mautic.example.org"
ADMINISTRATOR = {
    "ADMIN_USERNAME": "admin",
    "ADMIN_EMAIL": "admin@example.org",
    "ADMIN_PASSWORD": "administrator-secret",
}
# bcrypt of something else.
HASH = "$2y$04$abcdefghijklmnopqrstuuPcMwuYWVLZN1CQtsVeE6mOBcDqlHOxu"
INSTALL = [
    "CREATE TABLE users (id INT PRIMARY KEY, username VARCHAR(191), email VARCHAR(191), password VARCHAR(191))",
    "CREATE TABLE lead_fields (id INT PRIMARY KEY)",
    "CREATE TABLE leads (id INT PRIMARY KEY, owner_id INT, FOREIGN KEY (owner_id) REFERENCES users (id))",
    "INSERT INTO lead_fields VALUES (1)",
]
RECORD = [
    "CREATE TABLE IF NOT EXISTS migrations (version VARCHAR(191) PRIMARY KEY, executed_at DATETIME, execution_time INT)",
    "REPLACE INTO migrations VALUES ('Mautic\\\\\\\\Migrations\\\\\\\\Version20260301120000', NOW(), NULL)",
]
INSTALLED = ["aws_releases", "lead_fields", "leads", "migrations", "users"]


def first_user(password_hash: str = HASH, username: str = "admin") -> str:
    return f"INSERT INTO users VALUES (1, '{username}', 'admin@example.org', '{password_hash}')"


def script(**changes: dict) -> dict:
    """What the console's commands do in a good installation, with changes by the command's last word."""
    good = {
        "mautic:install": {"sql": [*INSTALL, first_user(hashed())]},
        "doctrine:migrations:sync-metadata-storage": {"sql": RECORD[:1]},
        "doctrine:migrations:version": {"sql": RECORD},
        "doctrine:migrations:migrate": {},
        "doctrine:migrations:up-to-date": {},
    }
    return good | {next(name for name in good if name.endswith(f":{key}")): change for key, change in changes.items()}


def hashed() -> str:
    return evaluate("$result = password_hash('administrator-secret', PASSWORD_BCRYPT, ['cost' => 4])")


class Releases(TestCase):
    def mautic(self, database, changes: dict | None = None) -> tuple[Mautic, dict[str, str]]:
        """A fresh folder, and the variables of a release's task in it."""
        mautic = Mautic(self.folder())
        task = {"MAUTIC_SITE_URL": SITE, "MAUTIC_SECRET_KEY": "f" * 64, "RELEASE_ID": "request-1", **ADMINISTRATOR}
        return mautic, {**mautic.variables(script(**(changes or {}))), **database.variables(), **task}

    def refused(self, database, action: str, reason: str, changes: dict | None = None) -> Mautic:
        """A release that fails with this reason, and without a record."""
        mautic, variables = self.mautic(database, changes)
        code, _, errors = mautic.run("release.php", action, **variables)
        self.assertEqual((code, errors.replace(database.schema, "SCHEMA")), (1, f"release: {reason}\n"))
        self.assertNotIn("aws_releases", database.tables())
        return mautic

    def install(self, database) -> None:
        mautic, variables = self.mautic(database)
        self.assertEqual(mautic.run("release.php", "install", **variables)[0], 0)
        database.query("DROP TABLE aws_releases")


class Installation(Releases):
    @on_each_mysql
    def test_into_an_empty_schema(self, database):
        mautic, variables = self.mautic(database)
        code, out, errors = mautic.run("release.php", "install", **variables)
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(out.splitlines()[-1], "release: install is done.")
        self.assertEqual(
            mautic.words(),
            [
                # The password is in the installer's configuration; a command line would be logged when it fails.
                ["mautic:install", SITE, "--no-interaction", "--force", "--admin_username=admin", "--admin_email=admin@example.org"],
                ["doctrine:migrations:sync-metadata-storage", "--no-interaction"],
                ["doctrine:migrations:version", "--add", "--all", "--no-interaction"],
                ["doctrine:migrations:up-to-date"],
            ],
        )  # fmt: skip
        self.assertEqual(database.tables(), INSTALLED)
        [row] = database.query(
            "SELECT release_id, command, mautic_version, finished_at > UTC_TIMESTAMP() - INTERVAL 1 MINUTE FROM aws_releases"
        )
        self.assertEqual(row, ("request-1", "install", "7.2.0", 1))

    @on_each_mysql
    def test_the_installer_has_a_configuration_of_its_own_and_the_tasks_theirs_again_after_it(self, database):
        mautic, variables = self.mautic(database)
        mautic.run("release.php", "install", **variables)
        installing, *later = [call["parameters"] for call in mautic.calls()]
        self.assertEqual(
            {key: value for key, value in installing.items() if key != "db_driverOptions"},
            {
                "db_driver": "pdo_mysql",
                "db_host": "127.0.0.1",
                "db_port": str(database.server["port"]),
                "db_name": database.schema,
                "db_user": database.schema,
                "db_password": database.password,
                "db_table_prefix": None,
                "db_backup_tables": False,
                "admin_password": "administrator-secret",
            },
        )
        for parameters in later:
            self.assertEqual((parameters["site_url"], parameters["secret_key"]), (SITE, "f" * 64))
        text = (mautic.root / "config/local.php").read_text()
        self.assertNotIn("administrator-secret", text)
        self.assertEqual(text, (LIBRARY.parent / "config/local.php").read_text())

    def test_the_installer_s_own_connection_verifies_the_server_too(self):
        code = f"""include '{LIBRARY}/installer.php'; $options = $parameters['db_driverOptions'];
            $result = [count($options), $options[PDO::MYSQL_ATTR_SSL_CA], $options[PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT],
                $options[PDO::ATTR_STRINGIFY_FETCHES]]"""
        self.assertEqual(evaluate(code, DATABASE_CA_FILE="ca.pem"), [3, "ca.pem", True, True])

    @on_each_mysql
    def test_code_that_was_compiled_for_the_installer_is_not_used_after_it(self, database):
        mautic, variables = self.mautic(database)
        (mautic.root / "var/cache/prod").mkdir()
        mautic.run("release.php", "install", **variables)
        self.assertFalse((mautic.root / "var/cache/prod").exists())

    @on_each_mysql
    def test_never_over_tables(self, database):
        database.query("CREATE TABLE contacts (id INT)")
        database.query("INSERT INTO contacts VALUES (7)")
        mautic = self.refused(
            database,
            "install",
            "schema SCHEMA is not empty (contacts); nothing was changed. To bring an installed Mautic to this version: release migrate",
        )
        self.assertEqual(mautic.calls(), [])
        self.assertEqual(database.query("SELECT id FROM contacts"), [(7,)])
        self.assertEqual(database.tables(), ["contacts"])

    @on_each_mysql
    def test_not_a_second_time(self, database):
        self.install(database)
        self.refused(
            database,
            "install",
            "schema SCHEMA is not empty (lead_fields, leads, migrations and 1 more); nothing was changed. "
            "To bring an installed Mautic to this version: release migrate",
        )

    @on_each_mysql
    def test_an_installer_that_ends_well_and_did_nothing_is_found_out(self, database):
        self.refused(
            database,
            "install",
            "mautic:install ended with 0, but schema SCHEMA holds no Mautic: it has no first user. Its output says why.",
            {"install": {}},
        )
        # The next one may begin afresh: there are no tables yet.
        self.assertEqual(database.tables(), ["aws_installation"])
        self.install(database)

    @on_each_mysql
    def test_an_administrator_whom_the_secret_does_not_know_is_found_out(self, database):
        wrong = [("install", first_user(HASH)), ("reinstall", first_user(hashed(), username="somebody"))]
        for action, user in wrong:
            self.refused(
                database,
                action,
                "Mautic was installed, but its first user is not admin with the address and password of the administrator's secret.",
                {"install": {"sql": [*INSTALL, user]}},
            )

    @on_each_mysql
    def test_without_a_record_of_its_migrations_it_is_not_done(self, database):
        self.refused(
            database,
            "install",
            "every command ended with 0, but schema SCHEMA does not say which migrations it has had.",
            {"version": {}},
        )

    @on_each_mysql
    def test_a_command_that_fails_ends_it(self, database):
        mautic = self.refused(
            database, "install", "mautic:install ended with 255; its output says why.", {"install": {"exit": 255}}
        )
        self.assertEqual(len(mautic.calls()), 1)
        self.assertNotIn("administrator-secret", (mautic.root / "config/local.php").read_text())


class Interruption(Releases):
    def interrupt(self, database) -> None:
        """An installation that is killed while the installer has made its tables."""
        done = self.folder() / "done"
        mautic, variables = self.mautic(database, {"install": {"sql": INSTALL, "seconds": 50, "until": str(done)}})
        release = mautic.begin("release.php", "install", **variables)
        until("tables", lambda: "leads" in database.tables())
        release.kill()
        done.touch()
        mautic.end(release)

    @on_each_mysql
    def test_is_told_from_anything_else_and_nothing_is_dropped_unasked(self, database):
        self.interrupt(database)
        mautic, variables = self.mautic(database)
        code, _, errors = mautic.run("release.php", "install", **variables)
        self.assertEqual(code, 1)
        self.assertRegex(
            errors,
            rf"^release: schema {database.schema} holds 3 tables of an installation that began on \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC "
            r"and was interrupted; nothing was changed. To remove them and install again: release reinstall\n$",
        )
        self.assertEqual(database.tables(), ["aws_installation", "lead_fields", "leads", "users"])

    @on_each_mysql
    def test_is_repeated_when_somebody_asks_for_it(self, database):
        self.interrupt(database)
        mautic, variables = self.mautic(database)
        code, _, errors = mautic.run("release.php", "reinstall", **variables)
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(database.tables(), INSTALLED)

    @on_each_mysql
    def test_a_repeat_does_not_touch_what_was_there_before(self, database):
        database.query("CREATE TABLE contacts (id INT)")
        database.query("DO SLEEP(1.1)")
        database.query("CREATE TABLE aws_installation (started_at DATETIME NOT NULL)")
        database.query("INSERT INTO aws_installation VALUES (UTC_TIMESTAMP())")
        self.refused(
            database,
            "reinstall",
            "schema SCHEMA holds tables that are older than the interrupted installation (contacts); nothing was changed. "
            "Move them away, or use another schema.",
        )
        self.assertEqual(database.tables(), ["aws_installation", "contacts"])

    @on_each_mysql
    def test_there_is_nothing_to_repeat_in_an_installed_mautic(self, database):
        self.install(database)
        self.refused(
            database,
            "reinstall",
            "schema SCHEMA holds no interrupted installation (no table aws_installation); nothing was changed.",
        )

    @on_each_mysql
    def test_told_to_stop_it_lets_the_command_in_hand_end_and_begins_no_other(self, database):
        done = self.folder() / "done"
        installer = {**script()["mautic:install"], "seconds": 50, "until": str(done)}
        mautic, variables = self.mautic(database, {"install": installer})
        release = mautic.begin("release.php", "install", **variables)
        until("the installer", mautic.calls)
        release.terminate()
        time.sleep(0.5)  # ten times as long as it would take to tell the installer
        done.touch()
        code, out, errors = mautic.end(release)
        self.assertNotIn("told to stop", out)
        self.assertEqual(
            (code, errors),
            (1, "release: it was told to stop before doctrine:migrations:sync-metadata-storage; run it again.\n"),
        )
        self.assertEqual(len(mautic.calls()), 1)


class Migration(Releases):
    @on_each_mysql
    def test_of_an_installed_mautic(self, database):
        self.install(database)
        mautic, variables = self.mautic(database)
        code, _, errors = mautic.run("release.php", "migrate", **variables)
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(
            mautic.words(), [["doctrine:migrations:migrate", "--no-interaction"], ["doctrine:migrations:up-to-date"]]
        )
        self.assertEqual(database.query("SELECT release_id, command FROM aws_releases"), [("request-1", "migrate")])

    @on_each_mysql
    def test_by_hand_has_a_record_too(self, database):
        self.install(database)
        mautic, variables = self.mautic(database)
        del variables["RELEASE_ID"]
        mautic.run("release.php", "migrate", **variables)
        [[name]] = database.query("SELECT release_id FROM aws_releases")
        self.assertRegex(name, r"^by-hand-\d{8}T\d{6}Z$")

    @on_each_mysql
    def test_not_of_an_empty_schema(self, database):
        mautic = self.refused(
            database,
            "migrate",
            "schema SCHEMA holds no Mautic: it has no first user; nothing was changed. For an empty schema: release install",
        )
        self.assertEqual(mautic.calls(), [])

    @on_each_mysql
    def test_not_where_no_migration_was_recorded(self, database):
        self.install(database)
        database.query("DROP TABLE migrations")
        mautic = self.refused(
            database,
            "migrate",
            "schema SCHEMA does not say which migrations it has had (table migrations); nothing was changed. "
            'See docs/operations.md ("Move an existing Mautic into the stack").',
        )
        self.assertEqual(mautic.calls(), [])

    @on_each_mysql
    def test_not_of_half_an_installation(self, database):
        database.query("CREATE TABLE aws_installation (started_at DATETIME NOT NULL)")
        self.refused(
            database,
            "migrate",
            "schema SCHEMA holds an installation that did not come to its end (table aws_installation); nothing was changed. "
            "See release install.",
        )

    @on_each_mysql
    def test_one_that_fails_is_a_failed_release(self, database):
        self.install(database)
        self.refused(
            database,
            "migrate",
            "doctrine:migrations:migrate ended with 1; its output says why.",
            {"migrate": {"exit": 1}},
        )

    @on_each_mysql
    def test_one_that_left_something_out_is_a_failed_release(self, database):
        self.install(database)
        self.refused(
            database,
            "migrate",
            "doctrine:migrations:up-to-date ended with 1; its output says why.",
            {"up-to-date": {"exit": 1}},
        )

    @on_each_mysql
    def test_two_at_once_come_one_after_the_other(self, database):
        self.install(database)
        mautic, variables = self.mautic(database, {"migrate": {"seconds": 1}})
        both = [mautic.begin("release.php", "migrate", **{**variables, "RELEASE_ID": name}) for name in ("one", "two")]
        for release in both:
            self.assertEqual(mautic.end(release)[0], 0)
        names = [words[0].rsplit(":", 1)[1] for words in mautic.words()]
        self.assertEqual(names, ["migrate", "up-to-date"] * 2)
        self.assertEqual(database.query("SELECT COUNT(*) FROM aws_releases"), [(2,)])


class Refusals(Releases):
    @on_each_mysql
    def test_an_action_that_there_is_not(self, database):
        mautic, variables = self.mautic(database)
        code, _, errors = mautic.run("release.php", "drop", **variables)
        self.assertEqual((code, errors), (64, 'release: "drop" is none of install, reinstall, migrate\n'))

    @on_each_mysql
    def test_a_folder_that_cannot_be_written_is_named(self, database):
        mautic, variables = self.mautic(database)
        (mautic.root / "config/local.php").unlink()
        (mautic.root / "config").rmdir()
        code, _, errors = mautic.run("release.php", "install", **variables)
        config = os.path.join(mautic.root, "config")
        self.assertEqual(
            (code, errors),
            (1, f"release: {config}/local.php cannot be written; a release needs an empty volume at {config}.\n"),
        )
        self.assertEqual(mautic.calls(), [])


if __name__ == "__main__":
    unittest.main()
