#include <doctest/doctest.h>

#include "cli/inspect_format.h"
#include "cli/list_format.h"
#include "cli/template.h"

using namespace mica;
using namespace mica::cli;

namespace {

/// As docker 28.5 inspects an imported image.
constexpr std::string_view kImage = R"({
 "Id": "sha256:b554aa00169d38d6c77a0d089dfc2f4a78f307e8f55dc1bb97ee3d4bc094a375",
 "RepoTags": ["127.0.0.1:5000/library/alpine:3.20", "alpine:3.20"],
 "RepoDigests": ["127.0.0.1:5000/library/alpine@sha256:e325"],
 "Parent": "", "Comment": "Imported from -", "Created": "2026-11-24T16:13:12.315031854Z", "DockerVersion": "28.5.2+dfsg4",
 "Author": "", "Architecture": "amd64", "Os": "linux", "Size": 7797760,
 "GraphDriver": {"Data": {"MergedDir": "/m", "UpperDir": "/u"}, "Name": "overlay2"},
 "RootFS": {"Type": "layers", "Layers": ["sha256:1bcc"]},
 "Metadata": {"LastTagTime": "2026-11-24T16:13:16.455418485Z"},
 "Config": {"Cmd": ["/bin/sh"], "Entrypoint": null, "Env": null, "Labels": null, "OnBuild": null, "User": "", "Volumes": null, "WorkingDir": ""}
})";

std::string inspect(std::string_view text) {
  auto parsed = Template::parse(text);
  if (!parsed) return "E " + parsed.error().message();
  auto line = inspect_line(*parsed, *json::parse(kImage), Inspected::image);
  if (!line) return "E " + line.error().message().substr(sizeof("template parsing error: ") - 1);
  return *line;
}

std::string run(std::string_view text, std::string_view data) {
  auto parsed = Template::parse(text);
  if (!parsed) return "E " + parsed.error().message();
  std::string out;
  auto done = parsed->execute(*json::parse(data), {}, out);
  return done ? out : "E " + done.error().message();
}

struct Case {
  std::string_view text, expected;
};

