mkdir d; echo 1 > d/a; echo 2 > d/b; ln -s a d/l; touch -d @0 d/a; touch -d @1000000000.5 d/b; touch -h -d @900000000 d/l
