mkdir d; mkfifo -m 640 d/p; echo x > d/x
