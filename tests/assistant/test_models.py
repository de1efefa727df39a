"""Model files: opened only when they are what our training wrote; a refused one never replaces the served one."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant import training
from assistant.dialogue import Dialogue
from assistant.errors import ModelError
from assistant.models import Models
from assistant.settings import Settings
from assistant.shop import Shop
from tests.assistant.bot.actions import bot_actions
from tests.assistant.conftest import SHOP

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Rasa, which reads its schemas the old way
]


@pytest.fixture
def settings(small_bot_settings: Settings, tmp_path: Path) -> Settings:
    """An installation with the small bot's trained model, to be spoilt."""
    shutil.copytree(small_bot_settings.models_dir, tmp_path / "models")
    shutil.copytree(small_bot_settings.data_dir, tmp_path / "data")
    return Settings(
        data_dir=tmp_path / "data", config_file=small_bot_settings.config_file, models_dir=tmp_path / "models"
    )


@pytest.fixture
def models(settings: Settings) -> Models:
    return Models(settings, Shop.load(SHOP), bot_actions())


def write_digest(model: Path) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    model.with_name(f"{model.name}.sha256").write_text(f"{digest}  {model.name}\n")


def missing(settings: Settings) -> None:
    training.model_path(settings).unlink()


def changed(settings: Settings) -> None:
    path = training.model_path(settings)
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def truncated(settings: Settings) -> None:
    path = training.model_path(settings)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_ours(settings: Settings) -> None:
    path = training.model_path(settings)
    path.with_name(f"{path.name}.sha256").unlink()


def digest_empty(settings: Settings) -> None:
    path = training.model_path(settings)
    path.with_name(f"{path.name}.sha256").write_text("")


def no_archive_at_all(settings: Settings) -> None:
    path = training.model_path(settings)
    path.write_bytes(b"no archive")
    write_digest(path)


def of_other_data(settings: Settings) -> None:
    (settings.data_dir / "nlu" / "new.yml").write_text('version: "3.1"\nnlu: []\n')


FAULTS = [missing, changed, truncated, not_ours, digest_empty, no_archive_at_all, of_other_data]


@pytest.mark.parametrize("spoil", FAULTS)
def test_a_faulty_model_is_refused(settings: Settings, models: Models, spoil: Callable[[Settings], None]) -> None:
    spoil(settings)
    with pytest.raises(ModelError):
        models.load()


@pytest.mark.parametrize("spoil", FAULTS)
async def test_a_reload_of_a_faulty_model_keeps_the_old_one(
    settings: Settings, models: Models, spoil: Callable[[Settings], None]
) -> None:
    swapped: list[Dialogue] = []
    served = models.served
    spoil(settings)
    await models.reload(swapped.append)
    assert swapped == []
    assert (models.served.model, models.served.reloads) == (served.model, 1)
    assert models.served.refused


def test_a_model_whose_actions_are_not_here_is_refused(settings: Settings) -> None:
    with pytest.raises(ModelError, match="action_serve_tea"):
        Models(settings, Shop.load(SHOP), ()).load()


async def test_a_reload_of_a_good_model_hands_it_over(settings: Settings, models: Models) -> None:
    swapped: list[Dialogue] = []
    await models.reload(swapped.append)
    assert swapped[0].parse("hello").intent == "greet"
    assert models.served.model == training.model_path(settings).name
    assert (models.served.reloads, models.served.refused) == (1, None)


async def test_a_reload_without_the_configuration_keeps_the_old_one(settings: Settings, tmp_path: Path) -> None:
    models = Models(settings.model_copy(update={"config_file": tmp_path / "none.yml"}), Shop.load(SHOP), bot_actions())
    await models.reload(lambda _: pytest.fail("nothing may be swapped in"))
    assert models.served.refused


def test_the_digest_beside_a_model_is_what_sha256sum_reads(settings: Settings) -> None:
    path = training.model_path(settings)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.with_name(f"{path.name}.sha256").read_text() == f"{digest}  {path.name}\n"


@pytest.mark.parametrize("part", ["domain", "nlu", "rules", "stories"])
def test_any_change_of_the_data_asks_for_another_model(settings: Settings, part: str) -> None:
    before = training.model_path(settings)
    (settings.data_dir / part / "tea.yml").write_text("# changed\n")
    assert training.model_path(settings) != before


def test_restocking_the_shop_asks_for_no_other_model(settings: Settings) -> None:
    before = training.model_path(settings)
    (settings.data_dir / "shop.yml").write_text("# changed\n")
    assert training.model_path(settings) == before


def test_data_that_cannot_be_trained_is_refused_and_the_model_stays(settings: Settings) -> None:
    before = {path.name: path.read_bytes() for path in settings.models_dir.iterdir()}
    (settings.data_dir / "domain" / "tea.yml").write_text("intents: {not: [a, domain\n")
    with pytest.raises(ModelError):
        training.train(settings)
    assert {path.name: path.read_bytes() for path in settings.models_dir.iterdir()} == before
