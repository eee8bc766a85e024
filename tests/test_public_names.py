"""The public names of the package are what they say, whatever has been imported before."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

import motiflens

MODULES = [
    found.name
    for found in pkgutil.walk_packages(motiflens.__path__, "motiflens.")
    if not found.name.endswith("__main__")
]
NAMES = sorted(set(motiflens.__all__) - {"InputError", "__version__"})


@pytest.fixture(scope="module", autouse=True)
def _everything_imported() -> None:
    for name in MODULES:
        importlib.import_module(name)


def test_every_public_name_has_a_home() -> None:
    assert dir(motiflens) == motiflens.__all__
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_module_stands_where_a_public_name_is_promised(name: str) -> None:
    assert not isinstance(getattr(motiflens, name), ModuleType)


@pytest.mark.parametrize("package", [name for name in MODULES if name.count(".") == 1])
def test_neither_in_a_package(package: str) -> None:
    module = importlib.import_module(package)
    public = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    assert not [name for name, found in public.items() if isinstance(found, ModuleType)]
