/* SPDX-License-Identifier: MIT
 *
 * hookline.h - is this webhook really from who it says it is from?
 *
 *     hookline_verifier *foil;
 *     if (hookline_verifier_new(&foil, "foil", secret) < 0)
 *         return unavailable();
 *
 *     hookline_request req = { .find_header = my_find, .headers = http, .body = { buf, len } };
 *     hookline_result  r   = hookline_verify(foil, &req, time(NULL));
 *     if (!hookline_accepted(r))
 *         return refuse(hookline_code_name(r.reason));
 *     handle(r.payload);
 *
 * Ownership  The library owns hookline_verifier and hookline_event: made by a function
 *            whose first parameter is `T **out`, released by the matching _free(T **),
 *            which takes NULL and a pointer to NULL. Secrets are copied into memory that no
 *            core file holds, locked as far as RLIMIT_MEMLOCK goes, and wiped. All else is
 *            yours: no pointer is kept after a call returns, and r.payload and r.id point
 *            into the request.
 * Threads    Set a verifier up on one thread, then share it as `const` with any number of
 *            them. To rotate secrets make a new verifier and swap.
 * Effects    hookline_verify() does no I/O, allocates nothing, writes no globals, logs
 *            nothing, reads no clock.
 * Timing     The time a verdict takes depends on lengths, on the syntax of the headers and
 *            on the number of secrets; never on the bytes of a secret or of the right
 *            signature. Every secret is tried against every signature, always.
 * Errors     Functions that return int return 0 or a negative enum hookline_code, and touch
 *            no output but `*out = NULL` and `why` when they fail.
 */
#ifndef HOOKLINE_H
#define HOOKLINE_H

#include <stddef.h>
#include <stdint.h>

#define HOOKLINE_VERSION "0.1.0"

#if defined(__GNUC__)
#define HOOKLINE_API __attribute__((visibility("default")))
#define HOOKLINE_MUST_USE __attribute__((warn_unused_result))
#else
#define HOOKLINE_API
#define HOOKLINE_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library at run time; HOOKLINE_VERSION is that of this header. */
HOOKLINE_API const char *hookline_version(void);

/* Bytes of somebody else's. Not terminated by a NUL, and any byte may be among them. */
typedef struct hookline_bytes {
    const char *base;
    size_t len;
} hookline_bytes;

/* ---- Codes ------------------------------------------------------------------------
 *
 * Positive accepts, negative refuses, and zero, which zeroed memory holds, accepts nothing.
 * The names in quotes are what logs, metrics and HTTP answers carry: they never change.
 */
enum hookline_code {
    HOOKLINE_VERIFIED = 1,    /* "verified"                                                 */
    HOOKLINE_NOT_CHECKED = 0, /* "not_checked": hookline_verify() never returns it          */

    /* -1 to -63: the sender's fault. Answer 4xx. */
    HOOKLINE_MISSING_HEADER = -1,       /* "missing_header": or it is empty                 */
    HOOKLINE_AMBIGUOUS_HEADER = -2,     /* "ambiguous_header": one of the scheme's, twice   */
    HOOKLINE_BAD_SIGNATURE_FORMAT = -3, /* "invalid_signature_format"                       */
    HOOKLINE_BAD_TIMESTAMP = -4,        /* "invalid_timestamp"                              */
    HOOKLINE_MISMATCH = -5,             /* "signature_mismatch": no secret gives it         */
    HOOKLINE_TOO_OLD = -6,              /* "timestamp_too_old": authentic; a replay?        */
    HOOKLINE_TOO_NEW = -7,              /* "timestamp_too_new": authentic; check the clocks */
    HOOKLINE_ID_MISMATCH = -8,          /* "webhook_id_mismatch": header id != signed id    */
    HOOKLINE_BAD_PAYLOAD = -9,          /* "invalid_payload": authentic but unreadable      */
    HOOKLINE_BAD_ID = -10,              /* "invalid_webhook_id": not what the scheme allows */

