# SPDX-License-Identifier: MIT
"""Good and bad deliveries of each sender, with answers and log lines."""
import json
import socket
import re
import time

import pytest

from harness import sink
from harness.sink import (SECRETS, Clock, Daemon, Stopwatch, check, equal, sample_body, sign,
                          source, wait_for)

pytestmark = [pytest.mark.compiler, pytest.mark.valgrind, pytest.mark.running, pytest.mark.threads]

NOW = 1800000000
ID_IN_BODY = {"foil", "tripwire", "stripe", "slack"}
ID_IN_HEADER = {"shodai", "standard", "svix"}
TYPES = {"foil": "webhook.test", "tripwire": "webhook.test", "shodai": "webhook.test",
         "trulayer": "ping", "standard": "ping", "svix": "ping", "stripe": "ping",
         "github": None, "slack": "event_callback"}
SIGNATURE = {"foil": "X-Foil-Signature", "tripwire": "X-Tripwire-Signature",
             "shodai": "X-Shodai-Webhook-Signature", "trulayer": "X-TruLayer-Signature",
             "standard": "webhook-signature", "svix": "svix-signature",
             "stripe": "Stripe-Signature", "github": "X-Hub-Signature-256",
             "slack": "X-Slack-Signature"}
TIMESTAMP = {"foil": "X-Foil-Timestamp", "tripwire": "X-Tripwire-Timestamp",
             "shodai": "X-Shodai-Webhook-Timestamp", "standard": "webhook-timestamp",
             "svix": "svix-timestamp", "slack": "X-Slack-Request-Timestamp"}
OTHER_SECRET = {"standard": "whsec_" + "QUJD" * 8, "svix": "whsec_" + "QUJD" * 8}


class The:
    daemon = None
    clock = None


def refused(sentence, answer, status, code):
    """A refusal is short JSON; its log line has the same reason and no unsigned data."""
    kind = answer.header("Content-Type")
    good = answer.status == status and kind == "application/json" and \
        list(answer.json) == ["error", "receipt"] and \
        set(answer.json["error"]) == {"code", "message"} and \
        answer.code == code and answer.json["error"]["message"]
    check(sentence, good, f"expected {status} {code}", answer)


def replaced(headers, name, value):
    return [(n, value if n == name else v) for n, v in headers]


def id_of(scheme):
    return "evt_1" if scheme in ID_IN_BODY | ID_IN_HEADER else None


def accepted(scheme):
    before, began = len(The.daemon.lines()), time.monotonic()
    answer = The.daemon.deliver(scheme, now=NOW)
    took = time.monotonic() - began
    equal(f"{scheme}: a test delivery is accepted",
          (answer.status, answer.json, answer.header("Content-Type")),
          (200, {"status": "accepted", "source": scheme, "id": id_of(scheme),
                 "type": TYPES[scheme], "receipt": answer.receipt}, "application/json"))
    line = The.daemon.lines()[before]
    expected = {
        "source": scheme, "scheme": scheme, "verdict": "stored", "reason": "verified",
        "status": 200, "receipt": answer.receipt, "id": id_of(scheme), "type": TYPES[scheme],
        "test": scheme in ("foil", "tripwire", "shodai", "trulayer"),
        "signed_at": None if scheme == "github" else NOW, "fresh": scheme != "github",
        "secret": 0, "bytes": len(sample_body(scheme, now=NOW)),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NOW)),
    }
    equal(f"{scheme}: its line says who, what, when and that it was accepted",
          {key: line.get(key) for key in expected}, expected)
    check(f"{scheme}: its line says from where and how long it took",
          line["remote"].startswith("127.0.0.1:") and
          0 <= line["duration_us"] <= took * 1000000 and len(The.daemon.lines()) == before + 1,
          line, took)


