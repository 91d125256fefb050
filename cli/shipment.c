/* SPDX-License-Identifier: MIT */
#include "cli/shipment.h"
#include "daemon/hints/secret_mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <sodium.h>

#include "cli/description.h"
#include "cli/faults.h"
#include "cli/raw_request.h"
#include "cli/secrets.h"

enum {
    NAME_SIZE = 128,
    OWN_HEADERS = 2 /* Content-Type, User-Agent */
};

static const struct faults no_faults;

struct shipment_builder {
    const struct shipment_spec *spec;
    const struct faults *faults;
    struct header_lines extra;
    hookline_verifier *signer;
    hookline_signature signature;
    struct faults_body body;
    char *why;
};

static bool shipment_fail(const struct shipment_builder *b, const char *what)
{
    snprintf(b->why, SHIPMENT_WHY_SIZE, "%s", what);
    return false;
}

/* ---- secrets */

static bool shipment_new_signer(struct shipment_builder *b, const char *description,
                                const char *secret)
{
    int code =
        hookline_verifier_new_custom(&b->signer, description, secret, b->why, SHIPMENT_WHY_SIZE);

    return code == 0 || (code == HOOKLINE_BAD_SCHEME
                             ? false
                             : shipment_fail(b, secret_error_text(code, description, secret)));
}

static bool shipment_add_secret(struct shipment_builder *b, const char *secret)
{
    int code = hookline_verifier_add_secret(b->signer, secret);

    return code == 0 || shipment_fail(b, hookline_code_text(code));
}

/* Signs with a random secret that is valid as text, hex and base64. */
static bool shipment_sign_by_stranger(struct shipment_builder *b)
{
    unsigned char bytes[32];
    char text[2 * sizeof(bytes) + 1];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes));
    return shipment_new_signer(b, b->spec->description, text);
}

/* Passes the secret in hex, because the library rejects a text secret that ends with white
 * space. */
static bool shipment_sign_with_newline(struct shipment_builder *b)
{
    const char *secret = b->spec->secrets[0];
    char description[DESCRIPTION_SIZE];
    size_t len = strlen(secret);
    char *key, *hex;
    bool good;

    if (!clause_replace(b->spec->description, "secret", "secret hex", description) ||
        2 * (len + 1) > HOOKLINE_SECRET_LENGTH_MAX)
        return shipment_fail(b, "secret-newline: the secret is too long");
    key = sodium_malloc(len + 1);
    hex = sodium_malloc(2 * (len + 1) + 1);
    if (key == NULL || hex == NULL) {
        good = shipment_fail(b, "out of memory");
    } else {
        memcpy(key, secret, len);
        key[len] = '\n';
        sodium_bin2hex(hex, 2 * (len + 1) + 1, (const unsigned char *)key, len + 1);
        good = shipment_new_signer(b, description, hex);
    }
    sodium_free(key);
    sodium_free(hex);
    return good;
}

static bool shipment_lists_signatures(const char *description)
{
    struct clause list;

    return clause_find(description, "list", NULL, &list) && !clause_word_is(&list, 1, "none");
}

/* The correct signature comes second, because signatures have the order of the secrets: a receiver
 * that reads only the first one fails. */
static bool shipment_sign_by_two(struct shipment_builder *b)
{
    const struct shipment_spec *spec = b->spec;

    return (spec->secrets_count > 1 ? shipment_new_signer(b, spec->description, spec->secrets[1])
                                    : shipment_sign_by_stranger(b)) &&
           shipment_add_secret(b, spec->secrets[0]);
}

static bool shipment_open_signer(struct shipment_builder *b)
{
    const struct shipment_spec *spec = b->spec;

    if (spec->secrets_count == 0)
        return shipment_fail(b, "no secret to sign with");
    if (b->faults->wrong_secret)
        return shipment_sign_by_stranger(b);
    if (b->faults->secret_newline)
        return shipment_sign_with_newline(b);
    if (b->faults->two_signatures && shipment_lists_signatures(spec->description))
        return shipment_sign_by_two(b);
    if (!shipment_new_signer(b, spec->description, spec->secrets[0]))
        return false;
    for (size_t i = 1; i < spec->secrets_count; i++)
        if (!shipment_add_secret(b, spec->secrets[i]))
            return false;
    return true;
}

/* ---- body */

static bool shipment_copy_body(struct shipment_builder *b)
{
    b->body.len = b->spec->body.len;
    b->body.base = malloc(b->body.len + 1);
    if (b->body.base == NULL)
        return shipment_fail(b, "out of memory");
    if (b->body.len > 0)
        memcpy(b->body.base, b->spec->body.base, b->body.len);
    return true;
}

