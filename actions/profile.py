"""What belongs to the person: their phone number, their name, what we know about them, and being forgotten."""

import re
from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.access import BINDING, FOR_GOOD
from actions.act import Act
from actions.devices import LINK_WANTED, text_link
from actions.form_actions import actions_of, close
from actions.forms import Answer, Form, Outcome, Problem, Question, finished
from actions.hearing import Heard, Slots, slots_of, suspended
from actions.questions import NO, YES, YesNo, asked_in
from actions.reading import country, masked, name, phone, six_digits, takes_texts
from actions.saying import Say, offer
from actions.wishes import wishes_of
from assistant.codes import CodeResult
from assistant.context import TurnContext, current
from assistant.needs import ANYONE, OWN
from assistant.profiles import LinkOutcome
from assistant.turns import Address, Modality

PROVEN = "proven"
"""What the code's slot holds instead of the code. Only wording hangs on it: the profile knows what is proven."""
_NEW_CODE = re.compile(
    r"\b(?:resend|re-send|new (?:code|one)|another (?:code|one)|again|send (?:it|me|another|a new|the code)"
    r"|no code|nothing (?:came|arrived)"
    r"|(?:didn'?t|haven'?t|did not|have not|hasn'?t|never|not) (?:get|got|receive|received|arrived?|come|came))\b",
    re.IGNORECASE,
)
_TO_A_PERSON = offer("Talk to a person", "ask_person")


def send_code(heard: Heard, address: Address) -> Outcome:
    """Text a new code to the number. The answer is the same whether we know the number or not."""
    context = heard.context
    if not takes_texts(address):
        return Problem(Say("utter_phone_landline"))
    digits = context.codes.make(context.person.id, context.conversation_id, address, origin=context.turn.origin)
    if digits is None:
        return Problem(Say("utter_code_limit", choices=(_TO_A_PERSON,)), ends=True)
    shop = context.shop.name
    text = f"{digits} is your {shop} code to continue your chat by text. Do not read it to anyone."
    context.outbox.text(address, text, secret=True)
    return Answer(address.value, Say("utter_code_sent", values={"masked": masked(address)}), also={"phone_code": None})


class PhoneNumber(Question):
    """Which number to text. Sends the code to it."""

    slot = "phone_number"
    called = ("number", "phone", "mobile")

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say(text="Which mobile number shall I text?", reprompt="Tell me your mobile number, digit by digit.")

    def read(self, heard: Heard) -> Outcome:
        """A number that can be texted."""
        address = phone(heard.text, country(heard.context.shop))
        return send_code(heard, address) if address else None

    def overhear(self, heard: Heard) -> Outcome:
        """A whole number said in passing, such as a corrected one; never the one we have."""
        address = phone(heard.text, country(heard.context.shop))
        if address is None or address.value == heard.slots.get(self.slot):
            return None
        return send_code(heard, address)


class PhoneCode(Question):
    """The code that was texted. Proves the number."""

    slot = "phone_code"
    called = ("code",)
    kind = "phone"
    """Kind of the address that a new code goes to."""
    proof = "sms code"

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say(text="What is the six-digit code I texted you?", reprompt="Read me the six digits.")

    def read(self, heard: Heard) -> Outcome:
        """The code, or the wish for a new one."""
        digits = six_digits(heard.text)
        if digits is not None:
            return self._check(heard, digits)
        number = heard.slots.get(PhoneNumber.slot)
        if number and _NEW_CODE.search(heard.text.replace("’", "'")):
            sent = send_code(heard, self.goes_to(heard.context, number))
            return Problem(sent.say) if isinstance(sent, Answer) else sent
        return None

    def goes_to(self, context: TurnContext, number: str) -> Address:
        """Where a new code goes."""
        return Address(self.kind, number)

    def is_meant(self, heard: Heard) -> bool:
        """Whether it is a code, or says that none came."""
        return six_digits(heard.text) is not None or bool(_NEW_CODE.search(heard.text.replace("’", "'")))

    def _check(self, heard: Heard, digits: str) -> Outcome:
        context = heard.context
        check = context.codes.check(context.person.id, context.conversation_id, digits)
        if check.result is CodeResult.RIGHT and check.address is not None:
            if context.link(check.address, self.proof) is LinkOutcome.REFUSED:
                return Problem(Say("utter_link_refused", choices=(_TO_A_PERSON,)), ends=True)
            return Answer(PROVEN, also={PhoneNumber.slot: check.address.value})
        if check.result is CodeResult.LOCKED:
            return Problem(Say("utter_code_locked", choices=(_TO_A_PERSON,)), ends=True)
        return Problem(Say(f"utter_code_{check.result}"))


