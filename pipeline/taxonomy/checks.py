"""What may be wrong with taxonomy rules, told before they are loaded."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import polars as pl

from pipeline.taxonomy import rules as rules_of
from pipeline.taxonomy.rules import Rule
from pipeline.taxonomy.terms import ATTRIBUTES, COMMODITIES, FIELDS, MATCHES, TIERS

_LONGEST: Final = 200
_WORDS: Final = re.compile(r"[A-Z0-9]+(?: [A-Z0-9]+)*")
_CONDITIONS: Final = ("market", "product", "location_type", "text")
_TEXT: Final = ("field", "match", "text")
_KNOWN: Final = {"field": FIELDS, "match": MATCHES, "commodity": COMMODITIES, "tier": TIERS}


class Problem(NamedTuple):
    """`row` of the frame from 0, the column and its value, and what is wrong with it and mends it."""

    row: int
    column: str
    value: str
    problem: str


def check_rules(rules: pl.DataFrame) -> list[Problem]:
    """All problems of rows of `taxonomy_rules`, in order of rows."""
    return [
        Problem(row, column, str(getattr(rule, column) or "")[:_LONGEST], problem)
        for row, rule in enumerate(rules_of.read(rules))
        for column, problem in _problems(rule)
    ]


def _problems(rule: Rule) -> Iterator[tuple[str, str]]:
    for column, known in _KNOWN.items():
        if (value := getattr(rule, column)) is not None and value not in known:
            yield column, f"is not one of {', '.join(sorted(known))}"
    if all(getattr(rule, name) is None for name in _CONDITIONS):
        yield "text", "the rule matches every instrument: name a market, a product, a location type or a text"
    if all(getattr(rule, name) is None for name in ATTRIBUTES):
        yield "commodity", "the rule says nothing: fill commodity, region or tier"
    absent = [name for name in _TEXT if getattr(rule, name) is None]
    if absent and len(absent) < len(_TEXT):
        yield absent[0], "is empty: field, match and text belong together"
    elif not absent:
        yield from (("text", problem) for problem in _text_problems(str(rule.match), str(rule.text)))


def _text_problems(match: str, text: str) -> Iterator[str]:
    if not 1 <= len(text) <= _LONGEST:
        yield f"has {len(text)} characters: 1 to {_LONGEST} are allowed"
    elif match == "word" and not _WORDS.fullmatch(text):
        yield "is no word: capitals and digits, several words with one blank between them"
    elif match == "pattern" and (problem := _pattern_problem(text)):
        yield problem


def _pattern_problem(text: str) -> str | None:
    try:
        empty = pl.select(pl.lit("").str.contains(text)).item()
    except pl.exceptions.PolarsError as error:
        reason = re.sub(r"\s+", " ", str(error)).strip()[:_LONGEST]
        return f"is no pattern of RE2 (no look-around, no back references): {reason}"
    return "matches every text: say what must be there, or leave field, match and text empty" if empty else None
