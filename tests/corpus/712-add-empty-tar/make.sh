tar -cf t.tar -T /dev/null
