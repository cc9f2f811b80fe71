#include "registry/hosts.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "registry/daemon_json.h"
#include "registry/registries_conf.h"
#include "registry/toml.h"
#include "support/user_environment.h"
#include "sys/fd.h"

using namespace mica;
using registry::Endpoint;
using registry::Hosts;
using support::UserEnvironment;

namespace {

/// A user whose folder "root" stands for the system's.
struct Machine : UserEnvironment {
  std::string root() const { return home() + "/root"; }
  std::string etc(const std::string& path, std::string_view text) const { return write("root/etc/" + path, text); }
  Hosts hosts() const { return Hosts(root()); }
  std::string shown(std::string text) const { return replace_all(replace_all(std::move(text), root(), ""), home(), "~"); }
};

std::string address(const Endpoint& place) {
  std::string text = place.scheme + "://" + place.address + place.prefix + "/" + place.path;
  if (!place.query.empty()) text += "?" + place.query;
  if (place.host != place.address) text += " as " + place.host;
  if (place.mirror) text += " mirror";
  if (!place.serves_tags) text += " no-tags";
  if (!place.serves_digests) text += " no-digests";
  if (place.plain_http) text += " http";
  if (!place.verify_tls) text += " unverified";
  return text;
}

std::string pulls(const Machine& machine, const std::string& name, const std::string& separator = ", ") {
  const auto reference = oci::Reference::parse(name);
  REQUIRE(reference);
  const auto places = machine.hosts().for_pull(*reference);
  if (!places) return machine.shown("error: " + places.error().text());
  std::vector<std::string> all;
  for (const Endpoint& place : *places) all.push_back(address(place));
  return join(all, separator);
}
std::string pushes(const Machine& machine, const std::string& name) {
  const auto place = machine.hosts().for_push(oci::Reference::parse(name).value());
  return place ? address(*place) : machine.shown("error: " + place.error().text());
}

const std::string kDigest = "@sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("TOML becomes JSON in the text's order, and its errors have a place") {
  const auto value = registry::parse_toml("f.toml", "z = 1\na = \"x\"\n[t.\"https://b\"]\nn = [true, 2.5]\n[t.\"https://a\"]\nd = 2024-01-02\n[[l]]\nk = 'v'\n[[l]]\n");
  REQUIRE(value);
  CHECK(json::write(*value) == R"({"z":1,"a":"x","t":{"https://b":{"n":[true,2.5]},"https://a":{"d":"2024-01-02"}},"l":[{"k":"v"},{}]})");
  const auto wrong = registry::parse_toml("f.toml", "a = 1\nb = = 2\n");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == Errc::invalid_argument);
  CHECK(wrong.error().text().starts_with("f.toml:2:"));
  CHECK_FALSE(registry::parse_toml("f.toml", "a = " + std::string(100'000, '[')));
}

TEST_CASE("without any file a registry is asked by https, and only loopback may be asked by http") {
  const Machine machine;
  CHECK(pulls(machine, "alpine") == "https://registry-1.docker.io/v2/library/alpine as docker.io");
  CHECK(pulls(machine, "r.example:5000/team/app:1") == "https://r.example:5000/v2/team/app");
  CHECK(pulls(machine, "localhost:5000/app") == "https://localhost:5000/v2/app http");
  CHECK(pulls(machine, "127.1.2.3/app") == "https://127.1.2.3/v2/app http");
  CHECK(pulls(machine, "[::1]:5000/app") == "https://[::1]:5000/v2/app http");
  CHECK(pushes(machine, "alpine") == "https://registry-1.docker.io/v2/library/alpine as docker.io");
  CHECK(address(machine.hosts().for_host("https://index.docker.io/v1/").value()) == "https://registry-1.docker.io/v2/ as docker.io");
  CHECK(address(machine.hosts().for_host("r.example/path").value()) == "https://r.example/v2/");
}

TEST_CASE("registries.conf: the longest prefix counts, locations take its place, mirrors come first") {
  const Machine machine;
  machine.etc("containers/registries.conf", R"(
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "hub.example/cache"
insecure = true
[[registry.mirror]]
location = "localhost:5001"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"

[[registry]]
location = "r.example/team"
insecure = true

[[registry]]
prefix = "r.example/team/app"
location = "other.example/moved"

[[registry]]
prefix = "*.wild.example"

[[registry]]
prefix = "*.moved.example"
location = "new.example/all"

[[registry]]
prefix = "a.wild.example/secret"
blocked = true

[[registry]]
location = "digests.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m.example"
)");
  const std::string hub = "https://registry-1.docker.io/v2/library/alpine as docker.io";
  CHECK(pulls(machine, "alpine") == "https://hub.example/v2/cache/library/alpine mirror http unverified, https://tags.example/v2/library/alpine mirror, " + hub);
  CHECK(pulls(machine, "alpine:3" + kDigest) ==
        "https://hub.example/v2/cache/library/alpine mirror http unverified, https://localhost:5001/v2/library/alpine mirror no-tags http, " + hub);
  CHECK(pushes(machine, "alpine") == hub);
  struct Case {
    const char *name, *expected;
  };
  for (const auto& [name, expected] :
       {Case{"r.example/team/x", "https://r.example/v2/team/x http unverified"}, {"r.example/team/app:1", "https://other.example/v2/moved"},
        {"r.example/team/app/sub", "https://other.example/v2/moved/sub"}, {"r.example/team/application", "https://r.example/v2/team/application http unverified"},
        {"r.example/teams/x", "https://r.example/v2/teams/x"}, {"R.Example/team/x", "https://r.example/v2/team/x http unverified"},
        {"r.example:5000/team/x", "https://r.example:5000/v2/team/x"}, {"a.b.wild.example/x", "https://a.b.wild.example/v2/x"}, {"wild.example/x", "https://wild.example/v2/x"},
        {"a.moved.example/x/y", "https://new.example/v2/all/x/y"},
        {"a.wild.example/secret/x", "error: a.wild.example/secret/x:latest is blocked in /etc/containers/registries.conf ([[registry]] a.wild.example/secret)"},
        {"digests.example/x", "https://digests.example/v2/x"}}) {
    CAPTURE(name);
    CHECK(pulls(machine, name) == expected);
  }
  CHECK(pulls(machine, "digests.example/x" + kDigest) == "https://m.example/v2/x mirror no-tags, https://digests.example/v2/x");
  const auto blocked = machine.hosts().for_push(oci::Reference::parse("a.wild.example/secret").value());
  CHECK(blocked.error().code() == Errc::permission_denied);
}

TEST_CASE("registries.conf: which files count, and a later one goes before an earlier one") {
  const Machine machine;
  const auto entry = [](const char* location) { return format("[[registry]]\nprefix = \"p.example\"\nlocation = \"{}\"\n", location); };
  const auto seen = [&] { return pulls(machine, "p.example/x"); };
  machine.etc("containers/registries.conf", entry("system.example"));
  CHECK(seen() == "https://system.example/v2/x");
  machine.etc("containers/registries.conf.d/10.conf", entry("drop10.example"));
  machine.etc("containers/registries.conf.d/20.conf", entry("drop20.example"));
  machine.etc("containers/registries.conf.d/30.txt", entry("ignored.example"));
  CHECK(seen() == "https://drop20.example/v2/x");
  machine.write(".config/containers/registries.conf.d/05.conf", entry("user05.example"));
  CHECK(seen() == "https://user05.example/v2/x");
  machine.write(".config/containers/registries.conf", "unqualified-search-registries = []\n");
  CHECK(seen() == "https://user05.example/v2/x");
  sys::remove_file(machine.home() + "/.config/containers/registries.conf.d/05.conf").value();
  CHECK(seen() == "https://p.example/v2/x");
}

TEST_CASE("registries.conf: the variable names another file, drop-ins still count") {
  Machine machine;
  machine.set("CONTAINERS_REGISTRIES_CONF", machine.write("mine.conf", "[[registry]]\nlocation = \"p.example\"\ninsecure = true\n"));
  machine.etc("containers/registries.conf", "[[registry]]\nlocation = \"p.example\"\nblocked = true\n");
  CHECK(pulls(machine, "p.example/x") == "https://p.example/v2/x http unverified");
  machine.etc("containers/registries.conf.d/1.conf", "[[registry]]\nlocation = \"q.example\"\nblocked = true\n");
  CHECK(pulls(machine, "q.example/x") == "error: q.example/x:latest is blocked in /etc/containers/registries.conf.d/1.conf ([[registry]] q.example)");
  CHECK(machine.hosts().for_host("q.example").error().code() == Errc::permission_denied);
}

TEST_CASE("registries.conf: what is wrong is refused with file and entry") {
  struct Case {
    const char *text, *expected;
  };
  const std::string prefix = "error: reading the configuration of registries: /etc/containers/registries.conf:";
  for (const auto& [text, expected] :
       {Case{"[[registry]]\ninsecure = true\n", " [[registry]] 1: needs a \"location\" or a \"prefix\""},
        {"[[registry]]\nlocation = \"https://x.example\"\n", " [[registry]] 1: \"location\" is \"https://x.example\": it must not have a scheme"},
        {"[[registry]]\nlocation = \"x.example\"\nblocked = \"yes\"\n", " [[registry]] x.example: \"blocked\" must be true or false"},
        {"[[registry]]\nlocation = \"nohost/x\"\n", " [[registry]] 1: location \"nohost/x\" must begin with a registry's host"},
        {"[[registry]]\nprefix = \"a.*.example\"\n", " [[registry]] 1: prefix \"a.*.example\": a wildcard must have the form *.example.com"},
        {"[[registry]]\nlocation = \"x.example\"\n[[registry.mirror]]\n", " a mirror of x.example: a mirror needs a \"location\""},
        {"[[registry]]\nlocation = \"x.example\"\n[[registry.mirror]]\nlocation = \"m.example\"\npull-from-mirror = \"some\"\n",
         " a mirror of x.example: \"pull-from-mirror\" must be all, digest-only or tag-only, not \"some\""},
        {"[[registry]]\nlocation = \"x.example\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m.example\"\npull-from-mirror = \"all\"\n",
         " a mirror of x.example: \"pull-from-mirror\" does not go with the registry's \"mirror-by-digest-only\""},
        {"registry = 1\n", " \"registry\" must be a list of tables: [[registry]]"},
        {"[registries.block]\nregistries = [\"x.example\"]\n", " [registries.search], [registries.insecure] and [registries.block] are of version 1: use [[registry]]"},
        {"unqualified-search-registries = [1]\n", " \"unqualified-search-registries\" must be a list of strings"},
        {"[aliases]\nx = 1\n", " the alias \"x\" must be a string"}}) {
    CAPTURE(text);
    const Machine machine;
    machine.etc("containers/registries.conf", text);
    CHECK(pulls(machine, "x.example/app") == prefix + expected);
  }
  const Machine machine;
  machine.etc("containers/registries.conf", "a = 1\n[[registry\n");
  CHECK(pulls(machine, "alpine").starts_with(prefix + "2:"));
}

TEST_CASE("short names: an alias, else the registries that are to be searched, else the hub") {
  const Machine machine;
  const auto seen = [&](std::string_view name) {
    const auto found = machine.hosts().candidates(name);
    if (!found) return "error: " + found.error().text();
    std::vector<std::string> all;
    for (const auto& reference : *found) all.push_back(reference.str());
    return join(all, " ");
  };
  CHECK(seen("app:1") == "docker.io/library/app:1");
  CHECK(seen("team/app") == "docker.io/team/app:latest");
  machine.etc("containers/registries.conf", "unqualified-search-registries = [\"r.example\", \"docker.io\"]\n[aliases]\nfedora = \"f.example/fedora\"\n\"team/tool\" = \"t.example/x/tool\"\n");
  CHECK(seen("app:1") == "r.example/app:1 docker.io/library/app:1");
  CHECK(seen("team/app") == "r.example/team/app:latest docker.io/team/app:latest");
  CHECK(seen("fedora:40") == "f.example/fedora:40");
  CHECK(seen("fedora" + kDigest) == "f.example/fedora" + kDigest);
  CHECK(seen("team/tool") == "t.example/x/tool:latest");
  CHECK(seen("docker.io/fedora") == "docker.io/library/fedora:latest");
  CHECK(seen("localhost/app") == "localhost/app:latest");
  machine.etc("containers/registries.conf.d/x.conf", "[aliases]\nfedora = \"\"\n");
  CHECK(seen("fedora") == "r.example/fedora:latest docker.io/library/fedora:latest");
  CHECK(seen("UPPER") == "error: " + oci::Reference::parse("UPPER").error().text());
}

TEST_CASE("daemon.json: insecure registries by name, port and network; mirrors of the hub only") {
  const Machine machine;
  machine.etc("docker/daemon.json", R"({"insecure-registries": ["r.example:5000", "http://s.example", "10.1.0.0/16", "fd00::/8", "hub-mirror.example"],
    "registry-mirrors": ["https://hub-mirror.example/", "http://plain.example:5000", "https://deep.example/hub/"], "debug": true})");
  machine.write(".config/docker/daemon.json", R"({"insecure-registries": ["u.example"]})");
  struct Case {
    const char* host;
    bool insecure;
  };
  for (const auto& [host, insecure] : {Case{"r.example:5000", true}, {"R.EXAMPLE:5000", true}, {"r.example", false}, {"r.example:5001", false}, {"s.example", true}, {"u.example", true},
                                       {"10.1.2.3:5000", true}, {"10.2.0.1:5000", false}, {"[fd12::1]:5000", true}, {"[fe80::1]:5000", false}}) {
    CAPTURE(host);
    const auto place = machine.hosts().for_host(host);
    REQUIRE(place);
    CHECK(place->verify_tls != insecure);
    CHECK(place->plain_http == insecure);
    CHECK(place->configured_in.empty() != insecure);
  }
  CHECK(pulls(machine, "alpine", "\n") ==
        "https://hub-mirror.example/v2/library/alpine mirror http unverified\n"
        "http://plain.example:5000/v2/library/alpine mirror http\n"
        "https://deep.example/hub/v2/library/alpine mirror\n"
        "https://registry-1.docker.io/v2/library/alpine as docker.io");
  CHECK(pulls(machine, "s.example/x") == "https://s.example/v2/x http unverified");
  CHECK(registry::is_in("127.0.0.0/8", "localhost"));
  CHECK(registry::is_in("0.0.0.0/0", "1.2.3.4"));
  CHECK_FALSE(registry::is_in("0.0.0.0/0", "[::1]"));
  CHECK_FALSE(registry::is_in("10.0.0.0/33", "10.0.0.1"));
  CHECK_FALSE(registry::is_in("10.0.0.0/8", "name.invalid"));
}

TEST_CASE("daemon.json: what is wrong is refused with the file") {
  struct Case {
    const char *text, *expected;
  };
  for (const auto& [text, expected] :
       {Case{"{", "invalid JSON"}, {R"({"registry-mirrors": "https://m.example"})", "\"registry-mirrors\" must be a list of strings"},
        {R"({"registry-mirrors": ["m.example"]})", "\"registry-mirrors\": \"m.example\" must begin with http:// or https://"},
        {R"({"registry-mirrors": ["https://m.example?x=1"]})", "must not have a query or fragment"},
        {R"({"registry-mirrors": ["https://ada:secret@m.example"]})", "a mirror must not have credentials in its URL"},
        {R"({"insecure-registries": [1]})", "\"insecure-registries\" must be a list of strings"}}) {
    CAPTURE(text);
    const Machine machine;
    machine.etc("docker/daemon.json", text);
    const std::string said = pulls(machine, "alpine");
    CHECK(said.starts_with("error: reading dockerd's configuration from /etc/docker/daemon.json: "));
    CHECK_MESSAGE(said.find(expected) != std::string::npos, said);
    CHECK(said.find("secret") == std::string::npos);
  }
}

TEST_CASE("certs.d: authorities of all folders in one file, a client's pair, and halves refused") {
  const Machine machine;
  const auto place = [&](const std::string& host, const Hosts& hosts) { return hosts.for_host(host); };
  const Hosts nothing = machine.hosts();
  CHECK(place("r.example:5000", nothing)->ca_file.empty());

  const std::string first = machine.etc("docker/certs.d/r.example:5000/ca.crt", "FIRST");
  CHECK(place("r.example:5000", machine.hosts())->ca_file == first);
  CHECK(place("r.example", machine.hosts())->ca_file.empty());
  CHECK(place("r.example:5001", machine.hosts())->ca_file.empty());

  machine.etc("containers/certs.d/r.example:5000/b.crt", "SECOND");
  machine.write(".config/containers/certs.d/r.example:5000/c.crt", "THIRD");
  machine.write(".config/docker/certs.d/r.example:5000/d.crt", "FOURTH");
  machine.write(".config/docker/certs.d/r.example:5000/notes.txt", "IGNORED");
  const Hosts all = machine.hosts();
  const std::string merged = place("r.example:5000", all)->ca_file;
  CHECK(sys::read_file(merged).value() == "FIRST\nSECOND\nTHIRD\nFOURTH\n");
  CHECK(place("r.example:5000", all)->ca_file == merged);

  const std::string cert = machine.etc("docker/certs.d/c.example/client.cert", "C");
  auto half = place("c.example", machine.hosts());
  CHECK(half.error().code() == Errc::invalid_argument);
  CHECK(machine.shown(half.error().text()) == "/etc/docker/certs.d/c.example/client.cert has no key beside it: client.key is missing");
  const std::string key = machine.etc("docker/certs.d/c.example/client.key", "K");
  const auto whole = place("c.example", machine.hosts());
  REQUIRE(whole);
  CHECK(whole->client_cert == cert);
  CHECK(whole->client_key == key);
  sys::remove_file(cert).value();
  half = place("c.example", machine.hosts());
  CHECK(machine.shown(half.error().text()) == "/etc/docker/certs.d/c.example/client.key has no certificate beside it: client.cert is missing");

  machine.etc("docker/certs.d/docker.io/ca.crt", "HUB");
  CHECK(place("docker.io", machine.hosts())->ca_file == machine.root() + "/etc/docker/certs.d/docker.io/ca.crt");
  const auto folders = nothing.certificate_folders("r.example:5000");
  CHECK(machine.shown(folders.front()) == "/etc/docker/certs.d/r.example:5000");
  CHECK(std::ranges::count(folders, machine.home() + "/.config/containers/certs.d/r.example:5000") == 1);
}

TEST_CASE("hosts.toml: places in the file's order with their capabilities, then the server") {
  const Machine machine;
  machine.etc("containerd/certs.d/docker.io/hosts.toml", R"(
server = "https://registry-1.docker.io"
[host."https://zeta.example"]
  capabilities = ["pull"]
  ca = "zeta.crt"
[host."http://alpha.example:5000/hub"]
  capabilities = ["pull", "resolve"]
[host."https://custom.example/api/docker/"]
  override_path = true
  skip_verify = true
  client = [["c.pem", "k.pem"]]
[host."push.example"]
  capabilities = ["push"]
)");
  CHECK(pulls(machine, "alpine", "\n") ==
        "https://zeta.example/v2/library/alpine?ns=docker.io mirror no-tags\n"
        "http://alpha.example:5000/hub/v2/library/alpine?ns=docker.io mirror http\n"
        "https://custom.example/api/docker/library/alpine?ns=docker.io mirror unverified\n"
        "https://registry-1.docker.io/v2/library/alpine as docker.io");
  CHECK(pushes(machine, "alpine") == "https://registry-1.docker.io/v2/library/alpine as docker.io");
  const auto places = machine.hosts().for_pull(oci::Reference::parse("alpine").value()).value();
  CHECK(machine.shown(places[0].ca_file) == "/etc/containerd/certs.d/docker.io/zeta.crt");
  CHECK(machine.shown(places[0].configured_in) == "/etc/containerd/certs.d/docker.io/hosts.toml");
  CHECK(machine.shown(places[2].client_cert) == "/etc/containerd/certs.d/docker.io/c.pem");
  CHECK(machine.shown(places[2].client_key) == "/etc/containerd/certs.d/docker.io/k.pem");

  machine.etc("docker/certs.d/r.example_5000_/hosts.toml", "server = \"https://real.example\"\ncapabilities = [\"pull\", \"resolve\"]\n");
  CHECK(pulls(machine, "r.example:5000/x") == "https://real.example/v2/x?ns=r.example:5000");
  CHECK(pushes(machine, "r.example:5000/x") == "error: r.example:5000/x: /etc/docker/certs.d/r.example_5000_/hosts.toml does not give the server the capability \"push\"");
  CHECK(address(machine.hosts().for_host("r.example:5000").value()) == "https://r.example:5000/v2/");

  machine.etc("docker/certs.d/_default/hosts.toml", "[host.\"https://cache.example\"]\nskip_verify = true\n");
  CHECK(pulls(machine, "other.example/x") == "https://cache.example/v2/x?ns=other.example mirror unverified, https://other.example/v2/x");
  CHECK(pulls(machine, "cache.example/x") == "https://cache.example/v2/x");
}

TEST_CASE("hosts.toml: what is wrong is refused with file and host") {
  struct Case {
    const char *text, *expected;
  };
  for (const auto& [text, expected] :
       {Case{"[host.\"ftp://x\"]\n", "[host.\"ftp://x\"]: \"x\" is no URL of a registry: http or https, without user and query"},
        {"[host.\"https://x\"]\ncapabilities = [\"fetch\"]\n", "[host.\"https://x\"]: unknown capability \"fetch\": known are pull, resolve, push"},
        {"[host.\"https://x\"]\nskip_verify = 1\n", "[host.\"https://x\"]: \"skip_verify\" must be true or false"},
        {"[host.\"https://x\"]\nca = 1\n", "[host.\"https://x\"]: \"ca\" must be a string or a list of strings"},
        {"client = [[1]]\n", "server: \"client\" must be a file, or pairs of certificate and key"},
        {"host = 1\n", "\"host\" must be a table: [host.\"https://...\"]"}}) {
    CAPTURE(text);
    const Machine machine;
    machine.etc("docker/certs.d/r.example/hosts.toml", text);
    CHECK(pulls(machine, "r.example/x") == std::string("error: reading the places of a registry from /etc/docker/certs.d/r.example/hosts.toml: ") + expected);
  }
}

TEST_CASE("mirrors of several files come once each, and credentials are those of the place") {
  const Machine machine;
  machine.etc("containers/registries.conf", "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"m.example\"\n[[registry.mirror]]\nlocation = \"docker.io\"\n");
  machine.etc("docker/daemon.json", R"({"registry-mirrors": ["https://m.example", "https://n.example"]})");
  CHECK(pulls(machine, "alpine") ==
        "https://m.example/v2/library/alpine mirror, https://n.example/v2/library/alpine mirror, https://registry-1.docker.io/v2/library/alpine as docker.io");
}
