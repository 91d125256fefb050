# SPDX-License-Identifier: MIT
"""Conservation across random kills at a constant send rate: each acknowledged delivery is in the
store and at the application, once and byte for byte."""

import pytest

from harness import conservation
from harness import sink
from harness.conservation import Machine
from harness.recorder import Recorder
from harness.sink import check

pytestmark = [pytest.mark.first, pytest.mark.seconds(300)]

MAX_BYTES = 1 << 20 if sink.WRAPPER else 8 << 20
KILLS = 10 if sink.WRAPPER else 100


def test_killed_at_random():
    seed = conservation.new_seed()
    upstream = Recorder(seed)
    result = conservation.run(Machine(upstream), upstream, seed, kills=KILLS)
    check(f"it was killed {KILLS} times, and each time it was at work",
          result.kills == KILLS and result.answers["none"] > KILLS / 2, result)
    conservation.judge(f"{KILLS} kills", result)
    upstream.stop()


def test_killed_while_it_keeps_house():
    seed = conservation.new_seed()
    upstream = Recorder()
    conservation.keep_house("kills in housekeeping", Machine(upstream, max_bytes=MAX_BYTES), upstream,
                            seed, 2 if sink.WRAPPER else 10)
    upstream.stop()
