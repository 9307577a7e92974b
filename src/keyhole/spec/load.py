"""Loading keyhole.toml: every mistake at once, each with its file, line, key and what to write instead."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from keyhole.errors import KeyholeError, Mistake, SpecError
from keyhole.spec.cross import cross_mistakes
from keyhole.spec.model import WORKLOAD_KINDS, App
from keyhole.spec.policy_files import PolicyFile, read_policy_files
from keyhole.spec.positions import Path, find_positions
from keyhole.spec.uploads import CALLER_KINDS

DEFAULT_FILE = "keyhole.toml"
DEFAULT_ENVIRONMENT = "default"
_KINDS = {"workloads": WORKLOAD_KINDS, "callers": CALLER_KINDS}


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand in the user's file."""

    file: str
    positions: Mapping[Path, int]
    environment: str = ""

    def where(self, path: Path) -> str:
        """Give "keyhole.toml:12" for a path, or for the nearest part of it that stands in the file."""
        candidates: list[Path] = []
        for length in range(len(path), 0, -1):
            if self.environment:
                candidates.append(("environments", self.environment, *path[:length]))
            candidates.append(path[:length])
        for candidate in candidates:
            if candidate in self.positions:
                return f"{self.file}:{self.positions[candidate]}"
        return self.file


@dataclass(frozen=True, slots=True)
class Spec:
    """A loaded file: the app in the chosen environment, and where its parts stand."""

    app: App
    places: Places
    environments: tuple[str, ...]
    policies: Mapping[str, PolicyFile] = field(default_factory=dict)
    """The policy files of the workloads, by the workload's key."""
    others: Mapping[str, App] = field(default_factory=dict)
    """The app in the file's other environments, by their names."""


def load_spec(file: FilePath, environment: str = "") -> Spec:
    """Read and check the file, in all of its environments, and give the app in one of them.

    `environment` may be empty where the file has none, or just one.

    Raises: SpecError with every mistake; KeyholeError if there is no such file or environment.
    """
    text = _read(file)
    raw, places = _parse(text, str(file))
    environments = _environment_names(raw)
    apps: dict[str, App] = {}
    mistakes: dict[Mistake, None] = {}
    for name in environments:
        app, found = _check(_in_environment(raw, name), name, Places(places.file, places.positions, name))
        mistakes.update(dict.fromkeys(found))
        if app is not None:
            apps[name] = app
    if not mistakes:
        mistakes.update(dict.fromkeys(_shared_names(apps, places)))
    policies: dict[str, dict[str, PolicyFile]] = {}
    for name, app in apps.items():
        here = Places(places.file, places.positions, name)
        policies[name], missing = read_policy_files(app, file.parent)
        mistakes.update((Mistake(here.where(path), message, hint), None) for path, message, hint in missing)
    if mistakes:
        raise SpecError(tuple(sorted(mistakes, key=_line)))
    chosen = _choose(environment, environments)
    others = {name: app for name, app in apps.items() if name != chosen}
    here = Places(places.file, places.positions, chosen)
    return Spec(apps[chosen], here, environments, policies[chosen], others)


def _read(file: FilePath) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise KeyholeError(f"there is no `{file}` here", hint="`keyhole init` writes one to start from") from None
    except IsADirectoryError:
        raise KeyholeError(f"`{file}` is a directory", hint="name the file in it") from None
    except PermissionError:
        raise KeyholeError(f"`{file}` may not be read", hint=f"chmod u+r {file}") from None
    except UnicodeDecodeError as error:
        raise KeyholeError(f"`{file}` is not UTF-8 at byte {error.start}", hint="save it as UTF-8") from None


def _parse(text: str, file: str) -> tuple[dict[str, Any], Places]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        line = re.search(r"at line (\d+)", message)
        where = f"{file}:{line[1]}" if line else f"{file}:{text.count(chr(10)) + 1}"
        raise SpecError((_explain_toml(where, message),)) from None
    return raw, Places(file, find_positions(text))


def _explain_toml(where: str, message: str) -> Mistake:
    bare = re.sub(r"\s*\(at .*\)\Z", "", message)
    problem = bare[:1].lower() + bare[1:]
    if "Illegal character" in message and "\\n" in message:
        return Mistake(where, "this is not TOML: a string does not end on its line", "close it with its quote")
    if found := re.match(r"Cannot declare \((.*?),?\) twice", bare):
        table = ".".join(re.findall(r"'([^']*)'", found[1]))
        return Mistake(where, f"table `{table}` is there twice", "join the two")
    if bare == "Cannot overwrite a value":
        return Mistake(where, "the same key is there twice", "remove one")
    hint = "strings need quotes" if bare == "Invalid value" else ""
    return Mistake(where, f"this is not TOML: {problem}", hint)


