/* SPDX-License-Identifier: MIT */
#include "cli/shipment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <sodium.h>

#include "cli/faults.h"
#include "cli/description.h"
#include "cli/raw_request.h"
#include "cli/secrets.h"

enum {
    NAME_SIZE = 128,
    OWN_HEADERS = 2 /* Content-Type, User-Agent */
};

static const struct faults no_faults;

/* What is being packed. */
struct shipment_builder {
    const struct shipment_spec *spec;
    const struct faults *faults;
    struct header_lines extra;
    hookline_verifier *signer;
    hookline_signature signature;
    struct faults_body body;
    char *why;
};

static bool shipment_fail(const struct shipment_builder *p, const char *what)
{
    snprintf(p->why, SHIPMENT_WHY_SIZE, "%s", what);
    return false;
}

/* ---- the secrets */

static bool shipment_new_signer(struct shipment_builder *p, const char *description,
                                const char *secret)
{
    int code =
        hookline_verifier_new_custom(&p->signer, description, secret, p->why, SHIPMENT_WHY_SIZE);

    return code == 0 ||
           (code == HOOKLINE_BAD_SCHEME ? false : shipment_fail(p, hookline_code_text(code)));
}

static bool shipment_add_secret(struct shipment_builder *p, const char *secret)
{
    int code = hookline_verifier_add_secret(p->signer, secret);

    return code == 0 || shipment_fail(p, hookline_code_text(code));
}

/* Nobody's secret; it can be read as text, as hexadecimal and as base64. */
static bool shipment_sign_by_stranger(struct shipment_builder *p)
{
    unsigned char bytes[32];
    char text[2 * sizeof(bytes) + 1];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes));
    return shipment_new_signer(p, p->spec->description, text);
}

/* The library takes no secret with white space at an end, but for one in hexadecimal it takes any
 * bytes. */