    /* -64 and below: our own fault. Answer 5xx, so that the sender tries again. */
    HOOKLINE_BAD_CALL = -64,      /* "bad_call": a NULL, or a field that is needed, unset   */
    HOOKLINE_NO_MEMORY = -65,     /* "no_memory"                                            */
    HOOKLINE_NO_CRYPTO = -66,     /* "no_crypto": libsodium did not start                   */
    HOOKLINE_BAD_SCHEME = -67,    /* "bad_scheme": no such name, or an unsafe description   */
    HOOKLINE_BAD_SECRET = -68,    /* "bad_secret": empty, white space at an end, undecodable,
                                     too long, one too many, or another kind of key         */
    HOOKLINE_BAD_TOLERANCE = -69  /* "bad_tolerance": negative or over a day                */
};

/* The stable name of a code and a sentence for people; never NULL, "unknown" for others. */
HOOKLINE_API const char *hookline_code_name(int code);
HOOKLINE_API const char *hookline_code_text(int code);

/* ---- Schemes ----------------------------------------------------------------------
 *
 * What a sender signs and how it says so. A scheme is data: a short description in the
 * language of hookline-schemes(7). All memory is the library's and lives as long as it.
 */
typedef struct hookline_scheme {
    const char *name;          /* "foil": what hookline_verifier_new() takes */
    const char *title;         /* "Foil (formerly Tripwire)"                 */
    const char *documentation; /* where its owner explains it: a URL         */
    const char *description;   /* clauses, each ended by ";"                 */
} hookline_scheme;

/* NULL if there is none. Print a name that was not found with care: by mistake it may be
 * the secret. */
HOOKLINE_API const hookline_scheme *hookline_scheme_find(const char *name);

/* The schemes from index 0 on; NULL after the last. */
HOOKLINE_API const hookline_scheme *hookline_scheme_at(size_t index);

/* ---- Verifier: one scheme, its secrets, its tolerance ----------------------------- */

#define HOOKLINE_SECRETS_MAX 8         /* secrets of one verifier                        */
#define HOOKLINE_SECRET_LENGTH_MAX 512 /* bytes of one secret's text                     */
#define HOOKLINE_TOLERANCE_DEFAULT 300 /* s to either side, unless the scheme says other */
#define HOOKLINE_TOLERANCE_MAX 86400   /* s                                              */

typedef struct hookline_verifier hookline_verifier;

/* The secret is the text that the sender's dashboard shows, whole: the scheme says whether
 * "whsec_" belongs to the key. HOOKLINE_BAD_SCHEME, _BAD_SECRET, _NO_MEMORY, _NO_CRYPTO. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_new(hookline_verifier **out,
                                                         const char *scheme, const char *secret);

/* The same for a scheme of your own. If the description is refused (HOOKLINE_BAD_SCHEME) a
 * sentence why is written to `why`, NUL-terminated and cut at `why_size` bytes; both may
 * be 0. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_new_custom(hookline_verifier **out,
                                                                const char *description,
                                                                const char *secret, char *why,
                                                                size_t why_size);

/* While secrets rotate, the old and the new one are both good. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_add_secret(hookline_verifier *v,
                                                                const char *secret);

/* How many seconds in the past and in the future a signed time may lie, 0 to
 * HOOKLINE_TOLERANCE_MAX. The window cannot be switched off: to verify old requests again,
 * give hookline_verify() the time at which they arrived. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_set_tolerance(hookline_verifier *v,
                                                                   int64_t past_s, int64_t future_s);

/* Wipes the secrets and sets *v to NULL. */
HOOKLINE_API void hookline_verifier_free(hookline_verifier **v);

/* ---- Request: how the library sees yours ------------------------------------------ */

/* Finds the header `name`, in any case, and returns how many such headers there are; if
 * there is at least one, sets *value to the first one's, without the white space around it.
 * Telling the truth about 2 is what stops smuggling. */
typedef size_t hookline_find_header(const void *headers, const char *name, hookline_bytes *value);

typedef struct hookline_request {
    hookline_find_header *find_header;
    const void *headers;   /* handed to find_header                                     */
    hookline_bytes body;   /* the bytes as received: not parsed, not encoded again      */
    hookline_bytes method; /* "POST": only where the scheme signs it                    */
    hookline_bytes url;    /* as registered with the sender: only where the scheme ...  */
    uint64_t reserved[2];  /* zero                                                      */
} hookline_request;

