# SPDX-License-Identifier: MIT
"""Emulated Shodai: answers match its OpenAPI and its client's types, refusals its documentation;
its client verifies the deliveries."""
import hashlib
import hmac
import json
import subprocess
import time

import pytest

from harness import schema
from harness.emulator import Client, Emulator, body_of, conforms, receiver

from harness.ports import free_port
from harness.sink import check, equal
from harness.upstream import header

pytestmark = [pytest.mark.running, pytest.mark.threads]

AT = "/v0/webhooks"
USUAL = ["agreement.transitioned"]


class Shodai(Client):
    def __init__(self, emulator):
        super().__init__(emulator, "shodai", "X-API-Key", "")

    def create(self, url, **more):
        webhook = self.ask("POST", AT, {"url": url, **more}).json["data"]
        self.emulator.secrets.add(webhook["secret"])
        return webhook

    def test(self, webhook, **more):
        return self.ask("POST", f"{AT}/{webhook['id']}/test", **more)


def signature(secret, request):
    signed = header(request, "X-Shodai-Webhook-Timestamp").encode() + b"." + request.body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def without_secret(webhook):
    return {k: v for k, v in webhook.items() if k != "secret"}


def test_webhooks():
    shodai = Shodai(Emulator())
    answer = shodai.ask("POST", AT, {"url": "http://127.0.0.1:1/hooks"})
    created = conforms("creating a webhook answers 201 with its secret", answer, 201,
                       schema.shodai_single(schema.SHODAI_CREATED))["data"]
    shodai.emulator.secrets.add(created["secret"])
    equal("it is active and has the usual event", (created["status"], created["eventTypes"]),
          ("active", USUAL))
    check("its id looks like one", created["id"].startswith("wh_"), created)
    filters = {"agreementIds": ["a"], "toStates": []}
    second = shodai.create("https://app.example.com/", eventTypes=schema.SHODAI_EVENTS,
                           filters={**filters, "others": ["x"]})
    equal("filters are kept, those that there are", second["filters"], filters)
    equal("so are the events", second["eventTypes"], schema.SHODAI_EVENTS)
    for value in (None, []):
        equal(f"{value} as events stands for the usual one",
              shodai.create("http://127.0.0.1:1/", eventTypes=value)["eventTypes"], USUAL)
    listed = conforms("the list conforms", shodai.ask("GET", AT), 200, schema.SHODAI_LIST)
    equal("it has all of them, the newest first", [w["id"] for w in listed["data"]][2:],
          [second["id"], created["id"]])
    check("and no secret", not any("secret" in w for w in listed["data"]), listed)
    equal("it has one page", listed["pageInfo"], {"limit": 25, "nextCursor": None,
                                                  "totalCount": 4})
    equal("all are of one principal", len({w["principalId"] for w in listed["data"]}), 1)
    path = f"{AT}/{created['id']}"
    got = conforms("one of them can be had", shodai.ask("GET", path), 200,
                   schema.shodai_single(schema.SHODAI_WEBHOOK))["data"]
    equal("as it was made, without its secret", got, without_secret(created))
    time.sleep(0.002)  # timestamps have millisecond resolution
    changed = conforms("PATCH answers with the webhook", shodai.ask("PATCH", path, {
        "url": "http://127.0.0.1:2/", "eventTypes": schema.SHODAI_EVENTS, "filters": filters}),
        200, schema.shodai_single(schema.SHODAI_WEBHOOK))["data"]
    check("what it was given is changed", (changed["url"], changed["eventTypes"],
                                           changed["filters"], changed["status"])
          == ("http://127.0.0.1:2/", schema.SHODAI_EVENTS, filters, "active")
          and changed["updatedAt"] > changed["createdAt"], changed)
    kept = shodai.ask("PATCH", path, {}).json["data"]
    equal("an empty PATCH changes nothing", {**kept, "updatedAt": 0}, {**changed, "updatedAt": 0})
    equal("null as events brings the usual one back",
          shodai.ask("PATCH", path, {"eventTypes": None}).json["data"]["eventTypes"], USUAL)
    check("null as filters takes them away",
          "filters" not in shodai.ask("PATCH", path, {"filters": None}).json["data"])
    disabled = conforms("DELETE disables and answers 200", shodai.ask("DELETE", path), 200,
                        schema.shodai_single(schema.SHODAI_WEBHOOK))["data"]
    equal("it is disabled then, and stays", (disabled["status"], shodai.ask("GET", path).json
                                             ["data"]["status"]), ("disabled", "disabled"))
    equal("a PATCH brings it back",
          shodai.ask("PATCH", path, {"status": "active"}).json["data"]["status"], "active")


