/* SPDX-License-Identifier: MIT
 *
 * In a sandbox without a source of randomness a verifier cannot be made, and nothing aborts: the
 * kernel refuses getrandom() and every open().
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hookline.h>

#include "tests/run.h"

#define REFUSE(call)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1),                                        \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* Returns false where the kernel has no seccomp. */
static bool enter_sandbox(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(getrandom),
        REFUSE(openat),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {COUNT(filter), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Ends the process at once, because a sanitizer would open files at its end. */
START_TEST(without_randomness_no_verifier_is_made)
{
    hookline_verifier *v = (hookline_verifier *)1;
    int code;

    if (!enter_sandbox())
        _exit(0);
    code = hookline_verifier_new(&v, "foil", "whsec_test");
    _exit(code == HOOKLINE_NO_CRYPTO && v == NULL ? 0 : 1);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("no crypto");
    TCase *tc = tcase_create("no crypto");

    tcase_add_exit_test(tc, without_randomness_no_verifier_is_made, 0);
    suite_add_tcase(s, tc);
    return s;
}
