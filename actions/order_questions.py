"""The questions of an order: which bouquet, what the card says, how to pay, and whether it is right like that."""

import re
import textwrap
from datetime import date

from actions.days import spoken
from actions.forms import Answer, Outcome, Problem, Question
from actions.hearing import Heard, Slots
from actions.questions import Confirm, Words
from actions.reading import bouquets, payment, share_codes, words, yes_or_no
from actions.saying import Say, answer, offer
from assistant.context import TurnContext
from assistant.needs import OWN
from assistant.orders import OrderDraft
from assistant.shop import Bouquet, Shop
from assistant.turns import Card

LONGEST_CARD = 200
"""Characters on the card that goes with the flowers."""
SHOWN_OF_A_TEXT = 60
"""Characters of an address or a card text that a summary shows: the whole has to fit two text messages."""
_CARD_SAID = re.compile(
    r"\b(?:card|message|note)\b[^:,]{0,15}?\b(?:say(?:s|ing)?|reads?|to say)\b\s*[:,]?\s*[\"“']?(?P<text>.+)",
    re.IGNORECASE,
)
_NO_CARD = re.compile(
    r"(?:no|none|nothing|skip(?: it| that)?|blank|empty|leave (?:it|that)(?: (?:out|blank|empty))?"
    r"|(?:no|without)(?: a| any)? (?:card|message|text|note|thanks|thank you|need)(?: please| thanks)?)\W*",
    re.IGNORECASE,
)
_INTERRUPTIONS = frozenset(
    (
        "cancel",
        "cancel_order",
        "change_day",
        "go_back",
        "change_answer",
        "repeat",
        "help",
        "ask_person",
        "continue_by_text",
        "browse_bouquets",
    )
    + ("ask_hours", "ask_delivery_area", "ask_payment", "order_status", "share_code", "what_you_know")
    + ("set_quiet_hours", "set_reach", "my_preferences")
)
"""What may come in between while the card text is asked; anything else is the card text."""
_ABOUT_US = frozenset(("cancel", "order", "question", "questions", "ordering"))
SHORT = 3
"""Words of a command."""
_PAYING = re.compile(r"\bpay|\bin cash\b|\bby card\b|\bon delivery\b|\bbank transfer\b", re.I)
_ONLY_PAYMENT = re.compile(r"(?:(?:by|in|with|make it|actually),? )*\w+(?: please| instead| then)*\W*", re.IGNORECASE)


def card_of(bouquet: Bouquet, shop: Shop) -> Card:
    """A bouquet to look at."""
    title = f"{bouquet.name}, {shop.money(bouquet.price).format()}"
    return Card(title, bouquet.text, bouquet.image, f"The bouquet {bouquet.name}: {bouquet.text}")


def priced(bouquet: Bouquet, shop: Shop) -> str:
    """Name and price: Spring Meadow, £35.00."""
    return f"{bouquet.name}, {shop.money(bouquet.price).format()}"


class WhichBouquet(Question):
    """Which bouquet. The slot holds its id."""

    slot = "bouquet"
    called = ("bouquet", "flowers", "bunch")

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question with everything there is to buy."""
        shop = context.shop
        choices = tuple(answer(priced(bouquet, shop), self.slot, bouquet.id) for bouquet in shop.bouquets)
        speech = "They are on your screen. Which bouquet would you like?" if context.heard_beside_screen else None
        return Say(text="Which bouquet would you like?", choices=choices, speech=speech)

    def read(self, heard: Heard) -> Outcome:
        """A bouquet by name, colour, flower or share code."""
        return self._shared(heard, asked=True) or self._known(heard, bouquets(heard.text, heard.context.shop))

    def overhear(self, heard: Heard) -> Outcome:
        """A bouquet named in passing; what it is made of counts only to somebody who came to order."""
        by_name = heard.intent != "order_bouquet"
        found = bouquets(heard.text, heard.context.shop, by_name=by_name)
        if heard.chosen:
            found = bouquets(heard.chosen.get(self.slot, ""), heard.context.shop, by_name=True)
        return self._shared(heard, asked=False) or (self._known(heard, found) if len(found) == 1 else None)

    def _shared(self, heard: Heard, *, asked: bool) -> Outcome:
        for code in share_codes(heard.text, asked=asked):
            shared = heard.context.orders.by_share_code(code)
            bouquet = shared and heard.context.shop.bouquet(shared.bouquet_id)
            if shared and bouquet:
                return Answer(bouquet.id, same_as(shared.owner, bouquet, heard.context.shop), note=bouquet.name)
        return None

    def _known(self, heard: Heard, found: tuple[Bouquet, ...]) -> Outcome:
        if not found:
            return None
        shop = heard.context.shop
        if len(found) > 1:
            names = " or ".join(bouquet.name for bouquet in found)
            return Problem(Say("utter_bouquet_several", values={"names": names}))
        say = Say("utter_ack_bouquet", values={"said_bouquet": priced(found[0], shop)}, card=card_of(found[0], shop))
        return Answer(found[0].id, say, note=found[0].name)


def same_as(owner: str | None, bouquet: Bouquet, shop: Shop) -> Say:
    """A shared bouquet, shown."""
    response = "utter_same_as_owner" if owner else "utter_same_as"
    values = {"owner": owner or "", "said_bouquet": priced(bouquet, shop), "about": bouquet.text}
    return Say(response, values=values, card=card_of(bouquet, shop))


class CardText(Words):
    """What the card says. The slot is empty text when there is to be none."""

    def __init__(self) -> None:
        super().__init__(
            "card_text", "What should the card say? Or say “no card”.", LONGEST_CARD, ("card", "message", "text")
        )

    def read(self, heard: Heard) -> Outcome:
        """The words as said, or no card."""
        if _NO_CARD.fullmatch(heard.text.strip()):
            return self._without()
        if yes_or_no(heard.text) and len(words(heard.text)) <= 2:
            return Problem(Say("utter_hint_card_text"))
        return self._take(super().read(heard))

    def overhear(self, heard: Heard) -> Outcome:
        """Words after "the card should say"."""
        if _NO_CARD.fullmatch(heard.text.strip()) and {"card", "message", "note"} & set(words(heard.text)):
            return self._without()
        said = _CARD_SAID.search(heard.text)
        return self._take(super().read(heard.saying(said["text"].strip(" \"”'")))) if said else None

    def is_meant(self, heard: Heard) -> bool:
        """Whether it is for the card: "thank you" and "goodbye" are, and most sentences with "stop" or "help"."""
        said = words(heard.text)
        if heard.intent not in _INTERRUPTIONS:
            return True
        if heard.intent in ("cancel", "help", "go_back") and len(said) > SHORT and _ABOUT_US.isdisjoint(said):
            return True
        return super().is_meant(heard)

    def _without(self) -> Answer:
        return Answer("", Say("utter_ack_no_card"), note="no card")

    def _take(self, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Answer):
            return outcome
        shown = textwrap.shorten(outcome.value, SHOWN_OF_A_TEXT, placeholder="…")
        return Answer(outcome.value, Say("utter_ack_card_text", values={"said_card": shown}), note=f"card “{shown}”")


class HowToPay(Question):
    """How to pay. The slot holds the id of the way."""

    slot = "payment"
    called = ("payment", "pay", "paying")

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question with the ways there are."""
        choices = tuple(answer(way.title, self.slot, way.id) for way in context.shop.payments)
        return Say(text="How would you like to pay?", choices=choices)

    def read(self, heard: Heard) -> Outcome:
        """A way to pay, by any of its names."""
        way = payment(heard.text, heard.context.shop)
        if way is None or {"no", "not", "without"} & set(words(heard.text)):
            return None
        return Answer(way.id, Say("utter_ack_payment", values={"way": way.title}), note=way.title)

    def overhear(self, heard: Heard) -> Outcome:
        """A way to pay said in passing, such as "and I'll pay cash", or alone."""
        return self.read(heard) if _PAYING.search(heard.text) or _ONLY_PAYMENT.fullmatch(heard.text) else None


