"""The data and the model that both sides serve: ours, in the one wording that both can give."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from assistant.settings import Settings
from assistant.shop import Shop
from assistant.training import check, model_path
from assistant.turns import Modality

ROOT = Path(__file__).resolve().parent.parent


def make_material(folder: Path) -> tuple[Settings, Path]:
    """Copy the data below `folder`, plainly worded, and train it unless that was done before.

    Returns settings that serve it, and the model's file. Raises `ModelError` or `subprocess.CalledProcessError`.
    """
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(ROOT / "data", data)
    shop = Shop.load(data / "shop.yml")
    yaml = YAML(typ="safe")  # the YAML that Rasa reads, where "yes" is a word
    for file in sorted((data / "domain").rglob("*.yml")):
        domain = yaml.load(file)
        responses = domain.get("responses", {})
        domain["responses"] = {name: plain_variants(variants, shop.name) for name, variants in responses.items()}
        yaml.dump(domain, file)
    settings = Settings(data_dir=data, config_file=ROOT / "benchmarks" / "config.yml", models_dir=folder / "models")
    model = model_path(settings)
    if not model.exists():
        command = [sys.executable, "-m", "assistant.cli", "train"]
        environment = os.environ | places(settings)
        subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    check(model)
    return settings, model


def places(settings: Settings) -> dict[str, str]:
    """Where the data and the model are, for the environment of a process."""
    return {
        "ASSISTANT_DATA_DIR": str(settings.data_dir),
        "ASSISTANT_CONFIG_FILE": str(settings.config_file),
        "ASSISTANT_MODELS_DIR": str(settings.models_dir),
    }


def plain_variants(variants: list[dict[str, Any]], shop_name: str) -> list[dict[str, Any]]:
    """A response in one wording, the one that is read and not heard, with the shop's name in place.

    Stock Rasa's REST channel is no modality of ours, and it does not know the shop. Variants with a condition stay.
    """
    read = [variant for variant in variants if variant.get("channel") == Modality.TEXT]
    read = read or [variant for variant in variants if "channel" not in variant]
    conditional = [variant for variant in read if "condition" in variant]
    kept = [*conditional, *[variant for variant in read if "condition" not in variant][:1]]
    return [_named({key: value for key, value in variant.items() if key != "channel"}, shop_name) for variant in kept]


def _named(value: Any, shop_name: str) -> Any:
    if isinstance(value, str):
        return value.replace("{shop_name}", shop_name)
    if isinstance(value, list):
        return [_named(item, shop_name) for item in value]
    if isinstance(value, dict):
        return {key: _named(item, shop_name) for key, item in value.items()}
    return value
