/* SPDX-License-Identifier: MIT
 *
 * Verifies one delivery from the command line:
 *
 *     cc verify-stdin.c -o verify-stdin $(pkg-config --cflags --libs libhookline)
 *     HOOKLINE_SECRET=... verify-stdin foil 'X-Foil-Timestamp: 1' 'X-Foil-Signature: ab' <body
 *
 * Exit status: 0 authentic, 1 not authentic, 2 wrong usage, 3 local error. The secret is in the
 * environment, because every user of the machine can read arguments.
 */
#include <hookline.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REQUEST_HEAD_FIELDS_MAX = 32,
    BODY_MAX = 1 << 20
};

static void read_header(char *text, hookline_header *header)
{
    char *colon = strchr(text, ':');

    header->name = text;
    header->value = (hookline_bytes){"", 0};
    if (colon == NULL)
        return;
    *colon++ = '\0';
    colon += strspn(colon, " \t");
    header->value = (hookline_bytes){colon, strlen(colon)};
}

int main(int argc, char **argv)
{
    static char body[BODY_MAX + 1];
    hookline_header header[REQUEST_HEAD_FIELDS_MAX];
    hookline_header_list headers = {header, 0};
    hookline_request req = {.find_header = hookline_find_in_list, .headers = &headers};
    hookline_verifier *verifier;
    hookline_result r;
    int code;

    if (argc < 2 || argc - 2 > REQUEST_HEAD_FIELDS_MAX)
        return fputs("usage: verify-stdin SCHEME [HEADER: VALUE]... <BODY\n", stderr), 2;
    for (int i = 2; i < argc; i++)
        read_header(argv[i], &header[headers.count++]);

    /* Read one byte more than allowed, to detect a body that is too long. */
    req.body = (hookline_bytes){body, fread(body, 1, sizeof(body), stdin)};
    if (ferror(stdin) || req.body.len > BODY_MAX)
        return fputs("cannot read the body, or it is longer than 1 MiB\n", stderr), 3;

    if ((code = hookline_verifier_new(&verifier, argv[1], getenv("HOOKLINE_SECRET"))) < 0)
        return fprintf(stderr, "%s\n", hookline_code_text(code)), 3;
    r = hookline_verify(verifier, &req, time(NULL));
    hookline_verifier_free(&verifier);
    puts(hookline_code_name(r.reason));
    return hookline_accepted(r) ? 0 : r.reason <= HOOKLINE_BAD_CALL ? 3 : 1;
}
