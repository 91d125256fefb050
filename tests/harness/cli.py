# SPDX-License-Identifier: MIT
"""What the tests of the tool share: running it as a shell does. $HOOKLINED_WRAPPER, such as valgrind, is put before the tool, too."""
import json
import os
import re
import subprocess
import threading
import time

from harness import sink


def find_tool():
    """The program itself: libtool's script before it would be what a wrapper runs."""
    build = os.path.abspath(sink.BUILD)
    real = f"{build}/.libs/hookline"
    return real if os.path.exists(real) else f"{build}/hookline"


TOOL = find_tool()
os.environ["LD_LIBRARY_PATH"] = os.path.join(os.path.abspath(sink.BUILD), ".libs")
# A tool that is its own sink has what libh2o keeps, as hooklined has.
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
    """What a run comes to. Where everything stands still for seconds, a time of a few seconds is over
    before it is that of which a test speaks: what came to this, as `late` knows, is run again."""
    return sink.wait_for(lambda: not late(got := run()) and got, "a run that is not late")


def tells(text, pattern, took):
    """Whether it says so. Of a number of seconds that stands between { and } as many may be missing,
    or be too many, as went by meanwhile."""
    numbers = [int(number) for number in re.findall(r"\{(\d+)\}", pattern)]
    found = re.search(re.sub(r"\{\d+\}", r"(\\d+)", pattern), text)
    return found is not None and all(abs(int(told) - number) <= took + 1
                                     for told, number in zip(found.groups(), numbers))


def at_once(*runs):
    """The results of several that do not disturb each other."""
    results = [None] * len(runs)

    def run(i):
        results[i] = runs[i]()
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
