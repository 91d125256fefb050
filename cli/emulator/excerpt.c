/* SPDX-License-Identifier: MIT */
#include "cli/emulator/excerpt.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/json_line.h"

static const char replacement[] = "\xef\xbf\xbd";

/* The length of the character that begins here; 0 if none does. */
static size_t character(const char *bytes, size_t len)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t wanted = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    return first == 0 || wanted > len || !json_line_is_utf8(bytes, wanted) ? 0 : wanted;
}

char *excerpt_make(const char *bytes, size_t len)
{
    char *text = malloc(EXCERPT_MAX + 1);
    size_t used = 0;

    if (text == NULL)
        return NULL;
    while (len > 0) {
        size_t taken = character(bytes, len);
        size_t size = taken > 0 ? taken : sizeof(replacement) - 1;

        if (used + size > EXCERPT_MAX)
            break;
        memcpy(text + used, taken > 0 ? bytes : replacement, size);
        used += size;
        taken = taken > 0 ? taken : 1;
        bytes += taken;
        len -= taken;
    }
    text[used] = '\0';
    return text;
}
