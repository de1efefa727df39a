"""What is to be done before Rasa is imported, so that a process starts soon and stays small.

Rasa imports TensorFlow and scikit-learn whatever the pipeline is, which costs each process seconds of start-up and some
400 MB. When no component of `config.yml` computes with one of them, importing it gives a placeholder: classes that can
be named, inherited from and used as decorators, as Rasa's modules do when they are imported, and nothing else.

skops, which some of Rasa's classifiers keep their weights with, looks for each type it trusts in every module there is;
where one of them is named it comes first, while there are few, and else not at all.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import yaml

TENSORFLOW = frozenset({"tensorflow", "tensorflow_hub", "tensorflow_text", "tensorflow_addons", "keras"})
SCIKIT_LEARN = frozenset({"sklearn"})
WITHOUT_SCIKIT_LEARN = frozenset(
    {
        "WhitespaceTokenizer",
        "KeywordIntentClassifier",
        "FallbackClassifier",
        "RegexEntityExtractor",
        "EntitySynonymMapper",
        "RulePolicy",
        "MemoizationPolicy",
        "AugmentedMemoizationPolicy",
    }
)
"""Rasa's components that are known to compute with neither; our own (`assistant.…`) do not either."""
WITHOUT_TENSORFLOW = WITHOUT_SCIKIT_LEARN | {
    "RegexFeaturizer",
    "LexicalSyntacticFeaturizer",
    "CountVectorsFeaturizer",
    "LogisticRegressionClassifier",
    "CRFEntityExtractor",
}
"""Those that compute with scikit-learn at the most."""
WITH_SKOPS = frozenset({"LogisticRegressionClassifier", "SklearnIntentClassifier"})


def prepare_for_rasa(config_file: Path) -> bool:
    """Import skops if it is needed, and put placeholders in the place of TensorFlow and scikit-learn if they are not.

    To be called as early as can be; returns whether TensorFlow is left out.
    """
    if WITH_SKOPS.intersection(_components(config_file)):
        import skops.io  # noqa: F401  # for its cost now instead of a threefold one later

    if needs_tensorflow(config_file) or "tensorflow" in sys.modules:
        return False
    is_light = _all_within(WITHOUT_SCIKIT_LEARN, config_file) and "sklearn" not in sys.modules
    sys.meta_path.insert(0, _Placeholders(TENSORFLOW | SCIKIT_LEARN if is_light else TENSORFLOW))
    return True


def needs_tensorflow(config_file: Path) -> bool:
    """Whether a component of this configuration may compute with TensorFlow."""
    return not _all_within(WITHOUT_TENSORFLOW, config_file)


def _all_within(known: frozenset[str], config_file: Path) -> bool:
    names = _components(config_file)
    return bool(names) and all(name in known or name.startswith("assistant.") for name in names)


def _components(config_file: Path) -> list[str]:
    config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    return [component["name"] for part in ("pipeline", "policies") for component in config.get(part) or ()]


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
    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in self._packages:
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