def test_delivery():
    shodai, behind = Shodai(Emulator()), receiver(204, b"")
    webhook = shodai.create(behind.url)
    before = int(time.time())
    test = conforms("a test answers 201", shodai.test(webhook), 201,
                    schema.shodai_single(schema.SHODAI_TEST))["data"]
    equal("after the attempt", len(behind.requests), 1)
    delivery_id = test.pop("deliveryId")
    equal("it succeeded", test, {"ok": True, "status": "succeeded", "responseStatus": 204})
    request = behind.requests[0]
    body = body_of(request)
    found = list(schema.problems(schema.SHODAI_BODY, body))
    check("the body is as the client's types say", not found, *found, body)
    equal("its keys have the order of the documentation", list(body),
          ["id", "type", "apiVersion", "createdAt", "data"])
    equal("the header has the body's id", header(request, "X-Shodai-Webhook-Id"), body["id"])
    check("the delivery's id is another", delivery_id.startswith("whd_")
          and delivery_id != body["id"], delivery_id)
    check("the time that is signed is now",
          before <= int(header(request, "X-Shodai-Webhook-Timestamp")) <= int(time.time()))
    equal("the signature is that of the secret that was shown",
          header(request, "X-Shodai-Webhook-Signature"), signature(webhook["secret"], request))
    equal("it is JSON by its header", header(request, "Content-Type"), "application/json")
    shodai.ask("DELETE", f"{AT}/{webhook['id']}")
    equal("a disabled webhook can be tested", shodai.test(webhook).json["data"]["ok"], True)
    behind.close()


def test_pending():
    """The answer comes before the first attempt."""
    shodai, behind = Shodai(Emulator("--retry", "1")), receiver(204, b"")
    webhook = shodai.create(behind.url)
    asked = int(time.time())
    test = conforms("a delayed test is answered with 201", shodai.test(
        webhook, headers=[("Hookline-Fault", "delay=2")]), 201,
        schema.shodai_single(schema.SHODAI_TEST))["data"]
    equal("as pending", {k: v for k, v in test.items() if k != "deliveryId"},
          {"ok": False, "status": "pending"})
    request = behind.wait(1)[0]
    stamp = header(request, "X-Shodai-Webhook-Timestamp")
    check("it is signed when it is sent", int(stamp) >= asked + 2, asked, request)
    equal("rightly", header(request, "X-Shodai-Webhook-Signature"),
          signature(webhook["secret"], request))
    behind.close()


def test_failures():
    shodai, behind = Shodai(Emulator("--retry", "1")), receiver(500)
    webhook = shodai.create(behind.url)
    test = conforms("a test that is refused answers 201, too", shodai.test(webhook), 201,
                    schema.shodai_single(schema.SHODAI_TEST))["data"]
    check("it is not ok, will be tried again, and says why",
          (test["ok"], test["status"], test["responseStatus"]) == (False, "retry_pending", 500)
          and "500" in test["error"], test)
    first, second = behind.wait(2)[:2]
    equal("it is tried again with the same id", body_of(first)["id"], body_of(second)["id"])
    check("and with a time of its own", header(first, "X-Shodai-Webhook-Timestamp")
          != header(second, "X-Shodai-Webhook-Timestamp"))
    behind.close()
    shodai = Shodai(Emulator("--retry", "0"))
    nobody = shodai.create(f"http://127.0.0.1:{free_port()}/")
    test = conforms("where nobody listens it is 201 as well", shodai.test(nobody), 201,
                    schema.shodai_single(schema.SHODAI_TEST))["data"]
    check("failed, with an error and without a status of the receiver",
          (test["ok"], test["status"]) == (False, "failed") and test["error"]
          and "responseStatus" not in test, test)


