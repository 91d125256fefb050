/* SPDX-License-Identifier: MIT
 *
 * Puts the emulator's parts together, and takes them down in the opposite order.
 */
#include "cli/command.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/address.h"
#include "daemon/base/clock.h"
#include "daemon/log/log.h"
#include "daemon/base/notice.h"
#include "cli/emulator/announcement.h"
#include "cli/emulator/courier.h"
#include "cli/emulator/dispatcher.h"
#include "cli/emulator/emulator.h"
#include "daemon/base/identity.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/playground.h"
#include "cli/emulator/server.h"
#include "cli/emulator/trouble.h"
#include "cli/fault.h"

enum {
    RETRIES_MAX = 16,
    RETRY_S_MAX = 86400,
};

struct emulate_options {
    const char *listen, *keys, *store, *config, *sink_url, *fault, *retry, *ca_file;
    struct option_texts endpoints;
    bool strict_urls, json;
};

static const struct emulate_options defaults = {
    .listen = "127.0.0.1:4010",
    .keys = "hookline-keys",
    .fault = "",
    .retry = "5,30,120",
};

#define ROW(name, kind, member, value, help)                                                       \
    {                                                                                              \
        name, 0, kind, offsetof(struct emulate_options, member), value, help, 0, 0                 \
    }

static const struct option_row rows[] = {
    ROW("listen", OPTION_TEXT, listen, "ADDRESS", "where it answers; default: 127.0.0.1:4010"),
    ROW("keys", OPTION_TEXT, keys, "FOLDER",
        "where the API keys are, and the secrets that it makes;\ndefault: hookline-keys"),
    ROW("store", OPTION_TEXT, store, "FILE", "remember everything there; default: in memory"),
    ROW("for", OPTION_TEXT, config, "FILE",
        "a hooklined.yaml: an endpoint for each of its sources"),
    ROW("sink-url", OPTION_TEXT, sink_url, "URL",
        "where that hooklined is reached; default: as it listens"),
    ROW("endpoint", OPTION_TEXTS, endpoints, "PROVIDER=URL[,WHERE]",
        "an endpoint more, with the secret at WHERE: @FILE,\nenv:VARIABLE or credential:NAME; "
        "without, one is made"),
    ROW("fault", OPTION_TEXT, fault, "WORDS", "what goes wrong with deliveries, see below"),
    ROW("retry", OPTION_TEXT, retry, "SECONDS,...",
        "until each further attempt, but TruLayer's, which has\nnone; default: 5,30,120; no "
        "retries: 0"),
    ROW("strict-urls", OPTION_FLAG, strict_urls, NULL, "refuse the URLs that the providers refuse"),
    ROW("ca-file", OPTION_AUTHORITIES, ca_file, "FILE",
        "certificates that vouch for https receivers; default:\nthe system's"),
    ROW("json", OPTION_FLAG, json, NULL, "say everything as JSON, a line each"),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0}};

/* All that is open. */
struct emulation {
    const struct emulate_options *options;
    struct emulator emulator;
    unsigned retry_s[RETRIES_MAX + 1];
    char folder[PATH_MAX]; /* of the keys, whatever the working directory */
    struct playground *playground;
    struct courier *courier;
    struct server *server;
    struct log *log; /* of the attempts; NULL: they are told to people */
};

/* ---- options */

