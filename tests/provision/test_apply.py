import threading

from keyhole.aws import Call
from keyhole.naming import Scope
from keyhole.provision import Change, Event, Plan, Verb, apply_plan
from keyhole.provision.patience import Patience
from recording_aws import RecordingAws, refusal

SCOPE = Scope("shop", "default", "111122223333", "eu-west-1")


def change(address: str, *operations: str, after: tuple[str, ...] = ()) -> Change:
    calls = tuple(Call("iam", operation, {"For": address}) for operation in operations)
    return Change(address, address, Verb.CREATE, calls, after)


def test_calls_of_one_resource_keep_their_order_and_wait_for_what_they_need() -> None:
    """Every call of a resource comes after every call of what it depends on."""
    aws = RecordingAws()
    plan = Plan(
        SCOPE, (change("c", "C1", "C2", after=("b",)), change("b", "B1", after=("a",)), change("a", "A1", "A2"))
    )
    assert apply_plan(plan, aws).is_complete
    assert aws.operations == ["iam:A1", "iam:A2", "iam:B1", "iam:C1", "iam:C2"]


def test_independent_resources_run_side_by_side() -> None:
    """Two resources without an order meet: each waits inside its call until the other has begun too."""
    meeting = threading.Barrier(2, timeout=10)

    def meet(_operation: str) -> None:
        return None

    class MeetingAws(RecordingAws):
        def call(self, service: str, operation: str, **params: object) -> dict[str, object]:
            meeting.wait()
            return super().call(service, operation, **params)

    aws = MeetingAws(refuse=meet)
    assert apply_plan(Plan(SCOPE, (change("a", "A"), change("b", "B"))), aws).is_complete
    assert sorted(aws.operations) == ["iam:A", "iam:B"]


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    """Independent branches finish; all failures are reported together, with the call that failed."""
    aws = RecordingAws(refuse=lambda operation: refusal("AccessDenied") if operation in {"A2", "X1"} else None)
    plan = Plan(
        SCOPE,
        (
            change("a", "A1", "A2", "A3"),
            change("b", "B1", after=("a",)),
            change("c", "C1", after=("b",)),
            change("x", "X1"),
            change("y", "Y1", "Y2"),
        ),
    )
    applied = apply_plan(plan, aws)
    assert not applied.is_complete
    failed = {failure.change.address: failure.call.operation if failure.call else "" for failure in applied.failures}
    assert failed == {"a": "A2", "x": "X1"}
    assert {skipped.address for skipped in applied.skipped} == {"b", "c"}
    assert [done.address for done in applied.done] == ["y"]
    assert "iam:A3" not in aws.operations


def test_ctrl_c_finishes_what_is_under_way_and_begins_nothing_else() -> None:
    """The interrupted run tells what was done and what was not begun."""
    interrupt = threading.Event()

    def on_event(event: Event) -> None:
        if event.stage == "call" and event.change.address == "a":
            interrupt.set()

    class InterruptedAws(RecordingAws):
        def call(self, service: str, operation: str, **params: object) -> dict[str, object]:
            answer = super().call(service, operation, **params)
            if operation == "A1":
                import _thread

                _thread.interrupt_main()
                threading.Event().wait(0.5)
            return answer

    aws = InterruptedAws()
    plan = Plan(SCOPE, (change("a", "A1", "A2"), change("b", "B1", after=("a",))))
    applied = apply_plan(plan, aws, on_event)
    assert interrupt.is_set()
    assert applied.interrupted
    assert aws.operations == ["iam:A1"]
    assert [change.address for change in applied.unfinished] == ["a"]
    assert [change.address for change in applied.skipped] == ["b"]


def test_what_is_kept_makes_no_calls() -> None:
    """A change to keep is nothing to do, and nothing waits for it."""
    kept = Change("k", "k", Verb.KEEP)
    aws = RecordingAws()
    assert apply_plan(Plan(SCOPE, (kept, change("a", "A1", after=("k",)))), aws).is_complete
    assert aws.operations == ["iam:A1"]


def test_events_tell_each_step() -> None:
    """Start, every call and the end of a resource are told, in this order."""
    events: list[tuple[str, str]] = []
    apply_plan(
        Plan(SCOPE, (change("a", "A1"),)), RecordingAws(), lambda event: events.append((event.stage, event.detail))
    )
    assert events == [("start", ""), ("call", "A1"), ("done", "")]


def test_a_lag_of_iam_is_waited_out_and_said() -> None:
    """EC2 does not see a new profile at once: the call is made again, and the person is told why."""
    answers = iter(
        [
            refusal(
                "InvalidParameterValue",
                "Value (x) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN",
            )
        ]
    )
    aws = RecordingAws(refuse=lambda _operation: next(answers, None))
    reasons: list[str] = []
    patience = Patience(sleep=lambda _s: None)
    patience.call(aws, Call("ec2", "AssociateIamInstanceProfile"), reasons.append)
    assert len(aws.calls) == 2
    assert [reason.rpartition(", ")[0] for reason in reasons] == ["EC2 does not see the new instance profile yet"]


def test_a_plain_refusal_is_not_tried_again() -> None:
    """Only known lags are worth waiting for."""
    aws = RecordingAws(refuse=lambda _operation: refusal("AccessDenied"))
    applied = apply_plan(Plan(SCOPE, (change("a", "AttachRolePolicy"),)), aws)
    assert len(aws.calls) == 1
    assert applied.failures[0].error.message == "no"
