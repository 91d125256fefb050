# SPDX-License-Identifier: MIT
"""Emulated TruLayer: answers match its OpenAPI, refusals its guide, and the ping its
documentation."""
import hashlib
import hmac
import json
import subprocess
import time

import pytest

from harness import schema
from harness.emulator import Client, Emulator, body_of, conforms, receiver
from harness.cli import sink
from harness.ports import free_port
from harness.sink import check, equal
from harness.upstream import header

pytestmark = [pytest.mark.running, pytest.mark.threads]

AT = "/v1/webhooks"
SECRET = "a secret of the client's choice"


class TruLayer(Client):
    def __init__(self, emulator):
        super().__init__(emulator, "trulayer")
        emulator.secrets.add(SECRET)

    def create(self, url, **more):
        return self.ask("POST", AT, {"url": url, "secret": SECRET, **more}).json

    def test(self, webhook, **more):
        return self.ask("POST", f"{AT}/{webhook['id']}/test", **more)


def signature(secret, request):
    return "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()


def test_webhooks():
    trulayer = TruLayer(Emulator())
    answer = trulayer.ask("POST", AT, {"url": "http://127.0.0.1:1/hooks", "secret": SECRET})
    created = conforms("creating a webhook answers 201", answer, 201, schema.TRULAYER_WEBHOOK)
    check("without its secret, which the client knows", SECRET.encode() not in answer.body
          and "secret" not in created, created)
    equal("it is enabled and has the usual event", (created["enabled"], created["events"]),
          (True, ["failure.detected"]))
    second = trulayer.create("https://app.example.com/", events=["of my own", ""], enabled=False)
    equal("events are any texts, and it may be disabled", (second["events"], second["enabled"]),
          (["of my own", ""], False))
    equal("no events are none", trulayer.create("http://127.0.0.1:1/", events=[])["events"], [])
    listed = conforms("the list conforms", trulayer.ask("GET", AT), 200, schema.TRULAYER_LIST)
    equal("it has all of them, the newest first", listed["webhooks"][1:], [second, created])
    equal("all are of one tenant", len({w["tenant_id"] for w in listed["webhooks"]}), 1)
    answer = trulayer.ask("DELETE", f"{AT}/{second['id'].upper()}")
    equal("DELETE answers 204 with nothing, whatever case the UUID is in",
          (answer.status, answer.body), (204, b""))
    check("then it is gone", second not in trulayer.ask("GET", AT).json["webhooks"])
    conforms("and deleting it again is 404", trulayer.ask("DELETE", f"{AT}/{second['id']}"), 404,
             schema.TRULAYER_ERROR)


def test_delivery():
    trulayer, behind = TruLayer(Emulator()), receiver(202, b'{"receipt":"0123456789abcdef"}')
    webhook = trulayer.create(behind.url, enabled=False)
    before = int(time.time())
    test = conforms("a test answers 200, also before it is enabled", trulayer.test(webhook), 200,
                    schema.TRULAYER_TEST)
    equal("with what the destination answered", test,
          {"status": 202, "body": '{"receipt":"0123456789abcdef"}'})
    request = behind.requests[0]
    body = body_of(request)
    found = list(schema.problems(schema.TRULAYER_BODY, body))
    check("the body is as the documentation says", not found, *found, body)
    equal("its keys have the order of the documentation", list(body),
          ["type", "webhook_id", "sent_at"])
    equal("it names the webhook", body["webhook_id"], webhook["id"])
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before - 1))
    check("it was sent now", now <= body["sent_at"], body)
    equal("the signature is that of the client's secret", header(request, "X-TruLayer-Signature"),
          signature(SECRET, request))
    equal("it is JSON by its header", header(request, "Content-Type"), "application/json")
    behind.close()


