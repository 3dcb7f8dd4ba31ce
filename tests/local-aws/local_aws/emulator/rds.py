"""RDS: a database instance leads to the real MySQL, and its managed master secret opens it."""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import rds, secretsmanager
from ministack.services.cloudformation import provisioners

from local_aws.emulator import servers
from local_aws.emulator.resources import Props, flag

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
    "ministack.services.rds": ("_instances",),
    "ministack.services.secretsmanager": ("_purge_secret", "_resolve", "_secrets"),
}

TYPE = "AWS::RDS::DBInstance"


def install() -> None:
    """Complete the emulator's handler."""
    stock = provisioners._RESOURCE_HANDLERS[TYPE]

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
        _refuse_without_password(props)
        physical_id, attributes = stock["create"](logical_id, props, stack_name)
        return physical_id, attributes | _connect(physical_id, props)

    def update(
        physical_id: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None
    ) -> tuple[str, Props]:
        new_id, attributes = stock["update"](physical_id, old, new, stack_name, logical_id)
        return new_id, attributes | _connect(new_id, new)

    def delete(physical_id: str, props: Props) -> None:
        instance = rds._instances.get(physical_id) or {}
        if instance.get("DeletionProtection"):
            raise RuntimeError("Cannot delete protected DB Instance, please disable deletion protection and try again.")
        name = _managed_secret_name(instance)
        secret = secretsmanager._secrets.get(name)
        if secret is not None:
            secretsmanager._purge_secret(name, secret)
        stock["delete"](physical_id, props)

    provisioners._RESOURCE_HANDLERS[TYPE] = {
        **stock,
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }


def _refuse_without_password(props: Props) -> None:
    sources = ("MasterUserPassword", "ManageMasterUserPassword", "DBSnapshotIdentifier", "SourceDBInstanceIdentifier")
    if not any(props.get(name) for name in sources):
        raise RuntimeError("The parameter MasterUserPassword must be provided and must not be blank.")


def _connect(physical_id: str, props: Props) -> Props:
    """Point the instance's endpoint at the real server; the attributes that follow from it."""
    instance = rds._instances[physical_id]
    if not props.get("Engine", "").startswith("mysql"):
        return {}
    server = servers.mysql_for(str(props.get("EngineVersion", "")))
    instance["Endpoint"].update(Address=server.host, Port=server.port)
    attributes = {"Endpoint.Address": server.host, "Endpoint.Port": str(server.port)}
    if flag(props.get("ManageMasterUserPassword", False)):
        attributes["MasterUserSecret.SecretArn"] = _managed_secret(instance, props, server)
    return attributes


def _managed_secret_name(instance: dict[str, Any]) -> str:
    return f"rds!{instance.get('DbiResourceId', '').lower()}"


def _managed_secret(instance: dict[str, Any], props: Props, server: servers.MySql) -> str:
    """The secret that RDS keeps for the master user: the name and the password, and nothing else."""
    name = _managed_secret_name(instance)
    if name not in secretsmanager._secrets:
        arn = f"arn:aws:secretsmanager:{get_region()}:{get_account_id()}:secret:{name}-{new_uuid()[:6]}"
        value = json.dumps({"username": server.admin_user, "password": server.admin_password})
        version = {"SecretString": value, "SecretBinary": None, "CreatedDate": 0, "Stages": ["AWSCURRENT"]}
        secretsmanager._secrets[name] = {
            "ARN": arn,
            "Name": name,
            "Description": f"The secret associated with the primary RDS DB instance: {instance['DBInstanceArn']}",
            "Tags": [
                {"Key": "aws:secretsmanager:owningService", "Value": "rds"},
                {"Key": "aws:rds:primaryDBInstanceArn", "Value": instance["DBInstanceArn"]},
            ],
            "CreatedDate": 0,
            "LastChangedDate": 0,
            "LastAccessedDate": None,
            "DeletedDate": None,
            "RotationEnabled": True,
            "RotationLambdaARN": None,
            "RotationRules": {"AutomaticallyAfterDays": 7},
            "ReplicationStatus": [],
            "KmsKeyId": (props.get("MasterUserSecret") or {}).get("KmsKeyId"),
            "Versions": {new_uuid(): version},
        }
    arn = secretsmanager._secrets[name]["ARN"]
    instance["MasterUsername"] = server.admin_user
    instance["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "active"}
    return arn
