# SPDX-License-Identifier: MIT
"""Ports for those who have to name one before somebody listens there."""
import random
import socket


def ephemeral():
    """The first of those that the kernel gives to whoever asks for none."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def free_port():
    """One on which nobody listens, and which nobody is given in the meantime."""
    first = ephemeral()
    candidates = range(first // 2, first)
    while True:
        port = random.choice(candidates)
        try:
            with socket.create_server(("", port)):
                return port
        except OSError:
            continue
