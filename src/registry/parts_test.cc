// The pure parts of the protocol.
#include <doctest/doctest.h>

#include "http/location.h"
#include "registry/errors.h"
#include "registry/retry.h"
#include "registry/scopes.h"
#include "registry/upload_location.h"

using namespace mica;
using namespace mica::registry;

TEST_CASE("Retry-After is seconds or a date") {
  const Timestamp now = parse_rfc3339("1994-11-06T08:49:00Z").value();
  struct Row {
    std::string_view value;
    std::optional<std::int64_t> ms;
  };
  for (const Row& row : {Row{"0", 0}, Row{" 120 ", 120'000}, Row{"Sun, 06 Nov 1994 08:49:37 GMT", 37'000}, Row{"Sun, 06 Nov 1994 08:48:37 GMT", 0}, Row{"", {}}, Row{"-1", {}},
                         Row{"1.5", {}}, Row{"soon", {}}, Row{"Sun, 06 Nox 1994 08:49:37 GMT", {}}, Row{"Sun, 06 Nov 1994 25:49:37 GMT", {}},
                         Row{"99999999999999999999", 10LL * 365 * 86'400'000}}) {
    CAPTURE(row.value);
    CHECK(parse_retry_after(row.value, now) == row.ms);
  }
}

TEST_CASE("scopes merge by resource, whose name may hold a port") {
  Scopes scopes("repository:a/b:pull");
  scopes.add("repository:a/b:push,pull repository:host:5000/c:pull nonsense");
  CHECK(scopes.str() == "repository:a/b:pull,push repository:host:5000/c:pull");
  CHECK(scopes.covers(Scopes("repository:a/b:push")));
  CHECK_FALSE(scopes.covers(Scopes("repository:a/b:delete")));
  CHECK_FALSE(scopes.covers(Scopes("repository:z:pull")));
  CHECK(scopes.covers(Scopes()));
}

TEST_CASE("the address of an upload keeps every byte") {
  struct Row {
    std::string asked, location, url;
  };
  for (const Row& row : {
           Row{"https://h/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/1?_state=a%2Bb%3D&x=%2f", "https://h/v2/a/blobs/uploads/1?_state=a%2Bb%3D&x=%2f"},
           Row{"https://h:1/v2/a/blobs/uploads/", "https://other/x?y", "https://other/x?y"},
           Row{"https://h/v2/a/blobs/uploads/", "//h/x", "https://h/x"},
           Row{"https://h/v2/a/blobs/uploads/?mount=x", "one", "https://h/v2/a/blobs/uploads/one"},
           Row{"https://h/v2/a/blobs/uploads/", "../uploads/two?a#frag", "https://h/v2/a/blobs/uploads/two?a"},
           Row{"https://h/v2/a", "?state=2", "https://h/v2/a?state=2"},
           // A proxy that ends TLS and a registry that does not know.
           Row{"https://h/v2/a/blobs/uploads/", "http://h/v2/1?x", "https://h/v2/1?x"},
           Row{"https://h:5000/v2/a/blobs/uploads/", "http://h:5000/v2/1", "https://h:5000/v2/1"},
           Row{"https://h:5000/v2/a/blobs/uploads/", "http://h/v2/1", "https://h:5000/v2/1"},
           Row{"https://h/v2/a/blobs/uploads/", "http://other/v2/1", "http://other/v2/1"},
           Row{"http://h/v2/a/blobs/uploads/", "http://h/v2/1", "http://h/v2/1"},
       }) {
    CAPTURE(row.location);
    CHECK(upload_url(row.asked, row.location) == row.url);
  }
  const auto digest = oci::Digest::of("");
  CHECK(with_digest("http://h/u", digest) == "http://h/u?digest=sha256%3A" + digest.hex());
  CHECK(with_digest("http://h/u?a=%2B", digest) == "http://h/u?a=%2B&digest=sha256%3A" + digest.hex());
  CHECK(with_digest("http://h/u?", digest) == "http://h/u?digest=sha256%3A" + digest.hex());
}

