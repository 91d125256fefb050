# SPDX-License-Identifier: MIT
"""Facts of the three providers' OpenAPI documents as data, and a small validator.

The validator knows only the keywords of these documents, rejects all others, and checks formats.
"""
import datetime
import re
import urllib.parse
import uuid

KINDS = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
}


def is_date_time(text):
    shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    if not re.fullmatch(shape, text):
        return False
    try:
        datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def is_uuid(text):
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def is_uri(text):
    parts = urllib.parse.urlsplit(text)
    return bool(parts.scheme and parts.netloc) and not re.search(r"[\s<>\"]", text)


FORMATS = {"date-time": is_date_time, "uuid": is_uuid, "uri": is_uri}


def problems(schema, value, at=""):
    """Yields violations of the schema, one sentence each."""
    if "anyOf" in schema:
        found = [list(problems(one, value, at)) for one in schema["anyOf"]]
        if all(found):
            yield f"{at}: none of {len(found)} kinds: {found}"
        return
    unknown = set(schema) - {"type", "const", "enum", "pattern", "format", "required",
                             "properties", "additionalProperties", "items", "minimum", "maximum",
                             "minLength", "minItems"}
    if unknown:
        raise ValueError(f"this validator does not know {unknown}")
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(KINDS[kind](value) for kind in kinds):
        yield f"{at}: {value!r} is no {' or '.join(kinds)}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        yield from problems_of_text(schema, value, at)
    elif isinstance(value, dict):
        yield from problems_of_object(schema, value, at)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{at}: {len(value)} items are too few"
        for i, item in enumerate(value):
            yield from problems(schema.get("items", {}), item, f"{at}/{i}")
    elif KINDS["number"](value):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{at}: {value} is out of range"


def problems_of_text(schema, text, at):
    # In Python, "$" would also match before a trailing newline.
    if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), text):
        yield f"{at}: {text!r} does not match {schema['pattern']}"
    if "format" in schema and not FORMATS[schema["format"]](text):
        yield f"{at}: {text!r} is no {schema['format']}"
    if len(text) < schema.get("minLength", 0):
        yield f"{at}: {text!r} is too short"


def problems_of_object(schema, value, at):
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}: {name} is missing"
    for name, item in value.items():
        if name in known:
            yield from problems(known[name], item, f"{at}/{name}")
        elif schema.get("additionalProperties", True) is False:
            yield f"{at}: {name} is not in the schema"


# ---- strings

STRING, INTEGER, BOOLEAN = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
TIME, URI, UUID = ({"type": "string", "format": name} for name in ("date-time", "uri", "uuid"))


def id_of(prefix):
    return {"type": "string", "pattern": f"^{prefix}_[0-9a-f]{{32}}$"}


def enum(*values):
    return {"type": "string", "enum": list(values)}


def const(value):
    return {"type": "string", "const": value}


def array(items, **more):
    return {"type": "array", "items": items, **more}


def nullable(kind):
    return {"type": [kind, "null"]}


def an_object(properties, optional=(), closed=False):
    return {"type": "object", "properties": properties,
            "required": [name for name in properties if name not in optional],
            **({"additionalProperties": False} if closed else {})}


def closed(optional=(), **properties):
    return an_object(properties, optional, closed=True)


def open_(optional=(), **properties):
    return an_object(properties, optional)


# ---- Foil: API version 2026-03-25; objects are closed unless marked otherwise

FOIL_SUBSCRIBABLE = ["session.fingerprint.calculated", "session.result.persisted",
                     "gate.session.approved"]
FOIL_DELIVERED = enum(*FOIL_SUBSCRIBABLE, "webhook.test")
FOIL_META = closed(request_id=id_of("req"))
FOIL_DELIVERY = closed(
    object=const("webhook_delivery"), id=id_of("wdlv"), event_id=id_of("wevt"),
    endpoint_id=id_of("we"), event_type=FOIL_DELIVERED,
    status=enum("pending", "delivering", "succeeded", "failed", "skipped"),
    attempts={"type": "integer", "minimum": 0}, response_status=nullable("integer"),
    response_body=nullable("string"), error=nullable("string"), created_at=TIME, updated_at=TIME)
