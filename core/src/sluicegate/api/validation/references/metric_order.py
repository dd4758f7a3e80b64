"""A metric as the incumbent writes it: members in its order, which decides what is reported first (analysis 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sluicegate.api.encoding import encode

_OPAQUE: Final = "opaque"
_SORTED: Final = "sorted"
_ENCODED: Final = frozenset({"ObjectMeta", "PodTemplateSpec", "LabelSelector"})

_STRUCTS: Final = {
    "Metric": (
        "name interval initialDelay count successCondition failureCondition failureLimit inconclusiveLimit "
        "consecutiveErrorLimit provider:Provider consecutiveSuccessLimit"
    ),
    "Provider": (
        "prometheus:Prometheus kayenta:Kayenta web:Web datadog:Datadog wavefront:Query newRelic:Profile job:Job "
        "cloudWatch:CloudWatch graphite:Query influxdb:Profile skywalking:Query plugin:sorted"
    ),
    "Prometheus": "address query authentication:Authentication timeout insecure headers:[]Header rangeQuery:Range",
    "Authentication": "sigv4:SigV4 oauth2:OAuth2 basicAuth:BasicAuth",
    "SigV4": "region profile roleArn",
    "OAuth2": "tokenUrl clientId clientSecret scopes",
    "BasicAuth": "username password",
    "Header": "key value",
    "Range": "start end step",
    "Kayenta": (
        "address application canaryConfigName metricsAccountName configurationAccountName storageAccountName "
        "threshold:Threshold scopes:[]KayentaScope lookback"
    ),
    "Threshold": "pass marginal",
    "KayentaScope": "name controlScope:ScopeDetail experimentScope:ScopeDetail",
    "ScopeDetail": "scope region step start end",
    "Web": ("method url headers:[]Header body timeoutSeconds jsonPath insecure jsonBody authentication:Authentication"),
    "Datadog": "interval query queries:sorted formula apiVersion aggregator secretRef:SecretRef requestTimeout",
    "SecretRef": "name namespaced",
    "Query": "address query interval",
    "Profile": "profile query timeout",
    "CloudWatch": "interval metricDataQueries:[]DataQuery",
    "DataQuery": "id expression label metricStat:MetricStat period returnData",
    "MetricStat": "metric:CloudMetric period stat unit",
    "CloudMetric": "dimensions:[]Dimension metricName namespace",
    "Dimension": "name value",
    "Job": "metadata:ObjectMeta spec:JobSpec",
    "JobSpec": (
        "parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit "
        "backoffLimitPerIndex maxFailedIndexes selector:LabelSelector manualSelector template:PodTemplateSpec "
        "ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy"
    ),
}


def _members(declaration: str) -> dict[str, str]:
    parts = (member.partition(":") for member in declaration.split())
    return {name: type or _OPAQUE for name, _, type in parts}


_MEMBERS: Final = {name: _members(declaration) for name, declaration in _STRUCTS.items()}


def in_metric_order(metric: Mapping[str, Any]) -> dict[str, Any]:
    """A metric with its members, and those of its provider, in order; unknown ones follow the known."""
    return {**_ordered(metric, "Metric")}


def _ordered(value: Any, type: str) -> Any:
    if isinstance(value, list) and type.startswith("[]"):
        return [_ordered(item, type[2:]) for item in value]
    if not isinstance(value, Mapping):
        return value
    if type == _SORTED:
        return dict(sorted(value.items()))
    if type in _ENCODED:
        return encode(value, type)
    members = _MEMBERS.get(type, {})
    known = {name: _ordered(value[name], inner) for name, inner in members.items() if name in value}
    return known | {name: item for name, item in value.items() if name not in members}
