"""Questions that several forms ask: yes or no, words as said, what to change."""

from actions.forms import Answer, Form, Outcome, Problem, Question
from actions.hearing import Heard, Slots
from actions.reading import words, yes_or_no
from actions.saying import Say, answer
from assistant.context import TurnContext

YES = "yes"
NO = "no"
UNDERSTOOD = 0.8
"""Confidence from which an intent alone counts as yes or no."""
VERY_SURE = 0.7
"""Confidence from which words are taken for something else where any words may be the answer."""


class YesNo(Question):
    """A question that yes or no answers."""

    only_words = False
    """Whether yes must be said in so many words, because it cannot be undone."""

    def __init__(self, slot: str, prompt: str, yes: str = "Yes", no: str = "No") -> None:
        self.slot = slot
        self._prompt = prompt
        self._titles = yes, no

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question with both answers to pick."""
        yes, no = self._titles
        text = self.prompt(context, slots)
        return Say(text=text, choices=(answer(yes, self.slot, YES), answer(no, self.slot, NO)), reprompt="Yes or no?")

    def prompt(self, context: TurnContext, slots: Slots) -> str:
        """The question alone."""
        return self._prompt

    def read(self, heard: Heard) -> Outcome:
        """Yes or no, in any words for it."""
        said = yes_or_no(heard.text)
        if said is None and heard.confidence >= UNDERSTOOD and not self.only_words and "?" not in heard.text:
            said = {"affirm": True, "deny": False}.get(heard.intent)
        if said is None:
            return None
        return self.yes(heard) if said else self.no(heard)

    def yes(self, heard: Heard) -> Outcome:
        """What yes means."""
        return Answer(YES)

    def no(self, heard: Heard) -> Outcome:
        """What no means."""
        return Answer(NO)


class Confirm(YesNo):
    """The last question of a form: is it right like that? No leads to the question what to change."""

    confirms = True

    def __init__(self, slot: str, prompt: str, yes: str, change: "Change") -> None:
        super().__init__(slot, prompt, yes, "Change something")
        self._change = change

    def no(self, heard: Heard) -> Outcome:
        """Ask what to change."""
        return Problem(None, {"requested_slot": self._change.slot})


class Change(Question):
    """What to change in a form that is complete. Asked only after "no"."""

    required = False

    def __init__(self, slot: str, titles: dict[str, str], confirm: str) -> None:
        self.slot = slot
        self._titles = titles
        self._confirm = confirm

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """One choice for each answer that was given."""
        given = [answer(title, "change", slot) for slot, title in self._titles.items()]
        return Say("utter_ask_change", choices=(*given, answer("Leave it all", self.slot, "leave")))

    def read(self, heard: Heard) -> Outcome:
        """The answer that is to be given anew."""
        said = set(words(heard.text))
        if heard.text == "leave":
            return Problem(Say("utter_form_left"), ends=True)
        if yes_or_no(heard.text):
            return Problem(None, {self._confirm: None})
        for slot, title in self._titles.items():
            if said & set(title.lower().split()[1:]):
                return Problem(None, {slot: None})
        return None


class Words(Question):
    """A question whose answer is kept as said."""

    takes_any_text = True

    def __init__(self, slot: str, prompt: str, longest: int, called: tuple[str, ...] = ()) -> None:
        self.slot = slot
        self.called = called
        self._prompt = prompt
        self._longest = longest

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question alone."""
        return Say(text=self._prompt)

    def read(self, heard: Heard) -> Outcome:
        """The words, when there are any and not too many."""
        said = " ".join(heard.text.split())
        if not said:
            return None
        if len(said) > self._longest:
            return Problem(Say("utter_too_long", values={"longest": str(self._longest)}))
        return Answer(said, note=said)

    def is_meant(self, heard: Heard) -> bool:
        """Whether nothing says that it is something else. A single word such as "cancel" is easily told."""
        return heard.confidence < VERY_SURE and len(words(heard.text)) > 1


def asked_in(form: Form, context: TurnContext, slots: Slots) -> str:
    """The open question of a form in plain text; empty when it has all its answers."""
    question = form.open_question(slots)
    return question.ask(context, slots).text if question else ""
