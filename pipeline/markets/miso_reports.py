"""Which document of MISO a file is, and which product an hourly file holds: by its title, then by its name.

Preliminary and final real-time files have one title: only MISO's file name tells them apart.
"""

import codecs
import re
from enum import Enum, auto
from typing import Final

from pipeline.documents import Document, refusal, refuse_unknown
from pipeline.jsontable import is_json

DA: Final = "da_hourly"
DA_EXANTE: Final = "da_exante_hourly"
HOURLY: Final = "rt_hourly"
RTD: Final = "rt_5min"
EXANTE: Final = "rt_exante_5min"
PRODUCTS: Final = (DA, DA_EXANTE, HOURLY, RTD, EXANTE)
PRELIMINARY: Final = 0
FINAL: Final = 1


class Kind(Enum):
    """The forms of MISO's documents."""

    DAY = auto()  # daily CSV, one column an hour
    TABLE = auto()  # GetLmpConsolidatedTable
    HUBS = auto()  # GetExAnteLmp
    FEED = auto()  # GetRealTimeFiveMinExPost
    FEED_CSV = auto()  # the same as CSV
    WEEK = auto()  # weekly CSV of final 5-minute prices
    BOOK = auto()  # daily workbook of 5-minute ex-ante prices
    PRICING = auto()  # the pricing API that needs a key
    OTHER = auto()  # MISO's, but no prices that can be read


# Of tables, wherever on their line the names are quoted or padded.
DAY_HEADER: Final = re.compile(
    rb'^[ \t"]*Node[ \t"]*,[ \t"]*Type[ \t"]*,[ \t"]*Value[ \t"]*(?=[,\r\n]|\Z)', re.M | re.I
)
WEEK_HEADER: Final = re.compile(rb"^(?=[^\r\n]*MKTHOUR_EST)(?=[^\r\n]*PNODENAME)", re.M | re.I)
FEED_HEADER: Final = re.compile(rb"^(?=[^\r\n]*\bINTERVAL\b)(?=[^\r\n]*\bCPNODE\b)(?=[^\r\n]*\bLMP\b)", re.M | re.I)
BOOK_HEADER: Final = re.compile(rb"^(?=[^\r\n]*Time \(EST\))(?=[^\r\n]*CP ?Node)(?=[^\r\n]*Ex-Ante LMP)", re.M | re.I)
# Words without which a header need not be looked for: on every line, that takes long.
_CSV: Final = (
    (Kind.DAY, (b"NODE", b"VALUE"), DAY_HEADER),
    (Kind.WEEK, (b"MKTHOUR_EST",), WEEK_HEADER),
    (Kind.FEED_CSV, (b"CPNODE",), FEED_HEADER),
    (Kind.BOOK, (b"EX-ANTE LMP",), BOOK_HEADER),
    (Kind.OTHER, (b"MARKET_DAY",), re.compile(rb"^[ \t\"]*MARKET_DAY\"?,\"?NODE\b", re.M | re.I)),
    (Kind.OTHER, (b"MCP",), re.compile(
        rb"^[ \t\"]*(?:(?:Day ?-?ahead|Real ?-?Time) Market (?:MCPs|ExAnte MCPs)|Real-Time Ex-Ante 5 Minute MCP)",
        re.M | re.I)),
)  # fmt: skip
_ROWS_FIRST: Final = (
    rb'^\s*\{\s*"(?:data|rows)"\s*:\s*\[\s*\[\s*"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}"\s*,\s*"[^"]*"'
    rb'(?:\s*,\s*(?:"[^"]*"|[-0-9.]+|null)){3}\s*\]'
)
# Of answers: each has all of a tuple's signs. What stands first may push the headers out of sight.
_JSON: Final = (
    (Kind.HUBS, (rb'"LMPData"', rb'"ExAnteLMP"\s*:')),
    (Kind.TABLE, (rb'"LMPData"',)),
    (Kind.FEED, (rb'"CPNODE"', rb'"INTERVAL"')),
    (Kind.FEED, (_ROWS_FIRST,)),
    (Kind.PRICING, (rb'"lmp"\s*:', rb'"node"\s*:', rb'"(?:timeInterval|interval)"\s*:', rb'"m[cle]c"\s*:')),
    (Kind.OTHER, (rb'"MCPData"',)),
    (Kind.OTHER, (rb'"mcp"\s*:', rb'"timeInterval"\s*:')),
)

_GRADES: Final = {"prelim": PRELIMINARY, "final": FINAL}
_NAMED: Final = {"da_expost": DA, "da_exante": DA_EXANTE, "rt_lmp": HOURLY}
_ASK: Final = "keep MISO's file name, such as 20261001_rt_lmp_final.csv"


def kind(head: bytes) -> Kind | None:
    """The form of a document by its first bytes (of a workbook: by its first rows as CSV); null: not MISO's."""
    head = head.removeprefix(codecs.BOM_UTF8)
    if not is_json(head):
        text = head.upper()
        likely = ((form, header) for form, words, header in _CSV if all(word in text for word in words))
        return next((form for form, header in likely if header.search(head)), None)
    return next((form for form, signs in _JSON if all(re.search(sign, head) for sign in signs)), None)


def base(name: str) -> str:
    """The file's own name in lower case, without folders."""
    return re.split(r"[/\\]", name)[-1].lower()


def _by_title(title: str) -> str | None:
    """The product of an hourly file by the lines above its table."""
    ante, post = (bool(re.search(f"ex.?{which}", title, re.I)) for which in ("ante", "post"))
    if ante and post:
        return None
    if re.search(r"day[ _-]?ahead", title, re.I):
        return DA_EXANTE if ante else DA
    return HOURLY if re.search(r"real[ _-]?time", title, re.I) and not ante else None


def _by_name(name: str) -> str | None:
    """The product of an hourly file by MISO's name for it."""
    return next((product for part, product in _NAMED.items() if part in base(name)), None)


def hourly(document: Document, title: str) -> tuple[str, int]:
    """(product, version) of an hourly file. Raises `DataProcessingError` where they are in doubt."""
    told, named = _by_title(title), _by_name(document.name)
    if told and named and told != named:
        raise refusal(f"the title is of {told}, the file name of {named}: {_ASK}", "document", document.name)
    wanted = document.product if document.product in (DA, DA_EXANTE, HOURLY) and not told else None
    found = told or named or wanted
    if found is None:
        reason = "neither title nor file name tell day-ahead or real-time, ex-ante or ex-post"
        raise refusal(f"{reason}: {_ASK}", "title", title.strip(", \n"))
    refuse_other(document.product, found)
    return found, _grade(document, title) if found == HOURLY else 0


def _grade(document: Document, title: str) -> int:
    """0 of preliminary, 1 of final real-time prices. Raises `DataProcessingError` where nothing tells."""
    by_words = [{at for word, at in _GRADES.items() if word in text} for text in (base(document.name), title.lower())]
    said = set[int]().union(*by_words)
    if len(said) == 1:
        return said.pop()
    doubt = "both" if said else "none"
    reason = f"preliminary and final real-time files look alike, and the file name says {doubt} of prelim and final"
    raise refusal(f"{reason}: {_ASK}", "document", document.name)


def refuse_other(wanted: str | None, found: str) -> None:
    """Refuses a document of another product than its sender named."""
    refuse_unknown(wanted, PRODUCTS, "MISO")
    if wanted not in (None, found):
        raise refusal(f"the document is of {found}, not of {wanted}", "product", str(wanted))
