mkdir d; echo x > d/f; chown -R 1234:5678 d
