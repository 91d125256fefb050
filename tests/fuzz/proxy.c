/* SPDX-License-Identifier: MIT
 *
 * Fuzzes unauthenticated input: X-Forwarded-For and the PROXY protocol header, parsed alike in one
 * piece or in many.
 */
#include <string.h>

#include "daemon/base/net.h"
#include "daemon/http/proxy_header.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const trusted[] = {"10.0.0.0/8", "2001:db8::/32"};
    const char *bytes = (const char *)data;
    struct network_host host = {.family = 0};
    struct proxy_header header;
    struct proxies *proxies;

    if (proxy_header_read(bytes, size, &header) == PROXY_HEADER_READ) {
        fuzz_check(header.len > 0 && header.len <= size);
        for (size_t cut = 0; cut < header.len; cut++) {
            struct proxy_header ignored;

            fuzz_check(proxy_header_read(bytes, cut, &ignored) == PROXY_HEADER_INCOMPLETE);
        }
    }
    if ((proxies = proxies_new(trusted, 2)) == NULL)
        return 0;
    fuzz_check(!proxies_resolve_forwarded(proxies, bytes, size, &host) || host.family != 0);
    proxies_free(&proxies);
    return 0;
}
