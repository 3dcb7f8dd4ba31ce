"""The templates as CloudFormation would see them: parsed, and resolved for one choice of parameters.

`deploy(parameters)` resolves the root template and, through its nested stacks, every module, and gives the `Stack` of
each. What only AWS could know (an id, an ARN) stays as a placeholder, `<module.LogicalId.Attribute>`, which goes through
Sub, Join and Split like any other text; so a test can follow a value from one module into another.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import pathlib
import re
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "cloudformation"
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/mautic/51af3dc0-da77-11e4-872e-1234567db123",
    "AWS::StackName": "mautic",
    "AWS::URLSuffix": "amazonaws.com",
}
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
PLACEHOLDER = re.compile(r"<([a-z-]+)\.([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?>")
# CloudFormation writes `!Ref AWS::NoValue` where a property is to be left out.
NO_VALUE = object()


class Loader(yaml.SafeLoader):
    """Reads the short forms (`!Ref`, `!Sub`) as their long ones."""


def _intrinsic(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value.split(".", 1) if name == "Fn::GetAtt" and isinstance(value, str) else value}


Loader.add_multi_constructor("!", _intrinsic)


@functools.cache
def load(path: pathlib.Path) -> dict[str, Any]:
    """The parsed template."""
    return yaml.load(path.read_text(), Loader)  # noqa: S506 - a SafeLoader with the intrinsic functions


def templates() -> list[pathlib.Path]:
    """Every template of the project."""
    return sorted(TEMPLATES.rglob("*.yaml"))


class TemplateError(AssertionError):
    """A template that CloudFormation would refuse."""


class RuleRefused(Exception):
    """The root's rules refuse these parameters; the text is what the operator reads."""


@dataclasses.dataclass(frozen=True)
class Resource:
    """One resource that is really made, resolved."""

    module: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...]
    attributes: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.module}: {self.logical_id} ({self.type})"

    @property
    def placeholder(self) -> str:
        """What a Ref to this resource gives."""
        return f"<{self.module}.{self.logical_id}>"


