"""A resource's properties as the parameters of the API operation that makes it.

CloudFormation spells them with a capital and hands numbers and booleans on as text where they came through a parameter;
the API wants its own spelling and its own types. Both are in the service's model, which botocore carries.
"""

from typing import Any

from botocore.model import Shape

from local_aws.emulator.resources import Props, aws, flag

NAMES: dict[str, tuple[str, ...]] = {}


def parameters(service: str, operation: str, props: Props) -> Props:
    """The parameters; raise `ValueError` naming a property that the operation does not have."""
    shape = aws(service).meta.service_model.operation_model(operation).input_shape
    return _value(shape, props, "")


def _value(shape: Shape, value: Any, place: str) -> Any:
    match shape.type_name:
        case "structure":
            names = {name.lower(): name for name in shape.members}
            found = {}
            for key, member in value.items():
                name = names.get(key.lower())
                if name is None:
                    raise ValueError(f"Encountered unsupported property {key}{place and f' in {place}'}")
                found[name] = _value(shape.members[name], member, key)
            return found
        case "list":
            return [_value(shape.member, one, place) for one in (value if isinstance(value, list) else [value])]
        case "map":
            return {str(key): _value(shape.value, one, place) for key, one in value.items()}
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            return flag(value)
        case "string":
            return str(value).lower() if isinstance(value, bool) else str(value)
    return value
