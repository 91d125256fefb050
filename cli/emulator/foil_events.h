/* SPDX-License-Identifier: MIT
 *
 * foil_events.h - Foil's events with their deliveries, to be looked at.
 *
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_FOIL_EVENTS_H
#define CLI_EMULATOR_FOIL_EVENTS_H

struct api_context;

void foil_list_events(struct api_context *ctx);
void foil_get_event(struct api_context *ctx); /* part 1 is its id */

#endif
