echo conf > a
