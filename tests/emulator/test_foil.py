# SPDX-License-Identifier: MIT
"""Emulated Foil: answers match its OpenAPI, refusals and deliveries its documentation."""
import hashlib
import hmac
import json
import subprocess
import time

import pytest

from harness import schema
from harness.emulator import Client, Emulator, body_of, conforms, receiver

from harness.ports import free_port
from harness.sink import check, equal, wait_for
from harness.upstream import header, response

pytestmark = [pytest.mark.running, pytest.mark.threads]

UNKNOWN = "f" * 32
CREATE = {"name": "Orders", "event_types": ["session.result.persisted"]}


class Foil(Client):
    def __init__(self, emulator, name="foil"):
        super().__init__(emulator, name)
        self.at = f"/v1/organizations/{emulator.organization}"
        self.endpoints = self.at + "/webhooks/endpoints"

    def create(self, url, **more):
        endpoint = self.ask("POST", self.endpoints, {**CREATE, "url": url, **more}).json["data"]
        self.emulator.secrets.add(endpoint["signing_secret"])
        return endpoint

    def test(self, endpoint, **more):
        return self.ask("POST", f"{self.endpoints}/{endpoint['id']}/test", **more)

    def event(self, test):
        """Event of a test, once none of its deliveries is pending."""
        path = f"{self.at}/events/{test['event_id']}"

        def settled():
            event = self.ask("GET", path).json["data"]
            busy = {"pending", "delivering"}
            return event if not busy & {d["status"] for d in event["webhook_deliveries"]} else None
        return wait_for(settled, "the end of the deliveries")


def signature(secret, request):
    signed = header(request, "X-Foil-Timestamp").encode() + b"." + request.body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_validator():
    for sentence, good in schema.prove():
        check(sentence, good)


def test_endpoints():
    foil = Foil(Emulator())
    answer = foil.ask("POST", foil.endpoints, {**CREATE, "url": "http://127.0.0.1:1/hooks"})
    created = conforms("creating an endpoint answers 201 with its secret", answer, 201,
                       schema.foil_single(schema.FOIL_ENDPOINT_WITH_SECRET))["data"]
    foil.emulator.secrets.add(created["signing_secret"])
    equal("it is as it was asked for",
          {k: created[k] for k in ("name", "url", "event_types", "status")},
          {**CREATE, "url": "http://127.0.0.1:1/hooks", "status": "active"})
    second = foil.create("https://app.example.com/hooks", name="Second")
    listed = conforms("the list has neither secret", foil.ask("GET", foil.endpoints), 200,
                      schema.foil_list(schema.FOIL_ENDPOINT))
    equal("it has both, the newest first", [e["id"] for e in listed["data"]],
          [second["id"], created["id"]])
    path = f"{foil.endpoints}/{created['id']}"
    time.sleep(0.002)  # timestamps have millisecond resolution
    changed = conforms("PATCH answers with the endpoint", foil.ask("PATCH", path, {
        "name": "Renamed", "event_types": schema.FOIL_SUBSCRIBABLE}), 200,
        schema.foil_single(schema.FOIL_ENDPOINT))["data"]
    check("what it was given is changed, and nothing else",
          changed["name"] == "Renamed" and changed["event_types"] == schema.FOIL_SUBSCRIBABLE
          and changed["url"] == created["url"] and changed["status"] == "active"
          and changed["updated_at"] > changed["created_at"], changed)
    conforms("an empty PATCH is none", foil.ask("PATCH", path, {}), 200,
             schema.foil_single(schema.FOIL_ENDPOINT))
    disabled = conforms("DELETE disables and answers 200", foil.ask("DELETE", path), 200,
                        schema.foil_single(schema.FOIL_ENDPOINT))["data"]
    equal("it is disabled then", disabled["status"], "disabled")
    equal("it stays in the list", [e["status"] for e in foil.ask("GET", foil.endpoints)
                                   .json["data"]], ["active", "disabled"])
    again = foil.ask("PATCH", path, {"status": "active"}).json["data"]
    equal("a PATCH brings it back", again["status"], "active")
    rotated = conforms("a rotation answers 201 with the new secret",
                       foil.ask("POST", path + "/rotations"), 201,
                       schema.foil_single(schema.FOIL_ENDPOINT_WITH_SECRET))["data"]
    foil.emulator.secrets.add(rotated["signing_secret"])
    check("which is another one", rotated["signing_secret"] != created["signing_secret"])
    conforms("afterwards nobody is shown it again", foil.ask("PATCH", path, {}), 200,
             schema.foil_single(schema.FOIL_ENDPOINT))


