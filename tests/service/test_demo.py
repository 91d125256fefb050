# SPDX-License-Identifier: MIT
"""The README's demo exits with 0 only if every answer is right."""
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
