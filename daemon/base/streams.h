/* SPDX-License-Identifier: MIT
 *
 * streams.h - the descriptors 0, 1 and 2 are the standard streams, or nothing.
 *
 * Threads    Before there are any.
 */
#ifndef DAEMON_BASE_STREAMS_H
#define DAEMON_BASE_STREAMS_H

/* Who started us may have closed some. What is opened first would take their numbers, and what is
 * meant for the standard output would be written into a file or to a stranger. From now on they
 * fail, as what is closed does. */
void process_reserve_stdio(void);

#endif
