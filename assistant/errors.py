"""The errors of the product: a small tree, each with a code that logs and metrics can count.

What a person hears for each is written in `assistant/apologies.py`; nothing here holds what a person said.
"""


class AssistantError(Exception):
    """Anything this product raises on purpose."""

    code = "assistant"


class SettingsError(AssistantError):
    """A setting is missing, malformed or unsafe; says which and how to mend it."""

    code = "settings"


class ModelError(AssistantError):
    """A model file is missing, broken or not one of ours."""

    code = "model"


class NotAnswering(AssistantError):
    """A running assistant was asked something and did not answer."""

    code = "not_answering"


class StoreUnavailable(AssistantError):
    """The database cannot be reached or written; the same turn may be sent again."""

    code = "store_unavailable"


class UndoRefused(AssistantError):
    """A merge cannot be undone; says why."""

    code = "undo_refused"


class MergeRefused(AssistantError):
    """Two people cannot be made one; says why."""

    code = "merge_refused"


class DialogueFailed(AssistantError):
    """The dialogue core gave no usable answer; nothing of the turn was kept."""

    code = "dialogue_failed"


class TurnTimedOut(DialogueFailed):
    """The answer did not come before the deadline; nothing of the turn was kept."""

    code = "turn_timed_out"


class SenderRefused(AssistantError):
    """A request did not prove where it came from."""

    code = "sender_refused"


class SessionRenewed(AssistantError):
    """The session of a browser was replaced by another one; whoever shows the old one has to connect again."""

    code = "session_renewed"


class SignInRefused(AssistantError):
    """Somebody did not prove who they are; says why, without quoting what was sent."""

    code = "sign_in_refused"


class ProviderUnavailable(AssistantError):
    """The provider that signs people in cannot be reached or does not keep to its standard; says what was missing."""

    code = "provider_unavailable"


class MalformedPayload(AssistantError):
    """A proven sender sent something that cannot be read; names the field."""

    code = "malformed_payload"


class DeliveryFailed(AssistantError):
    """A message could not be handed to the provider; `final` says whether trying again is pointless."""

    code = "delivery_failed"

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.final = final
