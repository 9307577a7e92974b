"""The rotation of one workload's key as the command line leads through it: plan, ask, make, try, end the old one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.markup import escape

from keyhole.cli.changing import ask, carry_out, end
from keyhole.cli.console import err, out, say
from keyhole.cli.workspace import Workspace
from keyhole.errors import KeyholeError
from keyhole.provision.plan import Plan
from keyhole.provision.rotate import check_key, end_old_key, plan_ending, plan_renewal
from keyhole.provision.show import render_plan
from keyhole.resources.access_key import AccessKey, ExistingAccessKey, read_credentials, read_handed_over
from keyhole.spec.model import AccessKeyWorkload


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of one rotation: the ids of the key in use and of the one that is left of before, if any."""

    workload: str
    current: str
    left: str = ""
    left_until: str = ""

    @property
    def is_complete(self) -> bool:
        return not self.left

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "workload": self.workload,
            "complete": self.is_complete,
            "access_key_id": self.current,
            "old_access_key_id": self.left or None,
            "old_key_may_end": self.left_until or None,
        }


def choose_keys(workspace: Workspace, workload: str) -> tuple[AccessKey, ...]:
    """Give the workload's key, or those of all workloads. Raises: KeyholeError if there is nothing to rotate."""
    workloads = workspace.spec.app.workloads
    if workload and workload not in workloads:
        known = ", ".join(f"`{name}`" for name in workloads)
        raise KeyholeError(f"there is no workload `{workload}`", hint=f"the file has {known}" if known else "")
    if workload and not isinstance(workloads[workload], AccessKeyWorkload):
        raise KeyholeError(
            f"workload `{workload}` is of kind `{workloads[workload].kind}`: its credentials rotate by themselves"
        )
    found = tuple(
        want
        for want in workspace.blueprint.resources
        if isinstance(want, AccessKey) and want.address in {f"access-key.{workload}" if workload else want.address}
    )
    if not found:
        whose = f"`{workload}`" if workload else "no workload"
        message = f"the key of {whose} is handed over nowhere" if workload else "no workload's key is handed over"
        table = workload or "NAME"
        raise KeyholeError(message, hint=f'add `[workloads.{table}.handover]` with `env_file = "app.env"`')
    return found


def rotate_key(
    workspace: Workspace, want: AccessKey, *, unused_for: timedelta, force: bool, yes: bool, as_json: bool
) -> Rotated:
    """Lead through a rotation, or through what is left of one.

    Raises: KeyholeError, AwsError; typer.Exit where someone says no, or a call fails.
    """
    scope, aws = workspace.blueprint.scope, workspace.aws
    workload = want.address.partition(".")[2]
    again = f"keyhole rotate {workload}{workspace.flags}"
    have = _read(workspace, want)
    renewal = plan_renewal(want, have, scope, _note(force, unused_for))
    if not renewal.is_empty:
        ask(renewal, "Make the new key?", yes=yes, as_json=as_json)
        _carry_out(renewal, workspace, f"[green]handed over[/]: the new key of {escape(workload)}", again)
        have = _read(workspace, want)
    credentials = read_credentials(aws, want)
    if credentials is None:
        raise KeyholeError(f"the new key of `{workload}` is not where it was written", hint=f"look again: `{again}`")
    with err.status("trying the new key…"):
        arn = check_key(aws, credentials, on_wait=lambda reason: say(f"  [yellow]…[/] {escape(reason)}"))
    say(f"[green]works[/]: {credentials.access_key_id} is {escape(arn)}")
    ending = end_old_key(have, datetime.now(UTC), unused_for=unused_for, force=force)
    plan = plan_ending(want, ending, scope)
    if not plan.is_empty:
        if renewal.is_empty:
            ask(plan, "End the old key?", yes=yes, as_json=as_json)
        elif not as_json:
            out.print(render_plan(plan, width=out.width))
        _carry_out(plan, workspace, f"[green]done[/]: the old key of {escape(workload)}", again)
    return _tell(workload, _read(workspace, want), ending.until)


def _note(force: bool, unused_for: timedelta) -> str:
    if force:
        return "then the new key is tried, and the old one deactivated, in use or not; the next run deletes it"
    return f"then the new key is tried; the old one stays active until nobody has used it for {_words(unused_for)}"


def _words(length: timedelta) -> str:
    hours, minutes = length.total_seconds() / 3600, length.total_seconds() / 60
    return f"{hours:g} h" if hours >= 1 else f"{minutes:g} min"


def _read(workspace: Workspace, want: AccessKey) -> ExistingAccessKey:
    have = read_handed_over(workspace.aws, want)
    if have is None or not workspace.blueprint.scope.owns(have.tags):
        raise KeyholeError(
            f"user `{want.name}` is not there, or not this app's", hint=f"make it first: `keyhole up{workspace.flags}`"
        )
    return have


def _carry_out(plan: Plan, workspace: Workspace, done: str, again: str) -> None:
    end(carry_out(plan, workspace.aws), done, again)


def _tell(workload: str, have: ExistingAccessKey, until: datetime | None) -> Rotated:
    current = have.current
    old = next((key for key in have.keys if current is not None and key != current), None)
    shown = current.id if current is not None else ""
    if old is None:
        say(f"[green]rotated[/]: {shown} is the only key of {escape(workload)}")
        return Rotated(workload, shown)
    when = f"{until:%Y-%m-%d %H:%M} UTC" if until is not None else ""
    if not old.is_active:
        say(f"{old.id} is inactive: the next run deletes it; nothing that works has it any more")
    else:
        say(f"{old.id} stays active: {old.last_use}, and AWS tells of uses some hours late")
        say(f"  [cyan]help[/]: it may end at {when} if nobody uses it until then; `--force` does not wait")
    return Rotated(workload, shown, old.id, when)
