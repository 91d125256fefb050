# SPDX-License-Identifier: MIT
"""hookline discard: ends the forwarding of what is parked or retrying, and of nothing else."""

import pytest

from harness import sinks
from harness.cli import GOOD, REFUSED, USAGE
from harness.sinks import deliver, run, says, start
from harness.sink import check, equal, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running]


class Application(Upstream):
    """Answers 410 to a body with "gone", which parks it, and 503 to one with "busy"."""
    def __init__(self):
        super().__init__(lambda request, sock: response(
            410 if b"gone" in request.body else 503 if b"busy" in request.body else 200))


def test_discard():
    app, archive = Application(), Upstream()
    daemon, admin, option = start(destinations=[{"name": "app", "url": app.url},
                                                {"name": "archive", "url": archive.url}])
    for i, kind in enumerate(("gone", "busy", "open", "gone", "gone", "busy"), 1):
        deliver(daemon, f"e{i}", kind)
    wait_for(lambda: len(daemon.lines(verdict="parked")) == 3 and len(daemon.lines(verdict="retried")) == 2
             and len(daemon.lines(verdict="forwarded")) == 7, "the first attempts")

    got = run("discard", option, "--state=parked", "--destination=app", "--dry-run")
    equal("--dry-run says what would be discarded, the oldest first", (got.status, got.out.splitlines()),
          (GOOD, ["would discard 1 at app", "would discard 4 at app", "would discard 5 at app",
                  "3 in total; nothing was discarded"]), got)
    got = run("discard", option, "--state=parked", "-n", "--json")
    equal("--json: likewise", sinks.lines(got), [
        {"seq": seq, "destination": "app", "discarded": False} for seq in (1, 4, 5)])
    got = run("discard", option, 1, 2, "--dry-run")
    equal("by number, too", (got.status, got.out.splitlines()), (GOOD, [
        "would discard 1 where parked or retrying", "would discard 2 where parked or retrying",
        "2 in total; nothing was discarded"]), got)
    equal("and nothing is discarded", (admin.states(1)["app"], admin.states(2)["app"]),
          ("parked", "retrying"))
    for arguments, seqs in ((["--destination=app"], [1, 4, 5]), (["--destination=archive"], []),
                            (["--type=gone"], [1, 4, 5]), (["--source=git"], []), (["--since=1h"], [1, 4, 5]),
                            (["--until=1h"], []), (["--id=e4"], [4]), (["--id=e2"], []),
                            (["--state=retrying"], [2, 6])):
        got = run("discard", option, "--dry-run", "--json", *arguments)
        equal(f"{' '.join(arguments)}", (got.status, [line["seq"] for line in sinks.lines(got)]),
              (GOOD, seqs), got)

    got = run("discard", option, "--id=e1")
    equal("one of them, by its id", (got.status, got.out, got.err), (GOOD, "discarded 1 at app\n", ""), got)
    equal("it counts as done", (admin.states(1)["app"], [row["seq"] for row in admin.list("state=parked")]),
          ("done", [5, 4]))
    got = run("show", option, 1)
    check("its attempts tell why", "discarded" in got.out and "app      done" in got.out, got)
    got = run("discard", option, "--state=retrying", "--json", "--id=e2")
    equal("one that is retried", sinks.lines(got), [{"seq": 2, "destination": "app", "discarded": True}], got)
    got = run("discard", option, 4, 9, 6, "--json")
    equal("several by number, and where one is not there the others are discarded all the same",
          (got.status, sinks.lines(got)),
          (REFUSED, [{"seq": seq, "destination": None, "discarded": True} for seq in (4, 6)]), got)
    check("it tells which one, and how many", "delivery 9: " in got.err
          and "no delivery with this seq" in got.err and "2 of 3 discarded" in got.err, got)
    equal("nothing is retried any more", admin.list("state=retrying"), [])
    for seq in (3, 4):
        for more in ([], ["--dry-run"]):
            says(f"{seq} {more}: what is done cannot be discarded", run("discard", option, seq, *more), REFUSED,
                 f"delivery {seq}: ", "neither parked nor retrying")
    says("nor at a destination that has it", run("discard", option, 5, "--destination=archive", "-n"), REFUSED,
         "neither parked nor retrying")
    got = run("discard", option, 5, "--destination=app")
    equal("at one destination", (got.status, got.out), (GOOD, "discarded 5 at app\n"), got)
    got = run("discard", option, "--state=parked")
    check("then there is nothing to do, which is good", got.status == GOOD and got.out == "" and
          "no matching delivery is parked: nothing was discarded" in got.err, got)

    attempts, seqs = len(app.requests), iter((7, 8))

    def forwarded():  # an attempt that is under way would time out
        seq = next(seqs)
        deliver(daemon, f"e{seq}")
        wait_for(lambda: admin.states(seq) == {"app": "done", "archive": "done"}, f"delivery {seq}")
    daemon.clock.step(30 * 86400, forwarded)
    equal("what is discarded is never tried again", len(app.requests), attempts + 2)
    got = run("replay", option, 6, "--destination=app")
    equal("but it is still there, to be replayed", got.status, GOOD, got)
    wait_for(lambda: len(app.requests) == attempts + 3, "the replay")
    for one in (app, archive):
        one.close()


def test_wrong():
    daemon, _, option = start()
    deliver(daemon, "e1")
    says("nothing is discarded that was not asked for", run("discard", option), USAGE,
         "give delivery numbers", "--state parked")
    says("not both", run("discard", option, 1, "--state=parked"), USAGE, "cannot be combined")
    for state in ("waiting", "done", "lost", ""):
        says(f"--state={state}: none to discard", run("discard", option, f"--state={state}"), USAGE,
             "--state: expected parked or retrying")
    for seq in ("0", "x", "-", "1,2"):
        says(f"{seq}: no number of a delivery", run("discard", option, seq), USAGE,
             "expected a delivery number")
    says("a sink without destinations", run("discard", option, 1), REFUSED, "no destinations are configured")
    says("a destination that nobody knows", run("discard", option, "--destination=x"), REFUSED, "x")