def wrong_signatures(scheme):
    daemon, body = The.daemon, sample_body(scheme, now=NOW)
    good = sign(scheme, body, now=NOW)
    name = SIGNATURE[scheme]
    value = dict(good)[name]
    wrong = sign(scheme, body, now=NOW, secret=OTHER_SECRET.get(scheme, "another secret of 26 bytes"))
    refused(f"{scheme}: the signature of another secret is a mismatch",
            daemon.send("/" + scheme, wrong, body), 401, "signature_mismatch")
    refused(f"{scheme}: a changed body is a mismatch",
            daemon.send("/" + scheme, good, body.replace(b"}", b" }", 1)), 401,
            "signature_mismatch")
    refused(f"{scheme}: a body without its last byte is a mismatch",
            daemon.send("/" + scheme, good, body[:-1]), 401, "signature_mismatch")
    refused(f"{scheme}: a delivery without its signature misses a header",
            daemon.send("/" + scheme, [h for h in good if h[0] != name], body), 401,
            "missing_header")
    refused(f"{scheme}: an empty signature is a missing header",
            daemon.send("/" + scheme, replaced(good, name, ""), body), 401, "missing_header")
    refused(f"{scheme}: a signature that is none is malformed",
            daemon.send("/" + scheme, replaced(good, name, "not a signature"), body), 400,
            "invalid_signature_format")
    refused(f"{scheme}: a signature sent twice is ambiguous, even if both are right",
            daemon.send("/" + scheme, good + [(name, value)], body), 400, "ambiguous_header")
    refused(f"{scheme}: a wrong signature beside the right one is ambiguous, in any case of letters",
            daemon.send("/" + scheme, good + [(name.swapcase(), dict(wrong)[name])], body), 400,
            "ambiguous_header")
    upper = [(n.upper(), v) for n, v in good]
    equal(f"{scheme}: the case of the headers' names does not matter",
          daemon.send("/" + scheme, upper, body).status, 200)


def wrong_times(scheme):
    daemon = The.daemon
    if scheme == "github":
        return
    for off, status, code in ((-300, 200, None), (-301, 401, "timestamp_too_old"),
                              (300, 200, None), (301, 401, "timestamp_too_new"),
                              (-10**8, 401, "timestamp_too_old")):
        body = sample_body(scheme, id=f"evt_at_{off}", now=NOW + off)
        answer = daemon.send("/" + scheme,
                             sign(scheme, body, now=NOW + off, id=f"evt_at_{off}"), body)
        equal(f"{scheme}: signed {abs(off)} s {'before' if off < 0 else 'after'} now: "
              f"{code or 'accepted'}", (answer.status, answer.code), (status, code))
    if scheme not in TIMESTAMP:
        return
    body = sample_body(scheme, now=NOW)
    good, name = sign(scheme, body, now=NOW), TIMESTAMP[scheme]
    refused(f"{scheme}: a delivery without its time misses a header",
            daemon.send("/" + scheme, [h for h in good if h[0] != name], body), 401,
            "missing_header")
    for text in ("soon", "0x6b49d200", "1800000000.0", "+1800000000", "01800000000", "-5",
                 "99999999999999999999"):
        refused(f"{scheme}: {text} is no time, though it is signed",
                daemon.send("/" + scheme, sign(scheme, body, now=text), body), 400,
                "invalid_timestamp")
    refused(f"{scheme}: another time than the signed one is a mismatch",
            daemon.send("/" + scheme, replaced(good, name, str(NOW + 1)), body), 401,
            "signature_mismatch")
    refused(f"{scheme}: two times are ambiguous",
            daemon.send("/" + scheme, good + [(name, str(NOW))], body), 400, "ambiguous_header")


UNREADABLE = ((b"not JSON", "not a JSON object"), (b"", "empty"), (b"[1]", "not a JSON object"),
              (b'{"id":', "ends early"), (b'{"x":1} trailing', "text after"),
              (b"\xff\xfe", "not a JSON object"), (b'{"x":1,}', "malformed"))


def unreadable_bodies(scheme):
    daemon = The.daemon
    must_be_json = scheme in ("foil", "stripe", "tripwire", "trulayer")
    for body, why in UNREADABLE:
        headers = sign(scheme, body, now=NOW, id="evt_" + body.hex())
        if scheme == "shodai":
            refused(f"{scheme}: {body!r} lacks the id that the scheme binds",
                    daemon.send("/" + scheme, headers, body), 400, "invalid_payload")
            continue
        answer = daemon.send("/" + scheme, headers, body)
        said = daemon.lines()[-1].get("unreadable")
        check(f"{scheme}: {body!r} is authentic, so it is stored, and the line says what it is",
              answer.json["status"] == "accepted" and answer.json["type"] is None
              and (why in said if must_be_json or body[:1] == b"{" else said is None), answer, said)


