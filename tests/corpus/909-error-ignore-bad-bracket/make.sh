printf '[a\n' > .dockerignore; echo 1 > a
