/* SPDX-License-Identifier: MIT
 *
 * emulate.c - the command `hookline emulate`: opens the emulator's parts, routes requests, closes
 * the parts in reverse order.
 */
#include "cli/command.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/emulator/announcement.h"
#include "cli/emulator/api.h"
#include "cli/emulator/courier.h"
#include "cli/emulator/delivery.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/outage.h"
#include "cli/emulator/playground.h"
#include "cli/emulator/server.h"
#include "cli/faults.h"
#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/base/message.h"
#include "daemon/base/net.h"
#include "daemon/http/tls.h"
#include "daemon/log/log.h"

enum {
    RETRY_S_MAX = 86400,
};

struct emulate_options {
    const char *listen, *keys, *store, *config, *sink_url, *fault, *retry, *ca_file;
    struct option_texts endpoints;
    bool strict_urls, json;
};

static const struct emulate_options emulate_option_defaults = {
    .listen = "127.0.0.1:4010",
    .keys = "hookline-keys",
    .fault = "",
    .retry = "5,30,120",
};

static const struct option_row emulate_option_rows[] = {
    TEXT(0, "listen", struct emulate_options, listen, "ADDRESS",
         "serve the APIs there; default: 127.0.0.1:4010"),
    TEXT(0, "keys", struct emulate_options, keys, "FOLDER",
         "keep API keys and generated secrets there;\ndefault: hookline-keys"),
    TEXT(0, "store", struct emulate_options, store, "FILE",
         "keep endpoints, events and deliveries there; default:\nin memory"),
    TEXT(0, "for", struct emulate_options, config, "FILE",
         "make an endpoint for each source of this hooklined.yaml"),
    TEXT(0, "sink-url", struct emulate_options, sink_url, "URL",
         "reach that hooklined there; default: its listen address"),
    TEXTS(0, "endpoint", struct emulate_options, endpoints, "PROVIDER=URL[,WHERE]",
          "add an endpoint, with the secret at WHERE: @FILE,\nenv:VARIABLE or credential:NAME; "
          "default: a new one"),
    TEXT(0, "fault", struct emulate_options, fault, "WORDS", "corrupt deliveries, see below"),
    TEXT(0, "retry", struct emulate_options, retry, "SECONDS,...",
         "wait so long before each retry; TruLayer has none;\ndefault: 5,30,120; no retries: 0"),
    FLAG(0, "strict-urls", struct emulate_options, strict_urls,
         "refuse the URLs that the providers refuse"),
    CHECKED(0, "ca-file", struct emulate_options, ca_file, "FILE", certificate_file_problem,
            "trust these CA certificates of https receivers;\ndefault: the system's"),
    FLAG(0, "json", struct emulate_options, json, "print everything as JSON, one object a line"),
    OPTIONS_END};

/* The open parts. */
struct emulation {
    const struct emulate_options *options;
    struct emulator emulator;
    unsigned retry_s[DISPATCH_RETRIES_MAX + 1];
    char folder[PATH_MAX]; /* of the keys, as an absolute path */
    struct playground *playground;
    struct courier *courier;
    struct api_server *server;
    struct log *log; /* of attempts; NULL: text on stderr */
};

/* ---- options */

static bool emulate_read_retry(const char *text, unsigned retry_s[DISPATCH_RETRIES_MAX + 1])
{
    char *end;

    if (strcmp(text, "0") == 0)
        return true;
    for (int i = 0; i < DISPATCH_RETRIES_MAX; i++, text = end + 1) {
        unsigned long seconds;

        if (*text < '0' || *text > '9')
            break;
        errno = 0;
        seconds = strtoul(text, &end, 10);
        if (errno != 0 || seconds == 0 || seconds > RETRY_S_MAX || (*end != ',' && *end != '\0'))
            break;
        retry_s[i] = (unsigned)seconds;
        if (*end == '\0')
            return true;
    }
    message_print("--retry: expected 0, or up to %d numbers of seconds such as 5,30,120",
                  DISPATCH_RETRIES_MAX);
    return false;
}