def test_delivery():
    foil, behind = Foil(Emulator()), receiver(body=b'{"received":true}')
    endpoint = foil.create(behind.url)
    before = int(time.time())
    test = conforms("a test answers 202", foil.test(endpoint), 202,
                    schema.foil_single(schema.FOIL_TEST))["data"]
    equal("one delivery is on its way, and the latest",
          test["delivery_ids"], [test["latest_delivery"]["id"]])
    equal("its type is that of tests", test["latest_delivery"]["event_type"], "webhook.test")
    equal("it is of this endpoint", test["latest_delivery"]["endpoint_id"], endpoint["id"])
    request = behind.wait(1)[0]
    body = body_of(request)
    check("the body is as the schema says", not list(schema.problems(schema.FOIL_BODY, body)),
          *schema.problems(schema.FOIL_BODY, body), body)
    equal("it names the event and the endpoint", (body["id"], body["data"]["endpoint"]["id"]),
          (test["event_id"], endpoint["id"]))
    equal("its keys have the order of the documentation", list(body),
          ["id", "object", "type", "created", "data"])
    equal("it is JSON by its header", header(request, "Content-Type"), "application/json")
    check("the time that is signed is now",
          before <= int(header(request, "X-Foil-Timestamp")) <= int(time.time()))
    equal("the signature is that of the secret that was shown", header(request, "X-Foil-Signature"),
          signature(endpoint["signing_secret"], request))
    event = foil.event(test)
    found = list(schema.problems(schema.FOIL_EVENT, event))
    check("the event conforms", not found, *found, event)
    equal("it has the delivery's data", event["data"], body["data"])
    equal("its subject is the endpoint", event["subject"],
          {"type": "webhook_endpoint", "id": endpoint["id"]})
    delivery = event["webhook_deliveries"][0]
    equal("the delivery tells what was answered",
          [delivery[k] for k in ("id", "event_id", "status", "attempts", "response_status",
                                 "response_body", "error")],
          [test["delivery_ids"][0], test["event_id"], "succeeded", 1, 200, '{"received":true}',
           None])
    behind.close()


def test_failures():
    foil, behind = Foil(Emulator("--retry", "1")), receiver(500, b"no \xff " + b"x" * 9000)
    endpoint = foil.create(behind.url)
    test = foil.test(endpoint).json["data"]
    behind.wait(2)
    delivery = foil.event(test)["webhook_deliveries"][0]
    equal("what failed was tried again, and then it is over",
          [delivery[k] for k in ("status", "attempts", "response_status", "error")],
          ["failed", 2, 500, None])
    check("of an answer 4 KiB are kept, as text",
          delivery["response_body"].startswith("no \ufffd xxx")
          and 4090 <= len(delivery["response_body"].encode()) <= 4096)
    equal("the attempts have one id", len({body_of(r)["id"] for r in behind.requests}), 1)
    check("each signs a time of its own",
          len({header(r, "X-Foil-Timestamp") for r in behind.requests}) == 2,
          [r.headers for r in behind.requests])
    check("each is signed well", all(header(r, "X-Foil-Signature") == signature(
        endpoint["signing_secret"], r) for r in behind.requests))
    behind.close()
    nobody = foil.create(f"http://127.0.0.1:{free_port()}/")
    delivery = foil.event(foil.test(nobody).json["data"])["webhook_deliveries"][0]
    check("where nobody listens there is an error and no answer",
          delivery["status"] == "failed" and delivery["error"]
          and delivery["response_status"] is None and delivery["response_body"] is None, delivery)


