"""What the routes of dead letters take: parameters and a body, read strictly."""

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from api.query import Paged, Strict
from api.values import Instant, Text
from db.letters.named import Choice
from pipeline.generic import MARKET, TENANT
from pipeline.replay import Labels

MOST_NAMED: Final = 1_000
MOST_SENT: Final = 5_000
Since = Annotated[
    Instant | None, Field(description="only those refused since this instant; where there are too many for one read")
]
_Id = Annotated[Text, Field(min_length=1, max_length=256, examples=["3f9a1b2c"])]
_Cause = Annotated[Text | None, Field(max_length=64, description="the id of a cause, or the beginning of it")]


def _label(form: re.Pattern[str]) -> Callable[[str], str]:
    def check(given: str) -> str:
        if not form.fullmatch(given):
            raise ValueError(f"is no label that a message can bear. Write it as {form.pattern}.")
        return given

    return check


_Market = Annotated[str, AfterValidator(_label(MARKET))]
_Tenant = Annotated[str, AfterValidator(_label(TENANT))]


class LettersQuery(Paged):
    """Causes, or with `cause` its dead letters."""

    cause: Annotated[_Cause, Field(examples=["3f9a1b"])] = None
    topic: Annotated[
        Text | None,
        Field(max_length=249, description="only of messages of this topic", examples=["ingestion.market.raw.v1"]),
    ] = None
    since: Since = None
    until: Annotated[Instant | None, Field(description="only those refused before this instant")] = None
    state: Annotated[Literal["waiting", "replayed", "landed"] | None, Field(description="only those in this state")] = (
        None
    )


class LetterQuery(Strict):
    """One dead letter."""

    since: Since = None
    format: Annotated[
        Literal["json", "raw"], Field(description="`raw` gives the bytes of its message as they came, and nothing else")
    ] = "json"


class NewReplay(Strict):
    """What is sent again: one of `letters`, `cause` and `all`."""

    letters: Annotated[
        tuple[_Id, ...],
        Field(
            max_length=MOST_NAMED,
            description="ids, the beginnings of them, or positions of messages",
            examples=[["3f9a1b2c"]],
        ),
    ] = ()
    cause: _Cause = None
    all: Annotated[StrictBool, Field(description="all that wait")] = False
    since: Since = None
    market: Annotated[_Market | None, Field(description="read them as this market's")] = None
    product: Annotated[_Market | None, Field(description="read them as this product")] = None
    tenant: Annotated[_Tenant | None, Field(description="read them as this tenant's")] = None
    again: Annotated[
        StrictBool, Field(description="also those that are on the way or have landed, as one more attempt")
    ] = False
    dry_run: Annotated[StrictBool, Field(description="say what would be sent, and send nothing", examples=[True])] = (
        False
    )
    limit: Annotated[int, Field(ge=1, le=MOST_SENT, strict=True, description="most letters that are sent now")] = 1_000

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (bool(self.letters), self.cause is not None, self.all).count(True) != 1:
            raise ValueError('names no letters, or in several ways. Give one of letters, cause and "all": true.')
        return self

    def choice(self) -> Choice:
        return Choice(self.letters, self.cause, Labels(self.market, self.product, self.tenant), self.again)
