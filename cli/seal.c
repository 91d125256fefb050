/* SPDX-License-Identifier: MIT */
#include "cli/seal.h"

#include <stdio.h>
#include <string.h>

#include "cli/clause.h"

/* The first header in what is signed that is missing or there twice. */
static void name_header(const struct seal *seal, int code, char why[SEAL_WHY_SIZE])
{
    static const char begin[] = "{header:";
    const char *at = seal->description;

    while ((at = strstr(at, begin)) != NULL) {
        char name[128];
        hookline_bytes value;
        size_t len = strcspn(at += sizeof(begin) - 1, "}");

        if (len >= sizeof(name))
            continue;
        memcpy(name, at, len);
        name[len] = '\0';
        if (seal->request.find_header != NULL &&
            seal->request.find_header(seal->request.headers, name, &value) == 1 && value.len > 0 &&
            code == HOOKLINE_MISSING_HEADER)
            continue;
        if (code == HOOKLINE_MISSING_HEADER)
            snprintf(why, SEAL_WHY_SIZE, "the scheme signs the header %s, too: it is missing",
                     name);
        else
            snprintf(
                why, SEAL_WHY_SIZE,
                "the scheme signs further headers, such as %s: one is there twice, or could be "
                "cut in two ways",
                name);
        return;
    }
    snprintf(why, SEAL_WHY_SIZE, "%s", hookline_code_text(code));
}

static const char *missing(const struct seal *seal)
{
    if (seal->request.url.len == 0 && clause_signs(seal->description, "{url}"))
        return "the scheme signs the URL that is registered with the sender: it is missing";
    if (seal->request.method.len == 0 && clause_signs(seal->description, "{method}"))
        return "the scheme signs the method of the request: it is missing";
    if (seal->now <= 0 || seal->now >= 253402300800)
        return "the time to sign lies before 1970 or after the year 9999";
    return NULL;
}

bool seal_sign(const struct seal *seal, hookline_signature *out, char why[SEAL_WHY_SIZE])
{
    const char *what = missing(seal);
    int code;

    if (what != NULL) {
        snprintf(why, SEAL_WHY_SIZE, "%s", what);
        return false;
    }
    code = hookline_sign(seal->verifier, &seal->request, seal->id, seal->now, out);
    if (code == HOOKLINE_BAD_ID)
        snprintf(why, SEAL_WHY_SIZE,
                 "the scheme sends an id in a header: expected 1 to 256 printable characters "
                 "without blanks");
    else if (code == HOOKLINE_MISSING_HEADER || code == HOOKLINE_AMBIGUOUS_HEADER)
        name_header(seal, code, why);
    else if (code < 0)
        snprintf(why, SEAL_WHY_SIZE, "%s", hookline_code_text(code));
    return code == 0;
}
