"""The model being served, and its replacement while turns go on."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from assistant import training
from assistant.errors import ModelError
from assistant.settings import Settings
from assistant.shop import Shop

if TYPE_CHECKING:
    from assistant.dialogue import CustomAction, Dialogue

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """What is served now, and how the last reload ended."""

    model: str
    """File name of the model."""
    reloads: int
    """How many reloads were asked for."""
    refused: str | None
    """Why the last reload kept the old model; None when it did not."""


class Models:
    """Loads models for the present data; a model that is broken or not ours never replaces the one in use."""

    def __init__(self, settings: Settings, shop: Shop, actions: Sequence["CustomAction"]) -> None:
        self._settings = settings
        self._actions = actions
        self._facts = {"shop_name": shop.name}
        self._one_at_a_time = asyncio.Lock()
        self.served = Served("", 0, None)

    def load(self) -> "Dialogue":
        """Load the model for the present data. Raises `ModelError`."""
        path = training.trusted_model(self._settings)
        dialogue = training.load(path, self._actions, self._facts)
        gc.freeze()  # the model stays for good: the collector need not walk it at each pass
        self.served = Served(path.name, self.served.reloads, None)
        return dialogue

    async def reload(self, swap: Callable[["Dialogue"], None]) -> None:
        """Load again beside the one in use and hand the new one to `swap`; on any fault keep the old one."""
        async with self._one_at_a_time:
            reloads = self.served.reloads + 1
            try:
                swap(await asyncio.to_thread(self.load))
            except (ModelError, OSError) as error:  # the data or the file may be gone by now
                log.error("reload_refused", reason=str(error))
                self.served = Served(self.served.model, reloads, str(error))
            else:
                self.served = Served(self.served.model, reloads, None)
                log.info("model_served", model=self.served.model)
