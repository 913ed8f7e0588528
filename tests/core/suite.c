/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/suite.h"

#include <stdlib.h>

int suite_run(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    for (; *tests; tests++)
        tcase_add_test(all, *tests);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
