"""Where and when a bouquet can be delivered, and the two questions about it."""

import re
from datetime import date, timedelta

from actions.days import days_in, spoken
from actions.forms import Answer, Outcome, Problem, Question
from actions.hearing import Heard, Slots
from actions.reading import area, looks_like_an_address, names_a_street, spot, words
from actions.saying import Say, answer
from assistant.context import TurnContext

DAYS_OFFERED = 3
"""Days that are offered as choices."""
_NOTHING_PENDING: Slots = {"street": None, "delivery_area": None}
LONGEST_ADDRESS = 160
"""Characters."""
_LEAD_IN = re.compile(
    r"(?:please )?(?:it'?s|it is|it should (?:be|go to)|(?:send|deliver|bring)(?: (?:it|them))? to"
    r"|(?:my|the) address is|to|at)\s+",
    re.IGNORECASE,
)


def problem_with(day: date, context: TurnContext) -> Say | None:
    """Why nothing can be delivered on a day, and which day would do; None when it can."""
    shop = context.shop
    today = shop.today(context.now)
    would_do = spoken(next_days(context, count=1, after=max(day, today))[0])
    if day < today:
        return Say("utter_day_past", values={"day": spoken(day), "would_do": spoken(next_days(context, count=1)[0])})
    if shop.open_hours(day) is None:
        return Say("utter_day_closed", values={"weekday": f"{day:%A}s", "would_do": would_do})
    if day > today + timedelta(days=shop.days_ahead):
        return Say("utter_day_too_far", values={"day": spoken(day), "days_ahead": str(shop.days_ahead)})
    if day == today and _too_late_today(context):
        until = f"{shop.same_day_until:%H:%M}"
        return Say("utter_day_too_late_today", values={"until": until, "would_do": would_do})
    return None


def next_days(context: TurnContext, count: int, after: date | None = None) -> list[date]:
    """The next days on which something can be delivered, after a day or from today on."""
    day = context.shop.today(context.now) if after is None else after + timedelta(days=1)
    if after is None and _too_late_today(context):
        day += timedelta(days=1)
    days: list[date] = []
    while len(days) < count:
        if context.shop.open_hours(day) is not None:
            days.append(day)
        day += timedelta(days=1)
    return days


def _too_late_today(context: TurnContext) -> bool:
    return context.now.astimezone(context.shop.zone).time() > context.shop.same_day_until


class DeliveryDay(Question):
    """On which day. The slot holds the ISO date."""

    called = ("day", "date", "when")

    def __init__(self, slot: str = "day", prompt: str = "Which day should it come?") -> None:
        self.slot = slot
        self._prompt = prompt

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question with the next days that are possible."""
        days = next_days(context, DAYS_OFFERED)
        return Say(
            text=self._prompt,
            choices=tuple(answer(spoken(day), self.slot, day.isoformat()) for day in days),
            reprompt="Which day should it come? You can say, for example, next Friday.",
        )

    def read(self, heard: Heard) -> Outcome:
        """The day that was said, if something can be delivered on it."""
        return self._check(heard, days_in(heard.text, heard.now, asked=True))

    def overhear(self, heard: Heard) -> Outcome:
        """A day said in passing."""
        return self._check(heard, days_in(heard.text, heard.now))

    def _check(self, heard: Heard, days: tuple[date, ...]) -> Outcome:
        if not days:
            return None
        # "Not Monday, Friday" and "Friday instead of Monday": the day they had is not the day they want.
        day = next((day for day in reversed(days) if day.isoformat() != heard.slots.get(self.slot)), days[-1])
        problem = problem_with(day, heard.context)
        if problem is not None:
            return Problem(problem)
        return Answer(day.isoformat(), Say("utter_ack_day", values={"said_day": spoken(day)}), note=spoken(day))


class DeliveryAddress(Question):
    """Where to: street and delivery area."""

    slot = "address"
    called = ("address", "street", "where")
    takes_any_text = True

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        street, named = slots.get("street"), slots.get("delivery_area")
        if street:
            return Say(text=f"Which area is {street} in?")
        if named:
            return Say(text=f"We deliver to {named}. Which street and number is it?")
        return Say(text="Which address should it go to?", reprompt="Tell me street, number and area.")

    def read(self, heard: Heard) -> Outcome:
        """The address as said, once it names a delivery area."""
        said = " ".join(heard.text.split())
        street, named = heard.slots.get("street"), area(said, heard.context.shop)
        lead_in = _LEAD_IN.match(said)
        said = said[lead_in.end() :] if lead_in else said
        if not any(map(str.isalnum, said)):
            return None
        if len(said) > LONGEST_ADDRESS:
            return Problem(Say("utter_too_long", values={"longest": str(LONGEST_ADDRESS)}))
        only_a_day = bool(days_in(said, heard.now)) and named is None and not names_a_street(said)
        if looks_like_an_address(said) and not only_a_day:
            return self._check(heard, said)
        if named is not None and street:
            return self._take(f"{street}, {named}")
        if named is not None:
            return Problem(None, {"delivery_area": named})
        if street:
            elsewhere = Say("utter_address_elsewhere", values={"areas": _areas(heard.context)})
            return Problem(elsewhere, {"street": None})
        return None

    def overhear(self, heard: Heard) -> Outcome:
        """An address said in passing, such as "to 12 Elm Road, Hackney"."""
        said = spot(heard.text)
        if said is None or len(said) > LONGEST_ADDRESS:
            return None
        place = area(said, heard.context.shop) is not None or names_a_street(said)
        return self._check(heard, said) if place else None

    def hint(self, context: TurnContext) -> Say:
        """What an address needs."""
        return Say("utter_hint_address", values={"areas": _areas(context)})

    def is_meant(self, heard: Heard) -> bool:
        """Whether it has the look of an address, which the number of a time of day is not enough for."""
        if heard.intent == "set_quiet_hours" and not names_a_street(heard.text):
            return False
        only_area = area(heard.text, heard.context.shop) is not None and len(words(heard.text)) <= 3
        return looks_like_an_address(heard.text) or only_area

    def _check(self, heard: Heard, said: str) -> Outcome:
        if area(said, heard.context.shop) is not None:
            return self._take(said)
        if heard.slots.get("delivery_area"):
            return self._take(f"{said}, {heard.slots['delivery_area']}")
        return Problem(Say("utter_address_area", values={"areas": _areas(heard.context)}), {"street": said})

    def _take(self, said: str) -> Answer:
        return Answer(said, Say("utter_ack_address", values={"said_address": said}), note=said, also=_NOTHING_PENDING)


def _areas(context: TurnContext) -> str:
    return ", ".join(context.shop.delivery_areas)