def test_keys():
    shodai = Shodai(Emulator())
    webhook = shodai.create("http://127.0.0.1:1/")
    path = f"{AT}/{webhook['id']}"
    every = [("GET", AT), ("POST", AT), ("GET", path), ("PATCH", path), ("DELETE", path),
             ("POST", path + "/test")]
    good = shodai.emulator.key("shodai")

    def refused(sentence, status, code, message, *, key=None, headers=()):
        for method, where in every:
            error = conforms(f"{method} {where[:13]}...: {sentence}",
                             shodai.ask(method, where, key=key, headers=headers), status,
                             schema.SHODAI_ERROR)["error"]
            if error["code"] != code or not error["message"].startswith(message):
                equal("the error says so, too", (error["code"], error["message"]), (code, message))
    refused("without a key it is 401", 401, "unauthorized", "Missing API key", key="")
    refused("with a wrong key it is 401", 401, "unauthorized", "Invalid API key",
            key=good[:-3] + "zzz")
    refused("with another provider's it is 401", 401, "unauthorized", "Invalid API key",
            key="foil")
    refused("with the key in X-Key it is 401", 401, "unauthorized", "Missing API key", key="",
            headers=[("X-Key", good)])
    refused("with Basic it is 401", 401, "unauthorized", "Missing API key", key="",
            headers=[("Authorization", "Basic " + good)])
    refused("X-API-Key goes before a bearer token", 401, "unauthorized", "Invalid API key",
            key="wrong-key", headers=[("Authorization", "Bearer " + good)])
    refused("where it has to be paid for it is 402", 402, "payment_required",
            "Paid entitlement required for scope webhooks.", key="shodai.unpaid")
    refused("without entitlement it is 403", 403, "forbidden",
            "Missing entitlement for scope webhooks.", key="shodai.forbidden")
    equal("none of that did anything", shodai.ask("GET", AT).json["data"],
          [without_secret(webhook)])
    equal("the key is good as a bearer token, too", shodai.ask("GET", AT, key="", headers=[
        ("Authorization", "Bearer " + good)]).status, 200)


def test_paths():
    shodai = Shodai(Emulator())
    webhook = shodai.create("http://127.0.0.1:1/")
    for name, ident in (("unknown", "wh_" + "f" * 32), ("a word", "no-such-webhook"),
                        ("upper-case", webhook["id"].upper()), ("cut", webhook["id"][:-1]),
                        ("SQL", "'%20OR%201=1--"), ("very long", "w" * 4000),
                        ("of no text", "%ff%fe")):
        for method, end in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
            error = conforms(f"{method} ...{end}: an id that is {name} is 404",
                             shodai.ask(method, f"{AT}/{ident}{end}"), 404,
                             schema.SHODAI_ERROR)["error"]
            if error["code"] != "not_found":
                equal("the error says so, too", error["code"], "not_found")
    for path in ("/v0", "/v0/agreement", f"{AT}/{webhook['id']}/test/now", f"{AT}//test"):
        conforms(f"{path.replace(webhook['id'], '...')} is no route: 404",
                 shodai.ask("POST", path), 404, schema.SHODAI_ERROR)
    for method, path, allowed in (("PUT", AT, "POST, GET"),
                                  ("GET", f"{AT}/{webhook['id']}/test", "POST"),
                                  ("POST", f"{AT}/{webhook['id']}", "GET, PATCH, DELETE")):
        answer = shodai.ask(method, path)
        conforms(f"{method} {path[:13]}... is 405", answer, 405, schema.SHODAI_ERROR)
        equal("and it says what is allowed", answer.header("Allow"), allowed)


