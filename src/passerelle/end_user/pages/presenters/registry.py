"""Every presenter: the files of this folder, then the installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from passerelle.end_user.pages.presenters.base import Presenter
from passerelle.engine.plugins import PRESENTERS, PluginLoader


@lru_cache(maxsize=1)
def presenters() -> Mapping[str, Presenter]:
    """Every presenter by its kind's name. Raises `PluginError` for a broken plug-in and for a name taken twice."""
    return _LOADER.load()


def _wrong(presenter: Presenter) -> str | None:
    """Why no page could be drawn with it."""
    page = presenter.templates / presenter.template
    return None if page.is_file() else f"there is no template {page}"


_LOADER: Final = PluginLoader[Presenter](
    noun="presenter",
    group=PRESENTERS,
    package="passerelle.end_user.pages.presenters",
    bases=(Presenter,),
    wanted="Presenter with its `content`",
    needs=("name", "template"),
    wrong=_wrong,
)
