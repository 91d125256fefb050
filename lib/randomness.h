/* SPDX-License-Identifier: MIT
 *
 * randomness.h - whether this process may read random bytes. libsodium aborts if it finds none,
 * which a sandbox may forbid.
 *
 * Threads    Any thread.
 */
#ifndef RANDOMNESS_H
#define RANDOMNESS_H

#include <stdbool.h>

/* Returns true if libsodium will find a source of randomness. */
bool hookline_randomness_exists(void);

#endif
