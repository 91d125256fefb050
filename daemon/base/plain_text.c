/* SPDX-License-Identifier: MIT */
#include "daemon/base/plain_text.h"

#include <string.h>

#include "daemon/base/printable.h"

/* One character may become "\u{10ffff}". */
enum {
    TEXT_ESCAPED_MAX = 10
};

static const char text_redacted_mark[] = "(hidden)";

/* The beginning of the text without what is hidden; longer than `max` only if there is more. */
static size_t text_redact(char *to, size_t max, const char *bytes, size_t len, const char *hidden)
{
    size_t at = 0, used, secret = hidden == NULL ? 0 : strlen(hidden);

    for (size_t i = 0; i < len && at <= max; i += used) {
        used = 1;
        if (secret > 0 && len - i >= secret && memcmp(bytes + i, hidden, secret) == 0) {
            memcpy(to + at, text_redacted_mark, sizeof(text_redacted_mark) - 1);
            at += sizeof(text_redacted_mark) - 1;
            used = secret;
        } else {
            to[at++] = bytes[i];
            if (bytes[i] != '\0' && strchr("\t\r\n", bytes[i]) != NULL)
                to[at - 1] = ' ';
        }
    }
    return at;
}

/* A text that is no longer than `out` may still need more room than it when it is written. */
void text_copy_redacted(char *out, size_t size, const char *bytes, size_t len, const char *hidden)
{
    char visible[TEXT_REDACTED_MAX + sizeof(text_redacted_mark)],
        whole[TEXT_ESCAPED_MAX * sizeof(visible) + 1];
    size_t shown = text_redact(visible, size, bytes, len, hidden);
    size_t written = text_copy_printable(whole, sizeof(whole), visible, shown);

    if (written < size) {
        memcpy(out, whole, written + 1);
        return;
    }
    written = text_copy_printable(out, size - 3, visible, shown);
    memcpy(out + written, "...", 4);
}