static bool shipment_fault_before_sign(struct shipment_builder *b)
{
    struct clause timestamp;
    char path[NAME_SIZE];

    if (b->faults->shift_s != 0) {
        if (!clause_find(b->spec->description, "timestamp", NULL, &timestamp))
            return shipment_fail(b, "stale, future: this scheme signs no time");
        clause_copy_word(&timestamp, 2, path, sizeof(path));
        if (clause_word_is(&timestamp, 1, "body"))
            b->body = faults_shift_time(b->body, path, b->faults->shift_s, b->why);
    }
    if (b->body.base != NULL && b->faults->oversize > 0)
        b->body = faults_oversize(b->body, b->faults->oversize, b->why);
    if (b->body.base != NULL && b->body.len == 0 && (b->faults->truncate || b->faults->reset))
        return shipment_fail(b, "truncate, reset: the body is empty");
    return b->body.base != NULL;
}

static bool shipment_fault_after_sign(struct shipment_builder *b)
{
    if (b->faults->tamper)
        b->body = faults_tamper(b->body, b->why);
    else if (b->faults->reencode)
        b->body = faults_reencode(b->body, b->why);
    else if (b->faults->crlf)
        b->body = faults_crlf(b->body, b->why);
    return b->body.base != NULL;
}

/* ---- headers */

static bool shipment_has_extra(const struct shipment_builder *b, const char *name)
{
    hookline_header_list extra = header_lines_list(&b->extra);
    hookline_bytes value;

    return hookline_find_in_list(&extra, name, &value) > 0;
}

static bool shipment_read_extra(struct shipment_builder *b)
{
    char why[HEADER_LINES_WHY_SIZE];

    for (const char *const *line = b->spec->extra; line != NULL && *line != NULL; line++)
        if (!header_lines_add(&b->extra, *line, strlen(*line), why))
            return shipment_fail(b, why);
    return true;
}

static bool shipment_sign(struct shipment_builder *b)
{
    const struct shipment_spec *spec = b->spec;
    const char *method = spec->method == NULL ? "POST" : spec->method;
    hookline_header_list extra = header_lines_list(&b->extra);
    struct signing_input input = {
        .verifier = b->signer,
        .description = spec->description,
        .request = {.find_header = hookline_find_in_list,
                    .headers = &extra,
                    .body = {b->body.base, b->body.len},
                    .method = {method, strlen(method)},
                    .url = {spec->url, spec->url == NULL ? 0 : strlen(spec->url)}},
        .id = spec->id,
        .now = spec->now + b->faults->shift_s,
    };

    if (!secrets_sign(&input, &b->signature, b->why))
        return false;
    for (size_t i = 0; i < b->signature.headers.count; i++) {
        if (shipment_has_extra(b, b->signature.entries[i].name)) {
            snprintf(b->why, SHIPMENT_WHY_SIZE,
                     "the header %s is set by signing: remove it from the extra headers",
                     b->signature.entries[i].name);
            return false;
        }
    }
    return true;
}

/* libcurl's syntax for a header without a value is "Name;". */
static bool shipment_write_header(char **out, const char *name, hookline_bytes value)
{
    if (asprintf(out, value.len == 0 ? "%s;" : "%s: %.*s", name, (int)value.len, value.base) >= 0)
        return true;
    *out = NULL;
    return false;
}

static const char *shipment_content_type(struct faults_body body)
{
    size_t i = 0;

    while (i < body.len && strchr(" \t\r\n", body.base[i]) != NULL && body.base[i] != '\0')
        i++;
    return i < body.len && (body.base[i] == '{' || body.base[i] == '[')
               ? "application/json"
               : "application/octet-stream";
}

static bool shipment_write_headers(struct shipment_builder *b, char **out)
{
    const char *type = shipment_content_type(b->body), *agent = "hookline/" HOOKLINE_VERSION;
    struct clause signature;
    char name[NAME_SIZE];
    bool good = true;

    clause_find(b->spec->description, "signature", NULL, &signature);
    clause_copy_word(&signature, 1, name, sizeof(name));
    if (!shipment_has_extra(b, "Content-Type"))
        good = shipment_write_header(out++, "Content-Type", (hookline_bytes){type, strlen(type)});
    if (good && !shipment_has_extra(b, "User-Agent"))
        good = shipment_write_header(out++, "User-Agent", (hookline_bytes){agent, strlen(agent)});
    for (size_t i = 0; good && i < b->extra.count; i++)
        good = shipment_write_header(out++, b->extra.entries[i].name, b->extra.entries[i].value);
    for (size_t i = 0; good && i < b->signature.headers.count; i++) {
        const hookline_header *header = &b->signature.entries[i];

        if (!b->faults->unsigned_ || strcasecmp(header->name, name) != 0)
            good = shipment_write_header(out++, header->name, header->value);
    }
    return good || shipment_fail(b, "out of memory");
}

