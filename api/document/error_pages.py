"""What each kind of problem means, from the Markdown of the package: `api/site/errors/{kind}.md`."""

from pathlib import Path
from typing import Final

from api.problems import KINDS, PAGES, Kind

FOLDER: Final = Path(__file__).parent.parent / "site" / "errors"


def page(kind: Kind) -> str:
    """The page of a kind as HTML."""
    return _rendered((FOLDER / f"{kind}.md").read_text(encoding="utf-8"))


def index() -> str:
    """All kinds as HTML, by status."""
    order = sorted(KINDS, key=lambda kind: (KINDS[kind].status, kind))
    return f"<h1>Errors</h1><p>{_INTRODUCTION}</p>{_rendered(_HEAD + ''.join(map(_row, order)))}"


_INTRODUCTION: Final = (
    "Every answer that is no success is problem+json (RFC 9457). Its <code>type</code> leads to one of these pages; "
    "<code>detail</code> says what was wrong this time, and <code>errors</code> names each parameter or line."
)
_HEAD: Final = "| Status | Type | What to do |\n|---|---|---|\n"


def _row(kind: Kind) -> str:
    about = KINDS[kind]
    return f"| {about.status} | [{about.title}]({PAGES}/{kind}) | {about.remedy} |\n"


def _rendered(markdown: str) -> str:
    # Imported when first asked for: it would cost every process of the API 1 MB, and most show no such page.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
