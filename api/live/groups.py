"""Who gets which rows: subscriptions of one selection share their rows and their frames."""

from collections.abc import Iterator, Sequence

from api.live.row import Change, Channel, Row
from api.live.selection import Selection
from api.live.subscription import Subscription
from api.live.update import Update


class Group:
    """The subscriptions of one selection."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.members: dict[Subscription, None] = {}
        self._takes: dict[tuple[str, str], bool] = {}

    def rows(self, change: Change) -> Sequence[Row]:
        """What of a change is of the selection."""
        return [row for row in change.rows if self.takes(row)]

    def takes(self, row: Row) -> bool:
        """An instrument never changes its market: it is looked at once."""
        if self.selection.interval not in ("", row.interval):
            return False
        known = self._takes.get((row.tenant, row.name))
        if known is None:
            known = self.selection.is_of(row.tenant, row.name, row.market, row.product)
            self._takes[row.tenant, row.name] = known
        return known and self.selection.is_recent(row)

    def offer(self, update: Update) -> None:
        for member in list(self.members):
            member.offer(update)


class Groups:
    """All groups, found by what they are of."""

    def __init__(self) -> None:
        self._groups: dict[Selection, Group] = {}
        self._named: dict[tuple[Channel, str], dict[Group, None]] = {}
        self._others: dict[Channel, dict[Group, None]] = {}

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._groups.values()))

    def of(self, channel: Channel) -> list[Group]:
        return [group for group in self if group.selection.channel == channel]

    def add(self, subscription: Subscription) -> None:
        selection = subscription.selection
        group = self._groups.get(selection)
        if group is None:
            group = self._groups[selection] = Group(selection)
            for index in self._indices(selection):
                index[group] = None
        group.members[subscription] = None

    def remove(self, subscription: Subscription) -> None:
        group = self._groups.get(subscription.selection)
        if group is None:
            return
        group.members.pop(subscription, None)
        if not group.members:
            del self._groups[subscription.selection]
            for index in self._indices(subscription.selection):
                index.pop(group, None)

    def dispatch(self, change: Change, token: str) -> None:
        """Offers to every subscription what is of it."""
        for group in self._touched(change):
            if rows := group.rows(change):
                group.offer(Update(rows, change.seq, token))

    def _touched(self, change: Change) -> dict[Group, None]:
        found = dict(self._others.get(change.channel, {}))
        for name in {row.name for row in change.rows}:
            found |= self._named.get((change.channel, name), {})
        return found

    def _indices(self, selection: Selection) -> list[dict[Group, None]]:
        if selection.names is None:
            return [self._others.setdefault(selection.channel, {})]
        return [self._named.setdefault((selection.channel, name), {}) for name in selection.names]
