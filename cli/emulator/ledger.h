/* SPDX-License-Identifier: MIT
 *
 * ledger.h - an emulated provider's endpoints, events and deliveries, in SQLite: in memory, or in a
 * file that outlives the process. Keeps the newest 10,000 events and 20,000 deliveries.
 *
 * Ownership  ledger_open() makes it; ledger_close() ends it. The caller frees returned structs with
 *            the _free() of their kind; arguments are copied.
 * Threads    One: the loop's, once it runs.
 * Errors     false or NULL. ledger_why() has the reason; "" means no such row.
 */
#ifndef CLI_EMULATOR_LEDGER_H
#define CLI_EMULATOR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "daemon/base/sqlite_file.h"

struct ledger;

enum {
    LEDGER_WHY_SIZE = SQLITE_FILE_WHY_SIZE
};

/* `file` NULL: in memory. The file has mode 0600, since it holds signing secrets, and is locked
 * against other processes. Returns NULL on failure, with the reason in `why`. */
struct ledger *ledger_open(const char *file, char why[LEDGER_WHY_SIZE]);
void ledger_close(struct ledger **ledger);

/* The error of the last call; "" if none. */
const char *ledger_why(const struct ledger *ledger);
/* Returns true if the last call failed, as opposed to finding no row. */
bool ledger_failed(const struct ledger *ledger);

/* Reads the setting into `out`; stores `value` first if there is none. Example: the
 * organization's id. */
bool ledger_setting(struct ledger *ledger, const char *name, const char *value, char *out,
                    size_t size);

/* ledger_end() commits the transaction if `good`, else rolls it back. Returns false after a
 * rollback. */
bool ledger_begin(struct ledger *ledger);
bool ledger_end(struct ledger *ledger, bool good);

struct ledger_endpoint {
    char *provider, *id;
    char *source;      /* hooklined source it was made for, unique, or NULL */
    char *scheme;      /* name of a library scheme; NULL: see `description` */
    char *description; /* of a scheme without a name, or NULL */
    char *url;
    char *signed_url;               /* URL that a scheme signs, if not `url`, or NULL */
    char *secret, *previous_secret; /* previous: "" if none */
    char *faults;                   /* of every delivery, for faults_read(), or "" */
    char *detail; /* JSON object: "name" (Foil), "events" (subscribed types; absent: all),
                     "filters" (Shodai); at least "{}" */
    bool enabled;
    int64_t created_us, updated_us;
};

/* NULL members stay NULL. Adding fails if the row exists, changing and removing if it does not. */
bool ledger_add_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint);
bool ledger_change_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint);
bool ledger_remove_endpoint(struct ledger *ledger, const char *provider, const char *id);
/* These return NULL if there is no such row. */
struct ledger_endpoint *ledger_endpoint(struct ledger *ledger, const char *provider,
                                        const char *id);
struct ledger_endpoint *ledger_endpoint_of_source(struct ledger *ledger, const char *source);
/* Returns endpoint number `from` in order of creation; NULL past the last. `provider` NULL: of
 * all providers. */
struct ledger_endpoint *ledger_endpoint_at(struct ledger *ledger, const char *provider,
                                           size_t from);
void ledger_endpoint_free(struct ledger_endpoint **endpoint);

struct ledger_event {
    char *provider, *id, *type, *body; /* body: as delivered */
    int64_t created_us;
};

struct ledger_delivery {
    char *provider, *id, *event_id, *endpoint_id, *event_type;
    char *status; /* in the provider's words */
    int attempts;
    int response_status; /* 0: no answer yet, or none */
    char *response_body; /* up to 4 KiB, cut on a character boundary, or NULL */
    char *error;         /* or NULL */
    int64_t created_us, updated_us;
};

/* A filter. "" matches any type, and any endpoint. */
struct ledger_event_filter {
    const char *provider, *type, *endpoint_id;
    size_t limit;
};

bool ledger_add_event(struct ledger *ledger, const struct ledger_event *event);
bool ledger_add_delivery(struct ledger *ledger, const struct ledger_delivery *delivery);
bool ledger_change_delivery(struct ledger *ledger, const struct ledger_delivery *delivery);
/* Gives all deliveries of this status a new one: an earlier process left them unfinished. */
bool ledger_fail_unfinished(struct ledger *ledger, const char *status, const char *new_status,
                            const char *error, int64_t now_us);
struct ledger_event *ledger_event(struct ledger *ledger, const char *provider, const char *id);
/* Calls `each` for the newest `limit` events, newest first. `each` may query the ledger. */
bool ledger_each_event(struct ledger *ledger, const struct ledger_event_filter *wanted,
                       void (*each)(void *data, const struct ledger_event *event), void *data);
void ledger_event_free(struct ledger_event **event);
struct ledger_delivery *ledger_delivery(struct ledger *ledger, const char *provider,
                                        const char *id);
/* Returns delivery number `from` of the event, in order of creation; NULL past the last. */
struct ledger_delivery *ledger_delivery_at(struct ledger *ledger, const char *provider,
                                           const char *event_id, size_t from);
void ledger_delivery_free(struct ledger_delivery **delivery);

/* ---- endpoint details */

/* Returns an enabled endpoint with these members, created now; NULL on ENOMEM. Its scheme is
 * named like the provider. */
struct ledger_endpoint *ledger_endpoint_new(const char *provider, const char *id,
                                            const char *secret, const char *faults);

/* Returns the provider as users know it: Foil's API also holds the endpoints of Tripwire, its
 * former name, whose scheme differs. */
const char *ledger_endpoint_provider(const struct ledger_endpoint *endpoint);

/* Returns a copy of the member, for cJSON_Delete(); NULL if absent. */
cJSON *ledger_endpoint_detail_get(const struct ledger_endpoint *endpoint, const char *member);

/* Replaces the member by a copy of the value; NULL removes it. On ENOMEM returns false and
 * changes nothing. */
bool ledger_endpoint_detail_set(struct ledger_endpoint *endpoint, const char *member,
                                const cJSON *value);

/* Returns the subscribed event types as an array for cJSON_Delete(): "events", else `usual`,
 * which is NULL-terminated. */
cJSON *ledger_endpoint_event_types(const struct ledger_endpoint *endpoint,
                                   const char *const *usual);

/* Returns an array of the NULL-terminated texts. */
cJSON *ledger_text_array(const char *const *texts);

/* Replaces a text member by a copy. Returns false on ENOMEM. */
bool ledger_set_text(char **member, const char *text);

/* Overwrites and frees the secret, which may be NULL. */
void ledger_wipe_secret(char *secret);

#endif
