mkdir d; echo 1 > f; touch -d @1400000000 f; tar --owner=0 --group=0 --mtime=@1400000000 -cf d/t.tar f
