mkdir c; echo hi > c/a; ln -s a c/l; printf 'FROM busybox:corpus\nCOPY . /d/\n' > c/Dockerfile
find c -exec touch -h -d @1500000000 {} +; tar -C c --sort=name --owner=7 --group=8 --numeric-owner -czf in.tgz .; rm -r c
