"""Proofs and comparisons about all requests, in this process, on one core, and policies that are built to explode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from timing import Rows, repeat

from keyhole.blueprint import build_blueprint
from keyhole.iam import Policy, PolicyKind, parse_policy
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import compare, is_within
from keyhole.iam.symbolic.question import Verdict
from keyhole.spec import load_spec
from keyhole.verify.prove import prove
from keyhole.verify.rehearse import rehearse

ROOT = Path(__file__).parents[1]
EXPLODING = ROOT / "tests" / "iam" / "symbolic"
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
NEEDED = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "logs:PutLogEvents"]


def measure(samples: int) -> Rows:
    """Measure comparisons of 5 and 50 statements, all claims of an example, and what ends by its budget."""
    rows: Rows = []
    for count, target_s, loops in ((5, 0.002, 20), (50, 0.1, 2)):
        documents = [document(count, changed=changed) for changed in (False, True)]
        first, second = (parse_policy(each, PolicyKind.IDENTITY) for each in documents)
        comparing = repeat(lambda a=first, b=second: compare(a, b, PolicyKind.IDENTITY), samples, loops)
        parsing = repeat(
            lambda both=documents: [parse_policy(each, PolicyKind.IDENTITY) for each in both], samples, loops
        )
        name = f"compare: two policies of {count} statements, both directions"
        rows.append((name, comparing, "parse both", parsing, target_s))
    spec = load_spec(ROOT / "examples" / "llmops" / "keyhole.toml", "")
    blueprint = build_blueprint(spec, "123456789012")
    managed = {EXECUTION: {"Version": "2012-10-17", "Statement": [allow(NEEDED, "*")]}}
    count = len(prove(spec, blueprint, managed))
    proving = repeat(lambda: prove(spec, blueprint, managed), samples, 1)
    rehearsing = repeat(lambda: rehearse(blueprint, managed), samples, 1)
    rows.append((f"prove: all {count} of llmops", proving, "decide one request for each claim", rehearsing, 0.1))
    rows.append(_explosion(min(samples, 3)))
    return rows


def _explosion(samples: int) -> tuple[str, list[float], str, list[float], float | None]:
    sys.path.insert(0, str(EXPLODING))
    from exploding_policies import inside_of_stars

    hard: tuple[Policy, Policy] = inside_of_stars(24)
    easy = hard[::-1]

    def ask(pair: tuple[Policy, Policy], wanted: Verdict) -> None:
        if is_within(*pair, PolicyKind.IDENTITY, Budget(5.0)).verdict is not wanted:
            raise AssertionError(f"it is not {wanted}")

    ending = repeat(lambda: ask(hard, Verdict.UNKNOWN), samples, 1)
    other = repeat(lambda: ask(easy, Verdict.HOLDS), samples, 1)
    return ("compare: overlapping stars, unknown after its 5 s", ending, "the other direction", other, 5.5)


def document(count: int, *, changed: bool) -> dict[str, Any]:
    """Give a policy of the kinds of statements that there are; one of them is wider where it is `changed`."""
    statements = [_statement(number) for number in range(count)]
    if changed:
        statements[count // 2] = {**statements[count // 2], "Action": "s3:*"}
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(number: int) -> dict[str, Any]:
    team = f"arn:aws:s3:::team-{number}"
    match number % 5:
        case 0:
            return allow(["s3:GetObject", "s3:PutObject"], f"{team}/*")
        case 1:
            where = {"StringLike": {"s3:prefix": [f"up-{number}/*", "shared/*"]}}
            return {**allow("s3:ListBucket", team), "Condition": where}
        case 2:
            where = {"IpAddress": {"aws:SourceIp": [f"10.{number}.0.0/16", "192.0.2.0/24"]}}
            return {**allow("s3:Get*", [team, f"{team}/*"]), "Condition": where}
        case 3:
            return allow(["dynamodb:GetItem", "dynamodb:Query"], f"arn:aws:dynamodb:*:123456789012:table/t-{number}*")
    where = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Action": "s3:*", "Resource": f"{team}*", "Condition": where}


def allow(action: str | list[str], resource: str | list[str]) -> dict[str, Any]:
    """Give a statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from exploding_policies import inside_of_stars
from keyhole.iam import PolicyKind
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import is_within
is_within(*inside_of_stars(24), PolicyKind.IDENTITY, Budget(5.0))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)
"""


def measure_memory() -> int:
    """Give the peak memory, in MiB, of a process that compares policies built to explode."""
    command = [sys.executable, "-c", MEMORY, str(EXPLODING)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
