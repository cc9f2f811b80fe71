echo 1 > f; tar -P --transform 's,^f,../../f,' -cf t.tar f
