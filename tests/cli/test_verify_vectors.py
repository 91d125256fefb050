# SPDX-License-Identifier: MIT
"""hookline verify: verdicts of all vectors that a command line can express."""
import base64

import pytest

from harness.cli import GOOD, REFUSED, STALE, USAGE, sink
from harness.papers import Papers, vector_files, watched
from harness.sink import Watch, check

# Not `running`: receive/test_vectors.py and the C program run-vectors check the same verdicts.
pytestmark = [pytest.mark.compiler]

papers = Papers()
STATUS = {"verified": GOOD, "timestamp_too_old": STALE, "timestamp_too_new": STALE}


def can_be_said(vector):
    """True if files and options can express the vector."""
    past, future = vector.get("tolerance", (None, None))
    values = "".join(value for _, value in vector["headers"])
    return (past == future and vector["now"] > 0
            and not any(secret.endswith(("\n", "\r")) for secret in vector["secrets"])
            and all(c >= " " for c in values)
            and all(value == value.strip() for _, value in vector["headers"])
            and (vector["expect"] != "bad_call" or "url" not in vector))


def run_vector(file, vector):
    how = ["--scheme", file["scheme"]] if "scheme" in file else \
        ["--description", papers.file(file["description"])]
    how += papers.secrets(*vector["secrets"])
    how += ["--tolerance", vector["tolerance"][0]] if "tolerance" in vector else []
    for name in ("url", "method"):
        how += ["--" + name, vector[name]] if name in vector else []
    return watched("verify", *how, *papers.headers(vector["headers"]),
                   *papers.body(body_of(vector)), "--now", vector["now"], "--json")


def body_of(vector):
    return base64.b64decode(vector["body_base64"]) if "body_base64" in vector else \
        vector["body"].encode()


def is_as_expected(vector, run):
    expected = vector["expect"]
    if expected.startswith("bad_"):
        return run.status == USAGE and run.out == ""
    got = run.json()
    same = got["reason"] == expected and run.status == STATUS.get(expected, REFUSED)
    same &= got["verdict"] == {GOOD: "verified", STALE: "stale"}.get(run.status, "refused")
    if expected == "verified":
        same &= vector.get("id", got["id"] or "") == (got["id"] or "")
        same &= vector.get("secret", got["secret"]) == got["secret"]
        at = -1 if got["signed_at"] is None else got["signed_at"]
        same &= vector.get("signed_at", at) == at
        same &= bool(vector.get("fresh", got["fresh"])) == got["fresh"]
    return same


@pytest.mark.parametrize("name, file", [pytest.param(*both, id=both[0]) for both in vector_files()])
def test_vectors(name, file):
    words = set(Watch.words)
    wrong = []
    for vector in filter(can_be_said, file["vectors"]):
        run = run_vector(file, vector)
        Watch.words = set(words)
        if not is_as_expected(vector, run):
            wrong.append((vector["name"], vector["expect"], run))
    check(f"the vectors of {name} come to their verdicts", not wrong, *wrong)


def test_vectors_that_can_be_said():
    count = sum(can_be_said(vector) for _, file in vector_files() for vector in file["vectors"])
    check("most of the vectors could be said on a command line", count > 400, count)
