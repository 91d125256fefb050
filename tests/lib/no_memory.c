/* SPDX-License-Identifier: MIT
 *
 * Each allocation of the library fails in turn. The program links the library's sources with
 * wrapped allocations. A byte behind each block shows that nothing is written there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);
void *__real_sodium_malloc(size_t size);
void __real_sodium_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *block);
void *__wrap_sodium_malloc(size_t size);
void __wrap_sodium_free(void *block);

enum {
    BLOCKS_MAX = 8,
    BEHIND = 0x5a
};

static int watching, asked, failing, held; /* failing: index of the failing one; 0: none */
static int overrun;                        /* blocks whose byte behind their end was written */
static struct {
    unsigned char *at;
    size_t size;
} blocks[BLOCKS_MAX];

static int may_allocate(void)
{
    return !watching || ++asked != failing;
}

static void *hold(void *block)
{
    held += watching && block != NULL;
    return block;
}

static void let_go(const void *block)
{
    held -= watching && block != NULL;
}

/* The one kind of block that the library writes itself: sodium_malloc() has guard pages. */
void *__wrap_malloc(size_t size)
{
    unsigned char *block;
    int i = 0;

    if (!watching)
        return __real_malloc(size);
    if (!may_allocate() || (block = __real_malloc(size + 1)) == NULL)
        return NULL;
    block[size] = BEHIND;
    while (i < BLOCKS_MAX - 1 && blocks[i].at != NULL)
        i++;
    blocks[i].at = block;
    blocks[i].size = size;
    return hold(block);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? hold(__real_calloc(count, size)) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
    if (!may_allocate())
        return NULL;
    let_go(old);
    return hold(__real_realloc(old, size));
}

void __wrap_free(void *block)
{
    for (int i = 0; watching && i < BLOCKS_MAX; i++) {
        if (block != NULL && blocks[i].at == block) {
            overrun += blocks[i].at[blocks[i].size] != BEHIND;
            blocks[i].at = NULL;
        }
    }
    let_go(block);
    __real_free(block);
}

void *__wrap_sodium_malloc(size_t size)
{
    return may_allocate() ? hold(__real_sodium_malloc(size)) : NULL;
}

void __wrap_sodium_free(void *block)
{
    let_go(block);
    __real_sodium_free(block);
}

/* Returns the code of the first failed step and releases all objects. Check allocates, too, so the
 * test asserts on `wrong` after the attempt. */
typedef int attempt(void);

static int wrong;
static struct delivery d;
static hookline_result accepted;

static int make_verifier(void)
{
    hookline_verifier *v = d.v;
    int code = hookline_verifier_new(&v, "standard", SECRET);

    wrong += (code == 0) != (v != NULL);
    hookline_verifier_free(&v);
    return code;
}

static int make_custom_verifier(void)
{
    hookline_verifier *v = d.v;
    char why[64] = "untouched";
    int code = hookline_verifier_new_custom(&v, "signature X; encoding hex; content {body}", SECRET,
                                            why, sizeof(why));

    wrong += (code == 0) != (v != NULL) || strcmp(why, "untouched") != 0;
    hookline_verifier_free(&v);
    return code;
}

static int add_secret(void)
{
    hookline_verifier *v = NULL;
    int code = hookline_verifier_new(&v, "foil", OTHER_SECRET);

    if (code == 0)
        code = hookline_verifier_add_secret(v, SECRET);
    if (v != NULL)
        wrong += hookline_verify(v, &d.req, NOW).secret != (code == 0 ? 1 : -1);
    hookline_verifier_free(&v);
    return code;
}

static int read_event(void)
{
    hookline_event *event = (hookline_event *)&d;
    int code = hookline_event_read(&event, d.v, &accepted);

    wrong += (code == 0) != (event != NULL);
    hookline_event_free(&event);
    return code;
}

/* An object of blanks. */
static int read_event_of_size(size_t size)
{
    static char body[8192];
    hookline_bytes payload = accepted.payload;
    int code;

    memset(body, ' ', sizeof(body));
    body[0] = '{', body[size - 1] = '}';
    accepted.payload = (hookline_bytes){body, size};
    code = read_event();
    accepted.payload = payload;
    return code;
}

