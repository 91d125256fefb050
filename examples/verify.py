#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verifies a webhook from Python through libhookline.so.0, by ctypes.

    HOOKLINE_SECRET=... verify.py foil 'X-Foil-Timestamp: 1' 'X-Foil-Signature: ab' <body

Prints the reason. Exit status: 0 authentic, 1 not authentic, 3 local error.
"""
import ctypes
import os
import sys
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_ubyte, c_uint64, c_void_p


class Bytes(ctypes.Structure):
    _fields_ = [("base", c_void_p), ("len", c_size_t)]

    @classmethod
    def of(cls, data):  # the caller keeps `data` alive
        return cls(ctypes.cast(c_char_p(data), c_void_p), len(data))


FindHeader = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_char_p, POINTER(Bytes))


class Request(ctypes.Structure):
    _fields_ = [("find_header", FindHeader), ("headers", c_void_p), ("body", Bytes),
                ("method", Bytes), ("url", Bytes), ("reserved", c_uint64 * 2)]


class Result(ctypes.Structure):
    _fields_ = [("reason", c_int32), ("secret", c_int32), ("signed_at", c_int64),
                ("fresh", c_int32), ("reserved", c_int32), ("id", Bytes), ("mac", c_ubyte * 32),
                ("payload", Bytes), ("reserved_too", c_uint64)]


lib = ctypes.CDLL("libhookline.so.0")
lib.hookline_verify.restype = Result
lib.hookline_verify.argtypes = [c_void_p, POINTER(Request), c_int64]
lib.hookline_verifier_new.argtypes = [POINTER(c_void_p), c_char_p, c_char_p]
lib.hookline_verifier_free.argtypes = [POINTER(c_void_p)]
lib.hookline_code_name.restype = c_char_p
lib.hookline_code_name.argtypes = [c_int]


def verify(scheme, secret, headers, body, now=None):
    """Returns (reason, payload); the payload is None unless the reason is "verified".

    `headers` is a list of pairs of bytes, duplicates included: a dict would lose them.
    Raises RuntimeError on a local error: answer 503, so that the sender retries.
    """
    def find(_, name, value):
        found = [v for n, v in headers if n.lower() == name.lower()]
        if found:
            value[0] = Bytes.of(found[0])
        return len(found)

    verifier = c_void_p()
    code = lib.hookline_verifier_new(byref(verifier), scheme.encode(), secret)
    if code < 0:
        raise RuntimeError(lib.hookline_code_name(code).decode())
    callback = FindHeader(find)  # the variable keeps the callback alive during the call
    request = Request(find_header=callback, body=Bytes.of(body))
    result = lib.hookline_verify(verifier, byref(request), int(now or time.time()))
    lib.hookline_verifier_free(byref(verifier))
    reason = lib.hookline_code_name(result.reason).decode()
    if result.reason <= -64:
        raise RuntimeError(reason)
    return reason, (ctypes.string_at(result.payload.base, result.payload.len)
                    if result.reason > 0 else None)


def main(scheme, *lines):
    headers = [(name, value.strip()) for name, _, value in
               (os.fsencode(line).partition(b":") for line in lines)]
    try:
        reason, _ = verify(scheme, os.environb.get(b"HOOKLINE_SECRET"), headers,
                           sys.stdin.buffer.read())
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 3
    print(reason)
    return 0 if reason == "verified" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else 2)
