"""The pages of the site, in the order in which they teach, and what becomes of the documents' links."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from folders import TOP

#: Each document, and its page.
PAGES = {
    "README.md": "index.md",
    "docs/tutorial.md": "tutorial.md",
    "docs/seeing.md": "seeing.md",
    "docs/beyond.md": "beyond.md",
    "docs/moving.md": "moving.md",
    "docs/benchmarks.md": "benchmarks.md",
    "docs/ecosystem.md": "ecosystem.md",
    "docs/conformance.md": "conformance.md",
    "docs/reliability.md": "reliability.md",
    "docs/architecture.md": "architecture.md",
    "docs/trace-format.md": "trace-format.md",
    "CONTRIBUTING.md": "contributing.md",
    "docs/releasing.md": "releasing.md",
    "CHANGELOG.md": "changelog.md",
}

#: The navigation: a heading, and the pages below it with their short titles.
NAVIGATION = {
    "Learn": {
        "index": "Start",
        "tutorial": "Tutorial",
        "seeing": "Seeing",
        "beyond": "Beyond socket",
        "moving": "Moving a program",
    },
    "Evidence": {
        "benchmarks": "Benchmarks",
        "ecosystem": "Ecosystem",
        "conformance": "Conformance",
        "reliability": "Reliability",
    },
    "Reference": {"architecture": "Architecture", "api/index": "API", "trace-format": "Record of a trace"},
    "Project": {"contributing": "Contributing", "releasing": "Releasing", "changelog": "Changelog"},
}

FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\[\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")
OUTSIDE = re.compile(r"[a-z]+:")


class Document:
    """A document of the repository, as a page."""

    def __init__(self, source: str) -> None:
        self.source = source
        #: What it refers to, by the path from the top, and is no page: pictures, programs, licences.
        self.files: set[str] = set()
        self.text = "".join(self._parts((TOP / source).read_text("utf-8")))

    def _parts(self, text: str) -> Iterator[str]:
        for place, part in enumerate(FENCE.split(text)):
            yield part if place % 2 else LINK.sub(self._link, part)

    def _link(self, link: re.Match[str]) -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        if OUTSIDE.match(target):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.source), target))
        if path in PAGES:
            # On the site a page goes by its title, and not by the name of its file.
            return f"[{_title(PAGES[path]) if words == target else words}]({PAGES[path]}{anchor})"
        if not (TOP / path).exists():
            message = f"{self.source} has a link to {target}, which does not exist"
            raise SystemExit(message)
        self.files.add(path)
        return f"[{words}]({file_page(path)})"


def _title(page: str) -> str:
    return next(pages[name] for pages in NAVIGATION.values() if (name := page.removesuffix(".md")) in pages)


def file_page(path: str) -> str:
    """Where a file that is no document is on the site: a picture as it is, any other on a page of its own."""
    return posixpath.basename(path) if path.endswith(".svg") else f"files/{path.replace('/', '-')}.md"


def show(path: str) -> str:
    """A page with a file, or with all files of a folder."""
    here = TOP / path
    files = [here] if here.is_file() else sorted(each for each in here.iterdir() if each.suffix == ".py")
    parts = [f"# {path}"]
    for file in files:
        if here.is_dir():
            parts.append(f"## {file.name}")
        language = "python" if file.suffix == ".py" else "text"
        parts.append(f"````{language}\n{file.read_text('utf-8').rstrip()}\n````")
    return "\n\n".join(["---\norphan: true\n---", *parts]) + "\n"


def contents() -> str:
    """The navigation, for the end of the first page."""
    parts = []
    for heading, pages in NAVIGATION.items():
        lines = [f"{title} <{'self' if page == 'index' else page}>" for page, title in pages.items()]
        parts.append("\n".join(["```{toctree}", ":hidden:", f":caption: {heading}", "", *lines, "```"]))
    return "\n" + "\n\n".join(parts) + "\n"
