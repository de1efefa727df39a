"""The `assistant` command. Each command imports what it needs when it runs: Rasa alone takes seconds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from assistant.cli_merges import people
from assistant.commands import aside, migrate, prepare
from assistant.errors import AssistantError, ModelError, NotAnswering, SettingsError

if TYPE_CHECKING:
    from typer._click import Context

    from assistant.settings import Settings

HELD_OUT = Path("tests/data/heldout.yml")
SHOWN_MISTAKES = 20


class _Commands(TyperGroup):
    """Our own errors end as one line and exit code 1."""

    def invoke(self, ctx: "Context") -> object:
        try:
            return super().invoke(ctx)
        except AssistantError as error:
            aside().print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they frame lines of source, of which a log needs none
    help="One assistant over every channel.",
)
app.add_typer(people, name="people")


@app.command()
def run() -> None:
    """Train when there is no model for this data, migrate the database and serve until stopped."""
    settings = _prepare_for_rasa()
    _train_if_needed(settings)
    migrate(settings)
    from assistant.progress import step

    with step(aside(), "Starting", "Started"):
        from fastapi import FastAPI

        from assistant.app import create_app
        from assistant.serving import serve

    def make_app() -> FastAPI:
        with step(aside(), "Opening the model", "Opened the model"):
            return create_app(settings)

    serve(settings, make_app, lambda url: typer.echo(f"The assistant is at {settings.public_url or url}"))


@app.command()
def train() -> None:
    """Train a model for the present data."""
    settings = _prepare_for_rasa(training=True)
    import io
    from contextlib import redirect_stdout

    from assistant import training
    from assistant.progress import step

    told = io.StringIO()
    try:
        # Rasa prints where it left the file, which is moved at once; only when it fails are its words of use.
        with step(aside(), "Training a model for this data, about a minute", "Trained"), redirect_stdout(told):
            path = training.train(settings)
    except ModelError:
        typer.echo(told.getvalue(), err=True)
        raise
    typer.echo(path)


@app.command()
def reload() -> None:
    """Have the running assistant serve the model for the present data, without a break."""
    settings = prepare()
    from assistant.progress import step
    from assistant.running import find

    running = find(settings.state_dir)
    if running is None:
        raise NotAnswering("no assistant is running here; `make run` starts one")
    with step(aside(), "Opening the model", "Done"):
        health = running.reload()
    if health.refused:
        raise ModelError(f"Refused: {health.refused}\nStill serving {health.model}")
    typer.echo(f"Serving {health.model}")


@app.command()
def chat() -> None:
    """Talk to the assistant in this terminal."""
    settings = _prepare_for_rasa()
    _train_if_needed(settings)
    migrate(settings)
    import asyncio
    import getpass

    from assistant.app import create_app
    from assistant.progress import step
    from channels.terminal import TerminalChannel, keyboard

    with step(aside(), "Opening the model", "Opened the model; Ctrl-D ends the chat"):
        application = create_app(settings)

    async def talk() -> None:
        async with application.router.lifespan_context(application):
            await TerminalChannel(getpass.getuser()).chat(application.state.assistant, keyboard(), Console())

    asyncio.run(talk())


@app.command()
def release(
    conversation: Annotated[str | None, typer.Argument(help="Its id, or the start of it.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Give all of them back.")] = False,
) -> None:
    """Give conversations that wait for the staff back to the assistant. Without an id, show them.

    Whoever wrote by text from a number they proved is told by text, once their quiet hours are over.
    """
    settings = prepare()
    migrate(settings)
    from datetime import UTC, datetime

    from assistant.database import Database
    from assistant.giving_back import give_back
    from assistant.shop import Shop
    from assistant.transcripts import Transcripts

    now = datetime.now(UTC)
    with Database(settings.database_url).unit_of_work() as unit:
        held = Transcripts(unit, now).held()
        chosen = [hold for hold in held if every or (conversation and hold[0].startswith(conversation))]
        if not held:
            typer.echo("No conversation is held.")
        elif not (every or conversation):
            table = Table("conversation", "where", "until (UTC)")
            for conversation_id, address, until in held:
                table.add_row(conversation_id, address.kind, f"{until:%d %b %H:%M}")
            Console().print(table)
            typer.echo("`assistant release ID` gives one back, `assistant release --all` all of them.")
        elif not chosen:
            raise SettingsError(f"no held conversation has an id that starts with {conversation}")
        else:
            shop = Shop.load(settings.data_dir / "shop.yml")
            for conversation_id, _address, _until in chosen:
                give_back(unit, now, shop, conversation_id, texting=settings.texting)
            unit.commit()
            typer.echo(f"Given back: {len(chosen)}")


@app.command()
def evaluate(
    examples: Annotated[Path, typer.Argument(help="Phrasings in Rasa's NLU format, never trained on.")] = HELD_OUT,
) -> None:
    """Measure how well phrasings that the model has never seen are understood.

    Exits with 1 when the accuracy is below the floor kept beside the file.
    """
    settings = _prepare_for_rasa()
    _train_if_needed(settings)
    from assistant import evaluation, training
    from assistant.progress import step

    phrasings, floor = evaluation.read_examples(examples), evaluation.read_floor(examples)
    with step(aside(), "Opening the model", "Opened the model"):
        parse = training.load_parser(training.trusted_model(settings))
    result = evaluation.evaluate(phrasings, lambda text: parse(text).intent)

    table = Table("intent", "precision", "recall", "f1", "examples", title=f"{examples}: {result.total} phrasings")
    for score in result.scores:
        figures = (f"{figure:.2f}" for figure in (score.precision, score.recall, score.f1))
        table.add_row(score.intent, *figures, str(score.support))
    console = Console(highlight=False)
    console.print(table)
    for example, taken_for in result.mistakes[:SHOWN_MISTAKES]:
        console.print(f"{example.text!r} is {example.intent}, was taken for {taken_for}", markup=False)
    if len(result.mistakes) > SHOWN_MISTAKES:
        console.print(f"... and {len(result.mistakes) - SHOWN_MISTAKES} more mistakes")
    console.print(f"accuracy {result.accuracy:.3f}   macro F1 {result.macro_f1:.3f}   floor {floor:.2f}")
    if result.accuracy < floor:
        raise typer.Exit(1)


@app.command()
def doctor(online: Annotated[bool, typer.Option(help="Also ask Twilio and the public address.")] = False) -> None:
    """Look at everything the assistant needs, and say how to mend what is wrong."""
    settings = prepare()
    from assistant.doctor import examine

    is_healthy = True
    console = Console(highlight=False)
    for finding in examine(settings, online=online):
        mark = "[red]✗[/]" if finding.mend else "[green]✓[/]"
        console.print(f"{mark} [bold]{finding.subject:16}[/]", end="")
        console.print(finding.says, markup=False, soft_wrap=True)
        if finding.mend:
            is_healthy = False
            console.print(f"{'':18}→ {finding.mend}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if is_healthy else 1)


@app.command()
def sale(
    bouquet: Annotated[str, typer.Argument(help="The bouquet, by its name or its id.")],
    to: Annotated[str | None, typer.Option(help="First name of who bought it.", show_default=False)] = None,
) -> None:
    """Note a bouquet sold in the shop, and print the code by which friends get the same one."""
    settings = prepare()
    migrate(settings)
    from datetime import UTC, datetime

    from assistant.database import Database
    from assistant.orders import Orders
    from assistant.shop import Shop

    sold = next(
        (one for one in Shop.load(settings.data_dir / "shop.yml").bouquets if bouquet.casefold() in one.names), None
    )
    if sold is None:
        raise SettingsError(f"the shop has no bouquet {bouquet}")
    with Database(settings.database_url).unit_of_work() as unit:
        code = Orders(unit, datetime.now(UTC)).record_sale(to, sold.id)
        unit.commit()
    typer.echo(code)


def _prepare_for_rasa(*, training: bool = False) -> "Settings":
    """The same, before Rasa is imported. Raises `SettingsError` also when there is no pipeline to be read."""
    from assistant.understanding.lean import prepare_for_rasa

    settings = prepare(training=training)
    if not settings.config_file.exists():
        raise SettingsError(
            f"there is no {settings.config_file}; run this in the checkout or set ASSISTANT_CONFIG_FILE"
        )
    prepare_for_rasa(settings.config_file)
    return settings


def _train_if_needed(settings: "Settings") -> None:
    """Train in a process of its own, so that what training leaves in memory is not carried while serving."""
    import subprocess
    import sys

    from assistant import training

    if not training.model_path(settings).exists():
        made = subprocess.run([sys.executable, "-m", "assistant.cli", "train"], stdout=subprocess.DEVNULL, check=False)  # noqa: S603  # our own command
        if made.returncode:
            raise ModelError("there is no model for this data and none could be trained; the lines above say why")


if __name__ == "__main__":
    app()
