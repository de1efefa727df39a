"""Numbers in every state in which we may know one. They end alike, so that they are masked alike."""

from datetime import datetime, timedelta

from assistant.assurance import Proofs
from assistant.claims import GIVEN_OUT_AGAIN
from assistant.database import Database, new_id
from assistant.outbox import OptOutRow, Outbox
from assistant.profiles import Profiles
from assistant.transcripts import Transcripts, TurnRecord
from assistant.turns import Address, Assurance, Message, Modality, Reply, Turn, TurnKind

UNKNOWN = Address("phone", "+447700900555")
CLAIMED = Address("phone", "+447701900555")
"""Somebody texted from there."""
PROVEN = Address("phone", "+447702900555")
"""Somebody's who proved it."""
GIVEN_UP = Address("phone", "+447703900555")
"""Was somebody's, long ago."""
EMPLOYEES = Address("phone", "+447704900555")
"""Entered by staff."""
OPTED_OUT = Address("phone", "+447705900555")
"""Wants no texts."""
KNOWN = (CLAIMED, PROVEN, GIVEN_UP, EMPLOYEES, OPTED_OUT)


def make_known(database: Database, now: datetime) -> None:
    """Have all but the first be known."""
    with database.unit_of_work() as unit:
        profiles, long_ago = Profiles(unit, now), now - GIVEN_OUT_AGAIN - timedelta(days=1)
        texter = profiles.find_or_create(CLAIMED, Assurance.CLAIMED)
        said = Turn("sms", CLAIMED, new_id(), TurnKind.SAID, "hi", Modality.TEXT, Assurance.CLAIMED, received_at=now)
        transcripts = Transcripts(unit, now)
        transcripts.append(
            transcripts.start(texter.id, said), said, Reply((Message("Hi."),)), TurnRecord("answered"), 1
        )
        for number, at in ((PROVEN, now), (GIVEN_UP, long_ago)):
            owner = Profiles(unit, at).find_or_create(Address("web", new_id()), Assurance.ANONYMOUS)
            Profiles(unit, at).link(owner.id, number, "sms code")
            Proofs(unit, at).add(owner.id, number, "sms code")
            Outbox(unit, at).text(number, "Your order is on its way.")
        profiles.add_employee("Kim", EMPLOYEES)
        unit.add(OptOutRow(kind=OPTED_OUT.kind, value=OPTED_OUT.value, at=now))
        unit.commit()
