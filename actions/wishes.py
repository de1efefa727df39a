"""What somebody prefers, in words: their language, when they want no messages, where they want them."""

from actions.languages import SPOKEN, language_name
from actions.reading import masked
from actions.times import spoken_time
from assistant.context import TurnContext
from assistant.notices import Notices
from assistant.quiet import QuietHours
from assistant.turns import Address


def wishes_of(context: TurnContext) -> list[str]:
    """A sentence for each thing that the person has said they prefer."""
    return [wish for wish in (reach_of(context), quiet_of(context), language_of(context)) if wish]


def reach_of(context: TurnContext) -> str:
    """Where they want messages; empty when they do not mind."""
    ways = {"phone": "text messages", "whatsapp": "WhatsApp"}
    way = ways.get(context.person.reach or "")
    return f"You prefer {way}." if way else ""


def quiet_of(context: TurnContext) -> str:
    """When they want none; empty when they do not mind."""
    quiet = context.person.quiet
    return f"I send you nothing unasked from {hours(quiet, context)}." if quiet else ""


def language_of(context: TurnContext) -> str:
    """The language that they would like; empty for the one that is spoken."""
    wanted = context.person.language or SPOKEN
    return "" if wanted == SPOKEN else f"You would like {language_name(wanted)}; so far I only speak English."


def hours(quiet: QuietHours, context: TurnContext) -> str:
    """Quiet hours, and whose clock they go by: 9 pm to 8 am, London time."""
    place = context.shop.timezone.rpartition("/")[2].replace("_", " ")
    return f"{spoken_time(quiet.start)} to {spoken_time(quiet.end)}, {place} time"


def reached_at(context: TurnContext) -> Address | None:
    """Where a message that the person did not just ask for would go."""
    return Notices(context.outbox, context.shop, context.now).reached_at(context.person)


def by(address: Address) -> str:
    """How a message goes there: by text to the number ending 123."""
    return f"on WhatsApp, at {masked(address)}" if address.kind == "whatsapp" else f"by text to {masked(address)}"
