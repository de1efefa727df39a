"""Proving a number that somebody else has: what the one gets, what the other keeps, and what a forger gets of either.

Each path by which anybody can put words, data or an open conversation under a number that they do not hold is here,
with what the number's true holder finds when they prove it (FACTS 5.1, pre-hijack and session fixation).
"""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.archive import archive
from assistant.claims import GIVEN_OUT_AGAIN
from assistant.database import Database, Overtaken, new_id
from assistant.holdings import silent_since
from assistant.identity.proving import Proving
from assistant.journal import LOST, REVOKED, STAFF, TAKEN_OVER, JournalRow
from assistant.outbox import Outbox
from assistant.profiles import CUSTOMER, LinkOutcome, Person, Profiles
from assistant.screens import PairResult, Screens
from assistant.shop import Shop
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Assurance
from tests.assistant.conftest import SHOP
from tests.assistant.somebody import BEGIN, KEY, Side, held_by, say, sides, somebody, start, two

LATER = BEGIN + GIVEN_OUT_AGAIN + timedelta(days=1)
"""By then a number that was last seen at the beginning may be somebody else's."""
SOON = BEGIN + GIVEN_OUT_AGAIN - timedelta(days=1)
PROOFS = st.lists(st.sampled_from(["phone", "oidc"]), max_size=2).map(tuple)
A_PROOF = st.just(("oidc",))


def browser() -> Address:
    return Address("web", new_id())


def number() -> Address:
    return Address("phone", new_id())


def person_at(database: Database, address: Address, now: datetime = BEGIN) -> str:
    with database.unit_of_work() as unit:
        person = Profiles(unit, now).find_or_create(address, Assurance.CLAIMED)
        unit.commit()
    return person.id


def find(database: Database, address: Address) -> Person | None:
    with database.unit_of_work() as unit:
        return Profiles(unit, LATER).find(address)


def prove(
    database: Database, person_id: str, address: Address, now: datetime = LATER, at: Address | None = None
) -> LinkOutcome:
    with database.unit_of_work() as unit:
        outcome, _ = Profiles(unit, now).link(person_id, address, "sms code", at=at)
        unit.commit()
    return outcome


def open_conversation(database: Database, person_id: str, address: Address, text: str, now: datetime = BEGIN) -> str:
    """A conversation in which somebody said this; its id."""
    with database.unit_of_work() as unit:
        conversation = Transcripts(unit, now).open_of(person_id) or start(unit, now, person_id, address)
        say(unit, now, conversation, text, address)
        unit.commit()
    return conversation.id


def is_open(database: Database, conversation_id: str) -> bool:
    with database.unit_of_work() as unit:
        return unit.row(ConversationRow, id=conversation_id, closed_at=None) is not None


def exported(database: Database, person_id: str) -> str:
    with database.unit_of_work() as unit:
        return archive(unit, LATER, person_id)


def acts(database: Database, person_id: str) -> dict[str, str]:
    """What the journal tells of a person, and who did it."""
    with database.unit_of_work() as unit:
        return {row.act: row.actor for row in unit.rows(JournalRow, person_id=person_id)}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prover=sides(proven=PROOFS), owner=sides(proven=PROOFS))
def test_whoever_proves_a_number_that_was_given_up_gets_the_number_and_nothing_else(
    database: Database, prover: Side, owner: Side
) -> None:
    new, old, phone = two(database, prover, owner)
    with database.unit_of_work() as unit:
        Profiles(unit, BEGIN).rename(old, "Canary of old")
        Outbox(unit, BEGIN).text(phone, "a text for old")
        unit.commit()
    before_new, before_old = held_by(database, new), held_by(database, old)
    assert prove(database, new, phone) is LinkOutcome.TAKEN_OVER

    after_new, after_old = held_by(database, new), held_by(database, old)
    taken = after_new["addresses"].keys() - before_new["addresses"].keys()
    assert len(taken) == 1
    for id_ in taken:
        assert after_new["addresses"].pop(id_)["created_at"] == LATER
        del before_old["addresses"][id_]
    assert after_new == before_new
    for id_, row in before_old.get("conversations", {}).items():
        if row["closed_at"] is None:
            row["closed_at"] = LATER
            assert after_old["conversations"][id_]["closed_at"] == LATER
    after_old.setdefault("addresses", {})
    assert after_old == before_old

    theirs = exported(database, new)
    secrets = {old, "Canary of old", "a text for old"}
    secrets |= {id_ for table, rows in before_old.items() if table != "addresses" for id_ in rows}
    assert {secret for secret in secrets if secret in theirs} == set()


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prover=sides(proven=PROOFS), owner=sides(proven=A_PROOF))
def test_a_number_whose_owner_was_seen_there_lately_is_not_given_up(
    database: Database, prover: Side, owner: Side
) -> None:
    new, old, phone = two(database, prover, owner)
    expected = LinkOutcome.REFUSED if prover.proven else LinkOutcome.MERGED
    assert prove(database, new, phone, SOON) is expected
    person = find(database, phone)
    assert person is not None
    assert person.id == old


