"""The rules of the house: who may import whom, and what no module does. Read from the source, nothing is run."""

import ast
import builtins
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("assistant", "channels", "actions")

WIRING = {"assistant.app", "assistant.cli"}
"""The application builds every channel; the command line hands one of them, the terminal, to who typed the command."""

RASA = {"assistant.dialogue", "assistant.tracker", "assistant.training", "assistant.understanding"}
"""Where Rasa is known; the rest of the core would not notice another dialogue engine."""

STORES = {
    "assistant.assurance",
    "assistant.claims",
    "assistant.codes",
    "assistant.database",
    "assistant.disputes",
    "assistant.holdings",
    "assistant.identity.attempts",
    "assistant.identity.tokens",
    "assistant.journal",
    "assistant.links",
    "assistant.merging",
    "assistant.migrations",
    "assistant.orders",
    "assistant.outbox",
    "assistant.person",
    "assistant.requests",
    "assistant.screens",
    "assistant.tracker",
    "assistant.transcripts",
    "assistant.undoing",
}
"""Where SQLAlchemy is known."""

FOR_CHANNELS = {"assistant.turns", "assistant.errors", "channels.speech"}
"""What a channel may know of this product."""

NOT_FOR_ACTIONS = {
    "assistant.app",
    "assistant.cli",
    "assistant.conversation",
    "assistant.dialogue",
    "assistant.settings",
    "assistant.tracker",
    "channels",
    "fastapi",
    "rasa",
    "sqlalchemy",
    "starlette",
    "twilio",
}
"""What an action must do without: it reads and writes through the stores, and never sends or commits."""

HARMLESS_AT_IMPORT = {
    "actions.saying",
    "Needs",  # in its own module
    "assistant.needs.Needs",
    "assistant.turns",
    "rasa_sdk.types",
    "structlog.get_logger",
    "threading.Lock",
    "threading.current_thread",
    "threading.main_thread",
    "typer.Typer",
}
"""Beside the standard library, what a module may call while it is imported: never what makes an engine or a client."""

BUSY_AT_IMPORT = {"open", "asyncio", "concurrent", "multiprocessing", "socket", "sqlite3", "subprocess", "threading"}
"""What of the standard library it may not: all of these open, start or connect something."""

CHANNEL_NAMES = {"web", "sms", "voice", "alexa", "wyoming", "terminal"}

CHANNELS_HERE = sorted(name for name in CHANNEL_NAMES if list((ROOT / "channels").glob(f"{name}*")))

WRITES_KINDS = {"assistant.turns", "assistant.settings"}
"""The seam spells out modalities, and settings go by the kind of address; both share words with channels."""


@dataclass(frozen=True)
class Module:
    """One module of the product, as source."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def package(self) -> list[str]:
        parts = self.name.split(".")
        return parts if self.path.name == "__init__.py" else parts[:-1]

    def imports(self) -> set[str]:
        """Full names of everything it imports, wherever in the file the import stands."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                start = self.package[: len(self.package) - node.level + 1] if node.level else []
                source = ".".join([*start, *filter(None, [node.module])])
                found |= {f"{source}.{alias.name}" for alias in node.names}
        return found


