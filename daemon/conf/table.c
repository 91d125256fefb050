/* SPDX-License-Identifier: MIT */
#include "daemon/conf/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/config.h"

#define FIELD(type, member)     .at = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define ITEM_SIZE(type, member) sizeof(*((type *)0)->member)

#define FLAG(name, type, member) .key = name, .kind = CONFIG_FLAG, FIELD(type, member)
#define TEXT(name, type, member, most)                                                             \
    .key = name, .kind = CONFIG_TEXT, FIELD(type, member), .min = 1, .max = (most)
#define CHOICE(name, type, member) .key = name, .kind = CONFIG_CHOICE, FIELD(type, member)
#define NUMBER(name, type, member, of)                                                             \
    .key = name, .kind = CONFIG_NUMBER, .unit = CONFIG_##of, FIELD(type, member)
#define NUMBER_OR_NULL(name, type, member, of)                                                     \
    .key = name, .kind = CONFIG_NUMBER, .unit = CONFIG_##of, .at = offsetof(type, member),         \
    .size = ITEM_SIZE(type, member), .pointer = true
#define MAP(name, type, member) .key = name, .kind = CONFIG_MAP, FIELD(type, member)
#define MAP_OR_NULL(name, type, member)                                                            \
    .key = name, .kind = CONFIG_MAP, .at = offsetof(type, member),                                 \
    .size = ITEM_SIZE(type, member), .pointer = true
