/* SPDX-License-Identifier: MIT
 *
 * hookline.h - verify that a webhook is genuine, and sign webhooks.
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
 * Ownership  The library owns hookline_verifier and hookline_event. A function whose first
 *            parameter is `T **out` creates them; the matching _free(T **) releases them and
 *            accepts NULL and a pointer to NULL. The caller owns everything else. The library
 *            copies secrets into memory that core files omit, locks it as far as
 *            RLIMIT_MEMLOCK permits, and wipes it. It keeps no pointer after a call returns;
 *            r.payload and r.id point into the request.
 * Threads    Set a verifier up on one thread, then share it as `const` with any number of
 *            threads. To rotate secrets, make a new verifier and swap the pointer.
 * Effects    hookline_verify() does no I/O, allocates nothing, writes no globals, logs
 *            nothing, reads no clock.
 * Timing     The time of a verdict depends on lengths, on the syntax of the headers and on
 *            the number of secrets; never on the bytes of a secret or of the expected
 *            signature. Every secret is compared with every signature.
 * Errors     Functions that return int return 0 or a negative enum hookline_code. On failure
 *            they set `*out` to NULL, may write `why`, and change no other output.
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

/* Returns the version of the library at run time; HOOKLINE_VERSION is that of this header. */
HOOKLINE_API const char *hookline_version(void);

/* Bytes owned by the caller: any values, not NUL-terminated. */
typedef struct hookline_bytes {
    const char *base;
    size_t len;
} hookline_bytes;

/* ---- Codes ------------------------------------------------------------------------
 *
 * A positive code accepts, a negative one refuses; 0, the value of zeroed memory, accepts
 * nothing. Logs, metrics and HTTP answers carry the quoted names, which never change.
 */
enum hookline_code {
    HOOKLINE_VERIFIED = 1,    /* "verified"                                                 */
    HOOKLINE_NOT_CHECKED = 0, /* "not_checked": never returned by hookline_verify()         */

    /* -1 to -63: the sender's fault. Answer 4xx. */
    HOOKLINE_MISSING_HEADER = -1,       /* "missing_header": or the header is empty         */
    HOOKLINE_AMBIGUOUS_HEADER = -2,     /* "ambiguous_header": more than once, or mixed     */
    HOOKLINE_BAD_SIGNATURE_FORMAT = -3, /* "invalid_signature_format"                       */
    HOOKLINE_BAD_TIMESTAMP = -4,        /* "invalid_timestamp"                              */
    HOOKLINE_MISMATCH = -5,             /* "signature_mismatch": with every secret          */
    HOOKLINE_TOO_OLD = -6,              /* "timestamp_too_old": authentic; a replay?        */
    HOOKLINE_TOO_NEW = -7,              /* "timestamp_too_new": authentic; check the clocks */
    HOOKLINE_ID_MISMATCH = -8,          /* "webhook_id_mismatch": header id != signed id    */
    HOOKLINE_BAD_PAYLOAD = -9,          /* "invalid_payload": authentic, but the body lacks
                                           the id or time that the scheme binds             */
    HOOKLINE_BAD_ID = -10,              /* "invalid_webhook_id": too long or bad characters */

    /* -64 and below: the receiver's fault. Answer 5xx, so that the sender retries. */
    HOOKLINE_BAD_CALL = -64,      /* "bad_call": NULL, or a required field is unset         */
    HOOKLINE_NO_MEMORY = -65,     /* "no_memory"                                            */
    HOOKLINE_NO_CRYPTO = -66,     /* "no_crypto": libsodium finds no source of randomness   */
    HOOKLINE_BAD_SCHEME = -67,    /* "bad_scheme": unknown name, or unsafe description      */
    HOOKLINE_BAD_SECRET = -68,    /* "bad_secret": hookline_secret_problem() says why        */
    HOOKLINE_BAD_TOLERANCE = -69  /* "bad_tolerance": negative or more than a day           */
};

/* Returns the stable name of a code, or an English sentence. Never NULL; the name of other
 * numbers is "unknown". */
HOOKLINE_API const char *hookline_code_name(int code);
HOOKLINE_API const char *hookline_code_text(int code);

/* ---- Schemes ----------------------------------------------------------------------
 *
 * A scheme says what a sender signs and in which headers. It is a short description in the
 * language of hookline-schemes(7). The texts are static.
 */
