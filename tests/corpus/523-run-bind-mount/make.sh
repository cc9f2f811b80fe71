echo x > a; mkdir sub; echo y > sub/b
