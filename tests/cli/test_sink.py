# SPDX-License-Identifier: MIT
"""Sink lookup: how the tool finds a hooklined, what it prints if there is none, and how it treats
strangers at that address."""
import os
import signal
import socket
import subprocess

import pytest

from harness import cli
from harness import sinks
from harness.cli import GOOD, REFUSED, TRANSPORT, USAGE
from harness.ports import free_port
from harness.sinks import Running, Stranger, answer_json, deliver, run, says, sink, start, start_tcp
from harness.admin import socket_path
from harness.sink import NOBODY, Folders, check, equal, write_file
from harness.upstream import Upstream, header, make_certificate, response

pytestmark = [pytest.mark.running]

TOKEN = "admin-token-0123456789abcdef0123456789"
sink.Watch.words.add(TOKEN.encode())


# ---- addresses

def test_addresses():
    daemon, address = start_tcp()
    deliver(daemon, "one")
    for text in (address, "http://" + address, f"http://{address}/", "HTTP://" + address,
                 address.replace("127.0.0.1", "localhost")):
        equal(f"--sink {text.split(':')[0]}...: it answers",
              [one["id"] for one in sinks.lines(run("deliveries", "--json", "--sink", text))],
              ["one"])
    daemon, _, option = start()
    got = run("deliveries", environment={"HOOKLINE_SINK": option.removeprefix("--sink=")})
    equal("$HOOKLINE_SINK is where it is asked", (got.status, got.out), (GOOD, ""))
    got = run("deliveries", option, environment={"HOOKLINE_SINK": "unix:/nowhere"})
    equal("--sink is preferred to $HOOKLINE_SINK", got.status, GOOD)
    folder = os.path.dirname(daemon.process.args[-1])
    socket_file = option.removeprefix("--sink=unix:")
    got = run("deliveries", "--sink", "unix:" + os.path.basename(socket_file),
              folder=os.path.dirname(socket_file))
    equal("a path may be relative", got.status, GOOD)
    check("(the folder of the daemon is another one)", folder != os.path.dirname(socket_file))


def test_addresses_that_are_none():
    sink.Watch.words.add(b"ada-s-password")
    for address, *words in (
            ("", "expected"), ("unix:", "unix:"), ("unix:/" + "x" * 107, "107 bytes"),
            ("/run/x.sock", "did you mean unix:/run/x.sock?"), ("./x.sock", "did you mean unix:./x.sock?"),
            ("x.sock", "did you mean unix:x.sock?"),
            ("ftp://127.0.0.1:1", "https:// or http://"), ("http://", "URL"), ("http:///x", "URL"),
            ("http://u:ada-s-password@127.0.0.1:1", "--sink-token"),
            ("http://127.0.0.1\\@192.0.2.1/", "--sink-token"), ("http://127.0.0.1:1/?a=b", "query"),
            ("http://127.0.0.1:1/#a", "#"), ("127.0.0.1:99999", "URL"),
            ("http://127.0.0.1:1\x1b[31m", "URL")):
        got = run("deliveries", "--sink", address)
        says(f"--sink {address[:20]!r}: wrong usage, with a sentence", got, USAGE, *words)


def test_nobody():
    folder = Folders.new()
    says("no such file", run("deliveries", "--sink", f"unix:{folder}/x"), TRANSPORT,
         f"unix:{folder}/x: no such file", "is hooklined running")
    says("no such folder", run("deliveries", "--sink", f"unix:{folder}/x/y"), TRANSPORT, "no such file")
    plain = write_file(f"{folder}/plain", "x")
    says("a file that is no socket", run("deliveries", "--sink", "unix:" + plain), TRANSPORT,
         f"unix:{plain}: not a socket")
    daemon, _, option = start()
    daemon.kill()
    says("the socket of a dead hooklined", run("deliveries", option), TRANSPORT,
         "nothing listens on this socket")
    says("a port where nobody listens", run("deliveries", "--sink", f"127.0.0.1:{free_port()}"),
         TRANSPORT, "Failed to connect")
    says("a name that nobody has", run("deliveries", "--sink", "http://nobody.invalid:1",
                                        f"--timeout={sink.LONG}"), TRANSPORT, "nobody.invalid")
    for command in (["wait"], ["show", "1"], ["show", "1", "--body"], ["replay", "1"],
                    ["replay", "--state=parked"]):
        says(f"{' '.join(command)}: the same", run(*command, "--sink", f"unix:{folder}/x"), TRANSPORT,
             f"unix:{folder}/x: no such file")


