"""What is to be done before Rasa is imported, so that a process starts soon and stays small.

skops looks for each type it trusts in every module there is, so it comes first, while there are few.

Rasa imports TensorFlow whatever the pipeline is, which costs each process seconds of start-up and some 360 MB. When no
component of `config.yml` computes with it, importing it gives a placeholder: classes that can be named, inherited from
and used as decorators, as Rasa's modules do when they are imported, and nothing else.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import yaml

PACKAGES = frozenset({"tensorflow", "tensorflow_hub", "tensorflow_text", "tensorflow_addons", "keras"})
WITHOUT_TENSORFLOW = frozenset(
    {
        "WhitespaceTokenizer",
        "RegexFeaturizer",
        "LexicalSyntacticFeaturizer",
        "CountVectorsFeaturizer",
        "LogisticRegressionClassifier",
        "KeywordIntentClassifier",
        "FallbackClassifier",
        "CRFEntityExtractor",
        "RegexEntityExtractor",
        "EntitySynonymMapper",
        "RulePolicy",
        "MemoizationPolicy",
        "AugmentedMemoizationPolicy",
    }
)
"""Rasa's components that are known not to compute with it; our own (`assistant.…`) do not either."""


def prepare_for_rasa(config_file: Path) -> bool:
    """Import skops, and put the placeholder in TensorFlow's place unless a component of this configuration needs it.

    To be called as early as can be; returns whether TensorFlow is left out.
    """
    import skops.io  # noqa: F401  # for its cost now instead of a threefold one later

    if needs_tensorflow(config_file) or "tensorflow" in sys.modules:
        return False
    sys.meta_path.insert(0, _Placeholders())
    return True


def needs_tensorflow(config_file: Path) -> bool:
    """Whether a component of this configuration may compute with TensorFlow."""
    config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    names = [component["name"] for part in ("pipeline", "policies") for component in config.get(part) or ()]
    return not names or any(name not in WITHOUT_TENSORFLOW and not name.startswith("assistant.") for name in names)


class _Name(type):
    """The class of everything a placeholder gives."""

    def __getattr__(cls, name: str) -> "_Name":
        return _named(name)

    def __call__(cls, *arguments: object, **_options: object) -> object:
        is_decorator = len(arguments) == 1 and callable(arguments[0])
        return arguments[0] if is_decorator else cls


class _Placeholder(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # a package, so that what is below it can be imported too

    def __getattr__(self, name: str) -> _Name:
        return _named(name)


class _Placeholders(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def _named(name: str) -> _Name:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Name(name, (), {})