#define LIST(name, type, member, of, most)                                                         \
    .key = name, .kind = CONFIG_##of, .at = offsetof(type, member),                                \
    .size = ITEM_SIZE(type, member), .count_at = offsetof(type, member##_count),                   \
    .items_max = (most)

#define SECRET_ROWS(name, file_example, env_example, credential_example)                           \
    {TEXT(name ".file", struct config_secret, file, 4096), .examples = {file_example},             \
     .help = "A file that holds the secret, of mode 0640 or less"},                                \
        {TEXT(name ".env", struct config_secret, env, 256), .examples = {NULL, env_example},       \
         .help = "An environment variable that holds the secret"},                                 \
    {                                                                                              \
        TEXT(name ".credential", struct config_secret, credential, 255),                           \
            .examples = {NULL, NULL, credential_example},                                          \
            .help = "A file in $CREDENTIALS_DIRECTORY that holds the secret"                       \
    }

static const char *const answer_words[] = {"stored", "upstream", NULL};
static const char *const dedup_words[] = {"delivery", "mac", NULL};

/* clang-format off */
static const struct config_row config_rows[] = {
    {LIST("listen", struct config, listen, MAPS, CONFIG_LISTEN_MAX), .help = "Addresses where senders deliver"},
    {TEXT("listen.address", struct config_listen, address, 256), .required = true, .examples = {CONFIG_DEFAULT_ADDRESS},
     .help = "ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH"},
    {FLAG("listen.proxy_protocol", struct config_listen, proxy_protocol), .examples = {"false"},
     .help = "Each connection begins with a PROXY protocol header"},
    {MAP_OR_NULL("listen.tls", struct config_listen, tls), .help = "TLS for this address, files in PEM; without it: plain HTTP"},
    {TEXT("listen.tls.certificate", struct config_tls, certificate, 4096), .required = true,
     .examples = {"/etc/hookline/tls/certificate.pem"}, .help = "The certificate and its intermediates"},
    {TEXT("listen.tls.key", struct config_tls, key, 4096), .required = true,
     .examples = {"/etc/hookline/tls/key.pem"}, .help = "The private key, without a passphrase"},
    {TEXT("listen.tls.client_ca_file", struct config_tls, client_ca_file, 4096),
     .examples = {"/etc/hookline/tls/clients.pem"}, .help = "CAs; clients must present a certificate of one of them"},

    {LIST("trusted_proxies", struct config, trusted_proxies, TEXTS, CONFIG_NETWORKS_MAX), .min = 1, .max = 64,
     .examples = {"[127.0.0.1, \"::1\", unix]"},
     .help = "Proxies whose PROXY header or X-Forwarded-For is trusted; without it: none"},
    {TEXT("health_path", struct config, health_path, 1024), .examples = {"/healthz"},
     .help = "A path that answers GET with 200 while deliveries can be stored, else with 503"},
    {NUMBER("threads", struct config, threads, COUNT), .max = 256, .zero = "one per processor but one",
     .help = "Receiver threads"},

    {MAP("log", struct config, log), .help = "Log with one JSON line per delivery"},
    {TEXT("log.file", struct config_log, file, 4096), .examples = {"\"-\""}, .help = "File to append to; - is standard output"},
    {FLAG("log.body", struct config_log, body), .examples = {"false"}, .help = "Include the payload in each line"},

    {MAP("store", struct config, store), .example_on = true, .help = "The database of deliveries"},
    {TEXT("store.file", struct config_store, file, 4096), .example_on = true,
     .examples = {"/var/lib/hookline/" CONFIG_DEFAULT_STORE},
     .help = "The database; without it: " CONFIG_DEFAULT_STORE " in $STATE_DIRECTORY"},
    {NUMBER("store.keep_days", struct config_store, keep_days, DAYS), .unset = 8, .min = 1, .max = 36500,
     .help = "How long a finished delivery is kept and recognised as a duplicate"},
    {NUMBER("store.max_bytes", struct config_store, max_bytes, BYTES), .max = CONFIG_NUMBER_MAX, .zero = "no limit",
     .help = "Size above which the oldest finished deliveries are deleted early"},
    {NUMBER("store.queue_bytes", struct config_store, queue_bytes, BYTES), .unset = 64 << 20, .min = 1, .max = CONFIG_NUMBER_MAX,
     .help = "Memory for deliveries that wait for the disk; beyond it: 503"},
    {NUMBER("store.free_bytes_min", struct config_store, free_bytes_min, BYTES), .unset = 64 << 20, .min = 1, .max = CONFIG_NUMBER_MAX,
     .help = "Free disk space below which hooklined reports not ready"},

    {MAP("limits", struct config, limits), .help = "Limits of connections and requests"},
    {NUMBER("limits.body_bytes", struct config_limits, body_bytes, BYTES), .unset = 1 << 20, .min = 1, .max = 512 << 20,
     .help = "Longest body; beyond it: 413"},
    {NUMBER("limits.head_bytes", struct config_limits, head_bytes, BYTES), .unset = 64 << 10, .min = 1, .max = 400 << 10,
     .help = "Longest request line and headers; beyond it: 431"},
    {NUMBER("limits.bodies_bytes", struct config_limits, bodies_bytes, BYTES), .unset = 256 << 20, .min = 1, .max = CONFIG_NUMBER_MAX,
     .help = "Memory for unfinished requests; beyond it: 503"},
    {NUMBER("limits.connections", struct config_limits, connections, COUNT), .unset = 10000, .min = 1, .max = UINT32_MAX,
     .help = "Open connections"},
    {NUMBER("limits.connections_per_address", struct config_limits, connections_per_address, COUNT), .unset = 2500, .max = UINT32_MAX,
     .zero = "no limit", .help = "Open connections of one address"},
    {NUMBER("limits.header_seconds", struct config_limits, header_seconds, SECONDS), .unset = 10, .min = 1, .max = 86400,
     .help = "Time from the first byte of a request to the end of its head"},
    {NUMBER("limits.body_seconds", struct config_limits, body_seconds, SECONDS), .unset = 30, .min = 1, .max = 86400,
     .help = "Time for the body, and for the peer to read the answer"},
    {NUMBER("limits.idle_seconds", struct config_limits, idle_seconds, SECONDS), .unset = 60, .min = 1, .max = 86400,
     .help = "Time before the first request and between two requests"},
    {NUMBER("limits.shutdown_seconds", struct config_limits, shutdown_seconds, SECONDS), .unset = 10, .min = 1, .max = 86400,
     .help = "Time for requests in progress when hooklined stops"},
    {NUMBER("limits.refused_per_minute", struct config_limits, refused_per_minute, COUNT), .max = 10000,
     .zero = "no limit", .help = "Refusals of one address before it must wait"},

    {MAP("admin", struct config, admin), .help = "The admin API; without it: off"},
    {TEXT("admin.address", struct config_admin, address, 256), .required = true,
     .examples = {"unix:/run/hookline/admin.sock"},
     .help = "A unix:PATH or loopback ADDRESS:PORT; with a token: any ADDRESS:PORT"},
    {MAP_OR_NULL("admin.token", struct config_admin, token), .example_short = true,
     .help = "Bearer token, required over TCP"},
    SECRET_ROWS("admin.token", "/etc/hookline/secrets/admin", "ADMIN_TOKEN", "admin"),

    {LIST("sources", struct config, sources, MAPS, 0), .included = true, .help = "The senders"},
    {TEXT("sources.name", struct config_source, name, 64), .required = true, .examples = {"foil", "shop"},
     .help = "Name in log lines and answers: letters, digits, - _ and ."},
    {TEXT("sources.path", struct config_source, path, 1024), .examples = {"/foil"}, .help = "URL path; without it: / and the name"},
    {TEXT("sources.scheme", struct config_source, scheme, 64), .examples = {"foil"}, .help = "Signature scheme, see hookline-schemes(7)"},
    {TEXT("sources.description", struct config_source, description, 1023), .verbatim = true,
     .examples = {NULL, "|\n  signature X-Shop-Signature; encoding base64\n  content {url}{body}"},
     .help = "Custom signature scheme, instead of scheme"},
    {TEXT("sources.url", struct config_source, url, 4096), .examples = {NULL, "https://example.com/shop"},
     .help = "The URL registered with the sender, if the scheme signs it"},
    {LIST("sources.secrets", struct config_source, secrets, MAPS, 8), .required = true,
     .help = "Signing secrets, any of which may match; each is a file, env or credential"},
    SECRET_ROWS("sources.secrets", "/etc/hookline/secrets/foil", "FOIL_NEXT_SECRET", "hookline_foil"),
    {TEXT("sources.secrets.label", struct config_secret, label, 64), .examples = {"\"2026\""},
     .help = "Name in log lines and metrics: letters, digits, - _ and ."},
    {NUMBER_OR_NULL("sources.tolerance_seconds", struct config_source, tolerance_seconds, SECONDS), .max = 86400,
     .zero = "signed this very second", .examples = {"300"}, .help = "Tolerance of the signed time; without it: the scheme's"},
    {CHOICE("sources.answer", struct config_source, answer), .words = answer_words, .examples = {"stored"},
     .help = "\"stored\": 200 once stored; \"upstream\": the application's answer"},
    {CHOICE("sources.dedup", struct config_source, dedup), .words = dedup_words, .examples = {"delivery"},
     .help = "Key of a duplicate without a signed id: \"delivery\": MAC and delivery id; \"mac\": MAC"},
    {LIST("sources.allow", struct config_source, allow, TEXTS, 0), .min = 1, .max = 64,
     .examples = {"[192.0.2.0/24, \"2001:db8::/32\"]"}, .help = "Addresses and networks that may deliver; without it: all"},
    {MAP_OR_NULL("sources.rate", struct config_source, rate), .example_short = true, .help = "Limit of verified deliveries; without it: none"},
    {NUMBER("sources.rate.per_second", struct config_rate, per_second, COUNT), .required = true, .min = 1, .max = 1000000,
     .examples = {"50"}, .help = "Deliveries accepted per second over time"},
    {NUMBER("sources.rate.burst", struct config_rate, burst, COUNT), .max = 1000000, .zero = "as per_second",
     .help = "Deliveries accepted at once"},

    {LIST("destinations", struct config, destinations, MAPS, CONFIG_DESTINATIONS_MAX), .included = true,
     .help = "Your applications; without any, deliveries are only stored"},
    {TEXT("destinations.name", struct config_destination, name, 64), .required = true, .examples = {"app", "audit"},
     .help = "Name in log lines and in the store: letters, digits, - _ and ."},
    {TEXT("destinations.url", struct config_destination, url, 4096), .required = true,
     .examples = {"https://app.internal/hooks", "http://127.0.0.1:9000/audit"},
     .help = "URL that deliveries are posted to"},
    {TEXT("destinations.socket", struct config_destination, socket, 107), .examples = {"/run/app/hooks.sock"},
     .help = "Unix socket to connect to, instead of the URL's host"},
    {LIST("destinations.sources", struct config_destination, sources, TEXTS, 0), .min = 1, .max = 64,
     .examples = {"[foil, shop]"}, .help = "Sources to forward; without it: all"},
    {LIST("destinations.types", struct config_destination, types, TEXTS, 0), .min = 1, .max = 256,
     .examples = {"[\"*\"]"}, .help = "Event types to forward, a final * matches any rest; without it: all"},
    {MAP_OR_NULL("destinations.secret", struct config_destination, secret), .example_short = true,
     .help = "Signs attempts by Standard Webhooks; without it: not signed"},
    SECRET_ROWS("destinations.secret", "/etc/hookline/secrets/app", "APP_SECRET", "app"),
    {NUMBER("destinations.concurrency", struct config_destination, concurrency, COUNT), .unset = 8, .min = 1, .max = 256,
     .help = "Concurrent attempts"},
    {NUMBER("destinations.timeout_seconds", struct config_destination, timeout_seconds, SECONDS), .unset = 15, .min = 1, .max = 3600,
     .help = "Time for one attempt"},
    {FLAG("destinations.ordered", struct config_destination, ordered), .examples = {"false"}, .help = "Send one at a time, in order of arrival"},
    {LIST("destinations.retry_seconds", struct config_destination, retry_seconds, NUMBERS, 32), .unit = CONFIG_SECONDS,
     .max = 2592000, .zero = "at once", .examples = {"[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]"},
     .help = "Longest wait after each failed attempt; then the delivery is parked"},
    {LIST("destinations.park_statuses", struct config_destination, park_statuses, NUMBERS, 32), .min = 300, .max = 599,
     .examples = {"[410]"}, .help = "HTTP statuses that park a delivery at once; any other but 2xx is retried"},
    {MAP_OR_NULL("destinations.rate", struct config_destination, rate), .example_short = true, .help = "Limit of attempts; without it: none"},
    {NUMBER("destinations.rate.per_second", struct config_rate, per_second, COUNT), .required = true, .min = 1, .max = 1000000,
     .examples = {"50"}, .help = "Attempts started per second over time"},
    {NUMBER("destinations.rate.burst", struct config_rate, burst, COUNT), .max = 1000000, .zero = "as per_second",
     .help = "Attempts started at once"},
    {LIST("destinations.headers", struct config_destination, headers, TEXTS, 0), .min = 1, .max = 256,
     .examples = {"[\"*\"]"}, .help = "Headers of the sender to forward, a final * matches any rest; without it: all"},
    {FLAG("destinations.query", struct config_destination, query), .unset = true, .examples = {"true"},
     .help = "Append the query of the sender's URL to url"},
    {LIST("destinations.add_headers", struct config_destination, add_headers, MAPS, 32), .help = "Headers to add; each has a value or is a file, env or credential"},
    {TEXT("destinations.add_headers.name", struct config_header, name, 256), .required = true, .examples = {"X-Tenant", "X-Api-Key"},
     .help = "Name of the header"},
    {TEXT("destinations.add_headers.value", struct config_header, value, 8192), .examples = {"\"42\""}, .help = "Value, readable by anyone who reads this file"},
    SECRET_ROWS("destinations.add_headers", NULL, "APP_API_KEY", NULL),
    {MAP_OR_NULL("destinations.basic", struct config_destination, basic), .help = "Basic credentials; without it: none"},
    {TEXT("destinations.basic.user", struct config_basic, user, 255), .required = true, .examples = {"hookline"}, .help = "User"},
    {MAP("destinations.basic.password", struct config_basic, password), .required = true, .example_short = true, .help = "Password"},
    SECRET_ROWS("destinations.basic.password", "/etc/hookline/secrets/app-password", "APP_PASSWORD", "app-password"),
    {MAP_OR_NULL("destinations.bearer", struct config_destination, bearer), .example_short = true, .help = "Bearer token, instead of basic; without it: none"},
    SECRET_ROWS("destinations.bearer", NULL, "AUDIT_TOKEN", NULL),
    {TEXT("destinations.ca_file", struct config_destination, ca_file, 4096), .examples = {"/etc/ssl/certs/ca-certificates.crt"},
     .help = "CAs to trust instead of the system's"},
    {TEXT("destinations.certificate", struct config_destination, certificate, 4096), .examples = {"/etc/hookline/tls/client.pem"},
     .help = "Client certificate and its intermediates"},
    {TEXT("destinations.key", struct config_destination, key, 4096), .examples = {"/etc/hookline/tls/client-key.pem"},
     .help = "Private key of certificate, without a passphrase"},

    {TEXT("include", struct config, include, 4096), .examples = {"conf.d/*.yaml"},
     .help = "Pattern of files with further sources and destinations"},
};
/* clang-format on */

enum {
    CONFIG_ROWS = sizeof(config_rows) / sizeof(config_rows[0])
};

const char *config_row_name(const struct config_row *row)
{
    const char *dot = strrchr(row->key, '.');

    return dot == NULL ? row->key : dot + 1;
}

static bool config_row_is_child(const struct config_row *row, const struct config_row *parent)
{
    size_t len = (size_t)(config_row_name(row) - row->key);

    if (parent == NULL)
        return len == 0;
    return len == strlen(parent->key) + 1 && strncmp(row->key, parent->key, len - 1) == 0;
}

const struct config_row *config_table_row(const char *key)
{
    for (size_t i = 0; i < CONFIG_ROWS; i++)
        if (strcmp(config_rows[i].key, key) == 0)
            return &config_rows[i];
    abort();
}

const struct config_row *config_table_child(const struct config_row *parent,
                                            const struct config_row *before)
{
    const struct config_row *row = before == NULL ? config_rows : before + 1;

    for (; row < config_rows + CONFIG_ROWS; row++)
        if (config_row_is_child(row, parent))
            return row;
    return NULL;
}

static bool config_row_has_name(const struct config_row *row, const char *name, size_t len)
{
    const char *own = config_row_name(row);

    return strlen(own) == len && memcmp(own, name, len) == 0;
}

const struct config_row *config_table_find(const struct config_row *parent, const char *name,
                                           size_t len)
{
    const struct config_row *row = NULL;

    while ((row = config_table_child(parent, row)) != NULL && !config_row_has_name(row, name, len))
        ;
    return row;
}

const struct config_row *config_table_elsewhere(const char *name, size_t len)
{
    for (size_t i = 0; i < CONFIG_ROWS; i++)
        if (config_row_has_name(&config_rows[i], name, len))
            return &config_rows[i];
    return NULL;
}

/* Returns the Levenshtein distance of two names; 32 if either has more than 31 bytes. */
static unsigned config_name_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned line[32];

    if (a_len >= 32 || b_len >= 32)
        return 32;
    for (unsigned j = 0; j <= b_len; j++)
        line[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned diagonal = line[0];

        line[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = line[j];
            best = best < line[j] + 1 ? best : line[j] + 1;
            line[j] = best < line[j - 1] + 1 ? best : line[j - 1] + 1;
        }
    }
    return line[b_len];
}

