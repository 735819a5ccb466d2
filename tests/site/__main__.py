"""Builds the site from the README, the documents, the stubs and the docstrings, in a folder. A warning is an error."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from folders import HERE, TOP

# The flowcharts are drawn as the rooms are.
sys.path.append(str(HERE.with_name("rooms")))
import api
import flowchart
import links
from pages import PAGES, Document, contents, file_page, show


def main() -> int:
    """Write the pages as Sphinx reads them, let it make the site of them, and follow the site's links."""
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / "target" / "site"
    pages, memory = site.with_name(f"{site.name}-pages"), site.with_name(f"{site.name}-memory")
    for folder in site, pages, memory:
        shutil.rmtree(folder, ignore_errors=True)
    for name in "files", "api":
        (pages / name).mkdir(parents=True)
    _write_documents(pages)
    for name, text in api.pages().items():
        (pages / "api" / name).write_text(text, "utf-8")
    strict = ("--quiet", "--fail-on-warning", "--keep-going")
    folders: list[str | Path] = ["--conf-dir", HERE, "--doctree-dir", memory, pages, site]
    command = [sys.executable, "-m", "sphinx", *strict, *folders]
    if status := subprocess.run(command, check=False).returncode:
        return status
    # GitHub Pages leaves out folders that begin with an underscore, unless it is told not to.
    (site / ".nojekyll").touch()
    if wrong := links.wrong(site):
        print(*wrong, sep="\n")
        return 1
    print(f"{sum(1 for _ in site.rglob('*.html'))} pages, the first one in {site / 'index.html'}")
    return 0


def _write_documents(pages: Path) -> None:
    files: set[str] = set()
    for source, page in PAGES.items():
        document = Document(source)
        text = _drawn(document.text, pages, page.removesuffix(".md"))
        (pages / page).write_text(text + (contents() if page == "index.md" else ""), "utf-8")
        files |= document.files
    for path in files:
        if path.endswith(".svg"):
            shutil.copy(TOP / path, pages / file_page(path))
        else:
            (pages / file_page(path)).write_text(show(path), "utf-8")


def _drawn(text: str, pages: Path, page: str) -> str:
    """The text with a picture in place of each flowchart; another diagram is shown as it is written."""
    for number, found in enumerate(flowchart.FENCE.finditer(text), start=1):
        name, title = f"{page}-{number}.svg", "What stands on what"
        (pages / name).write_text(flowchart.draw(found[1], title), "utf-8")
        text = text.replace(found[0], f"![{title}]({name})")
    return text.replace("```mermaid\n", "```text\n")


if __name__ == "__main__":
    sys.exit(main())
