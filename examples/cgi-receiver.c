/* SPDX-License-Identifier: MIT
 *
 * A receiver of Foil's webhooks behind any web server that speaks CGI (RFC 3875). The secret
 * comes from $FOIL_SECRET, which the server's configuration sets.
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

/* A header is the variable HTTP_NAME. Of two headers of one name the server drops one or joins
 * both by ", ", so we can never say "two". Joined ones are refused, since no signature or time
 * holds a comma; but where a server drops one, it decides for us which, before we can see it. */
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

    /* 5xx makes the sender try again: a 4xx for our own mistake would lose the event. */
    if (hookline_verifier_new(&verifier, "foil", getenv("FOIL_SECRET")) < 0)
        return answer("503 Service Unavailable", "not configured");
    r = hookline_verify(verifier, &req, time(NULL));
    hookline_verifier_free(&verifier);
    if (hookline_accepted(r))
        return answer("200 OK", hookline_code_name(r.reason)); /* here act on r.payload and r.id */
    return answer(r.reason <= HOOKLINE_BAD_CALL ? "503 Service Unavailable" : "401 Unauthorized",
                  hookline_code_name(r.reason));
}
