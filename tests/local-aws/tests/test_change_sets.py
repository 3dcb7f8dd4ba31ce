"""Change sets of a whole hierarchy."""

import unittest
from typing import Any

from support import HERE, Stack, TestCase, url


class ChangeSets(TestCase):
    """See the sentences."""

    def changed(self, stack: Stack, nested: bool, **parameters: str) -> dict[str, Any]:
        """Make a change set and read it."""
        name = "look"
        stack.cloudformation.create_change_set(
            **stack._request({"Template": url("actor.yaml"), **parameters}),
            ChangeSetName=name,
            IncludeNestedStacks=nested,
        )
        return stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName=name)

    def parent(self) -> Stack:
        stack = self.new("parent.yaml")
        self.assertEqual(stack.create(Template=url("actor.yaml")), "CREATE_COMPLETE", stack.story())
        return stack

    def rows(self, change_set: dict[str, Any]) -> dict[str, dict[str, Any]]:
        resources = [one["ResourceChange"] for one in change_set["Changes"]]
        return {one["LogicalResourceId"]: one for one in resources}

    def test_each_modified_nested_stack_has_a_change_set_of_its_own(self):
        stack = self.parent()
        rows = self.rows(self.changed(stack, True, Name="b"))
        self.assertEqual(list(rows), ["Early"])
        nested = stack.cloudformation.describe_change_set(ChangeSetName=rows["Early"]["ChangeSetId"])
        inside = self.rows(nested)
        self.assertIn("First", inside)
        self.assertEqual({one["Target"]["Name"] for one in inside["First"]["Details"]}, {"Name"})

    def test_nested_change_sets_go_with_their_root(self):
        stack = self.parent()
        nested = self.rows(self.changed(stack, True, Name="b"))["Early"]["ChangeSetId"]
        stack.cloudformation.delete_change_set(StackName=stack.name, ChangeSetName="look")
        with self.assertRaises(stack.cloudformation.exceptions.ChangeSetNotFoundException):
            stack.cloudformation.describe_change_set(ChangeSetName=nested)

    def test_what_replaces_a_resource_is_known_from_its_schema(self):
        stack = self.deployed("guarded.yaml", Name="schema-1")
        for parameters, replacement in (({"Name": "schema-2"}, "True"), ({"Name": "schema-1", "Note": "b"}, "False")):
            request = stack._request(parameters)
            stack.cloudformation.create_change_set(**request, ChangeSetName="look")
            read = stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="look")
            self.assertEqual(self.rows(read)["Files"]["Replacement"], replacement, parameters)
            stack.cloudformation.delete_change_set(StackName=stack.name, ChangeSetName="look")

    def test_what_a_new_resource_would_give_is_taken_to_stay_as_it_is(self):
        stack = self.parent()
        template = (HERE / "templates" / "parent.yaml").read_text()
        # A third stack, whose output the first now takes.
        template = template.replace("Name: !Ref Name,", "Name: !GetAtt Newest.Outputs.Id,", 1)
        later = template[template.index("  Later:") : template.index("Outputs:")]
        newest = later.replace("  Later:", "  Newest:").replace("    DependsOn: Early\n", "")
        template = template.replace("Outputs:", newest + "Outputs:", 1)
        request = {**stack._request({"Template": url("actor.yaml")}), "TemplateBody": template}
        del request["TemplateURL"]
        stack.cloudformation.create_change_set(**request, ChangeSetName="look", IncludeNestedStacks=True)
        rows = self.rows(stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="look"))
        self.assertEqual({name: one["Action"] for name, one in rows.items()}, {"Early": "Modify", "Newest": "Add"})
        nested = stack.cloudformation.describe_change_set(ChangeSetName=rows["Early"]["ChangeSetId"])
        self.assertEqual(nested["Changes"], [])

    def test_tags_that_a_nested_stack_has_from_its_parent_are_no_change(self):
        stack = self.new("parent.yaml")
        tags = [{"Key": "Application", "Value": "mautic"}]
        request = stack._request({"Template": url("actor.yaml")})
        stack.cloudformation.create_stack(**request, Tags=tags)
        self.assertEqual(stack.settled(), "CREATE_COMPLETE", stack.story())
        request = stack._request({"Template": url("actor.yaml"), "Name": "b"})
        stack.cloudformation.create_change_set(**request, ChangeSetName="look", IncludeNestedStacks=True, Tags=tags)
        rows = self.rows(stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="look"))
        nested = stack.cloudformation.describe_change_set(ChangeSetName=rows["Early"]["ChangeSetId"])
        scopes = {scope for one in self.rows(nested).values() for scope in one["Scope"]}
        self.assertEqual(scopes, {"Properties"})

    def test_without_the_wish_there_are_none(self):
        rows = self.rows(self.changed(self.parent(), False, Name="b"))
        self.assertNotIn("ChangeSetId", rows["Early"])

    def test_nested_change_set_that_cannot_be_made_fails_its_root(self):
        stack = self.parent()
        failed = self.changed(stack, True, Template=url("no-such.yaml"))
        self.assertEqual(failed["Status"], "FAILED")
        self.assertRegex(failed["StatusReason"], "^Nested change set of (Early|Later) was not successfully created: ")


if __name__ == "__main__":
    unittest.main()