static bool emulate_read_options(struct emulation *e)
{
    struct sockaddr_storage address;
    char why[FAULTS_WHY_SIZE];
    struct faults faults;
    socklen_t len;

    if (!faults_read(&faults, e->options->fault, why)) {
        message_print("--fault: %s", why);
        return false;
    }
    if (!address_read(e->options->listen, &address, &len) || address.ss_family == AF_UNIX) {
        message_print("--listen: expected ADDRESS:PORT, such as 127.0.0.1:4010");
        return false;
    }
    if (e->options->sink_url != NULL && e->options->config == NULL) {
        message_print("--sink-url needs --for");
        return false;
    }
    e->emulator.is_local = address_is_local(&address);
    e->emulator.faults = e->options->fault;
    e->emulator.retry_s = e->retry_s;
    e->emulator.strict_urls = e->options->strict_urls;
    return emulate_read_retry(e->options->retry, e->retry_s);
}

/* ---- callbacks on the loop */

static void emulate_on_start(void *data, struct loop_calls *loop_calls)
{
    struct emulation *e = data;

    dispatcher_start(e->emulator.dispatcher, loop_calls);
}

static void emulate_refuse_path(struct api_call *call)
{
    cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");

    cJSON_AddStringToObject(error, "code", "not_found");
    cJSON_AddStringToObject(error, "message",
                            "expected a path of Foil's and Tripwire's API (/v1/organizations/...), "
                            "Shodai's (/v0/webhooks), TruLayer's (/v1/webhooks) or "
                            "/emulator/endpoints");
    api_answer(call, 404, json);
}

static void emulate_on_call(void *data, struct api_call *call)
{
    struct emulation *e = data;
    struct emulator *emulator = &e->emulator;

    if (!control_handle(emulator, call) &&
        !outage_handle(emulator->outage, call, foil_provider(emulator, call)) &&
        !foil_handle(emulator, call) && !shodai_handle(emulator, call) &&
        !trulayer_handle(emulator, call))
        emulate_refuse_path(call);
}

static void emulate_on_stop(void *data)
{
    struct emulation *e = data;

    outage_stop(e->emulator.outage);
    dispatcher_stop(e->emulator.dispatcher);
    courier_close(&e->courier);
}

static void emulate_on_attempt(void *data, const struct dispatch_log_entry *note)
{
    const struct emulation *e = data;

    announcement_attempt(e->log, note);
}

/* ---- open */

/* Fails the deliveries that a killed process left unfinished. */
static void emulate_fail_unfinished(struct ledger *ledger)
{
    static const char *const statuses[] = {"pending", "delivering", "retry_pending"};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        ledger_fail_unfinished(ledger, statuses[i], "failed", "given up: the emulator has stopped",
                               clock_wall_us());
}

static bool emulate_open_ledger(struct emulation *e)
{
    char why[LEDGER_WHY_SIZE], organization[IDS_SIZE];

    if ((e->emulator.ledger = ledger_open(e->options->store, why)) == NULL) {
        message_print("--store: %s", why);
        return false;
    }
    emulate_fail_unfinished(e->emulator.ledger);
    ids_make_organization(organization);
    if (ledger_setting(e->emulator.ledger, "organization", organization, e->emulator.organization,
                       sizeof(e->emulator.organization)))
        return true;
    message_print("%s", ledger_why(e->emulator.ledger));
    return false;
}

static bool emulate_open_keys(struct emulation *e)
{
    char why[KEYS_WHY_SIZE];

    if ((e->emulator.keys = keys_open(e->options->keys, why)) == NULL) {
        message_print("--keys: %s", why);
        return false;
    }
    if (realpath(e->options->keys, e->folder) != NULL)
        return true;
    message_print("--keys: %s: %s", e->options->keys, strerror(errno));
    return false;
}

static bool emulate_open_playground(struct emulation *e)
{
    const struct playground_options options = {
        .config = e->options->config,
        .sink_url = e->options->sink_url,
        .endpoints = e->options->endpoints,
        .keys = e->folder,
    };
    char why[PLAYGROUND_WHY_SIZE];

    if ((e->playground = playground_open(&e->emulator, &options, why)) == NULL)
        message_print("%s", why);
    return e->playground != NULL;
}

