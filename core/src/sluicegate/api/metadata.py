"""Object metadata and label selectors, as our own kinds carry them."""

from pydantic import Field

from sluicegate.api.model import ApiModel, Int64, RequiredStr, StringMap, Time


class OwnerReference(ApiModel):
    """One owner of an object; `controller` marks the one that manages it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(ApiModel):
    """The metadata of an object of ours; what is not named here is kept all the same."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: Int64 = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: StringMap = Field(default_factory=dict)
    annotations: StringMap = Field(default_factory=dict)
    owner_references: list[OwnerReference] = Field(default_factory=list)
    finalizers: list[str] = Field(default_factory=list)


class LabelSelectorRequirement(ApiModel):
    """One expression of a selector; `operator` is `In`, `NotIn`, `Exists` or `DoesNotExist`."""

    key: RequiredStr = ""
    operator: RequiredStr = ""
    values: list[str] = Field(default_factory=list)


class LabelSelector(ApiModel):
    """A label selector as written in a manifest. `sluicegate.api.selectors` matches and prints it."""

    match_labels: StringMap = Field(default_factory=dict)
    match_expressions: list[LabelSelectorRequirement] = Field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether it holds no requirement, and so selects everything."""
        return not self.match_labels and not self.match_expressions


class MetadataPatch(ApiModel):
    """Labels and annotations to put on an object that the controller makes or manages."""

    labels: StringMap = Field(default_factory=dict)
    annotations: StringMap = Field(default_factory=dict)
