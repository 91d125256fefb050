/* SPDX-License-Identifier: MIT
 *
 * The main() of a program of Check tests: one TAP line for each test.
 */
#include <stdlib.h>

#include "tests/run.h"

int main(void)
{
    SRunner *runner;
    int failed;

    /* s; a sanitized program on a busy machine is slow, and Check would give it 4. */
    setenv("CK_DEFAULT_TIMEOUT", "120", 0);
    runner = srunner_create(suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
