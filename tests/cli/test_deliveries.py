# SPDX-License-Identifier: MIT
"""hookline deliveries and show: rows as a table, as JSON and as raw bytes."""
import base64
import json
import re
import subprocess

import pytest

from harness import cli
from harness import sinks
from harness.cli import GOOD, REFUSED, TRANSPORT, USAGE
from harness.sinks import CONTROL, Stranger, answer_json, deliver, row, run, says, sink, start
from harness.sink import check, equal, sign, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running]

HOSTILE = "\x1b]0;x\x07\u009b31m\u202e\r\n\t\x7f"


def seqs(got):
    return [line["seq"] for line in sinks.lines(got)]


# ---- deliveries

def test_a_table():
    upstream = Upstream(lambda request, sock: response(410 if b"bad" in request.body else 200))
    daemon, _, option = start(destinations=[{"name": "app", "url": upstream.url}])
    got = run("deliveries", option)
    equal("an empty store is an empty table", (got.status, got.out, got.err), (GOOD, "", ""))
    deliver(daemon, "evt_1")
    deliver(daemon, "evt_2", "gate.bad")
    body = b"{}"
    daemon.send("/git", sign("github", body), body)
    wait_for(lambda: len(daemon.lines(verdict="forwarded")) == 2 and daemon.lines(verdict="parked"),
             "the attempts")
    got = run("deliveries", option)
    lines = [re.sub(r"\d{4}-\S+Z", "TIME" + " " * 20, line) for line in got.out.splitlines()]
    equal("a table, newest first, with a head", (got.status, lines), (GOOD, [
        "SEQ  RECEIVED                  SOURCE  TYPE       ID     DESTINATIONS",
        "3    TIME                      git     -          -      app=done",
        "2    TIME                      foil    gate.bad   evt_2  app=parked",
        "1    TIME                      foil    gate.open  evt_1  app=done"]), got)
    got = run("deliveries", option, "--json")
    rows = sinks.lines(got)
    equal("--json: an object on a line for each", (got.status, [one["seq"] for one in rows],
                                                   rows[1]["destinations"], rows[1]["id"]),
          (GOOD, [3, 2, 1], {"app": "parked"}, "evt_2"))
    for arguments, expected in (
            (["--source=git"], [3]), (["--type=gate.*"], [2, 1]), (["--type=gate.bad"], [2]),
            (["--id=evt_1"], [1]), (["--state=parked"], [2]), (["--state=done"], [3, 1]),
            (["--state=parked", "--destination=app"], [2]), (["--before=3"], [2, 1]),
            (["--since=1h"], [3, 2, 1]), (["--until=1h"], []), (["--since=0s"], []),
            (["--since=2000-01-01T00:00:00+01:00", "--until=2100-01-01T00:00:00Z"], [3, 2, 1]),
            (["--limit=1"], [3]), (["-n", "2"], [3, 2]), (["--limit=2", "--before=3"], [2, 1]),
            (["--source=nobody"], [])):
        got = run("deliveries", option, "--json", *arguments)
        equal(f"{' '.join(arguments)}", (got.status, seqs(got)), (GOOD, expected), got)
    got = run("deliveries", option, "--limit=2")
    check("where the table ends it is said how to go on", "continue with --before 2," in got.err and
          got.out.count("\n") == 3, got)
    equal("but not where it is the end", run("deliveries", option, "--limit=3").err, "")
    got = run("deliveries", option, "x")
    check("it takes no arguments", got.status == USAGE and "no arguments" in got.err, got)
    upstream.close()


@pytest.mark.first
def test_many_pages():
    daemon, _, option = start()
    for i in range(1, 451):
        deliver(daemon, f"e{i}", "gate.rare" if i % 150 == 1 else "gate.open")
    equal("20 unless there is a limit", seqs(run("deliveries", option, "--json")),
          list(range(450, 430, -1)))
    equal("--limit beyond a page", seqs(run("deliveries", option, "--json", "--limit=301")),
          list(range(450, 149, -1)))
    equal("--all", seqs(run("deliveries", option, "--json", "--all")), list(range(450, 0, -1)))
    equal("--all with a filter", seqs(run("deliveries", option, "--json", "--all", "--type=gate.rare")),
          [301, 151, 1])
    lines = run("deliveries", option, "--all").out.splitlines()
    equal("a table of many pages has one head", (len(lines), sum("SEQ" in line for line in lines)),
          (451, 1))
    got = subprocess.run(["sh", "-c", '"$@" | head -n 1', "sh", *sink.WRAPPER, cli.TOOL, "deliveries", option,
                          "--all"], capture_output=True, text=True, check=False, timeout=3 * sink.PATIENCE)
    check("whoever reads only the first line hears nothing else", got.stdout.startswith("SEQ ") and
          got.stdout.count("\n") == 1 and got.stderr == "", got)
    check("no line ends with blanks", all(line == line.rstrip() for line in lines))


