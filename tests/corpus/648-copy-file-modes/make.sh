mkdir d; for m in 000 400 755 1644 2755 4755 666; do echo $m > d/$m; chmod $m d/$m; done; mkdir d/dir; chmod 3770 d/dir
