for n in 1 2; do echo $n > f$n; touch -d @1400000000 f$n; tar -cf t$n.tar f$n; rm f$n; done
