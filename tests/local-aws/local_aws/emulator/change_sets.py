"""Change sets of a whole hierarchy: the stock emulator knows `IncludeNestedStacks` and does not heed it.

Which properties replace a resource is read in the resource types' own schemas, which cfn-lint carries; the emulator has a
table of a few types. Each nested stack that the root's change set modifies gets a change set of its own, made from the values that its parameters
would have now; what another nested stack would only give on the way is not known then, as on CloudFormation.
"""

import copy
import functools
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers, stacks

from local_aws.emulator import nested_stacks, stack_engine
from local_aws.state import REGION

NAMES = {
    "ministack.services.cloudformation": ("_change_sets", "_stacks"),
    "ministack.services.cloudformation.engine": ("_evaluate_conditions", "_resolve_refs"),
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS",),
    "ministack.services.cloudformation.stacks": ("_property_recreation", "_stack_region_context"),
}

SCHEMAS = Path(importlib.util.find_spec("cfnlint").origin).parent / "data" / "schemas"

# CloudFormation's own word for it.
LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"

Params = dict[str, list[str]]
Answer = tuple[int, Any, Any]
Handler = Callable[[Params], Answer]


def install() -> None:
    """Stand before the emulator's own handlers."""
    for action, function in (("CreateChangeSet", create), ("DescribeChangeSet", describe), ("DeleteChangeSet", delete)):
        handlers._ACTION_HANDLERS[action] = functools.partial(function, handlers._ACTION_HANDLERS[action])
    # Only what a change set tells: how the engine carries a change out is the handlers' own affair.
    stacks._property_recreation = functools.partial(recreation, stacks._property_recreation)


@functools.cache
def _schema(resource_type: str) -> dict[str, Any] | None:
    names = json.loads((SCHEMAS / "providers" / f"{REGION}.json").read_text())
    if resource_type not in names:
        return None
    return json.loads((SCHEMAS / "resources" / f"{names[resource_type]}.json").read_text())


def recreation(stock: Callable[[str, str], str], resource_type: str, name: str) -> str:
    """Whether a change of the property replaces the resource: `Always`, `Conditionally` or `Never`."""
    schema = _schema(resource_type)
    if schema is None:
        return stock(resource_type, name)
    always = schema.get("createOnlyProperties", [])
    if f"/properties/{name}" in always:
        return "Always"
    # A part of the property, which may or may not be what has changed.
    perhaps = [*always, *schema.get("conditionalCreateOnlyProperties", [])]
    return "Conditionally" if any(path.split("/")[2] == name for path in perhaps) else "Never"


def _text(answer: Answer) -> str:
    body = answer[2]
    return body if isinstance(body, str) else body.decode()


def _value(params: Params, name: str) -> str:
    return (params.get(name) or [""])[0]


def create(stock: Handler, params: Params) -> Answer:
    """Make the change set, and one for each nested stack that it modifies."""
    answer = stock(params)
    found = re.search(r"<Id>(.*?)</Id>", _text(answer))
    if answer[0] >= 400 or _value(params, "IncludeNestedStacks") != "true" or found is None:
        return answer
    change_set = cloudformation._change_sets[found.group(1)]
    _heed_conditions(change_set)
    for change in change_set["Changes"]:
        resource = change["ResourceChange"]
        if resource["ResourceType"] == stack_engine.STACK and resource["Action"] == "Modify":
            _nest(stock, change_set, resource)
    return answer


def _heed_conditions(change_set: dict[str, Any]) -> None:
    """Tell what becomes of resources with conditions: the stock emulator compares templates as if all were there."""
    stack = cloudformation._stacks[change_set["StackName"]]
    template, there = change_set["_template"], stack.get("_resources", {})
    with stacks._stack_region_context(stack, stack["StackId"]):
        wanted = _wanted(template, engine._evaluate_conditions(template, change_set["_resolved_params"]))
    kept = []
    for change in change_set["Changes"]:
        resource = change["ResourceChange"]
        name = resource["LogicalResourceId"]
        if resource["Action"] == "Modify" and name not in there:
            resource["Action"] = "Add"
        elif resource["Action"] == "Modify" and name not in wanted:
            resource["Action"] = "Remove"
        if name in wanted or name in there:
            kept.append(change)
    change_set["Changes"] = kept