def test_pages_that_are_short():
    """A long search ends a page early."""
    def answer(request, _sock):
        before = re.search("before=([0-9]+)", request.path)
        at = int(before[1]) - 1 if before else 9
        return answer_json({"deliveries": [row(at)] if at % 3 == 0 else [],
                            "next": at if at > 1 else None})

    stranger = Upstream(answer)
    option = f"--sink=127.0.0.1:{stranger.port}"
    equal("an empty page is not the end", seqs(run("deliveries", option, "--json", "--limit=3")), [9, 6, 3])
    stranger.close()


def test_strings_of_strangers():
    stranger = Stranger([row(1, id=HOSTILE, type=HOSTILE, source=HOSTILE, time=HOSTILE,
                             destinations={HOSTILE: HOSTILE})])
    got = run("deliveries", stranger.option)
    check("no control character reaches a terminal by the table", got.status == GOOD and
          not CONTROL.search(got.out) and got.out.count("\n") == 2 and "\\x1b]0;x" in got.out, got)
    got = run("deliveries", stranger.option, "--json")
    check("nor by the JSON", got.out.count("\n") == 1 and not CONTROL.search(got.out), got)
    equal("which is exactly what came", got.json()["id"], HOSTILE)
    status, seen = sinks.run_on_terminal("deliveries", stranger.option)
    check("on a terminal there are colours of ours", status == 0 and "\033[2mSEQ" in seen, seen)
    check("and of nobody else's", not CONTROL.search(
        seen.replace("\033[2m", "").replace("\033[0m", "").replace("\r\n", "\n")), seen)
    stranger.close()
    stranger = Stranger([row(1, id=5, type=None, source={"a": 1}, time=[], destinations="x",
                             signed_at="x")])
    equal("members of another kind do no harm", run("deliveries", stranger.option).status, GOOD)
    stranger.close()


# ---- show

def test_one():
    upstream = Upstream(lambda request, sock: response(410))
    daemon, _, option = start(destinations=[{"name": "app", "url": upstream.url},
                                            {"name": "git", "url": upstream.url, "sources": ["git"]}])
    body = deliver(daemon, "evt_1", text="gr\u00fcn\x1b[31m")
    wait_for(lambda: daemon.lines(verdict="parked"), "the attempt")
    got = run("show", option, 1)
    for fact in (r"Delivery 1\n", r"  received   \d{4}-.*Z\n", r"  from       127.0.0.1:\d+\n",
                 r"  source     foil\n", r"  scheme     foil\n", r"  id         evt_1\n",
                 r"  type       gate.open\n", r"  signed     at \d+, by secret 0\n",
                 r"  x-foil-signature: \(64 characters withheld\)\n", r"  app  parked +1 try\n",
                 r"  git  passed_over +source\n", r"  \d{4}-\S+Z  app  try 1  410  \d+\.\d ms\n", r"Body, \d+ bytes\n\{"):
        check(f"it shows {fact!r}", got.status == GOOD and re.search(fact, got.out), got)
    check("the body as text", body.decode() in got.out, got)
    got = run("show", option, 1, "--json")
    equal("--json: all of it in one object on a line", (got.out.count("\n"), got.json()["seq"], json.loads(
        got.json()["body"])["id"], got.json()["attempts"][0]["status"]), (1, 1, "evt_1", 410))
    got = run("show", option, 1, "--body")
    equal("--body: the bytes and nothing else", got.out.encode(), body)
    upstream.close()