def _environment_names(raw: Mapping[str, Any]) -> tuple[str, ...]:
    environments = raw.get("environments")
    if isinstance(environments, dict) and environments:
        return tuple(environments)
    return (DEFAULT_ENVIRONMENT,)


def _choose(environment: str, environments: tuple[str, ...]) -> str:
    if not environment and len(environments) == 1:
        return environments[0]
    if environment in environments:
        return environment
    names = ", ".join(f"`{name}`" for name in environments)
    if not environment:
        raise KeyholeError(f"this app has several environments: {names}", hint=f"say which: `-e {environments[0]}`")
    raise KeyholeError(f"there is no environment `{environment}` in the file", hint=f"it has {names}")


def _in_environment(raw: Mapping[str, Any], environment: str) -> dict[str, Any]:
    """Lay an environment's overrides over the file: tables merge, everything else is replaced."""
    base = {key: value for key, value in raw.items() if key != "environments"}
    environments = raw.get("environments", {})
    overrides = environments.get(environment, {}) if isinstance(environments, dict) else {}
    return _merge(base, overrides) if isinstance(overrides, dict) else base


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _check(raw: dict[str, Any], environment: str, places: Places) -> tuple[App | None, list[Mistake]]:
    mistakes = [Mistake(places.where(path), message, hint) for path, message, hint in cross_mistakes(raw, environment)]
    app, details = _validate(raw, environment)
    unkind = {detail["loc"][1] for detail in details if _is_unkind(detail) and detail["loc"][0] == "workloads"}
    if unkind:
        # A workload of no known kind is checked as if it were of a common one, so that its other mistakes show too.
        guessed = {name: {**raw["workloads"][name], "kind": "ec2"} for name in unkind}
        _, more = _validate(raw | {"workloads": {**raw["workloads"], **guessed}}, environment)
        details += [d for d in more if d["loc"][:2] in {("workloads", name) for name in unkind} and _is_sure(d)]
    return app, _without_echoes([_translate(detail, places) for detail in details]) + mistakes


def _validate(raw: dict[str, Any], environment: str) -> tuple[App | None, list[ErrorDetails]]:
    try:
        return App.model_validate(raw | {"environment": environment}), []
    except ValidationError as error:
        return None, error.errors()


def _is_unkind(detail: ErrorDetails) -> bool:
    return detail["type"].startswith("union_tag")


def _is_sure(detail: ErrorDetails) -> bool:
    """Hold iff the mistake is one whatever the workload's kind turns out to be: keys differ from kind to kind."""
    return "grants" in detail["loc"]


def _without_echoes(mistakes: list[Mistake]) -> list[Mistake]:
    """Drop "`app` has no `region`" where `regoin` was found in its place: that is one mistake."""
    meant = {
        (mistake.message.rpartition(" in ")[2], mistake.hint.removeprefix("did you mean ").rstrip("?"))
        for mistake in mistakes
        if mistake.hint.startswith("did you mean ")
    }
    return [m for m in mistakes if not any(m.message == f"{table} has no {key}" for table, key in meant)]


def _shared_names(apps: Mapping[str, App], places: Places) -> Iterable[Mistake]:
    """Two environments must never mean the same thing on AWS: what one does would touch the other."""
    seen: dict[tuple[str, str], str] = {}
    for environment, app in apps.items():
        here = Places(places.file, places.positions, environment)
        for path, name in _explicit_names(app):
            account = "" if path[0] == "buckets" else app.app.account or ""
            other = seen.setdefault((f"{account}.{path[-1]}", name), environment)
            if other != environment:
                yield Mistake(
                    here.where(path),
                    f"`{name}` is the {path[-1].replace('_', ' ')} in the environments `{other}` and `{environment}`",
                    "put `{environment}` into it, or give each environment its own",
                )


def _explicit_names(app: App) -> Iterable[tuple[tuple[str, ...], str]]:
    for key, bucket in app.buckets.items():
        if bucket.name is not None:
            yield ("buckets", key, "name"), app.bucket_name(key, app.app.account or "0" * 12)
    for key, workload in app.workloads.items():
        for setting in ("role_name", "policy_name", "user_name", "instance_profile_name", "pass_role_policy"):
            name = getattr(workload, setting, None)
            if name is not None:
                yield ("workloads", key, setting), app.fill(name, app.app.account or "0" * 12)
        for setting in ("env_file", "toml_file", "csv_file", "secret"):
            name = getattr(getattr(workload, "handover", None), setting, None)
            if name is not None:
                yield ("workloads", key, "handover", setting), app.fill(name, app.app.account or "0" * 12)
    for table, setting in (("monitoring", "topic_name"), ("audit", "trail_name"), ("terraform_state", "table_name")):
        name = getattr(getattr(app, table), setting, None)
        if name is not None:
            yield (table, setting), app.fill(name, app.app.account or "0" * 12)


