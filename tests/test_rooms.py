"""`make lint` finds circles of files and of rooms, shown with small made-up projects."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest

ROOMS = Path(__file__).with_name("rooms")
SVG = "{http://www.w3.org/2000/svg}"


class Project:
    """A folder with made-up files, and the checker started on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

    def run(self, *options: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, ROOMS, "--top", ".", *options], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert not done.stderr
        return done.returncode, done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def arrows(project: Project) -> Callable[[str, str], set[str]]:
    """Which files a file `room/user.rs` with this text uses, of a crate that has something of everything.

    A circle shows them: each of the others uses the file back. The second text is what `room/mod.rs` has beside its modules.
    """

    def found(user: str, facade: str = "") -> set[str]:
        back = "use crate::room::user::Used;\n"
        project.write({
            "src/lib.rs": "mod low;\nmod other;\nmod room;\npub(crate) use low::deep::{Passed, shout};\npub(crate) use low::Plain as Other;\n",
            "src/room/mod.rs": f"pub mod user;\npub mod sibling;\n{facade}",
            "src/room/user.rs": user,
            "src/room/sibling.rs": f"{back}pub fn call() {{}}\npub struct Sibling;\n",
            "src/low/mod.rs": f"pub mod deep;\npub use self::deep::Deep;\npub use self::deep::*;\n{back}pub struct Plain;\npub fn deep() {{}}\n",
            "src/low/deep.rs": f"{back}pub struct Deep;\npub struct Passed;\npub enum Kind {{ One }}\n"
            "macro_rules! shout { () => { $crate::other::call() } }\npub(crate) use shout;\n",
            "src/other.rs": f"{back}pub fn call() {{}}\n",
        })  # fmt: skip
        text = project.run()[1]
        assert "Traceback" not in text
        return set(re.findall(r"^  src/room/user\.rs:\d+ uses src/(\S+)$", text, re.MULTILINE))

    return found


class TestPaths:
    """What a path leads to."""

    @pytest.mark.parametrize(
        ("text", "used"),
        [
            ("use crate::other;", {"other.rs"}),
            ("use crate::other::call;", {"other.rs"}),
            ("use super::sibling::Sibling;", {"room/sibling.rs"}),
            ("use super::{sibling::{self, call}};", {"room/sibling.rs"}),
            ("use crate::{other, low::{self, Plain}};", {"other.rs", "low/mod.rs"}),
            ("pub(in crate::other) use crate::low::Plain as Name;", {"low/mod.rs"}),
            ("use crate::other::call as _;", {"other.rs"}),
            ("fn f() { use crate::other::call; }", {"other.rs"}),
            ("fn f() { crate::other::call() }", {"other.rs"}),
            ("fn f() -> crate::low::deep::Deep {}", {"low/deep.rs"}),
            ("fn f() { super::sibling::call::<u8>() }", {"room/sibling.rs"}),
            ("impl From<Vec<super::super::low::Plain>> for X {}", {"low/mod.rs"}),
            ("#[derive(crate::other::Derived)] struct X;", {"other.rs"}),
            ("mod inner { fn f() { 1. } }\nfn f(range: X) { use crate::other; 0..other::call() }", {"other.rs"}),
            ("fn f<'a>(x: &'a str) { match x { \"\\\"\" => '\"', _ => 'a' }; crate::other::call() }", {"other.rs"}),
        ],
    )
    def test_of_all_forms(self, arrows, text, used):
        assert arrows(text) == used

    def test_that_goes_on_from_an_imported_module(self, arrows):
        assert arrows("use crate::low;\nfn f() { low::deep::Kind::One }") == {"low/mod.rs", "low/deep.rs"}

    def test_through_what_is_passed_on(self, arrows):
        assert arrows("use crate::low::Deep;") == {"low/deep.rs"}

    def test_through_all_that_is_passed_on(self, arrows):
        assert arrows("use crate::low::Kind;") == {"low/deep.rs"}

    def test_through_the_root(self, arrows):
        assert arrows("use crate::Passed;") == {"low/deep.rs"}
        assert arrows("use crate::Other;") == {"low/mod.rs"}

    def test_to_a_macro_at_the_root(self, arrows):
        assert arrows("fn f() { crate::shout!() }") == {"low/deep.rs"}
        assert arrows("use crate::shout;") == {"low/deep.rs"}

    def test_to_a_name_that_is_a_module_and_a_function(self, arrows):
        assert arrows("use crate::low::deep;") == {"low/mod.rs", "low/deep.rs"}

    def test_to_an_item_that_a_macro_made(self, arrows):
        assert arrows("use crate::other::MADE;") == {"other.rs"}

    def test_in_a_macro(self, arrows):
        assert arrows("macro_rules! own { ($name:ident) => { $crate::other::$name(libc::$name) } }") == {"other.rs"}

    def test_in_an_inline_module(self, arrows):
        assert arrows("mod inner { use super::super::sibling::call; }") == {"room/sibling.rs"}

    def test_with_the_name_of_a_local_import(self, arrows):
        assert arrows("fn f() { use crate::other as low; low::call() }\nuse std::low;\nfn g() { low::deep() }") == {"other.rs"}

    def test_to_what_the_module_above_imported(self, arrows):
        assert arrows("use super::*;\nfn f() { other::call() }", facade="use crate::other;") == {"room/mod.rs", "other.rs"}


