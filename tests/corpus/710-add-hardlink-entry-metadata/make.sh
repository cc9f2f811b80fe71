mkdir t; echo 1 > t/a; ln t/a t/b; find t -exec touch -d @1400000000 {} +; tar --sort=name -C t -cf t.tar a b; rm -r t
