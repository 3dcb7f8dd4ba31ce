"""How our modules add resource types to CloudFormation, or complete those that the emulator has."""

import threading
from collections.abc import Callable
from typing import Any

import botocore.client
import botocore.session
from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners, stacks

from local_aws.emulator import patches
from local_aws.emulator.settings import SETTINGS

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS", "_delete_predecessor"),
    "ministack.services.cloudformation.stacks": ("_runs_on_worker_thread",),
}

Props = dict[str, Any]
Create = Callable[[str, Props, str], tuple[str, Props]]
Delete = Callable[[str, Props], None]
Update = Callable[[str, Props, Props], Props]
Attributes = Callable[[str, Props], Props]

_off_the_loop: set[str] = set()
_clients: dict[tuple[str, str], botocore.client.BaseClient] = {}
# One for all: each reads the table of AWS's endpoints, which takes longer than most calls. It makes one client at a time.
_session, _making = botocore.session.get_session(), threading.Lock()


def install() -> None:
    """Let our types' handlers call the emulator's own API: they then run beside its event loop, not on it."""
    patches.replace(
        stacks.__name__,
        "_runs_on_worker_thread",
        lambda stock: lambda resource_type: resource_type in _off_the_loop or stock(resource_type),
    )


def aws(service: str) -> Any:
    """A client of the emulator itself, signed with the root key that this process alone knows."""
    key = (service, get_region())
    with _making:
        if key not in _clients:
            _clients[key] = _session.create_client(
                service,
                endpoint_url=SETTINGS.endpoint,
                region_name=get_region(),
                aws_access_key_id=SETTINGS.root_access_key,
                aws_secret_access_key=SETTINGS.root_secret_key,
            )
        return _clients[key]


def add(resource_type: str, create: Create, delete: Delete | None = None, update: Update | None = None) -> None:
    """Add a type. Without `update` a change replaces the resource: the old one goes in the clean-up phase."""
    _off_the_loop.add(resource_type)

    def change(physical_id: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None) -> Any:
        if update is not None:
            return physical_id, update(physical_id, old, new)
        return create(logical_id or physical_id, new, stack_name)

    provisioners._RESOURCE_HANDLERS[resource_type] = {
        "create": create,
        "update": change,
        "update_with_logical_id": True,
        "delete": delete or (lambda physical_id, props: None),
    }


def add_attributes(resource_type: str, attributes: Attributes, *, off_the_loop: bool = False) -> None:
    """Let Fn::GetAtt answer what the emulator's own handler of this type leaves out."""
    stock = provisioners._RESOURCE_HANDLERS[resource_type]
    if off_the_loop:
        _off_the_loop.add(resource_type)

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
        physical_id, known = stock["create"](logical_id, props, stack_name)
        return physical_id, {**attributes(physical_id, props), **known}

    def update(physical_id: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None) -> Any:
        if "update" not in stock:
            return create(logical_id or physical_id, new, stack_name)
        named = (logical_id,) if stock.get("update_with_logical_id") else ()
        new_id, known = stock["update"](physical_id, old, new, stack_name, *named)
        return new_id, {**attributes(new_id, new), **(known or {})}

    provisioners._RESOURCE_HANDLERS[resource_type] = {
        **stock,
        "create": create,
        "update": update,
        "update_with_logical_id": True,
    }


def run_off_the_loop(resource_type: str) -> None:
    """Let the handlers of a type that the emulator has wait, or call its API."""
    _off_the_loop.add(resource_type)


def flag(value: Any) -> bool:
    """A boolean as a template may carry it: true, "true" or "True"."""
    return str(value).lower() == "true"
