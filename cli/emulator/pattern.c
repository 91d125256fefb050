/* SPDX-License-Identifier: MIT */
#include "cli/emulator/pattern.h"

#include <stddef.h>
#include <string.h>

static bool is_of(const char *text, size_t len, const char *alphabet)
{
    return strspn(text, alphabet) == len && text[len] == '\0';
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool pattern_hex(const char *text, const char *prefix)
{
    return begins_with(text, prefix) && is_of(text + strlen(prefix), 32, "0123456789abcdef");
}

bool pattern_organization(const char *text)
{
    return begins_with(text, "org_") && is_of(text + 4, 26, "0123456789abcdefghjkmnpqrstvwxyz");
}

bool pattern_uuid(const char *text)
{
    static const char form[] = "00000000-0000-0000-0000-000000000000";

    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == '-' ? text[i] != '-'
                           : text[i] == '\0' || strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    return text[sizeof(form) - 1] == '\0';
}
