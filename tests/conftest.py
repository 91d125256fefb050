# SPDX-License-Identifier: MIT
"""Test runner: collects sentences, limits the time of each test, and cleans up after it.

With --tap-fd every sentence becomes a line of TAP, `ROOM/test_SUBJECT.py::FUNCTION: SENTENCE`."""
import collections
import os
import signal
import traceback

import pytest
from xdist.scheduler.load import LoadScheduling

from harness import sentences, sink
from harness.sentences import Sentence, check

SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", 0))


def pytest_addoption(parser):
    parser.addoption("--tap-fd", type=int, help="write TAP to this file descriptor")
    parser.addoption("--sentences", help="write every sentence to this file, sorted")


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    if config.getoption("--tap-fd") is not None or config.getoption("--sentences"):
        config.pluginmanager.register(Tap(config), "hookline-tap")


def pytest_collection_modifyitems(config, items):
    """Selects either the soak tests or all others, and starts the longest first."""
    unwanted = [item for item in items if (item.get_closest_marker("soak") is not None) != (SOAK_SECONDS > 0)]
    config.hook.pytest_deselected(items=unwanted)
    items[:] = sorted((item for item in items if item not in unwanted),
                      key=lambda item: item.get_closest_marker("first") is None)


class OneByOne(LoadScheduling):
    """Assigns a worker's next test when it begins another, so that no queue waits behind a long
    one."""

    def schedule(self):
        if self.collection is not None or not self._check_nodes_have_same_collection():
            super().schedule()
            return
        self.collection = list(self.node2collection.values())[0]
        self.pending[:] = range(len(self.collection))
        for node in self.nodes:
            self._send_tests(node, 2)  # a worker starts its first test once it knows the second
        if not self.pending:
            for node in self.nodes:
                node.shutdown()

    def check_schedule(self, node, duration=0):
        if node.shutting_down:
            return
        self._send_tests(node, 2 - len(self.node2pending[node]))
        if not self.pending:
            node.shutdown()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return OneByOne(config, log) if config.getoption("dist") == "load" else None


# ---- one test

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    sentences.said.clear()
    sentences.figures.clear()
    sink.Watch.begin(item.module)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Calls the test; fails if a sentence was false, or if there was none."""
    before = sink.Leftovers()
    try:
        with Budget(pyfuncitem):
            names = pyfuncitem._fixtureinfo.argnames
            pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    except pytest.skip.Exception:
        before.remove_later_ones()
        raise
    except Exception:
        check(f"{spoken(pyfuncitem)}: comes to its end", False, traceback.format_exc(),
              *(daemon.tail() for daemon in sink.Daemon.running))
    before.remove_later_ones()
    if not sentences.said:
        check(f"{spoken(pyfuncitem)}: says a sentence", False)
    check("no answer, no line and no message held a secret or the right signature",
          not sink.Watch.leaks, *sink.Watch.leaks)
    sink.Watch.leaks.clear()
    if failed := sentences.failures(sentences.said):
        pytest.fail(failed, pytrace=False)
    return True


def spoken(item):
    return item.originalname.removeprefix("test_").replace("_", " ")


class Budget:
    """Aborts a test after ten times its budget, because sanitizers and busy machines are slow."""

    def __init__(self, item):
        marker = item.get_closest_marker("seconds")
        self.seconds = (marker.args[0] if marker else 120) + 2 * SOAK_SECONDS

    def __enter__(self):
        signal.signal(signal.SIGALRM, self._out_of_time)
        signal.alarm(int(10 * self.seconds))

    def __exit__(self, *_):
        signal.alarm(0)

    def _out_of_time(self, *_):
        raise TimeoutError(f"over {self.seconds} s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Attaches a test's sentences, those of its fixtures included, to its last report."""
    outcome = yield
    if call.when != "teardown":
        item.told = len(sentences.said)
        return
    report = outcome.get_result()
    late = [s for s in sentences.said[getattr(item, "told", 0):] if s.result == "not ok"]
    if sink.Watch.leaks:
        late.append(Sentence("not ok", "no answer, no line and no message held a secret or the right "
                             "signature", "\n".join(sink.Watch.leaks)))
        sentences.said.append(late[-1])
        sink.Watch.leaks.clear()
    if late and report.passed:
        report.outcome, report.longrepr = "failed", sentences.failures(late)
    report.sentences = [tuple(sentence) for sentence in sentences.said]
    report.figures = dict(sentences.figures)


def pytest_sessionfinish():
    sink.Leftovers.remove_all()


# ---- TAP

def soak_line(figures):
    parts = [f"{figures['seconds']} s"]
    parts += [f"{figures[name]} {name}" for name in ("kills", "power cuts")]
    parts += [f"{figures['acknowledged']} deliveries acknowledged",
              f"{figures['forwarded']} forwarded", f"{figures['lost']} lost"]
    if figures["taken away"] or figures["damaged"]:
        parts.append(f"{figures['taken away'] + figures['damaged']} gone with a file of the store")
    if figures["hostile MiB"]:
        parts.append(f"{figures['hostile MiB']} MiB at most with hostile peers")
    return "soak: " + ", ".join(parts)


class Tap:
    """TAP writer; with xdist workers it runs in the controller only."""

    def __init__(self, config):
        number, path = config.getoption("--tap-fd"), config.getoption("--sentences")
        self.out = os.fdopen(number, "w", errors="backslashreplace") if number is not None else None
        self.path, self.list = path, []
        self.count = 0
        self.figures = collections.Counter()

    def write(self, text):
        if self.out:
            print(text, file=self.out, flush=True)

    def line(self, result, text, details=""):
        self.count += 1
        if result == "not ok":
            for detail in details.splitlines():
                self.write("# " + detail)
        verdict = "not ok" if result == "not ok" else "ok"
        directive = f" # SKIP {details}" if result == "skip" else ""
        self.write(f"{verdict} {self.count} - {text.replace('#', '')}{directive}")
        self.list.append(f"{result}: {text}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.line("not ok", f"{report.nodeid}: can be read", report.longreprtext)

    def pytest_runtest_logreport(self, report):
        where = report.nodeid.removeprefix("tests/")
        if report.skipped and report.when in ("setup", "call"):
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else "skipped"
            self.line("skip", where, why.removeprefix("Skipped: "))
        elif report.when == "setup" and report.failed:
            self.line("not ok", f"{where}: its fixtures come to their end", report.longreprtext)
        elif report.when == "teardown":
            self.figures.update(report.figures)
            said = [Sentence(*one) for one in report.sentences]
            for sentence in said:
                self.line(sentence.result, f"{where}: {sentence.text}", sentence.details)
            if report.failed and not any(sentence.result == "not ok" for sentence in said):
                self.line("not ok", f"{where}: its fixtures are taken down", report.longreprtext)
        elif report.when not in ("setup", "call") and report.failed:
            self.line("not ok", f"{where}: its process lives on", report.longreprtext)

    def pytest_sessionfinish(self, exitstatus):
        self.write(f"1..{self.count}" if exitstatus in (0, 1) else
                   f"Bail out! pytest ended with {exitstatus}")
        if self.figures and SOAK_SECONDS > 0:
            self.write(soak_line(self.figures))
        if self.path:
            sink.write_file(self.path, "\n".join([*sorted(self.list), ""]), 0o644)
