/* SPDX-License-Identifier: MIT
 *
 * libsodium aborts a program without a source of randomness, so the library asks for one first. The
 * kernel's answers are those of the test. no_crypto.c asks a real kernel.
 */
#include "lib/randomness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <hookline.h>

#include "tests/run.h"

ssize_t __wrap_getrandom(void *buffer, size_t len, unsigned flags);
int __wrap_open(const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *about);
int __wrap_close(int fd);
int __wrap_sodium_init(void);
int __real_open(const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *about);
int __real_close(int fd);
int __real_sodium_init(void);

static struct {
    int random_error; /* of getrandom(), or 0 */
    int open_error;
    int fd;
    int stat_error;
    mode_t mode;
} kernel;

static bool asking;        /* the library asks; else the program itself, such as a coverage count */
static int opened, closed; /* calls */
static int started;        /* result of sodium_init(), which has been called before */

/* Fails, or gives the bytes that are wanted: without waiting, and no more than one. */
ssize_t __wrap_getrandom(void *buffer, size_t len, unsigned flags)
{
    ck_assert(len == 1 && flags == GRND_NONBLOCK);
    errno = kernel.random_error;
    memset(buffer, 0, len);
    return kernel.random_error != 0 ? -1 : (ssize_t)len;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list more;
    int mode;

    va_start(more, flags);
    mode = va_arg(more, int);
    va_end(more);
    if (!asking)
        return __real_open(path, flags, mode);
    ck_assert_str_eq(path, "/dev/urandom");
    ck_assert_int_eq(flags, O_RDONLY | O_CLOEXEC);
    opened++;
    errno = kernel.open_error;
    return kernel.open_error != 0 ? -1 : kernel.fd;
}

int __wrap_fstat(int fd, struct stat *about)
{
    if (!asking)
        return __real_fstat(fd, about);
    ck_assert_int_eq(fd, kernel.fd);
    *about = (struct stat){.st_mode = kernel.mode};
    errno = kernel.stat_error;
    return kernel.stat_error != 0 ? -1 : 0;
}

int __wrap_sodium_init(void)
{
    return started;
}

int __wrap_close(int fd)
{
    if (!asking)
        return __real_close(fd);
    ck_assert_int_eq(fd, kernel.fd);
    closed++;
    return 0;
}

static const struct {
    int random_error, open_error, fd, stat_error;
    mode_t mode;
    bool exists;
    int opened;
} answers[] = {
    {0, 0, 7, 0, 0, true, 0},
    {EAGAIN, 0, 7, 0, 0, true, 0}, /* the kernel still gathers */
    {EINTR, 0, 7, 0, 0, true, 0},
    {ENOSYS, 0, 7, 0, S_IFCHR, true, 1},
    {EPERM, 0, 0, 0, S_IFCHR, true, 1},
    {EPERM, 0, 1, 0, S_IFCHR, true, 1},
    {EPERM, 0, 7, 0, S_IFREG, false, 1},
    {EPERM, 0, 7, EIO, S_IFCHR, false, 1},
    {EPERM, 0, 7, EIO, S_IFREG, false, 1},
    {EPERM, ENOENT, 7, 0, S_IFCHR, false, 1},
};

START_TEST(randomness_comes_from_the_kernel_or_from_its_device)
{
    bool exists;

    opened = closed = 0;
    kernel.random_error = answers[_i].random_error;
    kernel.open_error = answers[_i].open_error;
    kernel.fd = answers[_i].fd;
    kernel.stat_error = answers[_i].stat_error;
    kernel.mode = answers[_i].mode;
    asking = true;
    exists = hookline_randomness_exists();
    asking = false;
    ck_assert_int_eq(exists, answers[_i].exists);
    ck_assert_int_eq(opened, answers[_i].opened);
    ck_assert_int_eq(closed, opened == 1 && kernel.open_error == 0 ? 1 : 0);
}
END_TEST

static void start_libsodium(void)
{
    __real_sodium_init();
}

static const struct {
    int started; /* result of sodium_init() */
    int code;
} starts[] = {{-1, HOOKLINE_NO_CRYPTO}, {0, 0}, {1, 0}};

START_TEST(without_libsodium_no_verifier_is_made_and_no_problem_is_known)
{
    const char *description = "signature X; encoding hex; content {body}";
    hookline_verifier *v = NULL;

    kernel.random_error = 0;
    started = starts[_i].started;
    ck_assert_int_eq(hookline_verifier_new_custom(&v, description, "s", NULL, 0), starts[_i].code);
    ck_assert_int_eq(v != NULL, starts[_i].code == 0);
    ck_assert_int_eq(hookline_secret_problem(description, "") != NULL, starts[_i].code == 0);
    hookline_verifier_free(&v);
}
END_TEST

START_TEST(without_randomness_no_verifier_is_made_and_no_problem_is_known)
{
    const char *description = "signature X; encoding hex; content {body}";
    hookline_verifier *v = NULL;
    const char *problem;
    int code;

    kernel.random_error = EPERM;
    kernel.open_error = EPERM;
    started = 1;
    asking = true;
    code = hookline_verifier_new_custom(&v, description, "s", NULL, 0);
    problem = hookline_secret_problem(description, "");
    asking = false;
    ck_assert_int_eq(code, HOOKLINE_NO_CRYPTO);
    ck_assert_ptr_null(problem);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("randomness");
    TCase *tc = tcase_create("randomness");

    tcase_add_unchecked_fixture(tc, start_libsodium, NULL);
    tcase_add_loop_test(tc, randomness_comes_from_the_kernel_or_from_its_device, 0, COUNT(answers));
    tcase_add_loop_test(tc, without_libsodium_no_verifier_is_made_and_no_problem_is_known, 0,
                        COUNT(starts));
    tcase_add_test(tc, without_randomness_no_verifier_is_made_and_no_problem_is_known);
    suite_add_tcase(s, tc);
    return s;
}
