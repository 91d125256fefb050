# SPDX-License-Identifier: MIT
"""The demo of the README is a test of its own: it ends well only if every answer was right."""
import os
import subprocess
import sys

import pytest

from harness import sink
from harness.sentences import check

pytestmark = [pytest.mark.first, pytest.mark.running]


def test_demo():
    done = subprocess.run([sys.executable, os.path.join(sink.SOURCE, "examples", "demo"), sink.BUILD],
                          env=sink.environment(None, "/"), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    check("the demo shows what it says", done.returncode == 0, done.stdout)
