"""A real browser that opens the report: headless Chromium, where one is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gigawatt.report import render_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
LONGEST_S = 120

Open = Callable[..., "Visit"]


class Visit:
    """What the browser made of a page: its elements as text, and what it complained about."""

    def __init__(self, dom: str, log: str) -> None:
        self.dom = dom
        self.complaints = [line for line in log.splitlines() if "CONSOLE" in line]

    @property
    def measured(self) -> Any:
        """What a probe script wrote down."""
        found = re.search(r'<pre id="probe">(.*?)</pre>', self.dom, re.DOTALL)
        assert found, "the probe did not run"
        return json.loads(unescape(found.group(1)))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; a test that needs it and finds none is skipped with that reason."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip(f"no browser on the PATH (looked for {', '.join(NAMES)})")
    return found


@pytest.fixture(scope="session")
def html(example: ModuleType) -> str:
    return render_report(example.blueprint())


@pytest.fixture
def visit(chromium: str, tmp_path: Path) -> Open:
    """Opens a page. A `probe` is a JavaScript expression to evaluate in it.

    To let the probe in, the copy that is opened with one goes without its security policy.
    """

    def opened(html: str, width: int = 1200, probe: str = "", flags: tuple[str, ...] = ()) -> Visit:
        if probe:
            html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
            script = (
                "<script>addEventListener('load', () => { const out = document.createElement('pre'); "
                f"out.id = 'probe'; out.textContent = JSON.stringify({probe}); document.body.append(out); }})"
                "</script>"
            )
            html = html.replace("</body>", script + "</body>")
        page = tmp_path / "report.html"
        page.write_text(html, encoding="utf-8")
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        done = subprocess.run(
            [chromium, *QUIET, *flags, profile, f"--window-size={width},1000", "--dump-dom", page.as_uri()],
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=True,
        )
        return Visit(done.stdout, done.stderr)

    return opened
