mkdir d; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Type => 1, Local => "d/s", Listen => 1)'; echo x > d/x
