/* SPDX-License-Identifier: MIT */
#include "daemon/hints/url_variants.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* ---- parts */

struct url_variant_parts {
    const char *scheme;        /* "https://" or "http://" */
    hookline_bytes host, port; /* port: with ':', or empty */
    bool lower;                /* write the host in lower case */
    hookline_bytes path;       /* without the last slash */
    bool slash;
    hookline_bytes query; /* without '?' */
};

static const char url_variant_http[] = "http://", url_variant_https[] = "https://";

static hookline_bytes url_variant_take(hookline_bytes *text, const char *ends)
{
    hookline_bytes part = {text->base, 0};

    while (part.len < text->len && strchr(ends, text->base[part.len]) == NULL)
        part.len++;
    text->base += part.len;
    text->len -= part.len;
    return part;
}

static const char *url_variant_take_scheme(hookline_bytes *url)
{
    static const char *const schemes[] = {url_variant_http, url_variant_https};

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);

        if (url->len > len && strncasecmp(url->base, schemes[i], len) == 0) {
            *url = (hookline_bytes){url->base + len, url->len - len};
            return schemes[i];
        }
    }
    return NULL;
}

/* Splits host and port; an IPv6 address has more colons, in brackets. */
static void url_variant_split_port(struct url_variant_parts *parts)
{
    const char *end = parts->host.base + parts->host.len;
    const char *colon = memrchr(parts->host.base, ':', parts->host.len);

    if (colon == NULL || memchr(colon, ']', (size_t)(end - colon)) != NULL)
        return;
    parts->port = (hookline_bytes){colon, (size_t)(end - colon)};
    parts->host.len -= parts->port.len;
}

static bool url_variant_split(hookline_bytes url, struct url_variant_parts *parts)
{
    *parts = (struct url_variant_parts){.scheme = url_variant_take_scheme(&url)};
    if (parts->scheme == NULL)
        return false;
    parts->host = url_variant_take(&url, "/?");
    url_variant_split_port(parts);
    parts->path = url_variant_take(&url, "?");
    parts->slash = parts->path.len > 0 && parts->path.base[parts->path.len - 1] == '/';
    parts->path.len -= parts->slash;
    if (url.len > 0)
        parts->query = (hookline_bytes){url.base + 1, url.len - 1};
    return true;
}

static char *url_variant_put(char *at, hookline_bytes part)
{
    if (part.len > 0)
        memcpy(at, part.base, part.len);
    return at + part.len;
}

static size_t url_variant_join(const struct url_variant_parts *parts, char *out)
{
    hookline_bytes scheme = {parts->scheme, strlen(parts->scheme)};
    char *at = url_variant_put(out, scheme), *host = at;

    at = url_variant_put(at, parts->host);
    for (; parts->lower && host < at; host++)
        *host = (char)tolower((unsigned char)*host);
    at = url_variant_put(url_variant_put(at, parts->port), parts->path);
    if (parts->slash)
        *at++ = '/';
    if (parts->query.len > 0)
        *at++ = '?';
    return (size_t)(url_variant_put(at, parts->query) - out);
}

/* ---- changes; each function returns false if it changes nothing */

static bool url_variant_replace(hookline_bytes *part, hookline_bytes other)
{
    bool same = part->len == other.len &&
                (other.len == 0 || memcmp(part->base, other.base, other.len) == 0);

    *part = other;
    return !same;
}

static bool url_variant_change_scheme(struct url_variant_parts *parts)
{
    parts->scheme = parts->scheme == url_variant_http ? url_variant_https : url_variant_http;
    return true;
}

static bool url_variant_change_port(struct url_variant_parts *parts, unsigned digit)
{
    static const hookline_bytes none = {"", 0}, http = {":80", 3}, https = {":443", 4};

    if (digit == 1)
        return url_variant_replace(&parts->port, none);
    return url_variant_replace(&parts->port, parts->scheme == url_variant_http ? http : https);
}

static bool url_variant_change_case(struct url_variant_parts *parts)
{
    parts->lower = true;
    for (size_t i = 0; i < parts->host.len; i++)
        if (isupper((unsigned char)parts->host.base[i]))
            return true;
    return false;
}

static bool url_variant_change_slash(struct url_variant_parts *parts)
{
    parts->slash = !parts->slash;
    return true;
}

static bool url_variant_change_query(struct url_variant_parts *parts, unsigned digit,
                                     hookline_bytes query)
{
    static const hookline_bytes none = {"", 0};

    if (digit == 1)
        return url_variant_replace(&parts->query, none);
    return query.len > 0 && url_variant_replace(&parts->query, query);
}

/* ---- variants */

/* A variant's number has one digit for each part; digit 0 keeps the part. */
enum {
    URL_SCHEMES = 2, /* 1: the other scheme */
    URL_PORTS = 3,   /* 1: none, 2: the scheme's default */
    URL_CASES = 2,   /* 1: lower */
    URL_SLASHES = 2, /* 1: the slash removed, or one added */
    URL_QUERIES = 3, /* 1: none, 2: the request's */
};

unsigned url_variants_count(void)
{
    return URL_SCHEMES * URL_PORTS * URL_CASES * URL_SLASHES * URL_QUERIES;
}

enum diagnose_cause url_variants_write(unsigned n, hookline_bytes url, hookline_bytes query,
                                       char *out, size_t size, size_t *len)
{
    struct url_variant_parts parts;
    unsigned scheme = n % URL_SCHEMES, port = n / URL_SCHEMES % URL_PORTS;
    unsigned lower = (n /= URL_SCHEMES * URL_PORTS) % URL_CASES;
    unsigned slash = (n /= URL_CASES) % URL_SLASHES, other = n / URL_SLASHES;

    if (size < url.len + query.len + URL_VARIANTS_ROOM || !url_variant_split(url, &parts) ||
        (scheme > 0 && !url_variant_change_scheme(&parts)) ||
        (port > 0 && !url_variant_change_port(&parts, port)) ||
        (lower > 0 && !url_variant_change_case(&parts)) ||
        (slash > 0 && !url_variant_change_slash(&parts)) ||
        (other > 0 && !url_variant_change_query(&parts, other, query)))
        return DIAGNOSE_NONE;
    *len = url_variant_join(&parts, out);
    return scheme > 0  ? DIAGNOSE_URL_SCHEME
           : port > 0  ? DIAGNOSE_URL_PORT
           : lower > 0 ? DIAGNOSE_URL_CASE
           : slash > 0 ? DIAGNOSE_URL_SLASH
           : other > 0 ? DIAGNOSE_URL_QUERY
                       : DIAGNOSE_NONE;
}
