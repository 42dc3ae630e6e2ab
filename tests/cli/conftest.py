"""One running lab for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from payops.lab import laboratory
from payops.lab.info import LabInfo


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    """A healthy lab; whoever breaks it heals it."""
    directory = tmp_path_factory.mktemp("lab") / "lab"
    info = laboratory.up(laboratory.LabOptions(dir=directory))
    yield info
    laboratory.down(Path(info.dir))
