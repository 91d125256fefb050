/* SPDX-License-Identifier: MIT */
#include "deliveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <hookline.h>

enum {
    ID_LEN = 32,
    PLACES_MAX = 16,
    REQUEST_MAX = 4096,
};

struct place {
    size_t at, len;
};

struct deliveries {
    struct deliveries_options options;
    hookline_verifier *signer[DELIVERIES_SIGNERS_MAX];
    uint64_t run; /* unique per run, so that ids never repeat */
    struct place place[PLACES_MAX];
    size_t places;
    char request[REQUEST_MAX];
    size_t request_len;
    char *kept; /* the bytes of each delivery at its places */
    size_t kept_len;
};

/* An event from Foil's documentation, with another id. */
static const char body_start[] = "{\"id\":\"wevt_";
static const char body_end[] =
    "\",\"object\":\"webhook_event\",\"type\":\"gate.session.approved\","
    "\"created\":\"2026-01-02T00:00:00.000Z\",\"data\":{\"service_id\":\"foil\","
    "\"gate_session_id\":\"gate_0123456789abcdefghjkmnpqrs\","
    "\"gate_account_id\":\"gacct_0123456789abcdefghjkmnpqrs\",\"account_name\":\"Acme\","
    "\"metadata\":{\"plan\":\"pro\"},\"foil\":{\"verdict\":\"human\",\"score\":0.12},"
    "\"delivery\":{\"version\":1,\"algorithm\":\"x25519-hkdf-sha256/aes-256-gcm\","
    "\"key_id\":\"LyGqfpvB0SCaX4P0inVpMJTAjCNJVWq_3OE87it2ZYo\","
    "\"public_key\":\"bn6szfMIS-7pLl01PqvssrrGRoW1SVTkUuqeg0hfrW0\"}}}";

static void append(struct deliveries *d, const char *text, size_t len)
{
    if (d->request_len + len > sizeof(d->request))
        abort();
    memcpy(d->request + d->request_len, text, len);
    d->request_len += len;
}

static void append_text(struct deliveries *d, const char *text)
{
    append(d, text, strlen(text));
}

static void append_place(struct deliveries *d, const char *text, size_t len)
{
    if (d->places == PLACES_MAX)
        abort();
    d->place[d->places++] = (struct place){d->request_len, len};
    append(d, text, len);
}

static size_t write_body(const struct deliveries *d, size_t number, char *body, size_t size)
{
    return (size_t)snprintf(body, size, "%s%016llx%016zx%s", body_start, (unsigned long long)d->run,
                            number, body_end);
}

static int sign(const struct deliveries *d, size_t signer, hookline_bytes body,
                hookline_signature *signature)
{
    hookline_request req = {.body = body};
    hookline_bytes id = {body.base + strlen(body_start) - strlen("wevt_"),
                         strlen("wevt_") + ID_LEN};
    int code = hookline_sign(d->signer[signer], &req, id, d->options.now, signature);

    if (code < 0)
        fprintf(stderr, "%s: %s\n", d->options.schemes[signer], hookline_code_text(code));
    return code;
}

/* Writes the whole request, and records the places where requests differ. */
static int write_request(struct deliveries *d, size_t number)
{
    char body[REQUEST_MAX], line[256];
    size_t len = write_body(d, number, body, sizeof(body));

    d->places = 0;
    d->request_len = 0;
    snprintf(line, sizeof(line), "POST %s HTTP/1.1\r\n", d->options.path);
    append_text(d, line);
    append_text(d, "Host: hooks.example.com\r\nUser-Agent: Provider-Webhooks/1.0\r\n"
                   "Accept: */*\r\nContent-Type: application/json\r\n");
    snprintf(line, sizeof(line), "Content-Length: %zu\r\n", len);
    append_text(d, line);
    for (size_t i = 0; i < d->options.signers; i++) {
        hookline_signature signature;

        if (sign(d, i, (hookline_bytes){body, len}, &signature) < 0)
            return -1;
        for (size_t h = 0; h < signature.headers.count; h++) {
            append_text(d, signature.entries[h].name);
            append_text(d, ": ");
            append_place(d, signature.entries[h].value.base, signature.entries[h].value.len);
            append_text(d, "\r\n");
        }
    }
    append_text(d, "\r\n");
    append_text(d, body_start);
    append_place(d, body + strlen(body_start), ID_LEN);
    append_text(d, body_end);
    return 0;
}

static int keep_all(struct deliveries *d)
{
    if (write_request(d, 0) < 0)
        return -1;
    for (size_t i = 0; i < d->places; i++)
        d->kept_len += d->place[i].len;
    if ((d->kept = malloc(d->kept_len * d->options.count)) == NULL)
        return -1;
    for (size_t number = 0; number < d->options.count; number++) {
        char *to = d->kept + number * d->kept_len;

        if (write_request(d, number) < 0)
            return -1;
        for (size_t i = 0; i < d->places; to += d->place[i++].len)
            memcpy(to, d->request + d->place[i].at, d->place[i].len);
    }
    return 0;
}

struct deliveries *deliveries_new(const struct deliveries_options *options)
{
    struct deliveries *d = calloc(1, sizeof(*d));
    int code = 0;

    if (d == NULL || getrandom(&d->run, sizeof(d->run), 0) != (ssize_t)sizeof(d->run))
        abort();
    d->options = *options;
    for (size_t i = 0; i < options->signers && code >= 0; i++)
        if ((code = hookline_verifier_new(&d->signer[i], options->schemes[i],
                                          options->secrets[i])) < 0)
            fprintf(stderr, "%s: %s\n", options->schemes[i], hookline_code_text(code));
    if (code < 0 || keep_all(d) < 0)
        deliveries_free(&d);
    return d;
}

void deliveries_free(struct deliveries **deliveries)
{
    struct deliveries *d = *deliveries;

    for (size_t i = 0; d != NULL && i < DELIVERIES_SIGNERS_MAX; i++)
        hookline_verifier_free(&d->signer[i]);
    if (d != NULL)
        free(d->kept);
    free(d);
    *deliveries = NULL;
}

size_t deliveries_count(const struct deliveries *d)
{
    return d->options.count;
}

size_t deliveries_request_len(const struct deliveries *d)
{
    return d->request_len;
}

void deliveries_write(const struct deliveries *d, size_t number, char *request)
{
    const char *from = d->kept + number * d->kept_len;

    if (request[0] == '\0')
        memcpy(request, d->request, d->request_len);
    for (size_t i = 0; i < d->places; from += d->place[i++].len)
        memcpy(request + d->place[i].at, from, d->place[i].len);
}
