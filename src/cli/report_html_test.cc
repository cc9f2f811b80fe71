#include "cli/report_html.h"

#include <doctest/doctest.h>

using namespace mica::cli;

TEST_CASE("nothing of a text can become markup") {
  CHECK(escaped("<b a=\"x\">&amp;</b>") == "&lt;b a=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;");
  CHECK(escaped("ä€😀") == "ä€😀");
  CHECK(escaped(std::string_view("a\0b\n\x1b[31m\x7f", 10)) == "a\u2400b\u240a\u241b[31m\u2421");
  // A byte of its own, overlong forms, a surrogate, beyond the last code point, cut short.
  CHECK(escaped("\xff") == "\ufffd");
  CHECK(escaped("\xc0\xbc") == "\ufffd\ufffd");
  CHECK(escaped("\xe0\x80\xbc") == "\ufffd\ufffd\ufffd");
  CHECK(escaped("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");
  CHECK(escaped("\xf4\x90\x80\x80") == "\ufffd\ufffd\ufffd\ufffd");
  CHECK(escaped("x\xe2\x82") == "x\ufffd\ufffd");
  CHECK(escaped("\xe2\x82<") == "\ufffd\ufffd&lt;");
}

TEST_CASE("links to paths hold nothing but what addresses may") {
  CHECK(path_link("/usr/lib/@x/a+b-1.0_~") == "#path=/usr/lib/@x/a+b-1.0_~");
  CHECK(path_link("/a b\"<%?#é") == "#path=/a%20b%22%3C%25%3F%23%C3%A9");
  CHECK(path_link("/\xff") == "#path=/%EF%BF%BD");
}

TEST_CASE("rows come with the labels of their columns, groups apart, and notes at the end") {
  HtmlTable table("t", "A & B", {{"Bytes", HtmlTable::Align::number}, {"Path", HtmlTable::Align::wide, false}});
  table.group("base");
  table.row({{"1kB", 1000}, {code("/x")}}, " id=\"r\"");
  table.group("own");
  table.row({{""}, {""}});
  table.note("and 2 more");
  CHECK(table.str() ==
        "<table id=\"t\" class=\"list\"><caption>A &amp; B</caption><thead><tr><th scope=\"col\" class=\"num\">Bytes</th><th scope=\"col\" class=\"wide\" data-plain>Path</th></tr></thead>"
        "<tbody class=\"base\"><tr id=\"r\"><td class=\"num\" data-label=\"Bytes\" data-v=\"1000\">1kB</td><td class=\"wide\" data-label=\"Path\"><code>/x</code></td></tr>\n"
        "</tbody><tbody class=\"own\"><tr><td class=\"num\" data-label=\"Bytes\"></td><td class=\"wide\" data-label=\"Path\"></td></tr>\n</tbody>"
        "<tfoot><tr><td colspan=\"2\">and 2 more</td></tr></tfoot></table>\n");
}

TEST_CASE("a part of a bar that is there is seen") {
  CHECK(bar(0.5, {{0.25, "live"}, {0, "dead"}}, "x").find("x=\"50.00%\" width=\"25.00%\"") != std::string::npos);
  CHECK(bar(0, {{0.0001, "live"}}, "x").find("width=\"0.40%\"") != std::string::npos);
  CHECK(bar(0, {{0, "dead"}}, "x").find("<rect") == std::string::npos);
}
