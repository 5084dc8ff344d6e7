"""The OpenAPI document: committed as it is made, whole, and with examples that are true of its own schemas."""

import re
from functools import cache
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from api.app import make_routes
from api.document import examples, openapi
from api.problems import KINDS
from api.security.scopes import ROLES, SCOPES


@cache
def document() -> dict[str, Any]:
    return openapi.document(make_routes())


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, each) for path, methods in document()["paths"].items() for each in methods.values()]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    found: dict[str, Any] = document()
    for part in node.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return found if "$ref" in node else node


def check(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, as sentences."""
    whole = {**schema, "components": document()["components"]}
    found = Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
    return [f"{each.json_path}: {each.message}" for each in found]


def test_the_committed_document_is_the_one_of_the_program() -> None:
    made = openapi.encoded(openapi.document(make_routes()))
    assert openapi.PATH.read_bytes() == made, "run `python -m api.write_openapi` and commit openapi/openapi.json"


def test_every_operation_is_named_described_and_refuses_in_one_shape() -> None:
    ids = [each["operationId"] for _, each in operations()]
    assert len(set(ids)) == len(ids)
    for path, each in operations():
        assert each["description"], path
        assert set(each["tags"]) <= set(openapi.TAGS), f"{path}: describe the tag in TAGS of api/openapi.py"
        if path.startswith("/v1/"):
            assert "application/problem+json" in resolved(each["responses"]["422"])["content"], path


def test_every_operation_says_which_scope_it_needs_and_what_refuses_without() -> None:
    for path, each in operations():
        for way in each["security"]:
            [scopes] = way.values()
            assert set(scopes) <= set(SCOPES), path
            assert {"401", *(["403"] if scopes else [])} <= set(each["responses"]), path


def test_scopes_are_described_with_their_roles() -> None:
    for scheme in document()["components"]["securitySchemes"].values():
        for scope, what in SCOPES.items():
            roles = ", ".join(role for role, scopes in ROLES.items() if scope in scopes)
            assert f"- `{scope}`: {what} ({roles})" in scheme["description"]


def test_every_problem_has_an_example_of_each_kind_of_its_status() -> None:
    for name, response in document()["components"]["responses"].items():
        status = int(name.removeprefix("Problem"))
        shown = response["content"]["application/problem+json"]["examples"]
        assert set(shown) == {kind for kind, about in KINDS.items() if about.status == status}
        for each in shown.values():
            assert check({"$ref": "#/components/schemas/ProblemDocument"}, each["value"]) == []


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(document()).decode()
    for part in set(re.findall(r'"\$ref":"([^"]*)"', text)):
        assert resolved({"$ref": part})


@pytest.mark.parametrize("name", sorted(document()["components"]["schemas"]))
def test_the_example_of_a_schema_is_one(name: str) -> None:
    schema = document()["components"]["schemas"][name]
    [example] = schema["examples"]
    assert check({"$ref": f"#/components/schemas/{name}"}, example) == []
    lacking = [field for field, value in example.items() if value == ""]
    assert not lacking, f"give {name} examples: Field(examples=[…]), or a line `{name}.field` in api/example_values.py"


def test_every_parameter_has_an_example_that_it_allows() -> None:
    for operation, parameter in examples.parameters(document()):
        name, schema = parameter["name"], parameter["schema"]
        if name in examples.OPAQUE:
            continue
        assert schema["examples"] != [""], (
            f"Field(examples=[…]), or a line `{operation}.{name}` in api/example_values.py"
        )
        assert [check(schema, each) for each in schema["examples"]] == [[]], (operation, name)
        assert {"type": "null"} not in schema.get("anyOf", ()), (operation, name)


def test_parameters_that_are_needed_are_filled_in_where_requests_are_tried() -> None:
    for operation, parameter in examples.parameters(document()):
        if parameter.get("required"):
            assert parameter["example"] == parameter["schema"]["examples"][0], (operation, parameter["name"])
