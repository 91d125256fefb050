/* SPDX-License-Identifier: MIT
 *
 * fatal_signal.h - messages before a signal ends the process.
 *
 * The kernel sends SIGBUS on access to a page of a mapped file that the file no longer has, or that
 * its disk cannot read. SQLite maps the -shm of a database. The process must end: if the -shm became
 * longer again, the next commit would declare its empty index of the WAL valid.
 *
 * Threads    The main thread, before others start.
 */
#ifndef DAEMON_BASE_FATAL_SIGNAL_H
#define DAEMON_BASE_FATAL_SIGNAL_H

/* From now on the queued messages (message.h), and a last one, precede the end by SIGABRT or SIGBUS.
 * That of SIGBUS names the file. */
void fatal_signal_catch(void);

#endif
