echo x > a; mkdir -p d/s; echo y > d/s/y