def test_providers():
    schemes = sorted(SECRETS)
    The.clock = Clock(NOW)
    The.daemon = Daemon(sources=[source(s) for s in schemes], env=The.clock.environment())
    for scheme in schemes:
        accepted(scheme)
        wrong_signatures(scheme)
        wrong_times(scheme)
        unreadable_bodies(scheme)
    for line in The.daemon.lines(verdict="refused", reason="signature_mismatch"):
        if any(line[key] is not None for key in ("id", "type", "signed_at", "secret")):
            check("a line about a forgery holds nothing of it", False, line)
            break
    else:
        check("a line about a forgery holds nothing of it", True)
    late = The.daemon.lines(reason="timestamp_too_old")
    check("a line about a delivery that is too old says when it was signed",
          late and all(line["signed_at"] < NOW - 300 for line in late), late)


def test_shodai_and_trulayer():
    daemon = Daemon(sources=[source("shodai"), source("trulayer")],
                    env=Clock(NOW).environment())
    body = sample_body("shodai", id="evt_in_the_body", now=NOW)
    refused("shodai: an id in the header that is not the signed one is refused",
            daemon.send("/shodai", sign("shodai", body, now=NOW, id="evt_other"), body), 400,
            "webhook_id_mismatch")
    refused("shodai: a delivery without its id misses a header",
            daemon.send("/shodai", [h for h in sign("shodai", body, now=NOW)
                                    if not h[0].endswith("-Id")], body), 401, "missing_header")
    body = json.dumps({"type": "ping", "data": {}}).encode()
    answer = daemon.send("/trulayer", sign("trulayer", body), body)
    line = daemon.lines()[-1]
    equal("trulayer: without sent_at it is accepted, and the line says that it may be old",
          (answer.status, line["fresh"], line["signed_at"]), (200, False, None))
    for sent_at in ("1800000000", '"2027-01-15T08:00:00Z"', '"2027-01-15T09:00:00+01:00"',
                    '"2027-01-15T08:00:00.123456Z"', "1800000000123"):
        body = b'{"type":"ping","sent_at":%s}' % sent_at.encode()
        answer = daemon.send("/trulayer", sign("trulayer", body), body)
        line = daemon.lines()[-1]
        equal(f"trulayer: sent_at {sent_at} is understood",
              (answer.status, line["fresh"], line["signed_at"]), (200, True, NOW))


def test_the_real_clock():
    daemon = Daemon(sources=[source("foil")])
    equal("by the real clock, too, a delivery of now is accepted", daemon.deliver("foil").status,
          200)
    now = int(time.time())
    late = sample_body("foil", id="evt_late")
    refused("and one of five minutes ago is not",
            daemon.send("/foil", sign("foil", late, now=now - 302), late), 401, "timestamp_too_old")
    refused("nor is one of ten minutes ahead", daemon.deliver("foil", now=now + 600), 401,
            "timestamp_too_new")


def test_a_repetition_of_what_is_stored_ends():
    clock = Clock(NOW)
    daemon = Daemon(sources=[source("foil"), source("standard")], env=clock.environment())
    for scheme in ("foil", "standard"):
        body = sample_body(scheme, now=NOW)
        headers = sign(scheme, body, now=NOW)
        equal(f"{scheme}: a delivery is stored", daemon.send("/" + scheme, headers, body).status, 200)
        clock.set(NOW + 3600)
        answer = daemon.send("/" + scheme, headers, body)
        line = daemon.lines()[-1]
        equal(f"{scheme}: the same bytes an hour later are a duplicate, so that the sender stops",
              (answer.status, answer.json["status"], line["verdict"], line["reason"], line["seq"],
               line["fresh"]), (200, "duplicate", "duplicate", "timestamp_too_old",
                                daemon.lines()[-2]["seq"], False))
        body = sample_body(scheme, id="evt_new", now=NOW)
        refused(f"{scheme}: but a delivery that is not stored is too old",
                daemon.send("/" + scheme, sign(scheme, body, now=NOW, id="evt_new"), body), 401,
                "timestamp_too_old")
        clock.set(NOW)
    equal("neither is stored again", len(daemon.lines(verdict="stored")), 2)


