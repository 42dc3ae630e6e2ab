"""The rooms of the house, and what may enter them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from command import passed_on

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "payops"
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = (
    "stripe",
    "psycopg",
    "redis",
    "duckdb",
    "urllib3",
    "msgspec",
    "yaml",
    "tabulate",
    "plotille",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def test_an_import_never_climbs() -> None:
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"],
        cwd=ROOT,
        env={**passed_on(), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["health", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from payops.cli.main import run\n"
        "code = run(sys.argv[1:])\n"
        f"print('loaded:', [m for m in {HEAVY!r} if m in sys.modules], code, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**passed_on(), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr.strip() == "loaded: [] 0"
    assert "payops" in done.stdout


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    module = ast.parse(path.read_text("utf-8"))
    if path.name.startswith("_") and path.name not in ("__init__.py", "__main__.py"):
        return
    first = (ast.get_docstring(module) or "").partition("\n")[0]
    assert len(first) > 10, "a docstring that tells a newcomer what is here"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_shell_and_no_silent_failure(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            assert "shell" not in {keyword.arg for keyword in node.keywords}, node.lineno
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = f"{node.value.id}.{node.attr}"
            assert called not in ("os.system", "os.popen"), node.lineno
            assert not called.startswith("subprocess.get"), node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            assert not {"system", "popen"} & {alias.name for alias in node.names}, node.lineno
        if isinstance(node, ast.ExceptHandler) and _catches_all(node):
            assert not all(isinstance(step, ast.Pass) for step in node.body), node.lineno


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kind = handler.type
    return kind is None or (
        isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")
    )


def test_the_repository_stands_alone() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=30
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    private = re.compile(rb"/[w]ork/(shared|main)|\.\./[s]hared")
    for name in tracked.stdout.decode().split("\0"):
        path = ROOT / name
        if path.is_file():
            assert not private.search(path.read_bytes()), name


@pytest.mark.slow
def test_the_wheel_holds_all_that_is_no_python_too(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        f"payops/{path.relative_to(SOURCE)}"
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != ".gitignore"
    }
    wanted |= {f"payops/runbooks/{path.name}" for path in (ROOT / "runbooks").glob("*.md")}
    assert wanted - held == set()
    assert {name.partition("/")[2] for name in held} >= {
        "config/presets/reference.yaml",
        "sources/sql/server.sql",
        "runbooks/README.md",
        "py.typed",
    }
    stray = [name for name in held if not name.startswith("payops") or "/tests/" in name]
    assert stray == []
    assert any(name.endswith("licenses/LICENSE") for name in held)
