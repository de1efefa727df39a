"""People with rows of every kind, and everything that somebody has."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from assistant.assurance import Presences, Proofs
from assistant.database import Base, Database, UnitOfWork, new_id
from assistant.identity.tokens import Grants
from assistant.journal import JournalRow
from assistant.links import Links
from assistant.orders import OrderDraft, Orders
from assistant.profiles import PersonRow, Profiles
from assistant.quiet import QuietHours
from assistant.requests import RequestDraft, RequestKind, Requests
from assistant.shop import Money
from assistant.transcripts import ConversationRow, Transcripts, TurnRecord, TurnRow
from assistant.turns import Address, Assurance, Message, Modality, Reply, Turn, TurnKind

BEGIN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
"""When they came."""
KEY = b"k" * 32
DRAFT = OrderDraft(
    bouquet_id="rose-garden",
    bouquet_name="Rose Garden",
    day=date(2026, 5, 23),
    address="12 Elm Road",
    card_text=None,
    payment="card",
    price=Money(5500, "GBP"),
    delivery=Money(495, "GBP"),
)
QUIET = st.builds(QuietHours, start=st.integers(0, 719), end=st.integers(720, 1439))
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)

State = dict[str, dict[str, dict[str, object]]]
"""Values of columns by table and row id."""


@dataclass(frozen=True)
class Side:
    """Somebody before a merge."""

    name: str | None
    language: str | None
    is_employee: bool
    words: tuple[tuple[str, ...], ...]
    """What they said, by conversation."""
    is_open: bool
    """Whether the last of these is."""
    memory: str | None
    orders: int
    requests: int
    grants: int
    proven: tuple[str, ...] = field(default_factory=tuple)
    """Kinds of further addresses that they proved; with any of them, also the one where they are."""
    reach: str | None = None
    quiet: QuietHours | None = None
    speaks_at: tuple[str, ...] = ()
    """Shared speakers at which they proved who they are."""
    pairings: int = 0
    """Links they made, and as many wrong codes they gave."""


def sides(*, proven: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[Side]:
    return st.builds(
        Side,
        name=st.none() | WORDS,
        language=st.none() | st.sampled_from(["en", "pt-BR"]),
        is_employee=st.booleans(),
        words=st.lists(st.lists(WORDS, max_size=3).map(tuple), max_size=3).map(tuple),
        is_open=st.booleans(),
        memory=st.none() | WORDS,
        orders=st.integers(0, 2),
        requests=st.integers(0, 2),
        grants=st.integers(0, 1),
        proven=proven,
        reach=st.none() | st.sampled_from(["phone", "whatsapp"]),
        quiet=st.none() | QUIET,
        speaks_at=st.sets(st.sampled_from(["kitchen", "hall"])).map(tuple),
        pairings=st.integers(0, 2),
    )


def say(unit: UnitOfWork, now: datetime, conversation: ConversationRow, text: str, address: Address) -> None:
    turn = Turn("web", address, new_id(), TurnKind.SAID, text, Modality.SCREEN, Assurance.ANONYMOUS, received_at=now)
    Transcripts(unit, now).append(conversation, turn, Reply((Message(f"heard {text}"),)), TurnRecord("answered"), 1)


def start(unit: UnitOfWork, now: datetime, person_id: str, address: Address) -> ConversationRow:
    opened = Turn("web", address, "", TurnKind.OPENED, "", Modality.SCREEN, Assurance.ANONYMOUS, received_at=now)
    return Transcripts(unit, now).start(person_id, opened)


def make(unit: UnitOfWork, side: Side, address: Address) -> str:
    """This person at this address; their id."""
    profiles = Profiles(unit, BEGIN)
    person_id = profiles.find_or_create(address, Assurance.CLAIMED).id
    for kind in side.proven:
        profiles.link(person_id, Address(kind, new_id()), "test")
    if side.proven:
        profiles.link(person_id, address, "test")
    if side.name is not None:
        profiles.rename(person_id, side.name)
    if side.language is not None:
        profiles.set_language(person_id, side.language)
    profiles.set_reach(person_id, side.reach)
    profiles.set_quiet(person_id, side.quiet)
    if side.is_employee:
        profiles.give_employee(person_id, "test")
    for index, words in enumerate(side.words):
        now = BEGIN + timedelta(minutes=index)
        conversation = start(unit, now, person_id, address)
        for text in words:
            say(unit, now, conversation, text, address)
        conversation.memory = side.memory
        if not (side.is_open and index == len(side.words) - 1):
            conversation.closed_at = now
    for _ in range(side.orders):
        Orders(unit, BEGIN).place(person_id, "c", DRAFT)
    for _ in range(side.requests):
        Requests(unit, BEGIN).hand_in(person_id, RequestDraft(kind=RequestKind.IT, summary="broken"))
    for _ in range(side.grants):
        Grants(unit, BEGIN).give(
            person_id, "speaker", redirect_uri="https://speaker.example", scope="", challenge="c", code=new_id()
        )
    for speaker in side.speaks_at:
        Proofs(unit, BEGIN).add(person_id, Address("alexa", speaker), "sms code", aloud=True)
        Presences(unit, BEGIN).arrive(Address("alexa", speaker), person_id)
    for _ in range(side.pairings):
        Links(unit, BEGIN, KEY).make(person_id, "c", address)
        Links(unit, BEGIN, KEY).pair(person_id, "nothing")
    return person_id


def held_by(database: Database, person_id: str) -> State:
    """Every row of a person but the journal's, from every table that has people, and the turns."""
    state: State = {}
    with database.unit_of_work() as unit:
        rows: list[Base] = [*unit.rows(PersonRow, id=person_id)]
        for mapper in Base.registry.mappers:
            if "person_id" in mapper.columns and mapper.class_ is not JournalRow:
                rows += unit.rows(mapper.class_, person_id=person_id)
        for conversation in unit.rows(ConversationRow, person_id=person_id):
            rows += unit.rows(TurnRow, conversation_id=conversation.id)
        for row in rows:
            columns = row.__mapper__.column_attrs.keys()
            values = {name: getattr(row, name) for name in columns if name != "version"}
            state.setdefault(row.__tablename__, {})[values["id"]] = values
    return state


def two(database: Database, here: Side, there: Side) -> tuple[str, str, Address]:
    """Two people, and where the second is."""
    web, phone = Address("web", new_id()), Address("phone", new_id())
    with database.unit_of_work() as unit:
        ids = make(unit, here, web), make(unit, there, phone)
        unit.commit()
    return *ids, phone


def somebody(**values: object) -> Side:
    plain = Side(None, None, False, (("hello", "i want roses"),), True, "remembers", 1, 1, 1)
    return Side(**{**{name: getattr(plain, name) for name in Side.__dataclass_fields__}, **values})
