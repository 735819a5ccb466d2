"""The page of a conversation, as a text and in a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find, opened
from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.html import page
from oxisocket._seeing.svg import draw
from talks import Talk, crowd, echo, hostile, pair, tutorial


class Reader(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        self.inside[self.open] = self.inside.get(self.open, "") + data

    def policy(self) -> dict[str, str]:
        content = next(attrs["content"] or "" for tag, attrs in self.tags if attrs.get("http-equiv") == "Content-Security-Policy")
        return {name: rest for name, _, rest in (part.strip().partition(" ") for part in content.split(";"))}


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def data_of(conversation: Conversation) -> Any:
    return json.loads(Reader(page(conversation)).inside["data"])


# --- The text ---


@pytest.mark.parametrize("make", [tutorial, hostile, lambda: Talk().done()])
def test_nothing_runs_or_loads_but_what_the_page_contains(make: Callable[[], Conversation]) -> None:
    read = Reader(page(make()))
    policy = read.policy()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == hash_of(read.inside["script"])
    assert policy["style-src"] == hash_of(read.inside["style"])
    assert not [
        name for name in policy if name not in ("default-src", "script-src", "style-src", "img-src", "base-uri", "form-action")
    ]
    assert [attrs.get("href") for _, attrs in read.tags if "href" in attrs or "src" in attrs] == ["data:,"]
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on") or name == "style"]


@pytest.mark.parametrize("make", [tutorial, hostile, lambda: crowd(20), lambda: echo(10), lambda: Talk().done()])
def test_a_record_can_end_nothing_and_begin_nothing(make: Callable[[], Conversation]) -> None:
    text = page(make())
    read = Reader(text)
    assert [tag for tag, _ in read.tags].count("script") == 2
    assert re.findall(r"</script|<!--", text) == ["</script"] * 2
    # What a file in any encoding can hold.
    assert read.inside["data"].isascii()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_the_data_is_whole() -> None:
    conversation = tutorial()
    data = data_of(conversation)
    assert len(data["calls"]) == len(conversation.steps)
    assert len(data["arrows"]) == len(conversation.arrows)
    assert sorted(data["order"]) == list(range(2 * len(conversation.steps)))
    assert [lane["program"] for lane in data["lanes"]] == ["server.py", "client.py"]
    call = dict(
        zip(data["columns"], next(each for each in data["calls"] if each[data["columns"].index("call")] == "send"), strict=True)
    )
    assert base64.b64decode(call["data"]) == b"hello"
    assert (call["arguments"], call["outcome"], call["caller"], call["sent"]) == ("b'hello'", "5", "server.py:14", 5)
    assert data["sockets"][call["socket"]]["text"] == "descriptor 3, AF_INET SOCK_STREAM, 127.0.0.1:41234 → 127.0.0.1:5001"


# --- In a browser ---


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.skip("there is no chromium, chromium-browser or google-chrome here")
    with opened(path, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def see(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """`see(conversation, width, dark)` opens its page. In the end the console must be empty, and nothing may have been asked for."""
    file = tmp_path / "conversation.html"

    def see(conversation: Conversation, width: int = 1280, dark: bool = False) -> Browser:
        file.write_text(page(conversation), "utf-8")
        chromium.size(width, dark=dark)
        chromium.visit(file)
        return chromium

    yield see
    chromium.evaluate("1")
    assert chromium.said == []
    assert [each for each in chromium.requests if not each.startswith("data:")] == [file.as_uri()]


SHOWN = "[...document.querySelectorAll('[role=option]')].map(each => each.getAttribute('aria-label'))"
CHOSEN = "document.querySelector('[aria-selected=true]')?.getAttribute('aria-label')"
TITLE = "document.querySelector('#details:not([hidden]) h2')?.textContent"
DETAIL = "document.querySelector('#details:not([hidden])')?.innerText"


def test_the_calls_and_arrows_are_there(see: Callable[..., Browser]) -> None:
    browser = see(tutorial())
    shown = browser.evaluate(SHOWN)
    assert len(shown) == len(tutorial().steps)
    assert "server.py: accept(), fd 5 for 127.0.0.1:41234, waited 800 ms" in shown
    kinds = browser.evaluate("[...document.querySelectorAll('path.arrow[data-kind]')].map(each => each.dataset.kind)")
    assert sorted(kinds) == ["connect", "data", "data", "data", "data", "end"]
    assert "1 socket never closed" in browser.evaluate("document.getElementById('summary').innerText")
    assert "server.py: descriptor 3 was never closed; it was opened at server.py:8" in browser.evaluate("document.body.innerText")


def test_a_lane_that_talks_to_itself_has_arrows_too(see: Callable[..., Browser]) -> None:
    browser = see(pair())
    assert browser.evaluate("document.querySelectorAll('path.arrow[data-kind=data]').length") == 2


def test_a_click_shows_data_and_caller(see: Callable[..., Browser]) -> None:
    browser = see(tutorial())
    assert browser.evaluate(DETAIL) is None
    browser.click("[aria-label^=\"client.py: send(b'hello')\"]")
    told = browser.evaluate(DETAIL)
    assert browser.evaluate(TITLE) == "send(b'hello')"
    assert "68 65 6c 6c 6f" in told and "server.py:14" in told and "Went to" in told
    browser.click("#detail button")
    assert browser.evaluate(TITLE) == "recv(1024)"
    assert "Came from" in browser.evaluate(DETAIL)
    browser.click("#close")
    assert browser.evaluate(DETAIL) is None


def test_it_works_by_keyboard(see: Callable[..., Browser]) -> None:
    browser = see(tutorial())
    while browser.evaluate("document.activeElement.id") != "calls":
        browser.press("Tab")
    assert browser.evaluate(CHOSEN).startswith("server.py: socket")
    # What has the focus is in sight.
    assert browser.evaluate("getComputedStyle(document.querySelector('.call.chosen')).outlineStyle") == "solid"
    browser.press("j", "ArrowDown")
    assert browser.evaluate(CHOSEN).startswith("server.py: listen")
    browser.press("k")
    assert browser.evaluate(CHOSEN).startswith("server.py: bind")
    active = "document.getElementById(document.getElementById('calls').getAttribute('aria-activedescendant'))"
    assert browser.evaluate(f"{active}.getAttribute('aria-label')").startswith("server.py: bind")
    browser.press("End")
    assert browser.evaluate(CHOSEN) == "server.py: close()"
    browser.press("k", "Enter")
    assert browser.evaluate(TITLE) == "recv(1024)"
    browser.press("ArrowLeft")
    assert browser.evaluate(TITLE) == "close()"
    browser.press("l")
    assert browser.evaluate(TITLE) == "recv(1024)"
    browser.press("Escape")
    assert browser.evaluate(DETAIL) is None
    assert browser.evaluate("document.activeElement.id") == "calls"


def test_to_scale_what_takes_longer_is_longer(see: Callable[..., Browser]) -> None:
    browser = see(echo(3))
    height = "document.getElementById('calls').offsetHeight"
    in_order = browser.evaluate(height)
    browser.click(".modes label", 1)
    assert browser.evaluate("document.getElementById('to-scale').checked")
    before = browser.evaluate(height)
    assert before != in_order
    browser.click("#closer")
    assert browser.evaluate(height) > before
    browser.press("-")
    assert browser.evaluate(height) == before
    # The second that one call waits is shortened, and this is told.
    assert "2 s" in browser.evaluate("[...document.querySelectorAll('.time.left-out')].map(each => each.textContent)")
    browser.press("s")
    assert browser.evaluate("document.getElementById('in-order').checked")
    assert browser.evaluate(height) == in_order


def test_one_connection_alone(see: Callable[..., Browser]) -> None:
    browser = see(crowd(30, 3))
    assert len(browser.evaluate(SHOWN)) < 40
    select = "document.getElementById('connection')"
    assert browser.evaluate(f"{select}.options.length") == 31
    browser.evaluate(f"{select}.value = '7', {select}.dispatchEvent(new Event('change'))")
    shown = browser.evaluate(SHOWN)
    assert [each for each in shown if "accept" in each] == ["server.py: accept(), fd 5 for 127.0.0.1:41007"]
    assert sum("send(b'question')" in each for each in shown) == 3
    browser.evaluate(f"{select}.value = '', {select}.dispatchEvent(new Event('change'))")
    assert any("29 connections more like this" in each for each in browser.evaluate(SHOWN))


def test_what_repeats_is_folded_and_unfolded(see: Callable[..., Browser]) -> None:
    browser = see(echo(50))
    shown = browser.evaluate(SHOWN)
    assert "client.py: 49 times more: send, recv. Enter unfolds." in shown
    browser.click("[aria-label*='49 times more: send, recv']")
    assert not [each for each in browser.evaluate(SHOWN) if "times more" in each]
    browser.press("Enter")
    assert "Fold again" in browser.evaluate(DETAIL)
    browser.press("Escape")
    browser.press("f")
    assert not browser.evaluate("document.getElementById('fold').checked")
    browser.press("f")
    assert browser.evaluate(SHOWN) == shown


def test_errors_are_in_sight(see: Callable[..., Browser]) -> None:
    browser = see(echo(50))
    assert browser.evaluate("document.querySelectorAll('circle.bad-sign').length") == 1
    assert browser.evaluate("document.querySelectorAll('path.warn-sign').length") == 1
    browser.click("#summary .bad")
    browser.press("e")
    assert "ConnectionResetError" in browser.evaluate(CHOSEN)


@pytest.mark.parametrize("mode", ["order", "scale"])
def test_of_thousands_of_calls_only_those_in_sight_are_made(see: Callable[..., Browser], mode: str) -> None:
    browser = see(crowd(200, 12, threads=True))
    browser.press("f", *("s" if mode == "scale" else ""))
    assert browser.evaluate("document.querySelectorAll('*').length") < 3000
    browser.press("End")
    assert browser.evaluate(CHOSEN) == "server.py: close()"
    bottom = browser.evaluate("document.querySelector('.call.chosen').getBoundingClientRect().bottom")
    assert 0 < bottom <= browser.evaluate("innerHeight")
    assert browser.evaluate("document.querySelectorAll('*').length") < 3000


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("make", [tutorial, hostile, lambda: crowd(3, 1, threads=True), lambda: Talk().done()])
def test_it_fits_phones_and_desks_by_day_and_by_night(
    see: Callable[..., Browser], tmp_path: Path, make: Callable[[], Conversation], width: int, dark: bool
) -> None:
    browser = see(make(), width, dark)
    for keys in [], ["j", "Enter"], ["s"]:
        browser.press(*keys)
        beyond = "[document.documentElement, ...document.querySelectorAll('#scroll, #details')].filter(each => each.scrollWidth > each.clientWidth)"
        assert browser.evaluate(f"{beyond}.map(each => each.id)") == []
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 300) == dark
    browser.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 5000


def test_a_hostile_record_does_nothing(see: Callable[..., Browser]) -> None:
    browser = see(hostile())
    assert browser.evaluate("document.scripts.length") == 2
    browser.press("j", "Enter")
    assert browser.evaluate(TITLE).startswith("</script><script>alert(1)")
    assert r"\u202e\ud800\x00\x1b[31m" in browser.evaluate(TITLE)


@pytest.mark.parametrize("dark", [False, True])
def test_texts_stand_out_from_the_paper(see: Callable[..., Browser], dark: bool) -> None:
    browser = see(tutorial(), dark=dark)
    names = ["--ink", "--quiet", "--bad", "--warn", *(f"--c{each}" for each in "012345n")]

    papers = ["--paper", "--raised", "--chosen"]
    value = "getComputedStyle(document.documentElement).getPropertyValue(each).trim()"
    colours = browser.evaluate(f"Object.fromEntries({[*names, *papers]}.map(each => [each, {value}]))")
    # What WCAG asks of small texts.
    assert [(name, paper) for name in names for paper in papers if contrast(colours[name], colours[paper]) < 4.5] == []


def contrast(one: str, other: str) -> float:
    """How far two colours are apart, as WCAG counts."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("make", [tutorial, hostile, lambda: echo(20), lambda: crowd(3, 1, threads=True), lambda: crowd(30, 2)])
def test_the_svg_is_drawn_and_no_text_leaves_it(chromium: Browser, tmp_path: Path, make: Callable[[], Conversation]) -> None:
    file = tmp_path / "conversation.svg"
    file.write_text(draw(make()), "utf-8")
    chromium.size(1280)
    chromium.visit(file)
    boxes = chromium.evaluate(
        "[...document.querySelectorAll('text')].map(each => { const box = each.getBBox(); return [box.x, box.x + box.width] })"
    )
    width = chromium.evaluate("document.documentElement.viewBox.baseVal.width")
    assert boxes and all(left >= 0 and right <= width for left, right in boxes)
    fills = chromium.evaluate("[...document.querySelectorAll('.arrow, .line')].map(each => getComputedStyle(each).fill)")
    assert set(fills) <= {"none"}
    assert chromium.said == []
    assert chromium.requests == [file.as_uri()]
