"""What the skills ask of whoever speaks, beyond what `assistant.needs` names; each action says which it asks."""

from assistant.needs import Needs
from assistant.profiles import EMPLOYEE
from assistant.turns import Assurance

EMPLOYEES = Needs(Assurance.PROVEN, aloud=Assurance.PROVEN, role=EMPLOYEE)
"""For people who work here, as staff or the sign-in have recorded; never by what somebody says."""
BINDING = Needs(Assurance.PROVEN)
"""Adds a way to prove who the person is. Somebody who has one must have shown it, or a forged caller could add theirs
(FACTS 5.1: binding a new authenticator needs an existing one)."""
FOR_GOOD = Needs(Assurance.STRONG, aloud=Assurance.PROVEN, changes=True)
"""Cannot be taken back (FACTS 5.2: deleting data)."""
