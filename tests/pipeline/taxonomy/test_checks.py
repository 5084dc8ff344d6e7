"""What is refused of rules before they are loaded."""

from typing import Any

import pytest

from pipeline import taxonomy
from pipeline.taxonomy.checks import Problem
from tests.pipeline.taxonomy import tables

GOOD = {"rule": "r", "priority": 1, "market": "pjm", "commodity": "power"}
WORD = {**GOOD, "field": "location", "match": "word", "text": "NG"}


def problems(*rules: dict[str, Any]) -> list[Problem]:
    return taxonomy.check_rules(tables.rows("taxonomy_rules", *rules))


def test_what_is_shipped_is_fine() -> None:
    rules = tables.shipped("taxonomy_rules")
    assert taxonomy.check_rules(rules) == []
    assert rules["rule"].is_unique().all()
    assert rules.select("source", "priority").null_count().row(0) == (0, 0)


@pytest.mark.parametrize(
    ("changed", "column", "part"),
    [
        ({"commodity": "coal"}, "commodity", "is not one of cross, gas, oil, power"),
        ({"tier": "weekly"}, "tier", "is not one of"),
        ({"match": "regex"}, "match", "is not one of pattern, prefix, suffix, word"),
        ({"field": "unit"}, "field", "is not one of"),
        ({"market": None, "field": None, "match": None, "text": None}, "text", "matches every instrument"),
        ({"commodity": None}, "commodity", "says nothing"),
        ({"field": None}, "field", "belong together"),
        ({"text": ""}, "text", "has 0 characters"),
        ({"text": "N" * 201}, "text", "has 201 characters: 1 to 200"),
        ({"text": "ng"}, "text", "is no word"),
        ({"text": "NG_HH"}, "text", "is no word"),
        ({"match": "pattern", "text": "("}, "text", "is no pattern of RE2"),
        ({"match": "pattern", "text": "(?=NG)"}, "text", "is no pattern of RE2"),
        ({"match": "pattern", "text": "((a{1000}){1000}){1000}"}, "text", "is no pattern of RE2"),
        ({"match": "pattern", "text": "N*"}, "text", "matches every text"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_reason(changed: dict[str, Any], column: str, part: str) -> None:
    [problem] = problems(GOOD, {**WORD, **changed})
    assert (problem.row, problem.column) == (1, column)
    assert part in problem.problem


def test_all_problems_are_told() -> None:
    told = problems({**WORD, "commodity": "coal", "text": "ng"}, GOOD, {**GOOD, "tier": "never"})
    assert [(each.row, each.column, each.value) for each in told] == [
        (0, "commodity", "coal"),
        (0, "text", "ng"),
        (2, "tier", "never"),
    ]
