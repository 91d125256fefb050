/* SPDX-License-Identifier: MIT
 *
 * hint.h - the usual mistake behind a refusal, for its line: looked for now and then only, since it
 * takes longer than the verdict and anybody can be refused.
 */
#ifndef DAEMON_RECEIVE_HINT_H
#define DAEMON_RECEIVE_HINT_H

#include <hookline.h>

#include "daemon/hints/diagnose.h"

struct delivery;
struct sources;
struct cpu_share;

enum {
    HINT_REST = 50,          /* times as long as one takes: 2 % of a loop */
    HINT_BODY_MAX = 1 << 16, /* bytes */
    HINT_OTHERS_MAX = 64,    /* sources that are asked */
};

/* Of a delivery that its source's verifier has refused. `pace` is the loop's own. */
struct diagnose_result hint_find(struct cpu_share *cpu_share, const struct sources *sources,
                                 const struct delivery *d, const hookline_request *request);

#endif