def _line(mistake: Mistake) -> tuple[int, str]:
    line = mistake.where.rpartition(":")[2]
    return (int(line) if line.isdigit() else 0, mistake.message)


def _translate(detail: ErrorDetails, places: Places) -> Mistake:
    path = _toml_path(detail["loc"])
    key = str(path[-1]) if path else ""
    table = ".".join(str(part) for part in path[:-1]) or "the file"
    place = ".".join(str(part) for part in path)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return Mistake(places.where(path), f"unknown key `{key}` in `{table}`", _did_you_mean(key, path))
        case "missing" if len(path) == 1:
            return Mistake(places.where(path), f"the file has no `[{key}]`", f"add a table `[{key}]`")
        case "missing":
            return Mistake(places.where(path), f"`{table}` has no `{key}`", f"add `{key} = …`")
        case "union_tag_not_found":
            return Mistake(places.where(path), f"`{place}` has no `kind`", _kinds_hint(path))
        case "union_tag_invalid":
            return Mistake(
                places.where((*path, "kind")),
                f"`{context['tag']}` is no kind of {str(path[0]).removesuffix('s')}",
                _kinds_hint(path),
            )
        case "value_error":
            problem, _, hint = str(context["error"]).partition("|")
            return Mistake(places.where(path), problem if place in problem else f"`{place}`: {problem}", hint)
        case "literal_error":
            return Mistake(
                places.where(path), f"`{place}`: `{detail['input']}` is not known here", f"write {context['expected']}"
            )
    kinds = {
        "string_type": "a string, in quotes",
        "int_type": "a whole number",
        "bool_type": "true or false",
        "list_type": "a list: `[ … ]`",
        "dict_type": "a table",
        "model_type": "a table",
        "model_attributes_type": "a table",
    }
    if detail["type"] in kinds:
        return Mistake(
            places.where(path), f"`{place}` is {_show(detail['input'])}", f"it must be {kinds[detail['type']]}"
        )
    limits = {
        "too_short": "needs at least one entry",
        "too_long": f"must have at most {context.get('max_length')} entries",
        "string_too_short": "must not be empty",
        "greater_than": f"must be above {context.get('gt')}",
        "greater_than_equal": f"must be {context.get('ge')} or more",
        "less_than_equal": f"must be {context.get('le')} or less",
    }
    problem = limits.get(detail["type"], detail["msg"][:1].lower() + detail["msg"][1:])
    return Mistake(places.where(path), f"`{place}` is {_show(detail['input'])}", f"it {problem}")


def _kinds_hint(path: Path) -> str:
    kinds = _KINDS[str(path[0])]
    return "write " + ", ".join(f"`{kind}`" for kind in kinds[:-1]) + f" or `{kinds[-1]}`"


def _show(value: object) -> str:
    """Give a value as TOML would write it, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text[:60]}`"


def _toml_path(location: tuple[int | str, ...]) -> Path:
    """Drop the parts that pydantic adds for a discriminated union (`workloads.api.ec2.grants`) and for keys."""
    path = [part for part in location if part != "[key]"]
    if len(path) > 2 and path[2] in _KINDS.get(str(path[0]), ()):
        del path[2]
    return tuple(path)


def _did_you_mean(key: str, path: Path) -> str:
    known = sorted(_known_keys(path[:-1]))
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known keys are {', '.join(f'`{name}`' for name in known)}" if known else "remove it"


def _known_keys(path: Path) -> set[str]:
    """Give the keys that the table at `path` may have, from the JSON schema."""
    schema = App.model_json_schema()
    definitions = schema.get("$defs", {})
    nodes: list[dict[str, Any]] = [schema]
    for part in path:
        step: list[dict[str, Any]] = []
        for node in nodes:
            if isinstance(part, int):
                step.append(node.get("items", {}))
            elif part in node.get("properties", {}):
                step.append(node["properties"][part])
            else:
                extra = node.get("additionalProperties")
                step.extend([extra] if isinstance(extra, dict) else [])
        nodes = [target for node in step for target in _resolve(node, definitions)]
    keys = {key for node in nodes for key in node.get("properties", {})}
    return keys - {"environment"} if not path else keys


def _resolve(node: dict[str, Any], definitions: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in node:
        return _resolve(definitions[node["$ref"].rpartition("/")[2]], definitions)
    branches = [*node.get("oneOf", []), *node.get("anyOf", [])]
    return [target for branch in branches for target in _resolve(branch, definitions)] or [node]