def _modules() -> Iterator[Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield Module(".".join(parts).removesuffix(".__init__"), path)


def within(name: str, areas: set[str]) -> bool:
    """Whether a dotted name is one of these or below one of these."""
    return any(name == area or name.startswith(f"{area}.") for area in areas)


MODULES = tuple(_modules())

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def modules_of(package: str) -> pytest.MarkDecorator:
    """The modules of one package, as parameters."""
    chosen = [module for module in MODULES if within(module.name, {package})]
    return pytest.mark.parametrize("module", chosen, ids=lambda module: module.name)


def test_the_seam_imports_the_standard_library_only() -> None:
    (turns,) = [module for module in MODULES if module.name == "assistant.turns"]
    assert {name.partition(".")[0] for name in turns.imports()} <= sys.stdlib_module_names


@modules_of("channels")
def test_a_channel_knows_the_seam_and_its_vendor(module: Module) -> None:
    own = ".".join(module.name.split(".")[:2])  # a channel that is a package may import its own parts
    allowed = FOR_CHANNELS | ({"channels"} if module.name == "channels" else {own})
    if within(module.name, {"channels.speech"}):
        allowed = {"channels.speech", "assistant.turns", "assistant.errors"}
    ours = {name for name in module.imports() if within(name, set(PACKAGES))}
    assert {name for name in ours if not within(name, allowed)} == set()


@modules_of("channels")
def test_a_channel_knows_neither_dialogue_nor_store(module: Module) -> None:
    imports = module.imports()
    assert {name for name in imports if within(name, {"rasa", "rasa_sdk", "sqlalchemy", "alembic"})} == set()


@modules_of("actions")
def test_an_action_reads_and_writes_through_the_stores_only(module: Module) -> None:
    assert {name for name in module.imports() if within(name, NOT_FOR_ACTIONS)} == set()


@modules_of("assistant")
def test_only_the_wiring_knows_channels_and_actions(module: Module) -> None:
    if module.name not in WIRING:
        assert {name for name in module.imports() if within(name, {"channels", "actions"})} == set()


@each_module
def test_only_the_command_line_imports_the_wiring(module: Module) -> None:
    if module.name not in WIRING | {"assistant.cli"}:
        assert {name for name in module.imports() if within(name, WIRING)} == set()


@each_module
def test_rasa_is_known_in_few_places(module: Module) -> None:
    if not within(module.name, RASA):
        assert {name for name in module.imports() if within(name, {"rasa", "tensorflow"})} == set()


@each_module
def test_sqlalchemy_is_known_to_stores_only(module: Module) -> None:
    if not within(module.name, STORES):
        assert {name for name in module.imports() if within(name, {"sqlalchemy", "alembic"})} == set()


@each_module
def test_only_the_settings_read_the_environment(module: Module) -> None:
    if module.name != "assistant.settings":
        readers = {"os.environ", "os.environb", "os.getenv"}
        used = {ast.unparse(node) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
        assert (used | module.imports()) & readers == set()


@each_module
def test_nothing_is_built_at_import(module: Module) -> None:
    runs_by_import = within(module.name, {"assistant.migrations"})  # Alembic has no other way
    assert runs_by_import or {name for name in _calls_at_import(module) if not _is_harmless(name)} == set()


def _calls_at_import(module: Module) -> Iterator[str]:
    """Full names of what the module's own statements call; what functions do happens later, and classes declare.

    A method of a value that the module made itself is left out: making it was a call, or harmless.
    """
    sources = {name.rpartition(".")[2]: name for name in module.imports()}
    for statement in module.tree.body:
        is_script = isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'"
        if not is_script and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call):
                    root, dot, rest = ast.unparse(node.func).partition(".")
                    if root in sources or not dot:
                        yield f"{sources.get(root, root)}{dot}{rest}"


def _is_harmless(name: str) -> bool:
    root = name.partition(".")[0]
    is_standard = root in sys.stdlib_module_names or hasattr(builtins, root)
    return within(name, HARMLESS_AT_IMPORT) or (is_standard and not within(name, BUSY_AT_IMPORT))


@each_module
def test_no_channel_is_named_in_the_core_or_in_actions(module: Module) -> None:
    if not within(module.name, {"channels"}) and module.name not in WRITES_KINDS:
        literals = {node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant)}
        assert literals & CHANNEL_NAMES == set()


@pytest.mark.parametrize("name", CHANNELS_HERE)
def test_a_channel_has_a_test_of_its_own(name: str) -> None:
    assert list((ROOT / "tests" / "channels").glob(f"test_{name}*.py"))


def test_the_reading_of_source_sees_hidden_imports_and_calls(tmp_path: Path) -> None:
    path = tmp_path / "sneaky.py"
    path.write_text(
        "from . import web\nfrom sqlalchemy import create_engine\n"
        "ENGINE = create_engine('sqlite://')\nWORDS = frozenset(' '.join(['a']))\n"
        "def later():\n    import rasa.core.agent\n    return Agent.load('x')\n"
    )
    module = Module("channels.sneaky", path)
    assert module.imports() == {"channels.web", "sqlalchemy.create_engine", "rasa.core.agent"}
    assert {name for name in _calls_at_import(module) if not _is_harmless(name)} == {"sqlalchemy.create_engine"}
