"""Where runbooks stand: ours, a user's own by the same rules, and none that others can write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from payops.errors import ConfigError, UsageError
from payops.runbook.read import read_runbook
from payops.runbook.shelf import every_runbook, own_folder, runbook, shelf, shipped

PAGE = "---\nid: {id}\ntitle: {title}\nkind: routine\nsteps:\n  - {{id: a, tell: Do it}}\n---\nx\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "payops" / "runbooks"
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    return folder


def put(folder: Path, id_: str, title: str = "Mine", name: str = "") -> Path:
    path = folder / f"{name or id_}.md"
    path.write_text(PAGE.format(id=id_, title=title))
    path.chmod(0o600)
    return path


def test_a_users_own_takes_the_place_of_ours(own: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.mkdir(mode=0o700)
    put(ours, "daily", "Ours")
    put(ours, "weekly", "Ours")
    put(own, "daily")
    assert [(each.id, each.title) for each in every_runbook(ours, own)] == [
        ("daily", "Mine"),
        ("weekly", "Ours"),
    ]


def test_one_that_cannot_be_used_hides_no_other(own: Path) -> None:
    put(own, "daily")
    (own / "torn.md").write_text("---\nid: torn\n")
    put(own, "weekly", name="monthly")
    found = shelf(own)
    assert [each.id for each in found.runbooks] == ["daily"]
    told = [str(each) for each in found.broken]
    assert "the file is named monthly.md" in told[0]
    assert "does not end" in told[1]
    with pytest.raises(ConfigError):
        every_runbook(own)


@pytest.mark.parametrize(("what", "mode"), [("file", 0o620), ("file", 0o602), ("folder", 0o770)])
def test_one_that_others_can_write_is_refused(own: Path, what: str, mode: int) -> None:
    path = put(own, "daily")
    (path if what == "file" else own).chmod(mode)
    (error,) = shelf(own).broken
    assert f"its {what} can be written by others" in str(error)
    assert "chmod go-w" in error.hint


def test_a_link_that_others_may_have_laid_is_refused(own: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (own / "daily.md").symlink_to(put(elsewhere, "daily"))
    assert [each.id for each in shelf(own).runbooks] == ["daily"]
    own.chmod(0o777)  # whoever may write here chose what it leads to
    (error,) = shelf(own).broken
    assert "its folder can be written by others" in str(error)
    assert str(own) in error.hint


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_keeps_nobody_waiting(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "pipe.md")
    with pytest.raises(ConfigError, match="is not a file"):
        read_runbook(tmp_path / "pipe.md")
    with pytest.raises(ConfigError, match="No such file"):
        read_runbook(tmp_path / "none.md")
    (tmp_path / "long.md").write_bytes(b"x" * (600 << 10))
    with pytest.raises(ConfigError, match="larger than a runbook"):
        read_runbook(tmp_path / "long.md")


def test_ours_are_there_and_the_users_folder_is_by_the_standard() -> None:
    assert any(each.id == "circuit-stuck-open" for each in every_runbook(shipped()))
    assert own_folder({"XDG_CONFIG_HOME": "/x"}) == Path("/x/payops/runbooks")
    assert own_folder({}) == Path.home() / ".config" / "payops" / "runbooks"


def test_a_name_that_is_none_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'circuit-stuck-open'"):
        runbook("circuit-stuck", every_runbook(shipped()))