/* A list of headers, and the hookline_find_header that searches one. */
typedef struct hookline_header {
    const char *name;
    hookline_bytes value;
} hookline_header;
typedef struct hookline_header_list {
    const hookline_header *entries;
    size_t count;
} hookline_header_list;
HOOKLINE_API size_t hookline_find_in_list(const void *header_list, const char *name,
                                          hookline_bytes *value);

/* ---- Verdict ----------------------------------------------------------------------
 *
 * All fields but `reason` speak of authentic facts only: they stay empty unless a secret
 * gives the signature. `signed_at`, `id` and `mac` are there too when the request is then
 * refused for its time, id or payload.
 */
typedef struct hookline_result {
    int32_t reason;         /* an enum hookline_code                                        */
    int32_t secret;         /* which secret matched, 0 for the first; -1 for none           */
    int64_t signed_at;      /* the authentic time, s since 1970; -1 if nothing says it      */
    int32_t fresh;          /* 1: signed_at lies in the window. 0: the request carries no
                               signed time, so nobody knows how old it is                   */
    int32_t reserved;       /* zero                                                         */
    hookline_bytes id;      /* the authentic message id, or empty                           */
    unsigned char mac[32];  /* what was authenticated: where the scheme has no id, the key
                               by which to recognise a repetition                           */
    hookline_bytes payload; /* the body if accepted, else empty: read the body from here    */
    uint64_t reserved_too;  /* zero                                                         */
} hookline_result;

/* `now` is in seconds since 1970 and positive. The order of the checks: headers there, once
 * and well-formed; signature; time; id. So "too old" is never said of a forgery. Whether the
 * payload can be read is the next question: hookline_event_read(). */
HOOKLINE_API HOOKLINE_MUST_USE hookline_result hookline_verify(const hookline_verifier *v,
                                                               const hookline_request *req,
                                                               int64_t now);

static inline int hookline_accepted(hookline_result r)
{
    return r.reason > 0;
}

/* ---- Event: what an accepted payload says ----------------------------------------- */

typedef struct hookline_event {
    const char *id;     /* NUL-terminated, or NULL if the payload does not say */
    const char *type;   /* "webhook.test", "ping", ..., or NULL                */
    int64_t created_at; /* s since 1970, or -1                                 */
    int test;           /* 1 if the type is one of the scheme's tests          */
} hookline_event;

/* Parses r->payload as JSON, once. HOOKLINE_BAD_PAYLOAD if it is no JSON object though the
 * scheme's payloads are (elsewhere type and time are then empty); HOOKLINE_BAD_CALL if *r is
 * not an accepted result; HOOKLINE_NO_MEMORY. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_event_read(hookline_event **out,
                                                       const hookline_verifier *v,
                                                       const hookline_result *r);
HOOKLINE_API void hookline_event_free(hookline_event **event);

/* ---- Signing: the other direction, for tests and for those who pass deliveries on -- */

typedef struct hookline_signature {
    hookline_header_list headers; /* the headers to send, as hookline_find_in_list() takes
                                     them. Values point into this struct, so do not copy it;
                                     names live as long as the verifier                    */
    hookline_header entries[4];
    char text[1536];
} hookline_signature;

/* Signs as the scheme's owner would: with every secret if the scheme can list signatures,
 * else with the first one. Of `req` only body, method, url and, where the scheme signs
 * further headers, find_header are read. `id` is needed if the scheme sends one in a header; where
 * it has to equal the body's, an empty one is taken from there, and another is sent as it is, so
 * that tests can have it refused. `now` is in seconds since 1970; a scheme whose time stands in
 * the body takes it from there. HOOKLINE_BAD_CALL, _BAD_ID, _MISSING_HEADER, _AMBIGUOUS_HEADER. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_sign(const hookline_verifier *v,
                                                 const hookline_request *req, hookline_bytes id,
                                                 int64_t now, hookline_signature *out);

#ifdef __cplusplus
}
#endif

#endif
