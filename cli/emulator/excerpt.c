/* SPDX-License-Identifier: MIT */
#include "cli/emulator/excerpt.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"

static const char courier_excerpt_replacement[] = "\xef\xbf\xbd";

/* The length of the character that begins here; 0 if none does. */
static size_t courier_excerpt_character_len(const char *bytes, size_t len)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t wanted = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    return first == 0 || wanted > len || !json_is_utf8(bytes, wanted) ? 0 : wanted;
}

char *courier_excerpt_make(const char *bytes, size_t len)
{
    char *text = malloc(COURIER_EXCERPT_MAX + 1);
    size_t used = 0;

    if (text == NULL)
        return NULL;
    while (len > 0) {
        size_t taken = courier_excerpt_character_len(bytes, len);
        size_t size = taken > 0 ? taken : sizeof(courier_excerpt_replacement) - 1;

        if (used + size > COURIER_EXCERPT_MAX)
            break;
        memcpy(text + used, taken > 0 ? bytes : courier_excerpt_replacement, size);
        used += size;
        taken = taken > 0 ? taken : 1;
        bytes += taken;
        len -= taken;
    }
    text[used] = '\0';
    return text;
}