/* With JOURNAL_STREAM set, log_open() would write to the journal as hooklined, whose lines are
 * verdicts. */
static bool emulate_open_log(struct emulation *e)
{
    unsetenv("JOURNAL_STREAM");
    if (!e->options->json || (e->log = log_open("-")) != NULL)
        return true;
    message_print("standard output: %s", strerror(errno));
    return false;
}

static bool emulate_open_dispatcher(struct emulation *e)
{
    struct dispatcher_options options = {
        .ledger = e->emulator.ledger, .note = emulate_on_attempt, .data = e};
    char why[COURIER_WHY_SIZE];

    if ((e->courier = courier_open(e->options->ca_file, why)) == NULL) {
        message_print("%s", why);
        return false;
    }
    options.courier = e->courier;
    e->emulator.outage = outage_open();
    e->emulator.dispatcher = dispatcher_open(&options);
    if (e->emulator.dispatcher != NULL && e->emulator.outage != NULL)
        return true;
    message_print("out of memory");
    return false;
}

static bool emulate_open_server(struct emulation *e)
{
    const struct api_server_options options = {
        .address = e->options->listen,
        .data = e,
        .start = emulate_on_start,
        .handle = emulate_on_call,
        .stop = emulate_on_stop,
    };
    char why[API_SERVER_WHY_SIZE];

    if ((e->server = api_server_open(&options, why)) == NULL)
        message_print("--listen: %s", why);
    return e->server != NULL;
}

static void emulate_close(struct emulation *e)
{
    api_server_close(&e->server);
    courier_close(&e->courier);
    dispatcher_close(&e->emulator.dispatcher);
    log_close(&e->log);
    outage_close(&e->emulator.outage);
    playground_close(&e->playground);
    keys_close(&e->emulator.keys);
    ledger_close(&e->emulator.ledger);
}

/* ---- run */

static void emulate_announce(const struct emulation *e)
{
    char address[ADDRESS_TEXT_SIZE];
    const struct announcement announcement = {
        .json = e->options->json,
        .address = address,
        .organization = e->emulator.organization,
        .folder = e->folder,
        .keys = e->emulator.keys,
        .playground = e->playground,
    };

    api_server_address(e->server, address);
    if (!announcement_start(&announcement))
        message_print("out of memory");
}

/* Threads started later inherit the mask. */
static void emulate_block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static enum outcome emulate_run(const void *options, const char *const *arguments, size_t count)
{
    struct emulation e = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;
    sigset_t signals;
    int number;

    (void)arguments, (void)count;
    emulate_block_signals(&signals);
    if (emulate_read_options(&e) && emulate_open_ledger(&e) && emulate_open_keys(&e) &&
        emulate_open_playground(&e) && emulate_open_log(&e) && emulate_open_dispatcher(&e)) {
        outcome = OUTCOME_TRANSPORT;
        if (emulate_open_server(&e)) {
            outcome = OUTCOME_GOOD;
            emulate_announce(&e);
            sigwait(&signals, &number);
        }
    }
    emulate_close(&e);
    return outcome;
}

const struct command command_emulate = {
    .name = "emulate",
    .arguments = "",
    .summary = "Emulate Foil, Tripwire, Shodai, TruLayer and any other sender",
    .details = "Faults, separated by commas; a request can set its own in the "
               "Hookline-Fault\nheader:\n\n  stale[=SECONDS] future[=SECONDS] duplicate[=N] "
               "burst[=N] reorder\n  wrong-secret secret-newline two-signatures unsigned tamper "
               "reencode\n  crlf oversize[=BYTES] truncate reset slow[=BYTES] delay[=SECONDS]\n",
    .options = emulate_option_rows,
    .options_size = sizeof(struct emulate_options),
    .defaults = &emulate_option_defaults,
    .run = emulate_run,
};
