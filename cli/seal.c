/* SPDX-License-Identifier: MIT */
#include "cli/seal.h"

#include <stdio.h>
#include <string.h>

#include "cli/clause.h"

/* The first header in what is signed that is missing or there twice. */
static void signing_input_name_header(const struct signing_input *input, int code,
                                      char why[SECRETS_SIGN_WHY_SIZE])
{
    static const char begin[] = "{header:";
    const char *at = input->description;

    while ((at = strstr(at, begin)) != NULL) {
        char name[128];
        hookline_bytes value;
        size_t len = strcspn(at += sizeof(begin) - 1, "}");

        if (len >= sizeof(name))
            continue;
        memcpy(name, at, len);
        name[len] = '\0';
        if (input->request.find_header != NULL &&
            input->request.find_header(input->request.headers, name, &value) == 1 &&
            value.len > 0 && code == HOOKLINE_MISSING_HEADER)
            continue;
        if (code == HOOKLINE_MISSING_HEADER)
            snprintf(why, SECRETS_SIGN_WHY_SIZE,
                     "the scheme signs the header %s, too: it is missing", name);
        else
            snprintf(
                why, SECRETS_SIGN_WHY_SIZE,
                "the scheme signs further headers, such as %s: one is there twice, or could be "
                "cut in two ways",
                name);
        return;
    }
    snprintf(why, SECRETS_SIGN_WHY_SIZE, "%s", hookline_code_text(code));
}

static const char *signing_input_missing(const struct signing_input *input)
{
    if (input->request.url.len == 0 && description_signs(input->description, "{url}"))
        return "the scheme signs the URL that is registered with the sender: it is missing";
    if (input->request.method.len == 0 && description_signs(input->description, "{method}"))
        return "the scheme signs the method of the request: it is missing";
    if (input->now <= 0 || input->now >= 253402300800)
        return "the time to sign lies before 1970 or after the year 9999";
    return NULL;
}

bool secrets_sign(const struct signing_input *input, hookline_signature *out,
                  char why[SECRETS_SIGN_WHY_SIZE])
{
    const char *what = signing_input_missing(input);
    int code;

    if (what != NULL) {
        snprintf(why, SECRETS_SIGN_WHY_SIZE, "%s", what);
        return false;
    }
    code = hookline_sign(input->verifier, &input->request, input->id, input->now, out);
    if (code == HOOKLINE_BAD_ID)
        snprintf(why, SECRETS_SIGN_WHY_SIZE,
                 "the scheme sends an id in a header: expected 1 to 256 printable characters "
                 "without blanks");
    else if (code == HOOKLINE_MISSING_HEADER || code == HOOKLINE_AMBIGUOUS_HEADER)
        signing_input_name_header(input, code, why);
    else if (code < 0)
        snprintf(why, SECRETS_SIGN_WHY_SIZE, "%s", hookline_code_text(code));
    return code == 0;
}
