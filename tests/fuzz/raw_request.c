/* SPDX-License-Identifier: MIT
 *
 * Fuzzes raw_request_read(): an accepted request lies within the input, has valid headers, and
 * parses to the same request when written again.
 */
#include <string.h>

#include "cli/raw_request.h"
#include "tests/fuzz/fuzz.h"

static void check_header(const hookline_header *header)
{
    fuzz_check(header->name[0] != '\0' && strpbrk(header->name, " \t\r\n:") == NULL);
    for (size_t i = 0; i < header->value.len; i++) {
        unsigned char c = (unsigned char)header->value.base[i];

        fuzz_check((c >= ' ' || c == '\t') && c != 0x7f);
    }
}

static size_t append(char *to, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(to, bytes, len);
    return len;
}

/* Checks the request line and the body, without headers. An exact copy exposes reads beyond the
 * end. */
static void check_again(const struct raw_request *request)
{
    static const char version[] = " HTTP/1.1\r\n\r\n";
    size_t len =
        request->method.len + 1 + request->target.len + sizeof(version) - 1 + request->body.len;
    char *bytes = malloc(len), why[RAW_REQUEST_WHY_SIZE];
    struct raw_request again;
    size_t used;

    if (bytes == NULL)
        return;
    used = append(bytes, request->method.base, request->method.len);
    bytes[used++] = ' ';
    used += append(bytes + used, request->target.base, request->target.len);
    used += append(bytes + used, version, sizeof(version) - 1);
    used += append(bytes + used, request->body.base, request->body.len);
    fuzz_check(used == len && raw_request_read(&again, bytes, len, why));
    fuzz_check(again.method.len == request->method.len && again.target.len == request->target.len);
    fuzz_check(again.body.len == request->body.len && again.headers.count == 0);
    fuzz_check(again.body.len == 0 ||
               memcmp(again.body.base, request->body.base, again.body.len) == 0);
    raw_request_free(&again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1), why[RAW_REQUEST_WHY_SIZE] = "";
    struct raw_request request;

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (raw_request_read(&request, bytes, size, why)) {
        fuzz_check(request.body.base >= bytes && request.body.len <= size &&
                   request.body.base + request.body.len + request.ignored <= bytes + size);
        for (size_t i = 0; i < request.headers.count; i++)
            check_header(&request.headers.entries[i]);
        check_again(&request);
        raw_request_free(&request);
    } else {
        fuzz_check(why[0] != '\0' && request.headers.entries == NULL);
    }
    free(bytes);
    return 0;
}
