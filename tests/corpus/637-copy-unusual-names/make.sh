mkdir d; echo 1 > "d/with blank"; echo 2 > "d/quote\"s'"; echo 3 > 'd/back\slash'; echo 5 > d/ünï; echo 6 > d/-dash; echo 7 > 'd/$var'; echo 8 > 'd/star*'