static bool read_retry(const char *text, unsigned retry_s[RETRIES_MAX + 1])
{
    char *end;

    if (strcmp(text, "0") == 0)
        return true;
    for (int i = 0; i < RETRIES_MAX; i++, text = end + 1) {
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
    notice("--retry: expected up to %d numbers of seconds such as 5,30,120, or 0", RETRIES_MAX);
    return false;
}

static bool read_options(struct emulation *e)
{
    struct sockaddr_storage address;
    char why[FAULT_WHY_SIZE];
    struct faults faults;
    socklen_t len;

    if (!fault_read(&faults, e->options->fault, why)) {
        notice("--fault: %s", why);
        return false;
    }
    if (!address_read(e->options->listen, &address, &len) || address.ss_family == AF_UNIX) {
        notice("--listen: expected ADDRESS:PORT, such as 127.0.0.1:4010");
        return false;
    }
    if (e->options->sink_url != NULL && e->options->config == NULL) {
        notice("--sink-url: it goes with --for");
        return false;
    }
    e->emulator.is_local = address_is_local(&address);
    e->emulator.faults = e->options->fault;
    e->emulator.retry_s = e->retry_s;
    e->emulator.strict_urls = e->options->strict_urls;
    return read_retry(e->options->retry, e->retry_s);
}

/* ---- on the loop */

static void on_start(void *data, struct errands *errands)
{
    struct emulation *e = data;

    dispatcher_start(e->emulator.dispatcher, errands);
}

static void on_call(void *data, struct api_call *call)
{
    struct emulation *e = data;

    emulator_handle(&e->emulator, call);
}

static void on_stop(void *data)
{
    struct emulation *e = data;

    trouble_stop(e->emulator.trouble);
    dispatcher_stop(e->emulator.dispatcher);
    courier_close(&e->courier);
}

static void on_attempt(void *data, const struct dispatch_note *note)
{
    const struct emulation *e = data;

    announce_attempt(e->log, note);
}

/* ---- opening */

/* Those of a process that was killed; one that is stopped gives up by itself. */
static void give_up(struct ledger *ledger)
{
    static const char *const statuses[] = {"pending", "delivering", "retry_pending"};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        ledger_give_up(ledger, statuses[i], "failed", "given up: the emulator has ended before",
                       clock_wall_us());
}

static bool open_ledger(struct emulation *e)
{
    char why[LEDGER_WHY_SIZE], organization[IDENTITY_SIZE];

    if ((e->emulator.ledger = ledger_open(e->options->store, why)) == NULL) {
        notice("--store: %s", why);
        return false;
    }
    give_up(e->emulator.ledger);
    identity_organization(organization);
    if (ledger_setting(e->emulator.ledger, "organization", organization, e->emulator.organization,
                       sizeof(e->emulator.organization)))
        return true;
    notice("%s", ledger_why(e->emulator.ledger));
    return false;
}

static bool open_keys(struct emulation *e)
{
    char why[KEYS_WHY_SIZE];

    if ((e->emulator.keys = keys_open(e->options->keys, why)) == NULL) {
        notice("--keys: %s", why);
        return false;
    }
    if (realpath(e->options->keys, e->folder) != NULL)
        return true;
    notice("--keys: %s: %s", e->options->keys, strerror(errno));
    return false;
}

static bool open_playground(struct emulation *e)
{
    const struct playground_options options = {
        .config = e->options->config,
        .sink_url = e->options->sink_url,
        .endpoints = e->options->endpoints,
        .keys = e->folder,
    };
    char why[PLAYGROUND_WHY_SIZE];

    if ((e->playground = playground_open(&e->emulator, &options, why)) == NULL)
        notice("%s", why);
    return e->playground != NULL;
}

/* The journal would take it for hooklined's, whose lines are verdicts; so it gets plain ones. */
static bool open_log(struct emulation *e)
{
    unsetenv("JOURNAL_STREAM");
    if (!e->options->json || (e->log = log_open("-")) != NULL)
        return true;
    notice("standard output: %s", strerror(errno));
    return false;
}

static bool open_dispatcher(struct emulation *e)
{
    struct dispatcher_options options = {
        .ledger = e->emulator.ledger, .note = on_attempt, .data = e};
    char why[COURIER_WHY_SIZE];

    if ((e->courier = courier_open(e->options->ca_file, why)) == NULL) {
        notice("%s", why);
        return false;
    }
    options.courier = e->courier;
    e->emulator.trouble = trouble_open();
    e->emulator.dispatcher = dispatcher_open(&options);
    if (e->emulator.dispatcher != NULL && e->emulator.trouble != NULL)
        return true;
    notice("out of memory");
    return false;
}

static bool open_server(struct emulation *e)
{
    const struct server_options options = {
        .address = e->options->listen,
        .data = e,
        .start = on_start,
        .handle = on_call,
        .stop = on_stop,
    };
    char why[SERVER_WHY_SIZE];

    if ((e->server = server_open(&options, why)) == NULL)
        notice("--listen: %s", why);
    return e->server != NULL;
}

static void close_all(struct emulation *e)
{
    server_close(&e->server);
    courier_close(&e->courier);
    dispatcher_close(&e->emulator.dispatcher);
    log_close(&e->log);
    trouble_close(&e->emulator.trouble);
    playground_close(&e->playground);
    keys_close(&e->emulator.keys);
    ledger_close(&e->emulator.ledger);
}

/* ---- running */

static void announce(const struct emulation *e)
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

    server_address(e->server, address);
    if (!announce_start(&announcement))
        notice("out of memory");
}

/* The other threads inherit that these signals wait. */
static void block(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    struct emulation e = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;
    sigset_t signals;
    int number;

    (void)arguments, (void)count;
    block(&signals);
    if (read_options(&e) && open_ledger(&e) && open_keys(&e) && open_playground(&e) &&
        open_log(&e) && open_dispatcher(&e)) {
        outcome = OUTCOME_TRANSPORT;
        if (open_server(&e)) {
            outcome = OUTCOME_GOOD;
            announce(&e);
            sigwait(&signals, &number);
        }
    }
    close_all(&e);
    return outcome;
}

const struct command command_emulate = {
    .name = "emulate",
    .arguments = "",
    .summary = "Be Foil, Shodai and TruLayer, and any other sender, on this machine",
    .details = "Faults, separated by commas; a call may ask for its own in the header\n"
               "Hookline-Fault:\n\n"
               "  stale[=SECONDS] future[=SECONDS] duplicate[=N] burst[=N] reorder\n"
               "  wrong-secret secret-newline two-signatures unsigned tamper reencode\n"
               "  crlf oversize[=BYTES] truncate reset slow[=BYTES]\n",
    .options = rows,
    .options_size = sizeof(struct emulate_options),
    .defaults = &defaults,
    .run = run,
};
