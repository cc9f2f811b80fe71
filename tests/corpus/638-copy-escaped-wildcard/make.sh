echo 1 > 'sta*r'; echo 2 > 'sta-r'; echo 3 > '[x]'
