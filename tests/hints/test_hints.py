# SPDX-License-Identifier: MIT
"""Hints: the log line of a refusal names the usual mistake, the answer never does."""
import base64
import json
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path
from harness.sink import (SECRETS, Daemon, Stopwatch, check, equal, mac_of, sample_body, sign,
                          source, to_bytes)

pytestmark = [pytest.mark.running, pytest.mark.threads]

EVENT = {"id": "evt_1", "type": "webhook.test", "data": {"amount": 10.00, "name": "Jörg </b>",
                                                         "list": [1, [], {}, {"deep": None}]}}
HEX, OTHER_HEX = "00112233445566778899aabbccddeeff" * 2, "ffeeddccbbaa99887766554433221100" * 2
DESCRIPTION = "signature X-Sig; encoding hex; timestamp header X-Time {}; content {{timestamp}}.{{body}};"


class The:
    daemon = None


def start(*more):
    The.daemon = Daemon(real_time=True, threads=2, sources=[
        *(source(name) for name in ("foil", "shodai", "stripe", "github", "standard")),
        source("second", "foil", ["another secret of 28 bytes..", "the second one of 28 bytes.."]),
        source("hex", description=DESCRIPTION.format("seconds") + "\nsecret hex", secrets=[HEX]),
        source("ms", description=DESCRIPTION.format("milliseconds"), secrets=[OTHER_HEX]), *more])


def hint(sentence, path, headers, body, expected, other=None, code="signature_mismatch"):
    """Repeats the request: the daemon limits how often it searches for a hint and, under load, how
    many refusals it logs."""
    end = time.monotonic() + sink.PATIENCE
    while True:
        answer = The.daemon.send(path, headers, body)
        line = (The.daemon.lines(receipt=answer.receipt) or [{}])[0]
        if line.get("hint") or line and expected is None or time.monotonic() > end:
            break
        time.sleep(0.02)
    equal(sentence, (line.get("reason"), line.get("hint"), line.get("hint_source")),
          (code, expected, other))
    check(f"{sentence}: the sender is not told",
          answer.status == 401 and list(answer.json) == ["error", "receipt"] and
          list(answer.json["error"]) == ["code", "message"], answer)


def foil_with(key, body):
    now = str(int(time.time()))
    return [("X-Foil-Timestamp", now),
            ("X-Foil-Signature", mac_of(to_bytes(key), to_bytes(now + ".") + body))]


def test_other_sources():
    start()
    body = sample_body("foil")
    second = sign("foil", body, secret="the second one of 28 bytes..")
    hint("the secret of another source", "/foil", second, body, "other_source", "second")
    hint("and the other way round", "/second", sign("foil", body), body, "other_source", "foil")
    hint("a delivery to the path of another scheme", "/foil", sign("stripe", body), body,
         "other_source", "stripe", "missing_header")
    hint("though it is old", "/stripe", sign("foil", body, now=int(time.time()) - 10**6), body,
         "other_source", "foil", "missing_header")
    hint("of a forgery there is no hint", "/foil", sign("foil", body, secret="forged " * 4), body, None)


def test_bodies():
    start()
    plain = json.dumps(EVENT).encode()
    spellings = {
        "JavaScript's": json.dumps(EVENT, ensure_ascii=False, separators=(",", ":")),
        "Python's": json.dumps(EVENT),
        "two blanks": json.dumps(EVENT, indent=2, ensure_ascii=False),
        "four blanks": json.dumps(EVENT, indent=4),
        "tabs": json.dumps(EVENT, indent="\t"),
        "PHP's": json.dumps(EVENT, separators=(",", ":")).replace("/", "\\/"),
    }
    for name, sent in spellings.items():
        received = spellings["PHP's" if name == "JavaScript's" else "JavaScript's"].encode()
        hint(f"JSON that was written again: {name}", "/foil", sign("foil", sent), received,
             "body_reencoded")
    hint("standard: likewise", "/standard", sign("standard", plain),
         spellings["tabs"].encode(), "body_reencoded")
    hint("a value that was changed on the way has no hint", "/foil", sign("foil", plain),
         plain.replace(b"10.0", b"10"), None)
    for sent, received in ((plain + b"\n", plain), (plain, plain + b"\n"), (plain, plain + b"\r\n"),
                           (plain + b"\r\n", plain)):
        hint(f"a line end more or less: {sent[-2:]} {received[-2:]}", "/github",
             sign("github", sent), received, "body_newline")
    lines = spellings["two blanks"].encode() + b"\n"
    crlf = lines.replace(b"\n", b"\r\n")
    hint("LF became CRLF", "/shodai", sign("shodai", lines), crlf, "body_crlf")
    hint("CRLF became LF", "/shodai", sign("shodai", crlf), lines, "body_crlf")
    text, base64ed = json.dumps(lines.decode()), base64.b64encode(lines).decode()
    for received, name in (
            (base64ed, "body_base64"), (base64ed + "\n", "body_base64"), (text, "body_string"),
            (text.replace("/", "\\/").replace("<", "\\u003C"), "body_string"),
            (json.dumps({"path": "/", "body": lines.decode(), "isBase64Encoded": False}), "body_event"),
            (json.dumps({"headers": {}, "isBase64Encoded": True, "body": base64ed}), "body_event")):
        hint(f"a body that a gateway encoded: {received[:30]}", "/stripe", sign("stripe", lines),
             received.encode(), name)
    longest = b'{"a": "' + b"x" * (65536 - 9) + b'"}'
    short = longest.replace(b": ", b":")
    hint("a body of 64 KiB is looked at", "/github", sign("github", short), longest, "body_reencoded")
    hint("a longer one is not", "/github", sign("github", short), longest + b" ", None)