class TestNoArrows:
    """What does not count."""

    @pytest.mark.parametrize(
        "text",
        [
            "// use crate::other;",
            "/* use crate::other; /* nested */ use crate::other; */",
            "//! [`crate::other::call`]\n/// crate::other::call()\nstruct X;",
            'const TEXT: &str = "crate::other::call()";',
            'const TEXT: &str = r#"" crate::other::call() "#;',
            "use std::io;\nfn f() { io::other::call() }",
            "use other::call;",
            "fn f() { ::other::call(); <X as Y>::other::call() }",
            "fn f() { self.other::<u8>(); Self::call() }",
            "use self::own;\nmod own {}\nfn f() { own::call(); self::own::call() }",
            "#[cfg(test)]\nmod tests { use crate::other; }",
            "#[cfg(all(test, loom))]\n#[allow(unused)]\nmod tests { use crate::other; }",
            "#[cfg(test)]\nuse crate::other::{self, call};",
            "#[cfg(test)]\npub fn f<A, B>(a: A) -> [u8; 2] { crate::other::call() }",
            "#[test]\nfn f() { crate::other::call() }",
            "fn f() { match x { #[cfg(test)]\nA => crate::other::call(), _ => {} } }",
            "#[cfg(test)]\npub(crate) const X: X = if y { crate::other::call() } else { crate::other::call() };",
            "#![cfg(test)]\nuse crate::other;",
        ],
    )
    def test_for_this(self, arrows, text):
        assert arrows(text) == set()
        # What follows is not passed over with it.
        if "#![" not in text:
            assert arrows(f"{text}\nfn later() {{ crate::other::call() }}") == {"other.rs"}

    def test_for_a_model(self, arrows):
        assert arrows("#[cfg(loom)]\nuse crate::other;") == set()
        assert arrows("#[cfg(not(loom))]\nuse crate::other;") == {"other.rs"}

    def test_for_a_field(self, arrows):
        assert arrows("struct X { #[cfg(test)] pub a: crate::other::A, b: crate::low::Plain }") == {"low/mod.rs"}

    @pytest.mark.parametrize("condition", ["not(test)", "any(test, unix)", "Py_GIL_DISABLED", "all(unix, not(test))"])
    def test_but_for_other_builds_there_are(self, arrows, condition):
        assert arrows(f"#[cfg({condition})]\nuse crate::other;") == {"other.rs"}

    def test_in_a_file_for_tests(self, project):
        project.write(
            {
                "src/lib.rs": "mod a;\nmod b;\n",
                "src/a.rs": "#[cfg(test)]\nmod model;\npub struct A;\n",
                "src/a/model.rs": "use crate::b::B;\n",
                "src/b.rs": "use crate::a::A;\npub struct B;\n",
            }
        )
        assert project.run() == (0, "")

    def test_by_the_declaration_of_a_module(self, project):
        project.write({"src/lib.rs": "mod a;\npub struct Root;\n", "src/a.rs": "use crate::Root;\n"})
        assert project.run() == (0, "")