TEST_CASE("how far an upload is, by its range") {
  struct Row {
    std::string_view range;
    std::optional<std::int64_t> bytes;
  };
  for (const Row& row : {Row{"0-0", 0}, Row{"0-9", 10}, Row{"bytes=0-9", 10}, Row{"", {}}, Row{"5-9", {}}, Row{"0--1", {}}, Row{"0-x", {}}}) {
    CAPTURE(row.range);
    CHECK(accepted_bytes(row.range) == row.bytes);
  }
}

TEST_CASE("origins compare as credentials need it") {
  CHECK(http::same_origin("https://h/a", "HTTPS://H:443/b?c"));
  CHECK(http::same_origin("http://[::1]/a", "http://[::1]:80"));
  CHECK_FALSE(http::same_origin("https://h/a", "http://h/a"));
  CHECK_FALSE(http::same_origin("https://h/a", "https://h:444/a"));
  CHECK_FALSE(http::same_origin("https://h/a", "https://h.evil/a"));
  CHECK_FALSE(http::same_origin("https://h@evil/a", "https://h/a"));
  CHECK_FALSE(http::same_origin("ftp://h/a", "ftp://h/a"));
  for (const char* host : {"localhost", "localhost:5000", "LOCALHOST", "127.0.0.1:80", "127.9.9.9", "[::1]:5000"}) CHECK_MESSAGE(http::is_loopback(host), host);
  for (const char* host : {"127.0.0.1.evil.example", "127.example", "localhost.evil", "10.0.0.1", "[::2]:5000", "128.0.0.1"}) CHECK_MESSAGE(!http::is_loopback(host), host);
}

TEST_CASE("refusals are read whatever their form") {
  struct Row {
    std::string_view body, text;
  };
  for (const Row& row : {
           Row{R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]})", R"(manifest unknown ({"Tag":"x"}))"},
           Row{R"({"errors":[{"code":"DENIED","message":"no"},{"code":"DENIED","message":"no"}]})", "denied: no"},
           Row{R"({"errors":[{"code":"A","message":"b"},{"message":"c","detail":"d"}]})", "a: b; c (d)"},
           Row{R"({"details":"incorrect username or password"})", "incorrect username or password"},
           Row{R"({"error":"invalid_grant","error_description":"expired"})", "expired"},
           Row{R"({"errors":"no list","message":"m"})", "m"},
           Row{"[]", ""}, Row{"<html>", ""}, Row{"", ""}, Row{R"({"errors":[1,null]})", ""},
       }) {
    CAPTURE(row.body);
    CHECK(parse_refusal(row.body).text == row.text);
  }
}

TEST_CASE("answers of something else in between are told as such") {
  const http::Response response{.status = 400, .headers = {{"content-type", "text/html"}, {"server", "nginx"}, {"via", "1.1 proxy"}}, .final_url = "https://h/v2/a?secret=1"};
  const Error error = refused({.status = 400, .response = response, .body = "\n  <html>\n<body>", .host = "h", .doing = "reading"}, {});
  CHECK(error.text() == "reading: h answered with status 400, type text/html, server nginx, via 1.1 proxy: <html>");
  CHECK(error.hint() == "https://h/v2/a does not look like a registry");
  const http::Response broken{.status = 503};
  CHECK(refused({.status = 503, .response = broken, .body = R"({"errors":[{"code":"UNAVAILABLE","message":"later"}]})", .host = "h", .doing = "reading"}, {}).text() ==
        "reading: h answered with status 503: unavailable: later");
  const http::Response large{.status = 413};
  CHECK(refused({.status = 413, .response = large, .host = "h"}, {}).hint().find("limits the size") != std::string::npos);
}

TEST_CASE("printable text is cut and escaped") {
  CHECK(printable("a\nb\x7f\xff\xc2\x9b") == "a\\x0ab\\x7f\\xff\\u009b");
  CHECK(printable("ünï") == "ünï");
  CHECK(printable(std::string(1000, 'x'), 10) == "xxxxxxxxxx...");
}
