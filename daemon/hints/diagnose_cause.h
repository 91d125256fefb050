/* SPDX-License-Identifier: MIT
 *
 * diagnose_cause.h - causes of a refusal, with their names and remedies. Pure.
 */
#ifndef DAEMON_HINTS_DIAGNOSE_CAUSE_H
#define DAEMON_HINTS_DIAGNOSE_CAUSE_H

enum diagnose_cause {
    DIAGNOSE_NONE,
    DIAGNOSE_OTHER_SOURCE,
    /* body changed on its way */
    DIAGNOSE_BODY_NEWLINE,
    DIAGNOSE_BODY_CRLF,
    DIAGNOSE_BODY_REENCODED,
    DIAGNOSE_BODY_BASE64,
    DIAGNOSE_BODY_STRING,
    DIAGNOSE_BODY_EVENT,
    /* key of the sender */
    DIAGNOSE_SECRET_NEWLINE,
    DIAGNOSE_SECRET_DECODING,
    /* secret stored wrongly here */
    DIAGNOSE_SECRET_BOM,
    DIAGNOSE_SECRET_QUOTES,
    DIAGNOSE_SECRET_ASSIGNMENT,
    DIAGNOSE_SECRET_BEARER,
    DIAGNOSE_SECRET_ESCAPE,
    DIAGNOSE_SECRET_BLANKS,
    DIAGNOSE_SECRET_BASE64,
    /* signed URL */
    DIAGNOSE_URL_SCHEME,
    DIAGNOSE_URL_PORT,
    DIAGNOSE_URL_CASE,
    DIAGNOSE_URL_SLASH,
    DIAGNOSE_URL_QUERY,
    DIAGNOSE_TIMESTAMP_UNIT,
    DIAGNOSE_PATH, /* by the receiver: no source has the path, but one has nearly this path */
};

/* Returns the cause with this name; DIAGNOSE_NONE if it is unknown. */
enum diagnose_cause diagnose_cause_find(const char *name);

/* Returns the stable name for log lines; NULL for DIAGNOSE_NONE. */
const char *diagnose_cause_name(enum diagnose_cause kind);

/* Returns a sentence with cause and remedy; NULL for DIAGNOSE_NONE. */
const char *diagnose_cause_text(enum diagnose_cause kind);

#endif
