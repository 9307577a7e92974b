"""What `up` and `down` share: show the plan, ask, apply with progress, and say how it ended."""

from __future__ import annotations

import sys
import threading

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from keyhole.aws import Aws
from keyhole.cli.console import err, out, say, show_error, show_json
from keyhole.cli.tracked_files import warn_of_tracked_files
from keyhole.errors import ExitCode, KeyholeError
from keyhole.provision import Applied, Event, Plan, apply_plan
from keyhole.provision.show import applied_as_json, render_plan


def ask(plan: Plan, question: str, *, yes: bool, as_json: bool = False) -> None:
    """Show the plan and ask; end the command if it is refused or the answer is no.

    Raises: KeyholeError if there is nobody to ask.
    """
    if as_json and plan.refusals:
        show_json(applied_as_json(plan, None))
    elif not as_json:
        out.print(render_plan(plan, width=out.width))
    if plan.refusals:
        raise typer.Exit(int(ExitCode.USAGE))
    warn_of_tracked_files(plan)
    if yes:
        return
    if not _has_terminal():
        raise KeyholeError(
            "this changes something, and nobody is here to ask (no terminal)", hint="add `--yes` to go ahead"
        )
    try:
        agreed = typer.confirm(question, err=True)
    except (typer.Abort, KeyboardInterrupt):
        say("\nnothing was changed")
        raise typer.Exit(int(ExitCode.INTERRUPTED)) from None
    if not agreed:
        say("nothing was changed")
        raise typer.Exit(int(ExitCode.FINDING))


def _has_terminal() -> bool:
    return sys.stdin.isatty()


def carry_out(plan: Plan, aws: Aws) -> Applied:
    """Apply the plan and show how far it is; on a pipe one line for each resource that is done."""
    total = sum(max(1, len(change.calls)) for change in plan.changes if change.verb != "keep")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("applying", total=total)
        lock = threading.Lock()

        def show(event: Event) -> None:
            with lock:
                _show_event(event, progress, task)

        return apply_plan(plan, aws, show)


def _show_event(event: Event, progress: Progress, task: TaskID) -> None:
    change = event.change
    match event.stage:
        case "call":
            progress.update(task, description=f"{change.address}: {event.detail}", advance=1)
        case "wait":
            progress.console.print(f"  [yellow]…[/] {change.address}: waiting: {escape(event.detail)}")
        case "resumed":
            progress.console.print(f"  [yellow]…[/] {change.address}: {escape(event.detail)}: it is looked at anew")
        case "done":
            progress.console.print(
                f"  [green]✓[/] {change.verb} {change.address} [dim]{change.name.rpartition('/')[2]}[/]"
            )
        case "failed":
            progress.console.print(f"  [red]✗[/] {change.verb} {change.address}")


def end(applied: Applied, done: str, again: str) -> None:
    """Say how it ended, all failures together, and leave with the right exit code if it did not end well."""
    for failure in applied.failures:
        where = f" ({failure.call.why})" if failure.call is not None and failure.call.why else ""
        say(f"\n[bold]{failure.change.address}[/]{where}")
        show_error(failure.error)
    for state, changes in (("begun, not finished", applied.unfinished), ("not begun", applied.skipped)):
        if changes:
            say(f"\n{state}: {', '.join(change.address for change in changes)}")
    if applied.interrupted:
        say(f"interrupted: what was done stays; `{again}` goes on from here")
        raise typer.Exit(int(ExitCode.INTERRUPTED))
    if applied.failures:
        say(f"what was done stays; when the cause is mended, `{again}` goes on from here")
        raise typer.Exit(int(max(failure.error.exit_code for failure in applied.failures)))
    say(done)
