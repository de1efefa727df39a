"""A merge undone: both are who they were, with all that was theirs, and what came since stays where it came in."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.assurance import PresenceRow, Presences
from assistant.database import Database, new_id
from assistant.disputes import Disputes
from assistant.errors import UndoRefused
from assistant.forgetting import forget
from assistant.identity.proving import Proving
from assistant.journal import ROLE_TAKEN, STAFF, JournalRow
from assistant.orders import Orders
from assistant.profiles import EMPLOYEE, AddressRow, KnownAddress, LinkOutcome, PersonRow, Profiles
from assistant.quiet import QuietHours
from assistant.shop import Shop
from assistant.speakers import Speakers
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind
from assistant.undoing import MAY_BE_UNDONE, Merges
from tests.assistant.conftest import SHOP
from tests.assistant.somebody import (
    BEGIN,
    DRAFT,
    KEY,
    QUIET,
    WORDS,
    Side,
    State,
    held_by,
    make,
    say,
    sides,
    somebody,
    start,
    two,
)

MERGED_AT = BEGIN + timedelta(days=1)
LATER = MERGED_AT + timedelta(days=1)
STAFF_MERGED_AT = BEGIN + timedelta(days=44)
TAKEN_AT = STAFF_MERGED_AT + timedelta(days=3)
"""By then nobody was seen at the number for 47 days."""


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


def staff_merge(database: Database, kept: str, gone: str, at: datetime = STAFF_MERGED_AT) -> None:
    with database.unit_of_work() as unit:
        Disputes(unit, at).settle(kept, gone)
        unit.commit()


def take_over(database: Database, number: Address, at: datetime = TAKEN_AT) -> str:
    """Somebody in a browser proves this number; their id."""
    with database.unit_of_work() as unit:
        profiles, browser = Profiles(unit, at), Address("web", new_id())
        taker = profiles.find_or_create(browser, Assurance.ANONYMOUS).id
        assert profiles.link(taker, number, "sms code", at=browser)[0] is LinkOutcome.TAKEN_OVER
        unit.commit()
    return taker


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
    left = {*pair[0].speaks_at} & {*pair[1].speaks_at}
    assert set(held_by(database, absorbed)) == {"people"} | ({"presences"} if left else set())
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


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pair=st.tuples(sides(proven=PROVEN), sides(proven=PROVEN)),
    keeps_here=st.booleans(),
    is_taken=st.booleans(),
)
def test_what_staff_merged_is_undone_and_a_number_taken_over_meanwhile_stays_taken(
    database: Database, pair: tuple[Side, Side], keeps_here: bool, is_taken: bool
) -> None:
    here, there, phone = two(database, *pair)
    before = {person: held_by(database, person) for person in (here, there)}
    kept, gone = (here, there) if keeps_here else (there, here)
    staff_merge(database, kept, gone)
    with database.unit_of_work() as unit:
        roles = Profiles(unit, STAFF_MERGED_AT).get(kept).roles
        assert (EMPLOYEE in roles) is any(side.is_employee for side in pair)
        assert len(unit.rows(ConversationRow, person_id=kept, closed_at=None)) == any(
            side.is_open and side.words for side in pair
        )
    taker = take_over(database, phone) if is_taken else None
    takers = held_by(database, taker) if taker else {}
    undo(database, gone, TAKEN_AT + timedelta(days=1))
    after = {person: held_by(database, person) for person in (here, there)}
    if taker is not None:
        assert held_by(database, taker) == takers
        lost = before[there]["addresses"].keys() & takers["addresses"].keys()
        assert len(lost) == 1
        for id_ in lost:
            del before[there]["addresses"][id_]
        before[there] = {table: rows for table, rows in before[there].items() if rows}
        _only_closed(before[there], after[there], phone)
    assert after == before


def _only_closed(before: State, after: State, place: Address) -> None:
    """What had been going on at the place must be closed; when does not matter."""
    for id_, row in before.get("conversations", {}).items():
        if (row["kind"], row["value"], row["closed_at"]) == (place.kind, place.value, None):
            row["closed_at"] = after["conversations"][id_]["closed_at"]
            assert row["closed_at"] is not None


@pytest.mark.parametrize("since", ["nothing", "given to both", "taken away"])
def test_a_role_that_came_with_a_merge_goes_back_with_it_unless_staff_said_otherwise_since(
    database: Database, since: str
) -> None:
    here, there, phone = two(database, somebody(), somebody(is_employee=True, proven=("oidc",)))
    staff_merge(database, here, there)
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, STAFF_MERGED_AT + timedelta(hours=1))
        if since == "given to both":
            assert profiles.add_employee("Ana", phone).id == here
        elif since == "taken away":
            profiles.remove_employee(here)
        unit.commit()
    undo(database, here, TAKEN_AT)
    with database.unit_of_work() as unit:
        has_it = [EMPLOYEE in Profiles(unit, TAKEN_AT).get(person).roles for person in (here, there)]
        taken = [row.person_id for row in unit.rows(JournalRow, act=ROLE_TAKEN)]
    expected = {
        "nothing": ([False, True], [here]),
        "given to both": ([True, True], []),
        "taken away": ([False, False], [here, there]),
    }
    assert (has_it, sorted(taken)) == (expected[since][0], sorted(expected[since][1]))


def test_who_speaks_at_a_speaker_is_who_they_are_by_now(database: Database) -> None:
    kitchen = Address("alexa", "kitchen")
    here, there, phone = two(database, somebody(), somebody(proven=("oidc",)))
    with database.unit_of_work() as unit:
        for person in (there, here):
            Presences(unit, MERGED_AT).arrive(kitchen, person)
        unit.commit()
    assert merge(database, here, phone) == there
    with database.unit_of_work() as unit:
        assert {row.person_id for row in unit.rows(PresenceRow)} == {here, there}
        turn = Turn(
            "alexa", kitchen, "1", TurnKind.SAID, "hi", Modality.VOICE, Assurance.CLAIMED, MERGED_AT, shared=True
        )
        speaker = Speakers(unit, MERGED_AT).known(turn)
        assert speaker is not None
        assert speaker.id == there


def test_an_address_that_was_given_away_on_purpose_is_not_in_the_way(database: Database) -> None:
    here, there, phone = two(database, somebody(), somebody(proven=("oidc",)))
    before = held_by(database, there)
    assert merge(database, here, phone) == there
    (browser,) = (known.address for known in _addresses(database, there) if known.address.kind == "web")
    with database.unit_of_work() as unit:
        Profiles(unit, MERGED_AT).part(browser, "account of the channel")
        unit.commit()
    undo(database, here)
    assert held_by(database, there) == before
    assert _addresses(database, here) == ()


def _addresses(database: Database, person_id: str) -> tuple[KnownAddress, ...]:
    with database.unit_of_work() as unit:
        return Profiles(unit, LATER).get(person_id).addresses


def turns_of(state: State) -> list[tuple[object, object]]:
    rows = sorted(state.get("turns", {}).values(), key=lambda row: (str(row["received_at"]), row["number"]))
    return [(row["received_at"], row["text"]) for row in rows]


def test_a_browser_whose_session_was_renewed_gets_its_conversation_back_unproven(database: Database) -> None:
    browser, renewed, phone = Address("web", new_id()), Address("web", new_id()), Address("phone", new_id())
    with database.unit_of_work() as unit:
        here = make(unit, somebody(), browser)
        make(unit, somebody(proven=("oidc",)), phone)
        unit.commit()
        Proving(unit, MERGED_AT, Shop.load(SHOP)).prove(browser, renewed, phone, "sms code", Assurance.PROVEN)
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
        since = [entry for entry in unit.rows(JournalRow, person_id=here) if entry.at > BEGIN]
        entries = sorted(since, key=lambda entry: (entry.at, entry.act))
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
