"""Small types that belong to another resource and that the emulator's CloudFormation lacks, over its own APIs."""

import json

from local_aws.emulator.resources import Props, add, aws
from local_aws.emulator.typed import parameters

NAMES: dict[str, tuple[str, ...]] = {}


def install() -> None:
    """Add the types."""
    add("AWS::WAFv2::WebACLAssociation", create_firewall_association, delete_firewall_association)
    add("AWS::Backup::BackupSelection", create_backup_selection, delete_backup_selection)
    for owner in ("User", "Role"):
        add(
            f"AWS::IAM::{owner}Policy",
            lambda logical_id, props, stack, owner=owner: put_inline_policy(owner, props),
            lambda physical_id, props, owner=owner: delete_inline_policy(owner, physical_id),
        )


def create_firewall_association(_: str, props: Props, __: str) -> tuple[str, Props]:
    """A web ACL in front of a resource; no request is ever judged by it."""
    aws("wafv2").associate_web_acl(WebACLArn=props["WebACLArn"], ResourceArn=props["ResourceArn"])
    return f"{props['WebACLArn']}|{props['ResourceArn']}", {}


def delete_firewall_association(physical_id: str, _: Props) -> None:
    """Only where the association is still this one: an update may have put another ACL in its place."""
    acl, _, resource = physical_id.partition("|")
    client = aws("wafv2")
    try:
        present = client.get_web_acl_for_resource(ResourceArn=resource)["WebACL"]["ARN"]
    except client.exceptions.WAFNonexistentItemException:
        return
    if present == acl:
        client.disassociate_web_acl(ResourceArn=resource)


def create_backup_selection(_: str, props: Props, __: str) -> tuple[str, Props]:
    """What a backup plan takes care of; nothing is ever backed up."""
    request = parameters("backup", "CreateBackupSelection", props)
    selection = aws("backup").create_backup_selection(**request)
    plan, selection_id = selection["BackupPlanId"], selection["SelectionId"]
    return f"{selection_id}_{plan}", {"SelectionId": selection_id, "BackupPlanId": plan, "Id": selection_id}


def delete_backup_selection(physical_id: str, _: Props) -> None:
    """Take it off the plan; a plan that is gone has taken its selections along."""
    selection_id, _, plan = physical_id.partition("_")
    client = aws("backup")
    try:
        client.delete_backup_selection(BackupPlanId=plan, SelectionId=selection_id)
    except client.exceptions.ResourceNotFoundException:
        return


def put_inline_policy(owner: str, props: Props) -> tuple[str, Props]:
    """A policy inside a user or a role; a change of its document replaces it under the same id."""
    name, policy = props[f"{owner}Name"], props["PolicyName"]
    document = json.dumps(props["PolicyDocument"])
    put = getattr(aws("iam"), f"put_{owner.lower()}_policy")
    put(**{f"{owner}Name": name}, PolicyName=policy, PolicyDocument=document)
    return f"{policy}|{name}", {}


def delete_inline_policy(owner: str, physical_id: str) -> None:
    """Take it away; a user or role that is gone has taken it along."""
    policy, _, name = physical_id.partition("|")
    client = aws("iam")
    try:
        getattr(client, f"delete_{owner.lower()}_policy")(**{f"{owner}Name": name}, PolicyName=policy)
    except client.exceptions.NoSuchEntityException:
        return
