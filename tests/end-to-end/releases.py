"""A release in small: the modules that it needs below a root of their own, on the schema of a stack of its own."""

from typing import Any

import databases
from fixtures import TEMPLATES, Database, log_group
from stacks import Stack
from world import address, client

MODULE = "MauticService/Release"
NETWORK = ("DatabaseHost", "DatabasePort", "DatabaseName", "PrivateSubnetIds", "FunctionSecurityGroupId")
GIVEN = ("DataKeyArn", "AlarmTopicArn", "FailureResponderArn", "FunctionArchitecture", "LogRetentionDays", "LogLevel")


class Release(Stack):
    """The stack; `template` is the address of another text of the module mautic-release."""

    def __init__(self, name: str, template: str = "") -> None:
        super().__init__(f"{name}-release", (TEMPLATES / "released.yaml").read_text())
        self.database = Database(name, databases.server_for("8.4"))
        self.release_template = template or address(MODULE)

    def common(self) -> dict[str, str]:
        """What the database's stack gives and needs itself."""
        known = self.database.common()
        modules = {name: address(f"MauticService/{name}") for name in ("Cluster", "Base", "ReleaseTask")}
        return {
            **{name: known[name] for name in (*NETWORK, *GIVEN)},
            **{f"{name}Template": where for name, where in modules.items()},
            "ReleaseTemplate": self.release_template,
            "Application": self.database.name,
            "Environment": "test",
            "DatabaseSecretArn": self.database.outputs()["ApplicationSecretArn"],
        }

    def installed(self) -> "Release":
        """Both stacks, and Mautic 7.2 in the schema."""
        for stack, parameters in ((self.database, {}), (self, {"ImageUri": image("7.2")})):
            status = stack.create(**parameters)
            assert status == "CREATE_COMPLETE", stack.story()
        return self

    def removed(self) -> None:
        """Delete both stacks, and what they leave behind."""
        for stack in (self, self.database):
            status = stack.delete()
            assert status == "DELETE_COMPLETE", stack.story()
        databases.forget(self.database.server, self.database.name, self.database.name)

    def properties(self) -> dict[str, Any]:
        """The custom resource's, as CloudFormation resolves them."""
        given, base = self.common(), self.nested("Base").outputs()
        return {
            "ServiceTimeout": "3600",
            "Cluster": self.cluster(),
            "TaskDefinition": self.nested("ReleaseTask").outputs()["ReleaseTaskDefinitionArn"],
            "Subnets": [given["PrivateSubnetIds"]],
            "SecurityGroups": [given["FunctionSecurityGroupId"]],
            "Host": given["DatabaseHost"],
            "Port": given["DatabasePort"],
            "Schema": given["DatabaseName"],
            "DatabaseSecretArn": given["DatabaseSecretArn"],
            "AdministratorSecretArn": base["AdministratorSecretArn"],
            "LogGroup": base["ReleaseLogGroupName"],
            "WaitSeconds": "3540",
            "Nonce": "",
        }

    def cluster(self) -> str:
        """The cluster's name."""
        return self.nested("Cluster").outputs()["ClusterName"]

    def function(self) -> str:
        """The log group of mautic-release."""
        return log_group(self.nested("Release"), "MauticReleaseFunction")

    def tasks(self, status: str) -> list[str]:
        """The tasks of the cluster that run, or that have stopped."""
        return client("ecs").list_tasks(cluster=self.cluster(), desiredStatus=status)["taskArns"]

    def stop(self, task: str) -> None:
        """End a task by hand."""
        client("ecs").stop_task(cluster=self.cluster(), task=task)

    def records(self) -> list[tuple[Any, ...]]:
        """Every release that reached its end: what it was told, and the version."""
        query = f"SELECT command, mautic_version FROM `{self.database.name}`.aws_releases ORDER BY finished_at, 2"
        return databases.rows(self.database.server, query)


def image(tag: str) -> str:
    """An image whose tag may ask for something."""
    return f"example.org/mautic:{tag}"