def test_no_permission():
    if os.getuid() != 0:
        sink.skip("who may not use the socket is told so", "only root can become somebody else")
        return
    if not sink.nobody_can_run(cli.TOOL):
        sink.skip("who may not use the socket is told so", "another user cannot start the tool here")
        return
    daemon, _, option = start()
    outer = os.path.dirname(option.removeprefix("--sink=unix:"))

    def run_as_nobody():
        done = subprocess.run(
            [*sink.WRAPPER, cli.TOOL, "deliveries", option], capture_output=True, check=False,
            user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
        return done.returncode, done.stderr.decode()

    for mode, what in ((0o700, "folder"), (0o755, "socket")):
        os.chmod(outer, mode)
        status, said = run_as_nobody()
        check(f"who may not use the {what} is told so", status == TRANSPORT and
              "permission denied" in said, status, said)
    check("(the daemon goes on)", daemon.process.poll() is None)


# ---- strangers

BIG = 10 << 20


@pytest.mark.first
def test_strangers():
    html = [("Content-Type", "text/html")]
    page = b"<!doctype html><html><title>Sign in</title></html>"
    ours = [("Content-Type", "application/json")]
    for name, answer, *words in (
            ("a page of HTML", response(200, page, html), "status 200", "is this a hooklined admin address?"),
            ("10 MB of HTML", response(200, page + b"x" * BIG, html), "unexpected answer"),
            ("an error of HTML", response(502, page, html), "status 502"),
            ("a refusal of HTML", response(404, page, html), "status 404"),
            ("a redirect", response(302, b"", [("Location", "http://127.0.0.1:1/")]), "redirect (302)"),
            ("nothing at all", response(200, b""), "status 200"),
            ("JSON that is no object", response(200, b"[1]", ours), "unexpected answer"),
            ("JSON that breaks off", response(200, b'{"deliveries":[', ours), "unexpected answer"),
            ("another's JSON", response(200, b'{"deliveries":5}', ours), "unexpected answer"),
            ("JSON of another type", response(200, b'{"deliveries":[],"next":null}', html),
             "unexpected answer"),
            ("an error of another's", response(401, b'{"error":"no"}', ours), "status 401"),
            ("brackets without an end", response(200, b'{"a":' + b"[" * 100000, ours),
             "unexpected answer"),
            ("20 MB of JSON", response(200, b'{"a":"' + b"x" * (20 << 20) + b'"}', ours),
             "unexpectedly long answer"),
            ("rows that are none", answer_json({"deliveries": [5], "next": None}), "unexpected answer"),
            ("seqs that are none", answer_json({"deliveries": [{"seq": -1}], "next": None}),
             "unexpected answer"),
            ("pages without an end", answer_json({"deliveries": [], "next": 5}), "unexpected answer"),
            ("bytes that are no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n" * 3, "HTTP/0.9"),
            ("an answer that breaks off", response(200, b"{" * 100)[:-50] + b"", "was cut off"),
            ("a closed connection", None, "mpty reply"),
            ("control characters in a refusal", answer_json(
                {"error": {"code": "x", "message": "\x1b[2J\u202e\u009b31mred\r\n"}}, 403), "\\x1b[2J")):
        stranger = Upstream(lambda request, sock, answer=answer: answer and (
            sock.sendall(answer) if b"Content-Length: 100\r" in answer[:80] else answer))
        option = f"--sink=127.0.0.1:{stranger.port}"
        status = REFUSED if b"\\u001b" in (answer or b"") else TRANSPORT
        got = run("deliveries", option, f"--timeout={sink.LONG}")
        says(f"{name}: one clear line, without waiting until the time is over", got, status, *words)
        check(f"{name}: nothing is shown of it", got.out == "" and len(got.err) < 600, got)
        if name != "pages without an end":
            says(f"{name}: wait, too", run("wait", option), TRANSPORT, "127.0.0.1")
            equal(f"{name}: each asks once and nowhere else", len(stranger.requests), 2)
        stranger.close()


def test_strangers_of_streams():
    """The list is hooklined's, the events are not."""
    html = b"<html>no such page</html>"
    for name, answer, *words in (
            ("HTML", response(200, html, [("Content-Type", "text/html")]), "status 200"),
            ("JSON", answer_json({}), "unexpected answer"),
            ("a stream of somebody else's", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
             b"\r\n: hello\n\n", "unexpected answer"),
            ("too many streams", answer_json({"error": {"code": "too_many_streams",
                                                        "message": "64 are open already"}}, 503),
             "64 are open already")):
        stranger = Upstream(lambda request, sock, answer=answer: answer if "/events" in request.path
                            else answer_json({"deliveries": [], "next": None}))
        says(f"events that are {name}: one clear line",
             run("wait", f"--sink=127.0.0.1:{stranger.port}", "--timeout=20"), TRANSPORT, *words)
        stranger.close()


def test_who_hangs():
    quiet = Upstream()
    quiet.answer = quiet.hang
    halfway = Upstream()

    def stop_halfway(_request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        halfway.hang()

    halfway.answer = stop_halfway
    for name, stranger in (("who never answers", quiet), ("who stops in the middle", halfway)):
        for command in ("deliveries", "wait"):
            got = cli.unless_late(
                lambda c=command, s=stranger: run(c, f"--sink=127.0.0.1:{s.port}", "--timeout=1"),
                lambda got: got.took > 4)
            says(f"{name}: {command} gives up", got,
                 cli.TIMEOUT if command == "deliveries" else TRANSPORT, "no answer in time")
            check(f"{name}: {command} does so when it was told to", got.took > 0.9, got.took)
        stranger.close()
    with socket.socket(socket.AF_UNIX) as deaf:
        path = socket_path()
        deaf.bind(path)
        deaf.listen(1)
        says("a socket where nobody answers", run("deliveries", f"--sink=unix:{path}", "--timeout=1"),
             cli.TIMEOUT, "no answer in time")


def test_the_address_of_senders():
    daemon, _, _ = start()
    host, port = daemon.address
    says("where senders deliver nobody asks", run("deliveries", f"--sink={host}:{port}"), TRANSPORT,
         "is this a hooklined admin address?")
    says("nor waits", run("wait", f"--sink={host}:{port}"), TRANSPORT, "is this a hooklined admin address?")


def test_what_hooklined_refuses():
    daemon, _, option = start()
    deliver(daemon, "one")
    for arguments, *words in (
            (["--state=lost"], "state", "parked"), (["--source="], "source"),
            (["--since=2026-11-22T04:00:00Z", "--until=2026-11-21T04:00:00Z"], "until"),
            (["--destination=x"], "destination", "state"), (["--id=" + "x" * 300], "id"),
            (["--id=" + "&" * 3000], "too long"), (["--id=a\x1bb"], "id")):
        says(f"{arguments[0][:30]!r}: wrong usage", run("deliveries", option, *arguments), USAGE, *words)
    says("a destination that nobody knows", run("deliveries", option, "--state=done",
                                                "--destination=x"), REFUSED, "destination x")
    for name in ("since", "until"):
        for moment in ("yesterday", "", "5x", "-5m", "2026-11-22", "1e9"):
            says(f"--{name} {moment!r} is no moment", run("deliveries", option, f"--{name}={moment}"),
                 USAGE, f"--{name}: expected a time", "15m")


# ---- the token

def test_tokens():
    folder = Folders.new()
    file = write_file(f"{folder}/token", "token-0123456789abcdef\n")
    sink.Watch.words.add(b"token-0123456789abcdef")
    asked = Upstream(lambda request, sock: answer_json({"deliveries": [], "next": None}))
    option, where = f"--sink=127.0.0.1:{asked.port}", "--sink-token=@" + file
    equal("with a token it is good", run("deliveries", option, where).status, GOOD)
    equal("the token is in the header", header(asked.requests[-1], "Authorization"),
          "Bearer token-0123456789abcdef")
    run("deliveries", option, "--sink-token=env:TOKEN", environment={"TOKEN": "token-of-env"})
    equal("or that of a variable", header(asked.requests[-1], "Authorization"), "Bearer token-of-env")
    run("deliveries", option)
    equal("without one there is none", header(asked.requests[-1], "Authorization"), "")
    count = len(asked.requests)
    for address in ("http://192.0.2.1:9090", "192.0.2.1:9090", "http://sink.example.com",
                    "http://localhost.example.com:1", "http://127.0.0.1.example.com",
                    "http://0.0.0.0:1", "http://[::]:1", "http://[2001:db8::1]:1", "http://127.1:1",
                    "http://2130706433:1"):
        got = run("deliveries", f"--sink={address}", where)
        says(f"{address}: no token over plain http", got, USAGE, f"{address}: ", "http://",
             "use https://")
    for address in ("localhost", "LOCALHOST"):
        got = run("deliveries", f"--sink=http://{address}:{asked.port}", where)
        equal(f"{address} is this machine", got.status, GOOD)
    equal("(and was asked)", len(asked.requests), count + 2)
    for text, *words in (("two words", "without blanks"), ("a\r\nX: y", "without blanks"), ("", "")):
        got = run("deliveries", option, "--sink-token=env:TOKEN", environment={"TOKEN": text})
        says(f"{text!r} is no token", got, USAGE, "--sink-token: ", *words)
    says("a token does not stand on the command line",
         first_line(run("deliveries", option, "--sink-token=abc")), USAGE, "--sink-token")
    os.chmod(file, 0o644)
    says("a token that others can read", run("deliveries", option, where), USAGE, "--sink-token: ",
         "mode 0644")
    says("a token that is not there", run("deliveries", option, "--sink-token=@/nowhere"), USAGE,
         "--sink-token: /nowhere: No such file")
    equal("nobody was asked with a wrong one", len(asked.requests), count + 2)
    asked.close()
    _, _, unix = start()
    equal("over a Unix socket it is neither sent nor read",
          run("deliveries", unix, "--sink-token=@/nowhere").status, GOOD)


def test_a_sink_that_asks_for_a_token():
    folder = Folders.new()
    file = write_file(f"{folder}/token", TOKEN + "\n")
    wrong = write_file(f"{folder}/wrong", "x" * 40)
    daemon, address = start_tcp(token={"file": file})
    deliver(daemon, "one")
    option, where = f"--sink={address}", f"--sink-token=@{file}"
    got = run("deliveries", option, where, "--json")
    equal("who shows it is answered", (got.status, len(sinks.lines(got))), (GOOD, 1), got)
    says("who shows none is told how", run("deliveries", option), REFUSED, "pass it with --sink-token")
    says("who shows another one is told so", run("deliveries", option, f"--sink-token=@{wrong}"),
         REFUSED, "--sink-token gives another one")
    says("who waits without it, too", run("wait", option), TRANSPORT, "pass it with --sink-token")
    waiting = Running("wait", "--verbose", option, where).await_watch()
    deliver(daemon, "two")
    equal("with it one can wait", waiting.end()[0], GOOD)
    got = run("show", option, where, 2, "--body")
    equal("and see, ", (got.status, "two" in got.out), (GOOD, True))
    says("and ask for a replay", run("replay", option, where, 2), REFUSED, "destination")


def first_line(got):
    """Drops the line that points to --help."""
    got.err = got.err.split("\n")[0] + "\n"
    return got


def test_a_token_is_not_handed_on():
    thief = Upstream(lambda request, sock: answer_json({"deliveries": [], "next": None}))
    moved = Upstream(lambda request, sock: response(307, b"", [("Location", thief.url)]))
    says("a redirect is an error", run("deliveries", f"--sink=127.0.0.1:{moved.port}",
                                       "--sink-token=env:TOKEN", environment={"TOKEN": "abc"}),
         TRANSPORT, "redirect (307)")
    equal("and who it points at sees nothing", thief.requests, [])
    for one in (thief, moved):
        one.close()


def test_over_tls():
    tls, certificate = make_certificate(Folders.new())
    asked = Upstream(lambda request, sock: answer_json({"deliveries": [], "next": None}), tls=tls)
    option = f"--sink=https://127.0.0.1:{asked.port}"
    token = ["--sink-token=env:TOKEN"]
    environment = {"TOKEN": "abc"}
    says("who is not believed gets no token", run("deliveries", option, *token, environment=environment),
         TRANSPORT, "certificate")
    equal("(it was not asked at all)", asked.requests, [])
    got = run("deliveries", option, *token, "--sink-ca", certificate, environment=environment)
    equal("who is believed gets it", (got.status, header(asked.requests[-1], "Authorization")),
          (GOOD, "Bearer abc"), got)
    says("a name that is not in the certificate", run(
        "deliveries", option.replace("127.0.0.1", "localhost"), *token, "--sink-ca", certificate,
        environment=environment), TRANSPORT, "localhost")
    asked.close()


def test_a_path_before_it():
    """A reverse proxy may add a path prefix."""
    asked = Stranger()
    equal("a URL may have a path", run("deliveries", asked.option + "/sink/").status, GOOD)
    check("it stands before ours", asked.paths()[0].startswith("/sink/deliveries?"), asked.paths())
    asked.close()


def test_closed_output():
    """The first file opened gets the descriptor of the closed stream."""
    daemon, _, option = start()
    secret = sink.write_file(f"{daemon.folder}/secret", sink.SECRETS["foil"])
    deliver(daemon, "evt_1")
    for command in (("send", "--scheme", "foil", "--secret", "@" + secret, "--test",
                     "http://%s:%d/foil" % daemon.address),
                    ("wait", option, "--since", "1h"), ("deliveries", option)):
        got = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *sink.WRAPPER, cli.TOOL, *command],
                             stderr=subprocess.PIPE, check=False, timeout=3 * sink.PATIENCE)
        check(f"{command[0]} tells that its standard output is closed", got.returncode == TRANSPORT
              and b"cannot write to standard output" in got.stderr, got)
    daemon.alive("and writes it to nobody else")


