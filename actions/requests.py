"""What employees ask for: help with equipment, leave, supplies; and where their requests are."""

import textwrap
from abc import abstractmethod
from datetime import date

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.access import EMPLOYEES
from actions.act import Act
from actions.days import spoken
from actions.form_actions import actions_of, close
from actions.forms import Form, finished
from actions.hearing import Heard, Slots, slots_of
from actions.questions import YES, Change, Confirm, Words
from actions.reading import number, words
from actions.request_questions import LONGEST_SUMMARY, Described, FirstDay, LastDay, LeaveKind, Urgent, What
from actions.saying import Say
from assistant.context import TurnContext, current
from assistant.requests import Request, RequestDraft, RequestKind

REQUESTS_SHOWN = 3


class _RequestForm(Form):
    """A request of an employee."""

    needs = EMPLOYEES

    kind: RequestKind
    confirm: str
    """Slot of the last question."""

    @abstractmethod
    def draft(self, slots: Slots) -> RequestDraft:
        """The request as answered; call it when every question has its answer."""

    def where(self, context: TurnContext, slots: Slots) -> str:
        """Which kind of request."""
        return f"We were writing your {_KINDS[self.kind]}."


_KINDS = {
    RequestKind.IT: "request for IT help",
    RequestKind.LEAVE: "request for leave",
    RequestKind.SUPPLIES: "request for supplies",
}


class HandItIn(Confirm):
    """The summary, and whether to hand it in."""

    def __init__(self, form: _RequestForm, change: Change) -> None:
        super().__init__(form.confirm, "", "Hand it in", change)
        self._form = form

    def prompt(self, context: TurnContext, slots: Slots) -> str:
        """Everything that was answered."""
        return f"{summary(self._form.draft(slots))}. Shall I hand it in?"


def summary(draft: RequestDraft) -> str:
    """A request in a line."""
    shown = textwrap.shorten(draft.summary, 100, placeholder="…")
    if draft.first_day and draft.last_day:
        span = spoken(draft.first_day)
        span += f" to {spoken(draft.last_day)}" if draft.last_day != draft.first_day else ""
        return f"Leave, {span}: {shown}"
    if draft.kind is RequestKind.IT:
        return f"IT help{', urgent' if draft.urgent else ''}: {shown}"
    return f"Supplies: {shown}"


class ItForm(_RequestForm):
    """Something is broken."""

    name = "it_form"
    started_by = frozenset(("request_it",))
    kind = RequestKind.IT
    confirm = "it_confirmed"

    def __init__(self) -> None:
        change = Change("it_change", {"it_problem": "The problem", "it_urgent": "The urgency"}, self.confirm)
        problem = Described("it_problem", "What is wrong?", LONGEST_SUMMARY, ("problem",))
        urgent = Urgent("it_urgent", "Does it keep you from working?")
        self.questions = (problem, urgent, HandItIn(self, change), change)

    def draft(self, slots: Slots) -> RequestDraft:
        """As answered."""
        return RequestDraft(kind=self.kind, summary=slots.get("it_problem") or "", urgent=slots.get("it_urgent") == YES)


class LeaveForm(_RequestForm):
    """Days off."""

    name = "leave_form"
    started_by = frozenset(("request_leave",))
    kind = RequestKind.LEAVE
    confirm = "leave_confirmed"

    def __init__(self) -> None:
        titles = {"leave_first_day": "The first day", "leave_last_day": "The last day", "leave_kind": "The kind"}
        change = Change("leave_change", titles, self.confirm)
        self.questions = (
            FirstDay("leave_first_day", "Which is your first day off?", ("first", "start", "day", "days")),
            LastDay("leave_last_day", "And the last one?", ("last", "end")),
            LeaveKind("leave_kind", "What kind of leave is it?", 60, ("kind",)),
            HandItIn(self, change),
            change,
        )

    def draft(self, slots: Slots) -> RequestDraft:
        """As answered."""
        first, last = slots.get("leave_first_day"), slots.get("leave_last_day")
        return RequestDraft(
            kind=self.kind,
            summary=slots.get("leave_kind") or "",
            first_day=date.fromisoformat(first) if first else None,
            last_day=date.fromisoformat(last) if last else None,
        )


class SuppliesForm(_RequestForm):
    """Something has run out."""

    name = "supplies_form"
    started_by = frozenset(("request_supplies",))
    kind = RequestKind.SUPPLIES
    confirm = "supplies_confirmed"

    def __init__(self) -> None:
        titles = {"supplies_what": "The thing", "supplies_amount": "The amount"}
        change = Change("supplies_change", titles, self.confirm)
        what = What("supplies_what", "What do you need?", LONGEST_SUMMARY, ("thing", "what"))
        amount = Words("supplies_amount", "How much of it?", 60, ("amount", "much", "many"))
        self.questions = (what, amount, HandItIn(self, change), change)

    def draft(self, slots: Slots) -> RequestDraft:
        """As answered."""
        amount = slots.get("supplies_amount")
        return RequestDraft(
            kind=self.kind, summary=f"{slots.get('supplies_what') or ''}{f', {amount}' if amount else ''}"
        )


class HandIn(Act):
    """Hands the request in when it was confirmed."""

    def __init__(self, form: _RequestForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return f"action_hand_in_{self._form.kind}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Record it and say its number."""
        context, slots = current(), slots_of(tracker)
        if finished(self._form, slots):
            request = context.requests.hand_in(context.person.id, self._form.draft(slots))
            Say("utter_request_handed_in", values={"number": request.number}).utter(dispatcher)
        return close(self._form, slots)


class MyRequests(Act):
    """Lists the person's newest requests, or the one that was named."""

    needs = EMPLOYEES

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        """Rasa's name for it."""
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say them."""
        heard = Heard.of(tracker)
        _requests(heard, newest_only=self._name == "action_request_status").utter(dispatcher)
        return []


def _requests(heard: Heard, *, newest_only: bool) -> Say:
    context = heard.context
    said = number(heard.text, "R")
    if said is not None:
        request = context.requests.by_number(context.person.id, said)
        return Say(text=_line(request)) if request else Say("utter_request_unknown", values={"number": said})
    requests = context.requests.of_person(context.person.id)
    if not requests:
        return Say("utter_no_requests")
    about = [request for request in requests if _ABOUT[request.kind] & set(words(heard.text))]
    shown = (about or requests)[: 1 if newest_only else REQUESTS_SHOWN]
    return Say(text="\n".join(map(_line, shown)))


_ABOUT = {
    RequestKind.IT: {"it", "computer", "printer", "ticket", "laptop", "till", "screen"},
    RequestKind.LEAVE: {"leave", "holiday", "vacation", "off", "days"},
    RequestKind.SUPPLIES: {"supplies", "supply", "material"},
}
"""Words by which people ask for one kind of their requests."""


def _line(request: Request) -> str:
    return f"{request.number}: {textwrap.shorten(summary(request), 60, placeholder='…')} ({request.status})."


def forms() -> tuple[_RequestForm, ...]:
    """The forms of employees."""
    return (ItForm(), LeaveForm(), SuppliesForm())


def actions() -> tuple[Act, ...]:
    """The actions of employees."""
    own = [action for form in forms() for action in (*actions_of(form), HandIn(form))]
    return (*own, MyRequests("action_my_requests"), MyRequests("action_request_status"))
