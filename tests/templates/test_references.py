"""Prevents: a condition that switched a resource off while an output still named it, found when the stack was deployed.

Resolving a combination raises on a reference to nothing; these tests make every combination be resolved, and hold that
the combinations are worth the name.
"""

from __future__ import annotations

import re
import unittest

from combinations import FEATURES, deployments, environments, parameter_files
from support import PropertyTest
from template_model import PLACEHOLDER, TEMPLATES, Stack, TemplateError, listed, load, templates, walk


class References(PropertyTest):
    def test_every_reference_leads_to_something_that_is_made(self):
        def findings():
            for deployment in deployments():
                for resource in deployment.resources():
                    for path, value in walk(resource.properties):
                        for module, logical_id, _ in PLACEHOLDER.findall(str(value)):
                            if logical_id not in deployment.modules[module].resources:
                                yield deployment, resource, f"{path} names {module}/{logical_id}, which is not made"

        self.holds(findings())

    def test_depends_on_names_resources_of_the_template(self):
        self.holds(
            (path.name, logical_id, f"depends on {name}, which is not there")
            for path in templates()
            for logical_id, declared in load(path)["Resources"].items()
            for name in listed(declared.get("DependsOn", []))
            if name not in load(path)["Resources"]
        )

    def test_every_parameter_condition_and_mapping_is_used(self):
        def findings():
            for path in templates():
                text = path.read_text()
                for section in ("Parameters", "Conditions", "Mappings"):
                    for name in load(path).get(section, {}):
                        uses = rf"(!Ref {name}\b|\$\{{{name}\}}|!Condition {name}\b|Condition: {name}\b|!If \[{name},|- {name}\n|FindInMap \[{name},)"
                        body = text[text.index("\nParameters:") :]
                        if not re.search(uses, body):
                            yield path.name, name, f"stands in {section} and nobody uses it"

        self.holds(findings())

    def test_every_module_is_part_of_every_installation(self):
        modules = {path.stem for path in (TEMPLATES / "modules").glob("*.yaml")}
        self.assertTrue(all(modules <= set(deployment.modules) for deployment in deployments()))


class Combinations(unittest.TestCase):
    def test_every_feature_is_reached_in_every_environment_but_production_without_notice(self):
        names = [deployment.name for deployment in deployments()]
        missing = [
            f"{environment}: {feature}"
            for environment in environments()
            for group in FEATURES.values()
            for feature in group
            if not any(name.startswith(environment) and feature in name.split(", ") for name in names)
        ]
        self.assertEqual(missing, ["prod: nobody"])

    def test_the_parameter_files_are_dev_local_prod_and_test(self):
        self.assertEqual([one.name for one in parameter_files()], ["dev.json", "local.json", "prod.json", "test.json"])


class Model(unittest.TestCase):
    """The oracle itself: a model that accepted everything would make every other test worthless."""

    def refused(self, **parameters: str) -> str:
        with self.assertRaises(TemplateError) as raised:
            Stack(TEMPLATES / "mautic.yaml", parameters)
        return str(raised.exception)

    def test_an_unknown_parameter_is_refused(self):
        text = self.refused(Environment="dev", Domain="example.com", Enviroment="dev")
        self.assertEqual(text, "mautic has no parameter Enviroment")

    def test_a_missing_parameter_is_refused(self):
        self.assertEqual(self.refused(Environment="dev"), "mautic requires Domain, which nobody gives")

    def test_a_value_against_its_pattern_is_refused(self):
        text = self.refused(Environment="dev", Domain="Example")
        self.assertEqual(text, "mautic refuses Domain='Example': A lower-case domain name such as example.org.")

    def test_a_value_against_the_allowed_ones_is_refused(self):
        text = self.refused(Environment="live", Domain="example.com")
        self.assertEqual(text, "mautic refuses Environment='live': ['dev', 'test', 'prod']")


if __name__ == "__main__":
    unittest.main()
