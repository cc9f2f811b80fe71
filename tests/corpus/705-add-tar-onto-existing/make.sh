mkdir -p t/d; chmod 711 t/d; echo 1 > t/d/f; find t -exec touch -d @1400000000 {} +; tar --sort=name -C t -cf t.tar d; rm -r t
