/* SPDX-License-Identifier: MIT
 *
 * Cost of a verification, compared with the minimum: HMAC-SHA256 over the same bytes with a
 * precomputed key ("bare"), and OpenSSL's one-shot HMAC() over a contiguous copy. Rounds of the
 * three alternate, and the fastest round of each counts, so that noise affects all alike.
 */
#include <hookline.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

enum {
    ROUNDS = 200,
    ROUND_BYTES = 1 << 20, /* hashed in a round */
    ROUND_CALLS = 500,     /* upper limit */
};

static const int64_t now = 1700000000;
static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char id[] = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

/* The key: `standard` decodes it from the secret, other schemes use it as is. */
struct key {
    unsigned char bytes[64];
    size_t len;
    SHA256_CTX inner, outer;
};

struct delivery {
    const char *scheme, *shape;
    hookline_verifier *verifier;
    struct key key;
    hookline_signature signature;
    hookline_request req;
    char *body;
    unsigned char *content; /* signed bytes, contiguous */
    size_t content_len;
};

typedef void kind_of_work(struct delivery *d);

/* ---- benchmarked functions */

static volatile unsigned char sink;

static void verify(struct delivery *d)
{
    hookline_result r = hookline_verify(d->verifier, &d->req, now);

    if (!hookline_accepted(r)) {
        fprintf(stderr, "%s: %s\n", d->scheme, hookline_code_name(r.reason));
        exit(1);
    }
    sink ^= r.mac[0];
}

static void bare(struct delivery *d)
{
    unsigned char mac[32];
    SHA256_CTX state = d->key.inner;

    SHA256_Update(&state, d->content, d->content_len);
    SHA256_Final(mac, &state);
    state = d->key.outer;
    SHA256_Update(&state, mac, sizeof(mac));
    SHA256_Final(mac, &state);
    sink ^= mac[0];
}

static void one_shot(struct delivery *d)
{
    unsigned char mac[32];

    HMAC(EVP_sha256(), d->key.bytes, (int)d->key.len, d->content, d->content_len, mac, NULL);
    sink ^= mac[0];
}

/* ---- input */

static void pad_key(SHA256_CTX *state, const struct key *key, unsigned char pad)
{
    unsigned char block[64] = {0};

    memcpy(block, key->bytes, key->len);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] ^= pad;
    SHA256_Init(state);
    SHA256_Update(state, block, sizeof(block));
}

static void set_key(struct key *key, const char *scheme)
{
    const char *base64 = secret + strlen("whsec_");

    if (strcmp(scheme, "standard") == 0) {
        key->len =
            (size_t)EVP_DecodeBlock(key->bytes, (const unsigned char *)base64, (int)strlen(base64));
    } else {
        key->len = strlen(secret);
        memcpy(key->bytes, secret, key->len);
    }
    pad_key(&key->inner, key, 0x36);
    pad_key(&key->outer, key, 0x5c);
}

/* A provider's JSON, padded inside `data` to exactly `size` bytes. */
static void make_body(struct delivery *d, size_t size)
{
    const char *start =
        "{\"id\":\"evt_01HZX3\",\"object\":\"webhook_event\",\"type\":\"session.scored\","
        "\"created\":1700000000,\"data\":{\"object\":\"";
    const char *end = "\"}}";

    if (strcmp(d->shape, "no sent_at") == 0)
        start = "{\"type\":\"trace.scored\",\"project\":\"prj_1\",\"data\":{\"text\":\"";
    else if (strcmp(d->scheme, "trulayer") == 0)
        start =
            "{\"type\":\"trace.scored\",\"sent_at\":\"2023-11-14T22:13:20Z\",\"data\":{\"text\":\"";
    d->body = malloc(size);
    memset(d->body, 'x', size);
    memcpy(d->body, start, strlen(start));
    memcpy(d->body + size - strlen(end), end, strlen(end));
    d->req.body = (hookline_bytes){d->body, size};
}

static void make_content(struct delivery *d)
{
    char start[128] = "";

    if (strcmp(d->scheme, "standard") == 0)
        snprintf(start, sizeof(start), "%s.%lld.", id, (long long)now);
    else if (strcmp(d->scheme, "trulayer") != 0)
        snprintf(start, sizeof(start), "%lld.", (long long)now);
    d->content_len = strlen(start) + d->req.body.len;
    d->content = malloc(d->content_len);
    memcpy(d->content, start, strlen(start));
    memcpy(d->content + strlen(start), d->body, d->req.body.len);
}

