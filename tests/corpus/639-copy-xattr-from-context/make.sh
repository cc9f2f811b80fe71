echo 1 > a; setfattr -n user.mica -v value a
