/* SPDX-License-Identifier: MIT */
#include "daemon/base/header_name.h"

#include <string.h>

/* Headers of one connection, and headers that the client computes. */
static const char *const header_names_of_connection[] = {
    "accept-encoding", "connection",        "content-length", "expect",
    "http2-settings",  "keep-alive",        "proxy-*",        "te",
    "trailer",         "transfer-encoding", "upgrade",        "hookline-*",
};

/* The last words of names whose value is a credential. */
static const char *const header_name_secrets[] = {
    "api-key", "apikey", "authorization", "cookie", "cookie2", "password", "secret", "token",
};

static char header_name_fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '_' ? '-' : c;
}

bool header_name_equals(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (header_name_fold(a[i]) != header_name_fold(b[i]))
            return false;
    return true;
}

bool header_name_matches(const char *pattern, const char *name, size_t len)
{
    size_t pattern_len = strlen(pattern);

    if (pattern_len > 0 && pattern[pattern_len - 1] == '*')
        return len >= pattern_len - 1 && header_name_equals(pattern, name, pattern_len - 1);
    return len == pattern_len && header_name_equals(pattern, name, len);
}

bool header_name_is_token(const char *name, size_t len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = header_name_fold(name[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
            memchr(marks, c, sizeof(marks) - 1) == NULL)
            return false;
    }
    return len > 0;
}

static bool header_name_is_secret(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(header_name_secrets) / sizeof(header_name_secrets[0]); i++) {
        const char *word = header_name_secrets[i];
        size_t word_len = strlen(word);

        if (len >= word_len && header_name_equals(word, name + len - word_len, word_len) &&
            (len == word_len || header_name_fold(name[len - word_len - 1]) == '-'))
            return true;
    }
    return false;
}

bool header_name_is_settable(const char *name, size_t len)
{
    enum {
        COUNT = sizeof(header_names_of_connection) / sizeof(header_names_of_connection[0])
    };

    for (size_t i = 0; i < COUNT; i++)
        if (header_name_matches(header_names_of_connection[i], name, len))
            return false;
    return header_name_is_token(name, len);
}

bool header_name_travels(const char *name, size_t len)
{
    return header_name_is_settable(name, len) && !header_name_matches("host", name, len) &&
           !header_name_is_secret(name, len);
}
