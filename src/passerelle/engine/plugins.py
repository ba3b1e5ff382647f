"""Finds what step kinds and checks there are: those of a folder of ours, then those of installed packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from passerelle.kit.errors import CommandError

OURS = "Passerelle itself"
PRESENTERS = "passerelle.presenters"
"""The group of what draws the pages of user-facing kinds; the pages load them."""


class Pluggable(Protocol):
    """What can be plugged in: an instance of its class, known by its name."""

    name: ClassVar[str]


Part = TypeVar("Part", bound=Pluggable)


class PluginError(CommandError):
    """What a package adds cannot be used. Says which package is to blame and what to do."""


def plugged_in(group: str) -> list[EntryPoint]:
    """What installed packages add to a group, by name."""
    return sorted(entry_points(group=group), key=lambda point: point.name)


@dataclass(frozen=True)
class PluginLoader(Generic[Part]):
    """Loads one sort of thing that can be plugged in.

    noun      what it is called: "step kind"
    group     the entry points' group
    package   our own folder, in which every class of `bases` is one
    bases     the classes of which it must be one
    wanted    the same in words, for the author of a plug-in
    needs     the attributes that it must have
    wrong     why a part that has them could not be used, or None
    """

    noun: str
    group: str
    package: str
    bases: tuple[type[Part], ...]
    wanted: str
    needs: tuple[str, ...]
    wrong: Callable[[Part], str | None] = lambda _: None

    def load(self) -> dict[str, Part]:
        """Every part by its name, in order. Raises `PluginError` for one that is broken, and for a name taken twice."""
        parts: dict[str, Part] = {}
        origins: dict[str, str] = {}
        for origin, part in (*self._built_in(), *self._plugged_in()):
            if part.name in parts:
                raise PluginError(
                    f"the {self.noun} {part.name} comes from {origins[part.name]} and from {origin}:"
                    " uninstall one of them, or rename what it adds"
                )
            parts[part.name], origins[part.name] = part, origin
        return dict(sorted(parts.items()))

    def _built_in(self) -> Iterator[tuple[str, Part]]:
        for info in iter_modules(import_module(self.package).__path__, f"{self.package}."):
            for member in vars(import_module(info.name)).values():
                if self._is_part(member) and member.__module__ == info.name and not member.__name__.startswith("_"):
                    yield OURS, member()

    def _plugged_in(self) -> Iterator[tuple[str, Part]]:
        for point in plugged_in(self.group):
            package = point.dist.name if point.dist else "an unknown package"
            origin = f"{package} ({self.group}: {point.name} = {point.value})"
            yield origin, self._loaded(point, origin)

    def _loaded(self, point: EntryPoint, origin: str) -> Part:
        try:
            member = point.load()
            part: Part | None = member() if self._is_part(member) else None
        except Exception as error:
            raise PluginError(f"{origin} does not load: {error}; mend or uninstall it") from error
        if part is None:
            raise PluginError(f"{origin} is not a {self.wanted}")
        if (wrong := self._why_unusable(part, point.name)) is not None:
            raise PluginError(f"{origin} is not a usable {self.noun}: {wrong}")
        return part

    def _is_part(self, member: Any) -> bool:
        return isinstance(member, type) and issubclass(member, self.bases) and not isabstract(member)

    def _why_unusable(self, part: Part, name: str) -> str | None:
        if missing := ", ".join(attribute for attribute in self.needs if not hasattr(part, attribute)):
            return f"it has no {missing}"
        if part.name != name:
            return f"its name is {part.name}, not {name}"
        return self.wrong(part)
