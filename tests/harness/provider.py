# SPDX-License-Identifier: MIT
"""Fake providers that a test can make misbehave: the parts of the APIs of Foil, Tripwire, Shodai and
TruLayer that ping uses. `hookline emulate` is the complete emulator."""
import json
import re
import secrets
import threading
import time

from harness import sink
from harness.upstream import Upstream, header, response

KEY = "sk_test_0123456789_the_key_nobody_may_see"
ORGANIZATION = "org_f6m39y94nh6fs513q03skj929c"
ENDPOINTS = {"foil": "we_" + "0123456789abcdef" * 2, "shodai": "wh_123",
             "trulayer": "018f1234-5678-7abc-8def-0123456789ab"}
ENDPOINTS["tripwire"] = ENDPOINTS["foil"]
PATHS = {"foil": f"/v1/organizations/{ORGANIZATION}/webhooks/endpoints/{ENDPOINTS['foil']}/test",
         "shodai": "/v0/webhooks/wh_123/test",
         "trulayer": f"/v1/webhooks/{ENDPOINTS['trulayer']}/test"}
PATHS["tripwire"] = PATHS["foil"]
sink.Watch.words.add(KEY.encode())


def arguments(provider, base, address, *more):
    """Returns the arguments of a ping; the key is in the variable KEY."""
    organization = ["--organization", ORGANIZATION] if provider in ("foil", "tripwire") else []
    return ["ping", provider, "--endpoint", ENDPOINTS[provider], *organization, "--key", "env:KEY",
            "--base-url", base, "--sink", address, *more]


def data(value, status=200, kind="application/json"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return response(status, body, [("Content-Type", kind)])


def body_of(provider, event, endpoint=None):
    now = time.time()
    iso = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
    endpoint = endpoint or ENDPOINTS[provider]
    provider = "foil" if provider == "tripwire" else provider
    return json.dumps({
        "foil": {"id": event, "object": "webhook_event", "type": "webhook.test", "created": iso,
                 "data": {"object": "webhook_test", "endpoint": {"id": endpoint}}},
        "shodai": {"id": event, "type": "webhook.test", "apiVersion": "2026-06-01",
                   "createdAt": iso, "data": {}},
        "trulayer": {"type": "ping", "webhook_id": endpoint, "sent_at": iso},
    }[provider], separators=(",", ":")).encode()


class Provider:
    """A provider that delivers to `to`, an (address, path), and reports the result. `deliver`
    returns (status, body of the answer), or None for a failed delivery; `say` gets the true answer
    and returns the one to send: (status, data or bytes)."""
    def __init__(self, kind, to=None, deliver=None, say=None, secret=None, sign=None,
                 at_once=True, readable=True):
        self.kind, self.to, self.secret = kind, to, secret
        self.deliver = deliver or self.really_deliver
        self.say = say or (lambda status, value: (status, value))
        self.sign = sign or (lambda body, event: sink.sign(kind, body, id=event, secret=secret))
        self.at_once = at_once
        self.readable = readable
        self.events = {}
        self.keys = set()
        self.server = Upstream(self.answer)
        self.base = f"http://127.0.0.1:{self.server.port}"

    def really_deliver(self, event):
        address, path = self.to
        body = body_of(self.kind, event)
        got = sink.send(address, path, self.sign(body, event), body)
        return got.status, got.body.decode()

    def answer(self, request, sock):
        self.keys.add(header(request, "X-API-Key" if self.kind == "shodai" else "Authorization"))
        if request.method == "GET":
            return self.tell_event(request.path)
        if request.path != PATHS[self.kind]:
            return data({"error": "no such path"}, 404)
        event = ("wevt_" if self.kind in ("foil", "tripwire") else "evt_") + secrets.token_hex(16)
        told = self.say(*getattr(self, "do_" + self.kind)(event))
        return None if told is None else data(told[1], told[0],
                                              told[2] if len(told) > 2 else "application/json")

    # Each do_ function delivers, and returns the provider's answer.

    def do_foil(self, event):
        delivery = "wdlv_" + secrets.token_hex(16)
        self.events[event] = {"object": "webhook_delivery", "id": delivery, "event_id": event,
                              "endpoint_id": ENDPOINTS["foil"], "event_type": "webhook.test",
                              "status": "pending", "attempts": 0, "response_status": None,
                              "response_body": None, "error": None}
        latest = dict(self.events[event])
        if self.at_once:
            self.finish(event)
        else:
            threading.Thread(target=self.finish, args=(event,), daemon=True).start()
        return 202, {"data": {"object": "webhook_test", "event_id": event,
                              "delivery_ids": [delivery], "latest_delivery": latest},
                     "meta": {"request_id": "req_" + secrets.token_hex(16)}}

    do_tripwire = do_foil

    def finish(self, event):
        got = self.deliver(event)
        if got == "never":
            return
        delivery = dict(self.events[event], attempts=1)
        if got is None:
            delivery.update(status="failed", error="connect ECONNREFUSED")
        else:
            delivery.update(status="succeeded" if 200 <= got[0] < 300 else "failed",
                            response_status=got[0], response_body=got[1])
        self.events[event] = delivery

    def tell_event(self, path):
        found = re.fullmatch(f"/v1/organizations/{ORGANIZATION}/events/(wevt_[0-9a-f]+)", path)
        if not self.readable:
            return data({"error": {"code": "auth.insufficient_scope", "message": "No webhooks:read",
                                   "status": 403, "retryable": False,
                                   "request_id": "req_" + "0" * 32}}, 403)
        if not found or found[1] not in self.events:
            return data({"error": {"code": "request.not_found", "message": "No such event",
                                   "status": 404, "retryable": False,
                                   "request_id": "req_" + "0" * 32}}, 404)
        return data({"data": {"object": "event", "id": found[1], "type": "webhook.test",
                              "webhook_deliveries": [self.events[found[1]]]},
                     "meta": {"request_id": "req_" + "1" * 32}})

    def do_shodai(self, event):
        got = self.deliver(event)
        told = {"ok": bool(got and 200 <= got[0] < 300), "deliveryId": "whd_123",
                "status": "succeeded" if got and 200 <= got[0] < 300 else "failed"}
        if got:
            told["responseStatus"] = got[0]
        if not told["ok"]:
            told["error"] = f"HTTP {got[0]}" if got else "connection refused"
        return 201, {"data": told, "meta": {"apiVersion": "v0", "requestId": "req_123"}}

    def do_trulayer(self, event):
        got = self.deliver(event)
        return 200, {"status": got[0], "body": got[1]} if got else {"status": 0, "body": ""}

    def close(self):
        self.server.close()
