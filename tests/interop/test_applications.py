# SPDX-License-Identifier: MIT
"""Applications behind hooklined that use the packages of GitHub, Shopify, Slack and Stripe as their
documentation shows: the packages accept forwarded deliveries, and refuse them if a proxy removes one
of the needed headers or changes the body."""
import collections
import json
import urllib.parse

from harness import interop
from harness.admin import Admin, socket_path
from harness.interop import sink
from harness.sink import check, equal, mac_of, skip, wait_for

# No marks: forward/test_forwarding.py runs the same code.

PACKAGES = {"github": "@octokit/webhooks", "shopify": "@shopify/shopify-api",
            "slack": "@slack/bolt", "stripe": "stripe"}
NEEDED = {
    "github": ["x-github-delivery", "x-github-event", "x-hub-signature-256"],
    "shopify": ["x-shopify-api-version", "x-shopify-hmac-sha256", "x-shopify-shop-domain",
                "x-shopify-topic", "x-shopify-webhook-id"],
    "slack": ["x-slack-request-timestamp", "x-slack-signature"],
    "stripe": ["stripe-signature"],
}
SHOPIFY = "shopify-secret-0123456789abcdef0123"
sink.Watch.words.add(SHOPIFY.encode())
SHOPIFY_DESCRIPTION = ("signature X-Shopify-Hmac-Sha256; encoding base64; content {body}; "
                       "delivery X-Shopify-Webhook-Id")
JSON = "application/json"
ACCEPTED, REFUSED = range(200, 300), (400, 401)


# headers: without the signature; call: the arguments of the application's handler.
Delivery = collections.namedtuple("Delivery", "what headers body call")


# ---- the senders

def github():
    titles = {"a pull request": "Zoë, 東京, 🚀", "half a surrogate pair": "\ud83d",
              "a NUL in the text": "a\0b"}
    for number, (what, title) in enumerate(titles.items(), 1):
        id = f"72d3162e-cc78-11e3-81ab-4c9367dc095{number}"
        body = json.dumps({"action": "opened", "number": number, "title": title},
                          ensure_ascii=title == "\ud83d")
        yield Delivery(what, [("Content-Type", JSON), ("X-GitHub-Delivery", id),
                              ("X-GitHub-Event", "pull_request"), ("X-GitHub-Hook-ID", "292430182"),
                              ("User-Agent", "GitHub-Hookshot/044aadd")], body.encode(),
                       {"id": id, "name": "pull_request", "number": number})


def shopify():
    bodies = {"an order with a number above 2^53": '{"id":820982911946154508,"total_price":"9.65"}',
              "an order with two members of one name": '{"id":1,"note":"Zoë","note":""}',
              "an order with blanks and a line end": '{ "id" : 1.0 }\n'}
    for number, (what, body) in enumerate(bodies.items(), 1):
        id = f"b54557e4-bdd9-4b37-8a5f-bf7d70bcd04{number}"
        shop = "hookline.myshopify.com"
        yield Delivery(what, [("Content-Type", JSON), ("X-Shopify-Topic", "orders/create"),
                              ("X-Shopify-Shop-Domain", shop), ("X-Shopify-API-Version", "2024-04"),
                              ("X-Shopify-Webhook-Id", id), ("X-Shopify-Test", "true")],
                       body.encode(),
                       {"id": id, "topic": "ORDERS_CREATE", "domain": shop, "body": body})


def slack():
    text = "<@U1> Zoë 🚀 & 1"
    event = {"type": "app_mention", "user": "U2", "text": text, "ts": "1515449522.000016",
             "channel": "C1", "event_ts": "1515449522000016"}
    body = {"team_id": "T1", "api_app_id": "A1", "event": event, "type": "event_callback",
            "event_id": "Ev1", "event_time": 1515449522}
    yield Delivery("an event", [("Content-Type", JSON)], json.dumps(body).encode(),
                   {"id": "Ev1", "text": text})
    form = {"command": "/deploy", "text": text, "team_id": "T1", "user_id": "U2",
            "channel_id": "C1", "trigger_id": "13345224609.1"}
    yield Delivery("a command, which is a form",
                   [("Content-Type", "application/x-www-form-urlencoded")],
                   urllib.parse.urlencode(form).encode(), {"id": form["trigger_id"], "text": text})