const struct config_row *config_table_nearest(const struct config_row *parent, const char *name,
                                              size_t len)
{
    const struct config_row *row = NULL, *nearest = NULL;
    unsigned least = (unsigned)(len < 6 ? 2 : 3); /* more changes are not a typo */

    while ((row = config_table_child(parent, row)) != NULL) {
        const char *own = config_row_name(row);
        unsigned distance = config_name_distance(name, len, own, strlen(own));

        if (distance < least && distance < len) {
            least = distance;
            nearest = row;
        }
    }
    return nearest;
}

void config_table_list(const struct config_row *parent, bool included, char *out, size_t size)
{
    const struct config_row *row = NULL;
    size_t len = 0;

    out[0] = '\0';
    while ((row = config_table_child(parent, row)) != NULL && len < size)
        if (!included || row->included)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len == 0 ? "" : ", ",
                                    config_row_name(row));
}

void config_row_range(const struct config_row *row, char *out, size_t size)
{
    static const char *const units[] = {"", "bytes, ", "seconds, ", "days, "};
    char most[32], zero[64];

    out[0] = '\0';
    if (row->kind != CONFIG_NUMBER && row->kind != CONFIG_NUMBERS)
        return;
    snprintf(most, sizeof(most), "to %" PRIu64, row->max);
    snprintf(zero, sizeof(zero), "; 0: %s", row->zero == NULL ? "" : row->zero);
    snprintf(out, size, "%s%" PRIu64 " %s%s", units[row->unit], row->min,
             row->max == CONFIG_NUMBER_MAX ? "or more" : most, row->zero == NULL ? "" : zero);
}
