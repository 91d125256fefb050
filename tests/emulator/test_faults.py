# SPDX-License-Identifier: MIT
"""Faults of the emulator, as bytes on the wire."""
import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time

import pytest

from harness import emulator
from harness.cli import sink
from harness.sink import check, equal, wait_for

pytestmark = [pytest.mark.running, pytest.mark.threads]

SCHEMES = ["foil", "shodai", "trulayer", "standard", "stripe", "github", "slack"]


class Wire:
    """Bytes of one connection, and how it ended."""

    def __init__(self):
        self.data, self.end, self.times = b"", None, []

    @property
    def head(self):
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self):
        return self.data.partition(b"\r\n\r\n")[2]

    def header(self, name):
        found = re.search(rb"^%s: *(.*?)\r?$" % name.encode(), self.head, re.M | re.I)
        return found.group(1).decode() if found else None

    @property
    def promised(self):
        return int(self.header("Content-Length"))


class Receiver:
    """Answers each complete request with 200 and closes the connection."""

    def __init__(self, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"):
        self.answer = answer
        self.wires = []  # in order of acceptance
        self.whole = []  # in order of completion
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            wire = Wire()
            self.wires.append(wire)
            threading.Thread(target=self._serve, args=(sock, wire), daemon=True).start()

    def _serve(self, sock, wire):
        with sock:
            sock.settimeout(sink.PATIENCE)
            try:
                while not (b"\r\n\r\n" in wire.data and len(wire.body) >= wire.promised):
                    data = sock.recv(65536)
                    if not data:
                        wire.end = "end"
                        return
                    wire.times.append((time.monotonic(), len(data)))
                    wire.data += data
                self.whole.append(wire)
                sock.sendall(self.answer)
                wire.end = "answered"
            except ConnectionResetError:
                wire.end = "reset"
            except OSError as e:
                wire.end = str(e)

    def take(self, count=1):
        """Waits for `count` ended connections, returns all of them and clears the list."""
        wait_for(lambda: len([w for w in self.wires if w.end]) >= count, f"{count} connections")
        taken, self.wires, self.whole = self.wires, [], []
        return taken

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


class Setup:
    """Emulator with an endpoint of each scheme, and their receiver."""

    def __init__(self, *arguments, schemes=SCHEMES):
        self.receiver = Receiver()
        self.emulated = emulator.Emulator(
            *[f"--endpoint={s}={self.receiver.url}" for s in schemes], "--retry=0", *arguments)
        self.secrets = {}
        self.asked = time.time()
        for scheme in schemes:
            with open(f"{self.emulated.folder}/keys/{scheme}.secret", encoding="utf-8") as file:
                self.secrets[scheme] = file.read().strip()
            self.emulated.secrets.add(self.secrets[scheme])

    def test(self, scheme, fault=None):
        headers = [("Hookline-Fault", fault)] if fault is not None else []
        self.asked = time.time()
        return self.emulated.ask("POST", f"/emulator/sources/{scheme}/test", headers)

    def deliver(self, scheme, fault=None, count=1):
        answer = self.test(scheme, fault)
        equal(f"{scheme}, {fault or 'no fault'}: it is sent", answer.status, 200, answer)
        return self.receiver.take(count)

    def signature(self, scheme, wire, secret=None, body=None):
        """Signature header that a correct sender sets."""
        secret = self.secrets[scheme] if secret is None else secret
        body = wire.body if body is None else body
        return sign(scheme, secret, body, wire)

    def is_good(self, scheme, wire, **options):
        name, expected = self.signature(scheme, wire, **options)
        return expected in (wire.header(name) or "").split(" ") or wire.header(name) == expected

    def call(self, client, path, *more, **options):
        """Calls the test API of a provider."""
        self.asked = time.time()
        return client.ask("POST", path, *more, **options)

    def is_shifted(self, scheme, wire, seconds=0):
        """True if the signed time is `seconds` ahead of the time of the request."""
        signed = stamp_of(scheme, wire) - seconds
        return int(self.asked) <= signed <= time.time()

    def close(self):
        self.emulated.stop()
        self.receiver.close()


def mac(key, content):
    return hmac.new(key, content, hashlib.sha256)


def stamp_of(scheme, wire):
    """Signed time in seconds."""
    if scheme in ("trulayer",):
        return iso_seconds(json.loads(wire.body)["sent_at"])
    if scheme == "stripe":
        return int(re.search(r"t=(\d+)", wire.header("Stripe-Signature")).group(1))
    name = {"foil": "X-Foil-Timestamp", "shodai": "X-Shodai-Webhook-Timestamp",
            "standard": "webhook-timestamp", "slack": "X-Slack-Request-Timestamp"}[scheme]
    return int(wire.header(name))


def iso_seconds(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone


def sign(scheme, secret, body, wire):
    key = secret.encode()
    if scheme == "trulayer":
        return "X-TruLayer-Signature", "sha256=" + mac(key, body).hexdigest()
    if scheme == "github":
        return "X-Hub-Signature-256", "sha256=" + mac(key, body).hexdigest()
    stamp = str(stamp_of(scheme, wire)).encode()
    if scheme == "standard":
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = b".".join((wire.header("webhook-id").encode(), stamp, body))
        return "webhook-signature", "v1," + base64.b64encode(mac(key, content).digest()).decode()
    if scheme == "slack":
        return ("X-Slack-Signature",
                "v0=" + mac(key, b"v0:" + stamp + b":" + body).hexdigest())
    digest = mac(key, stamp + b"." + body).hexdigest()
    if scheme == "stripe":
        return "Stripe-Signature", f"t={stamp.decode()},v1={digest}"
    if scheme == "shodai":
        return "X-Shodai-Webhook-Signature", "sha256=" + digest
    return "X-Foil-Signature", digest


# ---- each fault

def test_none():
    setup = Setup()
    for scheme in SCHEMES:
        wire, = setup.deliver(scheme)
        check(f"{scheme}: without a fault the signature is right", setup.is_good(scheme, wire),
              wire.data)
        equal(f"{scheme}: the body is JSON and says so",
              (isinstance(json.loads(wire.body), dict), wire.header("Content-Type")),
              (True, "application/json"))
        if scheme != "github":
            check(f"{scheme}: it is signed now", setup.is_shifted(scheme, wire))
    setup.close()


def test_times():
    setup = Setup()
    for scheme in (s for s in SCHEMES if s != "github"):
        for fault, shift in (("stale", -600), ("stale=4000", -4000), ("future", 600),
                             ("future=412", 412)):
            wire, = setup.deliver(scheme, fault)
            check(f"{scheme}, {fault}: the signed time is shifted by {shift} s",
                  setup.is_shifted(scheme, wire, shift), stamp_of(scheme, wire))
            check(f"{scheme}, {fault}: the signature is right", setup.is_good(scheme, wire))
    answer = setup.test("github", "stale")
    check("a scheme without a time says that it has none",
          answer.status == 400 and "signs no time" in answer.json["error"]["message"], answer)
    equal("... and nothing is sent", len(setup.receiver.wires), 0)
    setup.close()


def test_signatures():
    setup = Setup()
    for scheme in SCHEMES:
        for fault in ("wrong-secret", "secret-newline"):
            wire, = setup.deliver(scheme, fault)
            name, right = setup.signature(scheme, wire)
            check(f"{scheme}, {fault}: there is a signature, of the right form",
                  len(wire.header(name) or "") == len(right), wire.head)
            check(f"{scheme}, {fault}: but not the endpoint's", not setup.is_good(scheme, wire))
        if scheme != "standard":
            check(f"{scheme}, secret-newline: it is the one with the line end",
                  setup.is_good(scheme, wire, secret=setup.secrets[scheme] + "\n"), wire.head)
        wire, = setup.deliver(scheme, "unsigned")
        equal(f"{scheme}, unsigned: there is no signature",
              wire.header(setup.signature("github", wire)[0] if scheme == "github" else
                          {"foil": "X-Foil-Signature", "shodai": "X-Shodai-Webhook-Signature",
                           "trulayer": "X-TruLayer-Signature", "standard": "webhook-signature",
                           "stripe": "Stripe-Signature", "slack": "X-Slack-Signature"}[scheme]),
              None, wire.head)
    wire, = setup.deliver("standard", "two-signatures")
    listed = wire.header("webhook-signature").split(" ")
    equal("two-signatures: there are two, and the right one is the second",
          (len(set(listed)), listed[-1]), (2, setup.signature("standard", wire)[1]))
    wire, = setup.deliver("stripe", "two-signatures")
    digests = re.findall(r"v1=([0-9a-f]{64})", wire.header("Stripe-Signature"))
    digest = mac(setup.secrets["stripe"].encode(),
                 str(stamp_of("stripe", wire)).encode() + b"." + wire.body).hexdigest()
    check("likewise as a list of pairs", len(set(digests)) == 2 and digest in digests, wire.head)
    setup.close()


def test_bodies():
    setup = Setup()
    for scheme in SCHEMES:
        plain, = setup.deliver(scheme)
        for fault in ("tamper", "reencode", "crlf"):
            wire, = setup.deliver(scheme, fault)
            check(f"{scheme}, {fault}: the signature is not of this body",
                  not setup.is_good(scheme, wire), wire.data)
            if fault == "tamper":
                equal(f"{scheme}, {fault}: one character is another, the length is the same",
                      len(wire.body), len(plain.body))
            elif fault == "reencode":
                compact = json.dumps(json.loads(wire.body), separators=(",", ":"),
                                     ensure_ascii=False).encode()
                check(f"{scheme}, {fault}: the body says the same in other white space",
                      compact != wire.body and setup.is_good(scheme, wire, body=compact), wire.body)
            else:
                restored = [wire.body.replace(b"\r\n", b"\n"), wire.body.rstrip(b"\r\n")]
                check(f"{scheme}, {fault}: the body has other line ends",
                      b"\r\n" in wire.body and
                      any(setup.is_good(scheme, wire, body=body) for body in restored), wire.body)
        for fault, size in (("oversize", 2 << 20), ("oversize=70000", 70000)):
            wire, = setup.deliver(scheme, fault)
            equal(f"{scheme}, {fault}: the body is that long", len(wire.body), size)
            check(f"{scheme}, {fault}: it is signed, and JSON",
                  setup.is_good(scheme, wire) and json.loads(wire.body))
    setup.close()


def test_repetitions():
    setup = Setup()
    for scheme in SCHEMES:
        for fault, count in (("duplicate", 2), ("duplicate=4", 4)):
            wires = setup.deliver(scheme, fault, count)
            equal(f"{scheme}, {fault}: the very same bytes {count} times",
                  (len(wires), len({w.data for w in wires})), (count, 1))
            check(f"{scheme}, {fault}: the signature is right", setup.is_good(scheme, wires[0]))
    for scheme in SCHEMES:
        answer = setup.test(scheme, "burst=7")
        wires = setup.receiver.take(7)
        equal(f"{scheme}, burst=7: seven deliveries, each of its own",
              (len(wires), len({w.body for w in wires}), len(set(answer.json["ids"]))), (7, 7, 7))
        check(f"{scheme}, burst=7: all of them are signed",
              all(setup.is_good(scheme, w) for w in wires))
    equal("burst: ten", len(setup.deliver("foil", "burst", 10)), 10)
    for attempt in range(3):
        answer = setup.test("foil", "burst=9,reorder")
        wait_for(lambda: len(setup.receiver.whole) == 9, "them")
        arrived = [json.loads(w.body)["id"] for w in setup.receiver.whole]
        created = [json.loads(w.body)["created"] for w in setup.receiver.whole]
        setup.receiver.take(9)
        equal("reorder: all of them arrive", sorted(arrived), sorted(answer.json["ids"]))
        check("reorder: not in the order in which they were made", arrived != answer.json["ids"]
              and created != sorted(created), created)
    setup.close()


def bit_by_bit(setup, scheme):
    """A slow reader may get several pieces in one read, or all of it too late; the caller then
    repeats it."""
    began = time.monotonic()
    setup.test(scheme, "slow=100")
    wire, = setup.receiver.take()
    took = time.monotonic() - began
    return (wire, took) if len(wire.times) > 2 and wire.end == "answered" else None


def test_connections():
    setup = Setup()
    for scheme in ("foil", "trulayer", "standard"):
        for fault, end in (("truncate", "end"), ("reset", "reset")):
            answer = setup.test(scheme, fault)
            wire, = setup.receiver.take()
            equal(f"{scheme}, {fault}: the connection comes to that end", wire.end, end)
            check(f"{scheme}, {fault}: in the middle of the body",
                  0 < len(wire.body) < wire.promised, wire.data)
            check(f"{scheme}, {fault}: the provider has got no answer",
                  answer.json["status"] == 0
                  and "in the middle of the body" in answer.json["error"], answer)
        wire, took = wait_for(lambda scheme=scheme: bit_by_bit(setup, scheme), "it bit by bit")
        length = len(wire.body)
        check(f"{scheme}, slow=100: {length} bytes come bit by bit, and take more than half of "
              f"{length / 100} s", took > length / 100 / 2, took)
        check(f"{scheme}, slow=100: and are whole, and signed", setup.is_good(scheme, wire))
    setup.close()


# ---- combinations and providers

def test_together():
    setup = Setup()
    wires = setup.deliver("foil", "future=412, duplicate=3, oversize=5000", 3)
    check("faults go together", len({w.data for w in wires}) == 1 and len(wires[0].body) == 5000
          and setup.is_shifted("foil", wires[0], 412))
    wires = setup.deliver("standard", "stale,wrong-secret,burst=3,reorder", 3)
    check("... as many as make sense", len({w.body for w in wires}) == 3 and
          not any(setup.is_good("standard", w) for w in wires))
    for words in ("bogus", "stale=x", "stale,future", "duplicate=1", "duplicate=1000", "reorder",
                  "stale=", ",", "x" * 300, "burst=100,oversize=67108864"):
        answer = setup.test("foil", words)
        check(f"{words[:20]}: is refused, with a reason",
              answer.status == 400 and answer.code == "bad_fault" and
              answer.json["error"]["message"], answer)
    check("an unknown word is answered with those that there are",
          "two-signatures" in setup.test("foil", "bogus").json["error"]["message"])
    equal("nothing is sent then", len(setup.receiver.wires), 0)
    setup.deliver("foil", "")
    setup.close()


def test_providers():
    """Providers' own calls accept faults, too."""
    setup = Setup(schemes=("foil", "shodai", "trulayer"))
    ids = {e["source"]: e["id"] for e in setup.emulated.start["endpoints"]}
    organization = setup.emulated.organization
    calls = {
        "foil": (emulator.Client(setup.emulated, "foil"), 202,
                 f"/v1/organizations/{organization}/webhooks/endpoints/{ids['foil']}/test"),
        "shodai": (emulator.Client(setup.emulated, "shodai", "X-API-Key", ""), 201,
                   f"/v0/webhooks/{ids['shodai']}/test"),
        "trulayer": (emulator.Client(setup.emulated, "trulayer"), 200,
                     f"/v1/webhooks/{ids['trulayer']}/test"),
    }
    for provider, (client, status, path) in calls.items():
        answer = client.ask("POST", path, headers=[("Hookline-Fault", "wrong-secret,duplicate")])
        wires = setup.receiver.take(2)
        check(f"{provider}: a call may ask for faults",
              answer.status == status and wires[0].data == wires[1].data and
              not setup.is_good(provider, wires[0]), answer)
        answer = client.ask("POST", path, headers=[("Hookline-Fault", "bogus")])
        equal(f"{provider}: but not for others", answer.status, 400)
        answer = setup.emulated.ask("PUT", f"/emulator/endpoints/{provider}/{ids[provider]}/faults",
                                    body={"faults": "future=900"})
        equal(f"{provider}: an endpoint may have faults", (answer.status, answer.json["faults"]),
              (200, "future=900"))
        setup.call(client, path)
        wire, = setup.receiver.take()
        check(f"{provider}: then each delivery has them", setup.is_shifted(provider, wire, 900))
        setup.call(client, path, headers=[("Hookline-Fault", "tamper")])
        wire, = setup.receiver.take()
        check(f"{provider}: a call's own are in their place",
              setup.is_shifted(provider, wire) and not setup.is_good(provider, wire))
        setup.emulated.ask("PUT", f"/emulator/endpoints/{provider}/{ids[provider]}/faults",
                           body={"faults": ""})
        setup.call(client, path)
        wire, = setup.receiver.take()
        check(f"{provider}: until they are taken away", setup.is_good(provider, wire) and
              setup.is_shifted(provider, wire))
    for name, path, body, status in (
            ("an unknown endpoint", "/emulator/endpoints/foil/we_0/faults", {"faults": ""}, 404),
            ("an unknown fault", f"/emulator/endpoints/foil/{ids['foil']}/faults",
             {"faults": "bogus"}, 400),
            ("no text", f"/emulator/endpoints/foil/{ids['foil']}/faults", {"faults": 1}, 400)):
        equal(f"faults of {name} are {status}",
              setup.emulated.ask("PUT", path, body=body).status, status)
    setup.close()


def test_process():
    setup = Setup("--fault=stale=700", schemes=("foil",))
    client = emulator.Client(setup.emulated, "foil")
    wire, = setup.deliver("foil")
    check("a process may have faults", setup.is_shifted("foil", wire, -700))
    base = f"/v1/organizations/{setup.emulated.organization}/webhooks/endpoints"
    made = client.ask("POST", base, {"name": "x", "url": setup.receiver.url,
                                     "event_types": ["gate.session.approved"]}).json["data"]
    setup.emulated.secrets.add(made["signing_secret"])
    setup.call(client, f"{base}/{made['id']}/test")
    wire, = setup.receiver.take()
    check("... which endpoints that are made later have, too", setup.is_shifted("foil", wire, -700))
    lines = wait_for(lambda: len(ended := setup.emulated.output().split("\n")[1:-1]) > 1 and ended,
                     "both lines")
    equal("the lines name them", {json.loads(line)["faults"] for line in lines}, {"stale=700"})
    setup.close()