// What `docker inspect -f TEXT alpine:3.20` of Docker 28.5.2 printed.
constexpr Case kInspect[] = {
    {"{{.RootFS}}", "{layers [sha256:1bcc]}"},
    {"{{.Config.Labels}}", "map[]"},
    {"{{json .Config.Labels}}", "null"},
    {"{{index .Config.Labels \"x\"}}", ""},
    {"{{.Id}} {{index .Config.Labels \"x\"}}|{{.Config.Labels}}", "E template: :1:10: executing \"\" at <index .Config.Labels \"x\">: error calling index: index of untyped nil"},
    {"{{.Foo}}", "E template: :1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""},
    {"{{.Config.Foo}}", "E template: :1:9: executing \"\" at <.Config.Foo>: map has no entry for key \"Foo\""},
    {"{{.Config.Healthcheck}}", "<nil>"},
    {"{{.Config.Healthcheck.Test}}", "E template: :1:9: executing \"\" at <.Config.Healthcheck.Test>: map has no entry for key \"Healthcheck\""},
    {"{{foo}}", "E template: :1: function \"foo\" not defined"},
    {"{{if}}", "E template: :1: missing value for if"},
    {"{{.Id", "E template: :1: unclosed action"},
    {"{{.Id}", "E template: :1: bad character U+007D '}'"},
    {"{{end}}", "E template: :1: unexpected {{end}}"},
    {"{{if .Id}}", "E template: :1: unexpected EOF"},
    {"{{$x}}", "E template: :1: undefined variable \"$x\""},
    {"{{\"abc}}", "E template: :1: unterminated quoted string"},
    {"{{#}}", "E template: :1: unexpected \"#\" in command"},
    {"{{printf \"%d %s\" \"a\" 3}}", "%!d(string=a) %!s(int=3)"},
    {"{{printf \"%d\"}}", "%!d(MISSING)"},
    {"{{printf \"x\" 1 \"a\"}}", "x%!(EXTRA int=1, string=a)"},
    {"{{.Size}} {{printf \"%v %5.1f\" .Created 3.14}}", "7797760 2026-11-24T16:13:12.315031854Z   3.1"},
    {"{{.Id | }}", "sha256:b554aa00169d38d6c77a0d089dfc2f4a78f307e8f55dc1bb97ee3d4bc094a375"},
    {"{{index .RepoTags 5}}", "E template: :1:2: executing \"\" at <index .RepoTags 5>: error calling index: index out of range: 5"},
    {"{{len .RepoTags}} {{len .Foo}}", "E template: :1:24: executing \"\" at <.Foo>: map has no entry for key \"Foo\""},
    {"{{slice .Id 0 12}}", "sha256:b554a"},
    {"{{lt 1 \"a\"}}", "E template: :1:2: executing \"\" at <lt 1 \"a\">: error calling lt: incompatible types for comparison: int and string"},
    {"{{range $i,$e := .RepoTags}}{{$i}}={{$e}};{{end}}", "0=127.0.0.1:5000/library/alpine:3.20;1=alpine:3.20;"},
    {"{{.Architecture.Foo}}", "E template: :1:15: executing \"\" at <.Architecture.Foo>: can't evaluate field Foo in type interface {}"},
    {"{{call 3}}", "E template: :1:2: executing \"\" at <call 3>: error calling call: non-function 3 of type int"},
    {"{{1.0}} {{1e6}} {{0x10}} {{1e30}} {{'a'}}", "1 1e+06 16 1e+30 97"},
    {"{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3"},
    {"{{break}}", "E template: :1: {{break}} outside {{range}}"},
    {"{{define \"x\"}}X{{.}}{{end}}{{template \"x\" 5}}", "X5"},
    {"{{template \"y\"}}", "E template: :1:11: executing \"\" at <{{template \"y\"}}>: template \"y\" not defined"},
    {"{{123456789.0}} {{21e-5}} {{1e-5}}", "1.23456789e+08 0.00021 1e-05"},
    {"{{title \"hello wOrld\"}}", "Hello WOrld"},
    {"{{html \"<a href=\\\"x\\\">'&\"}}", "&lt;a href=&#34;x&#34;&gt;&#39;&amp;"},
    {"{{js \"a<b>\\\"\\n'é\"}}", "a\\u003Cb\\u003E\\\"\\u000A\\'é"},
    {"{{urlquery \"a b&c/é\"}}", "a+b%26c%2F%C3%A9"},
    {"{{split \"a,b\" \",\"}} {{join .RepoTags \";\"}} {{pad \"x\" 1 2}}| {{truncate \"hello\" 3}}", "[a b] 127.0.0.1:5000/library/alpine:3.20;alpine:3.20  x  | hel"},
    {"{{join 3 \",\"}}", "E template: :1:7: executing \"\" at <3>: can't handle 3 for arg of type []string"},
    {"{{lower 3}}", "E template: :1:8: executing \"\" at <3>: expected string; found 3"},
    {"{{lower}}", "E template: :1:2: executing \"\" at <lower>: wrong number of args for lower: want 1 got 0"},
    {"{{index}}", "E template: :1:2: executing \"\" at <index>: wrong number of args for index: want at least 1 got 0"},
    {"{{len 3}}", "E template: :1:2: executing \"\" at <len 3>: error calling len: len of type int"},
    {"{{.Id \"a\"}}", "E template: :1:2: executing \"\" at <.Id>: Id is not a method but has arguments"},
    {"{{.Author \"a\"}}", "E template: :1:2: executing \"\" at <.Author>: Author is not a method but has arguments"},
    {"{{\"a\" | printf \"%s %s\" \"b\"}}", "b a"},
    {"{{3 \"a\"}}", "E template: :1:2: executing \"\" at <3>: can't give argument to non-function 3"},
    {"{{nil}}", "E template: :1:2: executing \"\" at <nil>: nil is not a command"},
    {"{{nil | print}}", "E template: :1:2: executing \"\" at <nil>: nil is not a command"},
    {"{{range 3}}{{.}}{{end}}{{range \"ab\"}}{{.}}{{end}}", "E template: :1:31: executing \"\" at <\"ab\">: range can't iterate over ab"},
    {"{{with $x := 3}}{{$x}}{{else}}b{{end}}", "3"},
    {"{{range $i := .Foo}}x{{end}}", "E template: :1:14: executing \"\" at <.Foo>: map has no entry for key \"Foo\""},
    {"{{range 3}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{end}}", "02"},
    {"{{printf \"%x %X %q %c %U %08.3f|%-5s|%5s|%05d|%+d|%t|%v\" \"hi\" 255 \"a\\\"b\" 65 65 3.14159 \"a\" \"b\" 42 5 true nil}}",
     "6869 FF \"a\\\"b\" A U+0041 0003.142|a    |    b|00042|+5|true|<nil>"},
    {"{{eq 1 1.0}}", "E template: :1:2: executing \"\" at <eq 1 1.0>: error calling eq: incompatible types for comparison: int and float64"},
    {"{{eq \"a\" \"b\" \"a\"}} {{ne 1 2}} {{and 1 0 2}} {{or 0 \"\" \"x\"}} {{not 0}}", "true true 0 x true"},
    {"{{json .RootFS}} {{json \"<a>\"}} {{json nil}}", "{\"Type\":\"layers\",\"Layers\":[\"sha256:1bcc\"]} \"<a>\" null"},
    {"{{slice \"abc\" 1}} {{slice \"abc\" 5}}", "E template: :1:20: executing \"\" at <slice \"abc\" 5>: error calling slice: index out of range: 5"},
    {"{{printf \"%s %d\" .RepoTags .RepoTags}}",
     "[127.0.0.1:5000/library/alpine:3.20 alpine:3.20] [%!d(string=127.0.0.1:5000/library/alpine:3.20) %!d(string=alpine:3.20)]"},
    {"{{index .Config.Cmd 0 1}}", "98"},
    {"{{index .Config.Cmd \"a\"}}", "E template: :1:2: executing \"\" at <index .Config.Cmd \"a\">: error calling index: cannot index slice/array with type string"},
    {"{{if not .Config.Env}}none{{else if 1}}x{{else}}y{{end}}", "none"},
    {"{{(index .RepoTags 0).Foo}}", "E template: :1:19: executing \"\" at <0>: can't evaluate field Foo in type string"},
    {"{{/* c */}}a  {{- 1 -}}  b", "a1b"},
    {"{{call \"x\"}}", "E template: :1:2: executing \"\" at <call \"x\">: error calling call: non-function \"x\" of type string"},
    {"a{{\"\\u00e9\\x41\\t\"}}`", "aéA\t`"},
    {"{{printf \"%T %T %T %T\" 1 \"a\" 2.5 .RepoTags}}", "int string float64 []string"},
    {"{{1 | 2}}", "E template: :1: non executable command in pipeline stage 2"},
    {"{{block \"a\" 3}}[{{.}}]{{end}}", "[3]"},
    {"{{else}}", "E template: :1: unexpected {{else}}"},
    {"{{if 1}}{{else}}{{else}}{{end}}", "E template: :1: expected end; found {{else}}"},
    {"{{\"a\"}}}}", "a}}"},
    {"{{(1}}", "E template: :1: unclosed left paren"},
    {"{{)}}", "E template: :1: unexpected right paren"},
    {"{{/* a", "E template: :1: unclosed comment"},
    {"{{$x := 1}}{{$x = 2}}{{$x}}", "2"},
    {"{{.Id.}}", "E template: :1: unexpected <.> in operand"},
    {"{{template}}", "E template: :1: unexpected \"}}\" in template clause"},
    {"{{define \"a\"}}", "E template: :1: unexpected EOF"},
    {"{{range}}", "E template: :1: missing value for range"},
    {"{{.Config.Cmd.Foo}}", "E template: :1:9: executing \"\" at <.Config.Cmd.Foo>: can't evaluate field Foo in type interface {}"},
    {"{{println 1 2}}", "1 2\n"},
    {"{{and}}", "E template: :1:2: executing \"\" at <and>: wrong number of args for and: want at least 1 got 0"},
    {"{{not}}", "E template: :1:2: executing \"\" at <not>: wrong number of args for not: want 1 got 0"},
    {"{{eq 1}}", "E template: :1:2: executing \"\" at <eq 1>: error calling eq: missing argument for comparison"},
    {"{{index 3 1}}", "E template: :1:2: executing \"\" at <index 3 1>: error calling index: can't index item of type int"},
    {"{{1.2.3}}", "E template: :1: unexpected \".3\" in operand"},
    {"{{\"a\" \"b\"}}", "E template: :1:2: executing \"\" at <\"a\">: can't give argument to non-function \"a\""},
    {"{{gt 1.5 1}}", "E template: :1:2: executing \"\" at <gt 1.5 1>: error calling gt: incompatible types for comparison: float64 and int"},
    {"{{lt \"a\" \"b\"}} {{ge 2 2}}", "true true"},
    {"{{\"a\".b}}", "E template: :1: unexpected . after term \"\\\"a\\\"\""},
    {"{{3x}}", "E template: :1: bad number syntax: \"3x\""},
    {"{{:}}", "E template: :1: expected :="},
    {"{{with .Config}}{{.User}}{{len .Cmd}}{{end}}", "1"},
    {"{{if .Config.Labels}}y{{else}}n{{end}}", "n"},
    {"{{.Created.Foo}}", "E template: :1:10: executing \"\" at <.Created.Foo>: can't evaluate field Foo in type interface {}"},
    {"{{json (index .RepoTags 0)}}", "\"127.0.0.1:5000/library/alpine:3.20\""},
    {"{{index (split .Id \":\") 1}}", "b554aa00169d38d6c77a0d089dfc2f4a78f307e8f55dc1bb97ee3d4bc094a375"},
    {"{{break", "E template: :1: unclosed action"},
    {"{{end", "E template: :1: unclosed action"},
    {"{{.ID}}", "sha256:b554aa00169d38d6c77a0d089dfc2f4a78f307e8f55dc1bb97ee3d4bc094a375"},
    {"{{printf \"%.12s\" .ID}}", "sha256:b554a"},
    {"{{.Descriptor}}|{{.Variant}}|{{.Config.StopSignal}}", "<nil>||"},
};

}  // namespace