def test_keys():
    start()
    body = sample_body("foil")
    secret = SECRETS["foil"]
    hint("a line end behind the secret", "/foil", foil_with(secret + "\n", body), body,
         "secret_newline")
    hint("a CRLF", "/foil", foil_with(secret + "\r\n", body), body, "secret_newline")
    hint("the second secret's", "/second", foil_with("the second one of 28 bytes..\n", body), body,
         "secret_newline")
    hint("without whsec_", "/foil", foil_with(secret.removeprefix("whsec_"), body), body,
         "secret_decoding")
    now = str(int(time.time()))

    def signed(key, content):
        return [("X-Sig", mac_of(key, content + body)), ("X-Time", now)]

    hint("a hex secret taken as it stands", "/hex", signed(HEX.encode(), now.encode() + b"."), body,
         "secret_decoding")
    text = SECRETS["standard"]
    for name, key in (("whole", text.encode()), ("without its prefix", text[6:].encode())):
        content = b"evt_1." + now.encode() + b"." + body
        headers = [("webhook-id", "evt_1"), ("webhook-timestamp", now),
                   ("webhook-signature", "v1," + mac_of(key, content, sink.base64_text))]
        hint(f"a secret in base64 taken {name}", "/standard", headers, body, "secret_decoding")
    key = base64.b64decode(OTHER_HEX)
    hint("a text taken for base64", "/ms", [("X-Sig", mac_of(key, (now + "000.").encode() + body)),
                                            ("X-Time", now + "000")], body, "secret_decoding")


def test_own_secrets():
    """The text of each secret may be meant so: a warning, and a hint once it is certain."""
    secret, body = "own secret of 28 bytes, no more", sample_body("foil")
    line = base64.b64encode(secret.encode() + b"\n").decode()
    looks = {
        "quotes": (f'"{secret}"', "has quotes around it; delete them"),
        "assignment": (f"export FOIL_SECRET='{secret}'", "reads NAME=value; keep only the value"),
        "bearer": ("Bearer " + secret, "begins with the word Bearer; delete that word"),
        "escape": (secret + "\\n", "ends with a backslash"),
        "bom": ("\ufeff" + secret, "begins with a byte order mark"),
        "blanks": (secret + "\u00a0", "begins or ends with white space or an invisible character"),
        "base64": (line, "is base64 of a text that ends with a newline")}
    sink.Watch.words.add(line.encode())
    start(*(source("look-" + name, "foil", [text]) for name, (text, _) in looks.items()),
          source("good-base64", "foil", [base64.b64encode(secret.encode()).decode()]))
    messages = The.daemon.messages()
    code, out, checked = sink.run("--config", The.daemon.folder + "/hooklined.yaml", "--check")
    for name, (_, says) in looks.items():
        warning = f"source look-{name}: secret 0 {says}"
        check(f"secret, {name}: the start and --check warn", warning in messages and
              warning in checked and code == 0 and out.startswith("configuration is good"),
              messages, checked)
        hint(f"secret, {name}: a hint when the signature matches without the mistake",
             "/look-" + name, sign("foil", body, secret=secret), body, "secret_" + name)
    check("no other secret is warned about", "good-base64" not in messages and
          messages.count("secret 0") == len(looks), messages)


def test_urls():
    description = "signature X-Sig; encoding hex; content {method}{url}{body}"
    key = "a secret of 28 bytes for urls"
    start(source("url", description=description, secrets=[key], url="https://Sink.example/url"))
    for url, name in (("https://Sink.example/url/", "url_slash"), ("http://Sink.example/url", "url_scheme"),
                      ("https://Sink.example:443/url", "url_port"), ("https://sink.example/url", "url_case"),
                      ("https://Sink.example/url?tenant=42", "url_query")):
        hint(f"a signed URL that differs: {name}", "/url?tenant=42",
             [("X-Sig", mac_of(key.encode(), f"POST{url}".encode() + b"{}"))], b"{}", name)
    hint("another host has no hint", "/url", [("X-Sig", mac_of(key.encode(), b"POSThttps://b.example/{}"))],
         b"{}", None)


def test_units():
    start()
    body, now = sample_body("foil"), int(time.time())
    hint("milliseconds where seconds are signed", "/foil", sign("foil", body, now=now * 1000), body,
         "timestamp_unit", code="timestamp_too_new")
    hint("and the other way round", "/ms", [
        ("X-Sig", mac_of(OTHER_HEX.encode(), f"{now}.".encode() + body)), ("X-Time", str(now))], body,
        "timestamp_unit", code="timestamp_too_old")
    hint("a delivery that is old has no hint", "/foil", sign("foil", body, now=now - 1000), body,
         None, code="timestamp_too_old")
    hint("nor has one from the future", "/foil", sign("foil", body, now=now + 100000), body, None,
         code="timestamp_too_new")


def test_how_often():
    """The clock stands still, so the machine's speed does not matter."""
    address, clock = socket_path(), Stopwatch()
    daemon = Daemon(sources=[source("foil"), source("github")], admin={"address": "unix:" + address},
                    env=clock.environment())
    body = b"x" * 65000
    headers = sign("github", body)

    def hints(count):
        for _ in range(count):
            daemon.send("/foil", headers, body)
        return [line.get("hint_source") for line in [stream.line() for _ in range(count)]]

    with Admin(address).watch() as stream:
        stream.next()
        equal("of many refusals of long bodies few are looked at", hints(200),
              ["github"] + [None] * 199)
        clock.set(clock.seconds + 1000)
        equal("and the next one after a rest", hints(2), ["github", None])
    daemon.alive("and all is well")
