/* SPDX-License-Identifier: MIT
 *
 * Fuzzes sse_parse() and printable.h: a stream gives the same events in one piece or in many, and
 * no control character reaches a terminal.
 */
#include <string.h>

#include "cli/sse.h"
#include "daemon/base/text.h"
#include "tests/fuzz/fuzz.h"

enum {
    HEARD_MAX = 1 << 16
};

struct heard {
    size_t len;
    char text[HEARD_MAX];
};

static void check_printable(const char *text, size_t len)
{
    char shown[256];
    size_t shown_len = text_copy_printable(shown, sizeof(shown), text, len);

    fuzz_check(shown_len < sizeof(shown) && shown[shown_len] == '\0');
    for (size_t i = 0; i < shown_len; i++) {
        fuzz_check((unsigned char)shown[i] >= 0x20 && shown[i] != 0x7f);
        fuzz_check((unsigned char)shown[i] != 0xc2 || (unsigned char)shown[i + 1] >= 0xa0);
    }
}

static bool hear(void *data, const struct sse_event *event)
{
    struct heard *h = data;
    size_t name = strlen(event->name);

    fuzz_check(name < SSE_NAME_SIZE && event->data[event->len] == '\0');
    fuzz_check(event->is_comment == (name == 0));
    check_printable(event->data, event->len);
    if (sizeof(h->text) - h->len < name + event->len + 1)
        return false;
    memcpy(h->text + h->len, event->name, name + 1);
    memcpy(h->text + h->len + name + 1, event->data, event->len);
    h->len += name + 1 + event->len;
    return h->len < sizeof(h->text) / 2;
}

static bool take(const uint8_t *data, size_t size, size_t piece, struct heard *heard)
{
    struct sse_parser stream = {.has_data = false};
    bool good = true;

    heard->len = 0;
    for (size_t at = 0; good && at < size; at += piece)
        good = sse_parse(&stream, (const char *)data + at, size - at < piece ? size - at : piece,
                         hear, heard);
    sse_free(&stream);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard *whole = malloc(sizeof(*whole)), *pieces = malloc(sizeof(*pieces));

    if (whole != NULL && pieces != NULL) {
        bool good = take(data, size, size == 0 ? 1 : size, whole);
        size_t piece = size == 0 ? 1 : 1 + data[0] % 7;

        fuzz_check(take(data, size, piece, pieces) == good);
        fuzz_check(whole->len == pieces->len && memcmp(whole->text, pieces->text, whole->len) == 0);
    }
    free(whole);
    free(pieces);
    return 0;
}
