"""Why a Rollout is not worked on at all: it is going, it asks for what is not built, or it is not valid."""

from collections.abc import Iterator
from datetime import datetime

from sluicegate.api.gojson import go_json
from sluicegate.api.validation import ErrorKind, FieldError
from sluicegate.engine import conditions as c
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.situation import Situation
from sluicegate.engine.why.wording import enumerate_all, sentence
from sluicegate.engine.workload import HAND_BACK

_KEPT = "Nothing changes until this is mended: pods, Services and traffic stay as they are."
_THEN = "The update goes on by itself within a minute of the mend."


def refusal(situation: Situation) -> Finding | None:
    """The reason why nothing else matters now; None where the Rollout is worked on."""
    return next(_refusals(situation), None)


def _refusals(situation: Situation) -> Iterator[Finding]:
    if situation.view.rollout.metadata.deletion_timestamp is not None:
        yield _deletion(situation)
    if situation.unresolved:
        yield _unresolved(situation)
    if situation.errors:
        yield _invalid(situation)
    if (message := _stored_refusal(situation)) is not None:
        yield _refused(situation, message)


def _deletion(situation: Situation) -> Finding:
    rollout = situation.view.rollout
    since, what = rollout.metadata.deletion_timestamp, f"Rollout {rollout.name} is being deleted."
    if HAND_BACK in rollout.metadata.finalizers and rollout.spec.workload_ref is not None:
        lender = rollout.spec.workload_ref.name
        return Finding(
            what,
            f"Deployment {lender} has to have its pods available, so that somebody serves when the pods here go.",
            since,
            "Then the Rollout and its pods go.",
            (f"To see the Deployment: {situation.commands.kube(f'describe deployment {lender}')}",),
        )
    finalizers = enumerate_all(rollout.metadata.finalizers)
    waits = f"These finalizers have to go: {finalizers}." if finalizers else ""
    return Finding(what, waits, since, "Its pods go with it.")


def _unresolved(situation: Situation) -> Finding:
    ref, commands = situation.view.rollout.spec.workload_ref, situation.commands
    name = f"{ref.kind} {ref.name}" if ref is not None else "its workload"
    see = (
        (f"To see whether it is there: {commands.kube(f'get {ref.kind.lower()} {ref.name}')}",)
        if ref is not None
        else ()
    )
    return Finding(
        f"The pod template cannot be read from {name}: {sentence(situation.unresolved)}",
        f"spec.workloadRef has to name a Deployment, ReplicaSet or PodTemplate in namespace {commands.namespace}.",
        _refused_since(situation),
        _KEPT,
        (*see, commands.edit()),
    )


def _invalid(situation: Situation) -> Finding:
    first, *more = situation.errors
    others = tuple(f"Also wrong: {error_words(error)}" for error in more)
    return Finding(
        f"The Rollout is not valid, so nothing is done: {error_words(first)}",
        " ".join(("The manifest, or what it names, has to be mended.", *others)),
        _refused_since(situation),
        f"{_KEPT} {_THEN}",
        (*_service_look(situation, first), situation.commands.edit()),
    )


def _refused(situation: Situation, message: str) -> Finding:
    return Finding(
        f"The controller refuses the Rollout: {sentence(message)}",
        "The manifest, what it names, or the plugins of the controller have to be mended.",
        _refused_since(situation),
        f"{_KEPT} {_THEN}",
        (situation.commands.edit(),),
    )


def _stored_refusal(situation: Situation) -> str | None:
    """What the controller says of the spec as it is, without the part that names the Rollout."""
    view = situation.view
    found = view.status.condition(c.INVALID_SPEC)
    if found is None or view.status.observed_generation != str(view.rollout.metadata.generation):
        return None
    return found.message.removeprefix(f'The Rollout "{view.name}" is invalid: ')


def _refused_since(situation: Situation) -> datetime | None:
    found = situation.view.status.condition(c.INVALID_SPEC)
    return found.last_transition_time if found else None


def _service_look(situation: Situation, error: FieldError) -> tuple[str, ...]:
    if not error.path.endswith("Service"):
        return ()
    return (f"To see which Services there are: {situation.commands.kube('get services')}",)


def error_words(error: FieldError) -> str:
    """A finding of validation as a sentence: which field, what it is, and what would be right."""
    detail, value = error.detail, error.value if isinstance(error.value, str) else go_json(error.value)
    match error.kind:
        case ErrorKind.REQUIRED:
            text = f"{error.path} is missing"
        case ErrorKind.FORBIDDEN:
            text = f"{error.path} must not be there"
        case ErrorKind.INTERNAL:
            text = error.path
        case ErrorKind.DUPLICATE:
            text = f"{error.path} has {value} twice"
        case ErrorKind.NOT_FOUND:
            text = f"{error.path} names {value}, which does not exist"
        case _ if detail.startswith(f"{error.path} in body "):
            return sentence(detail)
        case _ if detail.endswith("not found"):
            return f"{error.path} names {value}, and there is none."
        case _:
            text = f"{error.path} is {value}"
    return sentence(f"{text}: {detail}" if detail else text)
