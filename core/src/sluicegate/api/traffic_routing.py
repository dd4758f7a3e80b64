"""`trafficRouting`: the settings of every built-in router, and those of plugins by name.

Their defaults belong to the routers, not here: a model says only what a manifest may hold.
"""

from typing import Annotated

from pydantic import Field

from sluicegate.api.model import REQUIRED, ApiModel, FreeObject, Int32, Int64, RequiredStr, StringMap


class NginxRouting(ApiModel):
    """ingress-nginx; exactly one of `stable_ingress` and `stable_ingresses` (present, even empty)."""

    annotation_prefix: str = ""
    stable_ingress: str = ""
    stable_ingresses: list[str] | None = None
    additional_ingress_annotations: StringMap = Field(default_factory=dict)
    canary_ingress_annotations: StringMap = Field(default_factory=dict)


class StickinessConfig(ApiModel):
    """Sticky target groups of an AWS load balancer; `duration_seconds` in seconds."""

    enabled: Annotated[bool, REQUIRED] = False
    duration_seconds: Annotated[Int64, REQUIRED] = 0


class AlbRouting(ApiModel):
    """AWS load balancer; exactly one of `ingress` and `ingresses` (present, even empty)."""

    ingress: str = ""
    ingresses: list[str] | None = None
    service_port: Annotated[Int32, REQUIRED] = 0
    root_service: str = ""
    annotation_prefix: str = ""
    stickiness_config: StickinessConfig | None = None


class TlsRoute(ApiModel):
    """TLS routes of a VirtualService, by port and SNI hosts."""

    port: Int64 = 0
    sni_hosts: list[str] = Field(default_factory=list)


class TcpRoute(ApiModel):
    """TCP routes of a VirtualService, by port."""

    port: Int64 = 0


class IstioVirtualService(ApiModel):
    """A VirtualService, `name` or `name.namespace`, and which of its routes to weigh."""

    name: RequiredStr = ""
    routes: list[str] = Field(default_factory=list)
    tls_routes: list[TlsRoute] = Field(default_factory=list)
    tcp_routes: list[TcpRoute] = Field(default_factory=list)


class IstioDestinationRule(ApiModel):
    """A DestinationRule whose two subsets follow canary and stable."""

    name: RequiredStr = ""
    canary_subset_name: RequiredStr = ""
    stable_subset_name: RequiredStr = ""
    additional_subset_names: list[str] = Field(default_factory=list)


class IstioRouting(ApiModel):
    """Istio; exactly one of `virtual_service` and `virtual_services` (present, even empty)."""

    virtual_service: IstioVirtualService | None = None
    virtual_services: list[IstioVirtualService] | None = None
    destination_rule: IstioDestinationRule | None = None


class SmiRouting(ApiModel):
    """Service Mesh Interface."""

    root_service: str = ""
    traffic_split_name: str = ""


class AmbassadorRouting(ApiModel):
    """Ambassador; the names of the stable mappings, at least one."""

    mappings: Annotated[list[str], REQUIRED] = Field(default_factory=list)


class AppMeshVirtualService(ApiModel):
    """The App Mesh VirtualService; no routes means all of its router."""

    name: RequiredStr = ""
    routes: list[str] = Field(default_factory=list)


class AppMeshVirtualNode(ApiModel):
    """An App Mesh VirtualNode by name."""

    name: RequiredStr = ""


class AppMeshVirtualNodeGroup(ApiModel):
    """The two VirtualNodes whose pod selectors follow canary and stable."""

    canary_virtual_node_ref: Annotated[AppMeshVirtualNode | None, REQUIRED] = None
    stable_virtual_node_ref: Annotated[AppMeshVirtualNode | None, REQUIRED] = None


class AppMeshRouting(ApiModel):
    """AWS App Mesh."""

    virtual_service: AppMeshVirtualService | None = None
    virtual_node_group: AppMeshVirtualNodeGroup | None = None


class TraefikRouting(ApiModel):
    """Traefik; the TraefikService that holds both Services."""

    weighted_traefik_service_name: RequiredStr = ""


class ApisixRoute(ApiModel):
    """An ApisixRoute; `rules` absent means the rule of the route's own name, empty means none."""

    name: RequiredStr = ""
    rules: list[str] | None = None


class ApisixRouting(ApiModel):
    """Apache APISIX."""

    route: ApisixRoute | None = None


class ManagedRoute(ApiModel):
    """The name of a route that the controller may create; the list's order is their precedence."""

    name: RequiredStr = ""


class TrafficRouting(ApiModel):
    """Which routers share a canary's traffic; several may be set and each is kept up."""

    istio: IstioRouting | None = None
    nginx: NginxRouting | None = None
    alb: AlbRouting | None = None
    smi: SmiRouting | None = None
    ambassador: AmbassadorRouting | None = None
    app_mesh: AppMeshRouting | None = None
    traefik: TraefikRouting | None = None
    apisix: ApisixRouting | None = None
    plugins: FreeObject = Field(default_factory=dict)
    managed_routes: list[ManagedRoute] | None = None
    max_traffic_weight: Int32 | None = None

    @property
    def max_weight(self) -> int:
        """The weight that stands for all traffic: 100 unless `max_traffic_weight` says otherwise."""
        return 100 if self.max_traffic_weight is None else self.max_traffic_weight

    @property
    def routers(self) -> tuple[str, ...]:
        """The keys of the routers that are set, in the order in which they are kept up (traffic 1.2), plugins last."""
        built_in = {
            "istio": self.istio,
            "nginx": self.nginx,
            "alb": self.alb,
            "smi": self.smi,
            "ambassador": self.ambassador,
            "appMesh": self.app_mesh,
            "traefik": self.traefik,
            "apisix": self.apisix,
        }
        return (*(name for name, settings in built_in.items() if settings is not None), *sorted(self.plugins))
