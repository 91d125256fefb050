/* SPDX-License-Identifier: MIT
 *
 * The main() of a program of Check tests: one TAP line for each test.
 */
#include <stdlib.h>

#include "run.h"

int main(void)
{
    SRunner *runner = srunner_create(suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
