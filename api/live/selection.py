"""What a subscription is of: named instruments (or curves), or all of a market and product; as far as may be seen."""

from dataclasses import dataclass, field
from zlib import crc32

from api.live.row import Channel, Row
from api.security.history import earliest, sources
from db.entitlements import EVERYTHING
from db.visible import Visible
from pipeline.generic import DERIVED
from pipeline.schema import PUBLIC
from service import clock


@dataclass(frozen=True, slots=True)
class Selection:
    """Equal selections get equal frames. `names` None: all of `market` (and `product`); `interval` empty: every one;
    `label`: what the channel is called, where it is another name; `spreads`: the derived instruments that are known to
    be of visible legs, where not everything may be seen."""

    channel: Channel
    visible: Visible
    names: frozenset[str] | None
    market: str | None = None
    product: str | None = None
    interval: str = ""
    label: str = ""
    spreads: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def shown_as(self) -> str:
        """The channel's name."""
        return self.label or self.channel

    @property
    def mark(self) -> int:
        """Tells selections apart, but by chance and by who may see them."""
        names = None if self.names is None else sorted(self.names)
        return crc32(repr((names, self.market, self.product, self.interval)).encode())

    def is_recent(self, row: Row) -> bool:
        """Whether the time that a row tells of may be seen."""
        if self.visible.entitled.history is None:
            return True
        first = earliest(self.visible, sources([(row.tenant, row.market)]), clock.now())
        return first is None or row.at_us >= clock.to_us(first)

    def is_of(self, tenant: str, name: str, market: str, product: str) -> bool:
        """Whether an instrument is of it, and may be seen."""
        meant = name in self.names if self.names is not None else market == self.market
        within = self.product is None or product == self.product
        return meant and within and self.sees(tenant, name, market, product)

    def sees(self, tenant: str, name: str, market: str, product: str) -> bool:
        """Whether an instrument may be seen. A spread that is not known yet may be of hidden legs."""
        if not self.visible.allows(tenant, market, product) or name in self.visible.hidden:
            return False
        known = self.visible.entitled == EVERYTHING or market != DERIVED or tenant != PUBLIC
        return known or name in self.spreads
