"""`/docs`: the OpenAPI document as one page without scripts or other hosts, so that it works off line."""

import re
from collections.abc import Iterator
from html import escape
from textwrap import dedent
from typing import Any, Final

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
body{color:#1b1f24;background:#fff}
code,pre{font:14px ui-monospace,monospace;background:#f3f4f6;border-radius:4px;padding:.1em .3em}
pre{padding:.8em;overflow:auto}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;border-bottom:1px solid #d8dce1;padding:.3em .6em .3em 0}
@media (prefers-color-scheme:dark){
body{color:#e6e8eb;background:#14171a}code,pre{background:#23272c}td,th{border-color:#3a4047}}
"""


def page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    routes = "".join(
        _route(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])}</h1>{_paragraphs(info['description'])}"
        f'<p><a href="/openapi.json">openapi.json</a></p>{routes}</html>'
    )


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(_parameter(each) for each in operation.get("parameters", ()))
    table = f"<table><tr><th>Parameter<th>Type<th>Meaning</tr>{rows}</table>" if rows else ""
    heading = f'<h2 id="{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></h2>'
    return heading + _paragraphs(operation.get("description", "")) + table + _answers(operation)


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    needed = " (needed)" if parameter.get("required") else ""
    meaning = _marked(_sentence(parameter.get("description") or _description(schema)))
    cells = (
        f"<code>{escape(parameter['name'])}</code>{needed}",
        escape(_kind(schema)),
        meaning + _default(schema),
    )
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _description(schema: dict[str, Any]) -> str:
    """That of the schema, or of the one alternative that has one."""
    given = (each.get("description", "") for each in (schema, *schema.get("anyOf", ())))
    return next(filter(None, given), "")


def _sentence(text: str) -> str:
    return f"{text}." if text and not text.endswith(".") else text


def _default(schema: dict[str, Any]) -> str:
    given = schema.get("default")
    return f" Default: <code>{escape(str(given))}</code>." if given else ""


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"{_kind(schema['items'])}, repeatable"
    return str(schema.get("format", schema.get("type", schema.get("const", ""))))


def _answers(operation: dict[str, Any]) -> str:
    lines = (f"<li><code>{status}</code> {_marked(each.get('description', ''))}" for status, each in _sorted(operation))
    return f"<ul>{''.join(lines)}</ul>"


def _sorted(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from sorted(operation["responses"].items())


def _paragraphs(text: str) -> str:
    """Paragraphs, those that are indented as they stand."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    return "".join(
        f"<pre>{escape(dedent(part))}</pre>" if part.startswith("    ") else f"<p>{_marked(part)}</p>" for part in parts
    )


def _marked(text: str) -> str:
    """Text in which `…` is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
