# SPDX-License-Identifier: MIT
"""Shared by the Python tests of all rooms. Start with sentences.py (check, equal, skip) and sink.py
(Daemon, requests, signatures); tests/conftest.py runs the tests."""
