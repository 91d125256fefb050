/* SPDX-License-Identifier: MIT
 *
 * pulse.h - signs of life of the threads, for the one that watches them.
 *
 * Ownership  pulses_new() makes a set, pulses_free() ends it, when nobody has a pulse of it.
 * Threads    pulse_begin() and pulse_end() on any; a pulse beats on the thread that it is of;
 *            pulses_missing() on one.
 */
#ifndef DAEMON_BASE_PULSE_H
#define DAEMON_BASE_PULSE_H

struct pulse;
struct pulses;

struct pulses *pulses_new(void); /* NULL without memory */
void pulses_free(struct pulses **pulses);

/* `name` is kept. NULL if `pulses` is: nobody watches. */
struct pulse *pulse_begin(struct pulses *pulses, const char *name);

/* NULL does nothing here. */
void pulse_beat(struct pulse *pulse);
void pulse_end(struct pulse *pulse);

/* NULL if each has beaten since this returned NULL the last time; else the name of one that has
 * not. */
const char *pulses_missing(struct pulses *pulses);

#endif
