head -c 100000 /dev/zero > f; tar -cf full f; head -c 20000 full > t.tar; rm full f
