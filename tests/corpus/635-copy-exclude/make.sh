echo 1 > a.md; echo 2 > keep.md; echo 3 > x; mkdir -p d/s; echo 4 > d/s/y; echo 5 > d/z.md
