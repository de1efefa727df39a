"""What every action of ours is."""

from rasa_sdk import Action

from assistant.needs import Needs


class Act(Action):
    """Rasa's custom action with what it asks of whoever speaks. The gate checks that before it runs."""

    needs: Needs