static bool shipment_sign_with_newline(struct shipment_builder *p)
{
    const char *secret = p->spec->secrets[0];
    char description[DESCRIPTION_SIZE];
    size_t len = strlen(secret);
    char *key, *hex;
    bool good;

    if (!clause_replace(p->spec->description, "secret", "secret hex", description) ||
        2 * (len + 1) > HOOKLINE_SECRET_LENGTH_MAX)
        return shipment_fail(p, "secret-newline: the secret is too long for it");
    key = sodium_malloc(len + 1);
    hex = sodium_malloc(2 * (len + 1) + 1);
    if (key == NULL || hex == NULL) {
        good = shipment_fail(p, "out of memory");
    } else {
        memcpy(key, secret, len);
        key[len] = '\n';
        sodium_bin2hex(hex, 2 * (len + 1) + 1, (const unsigned char *)key, len + 1);
        good = shipment_new_signer(p, description, hex);
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

/* Signatures are listed in the order of the secrets: who looks at the first one only does not find
 * the right one. */
static bool shipment_sign_by_two(struct shipment_builder *p)
{
    const struct shipment_spec *spec = p->spec;

    return (spec->secrets_count > 1 ? shipment_new_signer(p, spec->description, spec->secrets[1])
                                    : shipment_sign_by_stranger(p)) &&
           shipment_add_secret(p, spec->secrets[0]);
}

static bool shipment_open_signer(struct shipment_builder *p)
{
    const struct shipment_spec *spec = p->spec;

    if (spec->secrets_count == 0)
        return shipment_fail(p, "there is no secret to sign with");
    if (p->faults->wrong_secret)
        return shipment_sign_by_stranger(p);
    if (p->faults->secret_newline)
        return shipment_sign_with_newline(p);
    if (p->faults->two_signatures && shipment_lists_signatures(spec->description))
        return shipment_sign_by_two(p);
    if (!shipment_new_signer(p, spec->description, spec->secrets[0]))
        return false;
    for (size_t i = 1; i < spec->secrets_count; i++)
        if (!shipment_add_secret(p, spec->secrets[i]))
            return false;
    return true;
}

/* ---- the body */

static bool shipment_copy_body(struct shipment_builder *p)
{
    p->body.len = p->spec->body.len;
    p->body.base = malloc(p->body.len + 1);
    if (p->body.base == NULL)
        return shipment_fail(p, "out of memory");
    if (p->body.len > 0)
        memcpy(p->body.base, p->spec->body.base, p->body.len);
    return true;
}

static bool shipment_fault_before_sign(struct shipment_builder *p)
{
    struct clause timestamp;
    char path[NAME_SIZE];

    if (p->faults->shift_s != 0) {
        if (!clause_find(p->spec->description, "timestamp", NULL, &timestamp))
            return shipment_fail(p, "stale, future: this scheme signs no time");
        clause_copy_word(&timestamp, 2, path, sizeof(path));
        if (clause_word_is(&timestamp, 1, "body"))
            p->body = faults_shift_time(p->body, path, p->faults->shift_s, p->why);
    }
    if (p->body.base != NULL && p->faults->oversize > 0)
        p->body = faults_oversize(p->body, p->faults->oversize, p->why);
    if (p->body.base != NULL && p->body.len == 0 && (p->faults->truncate || p->faults->reset))
        return shipment_fail(p, "truncate, reset: the body is empty and has no middle");
    return p->body.base != NULL;
}

static bool shipment_fault_after_sign(struct shipment_builder *p)
{
    if (p->faults->tamper)
        p->body = faults_tamper(p->body, p->why);
    else if (p->faults->reencode)
        p->body = faults_reencode(p->body, p->why);
    else if (p->faults->crlf)
        p->body = faults_crlf(p->body, p->why);
    return p->body.base != NULL;
}

/* ---- the headers */

static bool shipment_has_extra(const struct shipment_builder *p, const char *name)
{
    hookline_header_list extra = header_lines_list(&p->extra);
    hookline_bytes value;

    return hookline_find_in_list(&extra, name, &value) > 0;
}

static bool shipment_read_extra(struct shipment_builder *p)
{
    char why[HEADER_LINES_WHY_SIZE];

    for (const char *const *line = p->spec->extra; line != NULL && *line != NULL; line++)
        if (!header_lines_add(&p->extra, *line, strlen(*line), why))
            return shipment_fail(p, why);
    return true;
}

static bool shipment_sign(struct shipment_builder *p)
{
    const struct shipment_spec *spec = p->spec;
    const char *method = spec->method == NULL ? "POST" : spec->method;
    hookline_header_list extra = header_lines_list(&p->extra);
    struct signing_input input = {
        .verifier = p->signer,
        .description = spec->description,
        .request = {.find_header = hookline_find_in_list,
                    .headers = &extra,
                    .body = {p->body.base, p->body.len},
                    .method = {method, strlen(method)},
                    .url = {spec->url, spec->url == NULL ? 0 : strlen(spec->url)}},
        .id = spec->id,
        .now = spec->now + p->faults->shift_s,
    };

    if (!secrets_sign(&input, &p->signature, p->why))
        return false;
    for (size_t i = 0; i < p->signature.headers.count; i++) {
        if (shipment_has_extra(p, p->signature.entries[i].name)) {
            snprintf(p->why, SHIPMENT_WHY_SIZE,
                     "the header %s is made by signing: leave it out of the further ones",
                     p->signature.entries[i].name);
            return false;
        }
    }
    return true;
}

/* "Name;" is how libcurl writes a header without a value. */
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

static bool shipment_write_headers(struct shipment_builder *p, char **out)
{
    const char *type = shipment_content_type(p->body), *agent = "hookline/" HOOKLINE_VERSION;
    struct clause signature;
    char name[NAME_SIZE];
    bool good = true;

    clause_find(p->spec->description, "signature", NULL, &signature);
    clause_copy_word(&signature, 1, name, sizeof(name));
    if (!shipment_has_extra(p, "Content-Type"))
        good = shipment_write_header(out++, "Content-Type", (hookline_bytes){type, strlen(type)});
    if (good && !shipment_has_extra(p, "User-Agent"))
        good = shipment_write_header(out++, "User-Agent", (hookline_bytes){agent, strlen(agent)});
    for (size_t i = 0; good && i < p->extra.count; i++)
        good = shipment_write_header(out++, p->extra.entries[i].name, p->extra.entries[i].value);
    for (size_t i = 0; good && i < p->signature.headers.count; i++) {
        const hookline_header *header = &p->signature.entries[i];

        if (!p->faults->unsigned_ || strcasecmp(header->name, name) != 0)
            good = shipment_write_header(out++, header->name, header->value);
    }
    return good || shipment_fail(p, "out of memory");
}

/* ---- the whole */

static struct shipment *shipment_wrap(struct shipment_builder *p)
{
    size_t headers = OWN_HEADERS + p->extra.count + p->signature.headers.count;
    struct shipment *shipment = calloc(1, sizeof(*shipment));

    if (shipment == NULL || (shipment->headers = calloc(headers + 1, sizeof(char *))) == NULL) {
        shipment_fail(p, "out of memory");
        free(shipment);
        return NULL;
    }
    shipment->method = p->spec->method;
    shipment->bytes_per_s = p->faults->bytes_per_s;
    shipment->truncate = p->faults->truncate;
    shipment->reset = p->faults->reset;
    if (!shipment_write_headers(p, shipment->headers) || !shipment_fault_after_sign(p)) {
        shipment_free(&shipment);
        return NULL;
    }
    shipment->body = p->body.base;
    shipment->len = p->body.len;
    p->body.base = NULL;
    return shipment;
}

struct shipment *shipment_build(const struct shipment_spec *spec, const struct faults *faults,
                                char why[SHIPMENT_WHY_SIZE])
{
    struct shipment_builder p = {
        .spec = spec, .faults = faults == NULL ? &no_faults : faults, .why = why};
    struct shipment *shipment = NULL;

    if (sodium_init() < 0)
        shipment_fail(&p, hookline_code_text(HOOKLINE_NO_CRYPTO));
    else if (shipment_open_signer(&p) && shipment_read_extra(&p) && shipment_copy_body(&p) &&
             shipment_fault_before_sign(&p) && shipment_sign(&p))
        shipment = shipment_wrap(&p);
    hookline_verifier_free(&p.signer);
    header_lines_free(&p.extra);
    free(p.body.base);
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

/* Half of the body goes out, as its length was promised, and then nothing more. */
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

/* libcurl sends it again from the start if a connection that was kept turns out to be closed. */
static int shipment_on_seek(void *data, curl_off_t offset, int origin)
{
    struct shipment_sending *sending = data;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > sending->shipment->len)
        return CURL_SEEKFUNC_FAIL;
    sending->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Closing a socket that does not linger resets the connection. */
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
               ? "the connection was ended in the middle of the body, as asked for"
               : error;
}
