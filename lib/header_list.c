/* SPDX-License-Identifier: MIT
 *
 * Header lookup in a hookline_header_list.
 */
#include <hookline.h>

#include <stdbool.h>
#include <string.h>

static unsigned char header_name_lower(char c)
{
    return (unsigned char)(c - 'A') < 26 ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

/* Compares in ASCII: in a Turkish locale strcasecmp() would miss a second "X-ID". Starts at the
 * end, because the header names of one sender share their beginning. */
static bool header_names_equal(const char *a, const char *b, size_t len)
{
    if (memcmp(a, b, len) == 0)
        return true;
    while (len > 0 && header_name_lower(a[len - 1]) == header_name_lower(b[len - 1]))
        len--;
    return len == 0;
}

size_t hookline_find_in_list(const void *header_list, const char *name, hookline_bytes *value)
{
    const hookline_header_list *list = header_list;
    size_t len = strlen(name), found = 0;

    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const hookline_header *header = &list->entries[i];

        if (header->name != NULL && strlen(header->name) == len &&
            header_names_equal(header->name, name, len) && found++ == 0)
            *value = header->value;
    }
    return found;
}
