"""The wheels and the release: what can be said without building one. `make wheels`, `make wheelcheck` and `make again` do the rest."""

from __future__ import annotations

import datetime as dt
import json
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("pythons")))
sys.path.insert(0, str(Path(__file__).with_name("wheels")))
import findings
import inspection
import readme_table
import release
from matrix import FREE_THREADED, PLATFORMS, PYTHONS, Wheel, wheels

TOP = Path(__file__).parents[1]
WORKFLOW = TOP / ".github" / "workflows" / "release.yml"
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())


class TestMatrix:
    def test_the_pythons_are_those_of_the_classifiers(self) -> None:
        promised = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["project"]["classifiers"]), flags=re.MULTILINE)
        assert list(PYTHONS) == promised

    def test_all_are_built_by_default_but_free_threaded_ones(self) -> None:
        assert {(each.python, each.platform) for each in wheels([], [])} == {(p, q) for p in PYTHONS for q in PLATFORMS}

    def test_some_can_be_chosen(self) -> None:
        assert [each.name for each in wheels(["3.14t"], ["musllinux_1_2_aarch64"])] == ["3.14t-musllinux_1_2_aarch64"]

    def test_a_name_of_a_file_belongs_to_one_wheel(self) -> None:
        name = "oxisocket-1.2.3-cp314-cp314t-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
        assert [each.name for each in wheels([*PYTHONS, *FREE_THREADED], []) if fnmatch(name, each.pattern)] == [
            "3.14t-manylinux_2_17_x86_64"
        ]


