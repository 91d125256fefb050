# SPDX-License-Identifier: MIT
"""hookline replay: the selected deliveries, to the selected destinations, and nothing else."""

import pytest

from harness import sinks
from harness.cli import GOOD, REFUSED, TRANSPORT, USAGE
from harness.sinks import Stranger, answer_json, deliver, row, run, says, start
from harness.sink import check, equal, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running]


class Application(Upstream):
    """Answers 410 to each body that contains `refuses`."""
    def __init__(self, refuses=b""):
        self.refuses = refuses
        super().__init__(lambda request, sock: response(
            410 if self.refuses and self.refuses in request.body else 200))


def start_two():
    """Daemon with two applications; one refuses bodies with "bad"."""
    good, bad = Application(), Application(b"bad")
    daemon, admin, option = start(destinations=[{"name": "good", "url": good.url},
                                                {"name": "bad", "url": bad.url}])
    return good, bad, daemon, admin, option


def settle(daemon, attempts):
    """Waits until this many attempts have ended."""
    wait_for(lambda: sum(line["verdict"] in ("forwarded", "parked") for line in daemon.lines())
             >= attempts, f"{attempts} attempts")


def test_what_is_parked():
    good, bad, daemon, admin, option = start_two()
    for i in range(1, 7):
        deliver(daemon, f"e{i}", "gate.bad" if i % 2 == 0 else "gate.open")
    settle(daemon, 12)
    bad.refuses = b""
    good.requests.clear()
    bad.requests.clear()
    got = run("replay", option, "--state=parked", "--dry-run")
    equal("--dry-run says what would be sent, the oldest first", (got.status, got.out.splitlines()), (GOOD, [
        "would replay 2 to bad", "would replay 4 to bad", "would replay 6 to bad",
        "3 in total; nothing was replayed"]), got)
    got = run("replay", option, "--state=parked", "-n", "--json")
    equal("--json: likewise", sinks.lines(got), [
        {"seq": seq, "destination": "bad", "replayed": False} for seq in (2, 4, 6)])
    equal("and nothing is sent", (good.requests, bad.requests, admin.states(2)["bad"]), ([], [], "parked"))
    got = run("replay", option, "--id=e4")
    equal("one of them, by its id", (got.status, got.out), (GOOD, "replayed 4 to bad\n"), got)
    settle(daemon, 13)
    got = run("replay", option, "--state=parked", "--json")
    equal("the rest", sinks.lines(got), [{"seq": seq, "destination": "bad", "replayed": True}
                                         for seq in (2, 6)])
    check("with the number of them", "2 of 2 replayed" in got.err, got)
    settle(daemon, 15)
    equal("each was sent where it was parked", sorted(bad.seqs()), [2, 4, 6])
    equal("and not where it had arrived", good.requests, [])
    equal("now it is done", {admin.states(seq)["bad"] for seq in (2, 4, 6)}, {"done"})
    got = run("replay", option, "--state=parked")
    check("then there is nothing to do, which is good", got.status == GOOD and got.out == "" and
          "no matching delivery is parked" in got.err, got)
    for one in (good, bad):
        one.close()


def test_by_number():
    good, bad, daemon, _, option = start_two()
    deliver(daemon, "e1")
    deliver(daemon, "e2")
    settle(daemon, 4)
    got = run("replay", option, 1, "--destination=good")
    equal("to one destination", (got.status, got.out), (GOOD, "replayed 1 to good\n"), got)
    settle(daemon, 5)
    got = run("replay", option, 2, 1)
    equal("several, to all", (got.status, got.out.splitlines()), (GOOD, [
        f"replayed {seq} to all its destinations" for seq in (2, 1)]), got)
    settle(daemon, 9)
    equal("they were sent", (sorted(good.seqs()), sorted(bad.seqs())), ([1, 1, 1, 2, 2], [1, 1, 2, 2]))
    got = run("replay", option, 9)
    says("one that is not there", got, REFUSED, "delivery 9: ", "no delivery with this seq")
    got = run("replay", option, 9, "--dry-run")
    says("not even to be looked for", got, REFUSED, "delivery 9: ", "no delivery with this seq")
    got = run("replay", option, 9, 1)
    check("the others are replayed all the same, and it is 1", got.status == REFUSED and
          got.out == "replayed 1 to all its destinations\n" and "1 of 2 replayed" in got.err, got)
    says("a destination that nobody knows", run("replay", option, 1, "--destination=\x1b[31m"), REFUSED,
         "delivery 1: ")
    for one in (good, bad):
        one.close()


