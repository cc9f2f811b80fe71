mkdir -p d/sub; echo 1 > f; echo 2 > d/sub/y; echo 3 > z; mkdir in; echo 4 > in/i; tar --owner=3 --group=4 --numeric-owner --no-recursion -cf t.tar z in/i; rm -r in z
