"""What a real API server fills into built-in objects before it stores them, and what it allocates for them.

Pure functions of an object, apart from the Service allocations, which look at the other Services in the store.
Controllers compare pod templates, so a template must come back from the embedded cluster exactly as from a real one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.resources import DEPLOYMENTS, INGRESSES, POD_TEMPLATES, PODS, REPLICA_SETS, SERVICES
from sluicegate.local.apiserver.resources import POD_DISRUPTION_BUDGETS
from sluicegate.local.defaults.deployments import admit_deployment
from sluicegate.local.defaults.others import admit_budget, admit_ingress, admit_pod_template
from sluicegate.local.defaults.pods import admit_pod, admit_replica_set, require_containers, require_template
from sluicegate.local.defaults.services import admit_service

if TYPE_CHECKING:
    from sluicegate.local.admission import Admissions


def register_defaults(admissions: Admissions) -> None:
    """Have Pods, what makes them, Services, Ingresses and budgets stored as a real API server stores them."""
    admissions.register(PODS.group, PODS.plural, admit_pod)
    admissions.register(PODS.group, PODS.plural, require_containers)
    admissions.register(REPLICA_SETS.group, REPLICA_SETS.plural, admit_replica_set)
    admissions.register(REPLICA_SETS.group, REPLICA_SETS.plural, require_template)
    admissions.register(DEPLOYMENTS.group, DEPLOYMENTS.plural, require_template)
    admissions.register(DEPLOYMENTS.group, DEPLOYMENTS.plural, admit_deployment)
    admissions.register(POD_TEMPLATES.group, POD_TEMPLATES.plural, admit_pod_template)
    admissions.register(POD_DISRUPTION_BUDGETS.group, POD_DISRUPTION_BUDGETS.plural, admit_budget)
    admissions.register(INGRESSES.group, INGRESSES.plural, admit_ingress)
    admissions.register(SERVICES.group, SERVICES.plural, admit_service)
