mkdir sub; echo hi > sub/a
