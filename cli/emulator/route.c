/* SPDX-License-Identifier: MIT */
#include "cli/emulator/route.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/json_line.h"

const struct route *route_find(const struct route *routes, struct visit *visit,
                               char methods[ROUTE_METHODS_SIZE])
{
    const struct api_request *request = api_request(visit->call);
    size_t used = 0;

    methods[0] = '\0';
    for (const struct route *route = routes; route->pattern != NULL; route++) {
        if (!api_path_fits(request, route->pattern, visit->parts))
            continue;
        if (strcmp(route->method, request->method) == 0)
            return route;
        used += (size_t)snprintf(methods + used, ROUTE_METHODS_SIZE - used, "%s%s",
                                 used > 0 ? ", " : "", route->method);
        if (used >= ROUTE_METHODS_SIZE)
            used = ROUTE_METHODS_SIZE - 1;
    }
    return NULL;
}

bool route_is_below(const struct api_request *request, const char *path)
{
    size_t len = strlen(path);

    return strncmp(request->path, path, len) == 0 &&
           (request->path[len] == '\0' || request->path[len] == '/');
}

bool routes_serve(const struct routes *routes, struct emulator *emulator, struct api_call *call)
{
    struct visit visit = {.emulator = emulator, .call = call};
    char methods[ROUTE_METHODS_SIZE];
    const struct route *route;

    if (!route_is_below(api_request(call), routes->root))
        return false;
    route = route_find(routes->list, &visit, methods);
    if (route == NULL && methods[0] != '\0')
        routes->refuse_method(call, methods);
    else if (route == NULL)
        routes->refuse_path(call);
    else if (routes->admit(&visit, route->right))
        route->answer(&visit);
    return true;
}

const char *route_bearer(const struct api_call *call)
{
    static const char scheme[] = "Bearer ";
    const char *value = api_header(call, "authorization");

    if (value == NULL || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    value += sizeof(scheme) - 1;
    value += strspn(value, " ");
    return *value != '\0' ? value : NULL;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character of a query, and moves behind it; -1 if it is a broken escape. */
static int take_character(const char **text)
{
    int high, low;

    if (**text == '+') {
        ++*text;
        return ' ';
    }
    if (**text != '%')
        return (unsigned char)*(*text)++;
    if ((high = digit_of((*text)[1])) < 0 || (low = digit_of((*text)[2])) < 0)
        return -1;
    *text += 3;
    return high * 16 + low;
}

static bool read_value(const char *text, char *value, size_t size)
{
    size_t len = 0;
    int c = 1;

    while (*text != '\0' && *text != '&' && len + 1 < size && (c = take_character(&text)) > 0)
        value[len++] = (char)c;
    value[len] = '\0';
    if ((*text == '\0' || *text == '&') && c > 0 && json_line_is_utf8(value, len))
        return true;
    value[0] = '\0';
    return false;
}

bool route_parameter(const struct api_request *request, const char *name, char *value, size_t size)
{
    size_t len = strlen(name);
    const char *at = request->query;

    value[0] = '\0';
    while (at != NULL) {
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return read_value(at + len + 1, value, size);
        if ((at = strchr(at, '&')) != NULL)
            at++;
    }
    return true;
}
