"""What the terminal shows while somebody waits."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def step(console: Console, doing: str, done: str) -> Iterator[None]:
    """Show `doing` and the seconds so far for the length of the block, and `done` with all of them after it.

    Where nobody watches (a pipe, a log), one line before and one after. After an error there is no `done`.
    """
    started = time.monotonic()
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(f"{doing} ...", total=None)
            yield
    else:
        console.print(f"{doing} ...")
        yield
    console.print(f"{done} ({time.monotonic() - started:.1f} s)", highlight=False)
