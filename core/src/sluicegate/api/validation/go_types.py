"""The Go types of the manifests that are read strictly: their members, and the names that error messages call them by.

The types of our kinds follow from our models, those of pod templates from the data of `sluicegate.api.encoding`;
those of Services and Ingresses are listed here.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Union, get_args, get_origin

from sluicegate.api.analysis import AnalysisRun, AnalysisTemplate, Experiment
from sluicegate.api.encoding import structs
from sluicegate.api.model import POD_TEMPLATE, ApiModel, CrdSchema
from sluicegate.api.rollout import Rollout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.fields import FieldInfo

ROLLOUT: Final = "v1alpha1.Rollout"
SERVICE: Final = "v1.Service"
INGRESS: Final = "v1.Ingress"
BETA_INGRESS: Final = "v1beta1.Ingress"

_KINDS: Final[Mapping[str, type[ApiModel]]] = {
    "Rollout": Rollout,
    "Experiment": Experiment,
    "AnalysisTemplate": AnalysisTemplate,
    "ClusterAnalysisTemplate": AnalysisTemplate,
    "AnalysisRun": AnalysisRun,
}
KINDS: Final = {kind: f"v1alpha1.{kind}" for kind in _KINDS}
"""The types of our kinds."""

_MODELS: Final = {
    "WorkloadRef": "ObjectRef",
    "RollbackWindow": "RollbackWindowSpec",
    "AnalysisHistory": "AnalysisRunStrategy",
    "PingPong": "PingPongSpec",
    "PreferredAntiAffinity": "PreferredDuringSchedulingIgnoredDuringExecution",
    "RequiredAntiAffinity": "RequiredDuringSchedulingIgnoredDuringExecution",
    "MetadataPatch": "PodTemplateMetadata",
    "BackgroundAnalysis": "RolloutAnalysisBackground",
    "Pause": "RolloutPause",
    "ExperimentStep": "RolloutExperimentStep",
    "ExperimentTemplate": "RolloutExperimentTemplate",
    "ExperimentAnalysis": "RolloutExperimentStepAnalysisTemplateRef",
    "TrafficRouting": "RolloutTrafficRouting",
    "NginxRouting": "NginxTrafficRouting",
    "AlbRouting": "ALBTrafficRouting",
    "SmiRouting": "SMITrafficRouting",
    "IstioRouting": "IstioTrafficRouting",
    "TlsRoute": "TLSRoute",
    "TcpRoute": "TCPRoute",
    "AmbassadorRouting": "AmbassadorTrafficRouting",
    "AppMeshRouting": "AppMeshTrafficRouting",
    "AppMeshVirtualNode": "AppMeshVirtualNodeReference",
    "TraefikRouting": "TraefikTrafficRouting",
    "ApisixRouting": "ApisixTrafficRouting",
    "ManagedRoute": "MangedRoutes",
    "Condition": "RolloutCondition",
    "RunStatus": "RolloutAnalysisRunStatus",
    "AlbStatus": "ALBStatus",
    "ArgumentSource": "ValueFrom",
    "TtlStrategy": "TTLStrategy",
    "ExperimentTemplateSpec": "TemplateSpec",
    "ExperimentTemplateStatus": "TemplateStatus",
    "ExperimentAnalysisRef": "ExperimentAnalysisTemplateRef",
    "ExperimentRunStatus": "ExperimentAnalysisRunStatus",
}
"""Our models that have another name than the incumbent's types."""

_KUBERNETES: Final = frozenset({"ObjectMeta", "LabelSelector"})
"""Models of ours whose types are Kubernetes' own."""

_LISTED: Final = {
    SERVICE: "apiVersion kind metadata:ObjectMeta spec:v1.ServiceSpec status:v1.ServiceStatus",
    "v1.ServiceSpec": (
        "ports:[]v1.ServicePort selector:map[string]string clusterIP clusterIPs:[]string type externalIPs:[]string "
        "sessionAffinity loadBalancerIP loadBalancerSourceRanges:[]string externalName externalTrafficPolicy "
        "healthCheckNodePort:int32 publishNotReadyAddresses:bool sessionAffinityConfig:v1.SessionAffinityConfig "
        "ipFamilies:[]string ipFamilyPolicy allocateLoadBalancerNodePorts:bool loadBalancerClass "
        "internalTrafficPolicy trafficDistribution"
    ),
    "v1.ServicePort": "name protocol appProtocol port:int32 targetPort:intOrString nodePort:int32",
    "v1.SessionAffinityConfig": "clientIP:v1.ClientIPConfig",
    "v1.ClientIPConfig": "timeoutSeconds:int32",
    "v1.ServiceStatus": "loadBalancer:v1.LoadBalancerStatus conditions:[]v1.Condition",
    "v1.LoadBalancerStatus": "ingress:[]v1.LoadBalancerIngress",
    "v1.LoadBalancerIngress": "ip hostname ipMode ports:[]v1.PortStatus",
    "v1.PortStatus": "port:int32 protocol error",
    "v1.Condition": "type status observedGeneration:int64 lastTransitionTime:time reason message",
    INGRESS: "apiVersion kind metadata:ObjectMeta spec:v1.IngressSpec status:v1.IngressStatus",
    "v1.IngressSpec": ("ingressClassName defaultBackend:v1.IngressBackend tls:[]v1.IngressTLS rules:[]v1.IngressRule"),
    "v1.IngressBackend": "service:v1.IngressServiceBackend resource:TypedLocalObjectReference",
    "v1.IngressServiceBackend": "name port:v1.ServiceBackendPort",
    "v1.ServiceBackendPort": "name number:int32",
    "v1.IngressTLS": "hosts:[]string secretName",
    "v1.IngressRule": "host http:v1.HTTPIngressRuleValue",
    "v1.HTTPIngressRuleValue": "paths:[]v1.HTTPIngressPath",
    "v1.HTTPIngressPath": "path pathType backend:v1.IngressBackend",
    "v1.IngressStatus": "loadBalancer:v1.IngressLoadBalancerStatus",
    "v1.IngressLoadBalancerStatus": "ingress:[]v1.IngressLoadBalancerIngress",
    "v1.IngressLoadBalancerIngress": "ip hostname ports:[]v1.IngressPortStatus",
    "v1.IngressPortStatus": "port:int32 protocol error",
    BETA_INGRESS: "apiVersion kind metadata:ObjectMeta spec:v1beta1.IngressSpec status:v1.IngressStatus",
    "v1beta1.IngressSpec": (
        "ingressClassName backend:v1beta1.IngressBackend tls:[]v1.IngressTLS rules:[]v1beta1.IngressRule"
    ),
    "v1beta1.IngressBackend": "serviceName servicePort:intOrString resource:TypedLocalObjectReference",
    "v1beta1.IngressRule": "host http:v1beta1.HTTPIngressRuleValue",
    "v1beta1.HTTPIngressRuleValue": "paths:[]v1beta1.HTTPIngressPath",
    "v1beta1.HTTPIngressPath": "path pathType backend:v1beta1.IngressBackend",
}
"""Members of structs, `name:type` each, text unless given."""

