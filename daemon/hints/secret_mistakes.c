/* SPDX-License-Identifier: MIT */
#include "daemon/hints/secret_mistakes.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "daemon/hints/secret_variants.h"

/* ---- text */

static bool secret_mistake_drop_start(char *text, size_t len)
{
    memmove(text, text + len, strlen(text + len) + 1);
    return true;
}

static bool secret_mistake_drop_end(char *text, size_t len)
{
    text[strlen(text) - len] = '\0';
    return true;
}

static bool secret_mistake_begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool secret_mistake_ends(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* ---- mistakes; each function undoes one in place, or returns false */

static bool secret_mistake_undo_bom(char *text)
{
    static const char bom[] = "\xef\xbb\xbf";

    return secret_mistake_begins(text, bom) && secret_mistake_drop_start(text, sizeof(bom) - 1);
}

static bool secret_mistake_undo_quotes(char *text)
{
    static const char *const quotes[][2] = {
        {"\"", "\""},
        {"'", "'"},
        {"`", "`"},
        {"\xe2\x80\x9c", "\xe2\x80\x9d"}, /* U+201C, U+201D */
        {"\xe2\x80\x98", "\xe2\x80\x99"}, /* U+2018, U+2019 */
    };

    for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
        size_t len = strlen(quotes[i][0]);

        if (strlen(text) >= 2 * len && secret_mistake_begins(text, quotes[i][0]) &&
            secret_mistake_ends(text, quotes[i][1]))
            return secret_mistake_drop_end(text, len) && secret_mistake_drop_start(text, len);
    }
    return false;
}

/* Base64 with padding is no assignment: only '=' follows its first '='. */
static bool secret_mistake_undo_assignment(char *text)
{
    static const char blanks[] = " \t";
    const char *at = text + strspn(text, blanks), *name;

    if (secret_mistake_begins(at, "export ") || secret_mistake_begins(at, "set "))
        at += strcspn(at, " ");
    at += strspn(at, blanks);
    for (name = at; isalnum((unsigned char)*at) || (*at != '\0' && strchr("_-.", *at) != NULL);)
        at++;
    if (at == name || isdigit((unsigned char)*name))
        return false;
    at += strspn(at, blanks);
    if (*at != '=' && (*at != ':' || strchr(blanks, at[1]) == NULL))
        return false;
    at += 1 + strspn(at + 1, blanks);
    return *at != '\0' && *at != '=' && secret_mistake_drop_start(text, (size_t)(at - text));
}

static bool secret_mistake_undo_bearer(char *text)
{
    static const char bearer[] = "Bearer ";

    return strncasecmp(text, bearer, sizeof(bearer) - 1) == 0 &&
           secret_mistake_drop_start(text, sizeof(bearer) - 1);
}

static bool secret_mistake_undo_escape(char *text)
{
    return (secret_mistake_ends(text, "\\n") || secret_mistake_ends(text, "\\r")) &&
           secret_mistake_drop_end(text, 2);
}

static bool secret_mistake_undo_blanks(char *text)
{
    /* No-break space, zero-width space, word joiner, byte order mark. */
    static const char *const blanks[] = {
        " ", "\t", "\r", "\n", "\xc2\xa0", "\xe2\x80\x8b", "\xe2\x81\xa0", "\xef\xbb\xbf"};
    bool found = false;

    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        size_t len = strlen(blanks[i]);

        if (secret_mistake_begins(text, blanks[i]))
            found = secret_mistake_drop_start(text, len);
        else if (secret_mistake_ends(text, blanks[i]))
            found = secret_mistake_drop_end(text, len);
    }
    return found;
}

/* Returns the length of the printable ASCII text at the start. */
static size_t secret_mistake_printable(const unsigned char *bytes, size_t len)
{
    size_t i = 0;

    while (i < len && bytes[i] >= ' ' && bytes[i] <= '~')
        i++;
    return i;
}

/* Decodes base64 of a printable text, with or without line ends. A random key hardly ever decodes to
 * that. */