class PlaceIt(Confirm):
    """The summary, and whether to place the order."""

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """Everything that was decided, with the total. What was said elsewhere only to who proves to be the same."""
        if context.keeps_to_itself:
            context.require(OWN)
        draft = draft_of(slots, context.shop)
        if draft is None:
            return Say("utter_order_incomplete")
        way = context.shop.payment(draft.payment)
        card = f"Card: “{shortened(draft.card_text)}”." if draft.card_text else "No card."
        text = (
            f"{draft.bouquet_name} for {spoken(draft.day)} to {shortened(draft.address)}. {card} "
            f"{f'{way.title}. ' if way else ''}"
            f"{draft.price.format()} + {draft.delivery.format()} delivery = {draft.total.format()}. "
            "Shall I place the order?"
        )
        asking = super().ask(context, slots)
        return Say(text=text, choices=asking.choices, reprompt="Shall I place the order?")


def shortened(text: str) -> str:
    """A text as a summary shows it."""
    return textwrap.shorten(text, SHOWN_OF_A_TEXT, placeholder="…")


def draft_of(slots: Slots, shop: Shop) -> OrderDraft | None:
    """The order as decided so far; None while something is missing or no longer sold."""
    bouquet = shop.bouquet(slots.get("bouquet") or "")
    day, address, payment_id = slots.get("day"), slots.get("address"), slots.get("payment")
    if bouquet is None or not day or not address or not payment_id:
        return None
    return OrderDraft(
        bouquet_id=bouquet.id,
        bouquet_name=bouquet.name,
        day=date.fromisoformat(day),
        address=address,
        card_text=slots.get("card_text") or None,
        payment=payment_id,
        price=shop.money(bouquet.price),
        delivery=shop.money(shop.delivery_price),
    )


class ShareCode(Question):
    """The code of somebody else's bouquet. The slot holds the id of the bouquet it leads to."""

    slot = "shared_bouquet"

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question, with a way on for those who have no code."""
        choices = (offer("Show me the bouquets", "browse_bouquets"), offer("Leave it", "cancel"))
        return Say(text="What is the code of the bouquet? It has five letters and digits.", choices=choices)

    def read(self, heard: Heard) -> Outcome:
        """A code that leads to a bouquet."""
        codes = share_codes(heard.text, asked=True)
        for code in codes:
            shared = heard.context.orders.by_share_code(code)
            if shared is None:
                continue
            bouquet = heard.context.shop.bouquet(shared.bouquet_id)
            if bouquet is None:
                return Problem(
                    Say("utter_share_code_sold_out", choices=(offer("Show me the bouquets", "browse_bouquets"),)),
                    ends=True,
                )
            return Answer(bouquet.id, same_as(shared.owner, bouquet, heard.context.shop))
        return Problem(Say("utter_share_code_unknown", values={"code": codes[0]})) if codes else None

    def overhear(self, heard: Heard) -> Outcome:
        """The same: nothing else is asked here."""
        return self.read(heard)
