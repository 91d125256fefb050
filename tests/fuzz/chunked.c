/* SPDX-License-Identifier: MIT
 *
 * Fuzzes chunk_reader_decode(): a body is decoded alike in one piece or in many, and
 * picohttpparser, which libh2o exports, decodes the same.
 */
#include <string.h>
#include <sys/types.h>

#include "daemon/http/request_reader.h"
#include "tests/fuzz/fuzz.h"

/* Declarations of picohttpparser.h, which libh2o exports without its header. */
struct phr_chunked_decoder {
    size_t left;
    char consume_trailer, hex_count, state;
};
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *bytes, size_t *len);

struct decoded {
    struct chunk_reader reader;
    enum request_fault fault;
    char *data;
    size_t len, taken;
};

/* Decodes an exact copy, which exposes reads beyond the end. */
static void decode_piece(struct decoded *d, const uint8_t *data, size_t size)
{
    char *exact = malloc(size == 0 ? 1 : size);
    size_t len, taken;

    if (exact == NULL)
        abort();
    memcpy(exact, data, size);
    d->fault = chunk_reader_decode(&d->reader, exact, size, &len, &taken);
    fuzz_check(len <= taken && taken <= size);
    fuzz_check(d->fault == REQUEST_NO_FAULT ? taken == size || d->reader.state == CHUNK_DONE
                                            : d->reader.state != CHUNK_DONE);
    fuzz_check(d->reader.extra <= CHUNK_EXTRA_MAX || d->fault != REQUEST_NO_FAULT);
    memcpy(d->data + d->len, exact, len);
    d->len += len;
    d->taken += taken;
    free(exact);
}

/* The input's bytes choose the cuts. */
static void decode_pieces(struct decoded *d, const uint8_t *data, size_t size)
{
    uint32_t choice = (uint32_t)size;
    size_t at = 0;

    for (size_t i = 0; i < size; i++)
        choice = choice * 31 + data[i];
    while (at < size && d->fault == REQUEST_NO_FAULT && d->reader.state != CHUNK_DONE) {
        size_t piece;

        choice = choice * 1664525 + 1013904223;
        piece = choice >> 31 ? 1 : choice >> 26; /* also none */
        if (piece > size - at)
            piece = size - at;
        decode_piece(d, data + at, piece);
        at += piece;
    }
}

static void compare(const struct decoded *d, const uint8_t *data, size_t size)
{
    struct phr_chunked_decoder decoder = {.consume_trailer = 1};
    char *bytes = malloc(size + 1);
    size_t len = size;
    ssize_t rest;

    if (bytes == NULL)
        abort();
    memcpy(bytes, data, size);
    rest = phr_decode_chunked(&decoder, bytes, &len);
    if (d->reader.state == CHUNK_DONE)
        fuzz_check(rest == (ssize_t)(size - d->taken));
    else
        fuzz_check(rest == -2); /* unfinished */
    fuzz_check(len == d->len && memcmp(bytes, d->data, len) == 0);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoded whole = {.data = malloc(size + 1)}, pieces = {.data = malloc(size + 1)};

    if (whole.data == NULL || pieces.data == NULL)
        abort();
    decode_piece(&whole, data, size);
    decode_pieces(&pieces, data, size);
    fuzz_check(whole.fault == pieces.fault);
    if (whole.fault == REQUEST_NO_FAULT) {
        fuzz_check(whole.reader.state == pieces.reader.state && whole.taken == pieces.taken);
        fuzz_check(whole.reader.left == pieces.reader.left || whole.reader.state == CHUNK_DONE);
        fuzz_check(whole.len == pieces.len && memcmp(whole.data, pieces.data, whole.len) == 0);
        compare(&whole, data, size);
    }
    free(whole.data);
    free(pieces.data);
    return 0;
}
