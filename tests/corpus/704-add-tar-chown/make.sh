mkdir -p t/d; echo 1 > t/d/f; find t -exec touch -d @1400000000 {} +; tar -C t -cf t.tar d/f; rm -r t