def test_answers():
    trulayer = TruLayer(Emulator())

    def tested(status, body, headers=()):
        behind = receiver(status, body, headers)
        test = conforms(f"{status} with {len(body)} bytes is 200",
                        trulayer.test(trulayer.create(behind.url)), 200, schema.TRULAYER_TEST)
        equal("there is one attempt, whatever is answered", len(behind.requests), 1)
        behind.close()
        return test
    equal("a refusal is shown", tested(401, b"no"), {"status": 401, "body": "no"})
    equal("no body is an empty one", tested(204, b""), {"status": 204, "body": ""})
    equal("a redirect is an answer", tested(302, b"", [("Location", "http://127.0.0.1:1/")]),
          {"status": 302, "body": ""})
    equal("4 KiB are shown whole", tested(200, b"x" * 4096)["body"], "x" * 4096)
    equal("of more they are the beginning", tested(200, b"x" * 5000)["body"], "x" * 4096)
    for head in range(4):
        got = tested(200, b"x" * head + "😀".encode() * 2000)["body"]
        equal(f"behind {head} bytes a character is not cut", got,
              "x" * head + "😀" * ((4096 - head) // 4))
    equal("what is no text is shown as such", tested(200, b"a\xffb\0c")["body"], "a\ufffdb\ufffdc")
    equal("control characters survive", tested(200, b'\x01"\\\r\n\t')["body"], '\x01"\\\r\n\t')
    check("half a megabyte is no problem", len(tested(200, b"ab" * 250000)["body"]) == 4096)
    nobody = trulayer.create(f"http://127.0.0.1:{free_port()}/")
    equal("where nobody listens it is 0", conforms("and 200", trulayer.test(nobody), 200,
                                                   schema.TRULAYER_TEST),
          {"status": 0, "body": ""})
    equal("so it is where the name is none",
          trulayer.test(trulayer.create("http://nobody.invalid/")).json,
          {"status": 0, "body": ""})


def test_keys():
    trulayer = TruLayer(Emulator())
    webhook = trulayer.create("http://127.0.0.1:1/")
    path = f"{AT}/{webhook['id']}"
    every = [("GET", AT), ("POST", AT), ("DELETE", path), ("POST", path + "/test")]
    good = trulayer.emulator.key("trulayer")

    def refused(sentence, status, *, key=None, headers=(), calls=()):
        for method, where in calls or every:
            conforms(f"{method} {where[:13]}...: {sentence}",
                     trulayer.ask(method, where, key=key, headers=headers), status,
                     schema.TRULAYER_ERROR)
    refused("without a key it is 401", 401, key="")
    refused("with a wrong key it is 401", 401, key=good[:-3] + "zzz")
    refused("with another provider's it is 401", 401, key="shodai")
    refused("with the key in X-API-Key it is 401", 401, key="", headers=[("X-API-Key", good)])
    refused("with the key without Bearer it is 401", 401, key="",
            headers=[("Authorization", good)])
    refused("on the free plan it is 403", 403, key="trulayer.free")
    refused("a viewer's is 403", 403, key="trulayer.viewer", calls=every[1:])
    refused("a member's is 403", 403, key="trulayer.member", calls=every[2:3])
    equal("none of that did anything", trulayer.ask("GET", AT).json, {"webhooks": [webhook]})
    equal("a viewer may look", trulayer.ask("GET", AT, key="trulayer.viewer").status, 200)
    made = trulayer.ask("POST", AT, {"url": "http://127.0.0.1:1/", "secret": SECRET},
                        key="trulayer.member")
    conforms("a member may create", made, 201, schema.TRULAYER_WEBHOOK)
    conforms("and test", trulayer.test(webhook, key="trulayer.member"), 200, schema.TRULAYER_TEST)
    equal("the owner may delete", trulayer.ask("DELETE", path).status, 204)


def test_paths():
    trulayer = TruLayer(Emulator())
    webhook = trulayer.create("http://127.0.0.1:1/")
    for name, ident in (("unknown", "ffffffff-ffff-4fff-8fff-ffffffffffff"), ("malformed", "1"),
                        ("without dashes", webhook["id"].replace("-", "")),
                        ("cut", webhook["id"][:-1]), ("longer", webhook["id"] + "0"),
                        ("in braces", "{" + webhook["id"] + "}"), ("very long", "0" * 4000)):
        for method, end in (("DELETE", ""), ("POST", "/test")):
            conforms(f"{method} ...{end}: an id that is {name} is 404",
                     trulayer.ask(method, f"{AT}/{ident}{end}"), 404, schema.TRULAYER_ERROR)
    for path in (f"{AT}/{webhook['id']}/test/now", f"{AT}/{webhook['id']}/secret", AT + "/"):
        conforms(f"{path.replace(webhook['id'], '...')} is no route: 404",
                 trulayer.ask("POST", path), 404, schema.TRULAYER_ERROR)
    for method, path, allowed in (("PUT", AT, "GET, POST"),
                                  ("GET", f"{AT}/{webhook['id']}", "DELETE"),
                                  ("GET", f"{AT}/{webhook['id']}/test", "POST")):
        answer = trulayer.ask(method, path)
        conforms(f"{method} {path[:13]}... is 405", answer, 405, schema.TRULAYER_ERROR)
        equal("and it says what is allowed", answer.header("Allow"), allowed)


def test_forms():
    trulayer = TruLayer(Emulator())
    good = {"url": "http://127.0.0.1:1/", "secret": SECRET}

    def refused(sentence, body, about):
        answer = trulayer.ask("POST", AT, body)
        error = conforms(sentence, answer, 400, schema.TRULAYER_ERROR)["error"]
        check(f"{sentence}, and says why", about in error, error)
    refused("without url it is 400", {"secret": SECRET}, "url")
    refused("without secret it is 400", {"url": good["url"]}, "secret")
    for url in (None, 1, "", "x", "ftp://app.example.com/", "http://"):
        refused(f"{url!r} as url is 400", {**good, "url": url}, "url")
    for secret in (None, 16, "", "x" * 15, "ü" * 15):
        refused(f"{secret!r} as secret is 400", {**good, "secret": secret}, "secret")
    refused("a secret with a line end is 400, since nothing is signed with it",
            {**good, "secret": SECRET + "\n"}, "white space")
    refused("a secret without an end is 400", {**good, "secret": "x" * 513}, "512")
    refused("a text as events is 400", {**good, "events": "x"}, "events")
    refused("null as events is 400", {**good, "events": None}, "events")
    refused("a number as event is 400", {**good, "events": ["x", 1]}, "events[1]")
    refused("a text as enabled is 400", {**good, "enabled": "true"}, "enabled")
    for body in (b"", b"{", b"{}{}", b'{"url":"\xff"}', b"{}\0"):
        refused(f"{body!r} as body is 400", body, "JSON")
    refused("a list as body is 400", "[]", "body")
    equal("none of that did anything", trulayer.ask("GET", AT).json, {"webhooks": []})
    equal("a secret of 16 characters is good", trulayer.ask("POST", AT, {
        **good, "secret": "ü" * 16}).status, 201)
    equal("what the schema does not name is not looked at", trulayer.ask("POST", AT, {
        **good, "name": 1}).status, 201)


def test_strict():
    folder = sink.Folders.new()
    trulayer = TruLayer(Emulator("--store", f"{folder}/store", folder=folder))
    old = trulayer.create("http://127.0.0.1:1/")
    trulayer.emulator.stop()
    trulayer = TruLayer(Emulator("--store", f"{folder}/store", "--strict-urls", folder=folder))

    def refused(url, key):
        answer = trulayer.ask("POST", AT, {"url": url, "secret": SECRET})
        error = conforms(f"with --strict-urls {url} is 422", answer, 422, schema.TRULAYER_ERROR)
        equal("for the reason", error, {"error": "webhook.url." + key})
    for url in ("http://app.example.com/", "http://127.0.0.1/"):
        refused(url, "not_https")
    for host in ("127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "10.1.2.3", "172.16.0.1",
                 "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
                 "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]",
                 "[::ffff:10.0.0.1]", "localhost", "LOCALHOST.", "a.localhost", "127.0.0.1:8443"):
        refused(f"https://{host}/hooks?x=1", "private_ip")
    for host in ("nobody.invalid", "a.nobody.invalid.", "256.256.256.256"):
        refused(f"https://{host}/", "unresolvable")
    for host in ("93.184.216.34", "172.32.0.1", "100.128.0.1", "[2606:2800:220:1::1]"):
        equal(f"https://{host}/ is good", trulayer.ask("POST", AT, {
            "url": f"https://{host}/", "secret": SECRET}).status, 201)
    error = conforms("an older webhook is refused at its test", trulayer.test(old), 422,
                     schema.TRULAYER_ERROR)
    equal("for its URL", error, {"error": "webhook.url.not_https"})


def test_faults():
    trulayer, behind = TruLayer(Emulator()), receiver()
    webhook = trulayer.create(behind.url)
    error = conforms("an unknown fault is 400", trulayer.test(webhook, headers=[
        ("Hookline-Fault", "nonsense")]), 400, schema.TRULAYER_ERROR)["error"]
    check("and the word is named", "nonsense" in error, error)
    conforms("a burst is answered for one of it", trulayer.test(webhook, headers=[
        ("Hookline-Fault", "burst=3")]), 200, schema.TRULAYER_TEST)
    equal("so many pings arrive", len({r.body for r in behind.wait(3)}), 3)
    for _ in range(2):
        trulayer.test(webhook, headers=[("Hookline-Fault", "burst=100")])
    equal("of two bursts at once no ping is another's duplicate, though only its time is its own",
          len({r.body for r in behind.wait(203)}), 203)
    behind.close()


def test_curl():
    """Documented OpenAPI call, by curl."""
    trulayer, behind = TruLayer(Emulator()), receiver(200, b"ok")
    webhook = trulayer.create(behind.url)
    result = subprocess.run(
        ["curl", "-sS", "--request", "POST", "--url",
         f"{trulayer.emulator.base.rstrip('/')}{AT}/{webhook['id']}/test",
         "--header", f"Authorization: Bearer {trulayer.emulator.key('trulayer')}"],
        capture_output=True, check=False)
    equal("a curl call as documented is answered", json.loads(result.stdout),
          {"status": 200, "body": "ok"}, result)
    behind.close()
