#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Receiver of Foil, Shodai and TruLayer webhooks, written from their public documentation without
hookline code: `receiver.py SECRETS.json`.

The receiver prints its port, answers POST /foil, /shodai and /trulayer with {"code": ...}, and
GET /received with all its earlier answers. Each function's comment sums up the documentation.
"""
import hashlib
import hmac
import http.server
import json
import re
import sys
import time

TOLERANCE = 300  # s, in both directions
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def hex_mac(secret, content):
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def is_time(text):
    return isinstance(text, str) and re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text) is not None


# X-Foil-Timestamp: Unix seconds. X-Foil-Signature: lower-case hex HMAC-SHA256, keyed with the whole
# signing secret, of timestamp, ".", raw body. 401: bad signature; 400: bad payload. The envelope
# holds exactly these five keys.
def foil(secret, headers, body):
    stamp, signature = headers.get("X-Foil-Timestamp"), headers.get("X-Foil-Signature")
    if not stamp or not signature:
        raise Refused(401, "missing_header")
    if not re.fullmatch(r"\d{1,15}", stamp) or abs(time.time() - int(stamp)) > TOLERANCE:
        raise Refused(401, "timestamp")
    if not hmac.compare_digest(hex_mac(secret, stamp.encode() + b"." + body).encode(),
                               signature.encode()):
        raise Refused(401, "signature")
    event = json.loads(body)
    if (set(event) != {"id", "object", "type", "created", "data"}
            or not re.fullmatch(r"wevt_[0-9a-f]{32}", event["id"])
            or event["object"] != "webhook_event" or not is_time(event["created"])):
        raise Refused(400, "envelope")
    if event["type"] == "webhook.test" and (
            event["data"].get("object") != "webhook_test"
            or not re.fullmatch(r"we_[0-9a-f]{32}", event["data"]["endpoint"]["id"])):
        raise Refused(400, "data")
    return event["id"], event["type"]


# X-Shodai-Webhook-Id, -Timestamp (Unix seconds) and -Signature: "sha256=" and the hex HMAC-SHA256,
# keyed with the whole secret, of timestamp, ".", raw body. Header and body have the same id.
# Shodai's package answers 400 to every error and checks in this order.
def shodai(secret, headers, body):
    id, stamp, signature = (headers.get("X-Shodai-Webhook-" + name)
                            for name in ("Id", "Timestamp", "Signature"))
    if not id or not stamp or not signature:
        raise Refused(400, "missing_header")
    if not re.fullmatch(r"\d{1,15}", stamp) or abs(time.time() - int(stamp)) > TOLERANCE:
        raise Refused(400, "timestamp")
    if not signature.startswith("sha256="):
        raise Refused(400, "signature_format")
    if not hmac.compare_digest(("sha256=" + hex_mac(secret, stamp.encode() + b"." + body)).encode(),
                               signature.encode()):
        raise Refused(400, "signature")
    event = json.loads(body)
    if (any(not isinstance(event.get(key), str) or not event[key].strip()
            for key in ("id", "type", "createdAt"))
            or event.get("apiVersion") != "2026-06-01" or not isinstance(event.get("data"), dict)):
        raise Refused(400, "envelope")
    if event["id"] != id:
        raise Refused(400, "webhook_id")
    return event["id"], event["type"]


# X-TruLayer-Signature: "sha256=" and the hex HMAC-SHA256, keyed with the secret, of the raw body.
# The signature covers only the body; no time window is documented. A test delivery is {type:
# "ping", webhook_id, sent_at}.
def trulayer(secret, headers, body):
    signature = headers.get("X-TruLayer-Signature")
    if not signature:
        raise Refused(401, "missing_header")
    if not hmac.compare_digest(("sha256=" + hex_mac(secret, body)).encode(), signature.encode()):
        raise Refused(401, "signature")
    event = json.loads(body)
    if event["type"] == "ping" and (set(event) != {"type", "webhook_id", "sent_at"}
                                    or not re.fullmatch(UUID, event["webhook_id"])
                                    or not is_time(event["sent_at"])):
        raise Refused(400, "payload")
    return None, event["type"]


PROVIDERS = {"/foil": foil, "/shodai": shodai, "/trulayer": trulayer}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    secrets, received = {}, []

    def judge(self, body):
        try:
            id, type = PROVIDERS[self.path](self.secrets[self.path[1:]], self.headers, body)
            return 200, {"code": "verified", "id": id, "type": type}
        except Refused as refused:
            return refused.status, {"code": refused.code}
        except (ValueError, KeyError, TypeError, AttributeError):
            return 400, {"code": "payload"}

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        status, verdict = self.judge(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append({"path": self.path, "status": status, **verdict})
        self.answer(status, verdict)

    def do_GET(self):
        self.answer(200, self.received)

    def log_message(self, *_):
        pass


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        Receiver.secrets = json.load(file)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
