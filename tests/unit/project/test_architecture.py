"""The description of the folders is true: every folder is in it, in the order that imports go."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "passerelle"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TABLE = PAGE.split("| folder |", 1)[1].split("\n\n", 1)[0]


def test_every_folder_is_described_once() -> None:
    described = [name for row in TABLE.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    folders = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert sorted(described) == sorted(folders), "docs/architecture.md has another list of folders"


def test_every_file_that_it_names_is_there() -> None:
    for path in re.findall(r"`(\w+(?:/\w+)+(?:\.py)?)`", PAGE):
        assert (SOURCE / path).exists() or (ROOT / path).exists() or path.startswith("packages/"), path


def test_the_way_of_adding_to_it_names_folders_that_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:src|tests|docs)/[\w/.-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_name_of_a_class_has_one_meaning() -> None:
    defined: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert not {name: places for name, places in defined.items() if len(places) > 1}


def private_names(node: ast.AST) -> list[ast.Attribute]:
    """The attributes of one underscore below a node, but for those that named tuples, `os` and `zlib` give out, and the
    one that aiohttp documents for connectors of one's own."""
    public = {"_replace", "_asdict", "_exit", "_Decompress", "_create_connection"}
    names = [one for one in ast.walk(node) if isinstance(one, ast.Attribute) and re.match("_(?!_)", one.attr)]
    return [one for one in names if one.attr not in public]


def of_itself(name: ast.Attribute) -> bool:
    return isinstance(name.value, ast.Name) and re.fullmatch(r"self|cls|_?[A-Z]\w*", name.value.id) is not None


def test_no_class_reaches_into_another() -> None:
    """Nor into a library. Names of one underscore are a class's own, in other objects of the class, too."""
    reaches = []
    for path in sorted(SOURCE.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        allowed: set[ast.Attribute] = set()
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                names = private_names(node)
                own = {one.attr for one in names if of_itself(one)}
                allowed |= {one for one in names if one.attr in own}
        others = [one for one in private_names(module) if one not in allowed and not of_itself(one)]
        reaches += [f"{path.relative_to(SOURCE)}:{one.lineno}: {ast.unparse(one)}" for one in others]
    assert not reaches


def test_no_feature_imports_the_repository_of_another() -> None:
    """What is in a feature's tables is for its own service to say; only what puts the services together makes both."""
    imports = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {node.module}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path not in (SOURCE / "app" / "foundation.py", SOURCE / "app" / "services.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (module := (node.module or "").split("."))[0] == "passerelle"
        if any(name.endswith("repository") for name in (module[-1], *(one.name for one in node.names)))
        if module[1] != path.relative_to(SOURCE).parts[0]
    ]
    assert not imports


def test_inner_modules_of_libraries_are_used_in_one_place_each() -> None:
    inner = re.compile(r"^from (pgqueuer\.(?:adapters|core|domain|ports)|uvicorn\.protocols|fastapi\._)", re.MULTILINE)
    places = {
        f"{found[1].split('.')[0]}: {path.relative_to(SOURCE)}"
        for path in SOURCE.rglob("*.py")
        for found in inner.finditer(path.read_text(encoding="utf-8"))
    }
    assert places == {"pgqueuer: kit/queue_driver.py", "uvicorn: kit/http/protocol.py"}
