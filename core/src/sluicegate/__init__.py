"""Progressive delivery for Kubernetes: a drop-in for the Argo Rollouts API whose routers and providers are plugins."""

from sluicegate._version import __version__

__all__ = ["__version__"]
