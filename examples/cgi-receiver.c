/* SPDX-License-Identifier: MIT
 *
 * Receives webhooks of Foil behind any web server with CGI (RFC 3875). The configuration of the
 * server sets the secret in $FOIL_SECRET.
 *
 *     cc cgi-receiver.c -o cgi-receiver $(pkg-config --cflags --libs libhookline)
 */
#include <hookline.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BODY_MAX = 1 << 20
};

/* Reads a header from the variable HTTP_NAME. The server joins headers of the same name by ", " or
 * drops all but one, so the result is never above 1. hookline_verify() rejects joined headers,
 * because no signature or time contains a comma; a dropped header goes unnoticed. */
static size_t find_header(const void *headers, const char *name, hookline_bytes *value)
{
    char variable[128] = "HTTP_";
    size_t len = strlen("HTTP_");
    const char *text;

    (void)headers;
    for (; *name != '\0' && len + 1 < sizeof(variable); name++)
        variable[len++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    if (*name != '\0' || (text = getenv(variable)) == NULL)
        return 0;
    *value = (hookline_bytes){text, strlen(text)};
    return 1;
}

static int answer(const char *status, const char *text)
{
    printf("Status: %s\r\nContent-Type: text/plain\r\n\r\n%s\n", status, text);
    return 0;
}

int main(void)
{
    static char body[BODY_MAX];
    const char *length = getenv("CONTENT_LENGTH");
    char *end = NULL;
    unsigned long len = length == NULL ? 0 : strtoul(length, &end, 10);
    hookline_request req = {.find_header = find_header, .body = {body, len}};
    hookline_verifier *verifier;
    hookline_result r;

    if (length == NULL || !isdigit((unsigned char)*length) || *end != '\0')
        return answer("411 Length Required", "no usable Content-Length");
    if (len > BODY_MAX)
        return answer("413 Content Too Large", "more than 1 MiB");
    if (fread(body, 1, len, stdin) != len)
        return answer("400 Bad Request", "the body is shorter than its Content-Length");

    /* Answer 5xx to errors of our own, so that the sender retries; a 4xx would lose the event. */
    if (hookline_verifier_new(&verifier, "foil", getenv("FOIL_SECRET")) < 0)
        return answer("503 Service Unavailable", "not configured");
    r = hookline_verify(verifier, &req, time(NULL));
    hookline_verifier_free(&verifier);
    if (hookline_accepted(r))
        return answer("200 OK", hookline_code_name(r.reason)); /* process r.payload and r.id here */
    return answer(r.reason <= HOOKLINE_BAD_CALL ? "503 Service Unavailable" : "401 Unauthorized",
                  hookline_code_name(r.reason));
}
