"""The journal: nothing about who somebody is changes without an entry that says who did it, when and by what proof."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from assistant.assurance import Proofs
from assistant.claims import GIVEN_OUT_AGAIN
from assistant.database import Database, UnitOfWork
from assistant.disputes import Disputes
from assistant.forgetting import Erasing, forget
from assistant.identity.proving import Proving
from assistant.identity.tokens import GrantRow, Grants, TokenKind
from assistant.journal import STAFF, Journal, JournalRow
from assistant.links import Links
from assistant.profiles import AddressRow, LinkOutcome, PersonRow, Profiles
from assistant.shop import Shop
from assistant.speakers import Speakers
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind
from assistant.undoing import Merges
from tests.assistant.conftest import SHOP
from tests.assistant.somebody import BEGIN, KEY, start

NOW = BEGIN + timedelta(days=10)
LATE = BEGIN + GIVEN_OUT_AGAIN + timedelta(days=1)
WEB, OTHER_WEB, NEW_WEB = Address("web", "a"), Address("web", "b"), Address("web", "c")
PHONE, OTHER_PHONE = Address("phone", "+447700900123"), Address("phone", "+447700900124")
ACCOUNT, SITE = Address("oidc", "https://staff.example|kim"), Address("site", "shop|ana")
CODE = "sms code"


@dataclass
class Scene:
    """Ana in a browser, who has proved her number, and Ben in another one, who has proved nothing."""

    database: Database
    people: dict[str, str] = field(default_factory=dict)

    def person(self, name: str, address: Address, *proofs: Address) -> str:
        with self.database.unit_of_work() as unit:
            profiles = Profiles(unit, BEGIN)
            self.people[name] = profiles.find_or_create(address, Assurance.ANONYMOUS).id
            for proof in proofs:
                profiles.link(self.people[name], proof, CODE)
            unit.commit()
        return self.people[name]

    def named(self, text: str) -> str:
        """The same with names instead of ids."""
        for name, person_id in self.people.items():
            text = text.replace(person_id, name)
        return text


def link(unit: UnitOfWork, person_id: str, address: Address, now: datetime, at: Address | None = None) -> LinkOutcome:
    return Profiles(unit, now).link(person_id, address, CODE, at=at)[0]


def a_number_is_proved(scene: Scene, unit: UnitOfWork) -> None:
    assert link(unit, scene.people["ben"], OTHER_PHONE, NOW) is LinkOutcome.LINKED


def an_anonymous_side_joins_a_proved_one(scene: Scene, unit: UnitOfWork) -> None:
    assert link(unit, scene.people["ben"], PHONE, NOW) is LinkOutcome.MERGED


def a_texter_joins_who_proves_their_number(scene: Scene, unit: UnitOfWork) -> None:
    assert link(unit, scene.people["ana"], OTHER_PHONE, NOW) is LinkOutcome.MERGED


def two_proved_people_are_refused(scene: Scene, unit: UnitOfWork) -> None:
    assert link(unit, scene.people["kim"], PHONE, NOW) is LinkOutcome.REFUSED


def a_number_is_taken_over(scene: Scene, unit: UnitOfWork) -> None:
    assert link(unit, scene.people["ben"], PHONE, LATE) is LinkOutcome.TAKEN_OVER


def a_first_proof_ends_other_claims(scene: Scene, unit: UnitOfWork) -> None:
    assert link(unit, scene.people["ben"], OTHER_PHONE, NOW, at=OTHER_WEB) is LinkOutcome.LINKED


def a_browser_is_connected_by_a_code(scene: Scene, unit: UnitOfWork) -> None:
    profiles = Profiles(unit, NOW)
    profiles.adopt(scene.people["ana"], NEW_WEB, "pairing code")
    profiles.vouch(scene.people["ana"], NEW_WEB, "pairing code")


def a_proved_browser_is_not_connected(scene: Scene, unit: UnitOfWork) -> None:
    assert Profiles(unit, NOW).adopt(scene.people["ana"], NEW_WEB, "pairing code")[0] is LinkOutcome.REFUSED


def a_link_is_opened(scene: Scene, unit: UnitOfWork) -> None:
    links = Links(unit, NOW, KEY)
    conversation = start(unit, NOW, scene.people["ana"], WEB)
    opened = links.open(links.make(scene.people["ana"], conversation.id, PHONE).token)
    assert opened is not None
    assert Proving(unit, NOW, Shop.load(SHOP)).go_on(OTHER_WEB, NEW_WEB, opened, "link") is not None


def a_number_is_proved_on_a_page(scene: Scene, unit: UnitOfWork) -> None:
    assert (
        Proving(unit, NOW, Shop.load(SHOP)).prove(OTHER_WEB, NEW_WEB, OTHER_PHONE, CODE, Assurance.PROVEN) is not None
    )


def an_employee_signs_in_and_loses_the_claim(scene: Scene, unit: UnitOfWork) -> None:
    person = Proving(unit, NOW, Shop.load(SHOP)).prove(OTHER_WEB, NEW_WEB, ACCOUNT, "oidc sign-in", Assurance.STRONG)
    assert person is not None
    Profiles(unit, NOW).give_employee(person.id, "oidc sign-in")
    unit.commit()
    Profiles(unit, NOW).withdraw_employee(person.id, "oidc sign-in")


def a_host_site_signs_for_somebody(scene: Scene, unit: UnitOfWork) -> None:
    turn = Turn(
        "web", OTHER_WEB, "1", TurnKind.SAID, "hi", Modality.SCREEN, Assurance.ANONYMOUS, received_at=NOW, account=SITE
    )
    Speakers(unit, NOW).arrive(turn)


def an_account_is_linked_and_unlinked(scene: Scene, unit: UnitOfWork) -> None:
    grants = Grants(unit, NOW)
    grants.give(scene.people["ana"], "speaker", redirect_uri="", scope="", challenge="", code="code")
    unit.commit()
    granted = grants.find("code", TokenKind.CODE, "speaker")
    assert granted is not None
    grants.spend(granted)
    grants.find("code", TokenKind.CODE, "speaker")


def staff_make_and_unmake_an_employee(scene: Scene, unit: UnitOfWork) -> None:
    profiles = Profiles(unit, NOW)
    assert profiles.add_employee("Ana", PHONE).id == scene.people["ana"]
    unit.commit()
    profiles.remove_employee(scene.people["ana"])


def staff_merge_and_unmerge(scene: Scene, unit: UnitOfWork) -> None:
    Profiles(unit, BEGIN).give_employee(scene.people["kim"], "oidc sign-in")
    unit.commit()
    Disputes(unit, NOW).settle(scene.people["ana"], scene.people["kim"])
    unit.commit()
    Merges(unit, NOW).undo(scene.people["kim"])


def somebody_asks_to_be_forgotten(scene: Scene, unit: UnitOfWork) -> None:
    Proofs(unit, NOW).add(scene.people["ana"], WEB, CODE)
    forget(unit, NOW, NOW.date(), KEY, scene.people["ana"])


def staff_erase_somebody(scene: Scene, unit: UnitOfWork) -> None:
    Erasing(scene.database, Shop.load(SHOP), KEY, NOW).erase(scene.people["ana"])


def age_erases_somebody(scene: Scene, unit: UnitOfWork) -> None:
    Erasing(scene.database, Shop.load(SHOP), KEY, NOW).erase_older_than(5)


def others(scene: Scene, path: Callable[[Scene, UnitOfWork], None]) -> None:
    """Who else is there in this path."""
    if path in (a_texter_joins_who_proves_their_number,):
        scene.person("tex", OTHER_PHONE)
    if path in (two_proved_people_are_refused, staff_merge_and_unmerge):
        scene.person("kim", NEW_WEB, OTHER_PHONE)
    if path is a_proved_browser_is_not_connected:
        scene.person("kim", NEW_WEB, OTHER_PHONE)
    if path is a_first_proof_ends_other_claims:
        with scene.database.unit_of_work() as unit:
            Profiles(unit, BEGIN).adopt(scene.people["ben"], NEW_WEB, "pairing code")
            unit.commit()


PATHS: list[tuple[Callable[[Scene, UnitOfWork], None], set[tuple[str, str, str, str]]]] = [
    (a_number_is_proved, {("ben", "address proven", "ben", CODE)}),
    (
        an_anonymous_side_joins_a_proved_one,
        {("ana", "merged ben", "ben", CODE), ("ana", "address proven", "ben", CODE)},
    ),
    (
        a_texter_joins_who_proves_their_number,
        {("ana", "merged tex", "ana", CODE), ("ana", "address proven", "ana", CODE)},
    ),
    (two_proved_people_are_refused, {("kim", "link refused phone ana", "kim", CODE)}),
    (
        a_number_is_taken_over,
        {
            ("ana", "address lost", "ben", CODE),
            ("ben", "address taken over", "ben", CODE),
            ("ben", "address proven", "ben", CODE),
        },
    ),
    (
        a_first_proof_ends_other_claims,
        {("ben", "claim revoked", "ben", CODE), ("ben", "address proven", "ben", CODE)},
    ),
    (
        a_browser_is_connected_by_a_code,
        {
            ("ana", "address joined", "ana", "pairing code"),
            ("ana", "address vouched for", "ana", "pairing code"),
        },
    ),
    (a_proved_browser_is_not_connected, {("ana", "link refused web kim", "kim", "pairing code")}),
    (
        a_link_is_opened,
        {
            ("ana", "merged ben", "ana", "link"),
            ("ana", "address joined", "ana", "link"),
            ("ana", "address vouched for", "ana", "link"),
            ("ana", "session renewed", "ana", "link"),
        },
    ),
    (
        a_number_is_proved_on_a_page,
        {("ben", "address proven", "ben", CODE), ("ben", "session renewed", "ben", CODE)},
    ),
    (
        an_employee_signs_in_and_loses_the_claim,
        {
            ("ben", "address proven", "ben", "oidc sign-in"),
            ("ben", "session renewed", "ben", "oidc sign-in"),
            ("ben", "role employee given", "ben", "oidc sign-in"),
            ("ben", "role employee taken", "ben", "oidc sign-in"),
        },
    ),
    (
        a_host_site_signs_for_somebody,
        {
            ("ben", "address left", "ben", "account of the channel"),
            ("ben", "address proven", "ben", "account of the channel"),
        },
    ),
    (
        an_account_is_linked_and_unlinked,
        {
            ("ana", "account linked", "ana", "consent to speaker"),
            ("ana", "account unlinked", "speaker", "a token that was used before"),
        },
    ),
    (
        staff_make_and_unmake_an_employee,
        {
            ("ana", "address proven", STAFF, STAFF),
            ("ana", "role employee given", STAFF, STAFF),
            ("ana", "role employee taken", STAFF, STAFF),
        },
    ),
    (
        staff_merge_and_unmerge,
        {
            ("ana", "merged kim", STAFF, STAFF),
            ("ana", "role employee given", STAFF, "oidc sign-in"),
            ("ana", "role employee taken", STAFF, STAFF),
            ("ana", "merge undone kim", STAFF, STAFF),
        },
    ),
    (somebody_asks_to_be_forgotten, {("ana", "forgotten", "ana", "asked")}),
    (staff_erase_somebody, {("ana", "forgotten", STAFF, STAFF)}),
    (
        age_erases_somebody,
        {("ana", "forgotten", STAFF, "retention"), ("ben", "forgotten", STAFF, "retention")},
    ),
]


def states(unit: UnitOfWork) -> dict[str, tuple[object, ...]]:
    """By row id, what the journal has to tell of: whose an address is and how sure, roles, merges, accounts."""
    watched: dict[type[AddressRow | PersonRow | GrantRow], tuple[str, ...]] = {
        AddressRow: ("person_id", "kind", "value", "assurance", "proven_at"),
        PersonRow: ("roles", "merged_into"),
        GrantRow: ("person_id", "revoked_at"),
    }
    return {
        row.id: tuple(map(str, (getattr(row, name) for name in names)))
        for model, names in watched.items()
        for row in unit.rows(model)
    }


@pytest.mark.parametrize(("path", "told"), PATHS, ids=lambda value: getattr(value, "__name__", ""))
def test_it_is_told_who_did_what_when_and_by_what_proof(
    database: Database, path: Callable[[Scene, UnitOfWork], None], told: set[tuple[str, str, str, str]]
) -> None:
    scene = Scene(database)
    scene.person("ana", WEB, PHONE)
    scene.person("ben", OTHER_WEB)
    others(scene, path)
    with database.unit_of_work() as unit:
        before = states(unit)
    with database.unit_of_work() as unit:
        path(scene, unit)
        unit.commit()
    with database.unit_of_work() as unit:
        new = [row for row in unit.rows(JournalRow) if row.at > BEGIN]
        entries = {(scene.named(row.person_id), scene.named(row.act), scene.named(row.actor), row.proof) for row in new}
        assert entries == told
        assert {row.at for row in new} == {LATE if path is a_number_is_taken_over else NOW}
        after = states(unit)
        changed = {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
        accounted = {id_ for row in new for ids in row.moved.values() for id_ in ids}
        of_people = {row.person_id for row in new} | {row.act.rpartition(" ")[2] for row in new}
        grants = {row.id for row in unit.rows(GrantRow) if row.person_id in of_people}
        forgotten = {row.person_id for row in new if row.act == "forgotten"}
        gone = {id_ for id_, values in before.items() if id_ not in after and values[0] in forgotten}
        assert changed - accounted - of_people - grants - gone == set()
        everything = " ".join(f"{row.act} {row.actor} {row.proof} {row.moved}" for row in new)
        assert not any(address.value in everything for address in (PHONE, OTHER_PHONE))


def test_there_is_a_path_here_for_whatever_can_be_journalled() -> None:
    from assistant import journal

    acts = {value for name, value in vars(journal).items() if name.isupper() and isinstance(value, str)} - {STAFF}
    told = {act for _, entries in PATHS for _, act, _, _ in entries}
    assert {act for act in acts if not any(entry.startswith(act) for entry in told)} == set()


def test_staff_read_what_was_done_about_somebody_and_by_them(database: Database) -> None:
    scene = Scene(database)
    scene.person("ana", WEB, PHONE)
    scene.person("ben", OTHER_WEB)
    with database.unit_of_work() as unit:
        an_anonymous_side_joins_a_proved_one(scene, unit)
        unit.commit()
        about = [
            (entry.at, scene.named(entry.person_id), scene.named(entry.act), scene.named(entry.actor), entry.proof)
            for entry in Journal(unit, NOW).about(scene.people["ben"])
        ]
    assert about == [(NOW, "ana", "address proven", "ben", CODE), (NOW, "ana", "merged ben", "ben", CODE)]
