"""A merge undone: both are who they were, with all that was theirs, and what came since stays where it came in."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.database import Base, Database, UnitOfWork, new_id
from assistant.errors import UndoRefused
from assistant.forgetting import forget
from assistant.identity.proving import Proving
from assistant.identity.tokens import Grants
from assistant.orders import OrderDraft, Orders
from assistant.journal import STAFF, JournalRow
from assistant.profiles import EMPLOYEE, AddressRow, LinkOutcome, PersonRow, Profiles
from assistant.quiet import QuietHours
from assistant.requests import RequestDraft, RequestKind, Requests
from assistant.shop import Money
from assistant.transcripts import ConversationRow, Transcripts, TurnRecord, TurnRow
from assistant.turns import Address, Assurance, Message, Modality, Reply, Turn, TurnKind
from assistant.undoing import MAY_BE_UNDONE, Merges

BEGIN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
MERGED_AT = BEGIN + timedelta(days=1)
LATER = MERGED_AT + timedelta(days=1)
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


def merge(database: Database, mover: str, address: Address, outcome: LinkOutcome = LinkOutcome.MERGED) -> str:
    """The person proves this address, as a turn does; who both are from then on."""
    with database.unit_of_work() as unit:
        transcripts, profiles = Transcripts(unit, MERGED_AT), Profiles(unit, MERGED_AT)
        current = transcripts.open_of(mover)
        got, person = profiles.link(mover, address, "sms code")
        assert got is outcome
        if current is not None:
            transcripts.close_others(person.id, keep=current.id)
        unit.commit()
    return person.id


def undo(database: Database, identifier: str, now: datetime = LATER) -> None:
    with database.unit_of_work() as unit:
        Merges(unit, now).undo(identifier)
        unit.commit()


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


PROVEN = st.lists(st.sampled_from(["phone", "oidc"]), max_size=2).map(tuple)
NOTHING_PROVEN = st.just(())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pair=st.one_of(
        st.tuples(sides(proven=NOTHING_PROVEN), sides(proven=PROVEN)),
        st.tuples(sides(proven=PROVEN), sides(proven=NOTHING_PROVEN)),
    ),
    named_by=st.sampled_from(["survivor", "absorbed", "merge"]),
)
def test_undoing_a_merge_gives_back_both_exactly(database: Database, pair: tuple[Side, Side], named_by: str) -> None:
    here, there, phone = two(database, *pair)
    before = held_by(database, here), held_by(database, there)
    survivor = merge(database, here, phone)
    absorbed = there if survivor == here else here
    assert set(held_by(database, absorbed)) == {"people"}
    with database.unit_of_work() as unit:
        entry = next(one.id for one in Merges(unit, LATER).recent(100) if one.absorbed_id == absorbed)
    undo(database, {"survivor": survivor, "absorbed": absorbed, "merge": entry}[named_by])
    assert (held_by(database, here), held_by(database, there)) == before


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pair=st.one_of(
        st.tuples(sides(proven=NOTHING_PROVEN), sides(proven=PROVEN)),
        st.tuples(sides(proven=PROVEN), sides(proven=NOTHING_PROVEN)),
    ),
    words=st.lists(WORDS, max_size=3),
    orders=st.integers(0, 2),
    name=st.none() | WORDS.map("since the merge {}".format),
)
def test_what_came_after_the_merge_stays_and_all_else_goes_back(
    database: Database, pair: tuple[Side, Side], words: list[str], orders: int, name: str | None
) -> None:
    here, there, phone = two(database, *pair)
    before = {person: held_by(database, person) for person in (here, there)}
    survivor = merge(database, here, phone)
    absorbed = there if survivor == here else here
    with database.unit_of_work() as unit:
        current = Transcripts(unit, LATER).open_of(survivor) or start(unit, LATER, survivor, phone)
        for text in words:
            say(unit, LATER, current, text, phone)
        current.memory = "remembers more"
        numbers = [Orders(unit, LATER).place(survivor, current.id, DRAFT).number for _ in words[:orders]]
        if name is not None:
            Profiles(unit, LATER).rename(survivor, name)
        unit.commit()
    undo(database, absorbed)
    assert held_by(database, absorbed) == before[absorbed]
    after = held_by(database, survivor)
    assert turns_of(after) == turns_of(before[survivor]) + [(LATER, text) for text in words]
    placed = [row for row in after.get("orders", {}).values() if row["placed_at"] == LATER]
    assert {row["number"] for row in placed} == set(numbers)
    assert {row["conversation_id"] for row in placed} <= set(after.get("conversations", {}))
    person = before[survivor]["people"][survivor]
    assert after["people"][survivor] == (person if name is None else {**person, "name": name})


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pair=st.tuples(sides(proven=NOTHING_PROVEN), sides(proven=PROVEN)),
    reach=st.none() | st.sampled_from(["phone", "whatsapp"]),
    quiet=st.none() | QUIET,
)
def test_what_was_preferred_before_is_preferred_as_one_and_what_was_changed_since_stays(
    database: Database, pair: tuple[Side, Side], reach: str | None, quiet: QuietHours | None
) -> None:
    here, there, phone = two(database, *pair)
    survivor = merge(database, here, phone)
    kept, gone = pair if survivor == here else (pair[1], pair[0])
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, LATER)
        person = profiles.get(survivor)
        assert (person.reach, person.quiet) == (kept.reach or gone.reach, kept.quiet or gone.quiet)
        profiles.set_reach(survivor, reach)
        profiles.set_quiet(survivor, quiet)
        unit.commit()
    undo(database, survivor)
    with database.unit_of_work() as unit:
        person = Profiles(unit, LATER).get(survivor)
    assert person.reach == (kept.reach if reach == (kept.reach or gone.reach) else reach)
    assert person.quiet == (kept.quiet if quiet == (kept.quiet or gone.quiet) else quiet)


def turns_of(state: State) -> list[tuple[object, object]]:
    rows = sorted(state.get("turns", {}).values(), key=lambda row: (str(row["received_at"]), row["number"]))
    return [(row["received_at"], row["text"]) for row in rows]


def test_a_browser_whose_session_was_renewed_gets_its_conversation_back_unproven(database: Database) -> None:
    browser, renewed, phone = Address("web", new_id()), Address("web", new_id()), Address("phone", new_id())
    with database.unit_of_work() as unit:
        here = make(unit, somebody(), browser)
        make(unit, somebody(proven=("oidc",)), phone)
        unit.commit()
        Proving(unit, MERGED_AT).prove(browser, renewed, phone, "sms code", Assurance.PROVEN)
        unit.commit()
    undo(database, here)
    with database.unit_of_work() as unit:
        person = Profiles(unit, LATER).find(renewed)
        assert person is not None
        assert [(known.address, known.assurance, known.proven_at) for known in person.addresses] == [
            (renewed, Assurance.CLAIMED, None)
        ]
        conversation = Transcripts(unit, LATER).open_of(here)
        assert conversation is not None
        assert (person.id, Address(conversation.kind, conversation.value)) == (here, renewed)


def test_two_merges_are_undone_one_after_the_other(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody(name="Ana"))
    other = Address("whatsapp", new_id())
    with database.unit_of_work() as unit:
        third = make(unit, somebody(name="Ben"), other)
        unit.commit()
    before = [held_by(database, person) for person in (here, there, third)]
    merge(database, here, phone)
    with database.unit_of_work() as unit:
        later = MERGED_AT + timedelta(hours=1)
        outcome, _ = Profiles(unit, later).link(here, other, "sms code")
        Transcripts(unit, later).close_others(here, keep="none")
        assert outcome is LinkOutcome.MERGED
        unit.commit()
    undo(database, here)
    undo(database, here)
    assert [held_by(database, person) for person in (here, there, third)] == before


def test_it_is_journalled_who_proved_what_and_who_undid_it(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody())
    merge(database, here, phone)
    undo(database, there)
    with database.unit_of_work() as unit:
        entries = sorted(unit.rows(JournalRow, person_id=here), key=lambda entry: (entry.at, entry.act))
        assert [(entry.act, entry.actor, entry.proof, entry.at) for entry in entries] == [
            ("address proven", here, "sms code", MERGED_AT),
            (f"merged {there}", here, "sms code", MERGED_AT),
            (f"merge undone {there}", STAFF, STAFF, LATER),
        ]
        assert [entry.before for entry in entries] == [None, None, None]


def test_a_merge_is_undone_once(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody())
    merge(database, here, phone)
    undo(database, there)
    with pytest.raises(UndoRefused, match="undone already"):
        undo(database, there)


def test_after_thirty_days_what_they_were_is_erased_and_nothing_is_undone(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody())
    merge(database, here, phone)
    late = MERGED_AT + MAY_BE_UNDONE + timedelta(seconds=1)
    with pytest.raises(UndoRefused, match="30 days"):
        undo(database, there, late)
    with database.unit_of_work() as unit:
        Merges(unit, late - timedelta(seconds=2)).erase_over()
        unit.commit()
        assert [one.absorbed_id for one in Merges(unit, LATER).recent(9)] == [there]
        Merges(unit, late).erase_over()
        unit.commit()
        assert Merges(unit, LATER).recent(9) == []


def test_what_somebody_else_has_by_now_is_not_taken_from_them(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody())
    merge(database, here, phone)
    with database.unit_of_work() as unit:
        stranger = Profiles(unit, LATER).find_or_create(Address("web", new_id()), Assurance.ANONYMOUS).id
        for address in unit.rows(AddressRow, kind=phone.kind, value=phone.value):
            address.person_id = stranger
        unit.commit()
    with pytest.raises(UndoRefused, match="addresses"):
        undo(database, there)
    assert set(held_by(database, there)) == {"people"}


def test_a_merge_under_another_one_waits_for_it(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody())
    merge(database, here, phone)
    with database.unit_of_work() as unit:
        for row in unit.rows(PersonRow, id=here):
            row.merged_into = Profiles(unit, LATER).find_or_create(Address("web", new_id()), Assurance.ANONYMOUS).id
        unit.commit()
    with pytest.raises(UndoRefused, match="undo that one first"):
        undo(database, there)


def test_who_was_erased_is_not_brought_back(database: Database) -> None:
    here, there, phone = two(database, somebody(name="Ana"), somebody())
    merge(database, here, phone)
    with database.unit_of_work() as unit:
        forget(unit, LATER, LATER.date(), KEY, here)
        unit.commit()
        assert [entry.before for entry in unit.rows(JournalRow)] == [None] * len(unit.rows(JournalRow))
    with pytest.raises(UndoRefused, match="erased"):
        undo(database, there)


def test_a_role_given_since_stays(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody())
    merge(database, here, phone)
    with database.unit_of_work() as unit:
        Profiles(unit, LATER).give_employee(here, "test")
        unit.commit()
    undo(database, there)
    with database.unit_of_work() as unit:
        assert [EMPLOYEE in Profiles(unit, LATER).get(person).roles for person in (here, there)] == [True, False]


def test_an_unknown_id_is_refused_in_words(database: Database) -> None:
    with pytest.raises(UndoRefused, match="no merge is known by nobody"):
        undo(database, "nobody")