/* The nesting of a longer payload is checked in memory of its own. */
static int read_short_event(void)
{
    return read_event_of_size(8191);
}

static int read_long_event(void)
{
    return read_event_of_size(8192);
}

/* Without memory no problem is known. */
static int find_problem(void)
{
    return hookline_secret_problem("signature X; encoding hex; content {body}", "") == NULL
               ? HOOKLINE_NO_MEMORY
               : 0;
}

static const struct {
    attempt *attempt;
    int allocations;
} attempts[] = {{make_verifier, 2},    {make_custom_verifier, 2}, {add_secret, 3},  {read_event, 1},
                {read_short_event, 1}, {read_long_event, 2},      {find_problem, 1}};

static int fail_allocation(attempt *try, int which)
{
    int code;

    asked = held = wrong = overrun = 0;
    failing = which;
    watching = 1;
    code = try();
    watching = 0;
    ck_assert_int_eq(held, 0);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(overrun, 0);
    return code;
}

START_TEST(whichever_allocation_fails_the_code_says_so_and_nothing_leaks)
{
    int which = 1;

    while (fail_allocation(attempts[_i].attempt, which) != 0)
        ck_assert_int_eq(fail_allocation(attempts[_i].attempt, which++), HOOKLINE_NO_MEMORY);
    ck_assert_int_eq(which - 1, attempts[_i].allocations);
    ck_assert_int_eq(asked, attempts[_i].allocations);
}
END_TEST

START_TEST(verifying_and_signing_allocate_nothing)
{
    hookline_signature s;
    hookline_result r;
    int code;

    delivery_free(&d);
    deliver(&d, hookline_scheme_at((size_t)_i)->name);
    asked = failing = 0;
    watching = 1;
    r = verify(&d);
    code = hookline_sign(d.v, &d.req, (hookline_bytes){"msg_1", 5}, NOW, &s);
    watching = 0;
    ck_assert(r.reason == HOOKLINE_VERIFIED && code == 0);
    ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(looking_up_allocates_nothing)
{
    const hookline_scheme *scheme = hookline_scheme_at((size_t)_i);
    hookline_event *event;
    hookline_bytes value;
    int code;

    delivery_free(&d);
    deliver(&d, scheme->name);
    asked = failing = 0;
    watching = 1;
    (void)hookline_delivery_id(d.v, &d.req);
    (void)hookline_find_in_list(&d.list, "x-other", &value);
    (void)hookline_verifier_key_bytes(d.v);
    code = hookline_verifier_set_tolerance(d.v, 1, 1);
    wrong = hookline_scheme_find(scheme->name) != scheme || hookline_scheme_find("none") != NULL;
    wrong += hookline_code_name(-1) == NULL || hookline_code_text(-1) == NULL;
    wrong += hookline_version() == NULL;
    wrong += hookline_event_read(&event, d.v, &(hookline_result){0}) != HOOKLINE_BAD_CALL;
    watching = 0;
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(refusing_allocates_nothing)
{
    delivery_free(&d);
    deliver(&d, hookline_scheme_at((size_t)_i)->name);
    set_body(&d, "{}");
    asked = failing = 0;
    watching = 1;
    (void)verdict(&d);
    d.list.count = 0;
    (void)verdict(&d);
    watching = 0;
    ck_assert_int_eq(asked, 0);
}
END_TEST

static void set_up(void)
{
    deliver(&d, "foil");
    accepted = verify(&d);
}

static void tear_down(void)
{
    watching = 0;
    delivery_free(&d);
}

Suite *suite(void)
{
    Suite *s = suite_create("no_memory");
    TCase *tc = tcase_create("no memory");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, whichever_allocation_fails_the_code_says_so_and_nothing_leaks, 0,
                        COUNT(attempts));
    tcase_add_loop_test(tc, verifying_and_signing_allocate_nothing, 0, (int)count_schemes());
    tcase_add_loop_test(tc, looking_up_allocates_nothing, 0, (int)count_schemes());
    tcase_add_loop_test(tc, refusing_allocates_nothing, 0, (int)count_schemes());
    suite_add_tcase(s, tc);
    return s;
}
