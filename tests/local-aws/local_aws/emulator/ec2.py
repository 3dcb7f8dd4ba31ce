"""EC2: the types that the emulator's CloudFormation lacks, over its EC2 API; and what templates read with GetAtt."""

from typing import Any

from local_aws.emulator.resources import Props, add, add_attributes, aws

NAMES: dict[str, tuple[str, ...]] = {}


def install() -> None:
    """Add the types."""
    add("AWS::EC2::EIP", create_address, delete_address, lambda physical_id, old, new: _address_attributes(physical_id))
    add("AWS::EC2::NatGateway", create_nat_gateway, delete_nat_gateway)
    add("AWS::EC2::FlowLog", create_flow_log, delete_flow_log)
    for direction in ("ingress", "egress"):
        add(
            f"AWS::EC2::SecurityGroup{direction.title()}",
            lambda logical_id, props, stack, direction=direction: create_rule(direction, props),
            lambda physical_id, props, direction=direction: delete_rule(direction, props),
        )
    add_attributes("AWS::EC2::VPC", lambda physical_id, props: {"CidrBlock": props.get("CidrBlock")})
    add_attributes("AWS::EC2::Subnet", subnet_attributes)


def subnet_attributes(_: str, props: Props) -> Props:
    """The properties that AWS echoes."""
    return {name: props[name] for name in ("CidrBlock", "VpcId") if name in props}


def _tag_specifications(resource_type: str, props: Props) -> Props:
    tags = props.get("Tags")
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": tags}]} if tags else {}


def create_address(_: str, props: Props, __: str) -> tuple[str, Props]:
    """AWS::EC2::EIP, whose Ref is the address."""
    address = aws("ec2").allocate_address(Domain="vpc", **_tag_specifications("elastic-ip", props))
    return address["PublicIp"], {"AllocationId": address["AllocationId"], "PublicIp": address["PublicIp"]}


def _find_address(public_ip: str) -> Any:
    return next((one for one in aws("ec2").describe_addresses()["Addresses"] if one["PublicIp"] == public_ip), None)


def _address_attributes(public_ip: str) -> Props:
    address = _find_address(public_ip)
    return {"AllocationId": address["AllocationId"], "PublicIp": public_ip} if address else {}


def delete_address(public_ip: str, _: Props) -> None:
    """Release the address, if it is still there."""
    address = _find_address(public_ip)
    if address is not None:
        aws("ec2").release_address(AllocationId=address["AllocationId"])


def create_nat_gateway(_: str, props: Props, __: str) -> tuple[str, Props]:
    """AWS::EC2::NatGateway; nothing passes through it."""
    settings = {name: props[name] for name in ("SubnetId", "AllocationId", "ConnectivityType") if name in props}
    gateway = aws("ec2").create_nat_gateway(**settings, **_tag_specifications("natgateway", props))["NatGateway"]
    return gateway["NatGatewayId"], {"NatGatewayId": gateway["NatGatewayId"]}


def delete_nat_gateway(physical_id: str, _: Props) -> None:
    """Delete the gateway."""
    aws("ec2").delete_nat_gateway(NatGatewayId=physical_id)


def create_flow_log(_: str, props: Props, __: str) -> tuple[str, Props]:
    """AWS::EC2::FlowLog; no flow is ever logged."""
    names = ("LogGroupName", "DeliverLogsPermissionArn", "LogDestination", "MaxAggregationInterval", "LogFormat")
    settings = {name: props[name] for name in names if name in props}
    if "MaxAggregationInterval" in settings:
        settings["MaxAggregationInterval"] = int(settings["MaxAggregationInterval"])
    answer = aws("ec2").create_flow_logs(
        ResourceIds=[props["ResourceId"]],
        ResourceType=props["ResourceType"],
        TrafficType=props.get("TrafficType", "ALL"),
        LogDestinationType=props.get("LogDestinationType", "cloud-watch-logs"),
        **settings,
    )
    return answer["FlowLogIds"][0], {"Id": answer["FlowLogIds"][0]}


def delete_flow_log(physical_id: str, _: Props) -> None:
    """Delete the flow log."""
    aws("ec2").delete_flow_logs(FlowLogIds=[physical_id])


def _permission(props: Props) -> Props:
    described = {"Description": props["Description"]} if props.get("Description") else {}
    rule: Props = {"IpProtocol": str(props["IpProtocol"])}
    rule |= {name: int(props[name]) for name in ("FromPort", "ToPort") if name in props}
    group = props.get("SourceSecurityGroupId") or props.get("DestinationSecurityGroupId")
    prefix_list = props.get("SourcePrefixListId") or props.get("DestinationPrefixListId")
    if "CidrIp" in props:
        rule["IpRanges"] = [{"CidrIp": props["CidrIp"], **described}]
    if "CidrIpv6" in props:
        rule["Ipv6Ranges"] = [{"CidrIpv6": props["CidrIpv6"], **described}]
    if group:
        rule["UserIdGroupPairs"] = [{"GroupId": group, **described}]
    if prefix_list:
        rule["PrefixListIds"] = [{"PrefixListId": prefix_list, **described}]
    return {"GroupId": props["GroupId"], "IpPermissions": [rule]}


def create_rule(direction: str, props: Props) -> tuple[str, Props]:
    """AWS::EC2::SecurityGroupIngress and ...Egress as rules of the group that they name."""
    call = getattr(aws("ec2"), f"authorize_security_group_{direction}")
    rules = call(**_permission(props)).get("SecurityGroupRules") or [{}]
    rule_id = rules[0].get("SecurityGroupRuleId") or f"sgr-{props['GroupId'].removeprefix('sg-')}"
    return rule_id, {"Id": rule_id}


def delete_rule(direction: str, props: Props) -> None:
    """Revoke the rule."""
    getattr(aws("ec2"), f"revoke_security_group_{direction}")(**_permission(props))
