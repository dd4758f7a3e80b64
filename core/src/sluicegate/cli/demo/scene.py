"""The picture of the demo: the Rollout, who answers against who should, the counts, and the tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from sluicegate.api.resources import ROLLOUTS
from sluicegate.cli.picture import world_of
from sluicegate.cli.views.icons import rollout_icon
from sluicegate.cli.views.phase import client_phase
from sluicegate.cli.views.text import Palette
from sluicegate.cli.views.tree import TreeBuilder, render
from sluicegate.cli.views.weights import step

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sluicegate.cli.demo.example import Example
    from sluicegate.cli.demo.ledger import Ledger
    from sluicegate.cli.feed import Snapshot
    from sluicegate.cli.views.fields import Object

WIDEST_BAR: Final = 50
NARROWEST_BAR: Final = 5
_FULL: Final = "█"
_EMPTY: Final = "─"
_MARK: Final = "┃"
_HUES: Final = {"blue": "dodger_blue2", "yellow": "gold1"}
_ICON_STYLES: Final = {31: "red", 32: "green", 33: "yellow", 94: "bright_blue"}
# What stands beside a bar: two margins, the colour's name, and the two numbers.
_BESIDE_BAR: Final = 32


@dataclass
class Scene:
    """All that the picture shows; `snapshot` is None as long as there is no cluster to look at."""

    example: Example
    ledger: Ledger
    now: Callable[[], datetime]
    began: datetime
    colour: bool
    happening: str = ""
    snapshot: Callable[[], Snapshot] | None = None

    def seconds(self) -> float:
        """Since the beginning."""
        return (self.now() - self.began).total_seconds()


def progress_line(scene: Scene) -> str:
    """Where the traffic is, in a line."""
    entry, new = scene.ledger.current, scene.example.new.colour
    share = scene.ledger.recent_share(new)
    return f"{share:.1f} % {new}, {entry.weight} % wanted; {scene.ledger.counts}"


def draw(scene: Scene, width: int, height: int) -> Group:
    """The whole picture, no larger than the terminal; of what does not fit, the end of the tree goes first."""
    above = [_title(scene), Text(scene.happening), Text(), *_bars(scene, width), Text(), _counts(scene.ledger), Text()]
    lines = [*above, *_tree(scene)][: max(height - 1, 1)]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def _title(scene: Scene) -> Text:
    title = Text(scene.example.name, style="bold")
    if rollout := _rollout(scene):
        phase = client_phase(rollout)
        icon, code = rollout_icon(phase.phase)
        title.append(f"  {icon} ", style=_ICON_STYLES.get(code, "default")).append(phase.phase)
        title.append(f"  step {step(rollout)}", style="not bold").append(f"  {phase.message}", style="not bold dim")
    return title


def _rollout(scene: Scene) -> Object | None:
    if scene.snapshot is None:
        return None
    return next(iter(scene.snapshot()[ROLLOUTS]), None)


def _bars(scene: Scene, width: int) -> list[Text]:
    """A line for each version: its share of the last answers, and a mark at the share it should have."""
    ledger, old, new = scene.ledger, scene.example.old.colour, scene.example.new.colour
    cells = max(min(width - _BESIDE_BAR, WIDEST_BAR), NARROWEST_BAR)
    wanted = ledger.current.weight
    weights = ((old, 100 - wanted), (new, wanted))
    return [_bar(colour, ledger.recent_share(colour), weight, cells) for colour, weight in weights]


def _bar(colour: str, share: float, wanted: int, cells: int) -> Text:
    full, mark = round(cells * share / 100), round(cells * wanted / 100)
    bar = Text(_FULL * full + _EMPTY * (cells - full))
    bar.stylize(_HUES[colour], 0, full)
    bar.stylize("dim", full)
    marked = Text.assemble(bar[:mark], (_MARK, "bold"), bar[mark:])
    return Text.assemble(f"{colour:>7} ", marked, f" {share:5.1f} %", (f"  {wanted:3} wanted", "dim"))


def _counts(ledger: Ledger) -> Text:
    return Text(ledger.counts, style="bold red" if ledger.failed else "")


def _tree(scene: Scene) -> list[Text]:
    rollout = _rollout(scene)
    if scene.snapshot is None or rollout is None:
        return []
    builder = TreeBuilder(world_of(scene.snapshot()), scene.now(), Palette(scene.colour))
    return [Text.from_ansi(line.rstrip()) for line in render(builder.rollout(rollout))]
