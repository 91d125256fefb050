/* SPDX-License-Identifier: MIT
 *
 * Under valgrind the key is undefined memory, so a branch or an address that depends on the key is
 * an error. hookline_mac_equal() defines only its verdict again. Without valgrind the program tests nothing
 * and says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#include "lib/verifier.h"

#ifdef VALGRIND_MAKE_MEM_UNDEFINED

int __real_hookline_mac_equal(const unsigned char a[MAC_SIZE], const unsigned char b[MAC_SIZE]);
int __wrap_hookline_mac_equal(const unsigned char a[MAC_SIZE], const unsigned char b[MAC_SIZE]);

int __wrap_hookline_mac_equal(const unsigned char a[MAC_SIZE], const unsigned char b[MAC_SIZE])
{
    int equal = __real_hookline_mac_equal(a, b);

    VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof(equal));
    return equal;
}

/* Hides the hash states only, because the counters do not depend on the key. */
static void hide_keys(const hookline_verifier *v)
{
    for (size_t k = 0; k < v->keys; k++) {
        VALGRIND_MAKE_MEM_UNDEFINED(&v->key[k].inner.h, sizeof(v->key[k].inner.h));
        VALGRIND_MAKE_MEM_UNDEFINED(&v->key[k].outer.h, sizeof(v->key[k].outer.h));
    }
}

static int verify_both(const char *name)
{
    const hookline_request unsigned_request = {.body = {"{\"id\":\"m\"}", 10}};
    hookline_request req = unsigned_request;
    hookline_verifier *v;
    hookline_signature s;
    int right, wrong;

    if (hookline_verifier_new(&v, name, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") < 0 ||
        hookline_verifier_add_secret(v, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD") < 0 ||
        hookline_sign(v, &req, (hookline_bytes){"m", 1}, 1800000000, &s) < 0)
        return 0;
    req.find_header = hookline_find_in_list;
    req.headers = &s.headers;
    hide_keys(v);
    right = hookline_verify(v, &req, 1800000000).reason;
    req.body.base = "{\"id\":\"n\"}";
    wrong = hookline_verify(v, &req, 1800000000).reason;
    hookline_verifier_free(&v);
    return right == HOOKLINE_VERIFIED && wrong == HOOKLINE_MISMATCH;
}

static int count_errors(void)
{
    return (int)VALGRIND_COUNT_ERRORS;
}

static int is_watched(void)
{
    return RUNNING_ON_VALGRIND != 0;
}

#else

static int is_watched(void)
{
    return 0;
}

static int count_errors(void)
{
    return 0;
}

static int verify_both(const char *name)
{
    (void)name;
    return 1;
}

#endif

int main(void)
{
    const hookline_scheme *scheme;
    int failed = 0;
    size_t n = 0;

    for (; (scheme = hookline_scheme_at(n)) != NULL; n++) {
        int before = count_errors();
        int ok = verify_both(scheme->name) && count_errors() == before;

        failed += !ok;
        printf("%sok %zu - %s: nothing depends on the bytes of a key%s\n", ok ? "" : "not ", n + 1,
               scheme->name, is_watched() ? "" : " # SKIP not under valgrind");
    }
    printf("1..%zu\n", n);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
