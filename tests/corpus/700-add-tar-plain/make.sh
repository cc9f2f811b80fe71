mkdir -p t/d; echo 1 > t/d/f; ln -s f t/d/l; ln t/d/f t/h; chown -R 1000:50 t; chmod 4711 t/d/f; chmod 700 t/d; find t -exec touch -h -d @1400000000 {} +; tar --sort=name -C t -cf t.tar .; rm -r t