def test_rotation():
    foil, behind = Foil(Emulator("--retry", "1")), receiver()
    endpoint = foil.create(behind.url)
    path = f"{foil.endpoints}/{endpoint['id']}"
    foil.test(endpoint)
    behind.wait(1)
    secret = foil.ask("POST", path + "/rotations").json["data"]["signing_secret"]
    foil.emulator.secrets.add(secret)
    foil.test(endpoint)
    first, second = behind.wait(2)[:2]
    equal("before the rotation the first secret signs", header(first, "X-Foil-Signature"),
          signature(endpoint["signing_secret"], first))
    equal("after it the new one does", header(second, "X-Foil-Signature"),
          signature(secret, second))
    newest = []

    def rotate_and_fail(_request, _sock):
        newest.append(foil.ask("POST", path + "/rotations").json["data"]["signing_secret"])
        behind.answer = lambda request, sock: response(200)
        return response(500)
    behind.answer = rotate_and_fail
    foil.test(endpoint)
    again = behind.wait(4)[3]
    foil.emulator.secrets.add(newest[0])
    equal("so it does for what is tried again after a rotation", header(again, "X-Foil-Signature"),
          signature(newest[0], again))
    foil.ask("DELETE", path)
    skipped = conforms("the test of a disabled endpoint is accepted", foil.test(endpoint), 202,
                       schema.foil_single(schema.FOIL_TEST))["data"]
    equal("and skipped", skipped["latest_delivery"]["status"], "skipped")
    equal("with no attempt", foil.event(skipped)["webhook_deliveries"][0]["attempts"], 0)
    equal("so nothing more arrives", len(behind.requests), 4)
    behind.close()


def test_events():
    foil, behind = Foil(Emulator()), receiver()
    one, two = foil.create(behind.url), foil.create(behind.url)
    tests = [foil.test(e).json["data"] for e in (one, two, one)]
    for test in tests:
        foil.event(test)
    facts = schema.foil_list(schema.FOIL_EVENT)
    ids = [test["event_id"] for test in tests]

    def listed(query):
        answer = foil.ask("GET", f"{foil.at}/events{query}")
        return [e["id"] for e in conforms(f"GET /events{query} conforms", answer, 200,
                                          facts)["data"]]
    equal("the newest event comes first", listed(""), ids[::-1])
    equal("those of one endpoint can be had", listed(f"?endpoint_id={one['id']}"),
          [ids[2], ids[0]])
    equal("those of a type", listed("?type=webhook.test"), ids[::-1])
    equal("those of another type", listed("?type=gate.session.approved"), [])
    answer = foil.ask("GET", f"{foil.at}/events?limit=2").json
    equal("so many at most, and it says that there are more",
          (len(answer["data"]), answer["pagination"]), (2, {"limit": 2, "has_more": True}))
    equal("by default it is 50", foil.ask("GET", f"{foil.at}/events").json["pagination"],
          {"limit": 50, "has_more": False})
    for query, name in (("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"),
                        ("limit=1.5", "limit"), ("limit=-1", "limit"), ("limit=%31%", "limit"),
                        ("type=ping", "type"), ("endpoint_id=we_1", "endpoint_id")):
        error = conforms(f"?{query} is 422", foil.ask("GET", f"{foil.at}/events?{query}"), 422,
                         schema.FOIL_ERROR)["error"]
        equal(f"?{query}: the parameter is named",
              (error["code"], error["details"]["fields"][0]["name"]),
              ("request.validation_failed", name))
    behind.close()