def _nest(stock: Handler, change_set: dict[str, Any], resource: dict[str, Any]) -> None:
    parent = cloudformation._stacks[change_set["StackName"]]
    settings = nested_stacks._settings(_properties(change_set, parent, resource), parent)
    request = {
        **settings,
        "StackName": resource["PhysicalResourceId"],
        "ChangeSetName": f"{change_set['ChangeSetName']}-{resource['LogicalResourceId']}",
        "ChangeSetType": "UPDATE",
        "IncludeNestedStacks": "true",
    }
    answer = create(stock, {name: [value] for name, value in request.items()})
    if answer[0] < 400:
        resource["ChangeSetId"] = re.search(r"<Id>(.*?)</Id>", _text(answer)).group(1)
        return
    message = re.search(r"<Message>(.*?)</Message>", _text(answer), re.DOTALL)
    change_set.update(
        Status="FAILED",
        ExecutionStatus="UNAVAILABLE",
        StatusReason=f"Nested change set of {resource['LogicalResourceId']} was not successfully created: "
        f"{message.group(1) if message else 'no reason given'}",
    )


def _properties(change_set: dict[str, Any], parent: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    """The nested stack's properties, with what the other resources give at present."""
    template, values = change_set["_template"], change_set["_resolved_params"]
    properties = copy.deepcopy(template["Resources"][resource["LogicalResourceId"]]["Properties"])
    nested = next(one for one in cloudformation._stacks.values() if one["StackId"] == resource["PhysicalResourceId"])
    before = {one["ParameterKey"]: one["ParameterValue"] for one in nested.get("Parameters", [])}
    with stacks._stack_region_context(parent, parent["StackId"]):
        conditions = engine._evaluate_conditions(template, values)

        def resolved(value: Any) -> Any:
            names = (parent["_resources"], values, conditions, template.get("Mappings", {}))
            return engine._resolve_refs(value, *names, parent["StackName"], parent["StackId"])

        parameters = properties.pop("Parameters", {})
        new = [name for name in _wanted(template, conditions) if name not in parent["_resources"]]
        given = {name: _known(new, value, resolved) for name, value in parameters.items()}
        # What another stack would only give on the way is taken to stay as it is.
        kept = {name: before.get(name, LATER) if value is None else value for name, value in given.items()}
        return {**resolved(properties), "Parameters": kept, "Tags": _tags(parent, resolved(properties.get("Tags", [])))}


def _tags(parent: dict[str, Any], own: list[dict[str, str]]) -> list[dict[str, str]]:
    """A nested stack has its parent's tags too; its own win."""
    keys = {tag["Key"] for tag in own}
    return [*(tag for tag in parent.get("Tags") or [] if tag["Key"] not in keys), *own]


def _wanted(template: dict[str, Any], conditions: dict[str, bool]) -> list[str]:
    """The resources that the template asks for, with these conditions."""
    return [name for name, one in template["Resources"].items() if conditions.get(one.get("Condition"), True)]


def _known(new: list[str], value: Any, resolved: Callable[[Any], Any]) -> Any:
    """The parameter's value; None if it is that of a new resource, which does not give it yet."""
    if any(re.search(rf"[\"{{]{name}[\".}}]", json.dumps(value)) for name in new):
        return None
    try:
        return resolved(value)
    except ValueError:
        return None


def describe(stock: Handler, params: Params) -> Answer:
    """Name the nested change sets in the rows of their stacks."""
    status, headers, body = answer = stock(params)
    found = re.search(r"<ChangeSetId>(.*?)</ChangeSetId>", _text(answer))
    if status >= 400 or found is None:
        return answer
    text = _text(answer)
    for change in cloudformation._change_sets[found.group(1)]["Changes"]:
        resource = change["ResourceChange"]
        if "ChangeSetId" in resource:
            name = f"<LogicalResourceId>{escape(resource['LogicalResourceId'])}</LogicalResourceId>"
            text = text.replace(name, f"{name}<ChangeSetId>{resource['ChangeSetId']}</ChangeSetId>")
    return status, headers, text if isinstance(body, str) else text.encode()


def delete(stock: Handler, params: Params) -> Answer:
    """Delete the nested change sets with their root's."""
    name = _value(params, "ChangeSetName")
    known = [one for key, one in cloudformation._change_sets.items() if name in (key, one["ChangeSetName"])]
    for change_set in known:
        _forget(change_set)
    return stock(params)


def _forget(change_set: dict[str, Any]) -> None:
    for change in change_set["Changes"]:
        nested = cloudformation._change_sets.pop(change["ResourceChange"].get("ChangeSetId", ""), None)
        if nested is not None:
            _forget(nested)