def test_equal_bytes():
    """GitHub signs the body alone, and two runs of a workflow may send the same bytes."""
    daemon = Daemon(sources=[source("github"), source("strict", scheme="github", dedup="mac")])
    body = b'{"inputs":null,"ref":"refs/heads/main"}'
    headers = sign("github", body)
    for path, second in (("/github", "accepted"), ("/strict", "duplicate")):
        got = [daemon.send(path, [*headers, ("X-GitHub-Delivery", id)], body).json["status"]
               for id in ("one", "one", "two", "two")]
        equal(f"{path}: a redelivery is a duplicate, another event is {second}", got,
              ["accepted", "duplicate", second, "duplicate"])
        equal(f"{path}: without the header equal bytes are one event",
              [daemon.send(path, headers, body).json["status"] for _ in range(2)][1], "duplicate")
    equal("the line has the delivery id", daemon.lines(verdict="stored")[0]["delivery_id"], "one")


def test_near_paths():
    daemon = Daemon(sources=[source("stripe"), source("hook", scheme="foil", path="/a/Hook/")])
    for path, name in (("/stripe/", "stripe"), ("/stripe//", "stripe"), ("//stripe", "stripe"),
                       ("/Stripe", "stripe"), ("/str%69pe", "stripe"), ("/stripe/?x=1", "stripe"),
                       ("/a/hook", "hook"), ("/a//Hook/", "hook")):
        answer = daemon.send(path, sign("stripe", b"{}"), b"{}")
        line = daemon.lines()[-1]
        equal(f"{path} is not found, and the line names the source that was meant",
              (answer.code, line["path"], line["hint"], line["hint_source"]),
              ("not_found", path.split("?")[0], "path", name))
    daemon.send("/" + "x" * 900, sign("stripe", b"{}"), b"{}")
    line = daemon.lines()[-1]
    equal("a path is cut, and nothing near has no hint", (line["path"], "hint" in line),
          ("/" + "x" * 255, False))


