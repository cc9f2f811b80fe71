mkdir t; mknod t/n c 1 3; mkfifo t/p; echo 1 > t/f; setfattr -n user.a -v b t/f; find t -exec touch -d @1400000000 {} +; tar --xattrs --sort=name -C t -cf t.tar .; rm -r t
