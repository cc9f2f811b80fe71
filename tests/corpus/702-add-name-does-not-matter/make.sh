echo 1 > f; touch -d @1400000000 f; tar -czf archive.txt f; echo not a tar > fake.tar.gz
