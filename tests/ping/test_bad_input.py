# SPDX-License-Identifier: MIT
"""Wrong keys, wrong ids, dead sinks, dead or odd providers: each gives one clear line and the right
exit status; a ping sends no more than necessary."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness.cli import (GOOD, PROVIDER_REFUSED, REFUSED, TIMEOUT, TOOL, TRANSPORT, USAGE, Run,
                         at_once, sink, unless_late)
from harness.ports import free_port
from harness.provider import ENDPOINTS, KEY, ORGANIZATION, Provider, arguments, data
from harness.scene import KINDS, Scene
from harness.sink import Daemon, Folders, Watch, check, equal, source, wait_for, write_file
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(150)]

IN_KEY = {"KEY": KEY}
SHORT = 10 if sink.WRAPPER else 1  # seconds, for deliveries that never come


def one_line(sentence, got, outcome, *said):
    """Exit status and one printable line on standard error with the expected words."""
    check(sentence, got.status == outcome and got.err.count("\n") == 1
          and got.err.startswith("hookline: ") and len(got.err) < 900
          and got.err[:-1].isprintable() and all(re.search(word, got.err) for word in said),
          f"expected {outcome} {said}", got)
    Watch.see(sentence, (got.out + got.err).encode())


def sink_was_late(got):
    """True if the sink answered too late for a ping with a short timeout."""
    return "no answer in time" in got.err


# ---- refusals and failures of the emulator

def test_the_emulator_as_its_own_sink():
    scene = Scene()
    given = scene.arguments("foil") + ["--sink", scene.emulator.base]
    one_line("an emulator that is named as the sink is none", Run(*given), TRANSPORT,
             "is this a hooklined admin address")


def test_refusals():
    scene = Scene()
    keys = scene.emulator.start["keys"]
    for name, kind, status, said in (
            ("foil.unscoped", "foil", 403, "webhooks:manage"),
            ("foil.foreign", "foil", 403, "to this organization"),
            ("shodai.unpaid", "shodai", 402, "requires payment"),
            ("shodai.forbidden", "shodai", 403, "webhooks.write"),
            ("trulayer.viewer", "trulayer", 403, "role Member or Owner"),
            ("trulayer.free", "trulayer", 403, "the Pro plan")):
        got = scene.ping(kind, "--key", "@" + keys[name])
        check(f"{name}: a second --key is a usage error", got.status == USAGE, got)
        given = [a if a != "@" + keys[kind] else "@" + keys[name] for a in scene.arguments(kind)]
        one_line(f"{name}: the provider refuses with {status}", Run(*given), PROVIDER_REFUSED,
                 rf"\({status}: ", said)
    wrong = write_file(f"{Folders.new()}/key", "sk_wrong_but_looks_like_one_0123456789\n")
    for kind in KINDS:
        given = [a if a != "@" + keys[kind] else "@" + wrong for a in scene.arguments(kind)]
        one_line(f"{kind}: a wrong key", Run(*given), PROVIDER_REFUSED,
                 r"rejects the API key \(401", "--key")
        real = scene.endpoints[kind]["id"]
        other = {"foil": "we_" + "0" * 32, "shodai": "wh_none",
                 "trulayer": "00000000-0000-4000-8000-000000000000"}[kind]
        given = [a if a != real else other for a in scene.arguments(kind)]
        one_line(f"{kind}: an unknown endpoint", Run(*given), PROVIDER_REFUSED,
                 r"does not know the endpoint \(404", "--endpoint")
    one_line("an unknown source of the emulator", Run("ping", "emulated", "nobody", "--base-url",
                                                      scene.emulator.base, "--sink",
                                                      "unix:" + scene.socket),
             PROVIDER_REFUSED, "does not know the endpoint")
    got = scene.ping("foil", "--json", "--fault", "wrong-secret,wrong-secret=3")
    check("what fault_read() refuses is refused before it is sent", got.status == USAGE
          and got.err.startswith("hookline: --fault: "), got)
    scene.close()


def test_trouble():
    scene = Scene()
    for kind in KINDS:
        for name, outcome, said in (("html", TRANSPORT, "with HTML instead of JSON"),
                                    ("huge", TRANSPORT, "more than 1 MiB"),
                                    ("500", TRANSPORT, "answered 500"),
                                    ("reset", TRANSPORT, "no answer from \\w+ at http"),
                                    ("hang", TRANSPORT, f"did not answer within {SHORT} s"),
                                    ("none", GOOD, "")):
            scene.trouble(kind, name)
            more = ("--timeout", SHORT) if name == "hang" else ()
            got = unless_late(lambda kind=kind, more=more: scene.ping(kind, *more), sink_was_late)
            if name == "none":
                check(f"{kind}: and when the trouble is over it is good", got.status == GOOD, got)
            else:
                one_line(f"{kind}, {name}: its trouble is told", got, outcome, said)
    scene.close()


# ---- malformed ids

def test_malformed():
    server = Provider("foil")
    for kind, organization, endpoint, said in (
            ("foil", ORGANIZATION, "we_123", "--endpoint"),
            ("foil", ORGANIZATION, ENDPOINTS["foil"].upper(), "--endpoint"),
            ("foil", ORGANIZATION, "../../../../admin", "--endpoint"),
            ("foil", "org_123", ENDPOINTS["foil"], "--organization"),
            ("foil", ORGANIZATION.replace("f6", "il"), ENDPOINTS["foil"], "--organization"),
            ("foil", None, ENDPOINTS["foil"], "--organization"),
            ("foil", ORGANIZATION, None, "--endpoint"),
            ("shodai", None, "wh/../../x", "--endpoint"),
            ("shodai", None, "..", "--endpoint"),
            ("shodai", None, "wh_1?x=1", "--endpoint"),
            ("shodai", None, "wh_1\r\nX-Evil: 1", "--endpoint"),
            ("shodai", None, "", "--endpoint"),
            ("shodai", ORGANIZATION, "wh_1", "--organization"),
            ("tripwire", None, ENDPOINTS["tripwire"], "--organization"),
            ("trulayer", None, "123", "--endpoint"),
            ("trulayer", None, ENDPOINTS["trulayer"] + "0", "--endpoint"),
            ("trulayer", None, ENDPOINTS["foil"], "--endpoint"),
            ("emulated", None, "stripe", "--endpoint")):
        given = ["ping", kind, "--key", "env:KEY", "--base-url", server.base, "--sink", "unix:x"]
        given += ["--organization", organization] if organization is not None else []
        given += ["--endpoint", endpoint] if endpoint is not None else []
        one_line(f"{kind}, {organization}, {endpoint!r}: refused before anything is sent",
                 Run(*given, environment=IN_KEY), USAGE, said)
    for name, given, said in (
            ("no such provider", ["ping", "stripe"], "expected foil, tripwire, shodai"),
            ("a name where none belongs", ["ping", "foil", "x"], "too many arguments"),
            ("no name where one belongs", ["ping", "emulated"], "the NAME of a source"),
            ("a source that is none", arguments("foil", server.base, "unix:x", "--source", "a/b"),
             "--source"),
            ("a source without a name", arguments("foil", server.base, "unix:x", "--source", ""),
             "--source"),
            ("a base URL that is none", arguments("foil", "ftp://h/", "unix:x"), "--base-url"),
            ("a base URL with a password", arguments("foil", "http://me:no@127.0.0.1:1/", "unix:x"),
             "--base-url: must not contain a user or password; pass the key with --key"),
            ("a base URL with a user", arguments("foil", "http://me@127.0.0.1:1/a", "unix:x"), "with --key"),
            ("a base URL with a query", arguments("foil", "http://h/?a=b", "unix:x"), "--base-url"),
            ("a base URL with a password", arguments("foil", "http://a:b@h/", "unix:x"),
             "--base-url"),
            ("a sink that is none", arguments("foil", server.base, "ftp://x"), "sink"),
            ("a timeout that is none", arguments("foil", server.base, "unix:x", "--timeout", "0"),
             "--timeout")):
        got = Run(*given, environment=IN_KEY)
        check(f"{name} is a usage error", got.status == USAGE and said in got.err, got)
    equal("nothing was sent", server.server.requests, [])
    server.close()


def test_unencrypted():
    for base in ("http://192.0.2.1:9", "HTTP://192.0.2.1:9", "http://127.0.0.1.nip.invalid",
                 "http://localhost.invalid:80/"):
        got = Run(*arguments("foil", base, "unix:/nowhere"), environment=IN_KEY)
        check(f"{base}: a key that would go over a network in the clear is warned of",
              got.status == TRANSPORT and "anyone on the path can read the key" in got.err, got)
    for base in ("http://127.0.0.1:9", "http://localhost/", "http://[::1]:9/x"):
        got = Run(*arguments("foil", base, "unix:/nowhere"), environment=IN_KEY)
        check(f"{base}: on this machine nobody reads it",
              got.status == TRANSPORT and "warning" not in got.err, got)


# ---- sinks

class Talker:
    """Server that answers every request with these bytes, then calls `after`."""
    def __init__(self, data_, after=None):
        self.data, self.after = data_, after or (lambda sock: None)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(sock,), daemon=True).start()

    def talk(self, sock):
        try:
            with sock:
                sock.recv(65536)
                if self.data is not None:
                    sock.sendall(self.data)
                self.after(sock)
        except OSError:
            pass

    def close(self):
        self.listening.close()


def test_sinks():
    daemon = Daemon(sources=[source("foil")], admin={"address": "unix:" + (
        path := os.path.join(Folders.new(), "admin.sock"))})
    server = Provider("foil", (daemon.address, "/foil"))
    host, port = daemon.address
    forever = threading.Event()
    hang = Talker(None, lambda sock: forever.wait(sink.LONG))
    html = Talker(response(200, b"<html>hello</html>", [("Content-Type", "text/html")]))
    dead = os.path.join(Folders.new(), "dead.sock")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(dead)
    for name, address, outcome, said, *more in (
            ("nobody there", f"127.0.0.1:{free_port()}", TRANSPORT, "127.0.0.1:"),
            ("no such socket", "unix:/nowhere/admin.sock", TRANSPORT, "no such file"),
            ("the socket of a dead one", "unix:" + dead, TRANSPORT, "dead.sock"),
            ("the address for senders", f"{host}:{port}", TRANSPORT, "admin address"),
            ("a web server", html.address, TRANSPORT, "unexpected answer"),
            ("one that hangs", hang.address, TRANSPORT, "no answer in time", "--timeout", SHORT)):
        got = Run(*arguments("foil", server.base, address, *more), environment=IN_KEY)
        one_line(f"the sink, {name}: it is named", got, outcome, said)
    equal("without a sink nothing is triggered", server.server.requests, [])
    got = Run(*arguments("foil", server.base, "unix:/nowhere/admin.sock", "--json"),
              environment=IN_KEY)
    check("for scripts it is JSON, too", got.status == TRANSPORT
          and got.json()["diagnosis"] == "not_triggered" and not got.json()["confirmed"], got)
    forever.set()
    for talker in (hang, html):
        talker.close()
    sink_that_dies(daemon, path)
    server.close()


def sink_that_dies(daemon, path):
    def die(event):
        daemon.stop()
    server = Provider("foil", deliver=die)
    got = Run(*arguments("foil", server.base, "unix:" + path, "--timeout", sink.LONG), environment=IN_KEY)
    one_line("a sink that ends while it is watched is told at once", got, TRANSPORT, "admin.sock")
    server.close()


# ---- implausible providers

HUGE = b'{"data":{"event_id":"' + b"w" * (10 << 20) + b'"}}'
ODD = (
    ("nothing", (200, b""), TRANSPORT, "an empty body instead of JSON"),
    ("blanks", (200, b" \n\n"), TRANSPORT, "an empty body instead of JSON"),
    ("a login page", (200, b"<!DOCTYPE html>\n<title>Sign in</title>", "text/html"), TRANSPORT,
     "HTML instead of JSON: <!DOCTYPE html> <title>Sign in"),
    ("10 MB of JSON", (202, HUGE), TRANSPORT, "more than 1 MiB"),
    ("a list", (200, b"[1,2]"), TRANSPORT, "other than its JSON"),
    ("JSON that is deep", (200, b"[" * 100000), TRANSPORT, "other than its JSON"),
    ("JSON with half of it", (200, b'{"data":{"event_id":"wevt_1'), TRANSPORT, "other than its JSON"),
    ("JSON of another API", (200, b'{"ok":true}'), TRANSPORT, "other than its JSON"),
    ("bytes", (200, bytes(range(256))), TRANSPORT, "other than its JSON"),
    ("escapes for the terminal", (401, b'{"error":{"code":"a","message":"\\u001b]0;x\\u0007"}}'),
     PROVIDER_REFUSED, re.escape(r"\x1b]0;x\x07")),
    ("its key in the answer", (401, json.dumps({"error": "no such key: " + KEY}).encode()),
     PROVIDER_REFUSED, re.escape("no such key: (hidden)")),
    ("its key in HTML", (403, b"<p>" + KEY.encode() + b"</p>", "text/html"), PROVIDER_REFUSED,
     re.escape("<p>(hidden)</p>")),
    ("a redirect", (307, b""), TRANSPORT, "redirects are not followed"),
    ("too many requests", (429, b'{"error":"slow down"}'), PROVIDER_REFUSED, "limits the request rate"),
    ("maintenance", (503, b"<h1>Sorry</h1>"), TRANSPORT, "the error is on its side"),
    ("a key of TruLayer's", (422, b'{"error":"webhook.url.not_https"}'), PROVIDER_REFUSED,
     "https:// only"),
    ("another one", (422, b'{"error":"webhook.url.private_ip"}'), PROVIDER_REFUSED, "a public one"),
    ("a third one", (422, b'{"error":"webhook.url.unresolvable"}'), PROVIDER_REFUSED, "in DNS"),
)


def test_odd_answers():
    daemon = Daemon(sources=[source(kind) for kind in KINDS], admin={"address": "unix:" + (
        path := os.path.join(Folders.new(), "admin.sock"))})
    for i, (name, told, outcome, said) in enumerate(ODD):
        for kind in KINDS if not sink.WRAPPER else KINDS[i % 3:i % 3 + 1]:
            server = Provider(kind, deliver=lambda event: None,
                              say=lambda status, value, told=told: told)
            got = Run(*arguments(kind, server.base, "unix:" + path), environment=IN_KEY)
            one_line(f"{kind}, {name}", got, outcome, said)
            server.close()
    odd_connections(path)
    daemon.stop()


def odd_connections(path):
    long_head = b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 200000 + b"\r\n\r\n"
    ended = threading.Event()
    drops = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"status":200'
    for name, talker, said, *more in (
            ("hangs up", Talker(b""), "no answer from TruLayer"),
            ("speaks no HTTP", Talker(b"220 mail.example ESMTP\r\n"), "no answer from TruLayer"),
            ("breaks off", Talker(drops), "no answer from TruLayer"),
            ("says too much before it says anything", Talker(long_head), "no answer from TruLayer"),
            ("never ends", Talker(response(200)[:-4], lambda sock: ended.wait(sink.LONG)),
             f"did not answer within {SHORT} s", "--timeout", SHORT)):
        got = unless_late(lambda talker=talker, more=more: Run(
            *arguments("trulayer", "http://" + talker.address, "unix:" + path, *more),
            environment=IN_KEY), sink_was_late)
        one_line(f"a provider that {name}", got, TRANSPORT, said)
        talker.close()
    ended.set()
    one_that_stood_still(path)
    port = free_port()
    for name, base, said in (("is not there", f"http://127.0.0.1:{port}", "onnect"),
                             ("has no address", "http://nowhere.invalid", "nowhere.invalid"),
                             ("speaks no TLS", f"https://127.0.0.1:{port}", "no answer")):
        got = Run(*arguments("foil", base, "unix:" + path, "--timeout", sink.LONG), environment=IN_KEY)
        got.err = "\n".join(line for line in got.err.split("\n") if "warning" not in line)
        one_line(f"a provider that {name}", got, TRANSPORT, said)


def one_that_stood_still(path):
    """The stop outlasts every timeout, not only that of --timeout."""
    hanging = Upstream()
    hanging.answer = hanging.hang
    command = arguments("trulayer", f"http://127.0.0.1:{hanging.port}", "unix:" + path, "--timeout", 1)

    def stopped():
        count = len(hanging.requests)
        process = subprocess.Popen([*sink.WRAPPER, TOOL, *map(str, command)], stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, env={**os.environ, **IN_KEY},
                                   preexec_fn=sink.die_with_parent)
        wait_for(lambda: len(hanging.requests) > count or process.poll() is not None, "the order")
        process.send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        process.send_signal(signal.SIGCONT)
        return process.communicate(timeout=sink.PATIENCE)[1].decode()

    said = wait_for(lambda: (err := stopped()) and "no answer in time" not in err and err, "a trigger")
    check("a ping that stood still says of a provider that hangs that it did not answer in time",
          "did not answer within 1 s" in said, said)
    hanging.close()


def test_odd_looks():
    """Odd answers to the query for the delivery's outcome."""
    daemon = Daemon(sources=[source("foil")], admin={"address": "unix:" + (
        path := os.path.join(Folders.new(), "admin.sock"))})
    looks = (("HTML", lambda: data(b"<html>", 200, "text/html")),
             ("10 MB", lambda: data(HUGE)), ("nothing", lambda: None),
             ("another event", lambda: data({"data": {"webhook_deliveries": []}})),
             ("500", lambda: data(b"", 500)))

    def ping(answer):
        server = Provider("foil", (daemon.address, "/foil"))
        server.tell_event = lambda path: answer()
        got = Run(*arguments("foil", server.base, "unix:" + path), environment=IN_KEY)
        server.close()
        return got
    results = at_once(*(lambda answer=answer: ping(answer) for _, answer in looks))
    for (name, _), got in zip(looks, results):
        check(f"foil says {name} when it is asked: what arrived has arrived", got.status == GOOD
              and "stored as" in got.out, got)
    daemon.stop()


def test_nonsense_of_a_sink():
    """Malformed lines from a stranger in place of the sink."""
    lines = b"".join(b"data: " + line + b"\n\n" for line in (
        b'{"verdict":"stored"}', b'{"verdict":"stored","seq":-1,"id":"x","time":"never"}',
        b'{"verdict":"refused","status":1e308,"source":"foil","signed_at":8e15,"bytes":"many"}',
        b'{"verdict":[],"seq":{}}', b'{"destination":"x","verdict":"forwarded","seq":1e18}'))
    stream = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hooklined\n\n" + lines)

    def ping(kind):
        talker = Talker(stream, lambda sock: time.sleep(5 * SHORT))
        server = Provider(kind, deliver=lambda event: (200, "x"))
        got = Run(*arguments(kind, server.base, talker.address, "--timeout", 2 * SHORT),
                  environment=IN_KEY)
        server.close()
        talker.close()
        return got
    for kind, got in zip(KINDS, at_once(*(lambda kind=kind: ping(kind) for kind in KINDS))):
        check(f"{kind}: nonsense of a sink does no harm",
              got.status in (TIMEOUT, TRANSPORT, REFUSED) and got.err.count("\n") == 1, got)