def stripe():
    for number, memo in enumerate(("Zoë 🚀", "\ud83d", "x" * 200000), 1):
        body = json.dumps({"id": f"evt_{number}", "object": "event", "created": 1515449522,
                           "type": "invoice.paid", "data": {"object": {"memo": memo}}}, indent=2)
        yield Delivery(f"an event of {len(body)} bytes",
                       [("Content-Type", JSON + "; charset=utf-8"), ("User-Agent", "Stripe/1.0")],
                       body.encode(), {"id": f"evt_{number}", "type": "invoice.paid"})


def sign(sender, body):
    if sender == "shopify":
        return [("X-Shopify-Hmac-Sha256", mac_of(SHOPIFY.encode(), body, sink.base64_text))]
    return sink.sign(sender, body)


DELIVERIES = {"github": github, "shopify": shopify, "slack": slack, "stripe": stripe}


# ---- the way

def destinations(applications, proxy):
    """Yields each application once directly, and once behind a proxy for each change."""
    for sender, needed in NEEDED.items():
        ways = {"direct": applications.url(sender), "unchanged": f"{proxy.base}/unchanged/{sender}",
                "changed": f"{proxy.base}/changed/{sender}",
                **{header: f"{proxy.base}/without/{header}/{sender}" for header in needed}}
        for way, url in ways.items():
            yield {"name": f"{sender}.{way}", "url": url, "sources": [sender],
                   "timeout_seconds": sink.LONG}


def attempted(admin, seq, sender, *ways):
    """Waits until the destinations had an attempt; returns their statuses."""
    def statuses():
        told = {one["destination"]: one["status"] for one in admin.one(seq)["attempts"]}
        return {way: told[f"{sender}.{way}"] for way in ways if f"{sender}.{way}" in told}

    return wait_for(lambda: len(found := statuses()) == len(ways) and found,
                    f"attempts at {', '.join(ways)}")


def accepted(daemon, admin, applications, sender):
    """Sends the deliveries of a sender; returns the number of the first one."""
    seqs = []
    for what, headers, body, call in DELIVERIES[sender]():
        what = f"{sender} sends {what}"
        answer = daemon.send("/" + sender, [*sign(sender, body), *headers], body)
        equal(f"{what}: hooklined takes it", answer.status, 200, answer.body)
        seqs.append(daemon.lines(receipt=answer.receipt)[0]["seq"])
        status = attempted(admin, seqs[-1], sender, "direct")["direct"]
        if check(f"{what}: {PACKAGES[sender]} behind hooklined accepts it", status in ACCEPTED, status):
            calls = wait_for(lambda: [one for one in applications.received()
                                      if one["id"] == call["id"]], f"the call of {sender}'s handler")
            equal(f"{what}: the application's handler gets it", calls[0], call)
    return seqs[0]


def refused(admin, seq, sender):
    status = attempted(admin, seq, sender, "unchanged", "changed", *NEEDED[sender])
    check(f"{PACKAGES[sender]} accepts {sender}'s delivery from a proxy",
          status["unchanged"] in ACCEPTED, status)
    check(f"{PACKAGES[sender]} refuses it where the proxy adds a blank to the body",
          status["changed"] in REFUSED, status)
    for header in NEEDED[sender]:
        check(f"{PACKAGES[sender]} refuses it where the proxy removes {header}",
              status[header] in REFUSED, status)


def test_applications():
    if why := interop.missing(packages=PACKAGES.values()):
        for name in PACKAGES.values():
            skip(f"{name} behind hooklined accepts what hooklined forwards", why)
        return
    secrets = interop.Secrets(["github", "slack", "stripe"], shopify=SHOPIFY)
    admin = Admin(socket_path())
    with interop.with_applications(secrets) as applications:
        proxy = interop.Proxy(applications)
        daemon = sink.Daemon(
            sources=[sink.source("github"), sink.source("slack"), sink.source("stripe"),
                     sink.source("shopify", secrets=[SHOPIFY], description=SHOPIFY_DESCRIPTION)],
            destinations=list(destinations(applications, proxy)),
            admin={"address": f"unix:{admin.address}"})
        for sender in PACKAGES:
            refused(admin, accepted(daemon, admin, applications, sender), sender)
        daemon.stop()
        proxy.close()
