"""Whether this commit can be released: its tag, the version and the changelog agree."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from find import TOP

CHANGELOG = TOP / "CHANGELOG.md"


def version(top: Path = TOP) -> str:
    """The version, from its one place."""
    with (top / "Cargo.toml").open("rb") as file:
        found: str = tomllib.load(file)["package"]["version"]
    return found


def tag() -> str:
    """The tag that is to be released: what the hosted workflow runs for, or that of the commit that is checked out."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag":
        return os.environ["GITHUB_REF_NAME"]
    told = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=TOP, capture_output=True, text=True, check=False)
    return told.stdout.strip()


def wrong(version: str, tag: str, changelog: str) -> Iterator[str]:
    """What has to be done before."""
    if tag != f"v{version}":
        yield f"the tag is {tag or 'missing'}, and Cargo.toml has the version {version}. Next: git tag v{version}"
    heading = re.search(rf"^## \[{re.escape(version)}\](.*)$", changelog, flags=re.MULTILINE)
    date = heading and re.fullmatch(r" - (\d{4}-\d\d-\d\d)", heading[1])
    if not date or not _is_date(date[1]):
        yield f"CHANGELOG.md has no line '## [{version}] - YYYY-MM-DD'. Next: make dated"
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", changelog, flags=re.MULTILINE | re.DOTALL)
    if unreleased and unreleased[1].strip():
        yield "CHANGELOG.md has changes under [Unreleased]. Next: move them to the version"


def dated(version: str, changelog: str, today: dt.date) -> str:
    """The changelog with what is unreleased as a version of today; as it is, if it has that version already."""
    if f"## [{version}]" in changelog:
        return changelog
    return changelog.replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [{version}] - {today.isoformat()}\n", 1)


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
