echo x > a; chmod 4751 a; touch -d @1234567890.123456789 a