class Stack:
    """A template with its parameters: conditions judged, intrinsic functions resolved."""

    def __init__(self, path: pathlib.Path, parameters: dict[str, Any], tags: dict[str, str] | None = None) -> None:
        self.path, self.module, self.template, self.tags = path, path.stem, load(path), tags or {}
        self.children: dict[str, Stack] = {}
        self.parameters = self._parameters(parameters)
        self.resources = {
            logical_id: self._resource(logical_id, declared)
            for logical_id, declared in self.template["Resources"].items()
            if self._holds(declared.get("Condition"))
        }
        self.outputs = {
            name: self.resolve(output["Value"])
            for name, output in self.template.get("Outputs", {}).items()
            if self._holds(output.get("Condition"))
        }

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def _parameters(self, given: dict[str, Any]) -> dict[str, Any]:
        declared = self.template.get("Parameters", {})
        if unknown := sorted(given.keys() - declared.keys()):
            raise TemplateError(f"{self.module} has no parameter {', '.join(unknown)}")
        values = {}
        for name, parameter in declared.items():
            if name not in given and "Default" not in parameter:
                raise TemplateError(f"{self.module} requires {name}, which nobody gives")
            values[name] = check_parameter(self.module, name, parameter, given.get(name, parameter.get("Default")))
        return values

    def _resource(self, logical_id: str, declared: dict[str, Any]) -> Resource:
        depends_on = declared.get("DependsOn", [])
        properties = self.resolve(declared.get("Properties", {}))
        if declared["Type"] == "AWS::CloudFormation::Stack":
            self._child(logical_id, properties)
        attributes = {key: value for key, value in declared.items() if key.endswith("Policy")}
        names = (depends_on,) if isinstance(depends_on, str) else tuple(depends_on)
        return Resource(self.module, logical_id, declared["Type"], properties, names, attributes)

    def _child(self, logical_id: str, properties: dict[str, Any]) -> Stack:
        if logical_id not in self.children:
            path = (self.path.parent / properties["TemplateURL"]).resolve()
            tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
            self.children[logical_id] = Stack(path, properties["Parameters"], self.tags | tags)
        return self.children[logical_id]

    # Conditions -------------------------------------------------------------------------------------------------

    def _holds(self, name: str | None) -> bool:
        return name is None or self.judge({"Condition": name})

    def judge(self, expression: dict[str, Any]) -> bool:
        """Whether a condition, or the assertion of a rule, holds."""
        ((function, argument),) = expression.items()
        match function:
            case "Condition":
                if argument not in self.template.get("Conditions", {}):
                    raise TemplateError(f"{self.module} has no condition {argument}")
                return self.judge(self.template["Conditions"][argument])
            case "Fn::Equals":
                left, right = (str(self.resolve(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self.judge(argument[0])
            case "Fn::And":
                return all([self.judge(part) for part in argument])
            case "Fn::Or":
                return any([self.judge(part) for part in argument])
        raise TemplateError(f"{self.module}: {function} is no condition function that this model knows")

    # Intrinsic functions ----------------------------------------------------------------------------------------

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function carried out."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self._holds(condition) else otherwise)
            case "Fn::FindInMap":
                return self._find(*map(self.resolve, argument))
            case "Fn::Sub":
                return self._substitute(argument)
            case "Fn::Join":
                separator, items = argument
                return separator.join(map(str, self.resolve(items)))
            case "Fn::Split":
                return str(self.resolve(argument[1])).split(argument[0])
            case "Fn::Select":
                return self.resolve(argument[1])[int(self.resolve(argument[0]))]
            case "Fn::GetAZs":
                return ZONES
            case "Fn::Cidr":
                return _ranges(*map(self.resolve, argument))
        raise TemplateError(f"{self.module}: {function} is no function that this model knows")

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._placeholder(name, None)

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        declared = self.template["Resources"].get(logical_id, {})
        if declared.get("Type") == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
            child = self._child(logical_id, self.resolve(declared["Properties"]))
            if attribute[len("Outputs.") :] not in child.outputs:
                raise TemplateError(f"{child.module} has no output {attribute}, which {self.module} uses")
            return child.outputs[attribute[len("Outputs.") :]]
        return self._placeholder(logical_id, attribute)

    def _placeholder(self, logical_id: str, attribute: str | None) -> str:
        declared = self.template["Resources"].get(logical_id)
        if declared is None:
            raise TemplateError(f"{self.module} has neither parameter nor resource {logical_id}")
        if not self._holds(declared.get("Condition")):
            raise TemplateError(f"{self.module} refers to {logical_id}, which is not made under {self.parameters}")
        return f"<{self.module}.{logical_id}{'.' + attribute if attribute else ''}>"

    def _find(self, name: str, first: Any, second: Any) -> Any:
        try:
            return self.template["Mappings"][name][str(first)][str(second)]
        except KeyError as missing:
            raise TemplateError(f"{self.module}: mapping {name} has no {first}/{second} ({missing})") from missing

    def _substitute(self, argument: Any) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in extra:
                return str(self.resolve(extra[name]))
            if "." in name:
                return str(self._attribute(*name.split(".", 1)))
            return str(self._reference(name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", value, text)


def _ranges(block: str, count: Any, bits: Any) -> list[str]:
    subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
    return [str(next(subnets)) for _ in range(int(count))]


def check_parameter(module: str, name: str, declared: dict[str, Any], value: Any) -> Any:
    """The value as the template sees it; an error if CloudFormation would refuse it."""
    text = ",".join(value) if isinstance(value, list) else str(value)
    allowed = [str(item) for item in declared.get("AllowedValues", [text])]
    refused = text not in allowed
    if not PLACEHOLDER.search(text):
        refused |= not re.search(declared.get("AllowedPattern", ""), text)
        refused |= len(text) < int(declared.get("MinLength", 0))
    if refused:
        raise TemplateError(f"{module} refuses {name}={text!r}: {declared.get('ConstraintDescription', allowed)}")
    return text.split(",") if declared["Type"] == "CommaDelimitedList" else text


def refusals(root: Stack) -> list[str]:
    """What the root's rules say against its parameters."""
    return [
        assertion["AssertDescription"]
        for rule in root.template["Rules"].values()
        if root.judge(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not root.judge(assertion["Assert"])
    ]


def deploy(parameters: dict[str, Any]) -> list[Stack]:
    """The root and every module for these parameters; RuleRefused if the rules are against them."""
    root = Stack(TEMPLATES / "mautic.yaml", parameters)
    if refused := refusals(root):
        raise RuleRefused("\n".join(refused))
    return [root, *root.children.values()]


def walk(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every scalar below a value, each with its path."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in walk(item, f"{path}/{key}")]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in walk(item, f"{path}/{index}")]
    return [(path, value)]


def listed(value: Any) -> list[Any]:
    """IAM and CloudFormation take one item where they take a list."""
    return value if isinstance(value, list) else [value]
