/* SPDX-License-Identifier: MIT
 *
 * hint.h - diagnosis of a refused delivery, for its log line. A diagnosis takes longer than a
 * verification and anyone can cause a refusal, so diagnoses get 2 % of a loop's time.
 *
 * Threads    The thread of the loop that owns the cpu_share.
 */
#ifndef DAEMON_RECEIVE_HINT_H
#define DAEMON_RECEIVE_HINT_H

#include <hookline.h>

#include "daemon/hints/diagnose.h"

struct delivery;
struct sources;
struct cpu_share;

enum {
    HINT_REST = 50,          /* rest, in multiples of the time used: 2 % of a loop */
    HINT_BODY_MAX = 1 << 16, /* bytes; longer bodies get no hint */
    HINT_OTHERS_MAX = 64,    /* sources tried */
};

/* Diagnoses a delivery that its source's verifier refused. Returns DIAGNOSE_NONE while
 * `cpu_share` rests. */
struct diagnose_result hint_find(struct cpu_share *cpu_share, const struct sources *sources,
                                 const struct delivery *d, const hookline_request *request);

#endif
