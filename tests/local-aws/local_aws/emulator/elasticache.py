"""ElastiCache: a replication group is a real Redis or Valkey of its own, with TLS, and its users are real ACL users.

A group without cluster mode is one server, whatever replicas it asks for; with cluster mode each shard is one. What
parameter groups set is set in the server, as far as the server knows it. A change of a user takes a moment in which the
user is `modifying`, and the server goes by what was before.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import elasticache
from ministack.services.cloudformation import provisioners

from local_aws import certificates
from local_aws.cache import fetching, server
from local_aws.cache.installation import Installation
from local_aws.emulator import patches
from local_aws.emulator.resources import run_off_the_loop
from local_aws.emulator.settings import SETTINGS
from local_aws.errors import LocalAwsError

NAMES = {
    "ministack.services.elasticache": (
        "_clusters",
        "_create_replication_group",
        "_create_user",
        "_create_user_group",
        "_delete_replication_group",
        "_error",
        "_modify_cache_parameter_group",
        "_modify_replication_group",
        "_modify_user",
        "_modify_user_group",
        "_p",
        "_param_group_params",
        "_replication_groups",
        "_user_groups",
        "_user_xml",
        "_users",
        "_xml",
    ),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
}

HOST = "localhost"
PASSWORD_LENGTH = range(16, 129)
MOST_PASSWORDS = 2
MODIFYING, MODIFYING_SECONDS = "modifying", 0.5
TRIAL = "local-aws-trial"
USER = "AWS::ElastiCache::User"
TYPES = ("ParameterGroup", "ReplicationGroup", "User", "UserGroup")

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any]], Answer]

log = logging.getLogger("local-aws.elasticache")
_caches: dict[str, server.Cache] = {}


def install() -> None:
    """Put the servers behind the API's operations, which CloudFormation's handlers call as well."""
    for name, wrap in (
        ("_create_user", _user),
        ("_modify_user", _user),
        ("_create_user_group", _user_group),
        ("_modify_user_group", _user_group),
        ("_modify_cache_parameter_group", _parameter_group),
        ("_create_replication_group", _create),
        ("_modify_replication_group", _modify),
        ("_delete_replication_group", _delete),
    ):
        patches.replace(elasticache.__name__, name, wrap)
    provisioners._RESOURCE_HANDLERS[USER] = _until_active(provisioners._RESOURCE_HANDLERS[USER])
    for name in TYPES:
        run_off_the_loop(f"AWS::ElastiCache::{name}")


# --- Users ------------------------------------------------------------------------------------------------------------


def _members(params: dict[str, Any], name: str) -> list[str]:
    found, number = [], 1
    while value := elasticache._p(params, f"{name}.member.{number}"):
        found.append(value)
        number += 1
    return found


def _user(stock: Handler) -> Handler:
    def handle(params: dict[str, Any]) -> Answer:
        passwords = _members(params, "Passwords") or _members(params, "AuthenticationMode.Passwords")
        refused = _refuse_passwords(passwords)
        if refused:
            return elasticache._error("InvalidParameterValue", refused, 400)
        before = dict(elasticache._users.get(elasticache._p(params, "UserId")) or {})
        if before.get("Status") == MODIFYING:
            return elasticache._error("InvalidUserState", f"User {before['UserId']} is not in active state.", 400)
        answer = stock(params)
        if answer[0] >= 400:
            return answer
        user = elasticache._users[elasticache._p(params, "UserId")]
        _authenticate(user, params, passwords)
        if not before:
            user["_in_force"] = _rule(user)
            return answer
        try:
            _try_out(user)
        except LocalAwsError as error:
            user.clear()
            user.update(before)
            return elasticache._error("InvalidParameterValue", str(error), 400)
        user["Status"] = MODIFYING
        threading.Thread(target=_carry_out, args=(user, get_account_id(), get_region()), daemon=True).start()
        return elasticache._xml(
            200, "ModifyUserResponse", f"<ModifyUserResult>{elasticache._user_xml(user)}</ModifyUserResult>"
        )

    return handle


def _carry_out(user: dict[str, Any], account: str, region: str) -> None:
    """The end of a modification, beside the request."""
    time.sleep(MODIFYING_SECONDS)
    with request_scope(account, region):
        user["_in_force"] = _rule(user)
        _apply_users(lambda group: user["UserId"] in _user_ids(group))
        user["Status"] = "active"


def _try_out(user: dict[str, Any]) -> None:
    """Raise what a server says to the user's new rule, before anything is changed."""
    for group in list(elasticache._replication_groups.values()):
        if user["UserId"] in _user_ids(group):
            cache = _caches[group["ARN"]]
            cache.everywhere([f"ACL SETUSER {TRIAL} {_rule(user)}", f"ACL DELUSER {TRIAL}"])


