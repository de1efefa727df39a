"""What an action asks of whoever speaks, declared beside the action, and the one gate that checks it.

A slot never decides it: the role comes from the profile, the assurance from proofs (`assistant/assurance.py`).
"""

from dataclasses import dataclass

from assistant.profiles import CUSTOMER
from assistant.turns import Assurance


@dataclass(frozen=True, slots=True)
class Needs:
    """The role and the assurance that an action asks for."""

    assurance: Assurance = Assurance.ANONYMOUS
    """Asked of people who have proved who they are. A customer who never did is no more than the address they write
    from, so there is nothing to ask them for."""
    aloud: Assurance = Assurance.ANONYMOUS
    """Asked of everybody where others may speak and listen: on a call, at a speaker."""
    role: str = CUSTOMER
    """A role that the profile must have."""
    changes: bool = False
    """Whether it changes what is somebody's. Then the assurance is asked also of who never proved anything but writes
    from a number: an answer goes to whose number it is, but whoever forges the sender need not see it."""


ANYONE = Needs()
"""Tells and changes nothing that belongs to somebody."""
OWN = Needs(Assurance.PROVEN, aloud=Assurance.PROVEN)
"""Tells what belongs to the person. A voice may be anybody's, and a caller's number is easily forged (FACTS 5.1)."""
CHANGES_OWN = Needs(Assurance.PROVEN, aloud=Assurance.PROVEN, changes=True)
"""Changes what belongs to the person."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who speaks in a turn, as far as it decides what they may do."""

    roles: frozenset[str]
    assurance: Assurance
    proved: bool
    """Whether any address of theirs was ever proved."""
    aloud: bool
    """Whether others may speak and listen there."""

    def meets(self, needs: Needs) -> bool:
        """Whether they may."""
        return needs.role in self.roles and self.assurance >= self.asked(needs)

    def asked(self, needs: Needs) -> Assurance:
        """The assurance that these needs come to here."""
        may_be_forged = needs.changes and self.assurance is Assurance.CLAIMED
        is_nobody_else = not self.proved and needs.role == CUSTOMER and not may_be_forged
        asked = Assurance.ANONYMOUS if is_nobody_else else needs.assurance
        return max(asked, needs.aloud) if self.aloud else asked

    def could_meet(self, needs: Needs) -> bool:
        """Whether a proof may be all that is missing: of who speaks, which may also show their role."""
        unsure = not self.proved or (self.aloud and self.assurance < Assurance.PROVEN)
        return unsure or self.assurance < self.asked(needs)


class Below(Exception):  # noqa: N818  # not a fault: the person is offered a way up, and the turn is done again
    """Whoever speaks may not have done what they asked for. Nothing of the turn is kept."""

    def __init__(self, *, by_proof: bool) -> None:
        super().__init__("a proof is needed" if by_proof else "a role is needed")
        self.by_proof = by_proof
        """Whether proving who they are could be enough."""
