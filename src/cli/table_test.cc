#include "cli/table.h"

#include <doctest/doctest.h>

using mica::cli::align_columns;

TEST_CASE("columns are as wide as their widest cell plus three, at least ten") {
  CHECK(align_columns("TAG\tID\tSIZE\nlatest\t13f5052b0995\t4.42MB\n") == "TAG       ID             SIZE\nlatest    13f5052b0995   4.42MB\n");
}

TEST_CASE("a line without tabs ends the blocks of its neighbours") {
  CHECK(align_columns("aaaaaaaaaaaaaaa\tx\n\nb\ty\n") == "aaaaaaaaaaaaaaa   x\n\nb         y\n");
}

TEST_CASE("the last cell of a line is not aligned and may be empty") {
  CHECK(align_columns("A\tB\tC\n1\t2\t\n") == "A         B         C\n1         2         \n");
}

TEST_CASE("widths count characters, not bytes") {
  CHECK(align_columns("ééééééééé\tx\nabcdefghi\ty\n") == "ééééééééé   x\nabcdefghi   y\n");
}

TEST_CASE("text without cells stays as it is") {
  CHECK(align_columns("") == "");
  CHECK(align_columns("one\ntwo\n") == "one\ntwo\n");
}
