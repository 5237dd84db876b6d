"""A headless Chromium for the tests that look at pages and notebooks."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium_path():
    """The browser's path. Without one a test is skipped, but in CI it fails."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = "no Chromium: install it (Debian: apt-get install chromium) to run this"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found
