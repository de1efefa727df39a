"""Being forgotten: everything about a person goes that neither the law nor a promise makes the shop keep."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from assistant.assurance import Presences, Proofs
from assistant.codes import Codes
from assistant.database import Database, Overtaken, UnitOfWork
from assistant.errors import StoreUnavailable
from assistant.holdings import holdings, silent_since
from assistant.identity.attempts import Attempts
from assistant.identity.tokens import Grants
from assistant.identity.transactions import in_one_transaction
from assistant.journal import STAFF
from assistant.links import Links
from assistant.orders import Orders
from assistant.outbox import Outbox
from assistant.profiles import Profiles
from assistant.requests import Requests
from assistant.screens import Screens
from assistant.shop import Shop
from assistant.transcripts import Transcripts
from assistant.turns import Turn
from assistant.undoing import Merges

log = structlog.get_logger(__name__)

ERASE_SECONDS = 3600.0
"""How often what had to stay for a while is looked at again."""


WHY = {
    "people": "an id without name or wishes",
    "addresses": "",
    "journal": "who was linked when, by ids and proofs alone, to settle disputes",
    "conversations": "that there were some, without their words",
    "turns": "that there were some, by the ids their channels gave them, without their words",
    "orders": "number, bouquet, day and price by law; where to and the card until it is delivered",
    "shares": "a code that leads to a bouquet, without a name",
    "requests": "number, kind and days, without their words",
    "proofs": "",
    "presences": "",
    "codes": "that one was sent, for a day, under a keyed digest, so that the limits hold",
    "grants": "",
    "grant_tokens": "",
    "sign_ins": "",
    "links": "",
    "link_tries": "that a wrong code was given, by nobody, so that the limits hold",
    "screens": "that it showed a code, with nobody on it",
    "screen_tries": "that a wrong code was given, by nobody, so that the limits hold",
    "outbox": "",
    "opt_outs": "the address that asked not to be written to, or it would be",
}
"""By table, why rows of a forgotten person are anonymised or kept; nothing for those that are removed."""


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What became of a person's rows in one store."""

    store: str
    removed: int
    anonymised: int
    kept: int
    """As they were: there was nothing personal in them, or `why` says what for."""
    why: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of everything that was held about a person."""

    person_id: str
    at: datetime
    lines: tuple[ReceiptLine, ...]


ASKED, AGE = "asked", "retention"
"""Why somebody is forgotten, in the journal."""


def forget(
    unit: UnitOfWork,
    now: datetime,
    today: date,
    key: bytes,
    person_id: str,
    last: Turn | None = None,
    *,
    why: str = ASKED,
    actor: str | None = None,
) -> None:
    """Forget a person in this unit of work. `today` is the date in the shop, `key` the server's secret; `why` and the
    `actor`, themselves when it is nobody else, are for the journal.

    Gone are name, language, addresses, every word said by either side, messages on their way, codes, accounts linked
    elsewhere, and the words of requests. These stay: of orders the number, bouquet, day and price, and for orders still
    to be delivered the address and the card until then (`erase_over`); that codes were sent, for a day and without the
    number, so that their limits hold; an address that opted out of messages, or it would be written to again; our reply
    to the `last` turn, in which they asked for it; and a journal of ids. Raises `LookupError` when there is no such
    person.
    """
    outbox = Outbox(unit, now)
    for known in Profiles(unit, now).get(person_id).addresses:
        outbox.forget(known.address)
        Attempts(unit, now).forget(known.address)
    for address in Codes(unit, now, key).forget(person_id):
        outbox.forget(address, only_secrets=True)  # it was never proven, so the rest may be somebody else's
    Proofs(unit, now).forget(person_id)
    Presences(unit, now).forget(person_id)
    Grants(unit, now).forget(person_id)
    Links(unit, now, key).forget(person_id)
    Screens(unit, now, key).forget(person_id)
    Orders(unit, now).forget(person_id, today)
    Requests(unit, now).forget(person_id)
    Transcripts(unit, now).forget(person_id, last)
    Profiles(unit, now).forget(person_id, why, actor=actor)


def erase_over(database: Database, shop: Shop, now: datetime) -> None:
    """Erase what had stayed for orders that are over by now and for merges that may not be undone any more.

    So with the traces that the store's own files keep.
    """
    with database.unit_of_work() as unit:
        Orders(unit, now).erase_over(shop.today(now))
        Merges(unit, now).erase_over()
        unit.commit()
    database.scrub()


async def keep_erasing(database: Database, shop: Shop, now: Callable[[], datetime]) -> None:
    """Do so from time to time until cancelled."""
    while True:
        try:
            await asyncio.to_thread(erase_over, database, shop, now())
        except (StoreUnavailable, Overtaken) as error:
            log.warning("erasing_postponed", code=type(error).__name__)
        await asyncio.sleep(ERASE_SECONDS)


class Erasing:
    """Forgetting people because staff, or the time that was set, say so."""

    def __init__(self, database: Database, shop: Shop, key: bytes, now: datetime) -> None:
        self._database = database
        self._shop = shop
        self._key = key
        self._now = now

    def erase(self, person_id: str, why: str = STAFF) -> Receipt:
        """Forget a person. Raises `LookupError` when there is none, `StoreUnavailable` when they talk all the time."""
        receipt = in_one_transaction(self._database, lambda unit: self._erase(unit, person_id, why))
        self._database.scrub()
        return receipt

    def erase_older_than(self, days: int) -> tuple[Receipt, ...]:
        """Forget the customers who said nothing for so many days. Employees stay until staff remove them."""
        with self._database.unit_of_work() as unit:
            silent = silent_since(unit, self._now - timedelta(days=days))
        return tuple(self.erase(person_id, AGE) for person_id in silent)

    def _erase(self, unit: UnitOfWork, person_id: str, why: str) -> Receipt:
        held = holdings(unit, person_id)
        today = self._shop.today(self._now)
        forget(unit, self._now, today, self._key, person_id, why=why, actor=STAFF)
        deleted, lines = unit.session.deleted, []
        for store, rows in held.items():
            removed = sum(row in deleted for row in rows)
            anonymised = sum(row not in deleted and unit.session.is_modified(row) for row in rows)
            why = WHY[store] if len(rows) > removed else ""
            lines.append(ReceiptLine(store, removed, anonymised, len(rows) - removed - anonymised, why))
        return Receipt(person_id, self._now, tuple(lines))
