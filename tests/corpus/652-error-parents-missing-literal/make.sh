mkdir x; echo 1 > x/a.txt
