echo x > a
