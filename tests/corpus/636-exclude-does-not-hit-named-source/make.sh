echo 1 > a.md; echo 2 > b.md
