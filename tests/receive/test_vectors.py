# SPDX-License-Identifier: MIT
"""The vectors of tests/vectors/ over HTTP: one daemon per file, one source per vector. A test sets
the clock to the time of the vector's request."""
import base64
import glob
import json
import os
import re

import pytest

from harness import sink
from harness.sink import Clock, Daemon, Folders, check, run, skip, write_file

# Not under ThreadSanitizer: test_providers.py covers the same threads.
pytestmark = [pytest.mark.compiler, pytest.mark.running]

STATUS = {
    "verified": 200,
    "missing_header": 401, "signature_mismatch": 401,
    "timestamp_too_old": 401, "timestamp_too_new": 401,
    "ambiguous_header": 400, "invalid_signature_format": 400, "invalid_timestamp": 400,
    "webhook_id_mismatch": 400, "invalid_payload": 400, "invalid_webhook_id": 400,
}
FACTS = ("secret", "id", "signed_at", "fresh")


def body_of(vector):
    if "body_base64" in vector:
        return base64.b64decode(vector["body_base64"])
    return vector["body"].encode()


def why_not(vector):
    """The reason why HTTP cannot carry a vector, or None."""
    past, future = vector.get("tolerance", [0, 0])
    if vector["expect"] == "bad_call":
        return "it is about a mistake that the daemon cannot make"
    if past != future:
        return "the configuration has one tolerance for both sides"
    if vector.get("method", "POST") != "POST":
        return "deliveries are made by POST"
    for name, value in vector["headers"]:
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            return "HTTP carries no control characters"
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            return "HTTP carries no such name"
        if value != value.strip(" \t") and vector["expect"] != "verified":
            return "HTTP takes the white space around a value away"
    return None


def source_of(number, vector, file, folder):
    secrets = []
    for i, secret in enumerate(vector["secrets"]):
        # The newline is not part of the secret.
        path = write_file(f"{folder}/{number}-{i}", secret.encode("utf-8", "surrogatepass") + b"\n")
        secrets.append({"file": path})
    config = {"name": f"v{number}", "secrets": secrets}
    config.update({key: file[key] for key in ("scheme", "description") if key in file})
    if "tolerance" in vector:
        config["tolerance_seconds"] = vector["tolerance"][0]
    if "url" in vector:
        config["url"] = vector["url"]
    return config


def check_refused_secret(sentence, config, folder, secrets):
    """The daemon rejects a configuration whose verifier cannot be made."""
    env = {}
    if secrets[-1].endswith("\r"):  # a file would lose the \r with its line end
        env, config["secrets"][-1] = {"BAD_SECRET": secrets[-1]}, {"env": "BAD_SECRET"}
    path = write_file(f"{folder}/bad.yaml", json.dumps({"sources": [config]}, ensure_ascii=False))
    code, out, err = run("--config", path, "--check", env=env)
    check(sentence, code == 6 and out == "" and err.count("\n") >= 1, code, out, err)


# Many vectors share a delivery, so "duplicate" is valid, too.
STATUSES = {"verified": ("accepted", "duplicate")}
VERDICTS = {"verified": ("stored", "duplicate")}


def check_vector(sentence, daemon, number, vector, expected):
    before = len(daemon.lines())
    answer = daemon.send(f"/v{number}", vector["headers"], body_of(vector))
    good = answer.status == STATUS[expected] and \
        (answer.code or answer.json["status"]) in STATUSES.get(expected, (expected,))
    lines = daemon.lines()[before:]
    said = {}
    if lines:  # the log may omit a refusal
        line = lines[0]
        good = good and len(lines) == 1 and \
            line["verdict"] in VERDICTS.get(expected, ("refused",)) and \
            line["reason"] == expected
        said = {key: line[key] for key in FACTS}
        said["id"] = said["id"] or ""
        said["signed_at"] = -1 if said["signed_at"] is None else said["signed_at"]
        said["fresh"] = int(said["fresh"])
        said["secret"] = -1 if said["secret"] is None else said["secret"]
    elif expected == "verified":
        good = False
    if said and any(said[key] != vector[key] for key in FACTS if key in vector):
        good = False
    if expected == "verified" and vector.get("id") not in (None, answer.json.get("id") or ""):
        good = False
    check(sentence, good, vector, answer, said, daemon.tail())


def check_file(path):
    with open(path, encoding="utf-8") as data:
        file = json.load(data)
    name = os.path.basename(path).removesuffix(".json")
    folder = Folders.new()
    configs, sent = [], []
    for number, vector in enumerate(file["vectors"]):
        sentence = f"{name}: {vector['name']}"
        config = source_of(number, vector, file, folder)
        if vector["expect"] == "bad_secret":
            check_refused_secret(sentence, config, folder, vector["secrets"])
        elif reason := why_not(vector):
            skip(sentence, reason)
        else:
            configs.append(config)
            sent.append((sentence, number, vector))
    clock = Clock(1)
    daemon = Daemon(sources=configs, env=clock.environment())
    for sentence, number, vector in sent:
        clock.set(vector["now"])
        check_vector(sentence, daemon, number, vector, vector["expect"])
    daemon.stop()


FILES = sorted(glob.glob(f"{sink.SOURCE}/tests/vectors/*.json"))


def test_files():
    check("the vectors were found", len(FILES) > 20, FILES)


@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_every_file(path):
    check_file(path)
