/* SPDX-License-Identifier: MIT */
#include "daemon/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/message.h"
#include "daemon/base/net.h"
#include "daemon/base/process.h"
#include "daemon/http/client.h"

enum {
    READY_TIMEOUT_S = 5,
    READY_POLL_MS = 1000,
    READY_LINES_MAX = 16,
};

static const char ready_unix[] = "unix:";

struct ready {
    const char *address;
    bool answered, good;
};

bool ready_check_address(const char *address, char *why, size_t size)
{
    struct sockaddr_storage numeric;
    socklen_t len;

    if (!address_read(address, &numeric, &len)) {
        snprintf(why, size, "expected unix:PATH, ADDRESS:PORT or [ADDRESS]:PORT%s%.100s",
                 address[0] == '/' ? "; type unix:" : "", address[0] == '/' ? address : "");
        return false;
    }
    if (numeric.ss_family != AF_UNIX && strtoul(strrchr(address, ':') + 1, NULL, 10) == 0) {
        snprintf(why, size, "expected a port from 1 to 65535");
        return false;
    }
    return true;
}

/* ---- answer */

/* Without a token the answer is one line; over a Unix socket it has a line for each check. */
static void ready_print_lines(const struct ready *r, const char *text, size_t len)
{
    for (int i = 0; len > 0 && i < READY_LINES_MAX; i++) {
        const char *end = memchr(text, '\n', len);
        size_t line = end == NULL ? len : (size_t)(end - text), used = line + (end != NULL);

        message_error("%s: %.*s", r->address, (int)line, text);
        text += used;
        len -= used;
    }
}

static const char *ready_problem(const struct client_result *result)
{
    if (result->outcome == CLIENT_TIMEOUT)
        return "no answer within 5 seconds";
    return result->system_error == 0 ? result->error : strerror(result->system_error);
}

static void ready_on_answer(void *data, const struct client_result *result)
{
    struct ready *r = data;

    r->answered = true;
    r->good = result->outcome == CLIENT_ANSWERED && result->status == 200;
    if (r->good)
        puts("ready");
    else if (result->outcome != CLIENT_ANSWERED)
        message_error("%s: %s", r->address, ready_problem(result));
    else if (result->status == 503 && result->len > 0)
        ready_print_lines(r, result->answer, result->len);
    else
        message_error("%s: unexpected answer (status %d): is this a hooklined admin address?",
                      r->address, result->status);
}

/* ---- request */

static bool ready_send(struct ready *r, const struct client_request *request)
{
    struct client_calls *calls = client_calls_new();
    bool good = calls != NULL && client_call_start(calls, request, ready_on_answer, r) != NULL;

    while (good && !r->answered)
        client_calls_poll(calls, READY_POLL_MS);
    client_calls_free(&calls);
    return good;
}

int ready_ask(const char *address)
{
    static const char *const no_headers[] = {NULL};
    bool is_unix = strncmp(address, ready_unix, strlen(ready_unix)) == 0;
    char url[300];
    const struct client_target target = {
        .url = url,
        .unix_socket = is_unix ? address + strlen(ready_unix) : NULL,
        .timeout_s = READY_TIMEOUT_S,
    };
    const struct client_request request = {
        .target = &target, .method = "GET", .headers = no_headers, .keep_answer = true};
    struct ready r = {.address = address};

    snprintf(url, sizeof(url), "http://%s/readyz", is_unix ? "localhost" : address);
    if (!ready_send(&r, &request))
        message_error("out of memory");
    return r.good ? EXIT_SUCCESS : EXIT_FAILED;
}
