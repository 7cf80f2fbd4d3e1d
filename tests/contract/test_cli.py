"""The command `hanzo-live`: versions, what packages add, and one sentence for what is wrong."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass

import pytest

from hanzo_live import __version__
from hanzo_live.cli import Register, Subparsers, main
from hanzo_live.protocol import ErrorCode, LiveError


@dataclass(frozen=True)
class Added:
    """An entry point that is not installed."""

    name: str
    register: Register

    def load(self) -> Register:
        return self.register


def adds(subparsers: Subparsers) -> None:
    greet = subparsers.add_parser("greet", help="say hello")
    greet.add_argument("--times", type=int, default=1)
    greet.set_defaults(run=_greet)


def _greet(options: argparse.Namespace) -> int:
    if options.times == 0:
        raise LiveError(ErrorCode.NODE_UNAVAILABLE, "the node does not answer: check NODE_URL")
    if options.times < 0:
        raise LiveError(ErrorCode.BAD_REQUEST, "--times must not be negative")
    if options.times > 100:
        raise KeyboardInterrupt
    sys.stdout.write("hello " * options.times)
    return 0


def broken(subparsers: Subparsers) -> None:
    raise ImportError("no module named 'django'")


EXTENSIONS = [Added("greet", adds)]


def test_version_says_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"], extensions=[]) == 0
    assert capsys.readouterr().out.startswith(f"hanzo-live {__version__}")


def test_the_script_is_installed_and_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hanzo_live.cli", "--version"], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.startswith(f"hanzo-live {__version__}")


def test_packages_add_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["greet", "--times", "2"], extensions=EXTENSIONS) == 0
    assert capsys.readouterr().out == "hello hello "


def test_a_broken_package_is_told_and_does_not_take_the_others_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["greet"], extensions=[Added("broken", broken), *EXTENSIONS]) == 0
    said = capsys.readouterr()
    assert said.out == "hello "
    assert "`broken`" in said.err
    assert "django" in said.err


@pytest.mark.parametrize("arguments", [["nonsense"], ["greet", "--times", "many"], ["greet", "--what"]])
def test_wrong_usage_is_one_sentence_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments, extensions=EXTENSIONS) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "--help" in said.err


def test_without_a_command_it_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], extensions=EXTENSIONS) == 2
    assert "greet" in capsys.readouterr().err


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"], extensions=EXTENSIONS) == 0
    assert "version" in capsys.readouterr().out


@pytest.mark.parametrize(("times", "code"), [("0", 1), ("-1", 2)])
def test_a_failure_is_one_sentence(times: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["greet", f"--times={times}"], extensions=EXTENSIONS) == code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith(".\n")


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["greet", "--times=101"], extensions=EXTENSIONS) == 130
    assert capsys.readouterr().err == ""