typedef struct hookline_scheme {
    const char *name;          /* "foil": the argument of hookline_verifier_new() */
    const char *title;         /* "Foil (formerly Tripwire)"                      */
    const char *documentation; /* URL of the owner's documentation                */
    const char *description;   /* clauses, each ended by ";"                      */
} hookline_scheme;

/* Returns the scheme, or NULL if none has this name. Do not print an unknown name: the
 * caller may have passed the secret by mistake. */
HOOKLINE_API const hookline_scheme *hookline_scheme_find(const char *name);

/* Returns the scheme at this index, or NULL after the last one. */
HOOKLINE_API const hookline_scheme *hookline_scheme_at(size_t index);

/* ---- Verifier: one scheme, its secrets, its tolerance ----------------------------- */

#define HOOKLINE_SECRETS_MAX 8         /* secrets of one verifier                         */
#define HOOKLINE_SECRET_LENGTH_MAX 512 /* bytes of one secret's text                      */
#define HOOKLINE_TOLERANCE_DEFAULT 300 /* s, past and future, unless the scheme sets it   */
#define HOOKLINE_TOLERANCE_MAX 86400   /* s                                               */

typedef struct hookline_verifier hookline_verifier;

/* Makes a verifier for a built-in scheme. Pass the secret exactly as the sender's dashboard
 * shows it: the scheme knows whether "whsec_" belongs to the key.
 * HOOKLINE_BAD_CALL, _BAD_SCHEME, _BAD_SECRET, _NO_MEMORY, _NO_CRYPTO. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_new(hookline_verifier **out,
                                                         const char *scheme, const char *secret);

/* Makes a verifier for a description of your own. If the description is refused
 * (HOOKLINE_BAD_SCHEME), writes the reason to `why`, NUL-terminated and cut at `why_size`
 * bytes. `why` may be NULL, `why_size` 0. Other errors as above. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_new_custom(hookline_verifier **out,
                                                                const char *description,
                                                                const char *secret, char *why,
                                                                size_t why_size);

/* Adds a secret, up to HOOKLINE_SECRETS_MAX; each of them verifies, so that secrets can
 * rotate. HOOKLINE_BAD_CALL, _BAD_SECRET, _NO_MEMORY. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_add_secret(hookline_verifier *v,
                                                                const char *secret);

/* Returns why a description cannot use a secret, as static text without any part of it, or NULL
 * if it can. After HOOKLINE_BAD_SECRET NULL means that the verifier has all its secrets. Pass
 * hookline_scheme_find(name)->description for a built-in scheme. */
HOOKLINE_API const char *hookline_secret_problem(const char *description, const char *secret);

/* Sets the replay window: how far a signed time may lie in the past and in the future, each
 * 0 to HOOKLINE_TOLERANCE_MAX seconds. The window cannot be disabled: to verify an old
 * request again, pass its time of arrival to hookline_verify(). HOOKLINE_BAD_CALL,
 * _BAD_TOLERANCE. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_verifier_set_tolerance(hookline_verifier *v,
                                                                   int64_t past_s, int64_t future_s);

/* Returns the length in bytes of the shortest decoded key; 0 for NULL. A short key can be guessed:
 * warn below 16. */
HOOKLINE_API size_t hookline_verifier_key_bytes(const hookline_verifier *v);

/* Wipes the secrets, frees the verifier and sets *v to NULL. */
HOOKLINE_API void hookline_verifier_free(hookline_verifier **v);

/* ---- Request: the library's view of yours ------------------------------------------ */

/* Looks up the header `name`, ignoring case. Returns the number of headers of this name; if
 * that is 1 or more, sets *value to the first value, without surrounding white space. The
 * true number matters: it lets the library refuse duplicates, which smuggle headers. */
typedef size_t hookline_find_header(const void *headers, const char *name, hookline_bytes *value);

typedef struct hookline_request {
    hookline_find_header *find_header;
    const void *headers;   /* passed to find_header                                     */
    hookline_bytes body;   /* the bytes as received: never parsed and re-encoded        */
    hookline_bytes method; /* "POST"; read only if the scheme signs the method          */
    hookline_bytes url;    /* as registered with the sender; read only if signed        */
    uint64_t reserved[2];  /* zero                                                      */
} hookline_request;

/* A list of headers, and the hookline_find_header for it. */
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
 * `reason` is always set. The other fields hold authenticated facts only and stay empty
 * unless a secret matches the signature. `secret`, `signed_at`, `id` and `mac` remain set if
 * the request is then refused for its time, id or payload.
 */
