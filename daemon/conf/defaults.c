/* SPDX-License-Identifier: MIT
 *
 * A line that begins with "# " is for people; "#" before anything else, or before more than one
 * blank, is a line of YAML that is switched off.
 */
#include "daemon/conf/defaults.h"

#include <stdio.h>

#include "daemon/base/backoff.h"
#include "daemon/conf/config.h"

static void print_head(void)
{
    fputs(
        "# hooklined's configuration: every key, with its default where it has one.\n"
        "#\n"
        "# hooklined.yaml(5) explains each of them. Take the # away where a key begins, and those\n"
        "# of the keys around it. Without \"sources\" nothing is received; nothing else is needed\n"
        "# but the store. What is wrong is said, by line, by\n"
        "#\n"
        "# hooklined --config FILE --check\n"
        "\n",
        stdout);
}

static void print_addresses(void)
{
    fputs("# Where senders deliver: ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH, up to 16 of them.\n"
          "# With \"tls\" in PEM; client_ca_file only if clients have to show a certificate.\n"
          "#listen:\n"
          "#  - address: " CONFIG_DEFAULT_ADDRESS "\n"
          "#    proxy_protocol: false\n"
          "#    tls:\n"
          "#      certificate: /etc/hookline/tls/certificate.pem\n"
          "#      key: /etc/hookline/tls/key.pem\n"
          "#      client_ca_file: /etc/hookline/tls/clients.pem\n"
          "\n"
          "# The proxies in front, which may say for whom they speak: nobody, unless they are\n"
          "# here. Addresses, networks, or the word unix.\n"
          "#trusted_proxies: [127.0.0.1, \"::1\", unix]\n"
          "\n"
          "# Threads that receive; 0: one for each processor but one.\n"
          "#threads: 0\n"
          "\n"
          "# A line for each delivery; \"-\" is standard output. body: with the payload.\n"
          "#log:\n"
          "#  file: \"-\"\n"
          "#  body: false\n"
          "\n"
          "# Where the administrator is answered, nowhere unless it is here: unix:PATH or a\n"
          "# loopback address, with a token any address.\n"
          "#admin:\n"
          "#  address: unix:/run/hookline/admin.sock\n"
          "#  token: {file: /etc/hookline/secrets/admin}\n"
          "\n",
          stdout);
}

static void print_store(void)
{
    printf("# Where deliveries are kept; if it is left out, " CONFIG_DEFAULT_STORE
           " in $STATE_DIRECTORY,\n"
           "# which systemd sets.\n"
           "store:\n"
           "  file: /var/lib/hookline/" CONFIG_DEFAULT_STORE "\n"
           "# Days that one is kept, and known when it comes again, after it was delivered on.\n"
           "#  keep_days: %d\n"
           "# The oldest of those go earlier if the store is larger; 0: no limit.\n"
           "#  max_bytes: 0\n"
           "# What may be in memory waiting for the disk, before senders are told to come again.\n"
           "#  queue_bytes: %d\n"
           "# With less free on the disk it is not ready, but goes on.\n"
           "#  free_bytes_min: %d\n"
           "\n",
           CONFIG_DEFAULT_KEEP_DAYS, CONFIG_DEFAULT_QUEUE_BYTES, CONFIG_DEFAULT_FREE_BYTES_MIN);
}