_MAP: Final = "map[string]"
_SHOWN: Final = {"raw": "json.RawMessage", "intOrString": "int32", "time": "string"}
_SCALARS: Final[dict[Any, str]] = {str: "string", bool: "bool", Any: "raw"}
_MARKED: Final = {"int32": "int32", "int64": "int64", "date-time": "time"}


class GoMember(NamedTuple):
    """A member of a struct: its JSON name and its type."""

    name: str
    type: str


_OF_EVERY_KIND: Final = (GoMember("apiVersion", "string"), GoMember("kind", "string"))


def members_of(struct: str) -> Mapping[str, GoMember]:
    """The members of a struct by their names in lower case, for Go reads names without regard to case."""
    return _members()[struct]


def is_struct(type: str) -> bool:
    """Whether a type is one of the known structs."""
    return type in _members()


def type_name(type: str) -> str:
    """A type as error messages call it."""
    if type.startswith("[]"):
        return "[]" + type_name(type[2:])
    if type.startswith(_MAP):
        return _MAP + type_name(type.removeprefix(_MAP))
    return f"v1.{type}" if is_struct(type) and "." not in type else _SHOWN.get(type, type)


@cache
def _members() -> dict[str, dict[str, GoMember]]:
    known = {name: _by_name([GoMember(*one) for one in _without_pointers(name)]) for name in structs()}
    listed = {name: _by_name(_parsed(declaration)) for name, declaration in _LISTED.items()}
    models = (_model_members(model) for model in _KINDS.values())
    kinds = {KINDS[kind]: _by_name(_OF_EVERY_KIND) | _own_members(model) for kind, model in _KINDS.items()}
    return reduce(or_, models, known | listed) | kinds


def _without_pointers(struct: str) -> Sequence[tuple[str, str]]:
    return [(member.name, member.type.replace("*", "")) for member in structs()[struct]]


def _by_name(members: Sequence[GoMember]) -> dict[str, GoMember]:
    return {member.name.lower(): member for member in members}


def _parsed(declaration: str) -> list[GoMember]:
    parts = (member.partition(":") for member in declaration.split())
    return [GoMember(name, type or "string") for name, _, type in parts]


def _model_members(model: type[ApiModel]) -> dict[str, dict[str, GoMember]]:
    """The structs of a model and of all models in it."""
    found = {_go_name(model): _own_members(model)}
    for info in model.model_fields.values():
        for inner in _models_in(info.annotation):
            if inner.__name__ not in _KUBERNETES:
                found |= _model_members(inner)
    return found


def _own_members(model: type[ApiModel]) -> dict[str, GoMember]:
    return _by_name([GoMember(info.alias or name, _field_type(info)) for name, info in model.model_fields.items()])


def _models_in(annotation: Any) -> list[type[ApiModel]]:
    if isinstance(annotation, type) and issubclass(annotation, ApiModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _go_name(model: type[ApiModel]) -> str:
    name = model.__name__
    return name if name in _KUBERNETES else f"v1alpha1.{_MODELS.get(name, name)}"


def _field_type(info: FieldInfo) -> str:
    return _marked_type(info.metadata) or _type_of(info.annotation)


def _marked_type(metadata: Sequence[Any]) -> str | None:
    for mark in metadata:
        if mark is POD_TEMPLATE:
            return "PodTemplateSpec"
        if isinstance(mark, CrdSchema):
            return _MARKED.get(mark.schema.get("format", "")) or _unformatted(mark.schema)
    return None


def _unformatted(schema: Mapping[str, Any]) -> str:
    return "map[string]raw" if schema.get("type") == "object" else "intOrString"


def _type_of(annotation: Any) -> str:
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _marked_type(annotation.__metadata__) or _type_of(arguments[0])
    if origin in (Union, UnionType):
        return _type_of(next(argument for argument in arguments if argument is not NoneType))
    if origin is list:
        return "[]" + _type_of(arguments[0])
    return "map[string]" + _type_of(arguments[1]) if origin is dict else _go_name(annotation)
