# SPDX-License-Identifier: MIT
"""hookline_event_read() against Python's json: both take the same documents, and read the same."""
import ctypes
import json
import os
import random
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_ubyte, c_uint64, c_void_p

import pytest

from harness.sink import BUILD, check, equal

pytestmark = [pytest.mark.compiler]

DOCUMENTS = 6000
DESCRIPTION = (b"signature X; encoding hex; content {body}; payload json;"
               b"id body id; event type type; event test ping")
DAMAGES = {b"empty", b"not a JSON object", b"JSON ends early", b"malformed JSON",
           b"text after the JSON object"}


class Bytes(ctypes.Structure):
    _fields_ = [("base", c_char_p), ("len", c_size_t)]


class Result(ctypes.Structure):
    _fields_ = [("reason", c_int32), ("secret", c_int32), ("signed_at", c_int64),
                ("fresh", c_int32), ("reserved", c_int32), ("id", Bytes), ("mac", c_ubyte * 32),
                ("payload", Bytes), ("reserved_too", c_uint64)]


class Event(ctypes.Structure):
    _fields_ = [("id", c_char_p), ("type", c_char_p), ("created_at", c_int64), ("test", c_int),
                ("unreadable", c_char_p)]


class Reader:
    """Reads events of payloads that it calls accepted."""

    def __init__(self):
        self.lib = ctypes.CDLL(os.path.join(BUILD, ".libs", "libhookline.so.0"))
        self.lib.hookline_event_read.argtypes = [POINTER(POINTER(Event)), c_void_p, POINTER(Result)]
        self.lib.hookline_event_free.argtypes = [POINTER(POINTER(Event))]
        self.verifier = c_void_p()
        code = self.lib.hookline_verifier_new_custom(
            byref(self.verifier), DESCRIPTION, b"0123456789abcdef", None, c_size_t(0))
        check("a verifier can be made", code == 0, code)

    def read(self, payload):
        """Returns (damage or None, id, type)."""
        event = POINTER(Event)()
        result = Result(reason=1, signed_at=-1, payload=Bytes(payload, len(payload)))
        code = self.lib.hookline_event_read(byref(event), self.verifier, byref(result))
        if code != 0:
            return code, None, None
        said = event.contents
        read = (said.unreadable if said.unreadable in DAMAGES else None, said.id, said.type)
        self.lib.hookline_event_free(byref(event))
        return read


class Number(str):
    """A number, digit for digit."""


def refuse(word):
    raise ValueError(word)


def as_text(value):
    """The C string of a value; None if there is none."""
    if not isinstance(value, str) or "\0" in value:
        return None
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value).encode()


def read_by_python(payload):
    """Returns (is an object, id, type)."""
    try:
        value = json.loads(payload, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except ValueError:
        return False, None, None
    if not isinstance(value, dict):
        return False, None, None
    id, type = as_text(value.get("id")), value.get("type")
    sound = id is not None and 0 < len(id) <= 256 and all(32 < byte < 127 for byte in id)
    return True, id if sound else None, None if isinstance(type, Number) else as_text(type)


# ---- documents

CHARACTERS = ["a", "b", "/", " ", ".", "\x7f", "é", "€", "😀", "\\n", "\\\"", "\\\\", "\\/",
              "\\u0000", "\\u0041", "\\u002e", "\\u00e9", "\\uD83D", "\\uDE00", "\\ud83d\\ude00",
              "{", "}", "[", "]", ":", ","]
NAMES = ["id", "type", "\\u0069d", "t\\u0079pe", "\\u0074\\u0079\\u0070\\u0065", "ID", "id ", "",
         "created", "type\\u0000", "\\ud83d"]
NUMBERS = ["0", "-0", "7", "-1", "0.5", "1e5", "1E+5", "1.5e-10", "1e999", "9007199254740993",
           "1" * 80, "-" + "12" * 60 + "." + "3" * 60 + "e" + "4" * 20]
ODD = list("{}[]:,\"\\0123456789-+.eEtfnu \t\n\x01") + ["true", "\\u", "\\x", "\ufeff", "01", "NaN"]


def space(chance):
    return chance.choice(["", "", "", "", " ", "\n", "\t", "\r\n "])


def string(chance):
    return '"' + "".join(chance.choices(CHARACTERS, k=chance.randrange(6))) + '"'


def scalar(chance):
    return chance.choice([string(chance), string(chance), '"ping"', '"evt_1"',
                          chance.choice(NUMBERS), chance.choice(["true", "false", "null"])])


def value(chance, depth):
    kind = chance.randrange(6) if depth > 0 else 0
    if kind == 4:
        items = [value(chance, depth - 1) for _ in range(chance.randrange(4))]
        return "[" + ",".join(space(chance) + i + space(chance) for i in items) + space(chance) + "]"
    return object_of(chance, depth - 1) if kind == 5 else scalar(chance)


def object_of(chance, depth):
    members = [f'{space(chance)}"{chance.choice(NAMES)}"{space(chance)}:{space(chance)}'
               f'{value(chance, depth)}{space(chance)}' for _ in range(chance.randrange(7))]
    return "{" + ",".join(members) + space(chance) + "}"


def document(chance):
    """A valid document, or one with up to three places that were changed."""
    text = chance.choice(["", "", "", "\ufeff"]) + space(chance) + object_of(chance, 4) + space(chance)
    if chance.random() < 0.1:
        text = '{"type":"a","n":' + "[" * 60 + text.strip("\ufeff") + "]" * 60 + "}"
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2, 3])):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(ODD + [""]) + text[at + chance.randrange(3):]
    if chance.random() < 0.1:
        text = text[:chance.randrange(len(text) + 1)]
    return text.encode()


def test_same_as_python():
    chance, reader, objects, wrong = random.Random(12), Reader(), 0, []
    for _ in range(DOCUMENTS):
        payload = document(chance)
        is_object, *members = read_by_python(payload)
        damage, *read = reader.read(payload)
        objects += is_object
        if (damage is None) != is_object or (is_object and read != members):
            wrong.append((payload, (damage, *read), (is_object, *members)))
    check("a document is readable here exactly if it is an object for Python, with its id and type",
          not wrong, len(wrong), *wrong[:3])
    check("documents of both kinds were tried", DOCUMENTS / 4 < objects < DOCUMENTS * 3 / 4, objects)


def test_beyond_python():
    reader = Reader()
    for sentence, payload, expected in (
            ("nesting may be deeper than Python's stack",
             b'{"data":' + b'[{"a":' * 200000 + b"1" + b"}]" * 200000 + b',"id":"e","type":"t"}',
             (None, b"e", b"t")),
            ("a number may be longer than Python's",
             b'{"id":"e","n":' + b"9" * 100000 + b',"type":"t"}', (None, b"e", b"t")),
            ("bytes that are not UTF-8 hide nothing",
             b'{"a":"\xff\xe9","id":"e","type":"t"}', (None, b"e", b"t")),
            ("members in front of the damage are read",
             b'{"id":"e","type":"t","a":"\n', (b"malformed JSON", b"e", b"t"))):
        equal(sentence, reader.read(payload), expected)