typedef struct hookline_result {
    int32_t reason;         /* an enum hookline_code                                        */
    int32_t secret;         /* index of the matching secret, from 0; -1 for none            */
    int64_t signed_at;      /* the signed time, s since 1970; -1 if no time is signed       */
    int32_t fresh;          /* 1: signed_at lies in the window. 0: the request has no signed
                               time, so its age is unknown                                  */
    int32_t reserved;       /* zero                                                         */
    hookline_bytes id;      /* the signed message id, or empty                              */
    unsigned char mac[32];  /* the matching signature: use it to recognise duplicates if the
                               scheme has no id                                             */
    hookline_bytes payload; /* the body if accepted, else empty: read the body from here    */
    uint64_t reserved_too;  /* zero                                                         */
} hookline_result;

/* Verifies a request. `now` is in seconds since 1970, above 0. Checks in this order: headers
 * present, unique and well-formed; signature; time; id. A forgery is therefore never
 * reported as "too old". A payload is refused (HOOKLINE_BAD_PAYLOAD) only if the scheme needs a
 * part of it: an id that the header must equal, or a time. Every other one is accepted, whatever it
 * contains; hookline_event_read() says if it could not be read. */
HOOKLINE_API HOOKLINE_MUST_USE hookline_result hookline_verify(const hookline_verifier *v,
                                                               const hookline_request *req,
                                                               int64_t now);

static inline int hookline_accepted(hookline_result r)
{
    return r.reason > 0;
}

/* Returns the id that the sender gave this delivery in a header, if the scheme names one; empty
 * if it is missing, occurs more than once, or is not 1 to 256 characters of printable ASCII
 * without blanks. It points into the request. THIS ID IS NOT SIGNED: anyone who repeats a
 * delivery can change it. It tells apart deliveries whose signed bytes are equal, so use it
 * only together with `mac`. */
HOOKLINE_API hookline_bytes hookline_delivery_id(const hookline_verifier *v,
                                                 const hookline_request *req);

/* ---- Event: the content of an accepted payload ------------------------------------- */

typedef struct hookline_event {
    const char *id;         /* the signed id, NUL-terminated, or NULL: r->id, or the id of
                               the body if it contains escapes                          */
    const char *type;       /* "webhook.test", "ping", ..., or NULL                     */
    int64_t created_at;     /* s since 1970, or -1                                      */
    int test;               /* 1 if the scheme uses this type for tests                 */
    const char *unreadable; /* static text: what makes the payload, its id or its type
                               unreadable, such as "JSON ends early"; or NULL           */
} hookline_event;

/* Reads id, type and time from r->payload, which is JSON of any size, depth and content. A
 * payload that is damaged is no error: `unreadable` says so, and members in front of the
 * damage are read. Never refuse a delivery for it, because it is authentic. Of members of one
 * name the last one counts. A lone surrogate in a type becomes U+FFFD; a type with a NUL is
 * unreadable, so that it equals no other type. HOOKLINE_BAD_CALL if *r is not an accepted
 * result; HOOKLINE_NO_MEMORY. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_event_read(hookline_event **out,
                                                       const hookline_verifier *v,
                                                       const hookline_result *r);
HOOKLINE_API void hookline_event_free(hookline_event **event);

/* ---- Signing: for tests, and for forwarding deliveries ----------------------------- */

typedef struct hookline_signature {
    hookline_header_list headers; /* the headers to send, usable by hookline_find_in_list().
                                     Values point into this struct, so do not copy it;
                                     names live as long as the verifier                    */
    hookline_header entries[4];
    char text[1536];
} hookline_signature;

/* Signs as the sender would: with every secret if the scheme lists signatures, else with the
 * first one. Reads body, method and url of `req`, and find_header if the scheme signs
 * further headers. `id` is required if the scheme sends an id in a header; if that id must
 * equal one in the body, an empty `id` is taken from the body, and a different `id` is sent
 * unchanged, so that tests can check the refusal. `now` is in seconds since 1970, before the
 * year 10000; a scheme with its time in the body takes the time from there.
 * HOOKLINE_BAD_CALL, _BAD_ID, _MISSING_HEADER, _AMBIGUOUS_HEADER. */
HOOKLINE_API HOOKLINE_MUST_USE int hookline_sign(const hookline_verifier *v,
                                                 const hookline_request *req, hookline_bytes id,
                                                 int64_t now, hookline_signature *out);

#ifdef __cplusplus
}
#endif

#endif
