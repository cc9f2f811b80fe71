mkdir t; echo 1 > t/f; touch -d @1400000000 t/f t; for c in gz:z bz:j xz:J; do tar --sort=name -C t -c${c#*:}f t.t${c%:*} f; done; tar --sort=name -C t -cf - f | zstd -q > t.tzst; rm -r t