def test_tripwire():
    """Foil's former name: the same API with a key of its own, and other names of the headers."""
    emulator, behind = Emulator(), receiver()
    tripwire, foil = Foil(emulator, "tripwire"), Foil(emulator)
    endpoint = tripwire.create(behind.url)
    answer = conforms("Tripwire's test answers as Foil's", tripwire.test(endpoint), 202,
                      schema.foil_single(schema.FOIL_TEST))["data"]
    request = behind.wait(1)[0]
    stamp = header(request, "X-Tripwire-Timestamp")
    equal("its headers have the former name", header(request, "X-Tripwire-Signature"),
          hmac.new(endpoint["signing_secret"].encode(), stamp.encode() + b"." + request.body,
                   hashlib.sha256).hexdigest())
    equal("and not the present one", header(request, "X-Foil-Signature"), "")
    found = list(schema.problems(schema.FOIL_BODY, body_of(request)))
    check("the body is the same", not found, *found)
    equal("the event is told", tripwire.event(answer)["webhook_deliveries"][0]["status"],
          "succeeded")
    equal("both keys are of one organization", [e["id"] for e in foil.ask(
        "GET", foil.endpoints).json["data"]], [endpoint["id"]])
    equal("a wrong key is none", tripwire.test(endpoint, key="sk_test_x").status, 401)
    behind.close()


def test_keys():
    foil = Foil(Emulator())
    endpoint = foil.create("http://127.0.0.1:1/")
    path = f"{foil.endpoints}/{endpoint['id']}"
    every = [("GET", foil.endpoints), ("POST", foil.endpoints), ("PATCH", path), ("DELETE", path),
             ("POST", path + "/rotations"), ("POST", path + "/test"),
             ("GET", foil.at + "/events"), ("GET", f"{foil.at}/events/wevt_{UNKNOWN}")]

    def refused(sentence, status, code, *, key=None, headers=(), calls=()):
        for method, where in calls or every:
            error = conforms(f"{method} {where.replace(foil.at, '...')[:40]}: {sentence}",
                             foil.ask(method, where, key=key, headers=headers), status,
                             schema.FOIL_ERROR)["error"]
            if (error["code"], error["status"], error["retryable"]) != (code, status, False):
                equal("the error says so, too",
                      (error["code"], error["status"], error["retryable"]),
                      (code, status, False))
    good = foil.emulator.key("foil")
    missing, invalid = "auth.missing_api_key", "auth.invalid_api_key"
    refused("without a key it is 401", 401, missing, key="")
    refused("with a wrong key it is 401", 401, invalid, key=good[:-3] + "zzz")
    refused("with another provider's it is 401", 401, invalid, key="trulayer")
    refused("with the key in X-API-Key it is 401", 401, missing, key="",
            headers=[("X-API-Key", good)], calls=every[:1])
    refused("with the key without Bearer it is 401", 401, missing, key="",
            headers=[("Authorization", good)], calls=every[:1])
    refused("with Basic it is 401", 401, missing, key="",
            headers=[("Authorization", "Basic " + good)], calls=every[:1])
    refused("with an empty key it is 401", 401, missing, key="",
            headers=[("Authorization", "Bearer ")], calls=every[:1])
    refused("with a key of another organization it is 403", 403,
            "auth.organization_access_denied", key="foil.foreign")
    refused("without webhooks:manage it is 403", 403, "auth.insufficient_scope",
            key="foil.unscoped", calls=every[1:6])
    for method, where in (every[0], every[6]):
        equal(f"{method} {where.replace(foil.at, '...')} needs webhooks:read only",
              foil.ask(method, where, key="foil.unscoped").status, 200)
    other = foil.at[:-1] + ("0" if foil.at[-1] != "0" else "1")
    refused("another organization is 403", 403, "auth.organization_access_denied",
            calls=[(m, w.replace(foil.at, other)) for m, w in every])
    equal("none of that did anything", foil.ask("GET", foil.endpoints).json["data"],
          [{k: v for k, v in endpoint.items() if k != "signing_secret"}])


