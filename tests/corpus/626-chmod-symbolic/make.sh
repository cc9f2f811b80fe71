echo x > a; mkdir -p d/s; echo y > d/s/y; chmod 700 d/s; chmod 6711 d/s/y
