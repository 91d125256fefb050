/* SPDX-License-Identifier: MIT
 *
 * outcome.h - how a command of the tool ends: its exit status, as hookline(1) lists it.
 */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

enum outcome {
    OUTCOME_GOOD = 0,             /* it arrived, or what was asked for is done */
    OUTCOME_REFUSED = 1,          /* by the receiver: not genuine, or not as it should be */
    OUTCOME_USAGE = 2,            /* wrong options, or a file that is not there or not readable */
    OUTCOME_STALE = 3,            /* genuine, but its time is out of the window */
    OUTCOME_TIMEOUT = 4,          /* it did not arrive in time */
    OUTCOME_TRANSPORT = 5,        /* nobody answers, or the answer makes no sense */
    OUTCOME_PROVIDER_REFUSED = 6, /* the provider did not do what it was asked for */
};

#endif
