"""Who may be told what, and who may ask for what. Decided by the profile, never by what somebody says."""

from assistant.context import TurnContext
from assistant.profiles import EMPLOYEE
from assistant.turns import Assurance, Modality


def may_see(context: TurnContext) -> bool:
    """Whether what belongs to the person may be told in this turn.

    A text or a page reaches the address it belongs to; a voice may be anybody's, and a caller's number is easily forged
    (FACTS 5.1), so a voice has to be proven.
    """
    return context.turn.modality is not Modality.VOICE or context.turn.assurance >= Assurance.PROVEN


def is_employee(context: TurnContext) -> bool:
    """Whether the person works here, as staff have recorded."""
    return EMPLOYEE in context.person.roles and may_see(context)
