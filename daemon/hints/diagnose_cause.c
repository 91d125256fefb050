/* SPDX-License-Identifier: MIT */
#include "daemon/hints/diagnose_cause.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *text;
} diagnose_causes[] = {
    [DIAGNOSE_OTHER_SOURCE] =
        {"other_source", "the signature matches another source: the sender delivers to the wrong "
                         "URL, or the two secrets are swapped"},
    [DIAGNOSE_BODY_NEWLINE] =
        {"body_newline", "the signature matches the body with one line end more or less: find the "
                         "proxy that adds or removes it, and make it pass the body unchanged"},
    [DIAGNOSE_BODY_CRLF] =
        {"body_crlf", "the signature matches the body with different line ends: find the proxy "
                      "that converts them, and make it pass the body unchanged"},
    [DIAGNOSE_BODY_REENCODED] =
        {"body_reencoded", "the signature matches the same JSON with different spacing or escapes: "
                           "find the proxy that parses and rewrites the body, and make it pass the "
                           "bytes unchanged"},
    [DIAGNOSE_BODY_BASE64] =
        {"body_base64", "the signature matches the body after base64 decoding: a gateway encoded "
                        "it (isBase64Encoded); decode it before, or make the gateway pass the "
                        "bytes unchanged"},
    [DIAGNOSE_BODY_STRING] =
        {"body_string", "the signature matches the text inside the JSON string that arrived: a "
                        "mapping template or serializer quoted the body; pass the bytes unchanged"},
    [DIAGNOSE_BODY_EVENT] =
        {"body_event", "the signature matches a string inside the JSON that arrived: a gateway or "
                       "queue wrapped the body in an event; pass on that string, decoded from "
                       "base64 if it says so (isBase64Encoded)"},
    [DIAGNOSE_SECRET_NEWLINE] =
        {"secret_newline", "the sender signs with this secret plus a trailing newline: enter the "
                           "secret there again, without the newline"},
    [DIAGNOSE_SECRET_DECODING] =
        {"secret_decoding", "the sender signs with this secret, but does not decode it as the "
                            "scheme says (text, base64 or hex, with or without prefix): use the "
                            "scheme that decodes it the sender's way, or describe one"},
    [DIAGNOSE_SECRET_BOM] =
        {"secret_bom", "the signature matches the secret without the byte order mark before it: "
                       "save the secret's file as UTF-8 without a byte order mark"},
    [DIAGNOSE_SECRET_QUOTES] =
        {"secret_quotes", "the signature matches the secret without the quotes around it: delete "
                          "them from the secret's file or variable"},
    [DIAGNOSE_SECRET_ASSIGNMENT] =
        {"secret_assignment", "the secret reads NAME=value, and the signature matches the value "
                              "alone: keep only the value in the secret's file or variable"},
    [DIAGNOSE_SECRET_BEARER] =
        {"secret_bearer", "the signature matches the secret without the word Bearer: delete that "
                          "word from the secret's file or variable"},
    [DIAGNOSE_SECRET_ESCAPE] =
        {"secret_escape", "the signature matches the secret without the backslash and letter at "
                          "its end: delete both from the secret's file or variable"},
    [DIAGNOSE_SECRET_BLANKS] =
        {"secret_blanks", "the signature matches the secret without the white space or invisible "
                          "character at one end: delete it from the secret's file or variable"},
    [DIAGNOSE_SECRET_BASE64] =
        {"secret_base64", "the signature matches the text whose base64 the secret is: store the "
                          "decoded text without a newline (Kubernetes: stringData, or base64 of "
                          "printf, not of echo)"},
    [DIAGNOSE_URL_SCHEME] =
        {"url_scheme", "the signature matches the URL with http in place of https, or vice versa: "
                       "set url to the one registered with the sender"},
    [DIAGNOSE_URL_PORT] =
        {"url_port", "the signature matches the URL with or without a port such as :443: set url "
                     "to the one registered with the sender"},
    [DIAGNOSE_URL_CASE] =
        {"url_case", "the signature matches the URL with the host in lower case: set url to the "
                     "one registered with the sender"},
    [DIAGNOSE_URL_SLASH] =
        {"url_slash", "the signature matches the URL with or without a slash at its end: set url "
                      "to the one registered with the sender"},
    [DIAGNOSE_URL_QUERY] =
        {"url_query", "the signature matches the URL without its query, or with the query of the "
                      "request: set url to the one registered with the sender"},
    [DIAGNOSE_TIMESTAMP_UNIT] =
        {"timestamp_unit", "the signed time is correct in another unit: the sender counts seconds "
                           "where the scheme counts milliseconds, or vice versa"},
    [DIAGNOSE_PATH] = {"path", "no source has this path, but one has nearly the same: correct the "
                               "URL at the sender (case, slashes, percent-encoding)"},
};

enum diagnose_cause diagnose_cause_find(const char *name)
{
    for (size_t i = 1; i < sizeof(diagnose_causes) / sizeof(diagnose_causes[0]); i++)
        if (strcmp(diagnose_causes[i].name, name) == 0)
            return (enum diagnose_cause)i;
    return DIAGNOSE_NONE;
}

const char *diagnose_cause_name(enum diagnose_cause kind)
{
    return diagnose_causes[kind].name;
}

const char *diagnose_cause_text(enum diagnose_cause kind)
{
    return diagnose_causes[kind].text;
}
