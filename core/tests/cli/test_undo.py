"""`undo`: which revision comes back, and where its template is put."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from .processes import stderr_on_terminal
from .recorded import NAMESPACE
from .worlds import rollout

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli

Object = dict[str, Any]


def template(image: str, **metadata: Any) -> Object:
    """A pod template with a member that no type of today knows."""
    spec = {"containers": [{"name": "app", "image": image}], "fieldOfTomorrow": 1}
    return {"metadata": {"labels": {"app": "web"}, **metadata}, "spec": spec}


def web() -> Object:
    obj = rollout()
    obj["spec"] |= {"selector": {"matchLabels": {"app": "web"}}, "template": template("shop:3")}
    return obj


def borrower(kind: str) -> Object:
    """A Rollout whose template is another object's."""
    obj = rollout()
    del obj["spec"]["template"]
    obj["spec"]["workloadRef"] = {"kind": kind, "name": "lender"}
    return obj


def revision(number: int, owner: Object, *, image: str = "", **annotations: str) -> Object:
    """The ReplicaSet of a revision, with a template of its own as the controller stores it."""
    pod_hash = f"hash{number}"
    pods = template(image or f"shop:{number}")
    pods["metadata"]["labels"]["rollouts-pod-template-hash"] = pod_hash
    metadata = {
        "name": f"web-{pod_hash}",
        "namespace": NAMESPACE,
        "annotations": {"rollout.argoproj.io/revision": str(number), **annotations},
        "ownerReferences": [{"uid": owner["metadata"]["uid"], "controller": True}],
    }
    return {"kind": "ReplicaSet", "metadata": metadata, "spec": {"template": pods}}


@pytest.mark.parametrize(
    ("args", "image"),
    [([], "shop:2"), (["--to-revision", "1"], "shop:1"), (["--to-revision=2"], "shop:2")],
)
def test_goes_back_to_the_revision(args: list[str], image: str, cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(web(), *(revision(number, web()) for number in (1, 2, 3)))

    outcome = cli("undo", "web", *args)

    assert (outcome.exit, outcome.stdout, outcome.stderr) == (0, "rollout 'web' undo\n", "")
    assert cluster.stored("rollouts", "web", NAMESPACE)["spec"]["template"] == template(image)


def test_only_the_replica_sets_that_the_rollout_selects_and_controls_count(cli: Cli, cluster: FakeCluster) -> None:
    owned_by_another = revision(2, rollout("other"))
    owned_but_not_controlled = revision(4, web())
    owned_but_not_controlled["metadata"]["ownerReferences"][0]["controller"] = False
    cluster.add(web(), revision(1, web()), owned_by_another, revision(3, web()), owned_but_not_controlled)

    cli("undo", "rollout", "web")

    assert cluster.stored("rollouts", "web", NAMESPACE)["spec"]["template"] == template("shop:1")
    assert [query["labelSelector"] for _, query in cluster.lists] == ["app=web"]


def test_revision_that_is_no_number_does_not_count(cli: Cli, cluster: FakeCluster) -> None:
    broken = revision(2, web())
    broken["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "two"
    cluster.add(web(), revision(1, web()), broken, revision(3, web()))

    cli("undo", "web")

    assert cluster.stored("rollouts", "web", NAMESPACE)["spec"]["template"] == template("shop:1")


def test_metadata_of_the_role_that_a_replica_set_had_stays_behind(cli: Cli, cluster: FakeCluster) -> None:
    injected = json.dumps({"labels": {"role": "stable"}, "annotations": {"note": "live"}})
    old = revision(1, web(), **{"rollout.argoproj.io/ephemeral-metadata": injected})
    old["spec"]["template"]["metadata"]["labels"]["role"] = "stable"
    old["spec"]["template"]["metadata"]["annotations"] = {"note": "live"}
    cluster.add(web(), old, revision(2, web()))

    cli("undo", "web")

    assert cluster.stored("rollouts", "web", NAMESPACE)["spec"]["template"] == template("shop:1")


@pytest.mark.parametrize(
    ("kind", "plural", "spec"),
    [
        ("Deployment", "deployments", {"spec": {"replicas": 0, "template": {}}}),
        ("ReplicaSet", "replicasets", {"spec": {"replicas": 0, "template": {}}}),
        ("PodTemplate", "podtemplates", {"template": {}}),
    ],
)
def test_template_of_a_workload_is_changed_where_it_is(
    kind: str, plural: str, spec: Object, cli: Cli, cluster: FakeCluster
) -> None:
    lender = {"kind": kind, "metadata": {"name": "lender", "namespace": NAMESPACE}, **copy.deepcopy(spec)}
    owner = borrower(kind)
    cluster.add(owner, lender, revision(1, owner), revision(2, owner))

    assert cli("undo", "web").stdout == "rollout 'web' undo\n"

    stored = cluster.stored(plural, "lender", NAMESPACE)
    assert (stored.get("spec") or stored)["template"] == template("shop:1")
    assert [request["resource"] for request in cluster.requests] == [plural]


def test_workload_of_another_kind_is_refused(cli: Cli, cluster: FakeCluster) -> None:
    owner = borrower("DaemonSet")
    cluster.add(owner, revision(1, owner), revision(2, owner))

    outcome = cli("undo", "web")

    assert outcome.stderr == "Error: failed restoring revision 0: workload of type DaemonSet is not supported\n"
    assert (outcome.exit, outcome.stdout, cluster.requests) == (1, "", [])


def test_selector_that_means_nothing_is_named(cli: Cli, cluster: FakeCluster) -> None:
    obj = web()
    obj["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["web"]}]}
    cluster.add(obj)

    outcome = cli("undo", "web")

    assert outcome.exit == 1
    assert '"Like" is not a valid label selector operator' in outcome.stderr


@pytest.mark.parametrize("words", [[], ["web", "shop"]])
def test_takes_one_name(words: list[str], cli: Cli) -> None:
    outcome = cli("undo", *words)

    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("Usage: ")


def test_person_at_a_terminal_is_told_which_revisions_there_are(kubeconfig: Path, cluster: FakeCluster) -> None:
    cluster.add(web(), revision(1, web()), revision(3, web()))

    assert stderr_on_terminal("undo", "web", "--to-revision", "2") == [
        "Error: unable to find specified revision 2 in history",
        "Revisions of web: 3, 1",
    ]
