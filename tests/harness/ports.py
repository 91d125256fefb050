# SPDX-License-Identifier: MIT
"""Ports and addresses for those who have to name one before somebody listens there, or after."""
import os
import random
import socket


def ephemeral():
    """The first of those that the kernel gives to whoever asks for none."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def own_host():
    """An address of this process alone: nobody else is given the port of a daemon that is dead, so
    that senders never come to a stranger."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"


held = []  # what says to other tests which ports are ours, until this process ends


def free_port():
    """One on which nobody listens, and which nobody is given in the meantime: neither by the kernel
    nor by this, in whichever process."""
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
