# SPDX-License-Identifier: MIT
"""Ports and addresses for tests that must name one before a server listens, or after it ended."""
import os
import random
import socket


def ephemeral():
    """Returns the first ephemeral port of the kernel."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def own_host():
    """Returns a loopback address of this process alone, so that no other server reuses the port of
    a dead daemon."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"


held = []  # sockets that reserve our ports against other tests until this process ends


def free_port():
    """Returns a free port below the ephemeral range, reserved against other test processes."""
    first = ephemeral()
    candidates = range(first // 2, first)
    while True:
        port = random.choice(candidates)
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0hookline-tests-port-{port}")
            with socket.create_server(("", port)):
                held.append(mark)
                return port
        except OSError:
            mark.close()