def _until_active(stock: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation goes on when the user is as the template wants it."""

    def update(user_id: str, *arguments: Any) -> Any:
        answer = stock["update"](user_id, *arguments)
        while (elasticache._users.get(user_id) or {}).get("Status") == MODIFYING:
            time.sleep(0.05)
        return answer

    return {**stock, "update": update}


def _refuse_passwords(passwords: list[str]) -> str:
    if len(passwords) > MOST_PASSWORDS:
        return f"A user can have {MOST_PASSWORDS} passwords at most, not {len(passwords)}."
    if any(len(one) not in PASSWORD_LENGTH for one in passwords):
        return f"A password must have {PASSWORD_LENGTH.start} to {PASSWORD_LENGTH.stop - 1} characters."
    return ""


def _authenticate(user: dict[str, Any], params: dict[str, Any], passwords: list[str]) -> None:
    kind = elasticache._p(params, "AuthenticationMode.Type")
    is_open = kind == "no-password-required" or elasticache._p(params, "NoPasswordRequired").lower() == "true"
    appended = elasticache._p(params, "AppendAccessString")
    if appended:
        user["AccessString"] = f"{user['AccessString']} {appended}"
    if passwords:
        # Only what ACL itself keeps; a modification replaces all that were there.
        user["_hashes"] = [hashlib.sha256(one.encode()).hexdigest() for one in passwords]
        user["Authentication"] = {"Type": "password", "PasswordCount": len(passwords)}
    elif is_open:
        user["_hashes"] = []
        user["Authentication"] = {"Type": "no-password", "PasswordCount": 0}


def _user_group(stock: Handler) -> Handler:
    def handle(params: dict[str, Any]) -> Answer:
        added = _members(params, "UserIds") or _members(params, "UserIdsToAdd")
        missing = [one for one in added if one not in elasticache._users]
        if missing:
            return elasticache._error("UserNotFound", f"User {missing[0]} not found.", 404)
        name = elasticache._p(params, "UserGroupId")
        before = (elasticache._user_groups.get(name) or {}).get("UserIds", [])
        ids = [one for one in (*before, *added) if one not in _members(params, "UserIdsToRemove")]
        names = [elasticache._users[one]["UserName"] for one in dict.fromkeys(ids) if one in elasticache._users]
        if "default" not in names:
            return elasticache._error("DefaultUserRequired", "A user group needs a user with the name default.", 400)
        if len(set(names)) < len(names):
            return elasticache._error("DuplicateUserName", "A user group cannot have two users of one name.", 400)
        answer = stock(params)
        if answer[0] < 400:
            _apply_users(lambda group: name in group["UserGroupIds"])
        return answer

    return handle


def _user_ids(group: dict[str, Any]) -> set[str]:
    return {
        user_id
        for name in group.get("UserGroupIds") or []
        for user_id in (elasticache._user_groups.get(name) or {}).get("UserIds", [])
    }


def _apply_users(concerns: Callable[[dict[str, Any]], bool]) -> None:
    for group in list(elasticache._replication_groups.values()):
        if concerns(group):
            _set_users(group)


def _set_users(group: dict[str, Any]) -> None:
    """Make the server's users those of the group; the administrator stays."""
    cache = _caches[group["ARN"]]
    wanted = dict(_rules(group))
    present = cache.call("ACL", "USERS").split()
    gone = [one for one in present if one not in wanted and one not in (server.ADMIN, "default")]
    lines = [f"ACL SETUSER {name} {rule}" for name, rule in wanted.items()]
    cache.everywhere([*lines, *(f"ACL DELUSER {one}" for one in gone)])


def _rules(group: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not group.get("UserGroupIds"):
        secrets = [f">{token}" for token in group.get("_auth_tokens") or []]
        yield "default", f"reset on ~* &* +@all {' '.join(secrets) or 'nopass'}"
        return
    for user_id in sorted(_user_ids(group)):
        user = elasticache._users[user_id]
        yield user["UserName"], user["_in_force"]


def _rule(user: dict[str, Any]) -> str:
    secrets = " ".join(f"#{one}" for one in user.get("_hashes") or []) or "nopass"
    return f"reset {user['AccessString']} {secrets}"


# --- Parameters -------------------------------------------------------------------------------------------------------


def _parameter_group(stock: Handler) -> Handler:
    def handle(params: dict[str, Any]) -> Answer:
        answer = stock(params)
        name = elasticache._p(params, "CacheParameterGroupName")
        for group in list(elasticache._replication_groups.values()):
            if answer[0] < 400 and group["CacheParameterGroupName"] == name:
                _set_parameters(group)
        return answer

    return handle


def _set_parameters(group: dict[str, Any]) -> None:
    """What somebody has set; ElastiCache's own parameters, and what only a start can set, the server does not take."""
    cache = _caches[group["ARN"]]
    known = elasticache._param_group_params.get(group["CacheParameterGroupName"]) or {}
    for name, parameter in known.items():
        if parameter.get("Source") != "user" or name == "cluster-enabled":
            continue
        if cache.call("CONFIG", "GET", name):
            cache.everywhere([f"CONFIG SET {name} {parameter['Value']}"])
        else:
            log.info("%s has no setting %s", cache, name)


# --- Replication groups -----------------------------------------------------------------------------------------------


def _home() -> Any:
    return SETTINGS.servers_file.parent / "cache"


def _installation(engine: str) -> Installation:
    """The server of this engine, else the other one: they are of one family."""
    known = fetching.known(_home())
    for one in known:
        if one.engine == engine:
            return one
    if not known:
        raise LocalAwsError(
            "no Redis or Valkey is there for AWS::ElastiCache::ReplicationGroup: run `python -m local_aws cache fetch`"
        )
    log.warning("there is no %s: %s stands in for it", engine, known[0].key)
    return known[0]


def _create(stock: Handler) -> Handler:
    def handle(params: dict[str, Any]) -> Answer:
        unknown = [one for one in _members(params, "UserGroupIds") if one not in elasticache._user_groups]
        if unknown:
            return elasticache._error("UserGroupNotFound", f"UserGroup {unknown[0]} not found.", 404)
        answer = stock(params)
        if answer[0] >= 400:
            return answer
        group = elasticache._replication_groups[elasticache._p(params, "ReplicationGroupId")]
        try:
            _start(group)
        except LocalAwsError as error:
            elasticache._delete_replication_group({"ReplicationGroupId": [group["ReplicationGroupId"]]})
            return elasticache._error("InternalFailure", str(error), 500)
        return answer

    return handle


def _start(group: dict[str, Any], ports: tuple[int, ...] = ()) -> None:
    home = _home()
    is_cluster = group["ClusterMode"] == "enabled"
    cache = server.start(
        _installation(group["Engine"]),
        certificates.ensure(home / "certificates"),
        home / "groups" / group["ReplicationGroupId"],
        shards=len(group["NodeGroups"]) if is_cluster else None,
        tls=bool(group["TransitEncryptionEnabled"]),
        ports=ports,
    )
    _caches[group["ARN"]] = cache
    _set_parameters(group)
    _set_users(group)
    _publish(group, cache, is_cluster)


def _publish(group: dict[str, Any], cache: server.Cache, is_cluster: bool) -> None:
    """Write the endpoints wherever a reader looks for them."""
    for shard, port in zip(group["NodeGroups"], cache.ports, strict=True):
        endpoint = {"Address": HOST, "Port": port}
        shard["PrimaryEndpoint"], shard["ReaderEndpoint"] = dict(endpoint), dict(endpoint)
        for member in shard["NodeGroupMembers"]:
            member["ReadEndpoint"] = dict(endpoint)
            node = elasticache._clusters[member["CacheClusterId"]]
            node["_endpoint"] = dict(endpoint)
            node["CacheNodes"][0]["Endpoint"] = dict(endpoint)
    group["ClusterEnabled"] = is_cluster
    group["ConfigurationEndpoint"] = {"Address": HOST, "Port": cache.ports[0]} if is_cluster else None


def _modify(stock: Handler) -> Handler:
    def handle(params: dict[str, Any]) -> Answer:
        answer = stock(params)
        group = elasticache._replication_groups.get(elasticache._p(params, "ReplicationGroupId"))
        if answer[0] >= 400 or group is None:
            return answer
        engine = elasticache._p(params, "Engine")
        if engine and engine != group["Engine"]:
            group["Engine"] = engine
            old = _caches[group["ARN"]]
            old.stop()
            # Clients keep the endpoint that they know, as on AWS.
            _start(group, old.ports)
        else:
            _set_parameters(group)
            _set_users(group)
        return answer

    return handle


def _delete(stock: Handler) -> Handler:
    def handle(params: dict[str, Any]) -> Answer:
        group = elasticache._replication_groups.get(elasticache._p(params, "ReplicationGroupId")) or {}
        cache = _caches.pop(group.get("ARN", ""), None)
        if cache is not None:
            cache.stop()
        return stock(params)

    return handle