static bool secret_mistake_decode(char *text, bool wants_line_end)
{
    unsigned char *decoded = sodium_malloc(HOOKLINE_SECRET_LENGTH_MAX);
    size_t len = strlen(text), used = 0, printable = 0;
    int variant = strpbrk(text, "-_") == NULL ? sodium_base64_VARIANT_ORIGINAL_NO_PADDING
                                              : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    bool has_line_end = false;

    while (len > 0 && text[len - 1] == '=')
        len--;
    if (decoded != NULL && sodium_base642bin(decoded, HOOKLINE_SECRET_LENGTH_MAX, text, len, NULL,
                                             &used, NULL, variant) == 0)
        printable = secret_mistake_printable(decoded, used);
    for (; used > printable && (decoded[used - 1] == '\n' || decoded[used - 1] == '\r'); used--)
        has_line_end = true;
    if (used > printable || has_line_end != wants_line_end)
        printable = 0;
    if (printable > 0) {
        memcpy(text, decoded, printable);
        text[printable] = '\0';
    }
    sodium_free(decoded);
    return printable > 0;
}

static bool secret_mistake_undo_base64_line(char *text)
{
    return secret_mistake_decode(text, true);
}

static bool secret_mistake_undo_base64(char *text)
{
    return secret_mistake_decode(text, false);
}

static const struct secret_mistake {
    bool (*undo)(char *text);
    enum diagnose_cause cause;
    const char *warning; /* NULL: too common in real secrets */
} secret_mistakes[] = {
    {secret_mistake_undo_bom, DIAGNOSE_SECRET_BOM,
     "begins with a byte order mark; save its file as UTF-8 without one"},
    {secret_mistake_undo_quotes, DIAGNOSE_SECRET_QUOTES, "has quotes around it; delete them"},
    {secret_mistake_undo_assignment, DIAGNOSE_SECRET_ASSIGNMENT,
     "reads NAME=value; keep only the value"},
    {secret_mistake_undo_bearer, DIAGNOSE_SECRET_BEARER,
     "begins with the word Bearer; delete that word"},
    {secret_mistake_undo_escape, DIAGNOSE_SECRET_ESCAPE,
     "ends with a backslash and a letter in place of a line end; delete both characters"},
    {secret_mistake_undo_blanks, DIAGNOSE_SECRET_BLANKS,
     "begins or ends with white space or an invisible character; delete it"},
    {secret_mistake_undo_base64_line, DIAGNOSE_SECRET_BASE64,
     "is base64 of a text that ends with a newline; store the decoded text without the newline"},
    {secret_mistake_undo_base64, DIAGNOSE_SECRET_BASE64, NULL},
};

/* Copies the secret; one that is too long for any verifier becomes "". NULL on ENOMEM. */
static char *secret_mistake_copy(const char *secret)
{
    char *text = sodium_init() < 0 ? NULL : sodium_malloc(HOOKLINE_SECRET_LENGTH_MAX + 1);

    if (text != NULL)
        memccpy(text, strlen(secret) > HOOKLINE_SECRET_LENGTH_MAX ? "" : secret, '\0',
                HOOKLINE_SECRET_LENGTH_MAX + 1);
    return text;
}

/* Undoes the outermost mistake. Every undo shortens the text. */
static const struct secret_mistake *secret_mistake_undo(char *text)
{
    for (size_t i = 0; i < sizeof(secret_mistakes) / sizeof(secret_mistakes[0]); i++)
        if (secret_mistakes[i].undo(text))
            return &secret_mistakes[i];
    return NULL;
}

const char *secret_mistake_warning(const char *secret)
{
    const struct secret_mistake *mistake;
    char *text = secret_mistake_copy(secret);

    if (text == NULL)
        return NULL;
    mistake = secret_mistake_undo(text);
    sodium_free(text);
    return mistake == NULL ? NULL : mistake->warning;
}

enum diagnose_cause secret_mistake_find(const char *description, const char *secret,
                                        const hookline_request *request, int64_t now)
{
    enum diagnose_cause first = DIAGNOSE_NONE;
    const struct secret_mistake *mistake;
    char *text = secret_mistake_copy(secret);
    bool fits = false;

    while (text != NULL && !fits && (mistake = secret_mistake_undo(text)) != NULL) {
        if (first == DIAGNOSE_NONE)
            first = mistake->cause;
        fits = secret_variants_fit(description, text, request, now);
    }
    sodium_free(text);
    return fits ? first : DIAGNOSE_NONE;
}

const char *secret_error_text(int code, const char *description, const char *secret)
{
    const char *problem =
        code == HOOKLINE_BAD_SECRET ? hookline_secret_problem(description, secret) : NULL;

    if (problem != NULL)
        return problem;
    return code == HOOKLINE_BAD_SECRET ? "8 secrets are the most" : hookline_code_text(code);
}