def test_forms():
    shodai = Shodai(Emulator())
    webhook = shodai.create("http://127.0.0.1:1/")
    good = {"url": "http://127.0.0.1:1/"}

    def refused(sentence, body, field=None, method="POST", path=AT):
        error = conforms(sentence, shodai.ask(method, path, body), 400,
                         schema.SHODAI_ERROR)["error"]
        equal(f"{sentence}, and says why",
              (error["code"], error["details"][0]["field"] if field else None),
              ("validation_error", field))
    refused("without url it is 400", {}, "url")
    for url in (None, 1, "", "x", "ftp://app.example.com/", "http://"):
        refused(f"{url!r} as url is 400", {"url": url}, "url")
    refused("an unknown event is 400", {**good, "eventTypes": ["webhook.test"]}, "eventTypes[0]")
    refused("a text as events is 400", {**good, "eventTypes": "x"}, "eventTypes")
    refused("a list as filters is 400", {**good, "filters": []}, "filters")
    refused("a text as filter is 400", {**good, "filters": {"ruleIds": "x"}}, "filters.ruleIds")
    refused("a number in a filter is 400", {**good, "filters": {"ruleIds": ["x", 1]}},
            "filters.ruleIds[1]")
    for body in (b"", b"{", b"{}{}", b'{"url":"\xff"}', b"{}\0"):
        refused(f"{body!r} as body is 400", body)
    refused("a list as body is 400", "[]", "body")
    path = f"{AT}/{webhook['id']}"
    refused("PATCH: an unknown status is 400", {"status": "paused"}, "status", "PATCH", path)
    refused("PATCH: null as url is 400", {"url": None}, "url", "PATCH", path)
    equal("none of that did anything", shodai.ask("GET", AT).json["data"],
          [without_secret(webhook)])
    more = conforms("what the schema does not name is not looked at",
                    shodai.ask("POST", AT, {**good, "status": "disabled", "secret": "mine"}), 201,
                    schema.shodai_single(schema.SHODAI_CREATED))["data"]
    check("and has no effect", more["status"] == "active" and more["secret"] != "mine", more)
    shodai = Shodai(Emulator("--strict-urls"))
    error = conforms("with --strict-urls http is 400", shodai.ask("POST", AT, good), 400,
                     schema.SHODAI_ERROR)["error"]
    equal("the URL is to blame", error["details"][0]["field"], "url")


def test_faults():
    shodai, behind = Shodai(Emulator()), receiver()
    webhook = shodai.create(behind.url)
    error = conforms("an unknown fault is 400", shodai.test(webhook, headers=[
        ("Hookline-Fault", "nonsense")]), 400, schema.SHODAI_ERROR)["error"]
    check("and the word is named", "nonsense" in error["message"], error)
    test = conforms("a burst is answered for one of it", shodai.test(webhook, headers=[
        ("Hookline-Fault", "burst=3")]), 201, schema.shodai_single(schema.SHODAI_TEST))["data"]
    check("which succeeded", test["ok"], test)
    equal("so many events arrive", len({body_of(r)["id"] for r in behind.wait(3)}), 3)
    behind.close()


def test_curl():
    """Documented OpenAPI call, by curl."""
    shodai, behind = Shodai(Emulator()), receiver()
    webhook = shodai.create(behind.url)
    result = subprocess.run(
        ["curl", "-sS", "--request", "POST", "--url",
         f"{shodai.emulator.base.rstrip('/')}{AT}/{webhook['id']}/test",
         "--header", f"X-API-Key: {shodai.emulator.key('shodai')}"],
        capture_output=True, check=False)
    equal("a curl call as documented is answered",
          list(schema.problems(schema.shodai_single(schema.SHODAI_TEST),
                               json.loads(result.stdout))), [], result)
    equal("and what it asked for has arrived", len(behind.requests), 1)
    behind.close()
