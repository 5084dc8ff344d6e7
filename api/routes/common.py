"""The dependencies that routes share."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Security

from api.query import once
from api.security.guard import guard
from api.security.principal import Principal
from api.security.scopes import BARS, PRICES

PriceReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[PRICES])]
BarReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[BARS])]
Caller: TypeAlias = Annotated[Principal, Security(guard)]

ONCE = Depends(once)
