/* SPDX-License-Identifier: MIT */
#include "cli/emulator/form.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/record.h"
#include "daemon/base/text.h"
#include "daemon/http/client.h"

static const char public_url_https[] = "https://";

enum {
    HOST_SIZE = 256
};

struct public_url_block {
    uint32_t address;
    unsigned bits;
};

static bool public_url_v4_is_private(uint32_t address)
{
    static const struct public_url_block blocks[] = {
        {0x00000000, 8},  /* this network */
        {0x0a000000, 8},  /* private */
        {0x64400000, 10}, /* carrier-grade NAT */
        {0x7f000000, 8},  /* loopback */
        {0xa9fe0000, 16}, /* link-local */
        {0xac100000, 12}, /* private */
        {0xc0a80000, 16}, /* private */
        {0xe0000000, 3},  /* multicast and reserved */
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if ((address ^ blocks[i].address) >> (32 - blocks[i].bits) == 0)
            return true;
    return false;
}

static uint32_t public_url_v4_number(const unsigned char bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool public_url_v6_is_private(const struct in6_addr *address)
{
    const unsigned char *bytes = address->s6_addr;

    if (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address))
        return public_url_v4_is_private(public_url_v4_number(bytes + 12));
    return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address) ||
           IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_SITELOCAL(address) ||
           IN6_IS_ADDR_MULTICAST(address) || (bytes[0] & 0xfe) == 0xfc;
}

static bool public_url_address_is_private(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return public_url_v4_is_private(ntohl(v4.sin_addr.s_addr));
    }
    memcpy(&v6, address, sizeof(v6));
    return public_url_v6_is_private(&v6.sin6_addr);
}

/* Copies the host of the URL, without brackets. Returns false if there is none. */
static bool public_url_host(const char *url, char host[HOST_SIZE])
{
    const char *begin = url + sizeof(public_url_https) - 1, *end = begin + strcspn(begin, "/?#\\");
    const char *at = memrchr(begin, '@', (size_t)(end - begin));
    const char *from = at != NULL ? at + 1 : begin;
    bool bracket = *from == '[';
    size_t len;

    from += bracket;
    len = strcspn(from, bracket ? "]" : ":/?#\\");
    if (len == 0 || len >= HOST_SIZE || from + len > end)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    return true;
}

/* Returns true for the name and its subdomains, with or without a final dot. */
static bool public_url_host_is_below(const char *host, const char *name)
{
    size_t len = strlen(host), size = strlen(name);

    len -= len > 0 && host[len - 1] == '.';
    return len >= size && strncasecmp(host + len - size, name, size) == 0 &&
           (len == size || host[len - size - 1] == '.');
}

static enum public_url public_url_resolve(const char *host)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    enum public_url found = PUBLIC_URL_GOOD;
    struct addrinfo *list;

    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return PUBLIC_URL_UNRESOLVABLE;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        if (public_url_address_is_private(a->ai_addr))
            found = PUBLIC_URL_PRIVATE_IP;
    freeaddrinfo(list);
    return found;
}

bool public_url_is_https(const char *url)
{
    return strncasecmp(url, public_url_https, sizeof(public_url_https) - 1) == 0;
}

enum public_url public_url_check(const char *url)
{
    char host[HOST_SIZE];

    if (!public_url_is_https(url))
        return PUBLIC_URL_NOT_HTTPS;
    /* RFC 6761 defines these two names without DNS. */
    if (!public_url_host(url, host) || public_url_host_is_below(host, "invalid"))
        return PUBLIC_URL_UNRESOLVABLE;
    if (public_url_host_is_below(host, "localhost"))
        return PUBLIC_URL_PRIVATE_IP;
    return public_url_resolve(host);
}

/* ---- form */

/* The object being checked, and its problems. */
struct form_context {
    struct form_problems *problems;
    const char *path; /* of the object, with a final dot; "" for the body */
};

static struct form_problem *form_add_problem(const struct form_context *ctx, const char *name,
                                             const struct form_field *field, enum form_issue issue,
                                             const cJSON *received)
{
    struct form_problems *problems = ctx->problems;
    struct form_problem *problem = &problems->items[problems->count];
    size_t len;

    if (problems->count == FORM_PROBLEMS_MAX)
        return NULL;
    problems->count++;
    *problem = (struct form_problem){.field = field, .issue = issue, .received = received};
    snprintf(problem->name, sizeof(problem->name), "%s%s", ctx->path, name);
    /* A name cut inside a character would make the answer invalid JSON. */
    for (len = strlen(problem->name); !text_is_utf8(problem->name, len);)
        problem->name[--len] = '\0';
    return problem;
}

static void form_expect(struct form_problem *problem, const char *what)
{
    if (problem != NULL)
        snprintf(problem->expected, sizeof(problem->expected), "%s", what);
}

static void form_expect_least(struct form_problem *problem, size_t least, const char *of_what)
{
    if (problem != NULL)
        snprintf(problem->expected, sizeof(problem->expected), "at least %zu %s%s", least, of_what,
                 least == 1 ? "" : "s");
}