def test_paths():
    foil = Foil(Emulator())
    endpoint = foil.create("http://127.0.0.1:1/")

    def missing(sentence, method, path):
        error = conforms(sentence, foil.ask(method, path), 404, schema.FOIL_ERROR)["error"]
        if error["code"] != "request.not_found":
            equal("the error says so, too", error["code"], "request.not_found")
    for name, ident in (("unknown", "we_" + UNKNOWN), ("malformed", "we_1"),
                        ("upper-case", endpoint["id"].upper()), ("longer", endpoint["id"] + "0"),
                        ("cut", endpoint["id"][:-1]), ("event's", "wevt_" + UNKNOWN),
                        ("escaped", "%77e_1%2F"), ("very long", "we_" + "0" * 4000)):
        for method, end in (("PATCH", ""), ("DELETE", ""), ("POST", "/rotations"),
                            ("POST", "/test")):
            missing(f"{method} ...{end}: an id that is {name} is 404", method,
                    f"{foil.endpoints}/{ident}{end}")
    missing("an unknown event is 404", "GET", f"{foil.at}/events/wevt_{UNKNOWN}")
    missing("a malformed event id is 404", "GET", f"{foil.at}/events/1")
    missing("a malformed organization is 404", "GET", "/v1/organizations/org_1/events")
    missing("an unknown route is 404", "GET", foil.at + "/nothing")
    missing("a route that goes on is 404", "POST", f"{foil.endpoints}/{endpoint['id']}/test/now")
    missing("organizations alone are 404", "GET", "/v1/organizations")
    for method, path, allowed in (
            ("GET", f"{foil.endpoints}/{endpoint['id']}", "PATCH, DELETE"),
            ("GET", f"{foil.endpoints}/{endpoint['id']}/test", "POST"),
            ("PUT", foil.endpoints, "GET, POST"), ("DELETE", foil.at + "/events", "GET")):
        answer = foil.ask(method, path)
        conforms(f"{method} ...{path.replace(foil.at, '')[:20]} is 405", answer, 405,
                 schema.FOIL_ERROR)
        equal("and it says what is allowed", answer.header("Allow"), allowed)


def test_forms():
    foil = Foil(Emulator())
    endpoint = foil.create("http://127.0.0.1:1/")
    good = {**CREATE, "url": "http://127.0.0.1:1/"}

    def refused(sentence, body, *fields, method="POST", path=None):
        error = conforms(sentence, foil.ask(method, path or foil.endpoints, body), 422,
                         schema.FOIL_ERROR)["error"]
        equal(f"{sentence}, and says why",
              (error["code"], [(f["name"], f["issue"]) for f in error["details"]["fields"]]),
              ("request.validation_failed", list(fields)))
        return error
    for name in good:
        refused(f"without {name} it is 422", {k: v for k, v in good.items() if k != name},
                (name, "required"))
    refused("without anything it is 422", {}, *((name, "required") for name in
                                                ("name", "url", "event_types")))
    refused("an empty name is 422", {**good, "name": ""}, ("name", "too_small"))
    refused("a number as name is 422", {**good, "name": 1}, ("name", "invalid_type"))
    refused("null as name is 422", {**good, "name": None}, ("name", "invalid_type"))
    refused("an object as name is 422", {**good, "name": {}}, ("name", "invalid_type"))
    for url in ("", "x", "/hooks", "ftp://app.example.com/", "http://", "http://a b/",
                "file:///etc/passwd"):
        refused(f"{url!r} as url is 422", {**good, "url": url}, ("url", "invalid_url"))
    refused("no events are 422", {**good, "event_types": []}, ("event_types", "too_small"))
    refused("a text as events is 422", {**good, "event_types": "x"},
            ("event_types", "invalid_type"))
    error = refused("an unknown event is 422", {**good, "event_types": ["ping"]},
                    ("event_types[0]", "invalid_enum"))
    equal("it lists those that there are", error["details"]["allowed_values"],
          schema.FOIL_SUBSCRIBABLE)
    refused("nobody subscribes to webhook.test",
            {**good, "event_types": [*schema.FOIL_SUBSCRIBABLE, "webhook.test"]},
            ("event_types[3]", "invalid_enum"))
    error = refused("what is not in the schema is 422", {**good, "secret": "whsec_of_mine"},
                    ("secret", "unrecognized_key"))
    check("and not repeated, since it may be a secret", "of_mine" not in json.dumps(error))
    refused("a status is not chosen at the beginning", {**good, "status": "active"},
            ("status", "unrecognized_key"))
    for body in ([], "x", 1, None, True):
        refused(f"{body!r} as body is 422", json.dumps(body), ("body", "invalid_type"))
    for name, body in (("nothing", b""), ("no JSON", b"{"), ("two values", b"{}{}"),
                       ("no UTF-8", b'{"name":"\xff"}'), ("a NUL", b'{}\0')):
        answer = foil.ask("POST", foil.endpoints, body)
        error = conforms(f"{name} as body is 400", answer, 400, schema.FOIL_ERROR)["error"]
        equal(f"{name}: the error says so", error["code"], "request.invalid_json")
    path = f"{foil.endpoints}/{endpoint['id']}"
    refused("PATCH: an unknown status is 422", {"status": "on"}, ("status", "invalid_enum"),
            method="PATCH", path=path)
    refused("PATCH: no events are 422", {"event_types": []}, ("event_types", "too_small"),
            method="PATCH", path=path)
    refused("PATCH: what is not in the schema is 422", {"signing_secret": "x"},
            ("signing_secret", "unrecognized_key"), method="PATCH", path=path)
    refused("PATCH: of a long list of mistakes the first ones are told",
            {f"x{i}": 1 for i in range(100)}, *((f"x{i}", "unrecognized_key") for i in range(8)),
            method="PATCH", path=path)
    listed = foil.ask("GET", foil.endpoints).json["data"]
    equal("none of that did anything", listed,
          [{k: v for k, v in endpoint.items() if k != "signing_secret"}])
    umlauts = foil.create("http://127.0.0.1:1/ü", name="Größe \"1\" 😀")
    equal("names are any text", umlauts["name"], "Größe \"1\" 😀")


