/* SPDX-License-Identifier: MIT */
#include "cli/emulator/pattern.h"

#include <stddef.h>
#include <string.h>

static bool id_has_alphabet(const char *text, size_t len, const char *alphabet)
{
    return strspn(text, alphabet) == len && text[len] == '\0';
}

static bool id_has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool id_is_hex(const char *text, const char *prefix)
{
    return id_has_prefix(text, prefix) &&
           id_has_alphabet(text + strlen(prefix), 32, "0123456789abcdef");
}

bool id_is_organization(const char *text)
{
    return id_has_prefix(text, "org_") &&
           id_has_alphabet(text + 4, 26, "0123456789abcdefghjkmnpqrstvwxyz");
}

bool id_is_uuid(const char *text)
{
    static const char form[] = "00000000-0000-0000-0000-000000000000";

    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == '-' ? text[i] != '-'
                           : text[i] == '\0' || strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    return text[sizeof(form) - 1] == '\0';
}
