for f in a.txt b.txt x.txt a.md xx.md; do echo $f > $f; done; mkdir -p dir/s1 dir/s2 dor; echo 1 > dir/s1/f; echo 2 > dir/s2/f; echo 3 > dor/o; echo 4 > dir/top
