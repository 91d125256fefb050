# SPDX-License-Identifier: MIT
"""Conservation on a disk that drops unsynced data at each kill. A run with synchronous=NORMAL must
lose deliveries, which proves that the test detects a loss."""

import pytest

from harness import conservation
from harness import sink
from harness.conservation import UnreliableMachine
from harness.recorder import Recorder
from harness.sink import check

pytestmark = [pytest.mark.first, pytest.mark.seconds(300)]

MAX_BYTES = 1 << 20 if sink.WRAPPER else 8 << 20
KILLS = 5 if sink.WRAPPER else 30


def lose_power(kills, **how):
    seed = conservation.new_seed()
    upstream = Recorder(seed)
    result = conservation.run(UnreliableMachine(upstream, seed, **how), upstream, seed, kills=kills)
    upstream.stop()
    return result


def test_what_was_not_synced_is_gone():
    conservation.judge("power lost", lose_power(KILLS))


def test_the_disk_writes_what_it_likes():
    """The disk keeps random unsynced pages: torn and reordered writes."""
    conservation.judge("power lost, some pages kept", lose_power(KILLS, kept=0.5))


def test_power_is_lost_while_it_keeps_house():
    seed = conservation.new_seed()
    upstream = Recorder()
    conservation.keep_house("power lost in housekeeping",
                            UnreliableMachine(upstream, seed, kept=0.5, max_bytes=MAX_BYTES),
                            upstream, seed, 2 if sink.WRAPPER else 8)
    upstream.stop()


def test_less_care_is_seen():
    result = lose_power(8, synchronous="NORMAL")
    check("with synchronous=NORMAL this test sees that deliveries are lost", result.lost(), result)