def test_readers_that_leave():
    """Like `hookline deliveries | head -1`: the pipe has no reader any more."""
    upstream = Upstream()
    daemon, _, option = start(destinations=[{"name": "app", "url": upstream.url}])
    for i in range(2):
        deliver(daemon, f"evt_{i}")
    sink.wait_for(lambda: len(daemon.lines(verdict="forwarded")) == 2, "two forwarded deliveries")
    for command in (("--help",), ("send", "--help"), ("schemes",), ("schemes", "--json"), ("show", option, 1),
                    ("show", option, 1, "--json"), ("show", option, 1, "--body"),
                    ("deliveries", option, "--limit=1"), ("deliveries", option, "--all", "--json"),
                    ("wait", option, "--since=1h", "--count=2"), ("replay", option, 1, "--json"),
                    ("discard", option, "--state=parked", "--dry-run"),
                    ("replay", option, "--state=done", "--dry-run")):
        reading, writing = os.pipe()
        os.close(reading)
        got = subprocess.run([*sink.WRAPPER, cli.TOOL, *map(str, command)], stdout=writing,
                             stderr=subprocess.PIPE, check=False, timeout=3 * sink.PATIENCE)
        os.close(writing)
        if command[0] == "discard":
            equal("a command that prints nothing needs no reader", got.returncode, 0, got)
        else:
            equal(f"{' '.join(map(str, command[::2]))}: it ends like other tools, in silence",
                  (got.returncode, got.stderr), (-signal.SIGPIPE, b""))
    sink.wait_for(lambda: len(upstream.requests) == 3, "the replay")
    upstream.close()