def test_bodies():
    daemon, _, option = start(limits={"body_bytes": 5 << 20})
    bodies_sent = [b"", b"\xff\xfe\x00binary\x1b[31m", b"text\x00with NUL\x1b[2J", b"line\nline\r\n\ttab",
                   bytes(range(256)) * 4, "gr\u00fcn \u202e \u009b".encode(),
                   b"x" * (70 << 10), "\u20ac".encode() * 22000, b"y" * (3 << 20)]
    for body in bodies_sent:
        daemon.send("/git", sign("github", body), body)
    for seq, body in enumerate(bodies_sent, 1):
        got = subprocess.run([*sink.WRAPPER, cli.TOOL, "show", option, str(seq), "--body"],
                                       capture_output=True, check=False)
        equal(f"body {seq}: --body writes just the {len(body)} bytes", (got.returncode, got.stdout == body),
              (GOOD, True))
        got = run("show", option, seq)
        check(f"body {seq}: for people nothing moves the cursor", got.status == GOOD and
              not CONTROL.search(got.out.replace("\t", " ")) and f"Body, {len(body)} bytes" in got.out, got)
        if len(body) < 1 << 20:
            whole = run("show", option, seq, "--json").json()
            shown = whole.get("body", "").encode() or base64.b64decode(whole.get("body_base64", ""))
            equal(f"body {seq}: in JSON it is all there", shown, body)
    got = run("show", option, 2)
    check("what is no text is shown in hexadecimal, and where to get it", "ff fe 00 62 69" in got.out and
          "hookline show 2 --body >FILE" in got.out, got)
    check("of much only a part is shown", len(run("show", option, 7).out) < 66 << 10 and
          "65536 of 71680 bytes" in run("show", option, 7).out)
    check("and of that whole characters", "65535 of 66000 bytes" in run("show", option, 8).out)
    check("of very much nothing", len(run("show", option, 9).out) < 1000)
    for more in ([], ["--body"]):
        status, seen = sinks.run_on_terminal("show", option, 3, *more)
        check(f"on a terminal {' '.join(more)} control characters are text", status == GOOD and
              "text\\x00with NUL\\x1b[2J" in seen, seen)


def test_headers_of_strangers():
    detail = {**row(1), "headers": [{"name": HOSTILE, "value": HOSTILE}, {"name": 5}, 7],
              "destinations": [{"name": HOSTILE, "state": HOSTILE, "due": HOSTILE, "tries": 5}, {}],
              "attempts": [{"time": HOSTILE, "destination": HOSTILE, "error": HOSTILE, "tries": 1}, 5],
              "body": HOSTILE, "id": HOSTILE, "remote": HOSTILE}
    stranger = Upstream(lambda request, sock: response(
        200, HOSTILE.encode(), [("Content-Type", "application/octet-stream")])
        if request.path.endswith("/body") else answer_json(detail))
    option = f"--sink=127.0.0.1:{stranger.port}"
    got = run("show", option, 1)
    check("whatever a sink says, no control character reaches a terminal", got.status == GOOD and
          not CONTROL.search(got.out.replace("\t", " ")), got)
    got = run("show", option, 1, "--json")
    check("nor by the JSON, which is what came", got.json() == detail and not CONTROL.search(got.out), got)
    stranger.close()
    stranger = Upstream(lambda request, sock: answer_json({}))
    says("an object that is no delivery", run("show", f"--sink=127.0.0.1:{stranger.port}", 1), TRANSPORT,
         "unexpected answer")
    stranger.close()
    stranger = Upstream(lambda request, sock: response(200, b"<html>" + b"x" * (10 << 20), [
        ("Content-Type", "text/html")]))
    says("a page where the body should be", run("show", f"--sink=127.0.0.1:{stranger.port}", 1, "--body"),
         TRANSPORT, "unexpected answer")
    stranger.close()


def test_what_is_not_there():
    daemon, _, option = start()
    deliver(daemon, "one")
    for seq in (2, 9223372036854775807):
        for more in ([], ["--json"], ["--body"]):
            got = run("show", option, seq, *more)
            says(f"show {seq} {' '.join(more)}: it is said that there is none", got, REFUSED,
                 "no delivery with this seq")
            equal("and nothing is written", got.out, "")
    for seq in ("0", "-1", "x", "1x", "", "1.0", "+1", "9223372036854775808", "1/body", "../livez"):
        got = run("show", option, "--", seq)
        says(f"show {seq!r}: no number of a delivery", got, USAGE, "expected a delivery number")
    says("--body and --json", run("show", option, 1, "--body", "--json"), USAGE, "cannot be combined")
    for arguments in ([], ["1", "2"]):
        got = run("show", option, *arguments)
        check(f"{len(arguments)} arguments: expected one", got.status == USAGE and "expected SEQ" in got.err,
              got)