static void make_delivery(struct delivery *d, size_t size)
{
    hookline_bytes sent_id = {NULL, 0};

    if (strcmp(d->scheme, "standard") == 0)
        sent_id = (hookline_bytes){id, strlen(id)};
    make_body(d, size);
    make_content(d);
    set_key(&d->key, d->scheme);
    if (hookline_verifier_new(&d->verifier, d->scheme, secret) < 0 ||
        hookline_sign(d->verifier, &d->req, sent_id, now, &d->signature) < 0) {
        fprintf(stderr, "%s cannot be signed\n", d->scheme);
        exit(1);
    }
    d->req.find_header = hookline_find_in_list;
}

/* Adds a realistic set of headers: the scheme's among the usual others. */
static void add_usual_headers(struct delivery *d, hookline_header header[16],
                              hookline_header_list *list)
{
    static const char *const usual[][2] = {
        {"Host", "hooks.example.com"},
        {"User-Agent", "Provider-Webhooks/1.0"},
        {"Accept", "*/*"},
        {"Accept-Encoding", "gzip"},
        {"Content-Type", "application/json"},
        {"Content-Length", "200"},
    };
    size_t n = 0;

    for (; n < sizeof(usual) / sizeof(usual[0]); n++)
        header[n] = (hookline_header){usual[n][0], {usual[n][1], strlen(usual[n][1])}};
    for (size_t i = 0; i < d->signature.headers.count; i++)
        header[n++] = d->signature.entries[i];
    *list = (hookline_header_list){header, n};
    d->req.headers = list;
}

/* ---- measurement */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double time_round(kind_of_work *work, struct delivery *d, size_t calls)
{
    double start = seconds();

    for (size_t i = 0; i < calls; i++)
        work(d);
    return (seconds() - start) / (double)calls * 1e9;
}

/* Heap functions of the whole process, so that no call goes uncounted. */
static size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    allocations++;
    return __libc_realloc(block, size);
}

static size_t allocations_of(kind_of_work *work, struct delivery *d)
{
    size_t before = allocations;

    work(d);
    return allocations - before;
}

static void measure(const char *scheme, const char *shape, size_t size)
{
    static kind_of_work *const works[] = {verify, bare, one_shot};
    double best[] = {1e18, 1e18, 1e18};
    struct delivery d = {.scheme = scheme, .shape = shape};
    hookline_header header[16];
    hookline_header_list list;
    size_t calls = ROUND_BYTES / size;

    make_delivery(&d, size);
    add_usual_headers(&d, header, &list);
    calls = calls < 2 ? 2 : calls > ROUND_CALLS ? ROUND_CALLS : calls;
    for (int round = 0; round < ROUNDS; round++) {
        for (int w = 0; w < 3; w++) {
            double ns = time_round(works[w], &d, calls);

            best[w] = ns < best[w] ? ns : best[w];
        }
    }
    printf("%-9s %-10s %8zu %11.0f %8.0f %11.0f %11.0f %7.2f %7.2f %7zu\n", scheme, shape, size,
           best[0], (double)size / best[0] * 1e3, best[1], best[2], best[0] / best[1],
           best[2] / best[0], allocations_of(verify, &d));
    hookline_verifier_free(&d.verifier);
    free(d.body);
    free(d.content);
}

static void prove_that_allocations_are_counted(void)
{
    struct delivery d = {.scheme = "foil", .shape = ""};

    make_delivery(&d, 200);
    if (allocations_of(one_shot, &d) == 0)
        printf("allocations are not counted: the column below says nothing\n");
    hookline_verifier_free(&d.verifier);
    free(d.body);
    free(d.content);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {200, 1024, 65536, 1048576};
    static const char *const schemes[] = {"foil", "shodai", "trulayer", "standard"};

    prove_that_allocations_are_counted();
    printf("%-9s %-10s %8s %11s %8s %11s %11s %7s %7s %7s\n", "scheme", "", "bytes", "verify ns",
           "MB/s", "bare ns", "HMAC() ns", "v/bare", "HMAC/v", "mallocs");
    for (size_t s = 0; s < sizeof(schemes) / sizeof(schemes[0]); s++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            if (argc < 2 || strcmp(argv[1], schemes[s]) == 0)
                measure(schemes[s], "", sizes[i]);
    /* A missing member makes the parser search the whole body. */
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (argc < 2 || strcmp(argv[1], "trulayer") == 0)
            measure("trulayer", "no sent_at", sizes[i]);
    return 0;
}
