printf 'README\n' > .dockerignore; echo 1 > README; echo 2 > readme
