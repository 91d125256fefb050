# SPDX-License-Identifier: MIT
"""Runs the command line tool as a shell does, under $HOOKLINED_WRAPPER (such as valgrind)."""
import json
import os
import re
import subprocess
import threading
import time

from harness import sink


def find_tool():
    """Returns the program, not libtool's script, because a wrapper would run the script's shell."""
    build = os.path.abspath(sink.BUILD)
    real = f"{build}/.libs/hookline"
    return real if os.path.exists(real) else f"{build}/hookline"


TOOL = find_tool()
os.environ["LD_LIBRARY_PATH"] = os.path.join(os.path.abspath(sink.BUILD), ".libs")
# The tool as a sink leaks the same memory of libh2o as hooklined does.
os.environ.setdefault("LSAN_OPTIONS", "suppressions=" + os.path.abspath(
    f"{sink.SOURCE}/tests/lsan.supp") + ":print_suppressions=0")

GOOD, REFUSED, USAGE, STALE, TIMEOUT, TRANSPORT, PROVIDER_REFUSED = range(7)


class Run:
    """One run of the tool, to its end."""

    def __init__(self, *arguments, stdin=b"", folder=None, environment=None, seconds=None):
        began = time.monotonic()
        result = subprocess.run([*sink.WRAPPER, TOOL, *map(str, arguments)], input=stdin,
                                capture_output=True, cwd=folder, check=False,
                                env=dict(os.environ, **(environment or {})),
                                timeout=seconds or 3 * sink.PATIENCE)
        self.status, self.out, self.err = (result.returncode, result.stdout.decode(),
                                           result.stderr.decode())
        self.took = time.monotonic() - began

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit status {self.status}\n{self.out}{self.err}"


def unless_late(run, late):
    """Repeats a run while `late(result)` is true, because on a stalled machine a short timeout ends
    before the event under test."""
    return sink.wait_for(lambda: not late(got := run()) and got, "a run that is not late")


def tells(text, pattern, took):
    """Tells if the text matches. A number between { and } is seconds; it may differ by the duration
    of the run."""
    numbers = [int(number) for number in re.findall(r"\{(\d+)\}", pattern)]
    found = re.search(re.sub(r"\{\d+\}", r"(\\d+)", pattern), text)
    return found is not None and all(abs(int(told) - number) <= took + 1
                                     for told, number in zip(found.groups(), numbers))


def at_once(*runs):
    """Runs independent functions in parallel and returns their results."""
    results = [None] * len(runs)

    def run(i):
        results[i] = runs[i]()
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
