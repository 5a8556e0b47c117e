"""The schema: every setting that any room declares."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

from app.settings.setting import Setting


def collect_settings(package: str = "app", *, skip: Collection[str] = ()) -> dict[str, Setting[Any]]:
    """Every ``Setting`` constant of every module of ``package``, by key, sorted.

    Imports all those modules except ``__main__`` and those in or under ``skip`` (dotted names), so only a settings
    dialog or command calls this. Raises ValueError for a key declared twice, now or formerly (``was``), and
    RuntimeError when nothing is found, which is what a frozen build without collected submodules looks like.
    """
    found: dict[str, Setting[Any]] = {}
    for module in _modules(package, tuple(skip)):
        for value in vars(module).values():
            if isinstance(value, Setting) and found.setdefault(value.key, value) is not value:
                raise ValueError(
                    f"the setting {value.key} is declared twice, the second time seen in {module.__name__}"
                )
    if not found:
        raise RuntimeError(f"no settings found in {package}: are its modules collected into this build?")
    _refuse_reused_keys(found)
    return dict(sorted(found.items()))


def _modules(package: str, skip: tuple[str, ...]) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    yield root
    for info in pkgutil.iter_modules(root.__path__, f"{package}."):
        if info.name.endswith(".__main__") or info.name in skip:
            continue
        if info.ispkg:
            yield from _modules(info.name, skip)
        else:
            yield importlib.import_module(info.name)


def _refuse_reused_keys(found: dict[str, Setting[Any]]) -> None:
    owners: dict[str, str] = dict.fromkeys(found, "")
    for setting in found.values():
        for former in setting.was:
            if former in owners:
                raise ValueError(f"{setting.key} was {former}, but that key belongs to another setting")
            owners[former] = setting.key
