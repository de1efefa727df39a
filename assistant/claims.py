"""Whether a phone number may have gone to somebody else since its person was last seen there.

Carriers in the United States may give a number out again 45 days after it was given up, and must after 90 at the latest
when it was a household's (47 CFR 52.15(f)(1)(ii); FCC 18-177, the order on reassigned numbers). So a silence of 45 days
is the first in which a number may have changed hands; one that is shorter shows that it did not.
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from assistant.database import UnitOfWork
from assistant.transcripts import ConversationRow, TurnRow
from assistant.turns import Address

NUMBERS = frozenset({"phone", "whatsapp"})
"""Kinds of addresses that are phone numbers: anybody may claim one, and it may be somebody else's by next year."""
GIVEN_OUT_AGAIN = timedelta(days=45)


class Claims:
    """The claims of people to their addresses, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def holds(self, person_id: str, address: Address, since: datetime) -> bool:
        """Whether this is still the person who proved or claimed the address at `since`.

        Each turn from the address carries the claim on; after a silence that is too long none does any more, since it
        may have been somebody else's.
        """
        if address.kind not in NUMBERS or self._now - since < GIVEN_OUT_AGAIN:
            return True
        seen = since
        for at in self._turns_from(person_id, address, since):
            if at - seen >= GIVEN_OUT_AGAIN:
                return False
            seen = at
        return self._now - seen < GIVEN_OUT_AGAIN

    def _turns_from(self, person_id: str, address: Address, since: datetime) -> list[datetime]:
        """A conversation knows the address and the channel of its last turn: what came over it came from there."""
        query = (
            select(TurnRow.received_at)
            .join(ConversationRow, TurnRow.conversation_id == ConversationRow.id)
            .where(
                ConversationRow.person_id == person_id,
                ConversationRow.kind == address.kind,
                ConversationRow.value == address.value,
                TurnRow.channel == ConversationRow.channel,
                TurnRow.outcome != "pushed",  # that was us
                TurnRow.received_at > since,
            )
            .order_by(TurnRow.received_at)
        )
        return list(self._unit.session.scalars(query))
