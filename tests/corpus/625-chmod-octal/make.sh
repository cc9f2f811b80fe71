echo x > a; mkdir -p d/s; echo y > d/s/y; ln -s y d/s/l; ln -s a l