class TestInspection:
    WHEEL = Wheel("3.13", PLATFORMS[0])

    @pytest.fixture
    def wrong(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        for of_the_extension in "_wrong_platform", "_younger":
            monkeypatch.setattr(inspection, of_the_extension, lambda wheel, path: iter(()))

        def wrong(files: dict[str, bytes]) -> list[str]:
            path = tmp_path / "made-up.whl"
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
            return list(inspection.wrong(self.WHEEL, path))

        return wrong

    GOOD = dict.fromkeys((*inspection.NEEDED, "oxisocket/_socket.cpython-313-x86_64-linux-gnu.so"), b"")

    def test_a_good_one(self, wrong) -> None:
        assert wrong(self.GOOD) == []

    def test_a_large_one(self, wrong) -> None:
        (said,) = wrong(self.GOOD | {"large": bytes(inspection.MOST_BYTES)})
        assert said.startswith("it has 15")

    @pytest.mark.parametrize("name", GOOD)
    def test_one_without_a_file(self, wrong, name: str) -> None:
        (said,) = wrong({each: b"" for each in self.GOOD if each != name})
        assert name.partition(".")[0] in said or "0 extensions" in said

    def test_one_that_names_the_machine_that_built_it(self, wrong) -> None:
        (said,) = wrong(self.GOOD | {"a": f"<{TOP}/src/lib.rs>".encode()})
        assert said == f"a has the folder {TOP}"

    @pytest.mark.parametrize(
        ("found", "good"),
        [
            ("manylinux_2_17_x86_64", True),
            ("manylinux_2_5_x86_64", True),
            ("manylinux_2_18_x86_64", False),
            ("manylinux_2_17_aarch64", False),
            ("musllinux_1_1_x86_64", False),
            ("linux_x86_64", False),
        ],
    )
    def test_its_platform(self, found: str, good: bool) -> None:
        assert inspection.is_as_old(found, "manylinux_2_17_x86_64") == good

    def test_a_function_that_the_c_library_has_not(self, tmp_path: Path) -> None:
        """A linker that does not know it leaves it without a version, and the extension cannot be imported."""
        if shutil.which("cc") is None or platform.libc_ver()[0] != "glibc":
            pytest.skip("there is no C compiler, or functions have no versions")
        source, made = tmp_path / "made.c", tmp_path / "made.so"
        source.write_text(
            "#include <unistd.h>\nint from_the_future(void), Py_Main(void);\n"
            "int made(void) { return getpid() + Py_Main() + from_the_future(); }\n"
        )
        subprocess.run(["cc", "-shared", "-fPIC", "-o", made, source], check=True)
        assert list(inspection.needed_without_version(made.read_bytes())) == ["from_the_future"]

    @pytest.mark.parametrize(
        ("libraries", "good"), [(["libc.so"], True), (["libc.so", "libz.so.1"], False), (["libz.so.1"], False)]
    )
    def test_musls_loader_finds_itself(self, libraries: list[str], good: bool) -> None:
        """auditwheel knows it by another name."""
        found = {
            "overall_tag": "linux_x86_64",
            "sym_tag": "musllinux_1_2_x86_64",
            "versioned_symbols": {},
            "external_libs": dict.fromkeys(libraries),
        }
        wheel = Wheel("3.13", next(platform for platform in PLATFORMS if platform.tag == "musllinux_1_2_x86_64"))
        assert (list(inspection._wrong_report(wheel, found)) == []) == good


class TestTable:
    def test_the_readme_has_what_was_found(self) -> None:
        _, table, _ = readme_table.split((TOP / "README.md").read_text())
        assert table == readme_table.text(findings.kept())

    def test_each_place_is_named_once(self) -> None:
        place = {
            "system": "Debian 11",
            "libc": "glibc 2.31",
            "processor": "aarch64",
            "emulator": "qemu-aarch64",
            "python": "3.13.5",
        }
        found = [
            place | {"python": each, "wheel": ["cp313-cp313-manylinux_2_17_aarch64"]} for each in ("3.13.5", "3.13.10", "3.11.2")
        ]
        table = readme_table.text({"wheels": {"manylinux_2_17_aarch64": ["3.11", "3.13", "3.14t"]}, "tried": found})
        row = "| Linux, glibc 2.17 or newer | arm64 | 3.11, 3.13 | Debian 11 (glibc 2.31), in qemu: 3.11.2, 3.13.5, 3.13.10 |\n"
        assert row in table
        assert "| Linux, musl 1.2 or newer | x86-64 | none | not tried |\n" in table

    def test_a_later_check_takes_the_place_of_an_earlier_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(findings, "FILE", tmp_path / "platforms.json")
        place = {"system": "Debian 12", "libc": "glibc 2.36", "processor": "x86_64", "python": "3.13.0"}
        findings.keep([Wheel("3.14", PLATFORMS[0]), Wheel("3.14t", PLATFORMS[0])], [place | {"tutorial": False}])
        findings.keep([Wheel("3.11", PLATFORMS[0])], [place | {"tutorial": True}])
        assert json.loads(findings.FILE.read_text()) == {
            "wheels": {PLATFORMS[0].tag: ["3.11", "3.14", "3.14t"]},
            "tried": [place | {"tutorial": True}],
        }


class TestRelease:
    NOTES = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- All.\n\n## [0.0.9] - 2026-01-02\n\n- Some.\n"
    TODAY = dt.date(2026, 11, 30)

    def test_the_changelog_is_dated(self) -> None:
        dated = release.dated("0.1.0", self.NOTES, self.TODAY)
        assert dated == self.NOTES.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.1.0] - 2026-11-30\n")
        assert release.dated("0.1.0", dated, self.TODAY) == dated
        assert list(release.wrong("0.1.0", "v0.1.0", dated)) == []

    def test_what_is_missing_is_told_with_what_to_do(self) -> None:
        tag, date, unreleased = release.wrong("0.1.0", "", self.NOTES)
        assert "git tag v0.1.0" in tag
        assert "make dated" in date
        assert "[Unreleased]" in unreleased

    @pytest.mark.parametrize("heading", ["## [0.1.0]", "## [0.1.0] - 2026-13-01", "## [0.1.0] - soon"])
    def test_a_date_is_a_date(self, heading: str) -> None:
        (said,) = release.wrong("0.1.0", "v0.1.0", f"## [Unreleased]\n\n{heading}\n")
        assert "YYYY-MM-DD" in said

    def test_the_version_is_in_one_place(self) -> None:
        """`Cargo.lock` is made from it. What was recorded or measured with a version names that one, as a changelog does."""
        assert PROJECT["project"]["dynamic"] == ["version"]
        version = release.version()
        if shutil.which("git") is None:
            pytest.skip("there is no git")
        told = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False)
        if told.returncode != 0:
            pytest.skip("this is no clone")
        names = [
            name for name in told.stdout.splitlines() if name.endswith((".py", ".pyi", ".rs", ".toml", ".yml", "Makefile", ".md"))
        ]
        assigned = re.compile(rf"""(?i)\bversion[\w" ]*[:=] *["']?{re.escape(version)}\b""")
        assert [name for name in names if assigned.search((TOP / name).read_text("utf-8"))] == ["Cargo.toml"]


class TestWorkflow:
    TEXT = WORKFLOW.read_text()

    def test_it_runs_nothing_but_targets(self) -> None:
        targets = set(re.findall(r"^([a-z]+):.*##", (TOP / "Makefile").read_text(), flags=re.MULTILINE))
        commands = re.findall(r"^ +(?:- )?run: (.*)$", self.TEXT, flags=re.MULTILINE)
        called = [re.fullmatch(r'make ([a-z]+)(?: ARGS="[^"$]*")?', command) for command in commands]
        assert all(called), commands
        assert {"release", "wheels", "wheelcheck", "again"} <= {each[1] for each in called if each} <= targets

    def test_actions_are_pinned(self) -> None:
        """By hash, with the version beside it; or, where that is not known for certain, by the name that its documentation gives."""
        used = re.findall(r"uses: (.*)$", self.TEXT, flags=re.MULTILINE)
        by_name = [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)]
        assert by_name == ["pypa/gh-action-pypi-publish@release/v1"]

    def test_only_the_last_job_may_publish(self) -> None:
        before, _, publish = self.TEXT.partition("\n  publish:\n")
        assert "id-token" not in before
        assert "id-token: write" in publish
        assert "attestations: true" in publish
        assert "run:" not in publish