def test_both_sides_are_told_in_the_journal(database: Database) -> None:
    new, old, phone = two(database, somebody(), somebody(proven=("oidc",)))
    prove(database, new, phone)
    assert acts(database, old)[LOST] == acts(database, new)[TAKEN_OVER] == acts(database, new)["address proven"] == new


def test_what_is_sent_to_the_new_owner_is_not_the_old_ones_to_read(database: Database) -> None:
    new, old, phone = two(database, somebody(), somebody(proven=("oidc",)))
    prove(database, new, phone)
    with database.unit_of_work() as unit:
        Outbox(unit, LATER).text(phone, "a text for the new one")
        unit.commit()
    assert "a text for the new one" not in exported(database, old)
    assert "a text for the new one" in exported(database, new)


def test_who_has_no_address_left_is_still_forgotten_by_age(database: Database) -> None:
    new, old, phone = two(database, somebody(), somebody())
    prove(database, new, phone)
    with database.unit_of_work() as unit:
        assert set(silent_since(unit, LATER)) == {new, old}


def test_the_same_number_of_another_service_goes_along_unless_it_is_in_use(database: Database) -> None:
    for seen_there, left in ((BEGIN, 0), (SOON, 1)):
        phone, old, new = number(), person_at(database, browser()), person_at(database, browser())
        twin = Address("whatsapp", phone.value)
        prove(database, old, phone, BEGIN)
        prove(database, old, twin, seen_there)
        assert prove(database, new, phone) is LinkOutcome.TAKEN_OVER
        owner = find(database, twin)
        assert (owner.id if owner else None) == (old if left else None)


def test_of_two_who_take_over_a_number_at_once_one_gets_it(database: Database) -> None:
    _, old, phone = two(database, somebody(), somebody(proven=("oidc",)))
    ana, ben = person_at(database, browser()), person_at(database, browser())
    with database.unit_of_work() as first, database.unit_of_work() as second:
        for unit, person in ((first, ana), (second, ben)):
            assert Profiles(unit, LATER).link(person, phone, "sms code")[0] is LinkOutcome.TAKEN_OVER
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()
    owner = find(database, phone)
    assert owner is not None
    assert owner.id == ana


def test_a_number_that_an_employee_gave_up_makes_nobody_an_employee(database: Database) -> None:
    phone = number()
    with database.unit_of_work() as unit:
        Profiles(unit, BEGIN).add_employee("Kim", phone)
        unit.commit()
    new = person_at(database, browser(), LATER)
    assert prove(database, new, phone) is LinkOutcome.TAKEN_OVER
    owner = find(database, phone)
    assert owner is not None
    assert (owner.id, owner.roles, owner.name) == (new, frozenset({CUSTOMER}), None)


def test_staff_who_enter_a_number_again_confirm_who_they_name_and_nobody_else(database: Database) -> None:
    phone = number()
    with database.unit_of_work() as unit:
        kim = Profiles(unit, BEGIN).add_employee("Kim", phone)
        again = Profiles(unit, LATER).add_employee("Kim", phone)
        somebody_else = Profiles(unit, LATER + GIVEN_OUT_AGAIN).add_employee("Lee", phone)
        unit.commit()
    assert again.id == kim.id
    assert somebody_else.id != kim.id
    assert acts(database, kim.id)[LOST] == STAFF


def test_whoever_turns_up_at_a_number_that_was_given_up_is_a_stranger(database: Database) -> None:
    _, old, phone = two(database, somebody(), somebody(name="Canary of old", proven=("oidc",)))
    before = held_by(database, old)
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, LATER)
        assert profiles.present(phone) is None
        new = profiles.find_or_create(phone, Assurance.CLAIMED)
        assert profiles.present(phone) == new
        unit.commit()
    assert (new.id == old, new.name, new.phone) == (False, None, None)
    after = held_by(database, old)
    assert before["addresses"].keys() - after["addresses"].keys() == held_by(database, new.id)["addresses"].keys()
    assert set(held_by(database, new.id)) == {"people", "addresses"}
    assert acts(database, old)[LOST] == acts(database, new.id)[TAKEN_OVER] == new.id


