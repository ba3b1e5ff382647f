"""Whom PostgreSQL runs as."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from passerelle.dev.postgres.accounts import Account, FindUser, choose_account
from passerelle.dev.postgres.errors import EmbeddedError

USERS = {"postgres": (70, 71), "nobody": (65534, 65533)}


def among(users: dict[str, tuple[int, int]]) -> FindUser:
    """Looks users up here instead of in the system."""

    def find(name: str) -> tuple[int, int] | None:
        return users.get(name)

    return find


def owned_by(cluster: Path, uid: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An existing cluster of that user, whoever runs the tests."""
    cluster.mkdir()
    fields = list(cluster.stat())
    fields[4:6] = [uid, uid + 1]
    monkeypatch.setattr(Path, "stat", lambda self: os.stat_result(fields))
    return cluster


def test_an_ordinary_user_runs_it_as_itself(tmp_path: Path) -> None:
    assert choose_account(1000, tmp_path / "new", among(USERS)) is None


@pytest.mark.parametrize(
    ("users", "chosen"),
    [(USERS, Account(70, 71)), ({"nobody": USERS["nobody"]}, Account(65534, 65533))],
)
def test_root_hands_a_new_cluster_to_postgres_else_to_nobody(
    users: dict[str, tuple[int, int]], chosen: Account, tmp_path: Path
) -> None:
    assert choose_account(0, tmp_path / "new", among(users)) == chosen


def test_root_without_anybody_to_hand_it_to_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="start Passerelle as an ordinary user"):
        choose_account(0, tmp_path / "new", among({}))


def test_root_carries_on_as_the_owner_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = owned_by(tmp_path / "cluster", 1000, monkeypatch)
    assert choose_account(0, cluster, among(USERS)) == Account(1000, 1001)


def test_the_owner_needs_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_account(1000, owned_by(tmp_path / "cluster", 1000, monkeypatch), among(USERS)) is None


@pytest.mark.parametrize(
    ("own_uid", "owner", "sentence"),
    [(0, 0, "belongs to root"), (1000, 1001, "belongs to user 1001 and you are user 1000")],
)
def test_data_of_a_user_that_we_cannot_become_is_refused(
    own_uid: int, owner: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = owned_by(tmp_path / "cluster", owner, monkeypatch)
    with pytest.raises(EmbeddedError, match=sentence):
        choose_account(own_uid, cluster, among(USERS))
