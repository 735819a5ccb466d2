"""Follows the links of a site that is built: no page, no anchor may be missing, and no page may ask for anything from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

#: What the browser fetches by itself, with the attribute that says from where; a link is followed only by the reader.
FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "object": "data", "use": "href", "link": "href"}
NOT_FETCHED = {"index", "search", "next", "prev", "canonical", "author", "copyright"}
CSS_ADDRESS = re.compile(r"(?:url\(|@import\s)\s*['\"]?(?!data:)([^'\")\s;]+)")


class Page(HTMLParser):
    """What a page refers to, what it fetches, and its anchors."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what an element says."""
        said = {name: value or "" for name, value in attributes}
        self.anchors |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        address = said.get(FETCHED.get(tag, ""))
        if address and not (tag == "link" and said.get("rel") in NOT_FETCHED):
            self.fetched.append(address)


def wrong(site: Path) -> list[str]:
    """What is wrong with the site, a line for each."""
    pages = {file.resolve(): Page(file) for file in site.rglob("*.html")}
    if not pages:
        return [f"{site} has no pages"]
    found = [line for file, page in pages.items() for line in _wrong_page(site, file, page, pages)]
    return sorted({*found, *_wrong_styles(site)})


def _wrong_page(site: Path, file: Path, page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    name = file.relative_to(site.resolve())
    for link in {*page.links, *page.fetched}:
        if link.startswith("data:"):
            continue
        if urlsplit(link).scheme or link.startswith("//"):
            if link in page.fetched:
                yield f"{name} fetches {link}"
            continue
        path, anchor = urldefrag(link)
        target = (file.parent / unquote(urlsplit(path).path)).resolve() if path else file
        if not target.is_file():
            yield f"{name} has a link to {link}: there is no such file"
        elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
            yield f"{name} has a link to {link}: there is no such place"


def _wrong_styles(site: Path) -> Iterator[str]:
    for file in site.rglob("*.css"):
        for address in CSS_ADDRESS.findall(file.read_text("utf-8")):
            if urlsplit(address).scheme or address.startswith("//"):
                yield f"{file.relative_to(site)} fetches {address}"