TEST_CASE("inspect templates print what Docker prints") {
  for (const Case& c : kInspect) {
    CAPTURE(c.text);
    CHECK(inspect(c.text) == c.expected);
  }
}

TEST_CASE("plain maps show missing keys as no value and keep keys sorted") {
  CHECK(run("{{.x}} {{.x.y}} {{.n}}", R"({"n":null})") == "<no value> <no value> <no value>");
  CHECK(run("{{.}}", R"({"b":1,"a":[1,"x",null,2.5,true]})") == "{1 [1 x <nil> 2.5 true]}");
  CHECK(run("{{.m}}", R"({"m":{"b":1,"a":"y"}})") == "map[a:y b:1]");
  CHECK(run("{{range $k, $v := .m}}{{$k}}:{{$v}} {{end}}", R"({"m":{"b":1,"a":2}})") == "a:2 b:1 ");
  CHECK(run("{{range .m}}x{{else}}none{{end}}", R"({"m":[]})") == "none");
  CHECK(run("{{range .m}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}", R"({"m":[1,2,3]})") == "1");
  CHECK(run("{{with .a}}x{{else with .b}}{{.}}{{else}}n{{end}}", R"({"b":"B"})") == "B");
  CHECK(run("{{$s := 0}}{{range .m}}{{$s = .}}{{end}}{{$s}}", R"({"m":[4,5]})") == "5");
  CHECK(run("{{range .m}}{{$.k}}{{.}}{{end}}", R"({"m":[4,5],"k":"-"})") == "-4-5");
  CHECK(run("a {{- /* gone */ -}} b", "{}") == "ab");
}

