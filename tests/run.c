/* SPDX-License-Identifier: MIT
 *
 * main() of the Check suites: one TAP line for each test.
 */
#include <stdlib.h>

#include "tests/run.h"

int main(void)
{
    SRunner *runner;
    int failed;

    /* Check's default of 4 s is too short for a sanitized program on a busy machine. */
    setenv("CK_DEFAULT_TIMEOUT", "120", 0);
    runner = srunner_create(suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
