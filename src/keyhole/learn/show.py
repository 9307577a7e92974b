"""A report for people: headings, the lines for the file as they are pasted, and what else was found."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator

from keyhole.learn.comparison import Unused
from keyhole.learn.policy import write_policy
from keyhole.learn.report import Chapter, Report, place_of
from keyhole.learn.use import Use
from keyhole.spec import Spec

_MOST = 20
_LONG = 60


def render_report(report: Report) -> str:
    """Give the text of the chapters; what is to be pasted stands at the left edge."""
    blocks = [block for chapter in report.chapters for block in _chapter(chapter, report)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _chapter(chapter: Chapter, report: Report) -> Iterator[str]:
    lesson, needs = chapter.lesson, chapter.lesson.needs
    if len(report.chapters) > 1:
        yield lesson.who
    if needs.grants:
        yield "the smallest grants that suffice:"
        yield chapter.lines.rstrip()
    elif not needs.uses and not lesson.by_file:
        yield "it asked for nothing that takes a grant"
    yield from _listed("denied:", (_denial(use, chapter) for use in _distinct(lesson.denied)))
    if lesson.comparison and report.spec:
        lacking = [use for use in lesson.comparison.lacking if use.is_allowed]
        yield from _listed("not granted in the file, though it was allowed:", map(_asked, _distinct(lacking)))
        unused = (_unused(one, chapter.workload, report.spec) for one in lesson.comparison.unused)
        yield from _listed("granted in the file and not used:", unused)
    if needs.without_verb:
        yield from _listed("no verb of the file covers:", map(_asked, _distinct(needs.without_verb)))
        yield "as statements of a policy of its own:"
        yield json.dumps(write_policy(needs.without_verb, {}), indent=2, ensure_ascii=False)
    yield from _listed("this should not be: what was learned would not allow", map(_asked, lesson.unproved))
    if needs.hidden:
        reads = _count(needs.hidden, "read")
        yield f"{reads} of keys that are not there: 403 with these grants, 404 takes `list` on the whole bucket"
    if lesson.by_file and report.spec:
        name = report.spec.policies[chapter.workload].name
        yield f"{_count(len(lesson.by_file), 'request')} covered by `{name}`: no grant is needed"
    if needs.met:
        yield f"{_count(needs.met, 'request')} allowed by the resource's own policy: no grant is needed"


def headline(report: Report) -> str:
    """Give one sentence on the run."""
    run = report.run
    denied = sum(len(chapter.lesson.denied) for chapter in report.chapters)
    parts = [_count(len(run.events), "call")]
    parts += [f"{denied} denied"] if denied else []
    parts += [f"{report.refused} refused: the caller was not believed"] if report.refused else []
    command = shlex.join(run.command)
    shown = command if len(command) <= _LONG else f"{command[:_LONG]}…"
    return _plain(f"`{shown}` ended with {run.status}: {', '.join(parts)}")


def remarks(report: Report) -> Iterator[str]:
    """Give what one should know of the run before believing the report."""
    run = report.run
    if not run.events:
        yield "no call came: does the program use AWS_ENDPOINT_URL, or an endpoint of its own?"
    if run.status:
        yield f"the program failed ({run.status}): what it would have asked for after that is not known"
    if run.mode == "strict" and any(chapter.lesson.denied for chapter in report.chapters):
        yield "after a denial a program may ask for less: `keyhole local start --mode soft` lets it go on"
    if run.mode == "off":
        yield "the local AWS asks no policy (mode off): nothing could be denied"
    if report.others:
        yield f"{_count(report.others, 'request')} of other principals not counted"
    if not run.is_complete:
        yield "something that the program started still runs: its further calls are not counted"


def _listed(heading: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        more = [f"… and {len(found) - _MOST} more"] if len(found) > _MOST else []
        yield "\n  ".join((heading, *found[:_MOST], *more))


def _denial(use: Use, chapter: Chapter) -> str:
    comparison = chapter.lesson.comparison
    if comparison and (use.verb or use in chapter.lesson.by_file) and use not in comparison.lacking:
        return f"{_asked(use)}: the file grants it, yet {use.reason}"
    return f"{_asked(use)}: {use.reason}"


def _asked(use: Use) -> str:
    resource = f"{use.bucket}/{use.key}" if use.key else use.bucket or use.resource
    prefix = f" under {use.path}" if use.path and not use.key else ""
    return _plain(f"{use.action}  {resource}{prefix}")


def _unused(one: Unused, workload: str, spec: Spec) -> str:
    grant = one.grant
    where = f"under {grant.prefix} of {grant.bucket}" if grant.prefix else f"in {grant.bucket}"
    return f"{place_of(spec, workload, one.index)}  `{one.verb}` {where}"


def _distinct(uses: Iterable[Use]) -> list[Use]:
    return list({(use.action, use.resource, use.path): use for use in uses}.values())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _plain(text: str) -> str:
    # A key may hold what a terminal takes for a command.
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