FOIL_TEST = closed(
    object=const("webhook_test"), event_id=id_of("wevt"), delivery_ids=array(id_of("wdlv")),
    latest_delivery={"anyOf": [FOIL_DELIVERY, {"type": "null"}]})
FOIL_ENDPOINT = closed(
    object=const("webhook_endpoint"), id=id_of("we"), name=STRING, url=URI,
    status=enum("active", "disabled"), event_types=array(enum(*FOIL_SUBSCRIBABLE)),
    created_at=TIME, updated_at=TIME)
FOIL_ENDPOINT_WITH_SECRET = closed(
    **FOIL_ENDPOINT["properties"],
    signing_secret={"type": "string", "pattern": "^whsec_[0-9a-f]{32}$"})
FOIL_EVENT = closed(
    object=const("event"), id=id_of("wevt"), type=FOIL_DELIVERED,
    subject=closed(type=STRING, id=STRING), data={"type": "object"},
    webhook_deliveries=array(FOIL_DELIVERY), created_at=TIME)
FOIL_FIELD_ISSUE = closed(
    ("expected", "received"), name=STRING, issue=STRING, expected=STRING,
    received={"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null")]})
FOIL_ERROR = closed(error=closed(
    ("docs_url", "details"), code=STRING, message=STRING, status=INTEGER, retryable=BOOLEAN,
    request_id=id_of("req"), docs_url=URI, details=open_(
        ("fields", "allowed_values", "header_name", "parameter_set", "next_action"),
        fields=array(FOIL_FIELD_ISSUE), allowed_values=array(STRING), header_name=STRING,
        parameter_set=STRING,
        next_action=enum("retry", "new_session", "reload_bundle", "contact_support"))))
FOIL_REQUEST = closed(
    url=URI, user_agent=STRING, ip_address=STRING, screen_size=STRING, is_touch_capable=BOOLEAN,
    platform=STRING, first_seen=TIME, risk_time=TIME)
FOIL_SESSION, FOIL_VISITOR = ({"type": "string", "pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"}
                              for prefix in ("sid", "vid"))
FOIL_SCORE = {"type": "number", "minimum": 0, "maximum": 1}


def foil_gate(name):
    return open_(
        service_id=const(name), gate_session_id=STRING, gate_account_id=STRING,
        account_name=STRING, metadata=open_(), delivery=open_(
            version=INTEGER, algorithm=const("x25519-hkdf-sha256/aes-256-gcm"), key_id=STRING,
            public_key=STRING),
        **{name: open_(verdict=enum("bot", "human", "inconclusive"), score=FOIL_SCORE)})


# Data of live events.
FOIL_DATA = {
    "session.fingerprint.calculated": closed(
        object=const("session_fingerprint"), session=closed(id=FOIL_SESSION),
        visitor_fingerprint=closed(id=FOIL_VISITOR, confidence=INTEGER, identified_at=TIME),
        request=FOIL_REQUEST, calculated_at=TIME),
    "session.result.persisted": closed(
        object=const("session_result"), session=closed(id=FOIL_SESSION), event=closed(
            id=STRING, scoring_event_id=STRING, phase=STRING, is_provisional=BOOLEAN,
            persisted_at=TIME),
        decision=closed(verdict=enum("bot", "human", "inconclusive"), risk_score=INTEGER,
                        score=FOIL_SCORE, manipulation=closed(score={"type": "number"},
                                                              verdict=STRING)),
        visitor_fingerprint=closed(id=FOIL_VISITOR), request=FOIL_REQUEST,
        score_breakdown=open_(categories=open_()), signals=array(open_()), attribution=open_())}


def foil_single(data):
    return closed(data=data, meta=FOIL_META)


def foil_list(items):
    return closed(
        data=array(items), meta=FOIL_META, pagination=closed(
            ("next_cursor",), limit={"type": "integer", "minimum": 1, "maximum": 200},
            has_more=BOOLEAN, next_cursor=STRING))


# Body of the webhook delivery.
FOIL_BODY = closed(
    id=id_of("wevt"), object=const("webhook_event"), type=FOIL_DELIVERED, created=TIME,
    data=open_(object=const("webhook_test"), endpoint=closed(id=id_of("we"))))