/* ---- building */

static struct shipment *shipment_wrap(struct shipment_builder *b)
{
    size_t headers = OWN_HEADERS + b->extra.count + b->signature.headers.count;
    struct shipment *shipment = calloc(1, sizeof(*shipment));

    if (shipment == NULL || (shipment->headers = calloc(headers + 1, sizeof(char *))) == NULL) {
        shipment_fail(b, "out of memory");
        free(shipment);
        return NULL;
    }
    shipment->method = b->spec->method;
    shipment->bytes_per_s = b->faults->bytes_per_s;
    shipment->truncate = b->faults->truncate;
    shipment->reset = b->faults->reset;
    if (!shipment_write_headers(b, shipment->headers) || !shipment_fault_after_sign(b)) {
        shipment_free(&shipment);
        return NULL;
    }
    shipment->body = b->body.base;
    shipment->len = b->body.len;
    b->body.base = NULL;
    return shipment;
}

struct shipment *shipment_build(const struct shipment_spec *spec, const struct faults *faults,
                                char why[SHIPMENT_WHY_SIZE])
{
    struct shipment_builder b = {
        .spec = spec, .faults = faults == NULL ? &no_faults : faults, .why = why};
    struct shipment *shipment = NULL;

    if (sodium_init() < 0)
        shipment_fail(&b, hookline_code_text(HOOKLINE_NO_CRYPTO));
    else if (shipment_open_signer(&b) && shipment_read_extra(&b) && shipment_copy_body(&b) &&
             shipment_fault_before_sign(&b) && shipment_sign(&b))
        shipment = shipment_wrap(&b);
    hookline_verifier_free(&b.signer);
    header_lines_free(&b.extra);
    free(b.body.base);
    return shipment;
}

void shipment_free(struct shipment **shipment)
{
    if (*shipment == NULL)
        return;
    for (char **header = (*shipment)->headers; *header != NULL; header++)
        free(*header);
    free((*shipment)->headers);
    free((*shipment)->body);
    free(*shipment);
    *shipment = NULL;
}

/* ---- sending */

void shipment_request(const struct shipment *shipment, const struct client_target *target,
                      struct client_request *request)
{
    *request = (struct client_request){
        .target = target,
        .method = shipment->method,
        .headers = (const char *const *)shipment->headers,
        .body = shipment->body,
        .len = shipment->len,
        .tune = shipment_tune,
    };
}

/* For truncate and reset: aborts after half of the announced length. */
static size_t shipment_on_read(char *out, size_t one, size_t size, void *data)
{
    struct shipment_sending *sending = data;
    const struct shipment *s = sending->shipment;
    size_t end = s->truncate || s->reset ? s->len / 2 : s->len;
    size_t len = end - sending->sent;

    (void)one;
    if (len == 0 && end < s->len)
        return CURL_READFUNC_ABORT;
    if (len > size)
        len = size;
    if (s->bytes_per_s > 0 && len > (s->bytes_per_s + 3) / 4)
        len = (size_t)(s->bytes_per_s + 3) / 4;
    memcpy(out, s->body + sending->sent, len);
    sending->sent += len;
    return len;
}

/* libcurl seeks to resend the body when a reused connection turns out to be closed. */
static int shipment_on_seek(void *data, curl_off_t offset, int origin)
{
    struct shipment_sending *sending = data;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > sending->shipment->len)
        return CURL_SEEKFUNC_FAIL;
    sending->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* With a linger time of 0, close() resets the connection. */
static int shipment_on_socket(void *data, curl_socket_t socket, curlsocktype purpose)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)data, (void)purpose;
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    return CURL_SOCKOPT_OK;
}

void shipment_tune(void *data, void *easy)
{
    struct shipment_sending *sending = data;
    const struct shipment *s = sending->shipment;

    sending->sent = 0;
    if (s->bytes_per_s == 0 && !s->truncate && !s->reset)
        return;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, shipment_on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, sending);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, shipment_on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, sending);
    curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)s->bytes_per_s);
    if (s->truncate || s->reset) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
    if (s->reset)
        curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, shipment_on_socket);
}

const char *shipment_error(const struct shipment_sending *sending, const char *error)
{
    const struct shipment *s = sending->shipment;

    return sending->sent > 0 && (s->truncate || s->reset)
               ? "connection ended in the middle of the body, as requested"
               : error;
}
