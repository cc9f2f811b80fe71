printf 'FROM busybox:corpus\nCOPY . /c\n' > Special; printf 'a\n' > Special.dockerignore; printf 'b\n' > .dockerignore; echo 1 > a; echo 2 > b
