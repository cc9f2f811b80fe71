echo 0 > x; mkdir -p a/b; echo 1 > a/x; echo 2 > a/b/x