def test_who_forges_a_text_after_a_silence_takes_the_number_from_nobody_for_good(database: Database) -> None:
    old, phone, page = person_at(database, browser()), number(), browser()
    prove(database, old, phone, BEGIN)
    forged = open_conversation(database, person_at(database, phone, LATER), phone, "hello", LATER)
    assert prove(database, old, phone, LATER + timedelta(days=1), at=page) is LinkOutcome.MERGED
    owner = find(database, phone)
    assert owner is not None
    assert owner.id == old
    assert not is_open(database, forged)


@pytest.mark.parametrize("case", ["nobody's", "somebody's", "given up", "claimed beside a proof"])
def test_who_is_known_by_the_proof_alone_is_whose_the_number_is(database: Database, case: str) -> None:
    phone, here, now = number(), browser(), SOON
    if case == "somebody's":
        prove(database, person_at(database, here), phone, BEGIN)
    elif case == "given up":
        prove(database, person_at(database, here), phone, BEGIN)
        now = LATER
    elif case == "claimed beside a proof":
        prove(database, person_at(database, phone), number(), SOON)
    before = find(database, phone)
    with database.unit_of_work() as unit:
        outcome, person = Profiles(unit, now).link(None, phone, "sms code", at=phone)
        unit.commit()
    is_owner = case == "somebody's"
    is_lost = case in ("given up", "claimed beside a proof")
    assert outcome is (LinkOutcome.TAKEN_OVER if is_lost else LinkOutcome.LINKED)
    assert (before is not None and before.id == person.id) is is_owner
    assert person.phone == phone


class TestForgedText:
    """A forger sends texts that seem to come from a number. They see no answer."""

    def test_who_proves_the_number_does_not_go_on_in_the_forgers_conversation(self, database: Database) -> None:
        phone, here, renewed = number(), browser(), browser()
        forged = open_conversation(database, person_at(database, phone), phone, "roses to 1 Forger Road please")
        with database.unit_of_work() as unit:
            holder = Proving(unit, SOON, Shop.load(SHOP)).prove(here, renewed, phone, "sms code", Assurance.PROVEN)
            assert holder is not None
            unit.commit()
        with database.unit_of_work() as unit:
            assert Transcripts(unit, SOON).open_of(holder.id) is None
        assert not is_open(database, forged)

    def test_a_screen_that_the_forger_paired_shows_nothing_of_it(self, database: Database) -> None:
        phone, screen, here = number(), Address("screen", new_id()), browser()
        forger = person_at(database, phone)
        forged = open_conversation(database, forger, phone, "show it on my screen")
        with database.unit_of_work() as unit:
            screens = Screens(unit, SOON, KEY)
            assert screens.pair(forger, forged, screens.new_code(screen)) is PairResult.PAIRED
            unit.commit()
        holder = person_at(database, here)
        own = open_conversation(database, holder, here, "hello", SOON)
        assert prove(database, holder, phone, SOON, at=here) is LinkOutcome.MERGED
        with database.unit_of_work() as unit:
            assert Screens(unit, SOON, KEY).followed(screen) is None
        assert is_open(database, own)

    def test_a_code_of_the_forgers_own_browser_does_not_bring_the_number_to_them(self, database: Database) -> None:
        phone, theirs = number(), browser()
        forger = person_at(database, theirs)
        prove(database, forger, number(), SOON, at=theirs)
        with database.unit_of_work() as unit:
            profiles = Profiles(unit, SOON)
            assert profiles.adopt(forger, phone, "pairing code")[0] is LinkOutcome.REFUSED
            profiles.find_or_create(phone, Assurance.CLAIMED)
            assert profiles.adopt(forger, phone, "pairing code")[0] is LinkOutcome.REFUSED
            unit.commit()
        holder = find(database, phone)
        assert holder is not None
        assert (holder.id == forger, holder.phone) == (False, None)

    def test_proving_something_else_does_not_vouch_for_the_number(self, database: Database) -> None:
        phone = number()
        forger = person_at(database, phone)
        prove(database, forger, number(), SOON, at=phone)
        with database.unit_of_work() as unit:
            known = {one.address: one for one in Profiles(unit, SOON).vouch(forger, phone, "sms code").addresses}
        assert known[phone].proven_at is None

    def test_staff_who_enter_the_number_do_not_mean_the_forger(self, database: Database) -> None:
        phone, own = number(), number()
        forger = person_at(database, phone)
        forged = open_conversation(database, forger, phone, "hello")
        prove(database, forger, own, SOON, at=phone)
        with database.unit_of_work() as unit:
            employee = Profiles(unit, SOON).add_employee("Kim", phone)
            unit.commit()
        assert employee.id != forger
        assert not is_open(database, forged)
        there = find(database, own)
        assert there is not None
        assert there.roles == {CUSTOMER}