class TestCircles:
    def test_none(self, project):
        project.write(
            {
                "src/lib.rs": "mod a;\nmod b;\nmod c;\nuse a::A;",
                "src/a.rs": "use crate::{b::B, c::C};\npub struct A;",
                "src/b.rs": "use crate::c::C;\npub struct B;",
                "src/c.rs": "pub struct C;",
            }
        )
        assert project.run() == (0, "")

    def test_of_files_with_the_line_of_each_arrow(self, project):
        project.write(
            {
                "src/lib.rs": "mod room;",
                "src/room/mod.rs": "mod a;\nmod b;\nmod c;\nmod aside;\nuse self::a::A;",
                "src/room/a.rs": "\nuse super::b::B;\npub struct A;\nfn f() { super::b::B }",
                "src/room/b.rs": "/*\n*/ use super::c::C;\npub struct B;",
                "src/room/c.rs": "pub struct C;\nimpl From<super::a::A> for C { use super::aside::Aside; }",
                "src/room/aside.rs": "pub struct Aside;",
            }
        )
        status, text = project.run()
        assert status == 1
        assert "3 files" in text
        assert "src/room/a.rs -> src/room/b.rs -> src/room/c.rs -> src/room/a.rs" in text
        assert re.findall("^  .*", text, re.MULTILINE) == [
            "  src/room/a.rs:2 uses src/room/b.rs",
            "  src/room/b.rs:2 uses src/room/c.rs",
            "  src/room/c.rs:2 uses src/room/a.rs",
        ]
        assert "Next: " in text

    def test_of_a_module_that_passes_on_what_uses_it(self, project):
        project.write(
            {
                "src/lib.rs": "mod room;",
                "src/room/mod.rs": "mod a;\npub use self::a::A;\npub struct Own;",
                "src/room/a.rs": "use super::Own;\npub struct A;",
            }
        )
        status, text = project.run()
        assert status == 1
        assert "src/room/a.rs:1 uses src/room/mod.rs" in text

    def test_of_rooms_without_one_of_files(self, project):
        project.write(
            {
                "src/lib.rs": "mod left;\nmod right;",
                "src/left/mod.rs": "pub mod a;\npub mod b;",
                "src/left/a.rs": "use crate::right::A;",
                "src/left/b.rs": "pub struct B;",
                "src/right.rs": "pub mod deep;\npub struct A;",
                "src/right/deep.rs": "use crate::left::b::B;",
            }
        )
        status, text = project.run()
        assert status == 1
        assert "files" not in text.split("Next")[0]
        assert "2 rooms" in text
        assert "left -> right -> left" in text
        assert "  src/left/a.rs:1 uses src/right.rs\n  src/right/deep.rs:1 uses src/left/b.rs\n" in text

    def test_of_the_native_program(self, project):
        project.write(
            {
                "src/lib.rs": "",
                "benches/bare/src/main.rs": "mod a;\nmod b;",
                "benches/bare/src/a.rs": "use crate::b::B;\npub struct A;",
                "benches/bare/src/b.rs": "use crate::a::A;\npub struct B;",
            }
        )
        status, text = project.run()
        assert status == 1
        assert "benches/bare/src/a.rs:1 uses benches/bare/src/b.rs" in text

    @pytest.mark.parametrize(
        ("there", "back"),
        [
            ("from two import Two", "import one"),
            ("import inner.two", "def f():\n    from one import One"),
            ("from inner import two", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .. import one"),
        ],
    )
    def test_of_scripts(self, project, there, back):
        second = "inner/two.py" if "inner" in there else "two.py"
        project.write({"src/lib.rs": "", "benches/one.py": f"import os\n{there}\n", f"benches/{second}": f"{back}\n"})
        status, text = project.run()
        assert status == 1
        assert f"benches/one.py:2 uses benches/{second}" in text
        assert f"benches/{second}:{back.count(chr(10)) + 1} uses benches/one.py" in text

    def test_of_a_package(self, project):
        project.write(
            {
                "src/lib.rs": "",
                "python/made_up/__init__.py": "def install():\n    from made_up import _install\n",
                "python/made_up/_install.py": "import made_up\n",
                "python/made_up/_other.py": "from made_up._native import name\nfrom . import _below\n",
                "python/made_up/_below.py": "from made_up import _native\n",
                "python/made_up/_native.pyi": "",
            }
        )
        status, text = project.run()
        assert status == 1
        assert re.findall("^  .*", text, re.MULTILINE) == [
            "  python/made_up/__init__.py:2 uses python/made_up/_install.py",
            "  python/made_up/_install.py:1 uses python/made_up/__init__.py",
        ]

    def test_of_test_programs_and_what_they_share(self, project):
        project.write(
            {
                "src/lib.rs": "",
                "tests/parts/shared.py": "import other\n",
                "tests/parts/other.py": "import shared\n",
                "tests/program/first.py": "from shared import name\nimport second\n",
                "tests/program/second.py": "import first\n",
                # Not the one beside it, which this cannot see.
                "tests/program/other.py": "",
            }
        )
        status, text = project.run()
        assert status == 1
        assert re.findall("^  .*", text, re.MULTILINE) == [
            "  tests/parts/other.py:1 uses tests/parts/shared.py",
            "  tests/parts/shared.py:1 uses tests/parts/other.py",
            "  tests/program/first.py:2 uses tests/program/second.py",
            "  tests/program/second.py:1 uses tests/program/first.py",
        ]


class TestOtherRefusals:
    def test_of_many_entries(self, project):
        for number in range(11):
            project.write({f"src/m{number}.rs": ""})
        project.write({"src/lib.rs": ""})
        assert project.run() == (0, "")
        project.write({"src/folder/mod.rs": ""})
        status, text = project.run()
        assert status == 1
        assert "13 entries" in text
        assert "folder" in text

    @pytest.mark.parametrize("line", ['#[path = "b.rs"] mod a;', "#[macro_use]\nmod a;", "mod a;"])
    def test_of_what_cannot_be_followed(self, project, line):
        project.write({"src/lib.rs": f"\n{line}\n"})
        status, text = project.run()
        assert status == 1
        assert text.startswith("src/lib.rs:")


DRAWN = {
    "src/lib.rs": "//! All & everything.\n//! More.\n\nmod top;\nmod middle;\nmod low;\nuse top::Top;\nuse low::Low;",
    "src/top/mod.rs": "//! The [`Top`] of `x < y`, e.g.this\n//! one. More.\nuse crate::{low::Low, middle::Middle};\npub struct Top;",
    "src/middle.rs": "//! A file\n//!\n//! Words.\nuse crate::low::Low;\npub struct Middle;",
    "src/low.rs": "pub struct Low;",
}


class TestPicture:
    @pytest.fixture
    def drawn(self, project: Project) -> Project:
        project.write(DRAWN)
        (project.folder / "docs").mkdir()
        assert project.run("--picture", "docs/rooms.svg") == (0, "")
        return project

    def test_shows_each_room_with_what_it_is(self, drawn):
        top = ET.parse(drawn.folder / "docs/rooms.svg").getroot()
        rooms = [[text.text for text in group.iter(f"{SVG}text")] for group in top.iter(f"{SVG}g")]
        assert [(room[0], " ".join(filter(None, room[1:]))) for room in rooms] == [
            ("lib.rs", "All & everything"),
            ("top/", "The Top of x < y, e.g.this one"),
            ("middle.rs", "A file"),
            ("low.rs", ""),
        ]

    def test_has_arrows_that_point_down_and_are_not_implied_by_others(self, drawn):
        top = ET.parse(drawn.folder / "docs/rooms.svg").getroot()
        boxes = [rect for group in top.iter(f"{SVG}g") for rect in group.iter(f"{SVG}rect")]
        edges = [(int(box.attrib["y"]), int(box.attrib["y"]) + int(box.attrib["height"])) for box in boxes]
        starts = [path.attrib["d"] for path in top.iter(f"{SVG}path") if path.attrib["class"] == "arrow"]
        tips = [path.attrib["d"] for path in top.iter(f"{SVG}path") if path.attrib["class"] == "head"]
        between = [
            (int(start.split("C")[0].split()[1]), int(tip.split("l")[0].split()[1]))
            for start, tip in zip(starts, tips, strict=True)
        ]
        assert sorted(between) == [(upper[1], lower[0]) for upper, lower in pairwise(edges)]

    def test_is_held_to_the_code(self, drawn):
        assert drawn.run("--check") == (0, "")
        drawn.write({"src/low.rs": "//! Low.\npub struct Low;"})
        status, text = drawn.run("--check")
        assert status == 1
        assert "docs/rooms.svg" in text
        assert "make rooms" in text
        assert drawn.run("--picture", "docs/rooms.svg") == (0, "")
        assert drawn.run("--check") == (0, "")
        (drawn.folder / "docs/rooms.svg").unlink()
        assert drawn.run("--check")[0] == 1

    def test_of_circles_is_not_drawn(self, drawn):
        before = (drawn.folder / "docs/rooms.svg").read_text()
        drawn.write({"src/low.rs": "use crate::top::Top;\npub struct Low;"})
        assert drawn.run("--picture", "docs/rooms.svg")[0] == 1
        assert (drawn.folder / "docs/rooms.svg").read_text() == before

    def test_of_a_wide_house_stays_in_its_frame(self, project):
        names = [f"room{number}" for number in range(9)]
        uses = "\n".join(f"use {name}::X;" for name in names)
        project.write({"src/lib.rs": "".join(f"mod {name};\n" for name in [*names, "low"]) + uses})
        project.write({f"src/{name}.rs": "//! Word after word after word.\nuse crate::low::X;\npub struct X;" for name in names})
        project.write({"src/low.rs": "pub struct X;"})
        assert project.run("--picture", "rooms.svg") == (0, "")
        top = ET.parse(project.folder / "rooms.svg").getroot()
        boxes = [rect.attrib for group in top.iter(f"{SVG}g") for rect in group.iter(f"{SVG}rect")]
        assert len(boxes) == 11
        row = sorted((int(box["x"]), int(box["width"])) for box in boxes[1:-1])
        assert row[0][0] >= 0
        assert sum(row[-1]) <= int(top.attrib["width"])
        assert all(left + wide < following for (left, wide), (following, _) in pairwise(row))
