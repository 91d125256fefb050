# SPDX-License-Identifier: MIT
"""Soft assertions: a test continues after a false sentence. tests/conftest.py fails the test at its
end and shows every false sentence."""
import collections

Sentence = collections.namedtuple("Sentence", "result text details")  # "ok", "not ok" or "skip"
said = []  # sentences of the running test and its fixtures
figures = collections.Counter()  # of a soak test; `make soak` ends with their sum


def say(result, text, details=""):
    said.append(Sentence(result, " ".join(text.split()), details))


def check(sentence, good, *details):
    """Records a sentence; the details are shown if it is false."""
    say("ok" if good else "not ok", sentence, "" if good else "\n".join(map(str, details)))
    return good


def equal(sentence, got, expected, *details):
    return check(sentence, got == expected, f"expected {short(expected)}", f"got      {short(got)}",
                 *details)


def skip(sentence, why):
    say("skip", sentence, why)


def short(value):
    text = repr(value)
    return text if len(text) < 2000 else text[:2000] + " ..."


def failures(sentences):
    """Formats the false sentences with their details."""
    return "\n".join(f"not ok - {s.text}" + "".join(f"\n    {line}" for line in s.details.splitlines())
                     for s in sentences if s.result == "not ok")
