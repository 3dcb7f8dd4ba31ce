"""PDO to a real MySQL that requires TLS: verified, or refused for the reason that stands here."""

import shutil
import socket
import threading
import unittest

from support import LIBRARY, TestCase, on_each_mysql, run

CONNECT = "require getenv('LIBRARY').'/database.php'; $pdo = MauticServer\\Database::connect(); echo $pdo->query({query})->fetchColumn();"
PLAINTEXT = """
    try {
        new PDO('mysql:host=127.0.0.1;port='.getenv('MAUTIC_DB_PORT'), getenv('MAUTIC_DB_USER'), getenv('MAUTIC_DB_PASSWORD'));
    } catch (PDOException $error) { echo $error->getMessage(); }
"""
# Capability flags of MySQL's greeting, lower half: the bit that offers TLS.
CLIENT_SSL = 0x0800


def connected(query: str, library: str = str(LIBRARY), **variables: str) -> str:
    """What a query answers through the image's own connection, or the error's text."""
    code = (
        "try { "
        + CONNECT.replace("{query}", f"'{query}'")
        + " } catch (RuntimeException $e) { echo $e->getMessage(); }"
    )
    return run("php", "-r", code, LIBRARY=library, **variables).stdout


class WithoutTls(threading.Thread):
    """Somebody between client and server, who tells the client that the server has no TLS."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.server = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.received = b""

    def run(self) -> None:
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.server)) as server:
            greeting = bytearray(server.recv(4096))
            # After header and protocol: the version's text, thread id, eight bytes of salt, one filler.
            at = greeting.index(0, 5) + 1 + 4 + 8 + 1
            flags = int.from_bytes(greeting[at : at + 2], "little")
            greeting[at : at + 2] = (flags & ~CLIENT_SSL).to_bytes(2, "little")
            client.sendall(greeting)
            client.settimeout(5)
            try:
                self.received = client.recv(4096)
            except OSError:
                pass


class Connection(TestCase):
    @on_each_mysql
    def test_it_is_encrypted(self, database):
        cipher = 'SELECT variable_value FROM performance_schema.session_status WHERE variable_name = "Ssl_cipher"'
        self.assertRegex(connected(cipher, **database.variables()), r"^TLS_|^ECDHE-")

    @on_each_mysql
    def test_a_server_that_another_authority_vouches_for_is_refused(self, database):
        wrong = database.server["wrong_ca_file"]
        self.assertEqual(
            connected("SELECT 1", **{**database.variables(), "DATABASE_CA_FILE": wrong}),
            f"MySQL at 127.0.0.1:{database.server['port']}: SQLSTATE[HY000] [2002] Cannot connect to MySQL using SSL; its "
            f"certificate must hold that name and be from an authority in {wrong} (DATABASE_CA_FILE).",
        )

    @on_each_mysql
    def test_that_refusal_is_the_verification_s_doing(self, database):
        # The same code without it lets the wrong authority's server in: so the test above can fail.
        careless = self.folder() / "lib"
        shutil.copytree(LIBRARY, careless)
        text = (careless / "database.php").read_text()
        verified = "MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true"
        self.assertEqual(text.count(verified), 1)
        (careless / "database.php").write_text(text.replace(verified, verified.replace("true", "false")))
        variables = {**database.variables(), "DATABASE_CA_FILE": database.server["wrong_ca_file"]}
        self.assertEqual(connected("SELECT 1", library=str(careless), **variables), "1")

    @on_each_mysql
    def test_a_name_that_the_certificate_does_not_hold_is_refused(self, database):
        # Another spelling of the same address, which leads to the same server and is not in its certificate.
        variables = {**database.variables(), "MAUTIC_DB_HOST": "127.1"}
        self.assertEqual(
            connected("SELECT 1", **variables),
            f"MySQL at 127.1:{database.server['port']}: SQLSTATE[HY000] [2002] Cannot connect to MySQL using SSL; its "
            f"certificate must hold that name and be from an authority in {variables['DATABASE_CA_FILE']} (DATABASE_CA_FILE).",
        )

    @on_each_mysql
    def test_the_server_refuses_plaintext(self, database):
        with database.admin() as admin, admin.cursor() as cursor:
            # Else the user, who must use TLS as well, would be refused first.
            cursor.execute(f"ALTER USER '{database.schema}'@'%' REQUIRE NONE")
        self.assertEqual(
            run("php", "-r", PLAINTEXT, **database.variables()).stdout,
            "SQLSTATE[HY000] [3159] Connections using insecure transport are prohibited while --require_secure_transport=ON.",
        )

    @on_each_mysql
    def test_a_server_that_is_made_to_hide_its_tls_gets_neither_user_nor_password(self, database):
        text, received = self.hidden(database, lambda variables: connected("SELECT 1", **variables))
        self.assertRegex(text, r"^MySQL at 127\.0\.0\.1:\d+: SQLSTATE\[HY000\] \[2006\] MySQL server has gone away$")
        self.assertEqual(received, b"")
        # A client that does not ask for TLS tells who it is.
        _, received = self.hidden(database, lambda variables: run("php", "-r", PLAINTEXT, **variables).stdout)
        self.assertIn(database.schema.encode(), received)

    def hidden(self, database, connect) -> tuple[str, bytes]:
        """What a connection said, and what it sent to somebody who hides that the server has TLS."""
        between = WithoutTls(database.server["port"])
        between.start()
        self.addCleanup(between.listener.close)
        text = connect({**database.variables(), "MAUTIC_DB_PORT": str(between.port)})
        between.join(10)
        return text, between.received

    @on_each_mysql
    def test_a_wrong_password_is_said_without_it(self, database):
        variables = {**database.variables(), "MAUTIC_DB_PASSWORD": "not-the-password"}
        self.assertEqual(
            connected("SELECT 1", **variables),
            f"MySQL at 127.0.0.1:{database.server['port']}: SQLSTATE[HY000] [1045] Access denied for user "
            f"'{database.schema}'@'localhost' (using password: YES)",
        )


if __name__ == "__main__":
    unittest.main()
