"""An explanation on paper: the sentence that matters most, then its details, then what else there is."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import msgspec

from sluicegate.api.model import format_time
from sluicegate.engine.why.wording import ago, enumerate_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sluicegate.cli.evidence import Evidence
    from sluicegate.engine.why import Explanation, Finding

_LABEL_WIDTH: Final = 13
_NARROWEST: Final = 40


def as_lines(explanation: Explanation, evidence: Evidence, *, width: int = 0) -> list[str]:
    """The lines to print; sentences are wrapped at `width` columns, commands never. 0 wraps nothing."""
    now = evidence.situation.now
    first, *others = explanation.findings
    blocks = [_wrapped(first.what, "", "", width), *_details(first, now, width)]
    lines = [line for block in blocks for line in block]
    for finding in others:
        lines += ["", *_labelled("Also", finding.what, width)]
        lines += [line for block in _details(finding, now, width)[1:] for line in block]
    lines.append("")
    label = ""
    for fact in explanation.facts:
        lines += _labelled(fact.label if fact.label != label else "", fact.text, width)
        label = fact.label
    if evidence.unread:
        lines += ["", f"Not looked at, as you may not read it: {enumerate_all(evidence.unread)}."]
    return lines


def _details(finding: Finding, now: datetime, width: int) -> list[list[str]]:
    """What is known of a finding beside its first sentence, after an empty line."""
    blocks: list[list[str]] = [[""]]
    for label, text in _members(finding, now):
        blocks.append(_labelled(label, text, width))
    for number, action in enumerate(finding.actions):
        blocks.append([_padded("You can do" if number == 0 else "") + action])
    return blocks if len(blocks) > 1 else []


def _members(finding: Finding, now: datetime) -> Iterator[tuple[str, str]]:
    if finding.waiting_for:
        yield "Waiting for", finding.waiting_for
    if finding.since is not None:
        yield "Since", f"{ago(finding.since, now)}."
    if finding.next:
        yield "Next", finding.next


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(text, _padded(label), " " * _LABEL_WIDTH, width)


def _padded(label: str) -> str:
    return label.ljust(_LABEL_WIDTH)


def _wrapped(text: str, first: str, rest: str, width: int) -> list[str]:
    if not width:
        return [f"{first}{text}"]
    paper = textwrap.TextWrapper(max(width, _NARROWEST), break_long_words=False, break_on_hyphens=False)
    paper.initial_indent, paper.subsequent_indent = first, rest
    return paper.wrap(text)


def as_document(explanation: Explanation, evidence: Evidence) -> str:
    """The explanation as JSON, for tools."""
    commands = evidence.situation.commands
    document = {
        "name": commands.name,
        "namespace": commands.namespace,
        "headline": explanation.headline,
        "findings": [_finding(found) for found in explanation.findings],
        "facts": [{"label": fact.label, "text": fact.text} for fact in explanation.facts],
        "unread": list(evidence.unread),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _finding(finding: Finding) -> dict[str, object]:
    members = {
        "what": finding.what,
        "waitingFor": finding.waiting_for,
        "since": format_time(finding.since) if finding.since is not None else "",
        "next": finding.next,
        "actions": list(finding.actions),
    }
    return {key: value for key, value in members.items() if value}
