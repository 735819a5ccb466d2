"""The site: its pages, its links and its look in a browser. What needs the site's tools runs where `make site` has installed them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, find, opened

sys.path.insert(0, str(Path(__file__).with_name("rooms")))
sys.path.insert(0, str(Path(__file__).with_name("site")))
import api
import docstrings
import flowchart
import links
import pages
import stubs

TOP = Path(__file__).parents[1]
SITE = TOP / "tests" / "site"
TOOLS = ("sphinx", "myst_parser", "furo")


class TestPages:
    def test_every_document_has_a_page_and_a_place_in_the_navigation(self) -> None:
        documents = {path.relative_to(TOP).as_posix() for path in (TOP / "docs").glob("*.md")}
        assert documents | {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} == set(pages.PAGES)
        navigated = {page for section in pages.NAVIGATION.values() for page in section}
        assert navigated == {page.removesuffix(".md") for page in pages.PAGES.values()} | {"api/index"}

    def test_links_between_documents_lead_to_pages(self) -> None:
        assert "[Tutorial](tutorial.md)" in pages.Document("README.md").text
        assert "](index.md)" in pages.Document("docs/tutorial.md").text
        assert "](architecture.md#why-a-number" in pages.Document("docs/reliability.md").text

    def test_what_is_no_document_is_on_the_site_too(self) -> None:
        readme = pages.Document("README.md")
        assert {"examples", "LICENSE-MIT", "docs/conversation.svg"} <= readme.files
        assert "](files/examples.md)" in readme.text
        assert "](conversation.svg)" in readme.text
        assert {"# examples", "## client.py", "## server.py"} <= set(pages.show("examples").splitlines())

    def test_code_is_left_as_it_is(self) -> None:
        assert "[(…" in pages.Document("docs/seeing.md").text


def test_a_flowchart_becomes_a_picture() -> None:
    picture = flowchart.draw(
        '    one["the <code>first</code><br>it begins"] -- "a call" --> two\n    two["`the second`"]\n', "Two"
    )
    for words in "the first", "it begins (by a call)", "the second", "<title>Two</title>":
        assert words in picture
    assert picture.count('class="arrow"') == 1


class TestAPI:
    def test_every_public_name_has_a_place(self) -> None:
        written = api.pages()
        for name in api.public():
            assert any(name in page for page in written.values()), name

    def test_every_class_method_and_function_is_explained(self) -> None:
        for page, text in api.pages().items():
            lines = text.splitlines()
            for place, line in enumerate(lines):
                kind = line.strip().partition("::")[0]
                if kind in (".. py:function", ".. py:method", ".. py:class", ".. py:exception", ".. py:property"):
                    indent = len(line) - len(line.lstrip())
                    said = next(each for each in lines[lines.index("", place) + 1 :] if each)
                    assert said.startswith(" " * (indent + 3)), f"{page}: {line}"

    def test_a_call_with_two_forms_shows_both(self) -> None:
        node = api.pages()["socket.rst"]
        assert "socket.sendto(data: ReadableBuffer, address: Address, /) -> int\n" in node
        assert "socket.sendto(data: ReadableBuffer, flags: int, address: Address, /) -> int\n" in node

    def test_the_python_that_has_a_name_first_is_said(self) -> None:
        assert stubs.find("NI_IDN").since == (3, 13)
        assert stubs.find("NI_DGRAM").since is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Raises OSError; see recv(2).", "Raises OSError; see :manpage:`recv(2)`."),
        ("Happy Eyeballs, RFC 8305", "Happy Eyeballs, :rfc:`8305`"),
        ("a *star, a |bar| and a name_", r"a \*star, a \|bar\| and a name\_"),
        ("``a*`` and ``install()``", "``a*`` and :py:obj:`install() <oxisocket.install>`"),
        ("send(data)\nsend(data, flags) -> int\n\nSends it.", "Sends it."),
        ("First:\n\n    import socket\n", "First:\n\n.. code-block:: python\n\n    import socket"),
    ],
)
def test_docstrings_are_plain_text(text: str, shown: str) -> None:
    assert docstrings.as_rst(text, {"install"}) == shown


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ('<p id="here"><a href="#here">', ""),
        ('<a href="#there">', "index.html has a link to #there: there is no such place"),
        ('<a href="other.html">', "index.html has a link to other.html: there is no such file"),
        ('<a href="https://example.org/">', ""),
        ('<img src="https://example.org/a.png">', "index.html fetches https://example.org/a.png"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "index.html fetches //example.org/a.css"),
    ],
)
def test_what_is_wrong_with_a_page_is_found(tmp_path: Path, page: str, wrong: str) -> None:
    (tmp_path / "index.html").write_text(page)
    assert links.wrong(tmp_path) == [wrong] * bool(wrong)


def test_a_style_fetches_nothing(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("")
    (tmp_path / "a.css").write_text("@import 'https://example.org/fonts.css'; p { background: url(data:image/png;base64,AA) }")
    assert links.wrong(tmp_path) == ["a.css fetches https://example.org/fonts.css"]


def test_an_empty_folder_is_no_site(tmp_path: Path) -> None:
    assert links.wrong(tmp_path) == [f"{tmp_path} has no pages"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew. The build fails if a link of it leads nowhere, or if a page fetches anything from elsewhere."""
    if missing := [tool for tool in TOOLS if importlib.util.find_spec(tool) is None]:
        pytest.skip(f"{', '.join(missing)}: not installed for this Python; `make site` does that")
    folder = tmp_path_factory.mktemp("built") / "site"
    done = subprocess.run([sys.executable, SITE, folder], check=False, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.skip("there is no chromium, chromium-browser or google-chrome here")
    with opened(path, tmp_path / "profile") as browser:
        yield browser


def test_pages_are_still_and_fit_a_phone(site: Path, browser: Browser) -> None:
    for page in "index.html", "benchmarks.html", "api/socket.html":
        for width, dark in (1280, False), (390, True):
            browser.size(width, dark=dark)
            browser.visit(site / page)
            assert browser.evaluate("document.documentElement.scrollWidth") <= width, page
            assert browser.said == [], page
            assert {address.partition(":")[0] for address in browser.requests} <= {"file", "data"}, page
            assert browser.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 0)"), page


def test_search_finds_a_method(site: Path, browser: Browser) -> None:
    browser.visit(site / "search.html")
    browser.call("Page.navigate", url=(site / "search.html").as_uri() + "?q=recv_exactly")
    browser.until("document.querySelectorAll('#search-results li a').length > 0")
    assert browser.evaluate("document.getElementById('search-results').innerText").count("recv_exactly")
    assert {address.partition(":")[0] for address in browser.requests} <= {"file", "data"}
