"""`payops init` writes a start that loads, and never over a file."""

from __future__ import annotations

from pathlib import Path

from command import assert_calm, payops

ENVIRONMENT = {
    "STRIPE_PAYOPS_KEY": "rk_test_" + "x" * 20,
    "PAYOPS_DSN": "postgresql://payops@127.0.0.1:1/shop",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def test_what_it_writes_is_a_good_configuration(tmp_path: Path) -> None:
    done = payops("init", cwd=tmp_path)
    assert done.code == 0
    assert (tmp_path / "payops.yaml").stat().st_mode & 0o777 == 0o600
    assert payops("config", "check", "--offline", cwd=tmp_path, env=ENVIRONMENT).code == 0
    without = payops("config", "check", cwd=tmp_path)
    assert without.code == 3
    assert "STRIPE_PAYOPS_KEY is not set" in without.err


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("environment: mine\n")
    done = payops("init", "mine.yaml", cwd=tmp_path)
    assert done.code == 3
    assert_calm(done)
    assert (tmp_path / "mine.yaml").read_text() == "environment: mine\n"


def test_where_it_cannot_write_it_says_so(tmp_path: Path) -> None:
    for path in ("no/such/folder.yaml", "."):
        done = payops("init", path, cwd=tmp_path)
        assert done.code == 3
        assert_calm(done)
    assert "nope" in payops("init", "--preset", "nope", cwd=tmp_path).err
