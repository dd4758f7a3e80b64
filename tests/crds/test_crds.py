"""The CRDs that `sluicegate crds` prints, installed with a plain `kubectl apply` and explained by it."""

from pathlib import Path

import pytest
from tests.clusters.programs import Shell

KINDS = ("analysisruns", "analysistemplates", "clusteranalysistemplates", "experiments", "rollouts")
ROLLOUT = (
    '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": {"replicas": 3}}'
)
SENTENCES = {
    "rollout": "A workload whose new versions come in step by step: what is wanted, and how it stands.",
    "rollout.spec.strategy": "How a new version comes in; exactly one of the two is to be given.",
    "ro.spec.strategy.canary.steps.setCanaryScale": "Size the canary by itself: `matchTrafficWeight` wins over",
    "cat.spec": "What both kinds of templates hold.",
}


async def test_plain_apply_installs_them_and_then_finds_nothing_to_do(shell: Shell, kubectl: Path) -> None:
    printed = await shell.says("sluicegate crds")
    await shell.says("kubectl apply -f -", stdin=printed)

    said = await shell.says("kubectl apply -f -", stdin=printed)
    assert sorted(said.splitlines()) == [
        f"customresourcedefinition.apiextensions.k8s.io/{kind}.argoproj.io unchanged" for kind in KINDS
    ]
    for kind in KINDS:
        jsonpath = "jsonpath={.status.conditions[?(@.type=='NonStructuralSchema')].message}"
        assert await shell.says(f'kubectl get crd {kind}.argoproj.io -o "{jsonpath}"') == ""


@pytest.mark.parametrize("path", SENTENCES)
async def test_kubectl_explains_them(path: str, shell: Shell, kubectl: Path) -> None:
    assert SENTENCES[path] in " ".join((await shell.says(f"kubectl explain {path}")).split())


async def test_short_names_and_columns(shell: Shell, kubectl: Path) -> None:
    await shell.says("kubectl apply -f -", stdin=ROLLOUT)

    heads = ["NAME", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert (await shell.says("kubectl get ro")).split()[:6] == heads
    assert await shell.says("kubectl scale ro web --replicas 2") == "rollout.argoproj.io/web scaled\n"
    for short in ("exp", "ar", "at", "cat"):
        assert (await shell.run(f"kubectl get {short}")).code == 0