static void print_limits(void)
{
    printf("#limits:\n"
           "# The longest body, and the longest path and headers.\n"
           "#  body_bytes: %d\n"
           "#  head_bytes: %d\n"
           "# Open at one time.\n"
           "#  connections: %d\n"
           "# The same, of one address; 0: no limit.\n"
           "#  connections_per_address: 0\n"
           "# For a request's head, its body or the answer, and between two requests.\n"
           "#  header_seconds: %d\n"
           "#  body_seconds: %d\n"
           "#  idle_seconds: %d\n"
           "# For what has begun, when it is told to stop.\n"
           "#  shutdown_seconds: %d\n"
           "# Refusals after which an address has to wait; 0: no limit.\n"
           "#  refused_per_minute: 0\n"
           "\n",
           CONFIG_DEFAULT_BODY_BYTES, CONFIG_DEFAULT_HEAD_BYTES, CONFIG_DEFAULT_CONNECTIONS,
           CONFIG_DEFAULT_HEADER_SECONDS, CONFIG_DEFAULT_BODY_SECONDS, CONFIG_DEFAULT_IDLE_SECONDS,
           CONFIG_DEFAULT_SHUTDOWN_SECONDS);
}

static void print_sources(void)
{
    fputs(
        "# Further files with nothing but sources and destinations, in the order of their names.\n"
        "#include: conf.d/*.yaml\n"
        "\n"
        "# The senders. Each needs a name, a scheme and a secret, which is a file, env or\n"
        "# credential. Of several secrets each is good: so they are changed.\n"
        "#sources:\n"
        "#  - name: foil\n"
        "#    scheme: foil\n"
        "#    secrets:\n"
        "#      - file: /etc/hookline/secrets/foil\n"
        "#        label: \"2026\"\n"
        "#      - env: FOIL_NEXT_SECRET\n"
        "#      - credential: hookline_foil\n"
        "# \"/\" and the name, unless it is here.\n"
        "#    path: /foil\n"
        "# In seconds; the scheme's own, unless it is here.\n"
        "#    tolerance_seconds: 300\n"
        "# stored, or upstream: what the application says.\n"
        "#    answer: stored\n"
        "# Who may deliver, addresses and networks: everybody, unless it is here.\n"
        "#    allow: [192.0.2.0/24, \"2001:db8::/32\"]\n"
        "# Of genuine deliveries: no limit, unless it is here. 0 is a burst of one second's.\n"
        "#    rate: {per_second: 50, burst: 0}\n"
        "# In place of a scheme's name a description, see hookline-schemes(7); its URL is needed\n"
        "# where it is signed.\n"
        "#  - name: shop\n"
        "#    description: |\n"
        "#      signature X-Shop-Signature; encoding base64\n"
        "#      content {url}{body}\n"
        "#    url: https://example.com/shop\n"
        "#    secrets:\n"
        "#      - file: /etc/hookline/secrets/shop\n"
        "\n",
        stdout);
}

static void print_destinations(void)
{
    printf("# The applications behind. Without any, deliveries are stored and go nowhere.\n"
           "#destinations:\n"
           "#  - name: app\n"
           "#    url: http://127.0.0.1:9000/hooks\n"
           "# Of which sources, and which types: all, unless it is here.\n"
           "#    sources: [foil, shop]\n"
           "#    types: [\"*\"]\n"
           "# With it each attempt is signed anew, as Standard Webhooks has it.\n"
           "#    secret: {file: /etc/hookline/secrets/app}\n"
           "# On their way to it at one time; and the seconds for an attempt.\n"
           "#    concurrency: %d\n"
           "#    timeout_seconds: %d\n"
           "# One at a time, in the order in which they came.\n"
           "#    ordered: false\n"
           "# Waits after each attempt that failed; then it is parked.\n"
           "#    retry_seconds: [",
           CONFIG_DEFAULT_CONCURRENCY, CONFIG_DEFAULT_TIMEOUT_SECONDS);
    for (unsigned i = 0; i < BACKOFF_STANDARD_COUNT; i++)
        printf("%s%u", i == 0 ? "" : ", ", BACKOFF_STANDARD[i]);
    fputs("]\n"
          "# Whom to trust in place of the system's authorities.\n"
          "#    ca_file: /etc/ssl/certs/ca-certificates.crt\n",
          stdout);
}

void defaults_print(void)
{
    print_head();
    print_addresses();
    print_store();
    print_limits();
    print_sources();
    print_destinations();
}