TEST_CASE("errors in later lines name their line and column") {
  CHECK(run("a\nbc {{lower 3}}", "{}") == "E template: :2:11: executing \"\" at <3>: expected string; found 3");
  CHECK(run("\n{{foo}}", "{}") == "E template: :2: function \"foo\" not defined");
}

TEST_CASE("list formats print headers, rows and JSON lines as Docker does") {
  constexpr Column columns[] = {{"ID", "IMAGE ID"}, {"Repository", "REPOSITORY"}, {"Tag", "TAG"}};
  const ListStyle style{"table {{.Repository}}\t{{.Tag}}\t{{.ID}}", columns, "*formatter.imageContext"};
  json::Value row;
  row.set("Repository", "127.0.0.1:5000/library/debian");
  row.set("Tag", "<none>");
  row.set("ID", "13f5052b0995");
  const std::vector<json::Value> rows = {row};
  CHECK(*render_list(style, "", rows) == "REPOSITORY                      TAG       IMAGE ID\n127.0.0.1:5000/library/debian   <none>    13f5052b0995\n");
  CHECK(*render_list(style, "table", rows) == *render_list(style, "", rows));
  CHECK(*render_list(style, "json", rows) == R"({"ID":"13f5052b0995","Repository":"127.0.0.1:5000/library/debian","Tag":"\u003cnone\u003e"})" "\n");
  CHECK(*render_list(style, "{{json .Tag}}", rows) == "\"<none>\"\n");
  CHECK(*render_list(style, "{{.ID}}\\t{{.Tag}}", rows) == "13f5052b0995\t<none>\n");
  CHECK(*render_list(style, "table {{json .ID}} {{pad .ID 1 1}}", rows) == "IMAGE ID  IMAGE ID \n\"13f5052b0995\"  13f5052b0995 \n");
  CHECK(*render_list(style, "table {{upper .Tag}}", {}) == "TAG\n");
  CHECK(render_list(style, "{{.Foo}}", rows).error().message() ==
        "template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type *formatter.imageContext");
  CHECK(render_list(style, "{{foo}}", rows).error().message() == "template parsing error: template: :1: function \"foo\" not defined");
}

TEST_CASE("methods with arguments answer for list rows") {
  Typing typing;
  typing.method = [](std::string_view name, std::span<const json::Value> arguments) -> std::optional<json::Value> {
    if (name != "Label" || arguments.size() != 1) return std::nullopt;
    return json::Value("label " + arguments[0].as_string());
  };
  std::string out;
  CHECK(Template::parse("{{.Label \"k\"}}")->execute(json::Value::object(), typing, out).has_value());
  CHECK(out == "label k");
}

TEST_CASE("endless recursion of templates ends in an error") {
  CHECK(run("{{define \"x\"}}{{if 1}}{{template \"x\"}}{{end}}{{end}}{{template \"x\"}}", "{}").find("exceeded maximum template depth") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "{{if 1}}";
  CHECK(run(deep, "{}").starts_with("E template: :1: "));
}
