/* SPDX-License-Identifier: MIT
 *
 * The growing buffer: bytes, texts and single characters, its limit, and out of memory.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buffer.h"
#include "tests/run.h"

/* The linker replaces realloc() by __wrap_realloc() in Check, too: assert only with memory. */
static bool has_memory = true;
static int reallocs;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
    reallocs++;
    return has_memory ? __real_realloc(old, size) : NULL;
}

START_TEST(bytes_texts_and_characters_stand_one_after_the_other)
{
    struct buffer buffer = {0};

    ck_assert(buffer_append(&buffer, "a\0b", 3));
    ck_assert(buffer_append_text(&buffer, "cd"));
    ck_assert(buffer_append_char(&buffer, 'e'));
    ck_assert(buffer_append_text(&buffer, ""));
    ck_assert_uint_eq(buffer.len, 6);
    ck_assert_mem_eq(buffer_text(&buffer), "a\0bcde", 7);
    ck_assert_int_eq(buffer.failure, BUFFER_NO_FAILURE);
    buffer_free(&buffer);
    ck_assert_ptr_null(buffer.base);
    ck_assert_uint_eq(buffer.len + buffer.size, 0);
}
END_TEST

START_TEST(an_empty_buffer_is_an_empty_text)
{
    struct buffer buffer = {0};

    ck_assert_str_eq(buffer_text(&buffer), "");
    ck_assert_uint_eq(buffer.len, 0);
    buffer_free(&buffer);
}
END_TEST

START_TEST(a_million_bytes_take_a_few_allocations)
{
    struct buffer buffer = {0};

    reallocs = 0;
    for (int i = 0; i < 1000000; i++)
        buffer_append_char(&buffer, (char)('a' + i % 26));
    ck_assert_int_le(reallocs, 13);
    ck_assert_uint_eq(buffer.len, 1000000);
    for (size_t i = 0; i < buffer.len; i++)
        ck_assert_int_eq(buffer.base[i], 'a' + (int)(i % 26));
    buffer_free(&buffer);
}
END_TEST

START_TEST(what_was_reserved_is_there_with_a_byte_for_the_nul)
{
    struct buffer buffer = {0};

    for (size_t more = 0; more < 600; more += 37) {
        char *to = buffer_reserve(&buffer, more), *text;

        ck_assert_ptr_nonnull(to);
        memset(to, 'x', more);
        buffer.len += more;
        has_memory = false;
        text = buffer_text(&buffer);
        has_memory = true;
        ck_assert_uint_eq(strlen(text), buffer.len);
    }
    buffer_free(&buffer);
}
END_TEST

START_TEST(the_maximum_fits_and_a_byte_more_does_not)
{
    static const char bytes[1001] = "anything";
    struct buffer buffer = {.max = 1000};

    for (int i = 0; i < 10; i++)
        ck_assert(buffer_append(&buffer, bytes, 100));
    ck_assert_uint_le(buffer.size, 1001);
    ck_assert_ptr_nonnull(buffer_text(&buffer));
    ck_assert(!buffer_append_char(&buffer, 'x'));
    ck_assert_int_eq(buffer.failure, BUFFER_TOO_LONG);
    ck_assert_uint_eq(buffer.len, 1000);
    buffer_free(&buffer);
    ck_assert(!buffer_append(&buffer, bytes, sizeof(bytes))); /* the limit stays */
    ck_assert_int_eq(buffer.failure, BUFFER_TOO_LONG);
}
END_TEST

/* Lengths of appends that fail for lack of memory. */
static const size_t lengths[] = {1000, SIZE_MAX / 2, SIZE_MAX - 3, SIZE_MAX};

START_TEST(without_memory_the_failure_stays_and_so_do_the_bytes)
{
    struct buffer buffer = {0};
    char *to;

    ck_assert(buffer_append_text(&buffer, "kept"));
    has_memory = false;
    to = buffer_reserve(&buffer, lengths[_i]);
    has_memory = true;
    ck_assert_ptr_null(to);
    ck_assert_int_eq(buffer.failure, BUFFER_NO_MEMORY);
    ck_assert(!buffer_append_char(&buffer, 'x')); /* despite free space */
    ck_assert(!buffer_append_text(&buffer, ""));
    ck_assert_ptr_null(buffer_text(&buffer));
    ck_assert_ptr_null(buffer_take(&buffer));
    ck_assert_uint_eq(buffer.len, 4);
    ck_assert_mem_eq(buffer.base, "kept", 4);
    buffer_free(&buffer);
    ck_assert_int_eq(buffer.failure, BUFFER_NO_FAILURE);
}
END_TEST

START_TEST(the_first_allocation_may_fail_too)
{
    struct buffer buffer = {0};
    const char *text;

    has_memory = false;
    text = buffer_text(&buffer);
    has_memory = true;
    ck_assert_ptr_null(text);
    ck_assert(!buffer_append_text(&buffer, "x"));
    ck_assert_ptr_null(buffer.base);
    ck_assert_int_eq(buffer.failure, BUFFER_NO_MEMORY);
    buffer_free(&buffer);
}
END_TEST

START_TEST(a_buffer_that_was_cut_takes_more_after_a_failure)
{
    struct buffer buffer = {0};
    const char *before;

    ck_assert(buffer_append_text(&buffer, "first "));
    ck_assert(buffer_append_text(&buffer, "second"));
    ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX));
    buffer_truncate(&buffer, 6);
    ck_assert(buffer_append_text(&buffer, "third, and longer"));
    ck_assert_str_eq(buffer_text(&buffer), "first third, and longer");
    before = buffer.base;
    buffer_truncate(&buffer, 0);
    ck_assert(buffer_append_text(&buffer, "in the same memory"));
    ck_assert_ptr_eq(buffer.base, before);
    buffer_free(&buffer);
}
END_TEST

START_TEST(memory_that_was_taken_is_the_callers)
{
    struct buffer buffer = {.max = 10};
    char *first, *second;

    buffer_append_text(&buffer, "first");
    first = buffer_take(&buffer);
    ck_assert_uint_eq(buffer.len, 0);
    second = buffer_take(&buffer);
    ck_assert_str_eq(first, "first");
    ck_assert_str_eq(second, "");
    ck_assert(!buffer_append_text(&buffer, "eleven char")); /* the limit stays */
    free(first);
    free(second);
    buffer_free(&buffer);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("buffer");
    TCase *c = tcase_create("buffer");

    tcase_add_test(c, bytes_texts_and_characters_stand_one_after_the_other);
    tcase_add_test(c, an_empty_buffer_is_an_empty_text);
    tcase_add_test(c, a_million_bytes_take_a_few_allocations);
    tcase_add_test(c, what_was_reserved_is_there_with_a_byte_for_the_nul);
    tcase_add_test(c, the_maximum_fits_and_a_byte_more_does_not);
    tcase_add_loop_test(c, without_memory_the_failure_stays_and_so_do_the_bytes, 0, COUNT(lengths));
    tcase_add_test(c, the_first_allocation_may_fail_too);
    tcase_add_test(c, a_buffer_that_was_cut_takes_more_after_a_failure);
    tcase_add_test(c, memory_that_was_taken_is_the_callers);
    suite_add_tcase(s, c);
    return s;
}
