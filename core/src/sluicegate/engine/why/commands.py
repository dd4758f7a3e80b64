"""The commands that an explanation hands to a person, whole, so that they can be pasted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commands:
    """Command lines on one Rollout; `program` and `kubectl` come with the flags that lead to the same cluster."""

    namespace: str
    name: str
    program: str = "sluicegate"
    kubectl: str = "kubectl"

    def run(self, verb: str, flags: str = "") -> str:
        """A verb of ours on the Rollout: `sluicegate promote shop --full -n demo`."""
        return f"{self.program} {verb} {self.name}{f' {flags}' if flags else ''} -n {self.namespace}"

    def kube(self, words: str) -> str:
        """A command of kubectl in the namespace of the Rollout."""
        return f"{self.kubectl} {words} -n {self.namespace}"

    @property
    def promote(self) -> str:
        return f"To go on at once: {self.run('promote')}"

    @property
    def retry(self) -> str:
        return f"To try the same version again from the start: {self.run('retry rollout')}"

    def abort(self, stable: str) -> str:
        return f"To stop the update and go back to {stable}: {self.run('abort')}"

    def undo(self, revision: int) -> str:
        return f"To make revision {revision} the wanted version again: {self.run('undo', f'--to-revision={revision}')}"

    def edit(self) -> str:
        return f"To mend the manifest: {self.kube(f'edit rollout {self.name}')}"