# ---- Shodai: Agreements API v0; objects may have further members

SHODAI_META = open_(apiVersion=const("v0"), requestId=STRING)
SHODAI_EVENTS = ["agreement.transitioned", "agreement.notification.triggered"]
SHODAI_FILTER_NAMES = ("agreementIds", "templateIds", "inputIds", "fromStates", "toStates",
                       "ruleIds")
SHODAI_FILTERS = open_(SHODAI_FILTER_NAMES, **{n: array(STRING) for n in SHODAI_FILTER_NAMES})
SHODAI_WEBHOOK = open_(
    ("createdByApiKeyId", "filters"), id=STRING, principalId=STRING, createdByApiKeyId=STRING,
    url=URI, status=enum("active", "disabled"), eventTypes=array(enum(*SHODAI_EVENTS)),
    filters=SHODAI_FILTERS, createdAt=TIME, updatedAt=TIME)
SHODAI_CREATED = open_(
    ("createdByApiKeyId", "filters"), **SHODAI_WEBHOOK["properties"],
    secret={"type": "string", "pattern": "^whsec_[0-9a-f]{64}$"})
SHODAI_TEST = open_(
    ("responseStatus", "error"), ok=BOOLEAN, deliveryId=STRING,
    status=enum("pending", "succeeded", "failed", "retry_pending"),
    responseStatus={"type": "number"}, error=STRING)
SHODAI_ERROR = open_(error=open_(
    ("details",), code=STRING, message=STRING, details={}, requestId=STRING))
SHODAI_LIST = open_(
    data=array(SHODAI_WEBHOOK), meta=SHODAI_META, pageInfo=open_(
        ("totalCount",), limit={"type": "number"}, nextCursor=nullable("string"),
        totalCount={"type": "number"}))
SHODAI_BODY = open_(
    id={"type": "string", "minLength": 1}, type=const("webhook.test"),
    apiVersion=const("2026-06-01"), createdAt=TIME, data=closed())
SHODAI_STATES = {"fromState": STRING, "toState": STRING, "inputId": STRING}
# Data of live events; the client requires these members.
SHODAI_DATA = {
    "agreement.transitioned": closed(agreementId=STRING, templateId=STRING, **SHODAI_STATES),
    "agreement.notification.triggered": closed(
        agreementId=STRING, templateId=STRING, notificationTemplateId=STRING, ruleId=STRING,
        triggerType=enum("onTransition", "temporal"), recipient=STRING, notification=closed(
            subject=STRING, title=STRING, body=STRING, ctaLabel=STRING),
        transition=closed(occurredAt=TIME, **SHODAI_STATES))}


def shodai_single(data):
    return open_(data=data, meta=SHODAI_META)


# ---- TruLayer: API version 0.1.0; objects may have further members

TRULAYER_WEBHOOK = open_(
    id=UUID, tenant_id=UUID, url=URI, events=array(STRING), enabled=BOOLEAN, created_at=TIME,
    updated_at=TIME)
TRULAYER_LIST = open_(webhooks=array(TRULAYER_WEBHOOK))
TRULAYER_TEST = open_(status=INTEGER, body=STRING)
TRULAYER_ERROR = open_(error=STRING)
TRULAYER_BODY = closed(type=const("ping"), webhook_id=UUID, sent_at=TIME)

# ---- published examples

FOIL_EXAMPLE = {
    "object": "webhook_test", "event_id": "wevt_0123456789abcdef0123456789abcdef",
    "delivery_ids": ["wdlv_0123456789abcdef0123456789abcdef"],
    "latest_delivery": {
        "object": "webhook_delivery", "id": "wdlv_0123456789abcdef0123456789abcdef",
        "event_id": "wevt_0123456789abcdef0123456789abcdef",
        "endpoint_id": "we_0123456789abcdef0123456789abcdef",
        "event_type": "session.fingerprint.calculated", "status": "pending", "attempts": 1,
        "response_status": 1, "response_body": "response_body", "error": "error",
        "created_at": "2026-03-24T20:00:00.000Z", "updated_at": "2026-03-24T20:00:05.000Z"}}
