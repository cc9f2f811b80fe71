echo 1 > a; mkdir d; echo 2 > d/b