def test_request_forms():
    daemon = Daemon(sources=[source("foil")])
    body = sample_body("foil")
    head = "".join(f"{name}: {value}\r\n" for name, value in sign("foil", body))

    def ask(line, more="", version="HTTP/1.1"):
        with socket.create_connection(daemon.address, sink.PATIENCE) as connection:
            connection.sendall(
                f"POST {line} {version}\r\nHost: x\r\n{head}{more}Connection: close\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    for target in ("http://hooks.example.com/foil", "HTTPS://x:8443/foil", "http://x/foil?a=/b"):
        check(f"the absolute form {target} is accepted", b" 200 " in ask(target)[:16])
    for target in ("http://x", "http://x?/foil"):
        check(f"{target} is not the path of a source", b" 404 " in ask(target)[:16])
    for target in ("ftp://x/foil", "foil", "http:///foil", "*", "/foil#x"):
        check(f"{target} is no target of a POST", b" 400 " in ask(target)[:16])
    for fold in ("Content-Type: application/json;\r\n charset=utf-8\r\n", "X-A: b\r\n\tc\r\n"):
        check("a header that goes on in the next line is refused, never cut",
              b" 400 " in ask("/foil", fold)[:16])
    for expect in ("Expect: 100-continue\r\n", "EXPECT:100-Continue\r\n"):
        check("HTTP/1.0 gets no 100 Continue",
              ask("/foil", expect, "HTTP/1.0").split(b" ")[1] == b"200")
    check("HTTP/1.1 does", ask("/foil", "Expect: 100-continue\r\n").split(b" ")[1] == b"100")


def test_methods_and_paths():
    daemon = Daemon(sources=[source("foil"), source("other", "foil", [SECRETS["foil"]],
                                                    path="/hooks/v1/foil")])
    body = sample_body("foil")
    headers = sign("foil", body)
    for method in ("GET", "PUT", "HEAD", "DELETE", "PATCH", "post", "BREW"):
        data = b"" if method in ("GET", "HEAD") else body
        answer = daemon.send("/foil", headers, data, method=method)
        check(f"{method} is not allowed, and the answer says that POST is",
              answer.status == 405 and answer.header("Allow") == "POST" and
              (answer.body == b"" if method == "HEAD" else answer.code == "method_not_allowed"),
              answer)
    answer = daemon.send("/foil", method="OPTIONS")
    equal("OPTIONS says what is allowed, and leaves no line",
          (answer.status, answer.header("Allow"), answer.body, daemon.lines(reason="options")),
          (204, "POST, OPTIONS", b"", []))
    equal("OPTIONS of an unknown path: 404",
          daemon.send("/nothing", method="OPTIONS").status, 404)
    for path in ("/", "/foi", "/foil/", "/foill", "/FOIL", "//foil", "/./foil",
                 "/x/../foil", "/%66oil", "/hooks/v1", "/foil%00", "/foil;x"):
        refused(f"the path {path} is unknown", daemon.send(path, headers, body), 404, "not_found")
    for path in ("/foil?", "/foil?a=1&b=/other", "/foil??"):
        equal(f"{path} is the source foil", daemon.send(path, headers, body).json["source"], "foil")
    equal("a path of one's own choice has its source",
          daemon.send("/hooks/v1/foil", headers, body).json["source"], "other")
    line = daemon.lines(reason="not_found")[0]
    equal("a line about an unknown path names no source", (line["source"], line["scheme"]),
          (None, None))


def test_receipts():
    daemon = Daemon(sources=[source("foil")], limits={"body_bytes": 1000}, threads=2,
                    env=Stopwatch().environment())
    body, good = sample_body("foil"), daemon.deliver("foil")
    answers = [good, daemon.deliver("foil"), daemon.deliver("foil"),
               daemon.send("/foil", sign("foil", body, secret="another secret of 26 bytes"), body),
               daemon.send("/foil", [], body), daemon.send("/foil", [], b"x" * 1001),
               daemon.send("/foil", [], b"x" * 100000), daemon.send("/foil", method="GET"),
               daemon.send("/nowhere", [], body), daemon.send("/foil", [("Expect", "more")], body)]
    equal("there is a receipt in answers of each kind", [answer.status for answer in answers],
          [200, 200, 200, 401, 401, 413, 413, 405, 404, 417])
    check("it is 16 digits of hex and stands at the end",
          all(re.fullmatch(b'\\{.*,"receipt":"[0-9a-f]{16}"\\}\n', answer.body)
              for answer in answers), *answers)
    for answer in answers:
        lines = daemon.lines(receipt=answer.receipt)
        equal(f"{answer.status}: one line has the receipt of the answer, with the same reason",
              [(line["status"], line["reason"]) for line in lines],
              [(answer.status, answer.code or "verified")])
    many = [daemon.send("/nowhere").receipt for _ in range(300)]
    equal("no two are the same", len({*many, *(answer.receipt for answer in answers)}),
          len(many) + len(answers))
    wait_for(lambda: len(daemon.lines(reason="not_found")) > 1, "the lines of the refusals")
    line = daemon.lines(verdict="stored")[0]
    equal("it stands behind reason and status", list(line)[4:7], ["reason", "status", "receipt"])
    with open(daemon.store, "rb") as store, open(daemon.store + "-wal", "rb") as wal:
        check("it is not stored", good.receipt.encode() not in store.read() + wal.read())


def test_rotation():
    old, new = "the-old-secret-0123456789", "the-new-secret-0123456789"
    sink.Watch.words |= {old.encode(), new.encode()}
    daemon = Daemon(sources=[source("foil", "foil", [new, old])])
    body = sample_body("foil")
    for index, secret in enumerate((new, old)):
        answer = daemon.send("/foil", sign("foil", body, secret=secret), body)
        equal(f"while secrets rotate, number {index} is good, and the line says which it was",
              (answer.status, daemon.lines()[-1]["secret"]), (200, index))
