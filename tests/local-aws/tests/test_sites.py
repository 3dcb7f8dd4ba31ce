"""Who answers at a site's address, and with what."""

import base64
import http.client
import json
import socket
import ssl
import unittest
import urllib.parse
from pathlib import Path
from typing import Any

from local_aws import servers_file
from local_aws.smtp import password
from local_aws.state import REGION
from support import TestCase, client, execution_role, state, until

ADMINISTRATOR = ("admin", "5ecret of the administrator")


class Sites(TestCase):
    """See the sentences."""

    def setUp(self) -> None:
        super().setUp()
        self.name = f"{self._testMethodName.removeprefix('test_')[:40].strip('_').replace('_', '-')}.example"

    # --- A site -----------------------------------------------------------------------------------------------------

    def secret(self, name: str, **values: str) -> str:
        arn = client("secretsmanager").create_secret(Name=f"{self.name}-{name}", SecretString=json.dumps(values))["ARN"]
        self.addCleanup(client("secretsmanager").delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True)
        return arn

    def definition(self, family: str, secrets: dict[str, str], **values: str) -> str:
        container = {
            "name": "web",
            "image": "example/app:1",
            "essential": True,
            "environment": [{"name": name, "value": value} for name, value in values.items()],
            "secrets": [{"name": name, "valueFrom": value} for name, value in secrets.items()],
        }
        family = f"{self.name.replace('.', '-')}-{family}"
        # Without it the tasks of a service stop as soon as they want their secrets.
        role = execution_role(family, "secretsmanager:GetSecretValue")
        answer = client("ecs").register_task_definition(
            family=family, executionRoleArn=role, containerDefinitions=[container]
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    def mail_user(self) -> dict[str, str]:
        """The references to the credentials of a user that may send."""
        iam, user = client("iam"), f"mail-{self.name}"
        iam.create_user(UserName=user)
        statement = {"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=user, PolicyName="send", PolicyDocument=document)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        found = {"username": key["AccessKeyId"], "password": password(key["SecretAccessKey"], REGION)}
        arn = self.secret("smtp", **found)
        return {"SMTP_USERNAME": f"{arn}:username::", "SMTP_PASSWORD": f"{arn}:password::"}

    def site(self, **values: str) -> None:
        """A web service that runs, and the release task that its administrator comes from."""
        ecs, url = client("ecs"), f"https://{self.name}"
        own = {
            "MAUTIC_SITE_URL": url,
            "MAUTIC_API_ENABLED": "1",
            "MAUTIC_API_ENABLE_BASIC_AUTH": "1",
            "MAUTIC_MAILER_FROM_NAME": "News",
            "MAUTIC_MAILER_FROM_EMAIL": f"news@{self.name}",
        }
        admin = self.secret("admin", username=ADMINISTRATOR[0], password=ADMINISTRATOR[1])
        secrets = {"ADMIN_USERNAME": f"{admin}:username::", "ADMIN_PASSWORD": f"{admin}:password::"}
        self.definition("release", secrets, MAUTIC_SITE_URL=url)
        web = self.definition("web", self.mail_user(), **{**own, **values})
        ecs.create_cluster(clusterName=self.name.replace(".", "-"))
        where = {"cluster": self.name.replace(".", "-"), "serviceName": "web"}
        balanced = [
            {
                "targetGroupArn": "arn:aws:elasticloadbalancing:::targetgroup/a/1",
                "containerName": "web",
                "containerPort": 8080,
            }
        ]
        ecs.create_service(**where, taskDefinition=web, desiredCount=1, loadBalancers=balanced)
        self.addCleanup(ecs.delete_service, cluster=where["cluster"], service="web", force=True)
        until("the web task", lambda: self.ask("GET", "/s/login")[0] == 200)

    # --- A visitor --------------------------------------------------------------------------------------------------

    def connected(self, authority: str | None = None, name: str | None = None) -> http.client.HTTPSConnection:
        found = servers_file.read(state().directory)["site"]
        context = ssl.create_default_context(cafile=authority or found["ca_file"])
        connection = http.client.HTTPSConnection(name or self.name, timeout=10, context=context)
        plain = socket.create_connection((found["host"], found["port"]), timeout=10)
        self.addCleanup(plain.close)
        connection.sock = context.wrap_socket(plain, server_hostname=name or self.name)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method: str, path: str, body: Any = None, who: tuple[str, str] | None = None) -> tuple[int, Any]:
        headers = {}
        if who:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(who).encode()).decode()
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        connection = self.connected()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if answer.getheader("Content-Type") == "application/json" else text

    def api(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.ask(method, f"/api/{path}", body, ADMINISTRATOR)
        self.assertIn(status, (200, 201), answer)
        return answer

    def test_a_site_without_a_running_web_service_is_a_load_balancer_without_targets(self) -> None:
        self.assertEqual(self.ask("GET", "/s/login"), (503, "<h1>503 Service Temporarily Unavailable</h1>"))

    def test_each_site_has_a_certificate_of_its_name_by_the_local_authority(self) -> None:
        for name in ("one.example", "two.example"):
            certificate = self.connected(name=name).sock.getpeercert()
            self.assertEqual(certificate["subjectAltName"], (("DNS", name),))
        wrong = servers_file.read(state().directory)["smtp"]["ca_file"]
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connected(authority=wrong)

    def test_the_api_lets_the_administrator_of_the_release_task_in(self) -> None:
        self.site()
        self.assertEqual(self.ask("GET", "/s/login")[0], 200)
        self.assertEqual(self.api("GET", "forms"), {"total": "0", "forms": []})
        denied = {"errors": [{"message": "Authorization denied.", "code": 401, "type": "access_denied"}]}
        self.assertEqual(self.ask("GET", "/api/forms", who=("admin", "guessed")), (401, denied))
        self.assertEqual(self.ask("GET", "/api/forms"), (401, denied))

    def test_an_api_that_is_off_says_so(self) -> None:
        self.site(MAUTIC_API_ENABLED="0", MAUTIC_API_ENABLE_BASIC_AUTH="0")
        off = {"errors": [{"message": "API disabled.", "code": 403, "type": "api_disabled"}]}
        self.assertEqual(self.ask("GET", "/api/forms", who=ADMINISTRATOR), (403, off))

    def test_a_form_counts_what_visitors_send_and_makes_contacts(self) -> None:
        self.site()
        fields = [{"label": "Email", "type": "email", "alias": "email", "mappedField": "email", "isRequired": True}]
        form = self.api("POST", "forms/new", {"name": "A form", "isPublished": True, "fields": fields})["form"]["id"]
        self.assertIn('name="mauticform[email]"', self.ask("GET", f"/form/{form}")[1])
        sent = {"mauticform[formId]": form, "mauticform[email]": "a@b.example"}
        status, answer = self.ask("POST", "/form/submit?ajax=1", urllib.parse.urlencode(sent))
        self.assertEqual((status, answer["success"]), (200, 1))
        empty = urllib.parse.urlencode({"mauticform[formId]": form})
        refused = {"success": 0, "validationErrors": {"email": "'Email' is required."}}
        self.assertEqual(self.ask("POST", "/form/submit?ajax=1", empty), (200, refused))
        [submission] = self.api("GET", f"forms/{form}/submissions")["submissions"]
        self.assertEqual(submission["results"], {"email": "a@b.example"})
        contact = self.api("GET", "contacts?search=a@b.example")["contacts"][str(submission["lead"]["id"])]
        self.assertEqual(contact["fields"]["all"], {"email": "a@b.example"})
        self.api("DELETE", f"forms/{form}/delete")
        self.assertEqual(self.ask("GET", f"/form/{form}")[0], 404)

    def mailed(self, **values: str) -> Any:
        self.site(**values)
        contact = self.api("POST", "contacts/new", {"email": "success+1@simulator.amazonses.com"})["contact"]["id"]
        email = self.api("POST", "emails/new", {"name": "An e-mail", "subject": self.name})["email"]["id"]
        return self.api("POST", f"emails/{email}/contact/{contact}/send", {})

    def mails(self) -> list[str]:
        folder = Path(servers_file.read(state().directory)["smtp"]["mail"])
        return [text for text in (one.read_text() for one in folder.glob("*.eml")) if f"Subject: {self.name}" in text]

    def test_mail_goes_through_smtp_with_the_web_tasks_credentials(self) -> None:
        failed = self.mailed(MAUTIC_MAILER_CUSTOM_HEADERS='{"X-SES-CONFIGURATION-SET": "own"}')
        self.assertFalse(failed["success"])
        self.assertIn(
            f"The following identities failed the check in region EU-CENTRAL-1: news@{self.name}", failed["failed"]
        )
        zone = client("route53").create_hosted_zone(Name=self.name, CallerReference=self.name)["HostedZone"]["Id"]
        tokens = client("sesv2").create_email_identity(EmailIdentity=self.name)["DkimAttributes"]["Tokens"]
        records = [(f"{token}._domainkey.{self.name}", f"{token}.dkim.amazonses.com") for token in tokens]
        sets = [
            {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]} for name, value in records
        ]
        changes = [{"Action": "CREATE", "ResourceRecordSet": one} for one in sets]
        client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        contact = self.api("GET", "contacts")["contacts"].popitem()[0]
        [email] = self.api("GET", "emails")["emails"]
        self.assertEqual(self.api("POST", f"emails/{email['id']}/contact/{contact}/send", {}), {"success": True})
        [mail] = self.mails()
        self.assertIn("X-SES-CONFIGURATION-SET: own", mail)

    def test_mail_that_is_held_is_believed_to_be_sent(self) -> None:
        self.assertEqual(self.mailed(MAUTIC_MAILER_DSN="null://null"), {"success": True})
        self.assertEqual(self.mails(), [])


if __name__ == "__main__":
    unittest.main()
