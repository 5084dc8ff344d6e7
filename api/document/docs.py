"""The pages: `/docs` to try requests, `/docs/reference` to read, `/docs/errors`. All that they load is our own."""

from html import escape
from typing import Annotated, Final

from fastapi import APIRouter, Header
from starlette.responses import HTMLResponse, Response

from api.document import assets, error_pages
from api.problems import KINDS, PAGES, not_found

# Both pages write style attributes, and Swagger UI shows its icons as data:; no script stands in a page.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
router: Final = APIRouter(prefix="/docs", include_in_schema=False)
_LINKS: Final = {
    "/": "Live",
    "/docs": "Try it",
    "/docs/reference": "Reference",
    PAGES: "Errors",
    "/openapi.json": "openapi.json",
}
_REFERENCE: Final = (
    '<rapi-doc spec-url="/openapi.json" render-style="read" schema-style="table" load-fonts="false" allow-try="false" '
    'allow-authentication="false" allow-server-selection="false" show-header="false"></rapi-doc>'
)


@router.get("", response_model=None)
def show_docs() -> Response:
    """Swagger UI."""
    return _page("Try it", '<div id="swagger-ui"></div>', "swagger-ui.css", "swagger-ui-bundle.js", "swagger-start.js")


@router.get("/reference", response_model=None)
def show_reference() -> Response:
    """RapiDoc."""
    return _page("Reference", _REFERENCE, "rapidoc-min.js", "rapidoc-start.js")


@router.get("/errors", response_model=None)
def list_errors() -> Response:
    """Every kind of problem."""
    return _page("Errors", f"<main>{error_pages.index()}</main>")


@router.get("/errors/{kind}", response_model=None)
def show_error(kind: str) -> Response:
    """What a kind of problem means."""
    for known, about in KINDS.items():
        if known == kind:
            return _page(about.title, f"<main>{error_pages.page(known)}</main>")
    raise not_found(f"There is no error {kind[:80]!r}. {PAGES} lists them.")


@router.get("/assets/{name}", response_model=None)
def show_asset(name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """A script or style of these pages."""
    if name not in assets.ASSETS.digests:
        raise not_found(f"There is no file {name[:80]!r} for the pages. /docs shows them.")
    return assets.ASSETS.answer(name, if_none_match)


def _page(title: str, body: str, *files: str) -> Response:
    """A page with the navigation, the styles and scripts of those names, in their order, and the body."""
    links = " ".join(f'<a href="{address}">{text}</a>' for address, text in _LINKS.items())
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Gridtick</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="{assets.address("gridtick.png")}">'
        f"{''.join(map(_loaded, ('site.css', *files)))}</head><body><nav>{links}</nav>{body}</body></html>"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})


def _loaded(name: str) -> str:
    where = assets.address(name)
    return (
        f'<link rel="stylesheet" href="{where}">' if name.endswith(".css") else f'<script src="{where}" defer></script>'
    )
