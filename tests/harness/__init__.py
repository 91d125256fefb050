# SPDX-License-Identifier: MIT
"""Shared code of the Python tests. Start with sentences.py (check, equal, skip) and sink.py
(Daemon, requests, signatures); tests/conftest.py runs the tests."""