def test_strict():
    foil = Foil(Emulator("--strict-urls"))
    body = {**CREATE, "url": "http://app.example.com/hooks"}
    error = conforms("with --strict-urls http is 422", foil.ask("POST", foil.endpoints, body), 422,
                     schema.FOIL_ERROR)["error"]
    equal("the URL is to blame", error["details"]["fields"][0]["name"], "url")
    equal("https is good", foil.ask("POST", foil.endpoints, {
        **body, "url": "https://app.example.com/hooks"}).status, 201)


def test_faults():
    foil, behind = Foil(Emulator("--retry", "0")), receiver()
    endpoint = foil.create(behind.url)
    error = conforms("an unknown fault is 400", foil.test(endpoint, headers=[
        ("Hookline-Fault", "nonsense")]), 400, schema.FOIL_ERROR)["error"]
    check("and the word is named", "nonsense" in error["message"], error)
    equal("nothing was sent", foil.ask("GET", foil.at + "/events").json["data"], [])
    test = conforms("a burst is answered with all deliveries", foil.test(endpoint, headers=[
        ("Hookline-Fault", "burst=5")]), 202, schema.foil_single(schema.FOIL_TEST))["data"]
    equal("so many", len(set(test["delivery_ids"])), 5)
    equal("each is an event of its own", len({body_of(r)["id"] for r in behind.wait(5)}), 5)
    check("all are signed well", all(header(r, "X-Foil-Signature") == signature(
        endpoint["signing_secret"], r) for r in behind.requests))
    behind.requests.clear()
    foil.test(endpoint, headers=[("Hookline-Fault", "burst=5, reorder")])
    times = [body_of(r)["created"] for r in behind.wait(5)]
    equal("with reorder the youngest arrives first", times, sorted(set(times), reverse=True))
    behind.close()


def test_curl():
    """Documented call, with only the base URL replaced."""
    foil, behind = Foil(Emulator()), receiver()
    endpoint = foil.create(behind.url)
    result = subprocess.run(
        ["curl", "-sS", "--request", "POST", "--url",
         f"{foil.emulator.base.rstrip('/')}/v1/organizations/{foil.emulator.organization}"
         f"/webhooks/endpoints/{endpoint['id']}/test",
         "--header", f"Authorization: Bearer {foil.emulator.key('foil')}"],
        capture_output=True, check=False)
    equal("the documentation's curl call is answered",
          list(schema.problems(schema.foil_single(schema.FOIL_TEST), json.loads(result.stdout))),
          [], result)
    behind.wait(1)
    check("and what it asks for arrives", True)
    behind.close()
