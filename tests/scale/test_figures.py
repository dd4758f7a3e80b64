"""The benchmark itself, small and on an embedded cluster: every row is measured, and the counts among them hold."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.clusters.embedded import embedded_cluster
from tests.scale.run import SMALL, Place, measured

if TYPE_CHECKING:
    from tests.scale.figure import Figure


async def test_every_row_is_measured_and_settled_rollouts_send_nothing(tmp_path: Path) -> None:
    """How long things take is not judged here: that depends on the machine, and on what else it does."""
    shown: list[Figure] = []
    with embedded_cluster(tmp_path) as cluster:
        place = Place(tmp_path, cluster.kubeconfig, cluster.controller_kubeconfig, http=cluster.http)
        await measured(place, SMALL, shown.append)
    found = {figure.work.partition(",")[0]: figure.measured for figure in shown}
    assert found["requests in 2 s with 5 settled Rollouts"] == "0", shown
    assert float(found["requests for one step of a paused canary that is promoted"]) <= 3, shown
    assert [work for work in found if work.startswith(("5 promoted", "5 new images", "memory"))] == [
        "5 promoted at once",
        "5 new images at once",
        "memory with 5 Rollouts",
        "memory with 10 Rollouts",
    ]
