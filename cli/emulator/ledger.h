/* SPDX-License-Identifier: MIT
 *
 * ledger.h - what an emulated provider remembers: endpoints, events and deliveries, in SQLite: in
 * memory, or in a file that the next start reads. Of events and deliveries the newest some thousand
 * are kept.
 *
 * Ownership  ledger_open() makes it, ledger_close() ends it. A struct that a function returns is
 *            the caller's, for the _free() of its kind; one that is given is copied.
 * Threads    One: the loop's, once that runs.
 * Errors     false or NULL, and ledger_why(): empty if nothing failed and there only is no such row.
 */
#ifndef CLI_EMULATOR_LEDGER_H
#define CLI_EMULATOR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* ---- what an emulated provider remembers: endpoints, events and deliveries, in SQLite: in
 * memory, or in a file that the next start reads. Of events and deliveries the newest some thousand
 * are kept.
 *
 * Ownership  ledger_open() makes it, ledger_close() ends it. A struct that a function returns is
 *            the caller's, for the _free() of its kind; one that is given is copied.
 * Threads    One: the loop's, once that runs.
 * Errors     false or NULL, and ledger_why(): empty if nothing failed and there only is no such row. */

struct ledger;

enum {
    LEDGER_WHY_SIZE = 512
};

/* `file` NULL: in memory. The file is made with mode 0600, since it holds signing secrets, and is
 * locked against other processes. NULL, and in `why` what is wrong. */
struct ledger *ledger_open(const char *file, char why[LEDGER_WHY_SIZE]);
void ledger_close(struct ledger **ledger);

/* What was wrong with the last call. */
const char *ledger_why(const struct ledger *ledger);
/* Whether there is anything: else what the last call has not found is not there. */
bool ledger_failed(const struct ledger *ledger);

/* A text that is kept by name, such as the id of the organization: what is stored, or, if nothing
 * is, `value`, which is stored then. In `out`, which has `size` bytes. */
bool ledger_setting(struct ledger *ledger, const char *name, const char *value, char *out,
                    size_t size);

/* What changes from ledger_begin() on is there when ledger_end() returns true, all of it, or else
 * nothing. With `good` false nothing is. */
bool ledger_begin(struct ledger *ledger);
bool ledger_end(struct ledger *ledger, bool good);

struct ledger_endpoint {
    char *provider, *id;
    char *source;      /* NULL, or the source of hooklined that it was made for; one has one */
    char *scheme;      /* the name of the library's scheme by which it is signed ... */
    char *description; /* ... or NULL and a description */
    char *url;
    char *signed_url; /* NULL: `url`. Where the scheme signs one: what the receiver is told */
    char *secret, *previous_secret; /* previous: "" if there is none */
    char *faults; /* "" for none, or as faults_read() reads it: of every delivery */
    char *detail; /* a JSON object: "name" (Foil's), "events" (the types that it subscribes to, of
                     every provider; all if it is absent), "filters" (Shodai's); "{}" will do */
    bool enabled;
    int64_t created_us, updated_us;
};

/* Of all members the NULLs stay NULL. The _change_ functions fail if there is no such row, the
 * _add_ ones if there is one. */
bool ledger_add_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint);
bool ledger_change_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint);
bool ledger_remove_endpoint(struct ledger *ledger, const char *provider, const char *id);
/* NULL if there is none. */
struct ledger_endpoint *ledger_endpoint(struct ledger *ledger, const char *provider,
                                        const char *id);
struct ledger_endpoint *ledger_endpoint_of_source(struct ledger *ledger, const char *source);
/* The one of number `from`, in the order in which they were made; of all providers with NULL. NULL
 * behind the last. */
struct ledger_endpoint *ledger_endpoint_at(struct ledger *ledger, const char *provider,
                                           size_t from);
void ledger_endpoint_free(struct ledger_endpoint **endpoint);

struct ledger_event {
    char *provider, *id, *type, *body; /* the body as it is delivered */
    int64_t created_us;
};

struct ledger_delivery {
    char *provider, *id, *event_id, *endpoint_id, *event_type;
    char *status; /* in the provider's words */
    int attempts;
    int response_status; /* 0: none yet, or nobody answered */
    char *response_body; /* NULL: none; cut at 4 KiB on a character boundary */
    char *error;         /* NULL: none */
    int64_t created_us, updated_us;
};

/* Which events; "" for any type, and for deliveries to any endpoint. */
struct ledger_event_filter {
    const char *provider, *type, *endpoint_id;
    size_t limit;
};

bool ledger_add_event(struct ledger *ledger, const struct ledger_event *event);
bool ledger_add_delivery(struct ledger *ledger, const struct ledger_delivery *delivery);
bool ledger_change_delivery(struct ledger *ledger, const struct ledger_delivery *delivery);
/* Gives those up that have this status since an earlier process, which nobody sends any more. */
bool ledger_fail_unfinished(struct ledger *ledger, const char *status, const char *new_status,
                            const char *error, int64_t now_us);
struct ledger_event *ledger_event(struct ledger *ledger, const char *provider, const char *id);
/* Calls `each`, which may ask the ledger, for the newest `limit` events, newest first. */
bool ledger_each_event(struct ledger *ledger, const struct ledger_event_filter *wanted,
                       void (*each)(void *data, const struct ledger_event *event), void *data);
void ledger_event_free(struct ledger_event **event);
struct ledger_delivery *ledger_delivery(struct ledger *ledger, const char *provider,
                                        const char *id);
/* Those of an event, in the order of their making; NULL behind the last. */
struct ledger_delivery *ledger_delivery_at(struct ledger *ledger, const char *provider,
                                           const char *event_id, size_t from);
void ledger_delivery_free(struct ledger_delivery **delivery);

/* ---- endpoints as the providers' APIs make and change them, and what each has of its
 * provider's own, which ledger_endpoint.detail keeps as JSON. Reads the clock, and else is pure. */

struct ledger_endpoint;

/* One that is made now, enabled, with nothing but these; for ledger_endpoint_free(). NULL without
 * memory. The provider's name is that of its scheme, too. */
struct ledger_endpoint *ledger_endpoint_new(const char *provider, const char *id,
                                            const char *secret, const char *faults);

/* A copy of a member, for cJSON_Delete(); NULL if there is none. */
cJSON *ledger_endpoint_detail_get(const struct ledger_endpoint *endpoint, const char *member);

/* Puts a copy of the value in place of the member; NULL takes it away. False without memory, and
 * the endpoint is as it was. */
bool ledger_endpoint_detail_set(struct ledger_endpoint *endpoint, const char *member,
                                const cJSON *value);

/* The array of the types of events, for cJSON_Delete(): "events" or, where there are none, `usual`,
 * which ends with NULL. */
cJSON *ledger_endpoint_event_types(const struct ledger_endpoint *endpoint,
                                   const char *const *usual);

/* An array of texts, which end with NULL. */
cJSON *ledger_text_array(const char *const *texts);

/* Puts a copy of the text into a member of struct ledger_endpoint. False without memory. */
bool ledger_set_text(char **member, const char *text);

/* Overwrites and frees the secret, which may be NULL. */
void ledger_wipe_secret(char *secret);

#endif