static bool form_is_one_of(const char *text, const char *const *allowed)
{
    for (; *allowed != NULL; allowed++)
        if (strcmp(text, *allowed) == 0)
            return true;
    return false;
}

static size_t form_count_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

/* libcurl accepts "http:/host", so check both slashes. */
static bool form_is_url(const char *text)
{
    return (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0) &&
           client_url_problem(text) == NULL;
}

static void form_check_text(const struct form_context *ctx, const struct form_field *field,
                            const cJSON *text)
{
    if (!cJSON_IsString(text))
        form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, text), "string");
    else if (form_count_characters(text->valuestring) < field->least)
        form_expect_least(form_add_problem(ctx, field->name, field, FORM_TOO_SHORT, text),
                          field->least, "character");
    else if (field->allowed != NULL && !form_is_one_of(text->valuestring, field->allowed))
        form_expect(form_add_problem(ctx, field->name, field, FORM_NOT_ALLOWED, text),
                    "one of the allowed values");
    else if (field->kind == FORM_URL && !form_is_url(text->valuestring))
        form_expect(form_add_problem(ctx, field->name, field, FORM_NO_URL, text),
                    "an http or https URL");
}

static void form_check_texts(const struct form_context *ctx, const struct form_field *field,
                             const cJSON *array)
{
    const cJSON *item;
    int number = 0;

    if (!cJSON_IsArray(array)) {
        form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, array), "array");
        return;
    }
    if ((size_t)cJSON_GetArraySize(array) < field->least)
        form_expect_least(form_add_problem(ctx, field->name, field, FORM_TOO_SHORT, array),
                          field->least, "item");
    cJSON_ArrayForEach(item, array)
    {
        char name[FORM_NAME_SIZE];

        snprintf(name, sizeof(name), "%s[%d]", field->name, number++);
        if (!cJSON_IsString(item))
            form_expect(form_add_problem(ctx, name, field, FORM_WRONG_TYPE, item), "string");
        else if (field->allowed != NULL && !form_is_one_of(item->valuestring, field->allowed))
            form_expect(form_add_problem(ctx, name, field, FORM_NOT_ALLOWED, item),
                        "one of the allowed values");
    }
}

static void form_check_field(const struct form_context *ctx, const struct form_field *field,
                             const cJSON *value);

static void form_check_object(const struct form_context *ctx, const struct form_field *field,
                              const cJSON *object)
{
    char path[FORM_NAME_SIZE];
    const struct form_context inside = {ctx->problems, path};

    if (!cJSON_IsObject(object)) {
        form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, object), "object");
        return;
    }
    snprintf(path, sizeof(path), "%s%s.", ctx->path, field->name);
    for (const struct form_field *f = field->fields; f->name != NULL; f++)
        form_check_field(&inside, f, json_get(object, f->name));
}

static void form_check_field(const struct form_context *ctx, const struct form_field *field,
                             const cJSON *value)
{
    if (value == NULL) {
        if (field->required)
            form_expect(form_add_problem(ctx, field->name, field, FORM_MISSING, NULL), "a value");
        return;
    }
    if (field->nullable && cJSON_IsNull(value))
        return;
    switch (field->kind) {
    case FORM_TEXT:
    case FORM_URL:
        form_check_text(ctx, field, value);
        break;
    case FORM_BOOL:
        if (!cJSON_IsBool(value))
            form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, value),
                        "boolean");
        break;
    case FORM_TEXTS:
        form_check_texts(ctx, field, value);
        break;
    case FORM_OBJECT:
        form_check_object(ctx, field, value);
        break;
    }
}

static bool form_has_field(const struct form_field *fields, const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return true;
    return false;
}

/* cJSON ends strings at a NUL, which would hide the rest, and reads \u12g4 as one. */
static bool form_has_nul(const char *text, size_t len)
{
    if (memchr(text, '\0', len) != NULL)
        return true;
    while ((text = strchr(text, '\\')) != NULL) {
        if (text[1] == 'u' &&
            (strspn(text + 2, "0123456789abcdefABCDEF") < 4 || strncmp(text + 2, "0000", 4) == 0))
            return true;
        text += text[1] != '\0' ? 2 : 1;
    }
    return false;
}

cJSON *form_parse(const char *text, size_t len)
{
    if (form_has_nul(text, len) || !text_is_utf8(text, len))
        return NULL;
    return cJSON_ParseWithOpts(text, NULL, 1);
}

bool form_check(const struct form_field *fields, const cJSON *value, bool closed,
                struct form_problems *problems)
{
    const struct form_context ctx = {problems, ""};
    const cJSON *member;

    problems->count = 0;
    if (!cJSON_IsObject(value)) {
        form_expect(form_add_problem(&ctx, "", NULL, FORM_WRONG_TYPE, value), "object");
        return false;
    }
    for (const struct form_field *f = fields; f->name != NULL; f++)
        form_check_field(&ctx, f, json_get(value, f->name));
    cJSON_ArrayForEach(member, value)
    {
        if (closed && !form_has_field(fields, member->string))
            form_add_problem(&ctx, member->string, NULL, FORM_UNKNOWN, member);
    }
    return problems->count == 0;
}
