mkdir -p x/s y; echo 1 > x/a.txt; echo 2 > y/b.txt; echo 3 > x/s/c.txt; chmod 750 x