def test_choices():
    good, bad, daemon, _, option = start_two()
    deliver(daemon, "e1", "gate.bad")
    deliver(daemon, "e2", "gate.open")
    deliver(daemon, "e3", "door.bad")
    settle(daemon, 6)
    for arguments, expected in (
            (["--destination=bad"], [1, 3]), (["--destination=good"], []), (["--type=gate.*"], [1]),
            (["--source=foil"], [1, 3]), (["--source=git"], []), (["--since=1h"], [1, 3]),
            (["--until=1h"], []), (["--state=done", "--destination=good"], [1, 2, 3]),
            (["--state=done", "--id=e2"], [2, 2]), (["--state=waiting"], [])):
        got = run("replay", option, "--dry-run", "--json", *arguments)
        equal(f"{' '.join(arguments)}", (got.status, [line["seq"] for line in sinks.lines(got)]),
              (GOOD, expected), got)
    says("nothing is replayed that was not asked for", run("replay", option), USAGE,
         "give delivery numbers", "--state parked")
    says("not both", run("replay", option, 1, "--state=parked"), USAGE, "cannot be combined")
    says("a state that is none", run("replay", option, "--state=lost"), USAGE, "state", "parked")
    says("a destination that nobody knows", run("replay", option, "--destination=x"), REFUSED, "x")
    for seq in ("0", "x", "-", "1,2"):
        says(f"{seq}: no number of a delivery", run("replay", option, seq), USAGE,
             "expected a delivery number")
    for one in (good, bad):
        one.close()


def test_many():
    app = Application(b"bad")
    daemon, admin, option = start(destinations=[{"name": "app", "url": app.url}])
    total = 250
    for i in range(total):
        deliver(daemon, f"e{i}", "gate.bad")
    settle(daemon, total)
    app.refuses = b""
    app.requests.clear()
    got = run("replay", option, "--state=parked", "--json")
    equal("more than a page", [line["seq"] for line in sinks.lines(got)], list(range(1, total + 1)))
    wait_for(lambda: len(app.requests) == total, "all of them")
    equal("each once", sorted(app.seqs()), list(range(1, total + 1)))
    wait_for(lambda: not admin.list("state=parked"), "none that is parked")
    app.close()


def test_none_to_send_to():
    daemon, _, option = start()
    deliver(daemon, "one")
    says("a sink without destinations", run("replay", option, 1), REFUSED, "no destinations are configured")
    got = run("replay", option, "--state=done")
    check("has nothing to replay", got.status == GOOD and "no matching delivery" in got.err, got)


def test_a_sink_that_goes_away():
    """The sink fails halfway; the replay stops there."""
    stranger = Stranger([row(seq, destinations={"app\x1b[2J": "parked"}) for seq in (3, 2, 1)])
    listing = stranger.answer

    def answer(request, sock):
        if request.method == "POST":
            return answer_json({"replayed": 1}) if "/1/" in request.path else None
        return listing(request, sock)

    stranger.answer = answer
    got = run("replay", stranger.option, "--state=parked")
    posts = [request.path for request in stranger.requests if request.method == "POST"]
    check("it ends with 5 and says how far it came", got.status == TRANSPORT and
          "delivery 2: " in got.err and "1 of 3 replayed" in got.err, got)
    check("the next one is not tried", all("/3/" not in path for path in posts), posts)
    check("names of destinations are escaped, for a terminal and in a URL", got.out ==
          "replayed 1 to app\\x1b[2J\n" and posts[0].endswith("?destination=app%1B%5B2J"), got, posts)
    stranger.close()


def test_somebody_else():
    """A stranger answers 200 to every request."""
    ours = [("Content-Type", "application/json")]
    for answer in (b"{}", b'{"DONE":0}', b'{"DONE":"1"}', b'{"seq":2}', b'{"OTHER":1}'):
        given = []
        stranger = Upstream(lambda request, sock, given=given: response(200, given[-1], ours))
        option = f"--sink=127.0.0.1:{stranger.port}"
        for command, done, other in (("replay", b"replayed", b"discarded"),
                                     ("discard", b"discarded", b"replayed")):
            given.append(answer.replace(b"DONE", done).replace(b"OTHER", other))
            for more in ((), ("--dry-run",)):
                got = run(command, option, *more, 1)
                says(f"{command} {more}, {given[-1]}: nothing was {done.decode()}", got, TRANSPORT,
                     "unexpected answer")
                equal("and nothing else is said", got.out, "")
        stranger.close()