FOIL_ERROR_EXAMPLE = {"error": {
    "code": "request.validation_failed", "message": "Observation payload failed validation.",
    "status": 1, "retryable": True, "request_id": "req_cf147349a4134208aebb8c70e25fb7e1",
    "docs_url": "https://app.acme.co/signup", "details": {
        "fields": [{"name": "Acme Growth Workspace", "issue": "required", "expected": "string",
                    "received": "any_of"}],
        "allowed_values": ["verified"], "header_name": "x-forwarded-for",
        "parameter_set": "browser_fingerprint", "next_action": "retry"}}}
EXAMPLES = [
    ("Foil's answer to a test", foil_single(FOIL_TEST), {
        "data": FOIL_EXAMPLE, "meta": {"request_id": "req_cf147349a4134208aebb8c70e25fb7e1"}}),
    ("Foil's error", FOIL_ERROR, FOIL_ERROR_EXAMPLE),
    ("Shodai's answer to a test", shodai_single(SHODAI_TEST), {
        "data": {"ok": True, "deliveryId": "whd_123", "status": "succeeded",
                 "responseStatus": 204},
        "meta": {"apiVersion": "v0", "requestId": "req_123"}}),
    ("TruLayer's answer to a test", TRULAYER_TEST, {"status": 204, "body": ""}),
]

# ---- self-test of the validator: schema, valid values, invalid values

PROOFS = [
    (STRING, "a", [1, None, True, [], {}]),
    (INTEGER, 1, [1.5, "1", True, None]),
    ({"type": "number"}, 1.5, ["1", False]),
    (BOOLEAN, False, [0, "false", None]),
    (nullable("integer"), None, ["", 1.5, False]),
    (const("a"), "a", ["b", "", None]),
    (enum("a", "b"), "b", ["c", "A", 1]),
    (id_of("we"), "we_" + "0a" * 16,
     ["we_" + "0A" * 16, "we_" + "0a" * 15, "we_" + "0a" * 17, "x we_" + "0a" * 16,
      "we_" + "0a" * 16 + "\n", "wevt_" + "0a" * 16, ""]),
    (TIME, "2026-11-22T10:11:12.345Z",
     ["2026-11-22", "2026-11-22T10:11:12", "2026-13-22T10:11:12Z", "2026-02-30T10:11:12Z",
      "2026-11-22 10:11:12Z", "now", "1795342272"]),
    (UUID, "018f1234-5678-7abc-8def-0123456789ab",
     ["018f1234567870000000000000000000", "018f1234-5678-7abc-8def-0123456789a", "x"]),
    (URI, "http://127.0.0.1:8080/x", ["/x", "127.0.0.1", "http://", "http://a b/"]),
    (array(STRING, minItems=1), ["a"], [[], ["a", 1], "a", {}]),
    ({"type": "integer", "minimum": 0, "maximum": 2}, 2, [-1, 3]),
    ({"type": "string", "minLength": 2}, "äö", ["ä"]),
    (closed(("b",), a=STRING, b=STRING), {"a": ""},
     [{}, {"b": ""}, {"a": "", "c": ""}, {"a": 1}, {"a": "", "b": 1}, []]),
    (open_(("b",), a=STRING, b=STRING), {"a": "", "c": 1}, [{}, {"a": 1}, {"a": "", "b": None}]),
    (foil_single(FOIL_TEST)["properties"]["data"]["properties"]["latest_delivery"], None,
     [{}, "", 0, {"object": "webhook_delivery"}]),
]


def prove():
    """Yields (sentence, result) about the validator itself."""
    for number, (schema, good, bad) in enumerate(PROOFS):
        name = schema.get("type", "choice")
        yield f"schema {number + 1} ({name}) accepts what conforms", not list(
            problems(schema, good))
        yield (f"schema {number + 1} ({name}) refuses {len(bad)} values that do not",
               all(list(problems(schema, value)) for value in bad))
    for name, schema, example in EXAMPLES:
        yield f"{name} conforms, as it is published", not list(problems(schema, example))
    try:
        list(problems({"oneOf": []}, 1))
        yield "a keyword that the validator does not know is an error", False
    except ValueError:
        yield "a keyword that the validator does not know is an error", True
