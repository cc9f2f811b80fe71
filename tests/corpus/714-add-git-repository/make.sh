mkdir repo.git; echo 1 > repo.git/a
