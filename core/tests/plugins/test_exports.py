"""The plugin API is what `sluicegate.plugins` exports, no more and no less."""

from types import ModuleType

from sluicegate import plugins


def test_all_names_exactly_what_the_package_holds() -> None:
    public = {
        name for name, value in vars(plugins).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(plugins.__all__) == public


def test_all_is_sorted_without_duplicates() -> None:
    assert plugins.__all__ == sorted(set(plugins.__all__))


def test_every_exported_class_and_function_is_documented() -> None:
    undocumented = [
        name
        for name in plugins.__all__
        if callable(value := getattr(plugins, name))
        and getattr(value, "__module__", "").startswith("sluicegate.")
        and not value.__doc__
    ]
    assert undocumented == []
