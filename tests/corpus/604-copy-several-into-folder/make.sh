echo 1 > a; echo 2 > b; mkdir sub; echo 3 > sub/c
