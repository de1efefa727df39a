"""What a person hears when the dialogue cannot answer: one or two sentences and a way on, fit for eye and ear."""

from assistant.turns import Choice, Message, Reply

TAKE_BACK = Choice("Go on with the assistant", "/take_back")
"""Ends a hold; understood by the core, not by the dialogue."""
TALK_TO_A_PERSON = Choice("Talk to a person", "/ask_person")

FAILED = Reply(
    (
        Message(
            "Sorry, something went wrong on my side and nothing was changed. "
            "Please say that again, or ask for a person.",
            choices=(TALK_TO_A_PERSON,),
        ),
    )
)
TOO_SLOW = Reply(
    (
        Message(
            "Sorry, that took me too long and nothing was changed. Please say it again in a moment.",
            choices=(TALK_TO_A_PERSON,),
        ),
    )
)
TOO_MANY = Reply((Message("That was a lot at once. Please wait a minute, then go on; I have kept everything so far."),))
STALE_CHOICE = Reply((Message("That button is from an earlier conversation. Please tell me in words what you need."),))
NOT_FOLLOWING = Reply((Message("This screen does not show a conversation any more."),), listen=False)
HELD = Reply((Message("A colleague has this conversation and will answer you here.", choices=(TAKE_BACK,)),))
SILENT = Reply(())
TAKEN_BACK = Message("I'm back. My colleagues keep what you wrote.")
HOLD_ENDED = Message("My colleagues couldn't answer in time, sorry. I'm here again.")