class PhoneForm(Form):
    """Proves a phone number, so that the conversation can go on there."""

    needs = BINDING

    name = "phone_form"
    started_by = frozenset(("continue_by_text", "send_to_phone", "go_on_in_browser"))
    left = "utter_phone_left"
    questions = (PhoneNumber(), PhoneCode())

    def refuse(self, heard: Heard) -> Say | None:
        """Texting has to be on, and not be what the person does already."""
        turn = heard.context.turn
        if turn.address.kind == "phone" and turn.modality is Modality.TEXT:
            return Say("utter_already_by_text")
        if not heard.context.texting:
            return Say("utter_texting_off", choices=(_TO_A_PERSON,))
        return None

    def prepare(self, heard: Heard) -> Slots:
        """A number they have proved needs no code again, unless they name another one."""
        known, said = heard.context.person.phone, phone(heard.text, country(heard.context.shop))
        if known is None or said not in (None, known):
            return {}
        return {PhoneNumber.slot: known.value, PhoneCode.slot: PROVEN}

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That a number was being proved."""
        return "We were setting up your phone, to go on by text."


class ContinueByText(Act):
    """Tells the person that they can go on by text, and sends the first message there."""

    def __init__(self, form: PhoneForm, forms: Mapping[str, Form]) -> None:
        self._form = form
        self.needs = form.needs
        self._forms = forms

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_continue_by_text"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Text the open question there, so that they only have to answer it; or a link, if they asked for one."""
        context, slots = current(), slots_of(tracker)
        number = context.person.phone
        if finished(self._form, slots) and slots.get(PhoneCode.slot) == PROVEN and number is not None:
            if slots.get(LINK_WANTED):
                text_link(context, number).utter(dispatcher)
            else:
                Say("utter_go_on_by_text", values={"masked": masked(number)}).utter(dispatcher)
                context.outbox.text(number, self._first_message(context, slots))
        return [SlotSet(LINK_WANTED, None), *close(self._form, slots)]

    def _first_message(self, context: TurnContext, slots: Slots) -> str:
        waiting = suspended(slots)
        if not waiting:
            return f"{context.shop.name}: we can go on here. Just answer this message."
        form = self._forms[waiting[-1]]
        return f"{context.shop.name}: we can go on here. {form.where(context, slots)} {asked_in(form, context, slots)}"


class TellName(Act):
    """Remembers how the person wants to be called."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_tell_name"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Keep the name, if one can be made out."""
        heard = Heard.of(tracker)
        said = name(heard.text)
        if said is None:
            Say("utter_hint_name").utter(dispatcher)
        else:
            heard.context.profiles.rename(heard.context.person.id, said)
            Say("utter_name_kept", values={"said_name": said}).utter(dispatcher)
        return []


class WhatYouKnow(Act):
    """Tells the person what is stored about them."""

    needs = OWN

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_what_you_know"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it, with addresses masked."""
        context = current()
        Say(text=known_about(context), choices=(offer("Forget me", "forget_me"),)).utter(dispatcher)
        return []


def known_about(context: TurnContext) -> str:
    """Everything that is stored about the person, in a few sentences."""
    person = context.person
    orders, requests = context.orders.of_person(person.id), context.requests.of_person(person.id)
    kinds = ("phone", "whatsapp")
    places = [masked(known.address) for known in person.addresses if known.address.kind in kinds]
    places += ["this chat"] if any(known.address.kind not in kinds for known in person.addresses) else []
    parts = [
        f"Your name: {person.name}." if person.name else "I do not know your name.",
        f"I reach you through {' and '.join(dict.fromkeys(places))}." if places else "",
        f"You placed {_count(len(orders), 'order')} with us." if orders else "You have not ordered yet.",
        f"You handed in {_count(len(requests), 'request')}." if requests else "",
        *wishes_of(context),
        "I also keep what we write here.",
    ]
    return " ".join(part for part in parts if part)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


class ReallyForget(YesNo):
    """Whether to forget everything."""

    only_words = True

    def no(self, heard: Heard) -> Outcome:
        """Keep it."""
        return Answer(NO)


class ForgetForm(Form):
    """Explains what is forgotten, and asks."""

    needs = FOR_GOOD

    name = "forget_form"
    started_by = frozenset(("forget_me",))
    left = "utter_not_forgotten"
    questions = (
        ReallyForget(
            "forget_confirmed",
            "I will delete your name, your addresses and everything we wrote. Orders stay in the books without your "
            "name, as the law asks. This cannot be undone. Shall I forget you?",
            "Yes, forget me",
            "No",
        ),
    )

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That it was about being forgotten."""
        return "You asked me to forget you."


class Forget(Act):
    """Forgets the person when they confirmed it."""

    def __init__(self, form: ForgetForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_forget"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Forget, or keep everything, and say so."""
        slots = slots_of(tracker)
        confirmed = slots.get("forget_confirmed")
        if confirmed == YES:
            current().forget()
            Say("utter_forgotten").utter(dispatcher)
        elif confirmed == NO:
            Say("utter_not_forgotten").utter(dispatcher)
        return close(self._form, slots)


def actions(forms: Mapping[str, Form]) -> tuple[Act, ...]:
    """The actions of the profile. `forms` are all that may wait while a number is proved."""
    phone_form, forget_form = PhoneForm(), ForgetForm()
    return (
        *actions_of(phone_form),
        *actions_of(forget_form),
        ContinueByText(phone_form, forms),
        TellName(),
        WhatYouKnow(),
        Forget(forget_form),
    )
