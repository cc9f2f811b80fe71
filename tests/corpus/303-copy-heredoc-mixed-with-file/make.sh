echo from file > a