class TestForgedCall:
    """A forger calls from a number that they do not hold, and proves one that they do: both are one person's then."""

    @pytest.mark.parametrize("has_proof", [False, True], ids=["holder unproven", "holder proven"])
    def test_the_holder_gets_the_number_and_neither_learns_of_the_other(
        self, database: Database, has_proof: bool
    ) -> None:
        phone, own, here = number(), number(), browser()
        forger = person_at(database, phone)
        forged = open_conversation(database, forger, phone, "words of the forger")
        prove(database, forger, own, SOON, at=phone)
        holder = person_at(database, here)
        if has_proof:
            prove(database, holder, number(), SOON, at=here)
        assert prove(database, holder, phone, SOON, at=here) is LinkOutcome.TAKEN_OVER
        mine = open_conversation(database, holder, phone, "words of the holder", SOON)
        assert not is_open(database, forged)
        assert "words of the holder" not in exported(database, forger)
        assert "words of the forger" not in exported(database, holder)
        assert forger not in exported(database, holder)
        open_conversation(database, forger, own, "more of the forger", SOON)
        with database.unit_of_work() as unit:
            assert [turn.text for turn in Transcripts(unit, SOON).history(mine)] == ["words of the holder"]


class TestPreparedBrowser:
    """Somebody has a browser of somebody else join theirs, by a code or a link, before that one proves anything."""

    def test_the_first_proof_leaves_the_other_browser_behind(self, database: Database) -> None:
        prepared, here, phone = browser(), browser(), number()
        person = person_at(database, prepared)
        with database.unit_of_work() as unit:
            Profiles(unit, SOON).adopt(person, here, "pairing code")
            unit.commit()
        assert prove(database, person, phone, SOON, at=here) is LinkOutcome.LINKED
        assert find(database, prepared) is None
        owner = find(database, here)
        assert owner is not None
        assert {known.address for known in owner.addresses} == {here, phone}
        assert acts(database, person)[REVOKED] == person

    def test_so_it_is_left_when_the_proof_shows_who_the_person_is(self, database: Database) -> None:
        prepared, here, phone = browser(), browser(), number()
        owner = person_at(database, browser())
        prove(database, owner, phone, SOON)
        person = person_at(database, prepared)
        with database.unit_of_work() as unit:
            Profiles(unit, SOON).adopt(person, here, "pairing code")
            unit.commit()
        assert prove(database, person, phone, SOON, at=here) is LinkOutcome.MERGED
        assert find(database, prepared) is None
        now = find(database, here)
        assert now is not None
        assert now.id == owner

    def test_so_it_is_left_when_the_browser_joins_somebody_else(self, database: Database) -> None:
        prepared, here, own = browser(), browser(), browser()
        attacker = person_at(database, prepared)
        owner = person_at(database, own)
        with database.unit_of_work() as unit:
            Profiles(unit, SOON).adopt(attacker, here, "pairing code")
            unit.commit()
        with database.unit_of_work() as unit:
            assert Profiles(unit, SOON).adopt(owner, here, "pairing code")[0] is LinkOutcome.MERGED
            unit.commit()
        assert find(database, prepared) is None
        now = find(database, here)
        assert now is not None
        assert now.id == owner
        assert {known.address for known in now.addresses} == {here, own}

    def test_who_proved_something_before_keeps_their_other_browsers(self, database: Database) -> None:
        first, second = browser(), browser()
        person = person_at(database, first)
        prove(database, person, number(), SOON, at=first)
        with database.unit_of_work() as unit:
            profiles = Profiles(unit, SOON)
            profiles.adopt(person, second, "pairing code")
            profiles.vouch(person, second, "pairing code")
            unit.commit()
        prove(database, person, number(), SOON, at=second)
        owners = [find(database, address) for address in (first, second)]
        assert [owner.id for owner in owners if owner] == [person, person]
